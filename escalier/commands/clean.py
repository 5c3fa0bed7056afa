"""`escalier clean`: remove what other commands kept so that nothing is made twice."""

import argparse
import math
import os
import sys
from pathlib import Path

from escalier.refusals import ForbiddenFile, MissingFile, Refusal, named, printable
from escalier.scratch import KEPT_DAYS, MARKER, clean_scratch, said_bytes, scratch_facts

from .scratch_place import SCRATCH_NAME


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=[Path(".")],
        metavar="FOLDER",
        help=f"a folder named with --scratch, or one that holds films and so {SCRATCH_NAME} (this one)",
    )
    parser.add_argument(
        "--older-than",
        type=float,
        metavar="DAYS",
        help=f"remove what was not used for so long (0: all; {KEPT_DAYS} where --keep is not given either)",
    )
    parser.add_argument("--keep", type=float, metavar="GB", help="leave at most this much, what was used last")


def main(args: argparse.Namespace) -> int:
    if args.keep is not None and not 0 <= args.keep < math.inf:
        raise Refusal("must be >= 0 GB", got=args.keep, remedy="0 keeps nothing", who="--keep")
    days = KEPT_DAYS if args.older_than is None and args.keep is None else args.older_than
    keep = None if args.keep is None else round(args.keep * 1e9)
    for place in [_scratch_in(folder) for folder in args.folders]:
        freed = clean_scratch(place, older_than_days=days, keep_bytes=keep)
        left = scratch_facts(place).bytes
        sys.stdout.write(f"{printable(str(place))}: {said_bytes(freed)} removed, {said_bytes(left)} left\n")
    return 0


@named("clean")
def _scratch_in(folder: Path) -> Path:
    """The folder itself where it is scratch, else the one inside it."""
    place = folder if (folder / MARKER).exists() else folder / SCRATCH_NAME
    if not (place / MARKER).exists():
        rule = "be a folder with kept work, but nothing of Escalier's lies there"
        raise MissingFile(f"{folder}", rule, remedy="name the film's folder, or the one that --scratch named")
    if not os.access(place, os.W_OK):
        rule = "be a folder that can be written to, but it cannot"
        raise ForbiddenFile(f"{place}", rule, remedy="change its permissions")
    return place
