"""`escalier assemble`: the film of a planned shot whose runs are made."""

import argparse
import sys
from pathlib import Path

from escalier.film import output_format
from escalier.refusals import printable
from escalier.shot import open_shot

from .progress_bars import progress_bar
from .stylise_plan import check_not_an_input, check_not_there


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shot", type=Path, metavar="SHOT", help="a folder that escalier plan has made")
    parser.add_argument("--output", metavar="FILE", help="the film to write (as planned)")
    parser.add_argument("--overwrite", action="store_true", help="replace the film if it is there")


def main(args: argparse.Namespace) -> int:
    shot = open_shot(args.shot)
    output = args.output or shot.output
    target = output_format(output)[0]
    check_not_there(target, args.overwrite)
    check_not_an_input(target, shot.inputs())
    with progress_bar("writing") as progress:
        film = shot.assemble(output, progress=progress)
    sys.stdout.write(f"{printable(str(film))}\n")
    return 0
