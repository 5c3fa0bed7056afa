"""`escalier plan`: a shot as a folder whose runs any machine can make."""

import argparse
import json
import sys
from pathlib import Path

from escalier.film import output_format
from escalier.log import log
from escalier.refusals import FileInTheWay, printable
from escalier.scratch import said_bytes, write_whole
from escalier.shot import PLAN, Making, ShotPlan, command_list, job_template, plan_shot

from .progress_bars import progress_bar
from .stylise_plan import add_making, check_not_an_input, check_not_there, dials_asked


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", metavar="CLIP", help="the filmed clip: a video file or a folder of pictures")
    parser.add_argument(
        "--keyframes", nargs="+", required=True, metavar="PATH", help="painted frames, as for escalier stylise"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="SHOT", help="the shot's folder")
    parser.add_argument("--film", metavar="FILE", help="the film to write at the end (SHOT/film.mp4)")
    add_making(parser)
    parser.add_argument(
        "--openjd", type=Path, metavar="FILE", help="also write a job of Open Job Description, for AWS Deadline Cloud"
    )
    parser.add_argument("--commands", action="store_true", help="print the command of each run, one a line")
    parser.add_argument("--overwrite", action="store_true", help="plan for a film that is there already, to replace it")
    parser.add_argument("--json", action="store_true", help="print the plan as one JSON object")


def main(args: argparse.Namespace) -> int:
    guides, matching, fade = dials_asked(args)
    cuts, sound = () if args.no_cuts else None, not args.no_sound
    making = Making(args.mask, args.rate, args.first, guides, matching, fade, cuts, args.seed, sound)
    film = args.film or str(args.output / "film.mp4")
    target = output_format(film)[0]
    check_not_there(target, args.overwrite)
    check_not_an_input(target, [args.clip, args.mask, *args.keyframes])
    if args.openjd is not None and args.openjd.is_dir():
        raise FileInTheWay(f"{args.openjd}", "be a file", "a folder", "name a file in it", who="--openjd")
    with progress_bar("looking for cuts") as progress:
        shot = plan_shot(
            args.clip,
            args.keyframes[0] if len(args.keyframes) == 1 else args.keyframes,
            args.output,
            film,
            making,
            progress=progress,
        )
    _say(shot.plan)
    if args.openjd is not None:
        text = json.dumps(job_template(shot.plan, args.output, args.openjd), indent=1)
        write_whole(args.openjd, lambda file: file.write(f"{text}\n".encode()))
    if args.json:
        facts = json.loads((args.output / PLAN).read_bytes().decode(errors="surrogateescape"))
        sys.stdout.write(f"{json.dumps(facts)}\n")
    elif args.commands:
        sys.stdout.writelines(f"{line}\n" for line in command_list(shot.plan, args.output))
    else:
        sys.stdout.write(f"{printable(str(args.output))}\n")
    return 0


def _say(plan: ShotPlan) -> None:
    """The runs as a table, what they take together, and what bounds them however many machines there are."""
    rows = [f"{'run':>4} {'frames':>14} {'minutes':>8} {'memory':>9} {'disk':>9}"]
    for run in plan.runs:
        memory, disk = said_bytes(run.memory_bytes), said_bytes(run.disk_bytes)
        rows.append(f"{run.number:>4} {run!s:>14} {run.seconds / 60:>8.1f} {memory:>9} {disk:>9}")
    log.info("%s", "\n".join(rows))
    disk = said_bytes(sum(run.disk_bytes for run in plan.runs))
    log.info(
        "%d runs: about %.1f minutes on one core, %s on the disk. However many machines share them, the longest run, "
        "%s, takes %.1f minutes; a keyframe at frame %d would halve it.",
        *(len(plan.runs), plan.seconds / 60, disk, plan.longest, plan.longest.seconds / 60, plan.shortened_by()),
    )
