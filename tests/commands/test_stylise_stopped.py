"""`escalier stylise` as a process: stopped, left by its readers, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Size, make_clip, open_film, write_film
from escalier.keyframes import write_keyframes

LENGTH = 6
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals and redirections")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shot")
    film = make_clip(Size(64, 64), LENGTH)
    write_film(folder / "clip.mkv", film)
    write_keyframes(folder / "painted", ArrayFrames(np.stack([255 - film.frame(i) for i in range(LENGTH)])), [0, 3])
    return folder


def command(shot: Path, output: Path, *more: str) -> list[str]:
    given = ["stylise", str(shot / "clip.mkv"), "--keyframes", str(shot / "painted"), "--output", str(output)]
    return [sys.executable, "-m", "escalier", *given, "--threads", "1", *more]


def runs_in(folder: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("run_*/frames.npy")}


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_stopped_job_leaves_no_film_and_the_next_one_goes_on(
    shot: Path, tmp_path: Path, number: str, code: int
) -> None:
    film, scratch = tmp_path / "film.mkv", tmp_path / ".escalier"
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from escalier.commands import cli, stylise\n"
        "from escalier import stylise as made\n"
        "def stopped(*given, progress, **more):\n"
        "    def watched(done, total, picture=None):\n"
        "        progress(done, total, picture)\n"
        f"        if list(Path({str(scratch)!r}).glob('run_*/run.json')):\n"
        f"            os.kill(os.getpid(), signal.{number})\n"
        "    return made(*given, progress=watched, **more)\n"
        "stylise.stylise = stopped\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    words = command(shot, film)[3:]
    before = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    held = {one: signal.signal(one, usual) for one, usual in before.items()}
    stopped = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=120)
    for one, handler in held.items():
        signal.signal(one, handler)
    assert (stopped.returncode, "Traceback" in stopped.stderr) == (code, False), stopped.stderr
    assert not film.exists() and not [path for path in tmp_path.rglob("*") if "part" in path.name]
    kept = runs_in(scratch)
    assert kept
    done = subprocess.run(command(shot, film), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(open_film(film)) == LENGTH
    assert {name: when for name, when in runs_in(scratch).items() if name in kept} == kept


@pytest.mark.slow
@pytest.mark.parametrize("redirection", [">&- 2>&-", "2>/dev/full"])
def test_the_film_is_written_whoever_reads(shot: Path, tmp_path: Path, redirection: str) -> None:
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    scratch = ["--scratch", str(shot / "scratch")]  # shared, so that runs are made once
    words = " ".join(f"'{word}'" for word in command(shot, tmp_path / "film.mkv", *scratch))
    outcome = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{words} {redirection}"], capture_output=True, text=True, timeout=120
    )
    assert (outcome.returncode, "Traceback" in outcome.stderr) == (0, False), outcome.stderr
    assert len(open_film(tmp_path / "film.mkv")) == LENGTH


@pytest.mark.slow
def test_json_is_the_only_line_on_standard_output(shot: Path, tmp_path: Path) -> None:
    words = command(shot, tmp_path / "film.mkv", "--json", "--scratch", str(shot / "scratch"))
    outcome = subprocess.run(words, capture_output=True, text=True, timeout=120)
    facts = json.loads(outcome.stdout)
    assert (outcome.returncode, facts["frames"], len(facts["keyframes"])) == (0, LENGTH, 2)
    assert "Traceback" not in outcome.stderr and "synthesise" not in outcome.stderr
