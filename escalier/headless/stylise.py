"""`escalier stylise`: the staircase on the artist's own clip, with no ComfyUI at all."""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from escalier.coherence import measure_fades
from escalier.film import check_output, open_film, write_film
from escalier.film.masks import FilmMasks
from escalier.film.motion import Motion
from escalier.keyframes.files import read_keyframes
from escalier.propagation import FADES, Guides, Matching, Staircase, propagate

from . import paint_keyframes
from .bars import progress_bar

log = logging.getLogger("escalier")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    weights = Guides()
    parser.add_argument("clip", type=Path, metavar="CLIP", help="the filmed clip: a video file or a folder of pictures")
    look = parser.add_mutually_exclusive_group(required=True)
    look.add_argument(
        "--keyframes",
        type=Path,
        metavar="FOLDER",
        help="painted frames in the clip's size; the last number in a file's name is its frame",
    )
    look.add_argument(
        "--pipeline",
        type=Path,
        metavar="PATH",
        help="paint the keyframes with this pipeline of diffusers, a folder or a checkpoint, then carry them",
    )
    parser.add_argument("--first", type=int, choices=(0, 1), default=0, help="the number of the film's first frame (0)")
    parser.add_argument(
        "--mask", type=Path, metavar="FILE", help="the subject in white: a video or a folder, or one picture"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="the film to write (CLIP_stylised.mp4)")
    parser.add_argument("--mode", choices=list(FADES), default=next(iter(FADES)), help="how runs are faded")
    parser.add_argument("--fade-frames", type=int, metavar="N", help="length of a fade (as long as the gap allows)")
    for name, weight in weights.weights().items():
        parser.add_argument(
            f"--{name}-weight", type=float, default=weight, metavar="W", help=f"the {name} guide ({weight:g})"
        )
    parser.add_argument(
        "--match-side", type=int, metavar="PX", help="match larger films at this longer side, such as 960 (their own)"
    )
    parser.add_argument(
        "--whole-pixels", action="store_true", help="copy strokes pixel for pixel, for halftone and pixel art"
    )
    parser.add_argument("--no-cuts", action="store_true", help="do not look for shot cuts; carry keyframes across all")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other brush strokes (0)")
    parser.add_argument("--threads", type=int, metavar="N", help="processor cores to use (all)")
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="FOLDER",
        help="where the runs are kept; a stopped job goes on from there (beside the output, deleted when it is done)",
    )
    paint_keyframes.add_arguments(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    parser.add_argument("--json", action="store_true", help="print one JSON object: file, ghosting, pop, confidence")


def main(args: argparse.Namespace) -> int:
    film = open_film(args.clip)
    masks = None if args.mask is None else FilmMasks(open_film(args.mask))
    output = args.output or Path(f"{args.clip.stem}_stylised.mp4")
    _check_output(output, args.overwrite)
    check_output(output, film.size)
    if args.pipeline is None:
        keyframes = read_keyframes(args.keyframes, len(film), first=args.first, size=film.size)
    else:
        folder = args.painted or output.with_name(f"{output.stem}_keyframes")
        keyframes = paint_keyframes.paint_keyframes(args, film, masks, folder)
    scratch = args.scratch or output.with_name(f".{output.name}.escalier")
    names = Guides().weights()
    guides = Guides(**{name: getattr(args, f"{name}_weight") for name in names})
    motion = Motion(film, scratch)
    try:
        with progress_bar("Propagate") as progress:
            runs = propagate(
                film,
                keyframes,
                folder=scratch,
                motion=motion,
                masks=masks,
                guides=guides,
                matching=Matching(match_side=args.match_side, sub_pixel=not args.whole_pixels),
                cuts=() if args.no_cuts else None,
                seed=args.seed,
                threads=args.threads,
                progress=progress,
            )
        staircase = Staircase(runs, mode=args.mode, fade_frames=args.fade_frames)
        with progress_bar("Write") as progress:
            write_film(output, staircase, like=film, progress=progress)
        with progress_bar("Measure") as progress:
            report = measure_fades(staircase, film, motion, progress)
    except KeyboardInterrupt:
        log.info("The runs made so far are kept in %s; the same command goes on from there.", scratch)
        raise
    if args.scratch is None:
        shutil.rmtree(scratch, ignore_errors=True)
    if args.json:
        facts = {"file": str(output), **asdict(report), "confidence": runs.confidence().tolist()}
        sys.stdout.write(json.dumps(facts, default=lambda array: array.tolist()) + "\n")
    else:
        log.info("%s", report)
        sys.stdout.write(f"{output}\n")
    return 0


def _check_output(output: Path, overwrite: bool) -> None:
    """Refuse, before the work, a file that is there or a folder that is not."""
    if output.exists() and not overwrite:
        raise FileExistsError(f"--output: {output} must not exist yet; choose another name or add --overwrite")
