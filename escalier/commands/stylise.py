"""`escalier stylise`: the staircase on the artist's own clip, with no ComfyUI at all."""

import argparse
import json
import shlex
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from escalier import stylise
from escalier.coherence import FadeReport, MeasuredStaircase
from escalier.film import Encoding, Footage, Motion, frame_numbers, list_output_formats, working_size, write_film
from escalier.keyframes import Keyframes
from escalier.log import log
from escalier.propagation import Runs, Staircase
from escalier.refusals import printable
from escalier.scratch import KEPT_DAYS, open_scratch, said_bytes, scratch_facts

from . import paint_keyframes
from .finished import Finished
from .progress_bars import job_bar, progress_bar
from .scratch_place import SCRATCH_NAME
from .stylise_plan import Plan, add_making, make_plan, show_keyframes

WRITING_S, MEASURING_S = (0.005, 0.2), (0.005, 0.3)
"""Guessed seconds of a frame: a + b x megapixels, of the film and of the size at which motion is known."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="the filmed clip: a video file or a folder of pictures")
    look = parser.add_mutually_exclusive_group(required=True)
    look.add_argument(
        "--keyframes",
        nargs="+",
        metavar="PATH",
        help="painted frames: a folder, or the pictures themselves; the number in a file's name is its frame",
    )
    look.add_argument(
        "--pipeline",
        type=Path,
        metavar="PATH",
        help="paint the keyframes with this pipeline of diffusers, a folder or a checkpoint, then carry them",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help=f"the film to write (CLIP_stylised.mp4): {list_output_formats()}".replace("%", "%%"),
    )
    add_making(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="processor cores to use (all)")
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="FOLDER",
        help="where finished work is kept, so that nothing is made twice: a stopped job goes on, a corrected keyframe "
        f"repeats only its own part ({SCRATCH_NAME} beside the output; what lies unused for {KEPT_DAYS} days goes)",
    )
    parser.add_argument("--no-keep", action="store_true", help="keep nothing once the film is done")
    paint_keyframes.add_arguments(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace the output if it is there")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object: film, keyframes, report, confidence, scratch"
    )


def main(args: argparse.Namespace) -> int:
    plan = make_plan(args)
    keyframes = None if plan.listing is None else plan.listing.read()
    open_scratch(plan.scratch)
    footage = Footage(plan.film, plan.scratch)
    with progress_bar("reading the film") as progress:
        footage.read(progress)
    if keyframes is None or plan.listing is None:
        keyframes = paint_keyframes.paint_keyframes(args, footage, plan.masks, plan.indices, plan.painted)
    else:
        show_keyframes(plan.listing, keyframes, footage)
    try:
        staircase, report, made = _make(plan, footage, keyframes, args)
    except KeyboardInterrupt:
        log.info("What is finished so far is kept in %s; the same command goes on from there.", plan.scratch)
        raise
    if args.no_keep:
        shutil.rmtree(plan.scratch, ignore_errors=True)
    _answer(plan, staircase.runs, replace(report, first=plan.first), made, args)
    return 0


def _make(
    plan: Plan, film: Footage, keyframes: Keyframes, args: argparse.Namespace
) -> tuple[Staircase, FadeReport, bool]:
    """The film, what was measured, and whether the film had to be written: not if it is there already, to the byte."""
    working = working_size(film.size)
    writing = WRITING_S[0] + WRITING_S[1] * plan.size.width * plan.size.height / 1e6
    measuring = MEASURING_S[0] + MEASURING_S[1] * working.width * working.height / 1e6
    # The painting tells its own seconds. The film is measured as it is written, so that no frame is mixed twice.
    with job_bar({"painting": 0.0, "writing": len(film) * (writing + measuring)}) as part:
        staircase = stylise(
            film,
            keyframes,
            masks=plan.masks,
            guides=plan.guides,
            matching=plan.matching,
            fade=plan.fade,
            cuts=() if args.no_cuts else None,
            seed=args.seed,
            threads=args.threads,
            scratch=plan.scratch,
            progress=part("painting", plan.cores, before="measuring the motion"),
        )
        motion = Motion(film, plan.scratch)  # as it was measured there
        # Pictures are numbered as the plates are.
        first, sound = frame_numbers(film, args.first)[0], not args.no_sound
        finished = Finished.of(plan.scratch, staircase, motion.fingerprint, plan.output, first=first, sound=sound)
        known = finished.report()
        if known is not None:
            return staircase, known, False
        encoding = Encoding(sound=sound, first=first)
        measured = MeasuredStaircase(staircase, film, motion)
        write_film(plan.output, measured, like=plan.film, encoding=encoding, progress=part("writing"))
        report = measured.report()
        finished.keep(report)
    return staircase, report, True


def _answer(plan: Plan, runs: Runs, report: FadeReport, made: bool, args: argparse.Namespace) -> None:
    """The film's name on standard output, or all that is known of it as JSON; words for people in the log."""
    kept = None if args.no_keep else scratch_facts(plan.scratch)
    if not made:
        log.info("The film is there already, made from the same clip, keyframes and settings; nothing had to be done.")
    log.info("%s", report)
    if kept is not None:
        log.info(
            "Kept in %s so that nothing is made twice: %s. To free the room: escalier clean %s --older-than 0",
            plan.scratch,
            said_bytes(kept.bytes),
            shlex.quote(str(plan.scratch)),
        )
    if not args.json:
        sys.stdout.write(f"{printable(str(plan.output))}\n")
        return
    facts: dict[str, Any] = {
        "file": str(plan.output),
        "made": made,
        "frames": len(plan.film),
        "size": list(plan.size),
        "rate": float(plan.film.rate),
        "first": plan.first,
        "keyframes": [
            {"file": str(entry.file), "frame": entry.frame, "time": entry.time, "remark": entry.remark}
            for entry in (() if plan.listing is None else plan.listing.entries)
        ]
        or [{"frame": index} for index in runs.keyframes.indices],
        "cuts": list(runs.cuts),
        "report": asdict(report),
        "confidence": runs.confidence().tolist(),
        "scratch": None if kept is None else {"folder": str(plan.scratch), "bytes": kept.bytes},
    }
    sys.stdout.write(json.dumps(facts, default=lambda array: array.tolist()) + "\n")
