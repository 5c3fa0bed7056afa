"""`escalier keyframes`: choose frames of a clip and export them as pictures to paint over."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from escalier.film.motion import Motion
from escalier.film.video import open_film
from escalier.keyframes.choose import PER_SECOND, choose_keyframes, parse_frames
from escalier.keyframes.files import write_keyframes

from .bars import progress_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", metavar="CLIP", help="the filmed clip: a video file or a folder of pictures")
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="where the pictures go")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--per-second", type=float, default=PER_SECOND, metavar="R", help="so many a second (0.5)")
    how.add_argument("--count", type=int, metavar="K", help="so many, spread evenly")
    how.add_argument("--every", type=int, metavar="N", help="every N frames")
    how.add_argument("--by-motion", type=int, metavar="K", help="so many, where the motion uncovers the most")
    how.add_argument("--at", metavar="FRAMES", help="just these frames, counted from --first: 0,24,48")
    parser.add_argument(
        "--first", type=int, metavar="N", help="the number of the film's first frame in file names (0; a folder's own)"
    )
    parser.add_argument("--rate", type=float, metavar="R", help="frames a second of a folder of pictures (24)")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that are already there")


def main(args: argparse.Namespace) -> int:
    film = open_film(args.clip, args.rate)
    indices = _chosen(args, film)
    files = write_keyframes(args.output, film, indices, first=args.first, overwrite=args.overwrite)
    sys.stdout.writelines(f"{file}\n" for file in files)
    return 0


def _chosen(args: argparse.Namespace, film) -> tuple[int, ...]:
    if args.at is not None:
        return tuple(parse_frames(args.at, film, args.first))
    if args.every is not None:
        return choose_keyframes(film, "every n", n=args.every)
    if args.count is not None:
        return choose_keyframes(film, "count", count=args.count)
    if args.by_motion is None:
        return choose_keyframes(film, "per second", per_second=args.per_second)
    with tempfile.TemporaryDirectory(prefix="escalier-") as scratch, progress_bar("Motion") as progress:
        motion = Motion(film, scratch)
        motion.prepare(progress=progress)
        return choose_keyframes(film, "motion", count=args.by_motion, motion=motion)
