"""The `escalier` command: a table of subcommands, each a module that is imported only when it is asked for."""

import argparse
import importlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import escalier
from escalier.log import log
from escalier.refusals import is_refusal, printable, sentence

from .streams import LogLines, lasting_streams

# Name -> (module with add_arguments(parser) and main(args) -> exit code, one line of help).
COMMANDS = {
    "run": ("escalier.commands.run", "run an API workflow without a browser"),
    "comfyui": ("escalier.commands.comfyui", "start ComfyUI with the pack, for the browser"),
    "demo": ("escalier.commands.demo", "make a small clip and its keyframes, and run the staircase on them"),
    "stylise": ("escalier.commands.stylise", "carry painted keyframes through a clip, without a server"),
    "plan": ("escalier.commands.plan", "plan a shot whose runs any machine can make"),
    "work": ("escalier.commands.work", "make runs of a planned shot"),
    "assemble": ("escalier.commands.assemble", "write the film of a planned shot"),
    "keyframes": ("escalier.commands.keyframes", "choose keyframes of a clip and export them for painting"),
    "clean": ("escalier.commands.clean", "remove finished work that was kept so that nothing is made twice"),
    "measure": ("escalier.commands.measure", "measure how steady a restyled film is"),
}

FAILED = 1
INTERRUPTED = 130
EXIT_CODES = "exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, 128 + N ended by signal N"

REPORTS = "https://github.com/escalier-film/escalier/issues"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code, see `EXIT_CODES`.

    >>> main(["keyframes", "no_such_film.mp4", "--output", "painted"])  # the refusal goes to standard error
    1
    """
    with lasting_streams() as output:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        output.flush()
        if output.lost is None:
            return code
        sys.stderr.write(
            f"standard output must take the answer, but it could not be written ({output.lost.strerror}); the work "
            "itself is done\n"
        )
        return code or FAILED


def _run(words: list[str]) -> int:
    args = _parse(words)
    try:
        with _log_lines(args.verbose), _ending_on_signals():
            return int(importlib.import_module(COMMANDS[args.command][0]).main(args))
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        return INTERRUPTED
    except Exception as error:  # the outermost door: what comes here has nobody else to tell it
        if args.verbose:
            raise
        sys.stderr.write(_told(error) + "\n")
        return FAILED


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints hold nothing that a terminal obeys, whatever words it was given."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parse(words: list[str]) -> argparse.Namespace:
    # Shared by both parsers, so that --verbose may stand before or after the command.
    common = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--verbose", action="store_true", help="show details, and tracebacks of errors")
    parser = _Parser(prog="escalier", description=escalier.__doc__.splitlines()[0], parents=[common], epilog=EXIT_CODES)
    parser.add_argument("--version", action="version", version=f"escalier {escalier.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    asked = next((word for word in words if not word.startswith("-")), None)
    for name, (module, help_line) in COMMANDS.items():
        description = f"{help_line[0].upper()}{help_line[1:]}."
        subparser = commands.add_parser(
            name, help=help_line, description=description, parents=[common], epilog=EXIT_CODES
        )
        if name == asked:
            importlib.import_module(module).add_arguments(subparser)
    args = parser.parse_args(words)
    args.verbose = getattr(args, "verbose", False)
    return args


@contextmanager
def _log_lines(verbose: bool) -> Iterator[None]:
    """Our own log on standard error, bare; nothing of other packages'. For as long as the command runs."""
    lines, before = LogLines(), log.level
    log.addHandler(lines)
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(lines)
        log.setLevel(before)


@contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Turn the signals that end a process into an exception, so that every `with` block on the way closes."""

    def leave(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    names = ("SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []  # only the main thread may set handlers
    # A signal that the caller had ignored, as nohup does, stays ignored.
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _told(error: Exception) -> str:
    """One sentence: the refusal's own, or that of a fault that is ours and what to do about it."""
    if is_refusal(error):
        return sentence(error)
    kind = type(error).__name__
    return (
        f"Escalier itself is at fault here ({kind}: {sentence(error)}). Please run the same command with --verbose and "
        f"report what it prints at {REPORTS}"
    )
