"""Failures that a sound ComfyUI does not show on demand, on a server of a few lines that dies, hangs up, forgets."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from escalier.headless import client as client_module
from escalier.headless.client import Client, tidy_url
from escalier.headless.errors import HeadlessError, ServerGone
from escalier.headless.outcome import RemoteFile, describe_failure
from escalier.headless.run import run_workflow
from escalier.headless.workflow import Workflow, check_workflow

web = pytest.importorskip("aiohttp.web", reason="aiohttp is not installed: pip install -e '.[headless]'")

JOB = "11111111-2222-3333-4444-555555555555"
DONE = {JOB: {"outputs": {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}}, "status": {}}}


class FakeServer:
    """Knows one node type, takes one job, and then does what the test asks."""

    def __init__(self) -> None:
        self.after_prompt: Callable[[FakeServer], Any] = lambda server: None
        self.history: dict[str, Any] = {}
        self.queue: list[Any] = [[0, JOB]]
        self.cut_files = False
        self.connections = 0
        self._sockets: list[Any] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    async def _start(self) -> str:
        app = web.Application()
        app.router.add_get("/object_info/{kind}", self._object_info)
        app.router.add_get("/ws", self._ws)
        app.router.add_post("/prompt", self._prompt)
        app.router.add_get("/history/{job}", self._history)
        app.router.add_get("/queue", self._queue)
        app.router.add_post("/queue", self._accept)
        app.router.add_post("/interrupt", self._accept)
        app.router.add_get("/view", self._view)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    async def _history(self, request: Any) -> Any:
        return web.json_response(self.history)

    async def _queue(self, request: Any) -> Any:
        return web.json_response({"queue_running": self.queue, "queue_pending": []})

    async def _accept(self, request: Any) -> Any:
        return web.json_response({})

    async def _object_info(self, request: Any) -> Any:
        return web.json_response({"Paint": {}} if request.match_info["kind"] == "Paint" else {})

    async def _ws(self, request: Any) -> Any:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        self.connections += 1
        self._sockets.append(answer)
        async for _ in answer:
            pass
        return answer

    async def _prompt(self, request: Any) -> Any:
        self._loop.call_later(0.05, lambda: self.after_prompt(self))
        return web.json_response({"prompt_id": JOB, "node_errors": {}})

    async def _view(self, request: Any) -> Any:
        answer = web.StreamResponse(headers={"Content-Length": "100"})
        await answer.prepare(request)
        await answer.write(b"x" * (10 if self.cut_files else 100))
        if self.cut_files:
            request.transport.abort()
        return answer

    def hang_up(self) -> None:
        for opened in self._sockets:
            self._loop.create_task(opened.close())

    def die(self) -> None:
        self._loop.create_task(self._runner.cleanup())

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "QUIET_SECONDS", 0.2)


@pytest.fixture
def workflow() -> Workflow:
    return check_workflow({"1": {"class_type": "Paint", "inputs": {}}})


def test_a_server_that_dies_in_the_middle_ends_the_run(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    fake.after_prompt = FakeServer.die
    with pytest.raises(ServerGone, match=r"must be a running ComfyUI, but it does not answer"):
        run_workflow(workflow, server=fake.url, output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_connection_that_breaks_once_is_opened_again(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    def hang_up_then_finish(server: FakeServer) -> None:
        server.hang_up()
        server._loop.call_later(0.4, lambda: server.history.update(DONE))

    fake.after_prompt = hang_up_then_finish
    assert run_workflow(workflow, server=fake.url, output=tmp_path) == [tmp_path / "a.png"]
    assert fake.connections == 2


def test_a_job_whose_last_message_is_lost_is_found_in_the_history(
    fake: FakeServer, workflow: Workflow, tmp_path: Path
) -> None:
    fake.after_prompt = lambda server: server.history.update(DONE)
    assert run_workflow(workflow, server=fake.url, output=tmp_path) == [tmp_path / "a.png"]


def test_a_job_that_somebody_removed_is_not_waited_for(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    fake.after_prompt = lambda server: server.queue.clear()
    with pytest.raises(HeadlessError, match="neither in ComfyUI's queue nor in its history"):
        run_workflow(workflow, server=fake.url, output=tmp_path)


def test_a_failure_whose_message_was_lost_is_read_from_the_history(
    fake: FakeServer, workflow: Workflow, tmp_path: Path
) -> None:
    error = {"node_id": "1", "node_type": "Paint", "exception_type": "ValueError", "exception_message": "no paint"}
    status = {"status_str": "error", "messages": [["execution_start", {}], ["execution_error", error]]}
    fake.after_prompt = lambda server: server.history.update({JOB: {"outputs": {}, "status": status}})
    with pytest.raises(HeadlessError, match="Paint 1 failed: ValueError: no paint"):
        run_workflow(workflow, server=fake.url, output=tmp_path)


def test_a_result_that_breaks_off_leaves_no_half_file(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    fake.cut_files = True
    fake.history = DONE
    with pytest.raises(ServerGone, match=r"sending a\.png broke off"):
        run_workflow(workflow, server=fake.url, output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_address_where_nothing_listens_is_refused(workflow: Workflow, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(ServerGone, match=f"{url} must be a running ComfyUI, but it does not answer.*check the address"):
        run_workflow(workflow, server=url, output=tmp_path)


def test_an_address_of_another_program_is_refused(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    with pytest.raises(HeadlessError, match=r"must answer /object_info/Paint as ComfyUI does, got HTTP 404"):
        run_workflow(workflow, server=fake.url + "/elsewhere", output=tmp_path)


@pytest.mark.parametrize(
    ("file", "place"),
    [
        pytest.param(RemoteFile("a.png", "sets/blue", "output", "3"), "sets/blue/a.png", id="a subfolder"),
        pytest.param(RemoteFile("a.png", "sets\\blue", "output", "3"), "sets/blue/a.png", id="a Windows server"),
        pytest.param(RemoteFile("../../a.png", "../x", "output", "3"), "x/a.png", id="climbing out"),
        pytest.param(RemoteFile("C:\\a.png", "/etc", "output", "3"), "etc/a.png", id="from the root"),
        pytest.param(
            RemoteFile("ComfyUI_temp_abcde_00001_.png", "", "temp", "14:7"),
            "previews/node_14_7_ComfyUI_00001_.png",
            id="a preview",
        ),
    ],
)
def test_a_result_stays_inside_the_output_folder(file: RemoteFile, place: str) -> None:
    assert file.local_path.as_posix() == place


def test_a_full_disk_under_the_server_is_told_with_its_remedy(workflow: Workflow) -> None:
    error = {"node_id": "1", "node_type": "Paint", "exception_type": "OSError"}
    error["exception_message"] = "[Errno 28] No space left on device: 'a.png'"
    told = describe_failure(error, workflow)
    assert told.startswith('Paint 1 "Paint" failed: OSError: [Errno 28]')
    assert told.endswith("; free some space on the disk that holds ComfyUI's output and temp folders")


@pytest.mark.parametrize("address", ["localhost:8188", " http://localhost:8188/ "])
def test_an_address_may_lack_its_scheme_or_have_a_slash(address: str) -> None:
    assert tidy_url(address) == "http://localhost:8188"


@pytest.mark.parametrize("address", ["", "ftp://localhost", "http://"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"--server: address must look like http://127\.0\.0\.1:8188, got"):
        Client(address)
