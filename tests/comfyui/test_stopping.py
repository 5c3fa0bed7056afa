"""Servers end with the command that started them: at the end, on Ctrl-C, when the job kills them, when it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from escalier.comfyui import (
    ComfyUIError,
    Server,
    ServerSettings,
    Workflow,
    launch,
    server as server_module,
    server_settings,
)
from escalier.comfyui.find import ComfyUI
from escalier.commands.run import run_workflow

signals_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals to send")


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `python ARGUMENTS`; whatever still runs when the test ends is killed, by its own process id."""
    started = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, *arguments], text=True, **pipes)  # type: ignore[call-overload]
        started.append(process)
        return process

    yield begin
    for process in started:
        for child in psutil.Process(process.pid).children() if process.poll() is None else []:
            child.kill()
        process.kill()
        process.communicate()


def wait_for(line_part: str, stream: Iterator[str]) -> str:
    for line in stream:
        if line_part in line:
            return line
    pytest.fail(f"the process ended before it wrote {line_part!r}")


def wait_until_gone(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.05)


@signals_only
def test_ctrl_c_in_the_middle_stops_the_server_and_leaves_nothing(
    comfyui: ComfyUI,
    make_base: Callable[[], Path],
    odd_workflow: Callable[..., Workflow],
    start: Callable[..., subprocess.Popen[str]],
    tmp_path: Path,
) -> None:
    base, output, path = make_base(), tmp_path / "out", tmp_path / "slow.json"
    path.write_text(json.dumps(odd_workflow("SlowPicture", seconds=300)))
    where = ["--comfyui", str(comfyui.folder), "--base", str(base), "--cpu", "--output", str(output)]
    command = start("-m", "escalier", "run", str(path), *where)
    assert command.stderr is not None
    wait_for("My SlowPicture", command.stderr)
    (server,) = psutil.Process(command.pid).children()
    command.send_signal(signal.SIGINT)
    assert command.wait(30) == 130
    wait_until_gone(server.pid, 1)
    assert command.stderr.read().splitlines()[-1] == "Stopped."
    assert not output.exists() or not list(output.rglob("*"))
    assert not list((base / "scratch").iterdir()) and not list((base / "output").iterdir())


@signals_only
def test_ctrl_c_takes_the_job_off_a_server_that_is_not_ours(
    server: Server, odd_workflow: Callable[..., Workflow], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    path = tmp_path / "slow.json"
    path.write_text(json.dumps(odd_workflow("SlowPicture", seconds=300)))
    command = start("-m", "escalier", "run", str(path), "--server", server.url, "--output", str(tmp_path / "out"))
    assert command.stderr is not None
    wait_for("My SlowPicture", command.stderr)
    command.send_signal(signal.SIGINT)
    assert command.wait(30) == 130
    deadline = time.monotonic() + 10
    while queued(server):
        assert time.monotonic() < deadline, "the job still runs"
        time.sleep(0.05)
    assert server.failure() is None, "the server itself must go on"
    assert not (tmp_path / "out").exists()


def queued(server: Server) -> list[object]:
    with urllib.request.urlopen(f"{server.url}/queue") as answer:
        queue = json.load(answer)
    return queue["queue_running"] + queue["queue_pending"]


def test_a_job_that_kills_its_server_is_told_with_the_end_of_the_log(
    comfyui: ComfyUI, make_base: Callable[[], Path], odd_workflow: Callable[..., Workflow], tmp_path: Path
) -> None:
    with (
        Server(comfyui, ServerSettings(device="cpu"), base=make_base(), mount=False) as server,
        pytest.raises(ComfyUIError, match=r"ended in the middle of the job: exit code 9(.|\n)*about to die"),
    ):
        run_workflow(odd_workflow("DyingPicture"), server=server, output=tmp_path)
    assert not list(tmp_path.glob("*.png"))
    assert "about to die" in (tmp_path / "cache" / "logs" / "comfyui-last-failure.log").read_text()


@signals_only
def test_the_browser_command_serves_until_it_is_told_to_end(
    comfyui: ComfyUI, make_base: Callable[[], Path], start: Callable[..., subprocess.Popen[str]]
) -> None:
    base, port = make_base(), server_settings.free_port()
    where = ["--comfyui", str(comfyui.folder), "--base", str(base), "--cpu", "--port", str(port)]
    command = start("-m", "escalier", "comfyui", *where, "--", "--disable-metadata")
    assert command.stdout is not None
    assert f"http://127.0.0.1:{port} " in wait_for("ComfyUI runs at", command.stdout)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/system_stats") as answer:
        assert "--disable-metadata" in json.load(answer)["system"]["argv"]
    (server,) = psutil.Process(command.pid).children()
    command.send_signal(signal.SIGTERM)
    assert command.wait(30) == 128 + signal.SIGTERM
    wait_until_gone(server.pid, 1)
    assert not list((base / "scratch").iterdir())


# What follows is about the processes alone; a program of a few lines in the place of ComfyUI's main.py serves as well.

WAITING = "import time\nprint('ready', flush=True)\ntime.sleep(120)\n"
STUBBORN = textwrap.dedent(
    """
    import time
    print("ready", flush=True)
    while True:
        try:
            time.sleep(120)
        except KeyboardInterrupt:
            print("not yet", flush=True)
    """
)


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], ComfyUI]:
    """Makes a ComfyUI whose main.py is the given program."""

    def make(text: str) -> ComfyUI:
        folder = tmp_path / "comfyui"
        folder.mkdir()
        (folder / "main.py").write_text(text)
        return ComfyUI(folder, Path(sys.executable), "for tests")

    return make


@pytest.fixture
def no_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Does not look for packages and cards, which takes seconds."""
    monkeypatch.setattr(server_module, "ask_python", lambda *arguments: False)


def record_launches(monkeypatch: pytest.MonkeyPatch, what: Callable[[Server], Any]) -> list[Any]:
    """A list that grows by `what` of the server each time one starts its process."""
    recorded: list[Any] = []
    launch_it = Server._launch

    def launch_and_record(server: Server, line: list[str]) -> None:
        launch_it(server, line)
        recorded.append(what(server))

    monkeypatch.setattr(Server, "_launch", launch_and_record)
    return recorded


@pytest.mark.slow
@pytest.mark.parametrize("text", [WAITING, STUBBORN], ids=["willing", "stubborn"])
def test_a_server_leaves_when_its_parent_is_killed(
    program: Callable[[str], ComfyUI], start: Callable[..., subprocess.Popen[str]], text: str
) -> None:
    main = program(text).folder / "main.py"
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, {launch.__file__!r}, {str(main)!r}], stdin=subprocess.PIPE)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(120)\n"
    )
    process = start("-c", parent)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    wait_for("ready", process.stdout)
    os.kill(process.pid, signal.SIGTERM)  # nothing in the parent listens, so this is as sudden as it gets
    process.wait(10)
    wait_until_gone(child, launch.GRACE_SECONDS + 5)


def test_a_server_that_ends_while_starting_is_told_with_its_log(
    program: Callable[[str], ComfyUI], no_questions: None
) -> None:
    server = Server(program("import nowhere_to_be_found\n"), mount=False)
    with pytest.raises(
        ComfyUIError, match=r"ended while starting \(exit code 1\); run: .*pip install(.|\n)*nowhere_to_be"
    ):
        server.start()
    assert server.pid is None and not list((Path(os.environ["ESCALIER_DATA"]) / "scratch").iterdir())


@pytest.mark.slow
def test_a_server_that_does_not_answer_in_time_is_stopped(
    program: Callable[[str], ComfyUI], no_questions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = record_launches(monkeypatch, lambda server: server.pid)
    with pytest.raises(ComfyUIError, match=r"must answer within 1 seconds(.|\n)*ready"):
        Server(program(WAITING), ServerSettings(start_seconds=1), mount=False).start()
    wait_until_gone(pids[0], 1)


def test_a_port_that_is_taken_in_between_is_given_up_for_another(
    program: Callable[[str], ComfyUI], no_questions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports_tried = record_launches(monkeypatch, lambda server: server.port)
    with pytest.raises(ComfyUIError, match="port must be free"):
        Server(program("print('Port is already in use', flush=True)\nraise SystemExit(1)\n"), mount=False).start()
    assert len(ports_tried) == server_module.PORT_TRIES


def test_stopping_never_follows_the_link_into_the_pack(
    program: Callable[[str], ComfyUI], no_questions: None, tmp_path: Path
) -> None:
    pack = tmp_path / "a pack with any name"
    (pack / "nodes").mkdir(parents=True)
    (pack / "nodes" / "film.py").write_text("precious")
    server = Server(program("raise SystemExit(1)\n"), pack=pack, base=tmp_path / "base")
    with pytest.raises(ComfyUIError):
        server.start()
    assert (pack / "nodes" / "film.py").read_text() == "precious"


def test_a_pack_without_nodes_is_refused(program: Callable[[str], ComfyUI], no_questions: None, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the pack must hold a folder nodes/"):
        Server(program(WAITING), pack=tmp_path / "nothing", base=tmp_path / "base").start()


def test_a_pack_that_comfyui_has_already_is_not_mounted_twice(
    program: Callable[[str], ComfyUI], no_questions: None, tmp_path: Path
) -> None:
    pack = tmp_path / "base" / "custom_nodes" / "Escalier-main"
    (pack / "nodes").mkdir(parents=True)
    (pack / "escalier" / "comfyui").mkdir(parents=True)
    server = Server(program("import sys\nprint(sys.argv)\nraise SystemExit(1)\n"), pack=pack, base=tmp_path / "base")
    with pytest.raises(ComfyUIError) as failure:
        server.start()
    assert "--temp-directory" in str(failure.value) and "extra-model-paths" not in str(failure.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, 'device must be "auto", "cpu" or "card", got "gpu"'),
        ({"port": 70000}, r"port must lie in 1\.\.65535, got 70000"),
    ],
    ids=["device", "port"],
)
def test_a_wrong_setting_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Server: {message}"):
        ServerSettings(**options)


def test_a_folder_of_models_that_is_not_there_is_refused(program: Callable[[str], ComfyUI]) -> None:
    with pytest.raises(FileNotFoundError, match=r"^Server: models must be a folder, got .*nowhere"):
        Server(program(WAITING), models=Path("/nowhere"))
