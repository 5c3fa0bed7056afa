"""The command line itself: what it loads, its exit codes, what a person reads when something fails."""

from __future__ import annotations

import argparse
import errno
import logging
import re
import signal
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from escalier import __version__
from escalier.comfyui import HeadlessError
from escalier.commands import cli


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """Puts a command named "trial" into the table, which does what the test says; gives the words that run it."""

    def install(do: Callable[[argparse.Namespace], int]) -> list[str]:
        module = types.ModuleType("escalier_trial_command")
        module.add_arguments = lambda parser: parser.add_argument("--size", type=int)  # type: ignore[attr-defined]
        module.main = do  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "escalier_trial_command", module)
        monkeypatch.setitem(cli.COMMANDS, "trial", ("escalier_trial_command", "try something"))
        return ["trial"]

    yield install


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from escalier.commands import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'numba', 'torch', 'av', 'aiohttp', 'scipy', 'tqdm', 'asyncio'} & set(sys.modules)\n"
        "sys.exit(','.join(heavy) or 0)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    for name in cli.COMMANDS:
        assert f"    {name}" in outcome.stdout


def test_the_module_runs_as_the_command() -> None:
    outcome = subprocess.run([sys.executable, "-m", "escalier", "--version"], capture_output=True, text=True)
    assert outcome.stdout.strip() == f"escalier {__version__}"


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_has_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leave:
        cli.main([name, "--help"])
    assert leave.value.code == 0
    assert f"usage: escalier {name}" in capsys.readouterr().out


def test_a_command_gets_its_options_and_gives_its_exit_code(command: Callable[..., list[str]]) -> None:
    assert cli.main([*command(lambda args: args.size), "--size", "7"]) == 7


def full_disk(args: argparse.Namespace) -> int:
    raise OSError(errno.ENOSPC, "No space left on device", "/films/out.mp4")


def raising(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def do(args: argparse.Namespace) -> int:
        raise error

    return do


@pytest.mark.parametrize(
    ("do", "text"),
    [
        pytest.param(raising(HeadlessError("ComfyUI refused the workflow.")), "ComfyUI refused", id="headless error"),
        pytest.param(raising(ValueError("Keyframes: indices must rise, got 3")), "indices must rise", id="ValueError"),
        pytest.param(raising(TypeError("ArrayFrames: frames must be uint8")), "frames must be uint8", id="TypeError"),
        pytest.param(raising(ValueError("--set: seed must be a number")), "--set: seed must", id="of an option"),
        pytest.param(raising(FileNotFoundError("open_film: no film at a.mp4")), "no film at a.mp4", id="missing file"),
        pytest.param(raising(MemoryError()), "the memory ran out", id="memory"),
        pytest.param(raising(PermissionError(13, "Permission denied", "a.png")), "a.png must be yours", id="system"),
        pytest.param(raising(ValueError("open: no \x1b[2J.mp4")), "no \\x1b[2J.mp4", id="escape codes"),
        pytest.param(full_disk, "the disk that holds /films/out.mp4 must have room, but it is full", id="full disk"),
    ],
)
def test_a_mistake_is_told_in_one_sentence_with_exit_code_1(
    command: Callable[..., list[str]],
    capsys: pytest.CaptureFixture[str],
    do: Callable[[argparse.Namespace], int],
    text: str,
) -> None:
    assert cli.main(command(do)) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and text in printed.err and len(printed.err.splitlines()) == 1
    assert not re.match(r"\w+: |.*Errno", printed.err)


@pytest.mark.parametrize(
    "error",
    [ValueError("math domain error"), KeyError("frames"), TypeError("unhashable"), RecursionError("too deep")],
    ids=repr,
)
def test_a_fault_of_ours_is_told_as_one_and_keeps_its_traceback_for_verbose(
    command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    assert cli.main(command(raising(error))) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert all(text in said for text in ("Escalier itself", type(error).__name__, "--verbose", "issues"))
    with pytest.raises(type(error)):
        cli.main([*command(raising(error)), "--verbose"])


@pytest.mark.parametrize("word", ["\x1b[2J", "--\x1b[2J=3"])
def test_words_that_are_not_understood_are_printed_harmlessly(
    command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], word: str
) -> None:
    with pytest.raises(SystemExit) as leave:
        cli.main([*command(lambda _: 0), word])
    assert leave.value.code == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said and "\\x1b[2J" in said


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in cli.COMMANDS)], ids=" ".join)
def test_help_tells_the_exit_codes(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(words)
    assert "130 stopped by Ctrl-C" in " ".join(capsys.readouterr().out.split())


def test_verbose_keeps_the_traceback_of_a_mistake_too(command: Callable[..., list[str]]) -> None:
    with pytest.raises(HeadlessError):
        cli.main([*command(raising(HeadlessError("no"))), "--verbose"])


def test_ctrl_c_gives_130(command: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(command(raising(KeyboardInterrupt()))) == 130
    assert capsys.readouterr().err == "Stopped.\n"


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
def test_a_signal_to_end_closes_what_is_open(command: Callable[..., list[str]], number: str) -> None:
    closed = []

    def do(args: argparse.Namespace) -> int:
        try:
            signal.raise_signal(getattr(signal, number))
        finally:
            closed.append(True)
        return 0

    before = signal.getsignal(getattr(signal, number))
    with pytest.raises(SystemExit) as leave:
        cli.main(command(do))
    assert leave.value.code == 128 + getattr(signal, number) and closed == [True]
    assert signal.getsignal(getattr(signal, number)) is before


@pytest.mark.parametrize(
    ("words", "text"),
    [
        pytest.param(["run", "nowhere.json"], "must be a file or a shipped name", id="no workflow"),
        pytest.param(["run", "{flow}", "--set", "9.seed=1"], "--set: setting must be NODE.INPUT=VALUE", id="no node"),
        pytest.param(["run", "{flow}", "--input", "no.png"], "--input: no.png must be a file", id="no input"),
        pytest.param(
            ["run", "{flow}", "--output", "{flow}"], "--output: folder must be a folder", id="output is a file"
        ),
        pytest.param(["run", "{flow}", "--comfyui", "{here}"], "--comfyui must name a folder", id="no ComfyUI"),
        pytest.param(["run", "{flow}", "--server", "ftp://x"], "--server: address must look like", id="no address"),
        pytest.param(["run", "{canvas}"], "File > Export (API)", id="canvas format"),
    ],
)
def test_a_wrong_word_to_run_is_refused_before_a_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], text: str
) -> None:
    flow, canvas = tmp_path / "flow.json", tmp_path / "canvas.json"
    flow.write_text('{"1": {"class_type": "A", "inputs": {"seed": 1}}}')
    canvas.write_text('{"nodes": [], "links": []}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("escalier.comfyui.server.Server.start", lambda self: pytest.fail("a server was started"))
    assert cli.main([word.format(flow=flow, canvas=canvas, here=tmp_path) for word in words]) == 1
    printed = capsys.readouterr().err
    assert text in printed and "Traceback" not in printed
    assert sorted(path.name for path in tmp_path.iterdir()) == ["canvas.json", "flow.json"]


def test_the_log_is_as_before_once_the_command_is_done(command: Callable[..., list[str]], capsys) -> None:
    log = logging.getLogger("escalier")
    strange = logging.NullHandler()
    log.addHandler(strange)
    try:
        before = [*log.handlers], log.level

        def speak(_: argparse.Namespace) -> int:
            log.info("a line")
            raise KeyboardInterrupt

        for _ in range(2):
            assert cli.main(command(speak)) == cli.INTERRUPTED
            assert capsys.readouterr().err == "a line\nStopped.\n"
            assert ([*log.handlers], log.level) == before
    finally:
        log.removeHandler(strange)
