"""`escalier keyframes`: choose frames of a clip and export them as pictures to paint over."""

import argparse
import json
import re
import shlex
import sys
import tempfile
from pathlib import Path

from escalier.film import Footage, Motion, check_output, list_pictures, open_film
from escalier.keyframes import PER_SECOND, choose_keyframes, parse_frames, write_keyframes
from escalier.log import log
from escalier.refusals import FileInTheWay, printable

from .progress_bars import job_bar

OUR_NAME = re.compile(r"keyframe_\d+\.png")

MOTION_S = 0.1
"""Guessed seconds of a frame."""


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
    parser.add_argument("--rate", type=float, metavar="R", help="frames a second, for a clip that is a folder (24)")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that are already there")
    parser.add_argument("--json", action="store_true", help="print one JSON object: file, frame and time of each")


def main(args: argparse.Namespace) -> int:
    film = open_film(args.clip, args.rate)
    check_output(f"{args.output}/", film.size, like=film)
    _check_folder(args.output)
    with tempfile.TemporaryDirectory(prefix="escalier-") as scratch:
        footage = Footage(film, scratch)
        indices = _chosen(args, footage)
        files = write_keyframes(args.output, footage, indices, first=args.first, overwrite=args.overwrite)
    if args.json:
        times = getattr(film, "times", None) or [index / film.rate for index in range(len(film))]
        listed = [
            {"file": str(file), "frame": index, "time": float(times[index])}
            for file, index in zip(files, indices, strict=True)
        ]
        sys.stdout.write(json.dumps({"keyframes": listed, "frames": len(film), "size": list(film.size)}) + "\n")
    else:
        sys.stdout.writelines(f"{printable(str(file))}\n" for file in files)
    first = "" if args.first is None else f" --first {args.first}"
    log.info(
        "Paint over them and keep their names; then: escalier stylise %s --keyframes %s%s",
        shlex.quote(args.clip),
        shlex.quote(str(args.output)),
        first,
    )
    return 0


def _check_folder(folder: Path) -> None:
    """Refuse a folder with other pictures, all of which `stylise --keyframes` would take for paintings."""
    pictures = list_pictures(folder)[0] if folder.is_dir() and any(folder.iterdir()) else []
    other = next((file.name for file in pictures if not OUR_NAME.fullmatch(file.name)), None)
    if other is not None:
        rule = "hold no pictures but keyframes, since all would be taken for paintings"
        raise FileInTheWay(f"{folder}", rule, other, "choose another folder", who="--output")


def _chosen(args: argparse.Namespace, film: Footage) -> tuple[int, ...]:
    if args.at is not None:
        return tuple(parse_frames(args.at, film, args.first))
    if args.every is not None:
        return choose_keyframes(film, "every n", n=args.every)
    if args.count is not None:
        return choose_keyframes(film, "count", count=args.count)
    if args.by_motion is None:
        return choose_keyframes(film, "per second", per_second=args.per_second)
    choose_keyframes(film, "count", count=args.by_motion)  # refuses a number of keyframes before the motion is measured
    moved = len(film) * MOTION_S
    with job_bar({"measuring the motion": moved, "choosing": moved / 4}) as part:
        motion = Motion(film, film.folder)
        motion.prepare(progress=part("measuring the motion"))
        return choose_keyframes(film, "motion", count=args.by_motion, motion=motion, progress=part("choosing"))
