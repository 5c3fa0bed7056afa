"""`escalier work`: runs of a planned shot, made on this machine."""

import argparse
import sys
from pathlib import Path

from escalier.counts import thread_count
from escalier.refusals import named, printable
from escalier.shot import make_on_cluster, open_shot

from .progress_bars import job_bar


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shot", type=Path, metavar="SHOT", help="a folder that escalier plan has made")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--run", type=int, nargs="+", metavar="N", help="these runs, counted from 1")
    which.add_argument("--all", action="store_true", help="every run that is missing")
    which.add_argument(
        "--dask", metavar="ADDRESS", help="every run that is missing, on a Dask cluster: tcp://HOST:8786"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="processor cores to use (all; with --dask one a run)")


def main(args: argparse.Namespace) -> int:
    with named("--threads"):
        cores = thread_count(args.threads)
    shot = open_shot(args.shot)
    if args.dask is not None:
        with job_bar({"painting": shot.plan.seconds}) as part:
            make_on_cluster(shot, args.dask, threads=args.threads or 1, progress=part("painting"))
    elif args.all:
        with job_bar({"painting": 0.0}) as part:
            shot.make_all(threads=args.threads, progress=part("painting", cores, before="measuring the motion"))
    else:
        for number in args.run:
            with job_bar({"painting": 0.0}) as part:
                run = shot.make(number, threads=args.threads, progress=part("painting", cores))
            sys.stdout.write(f"{printable(str(run.folder))}\n")
    return 0
