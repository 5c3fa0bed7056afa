"""Standard output and error that are closed, full or left by their reader cost a job neither its work nor its code."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

# A command that logs, draws a bar, works, and answers.
TRIAL = textwrap.dedent(
    """
    import logging, sys, types
    from pathlib import Path
    from escalier.commands import cli
    from escalier.commands.progress_bars import progress_bar

    def work(args):
        log = logging.getLogger("escalier")
        with progress_bar("Work") as progress:
            for done in range(1, 4):
                log.info("a line \\x1b[2J")
                progress(done, 3)
        Path(sys.argv[-1]).write_text("done")
        sys.stdout.write("the answer\\n" * int(args.lines))
        return 0

    trial = types.ModuleType("trial")
    trial.add_arguments = lambda parser: (parser.add_argument("--lines", default=1), parser.add_argument("file"))
    trial.main = work
    sys.modules["trial"] = trial
    cli.COMMANDS["trial"] = ("trial", "try something")
    sys.exit(cli.main(["trial", *sys.argv[1:]]))
    """
)

shells_only = pytest.mark.skipif(sys.platform == "win32", reason="these redirections are those of a POSIX shell")


def run(redirection: str, tmp_path: Path, *options: str) -> tuple[int, str, bool]:
    """Exit code, everything that arrived on standard error, and whether the work was done."""
    (tmp_path / "trial.py").write_text(TRIAL)
    done, command = tmp_path / "done.txt", f'"{sys.executable}" trial.py {" ".join(options)} done.txt {redirection}'
    outcome = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    return outcome.returncode, outcome.stderr, done.exists() and done.read_text() == "done"


@pytest.mark.slow
@shells_only
@pytest.mark.parametrize(
    "redirection",
    [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full", "| true", "2>&1 | true", "</dev/null | head -1"],
)
def test_the_work_is_done_and_the_code_right_whoever_reads(redirection: str, tmp_path: Path) -> None:
    if "full" in redirection and not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    code, said, done = run(redirection, tmp_path, "--lines", "100000")
    assert (code, done) == (0, True)
    assert "Traceback" not in said and "Exception" not in said


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_an_answer_that_does_not_fit_is_told_with_exit_code_1(tmp_path: Path) -> None:
    code, said, done = run(">/dev/full", tmp_path)
    assert (code, done) == (1, True)
    assert "standard output must take the answer" in said.splitlines()[-1] and "Errno" not in said


@shells_only
def test_log_lines_hold_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    assert "a line \\x1b[2J\n" in run("", tmp_path)[1]


@shells_only
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_a_narrow_encoding_shows_escapes(encoding: str, tmp_path: Path) -> None:
    code = (
        "import sys; from escalier.commands.streams import lasting_streams\nwith lasting_streams(): print('女 \\udcff')"
    )
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert outcome.returncode == 0 and b"\\udcff" in outcome.stdout


@shells_only
def test_a_closed_stream_does_not_lend_its_number_to_a_film(tmp_path: Path) -> None:
    code = (
        "from escalier.commands.streams import lasting_streams\n"
        "with lasting_streams():\n    file = open('film', 'w')\n    print(file.fileno(), file=file)\n"
    )
    (tmp_path / "trial.py").write_text(code)
    subprocess.run(["bash", "-c", f'"{sys.executable}" trial.py <&- >&- 2>&-'], cwd=tmp_path, check=True)
    assert int((tmp_path / "film").read_text()) > 2
