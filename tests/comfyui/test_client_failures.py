"""Failures that a sound ComfyUI does not show on demand, on a server of a few lines that dies, hangs up, forgets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from escalier.comfyui import Client, HeadlessError, Limits, ServerGone, Workflow, tidy_url
from escalier.comfyui.answers import read_failure
from escalier.comfyui.outcome import describe_failure
from escalier.comfyui.workflow import check_workflow
from escalier.commands.run import run_workflow

pytest.importorskip("aiohttp.web", reason="aiohttp is not installed: pip install -e '.[headless]'")

from aiohttp import web
from fake_server import DONE, JOB, FakeServer

QUICK = Limits(quiet_seconds=0.2)


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def workflow() -> Workflow:
    return check_workflow({"1": {"class_type": "Paint", "inputs": {}}})


def test_a_server_that_dies_in_the_middle_ends_the_run(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    fake.after_prompt = FakeServer.die
    with pytest.raises(ServerGone, match=r"must be a running ComfyUI, but it does not answer"):
        run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK)
    assert not list(tmp_path.iterdir())


def test_a_connection_that_breaks_once_is_opened_again(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    def hang_up_then_finish(server: FakeServer) -> None:
        server.hang_up()
        server._loop.call_later(0.4, lambda: server.history.update(DONE))

    fake.after_prompt = hang_up_then_finish
    assert run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK) == [tmp_path / "a.png"]
    assert fake.connections == 2


@pytest.mark.slow
def test_a_server_that_hangs_up_again_and_again_still_gets_its_job_done(
    fake: FakeServer, workflow: Workflow, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def close_at_once(request: web.Request) -> web.WebSocketResponse:
        fake.connections += 1
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await answer.close()
        if fake.connections == 9:
            fake.history = DONE
        return answer

    fake.replies["ws"] = close_at_once
    assert run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK) == [tmp_path / "a.png"]
    assert fake.connections == 9 and "keeps hanging up" in caplog.text


def test_a_server_without_a_websocket_is_asked_for_its_history(
    fake: FakeServer, workflow: Workflow, tmp_path: Path
) -> None:
    async def no_socket(request: web.Request) -> web.Response:
        return web.Response(status=403)

    fake.replies["ws"] = no_socket
    fake.after_prompt = lambda server: server.history.update(DONE)
    assert run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK) == [tmp_path / "a.png"]


@pytest.mark.slow
def test_a_flood_of_messages_does_not_hide_that_the_job_is_done(
    fake: FakeServer, workflow: Workflow, tmp_path: Path
) -> None:
    async def flood(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        while not answer.closed:
            await answer.send_str('{"type": "status", "data": {"prompt_id": "another"}}')
            await answer.send_bytes(b"picture")
        return answer

    fake.replies["ws"] = flood
    fake.after_prompt = lambda server: server.history.update(DONE)
    limits = Limits(quiet_seconds=60.0, check_seconds=0.3)
    assert run_workflow(workflow, server=fake.url, output=tmp_path, limits=limits) == [tmp_path / "a.png"]


def test_a_job_whose_last_message_is_lost_is_found_in_the_history(
    fake: FakeServer, workflow: Workflow, tmp_path: Path
) -> None:
    fake.after_prompt = lambda server: server.history.update(DONE)
    assert run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK) == [tmp_path / "a.png"]


def test_a_job_that_somebody_removed_is_not_waited_for(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    fake.after_prompt = lambda server: server.queue.clear()
    with pytest.raises(HeadlessError, match="neither in ComfyUI's queue nor in its history"):
        run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK)


def test_a_failure_whose_message_was_lost_is_read_from_the_history(
    fake: FakeServer, workflow: Workflow, tmp_path: Path
) -> None:
    error = {"node_id": "1", "node_type": "Paint", "exception_type": "ValueError", "exception_message": "no paint"}
    status = {"status_str": "error", "messages": [["execution_start", {}], ["execution_error", error]]}
    fake.after_prompt = lambda server: server.history.update({JOB: {"outputs": {}, "status": status}})
    with pytest.raises(HeadlessError, match='Paint 1 "Paint" failed: ValueError: no paint'):
        run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK)


def test_a_result_that_breaks_off_leaves_no_half_file(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    fake.cut_files = True
    fake.history = DONE
    with pytest.raises(ServerGone, match=r"sending a\.png broke off"):
        run_workflow(workflow, server=fake.url, output=tmp_path, limits=QUICK)
    assert not list(tmp_path.iterdir())


def test_an_address_where_nothing_listens_is_refused(workflow: Workflow, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with pytest.raises(ServerGone, match=f"{url} must be a running ComfyUI, but it does not answer.*check the address"):
        run_workflow(workflow, server=url, output=tmp_path, limits=QUICK)


def test_an_address_of_another_program_is_refused(fake: FakeServer, workflow: Workflow, tmp_path: Path) -> None:
    with pytest.raises(HeadlessError, match=r"must answer /object_info/Paint as ComfyUI does, got HTTP 404"):
        run_workflow(workflow, server=fake.url + "/elsewhere", output=tmp_path, limits=QUICK)


def test_a_full_disk_under_the_server_is_told_with_its_remedy(workflow: Workflow) -> None:
    error = {"node_id": "1", "node_type": "Paint", "exception_type": "OSError"}
    error["exception_message"] = "[Errno 28] No space left on device: 'a.png'"
    told = describe_failure(read_failure(error), workflow)
    assert told.startswith('Paint 1 "Paint" failed: OSError: [Errno 28]')
    assert told.endswith("; free some space on the disk that holds ComfyUI's output and temp folders")


@pytest.mark.parametrize("address", ["localhost:8188", " http://localhost:8188/ "])
def test_an_address_may_lack_its_scheme_or_have_a_slash(address: str) -> None:
    assert tidy_url(address) == "http://localhost:8188"


@pytest.mark.parametrize("address", ["", "ftp://localhost", "http://"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"--server: address must look like http://127\.0\.0\.1:8188, got"):
        Client(address)
