"""`escalier measure`: how steady a restyled film is, in figures, curves and a heat map."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from escalier import measure
from escalier.coherence import HeatMap, Measurement, plot_curves
from escalier.film import Film, Footage, Motion, check_output, open_film, open_masks, write_film
from escalier.keyframes import Keyframes, parse_frames, read_keyframes, write_png
from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import FileInTheWay, MissingFile, named
from escalier.scratch import draft_of, open_scratch

from .progress_bars import job_bar

REPORT, TABLE, FACTS, PLOT, HEAT_MAP = "report.txt", "curves.csv", "measurement.json", "curves.png", "heat_map.mp4"

MEASURING_S, HEAT_MAP_S = 0.5, 0.1
"""Guessed seconds of a frame."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="SOURCE", help="the filmed clip: a video or a folder of pictures")
    parser.add_argument("restyled", type=Path, metavar="RESTYLED", help="the film made from it, frame for frame")
    parser.add_argument(
        "--keyframes",
        metavar="FOLDER|FRAMES",
        help="the painted keyframes, by which sharpness is judged, or only their numbers: 0,24,48",
    )
    parser.add_argument(
        "--first", type=int, metavar="N", help="the number of the film's first frame in file names (0; a folder's own)"
    )
    parser.add_argument("--rate", type=float, metavar="R", help="frames a second, for a clip that is a folder (24)")
    parser.add_argument("--mask", type=Path, metavar="FILE", help="the subject in white: both sides are measured apart")
    parser.add_argument("--lag", type=int, metavar="N", help="the long lag in frames (7, or what suits the keyframes)")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help=f"write {REPORT}, {TABLE}, {FACTS}, {PLOT} and {HEAT_MAP} into this folder",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what an earlier measurement left there")
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="FOLDER",
        help="keep frames and optical flow there, for other films of this clip",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object: figures, reasons and curves")


def main(args: argparse.Namespace) -> int:
    source = open_film(args.source, args.rate)
    restyled = open_film(args.restyled, source.rate if args.restyled.is_dir() else None)
    if args.output is not None:
        _check_output(args.output, args.overwrite)
        check_output(args.output / HEAT_MAP, restyled.size, like=source)
    if args.scratch is not None:
        open_scratch(args.scratch)
    with named("--mask"):
        masks = None if args.mask is None else open_masks(args.mask, source, args.first)
    keyframes = None if args.keyframes is None else _keyframes(args.keyframes, args.first, source)
    parts = {"measuring": len(source) * MEASURING_S}
    if args.output is not None:
        parts["drawing the heat map"] = len(source) * HEAT_MAP_S
    with tempfile.TemporaryDirectory(prefix="escalier-") as folder, job_bar(parts) as part:
        scratch = args.scratch or folder
        film, made = Footage(source, scratch), Footage(restyled, folder)
        if args.output is not None:
            made.read()  # the heat map needs it again
        found = measure(
            film,
            made,
            keyframes=keyframes,
            masks=masks,
            lag=args.lag,
            first=args.first,
            scratch=scratch,
            progress=part("measuring"),
        )
        if args.output is not None:
            heat = HeatMap(made, Motion(film, scratch))  # the flow is kept there
            _write(args.output, found, heat, source, part("drawing the heat map"))
    sys.stdout.write(f"{found.to_json() if args.json else found}\n")
    return 0


def _keyframes(text: str, first: int | None, film: Film) -> Keyframes | Sequence[int]:
    """Paintings from a folder, or frame numbers from text."""
    if os.path.exists(text):
        return read_keyframes(text, film, first=first)
    if not any(sign.isdigit() for sign in text) or not set(text) <= set("0123456789,;+-[] \t"):
        raise MissingFile(f"{text}", "be a folder or frame numbers", "neither", "check the path", who="--keyframes")
    return parse_frames(text, film, first)


def _check_output(folder: Path, overwrite: bool) -> None:
    """Refuse, before the work, files that are there."""
    there = [name for name in (REPORT, TABLE, FACTS, PLOT, HEAT_MAP) if (folder / name).exists()]
    if there and not overwrite:
        rule, remedy = f"not hold {there[0]} yet", "choose another folder or add --overwrite"
        raise FileInTheWay(f"{folder}", rule, remedy=remedy, who="--output")


def _write(folder: Path, found: Measurement, heat: HeatMap, source: Film, progress: Progress) -> None:
    write_film(folder / HEAT_MAP, heat, like=source, progress=progress)
    write_png(folder / PLOT, plot_curves(found))
    for name, text in ((REPORT, f"{found}\n"), (TABLE, found.to_csv()), (FACTS, found.to_json())):
        with draft_of(folder / name) as draft:
            draft.write_bytes(text.encode())
    log.info("Written to %s", folder)
