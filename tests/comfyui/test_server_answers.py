"""Servers that answer wrongly, endlessly, or with hostile names: one sentence each, no traceback, no hang."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from escalier.comfyui import HeadlessError, Limits
from escalier.comfyui.answers import read_message
from escalier.comfyui.workflow import check_workflow
from escalier.commands.job_display import Lines
from escalier.commands.run import run_workflow

pytest.importorskip("aiohttp.web", reason="aiohttp is not installed: pip install -e '.[headless]'")

from aiohttp import web
from fake_server import DONE, JOB, FakeServer

TINY = Limits(
    answer_bytes=20_000,
    node_info_bytes=20_000,
    files_bytes=5_000,
    message_bytes=20_000,
    answer_seconds=0.6,
    stall_seconds=0.4,
    quiet_seconds=0.1,
    check_seconds=0.2,
)
Handler = Callable[[Any], Awaitable[Any]]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def fake(shared_server: FakeServer) -> FakeServer:
    shared_server.replies.clear()
    shared_server.history = dict(DONE)
    shared_server.queue = [[0, JOB]]
    return shared_server


def says(body: Any, status: int = 200, **headers: str) -> Handler:
    """Answers with this body: bytes as they are, anything else as JSON."""

    async def answer(request: Any) -> web.Response:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=data, status=status, headers=headers)

    return answer


def drips(block: bytes, seconds: float, head: bytes = b"") -> Handler:
    """Never comes to an end."""

    async def answer(request: Any) -> web.StreamResponse:
        stream = web.StreamResponse()
        await stream.prepare(request)
        await stream.write(head)
        for _ in range(100_000):
            await stream.write(block)
            await asyncio.sleep(seconds)
        return stream

    return answer


def breaks(announced: int, sent: int) -> Handler:
    """Announces more than it sends, then hangs up."""

    async def answer(request: Any) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Length": str(announced)})
        await stream.prepare(request)
        await stream.write(b"x" * sent)
        request.transport.close()
        return stream

    return answer


async def silent(request: Any) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def hangs_up(request: Any) -> web.Response:
    request.transport.abort()
    return web.Response()


DEEP = b"[" * 9000
HTML = b"<!doctype html><title>A router</title><p>Log in</p>"
ANSWERS = {
    "nothing": says(b""),
    "HTML": says(HTML),
    "a page of refusal": says(HTML, 403),
    "error 500": says(b"500 \x1b[31mInternal Server Error", 500),
    "null": says(None),
    "a number": says(3),
    "a text": says("hello"),
    "a list": says([1, [2, {"a": None}]]),
    "brackets without end": says(DEEP),
    "bytes": says(bytes(range(256))),
    "cut short": says(b'{"a": {"b"'),
    "a number too long": says(b'{"prompt_id": ' + b"9" * 9000 + b"}"),
    "sent elsewhere": says(b"", 302, Location="http://127.0.0.1:1/\u202e".encode("ascii", "replace").decode()),
    "too large": says(b'"' + b"x" * 30_000 + b'"'),
    "without end": drips(b"x" * 4096, 0.0),
    "dripping": drips(b" ", 0.05),
    "shorter than announced": breaks(1000, 10),
    "packed": says(b"\x1f\x8b" + b"x" * 50, **{"Content-Encoding": "gzip"}),
    "silence": silent,
    "hanging up": hangs_up,
}
REQUESTS = ("object_info", "prompt POST", "history", "view")


def run(server: FakeServer, folder: Path, limits: Limits = TINY, listener: Any = None) -> list[Path]:
    workflow = check_workflow({"1": {"class_type": "Paint", "inputs": {}}})
    return run_workflow(workflow, server=server.url, output=folder, limits=limits, listener=listener)


def refusal(server: FakeServer, folder: Path) -> str:
    """The sentence that a run ends with, which must be one, and soon."""
    began = time.monotonic()
    with pytest.raises(HeadlessError) as failure:
        run(server, folder)
    assert time.monotonic() - began < 20, "it hung"
    text = str(failure.value)
    assert "\x1b" not in text and "\u202e" not in text and len(text) < 2000
    return text


@pytest.mark.slow
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("request_name", REQUESTS)
def test_a_wrong_answer_is_one_sentence(fake: FakeServer, tmp_path: Path, request_name: str, answer: str) -> None:
    harmless = request_name == "view" and answer not in (
        *("a page of refusal", "error 500", "sent elsewhere", "too large", "without end", "dripping"),
        *("shorter than announced", "silence", "hanging up", "brackets without end", "a number too long"),
    )  # whatever bytes a result has, they are the result
    fake.replies[request_name] = ANSWERS[answer]
    if harmless:
        assert run(fake, tmp_path) == [tmp_path / "a.png"]
        return
    assert "must" in refusal(fake, tmp_path)
    assert not list(tmp_path.iterdir()), "half a result was left"


def entry(**parts: Any) -> dict[str, Any]:
    return {JOB: {"outputs": {"1": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"} | parts]}}}}


WRONG_INSIDE = {
    "an entry of the history that is a list": ("history", {JOB: [1]}),
    "an entry that is a text": ("history", {JOB: "done"}),
    "outputs as a list": ("history", {JOB: {"outputs": [1]}}),
    "outputs of a node as a text": ("history", {JOB: {"outputs": {"1": "a.png"}}}),
    "a status that is a text": ("history", {JOB: {"status": "error"}}),
    "messages that are a number": ("history", {JOB: {"status": {"status_str": "error", "messages": 3}}}),
    "a message that is null": ("history", {JOB: {"status": {"status_str": "error", "messages": [None]}}}),
    "a message without data": (
        "history",
        {JOB: {"status": {"status_str": "error", "messages": [["execution_error"]]}}},
    ),
    "an error whose parts are lists": (
        "history",
        {JOB: {"status": {"status_str": "error", "messages": [["execution_error", {"traceback": 3, "node_id": [1]}]]}}},
    ),
    "a file's name that is a number": ("history", entry(filename=7)),
    "a file's folder that is a list": ("history", entry(subfolder=["a"])),
    "a file's kind that is an object": ("history", entry(type={"a": 1})),
    "a file's name that leads upwards": ("history", entry(filename="..")),
    "a file's name of spaces": ("history", entry(filename="  ")),
    "no name of the job": ("prompt POST", {"node_errors": {}}),
    "a job's name that is a list": ("prompt POST", {"prompt_id": [JOB]}),
    "a job's name that is a path": ("prompt POST", {"prompt_id": "../../interrupt"}),
    "reasons that are a text": ("prompt POST", {"prompt_id": JOB, "node_errors": "many"}),
    "reasons that are null inside": ("prompt POST", {"prompt_id": JOB, "node_errors": {"1": None}}),
    "reasons of wrong types": (
        "prompt POST",
        {"prompt_id": JOB, "node_errors": {"1": {"errors": [3, {"message": [1]}]}}},
    ),
    "a queue of numbers": ("queue", {"queue_running": [3]}),
    "a queue of short entries": ("queue", {"queue_pending": [[1]]}),
    "a queue that is a text": ("queue", {"queue_running": "none"}),
    "a queue of null": ("queue", None),
    "node types that are texts": ("object_info", {"Paint": "known"}),
    "node types that are null": ("object_info", {"Paint": None}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", WRONG_INSIDE)
def test_an_answer_that_is_wrong_inside_is_one_sentence(fake: FakeServer, tmp_path: Path, case: str) -> None:
    request_name, body = WRONG_INSIDE[case]
    fake.replies[request_name] = says(body)
    assert len(refusal(fake, tmp_path)) > 20
    assert not list(tmp_path.iterdir())


ODD_INSIDE = {
    "inputs of a node that are a list": ("object_info", {"Paint": {"input": [1]}}),
    "inputs that are null": ("object_info", {"Paint": {"input": {"required": None, "optional": 5}}}),
    "inputs that are texts": ("object_info", {"Paint": {"input": {"required": {"image": "IMAGE"}}}}),
    "no replacements": ("node_replacements", [1, 2]),
    "a page for replacements": ("node_replacements", HTML),
    "what nodes show of their own": ("history", {JOB: {"outputs": {"1": {"a": 3, "text": [None, 3, {"b": 1}]}}}}),
    "files that are no objects": ("history", {JOB: {"outputs": {"1": {"images": ["a.png", None, 7]}}}}),
    "no outputs": ("history", {JOB: {"outputs": None, "status": None}}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ODD_INSIDE)
def test_what_the_job_does_not_depend_on_may_be_odd(fake: FakeServer, tmp_path: Path, case: str) -> None:
    request_name, body = ODD_INSIDE[case]
    fake.replies[request_name] = says(body)
    run(fake, tmp_path)


MESSAGES: list[Any] = [
    *(b"\x00\x01", "", "null", "[1]", '{"type": 3}', "[" * 9000, '{"type": "executing"}', "9" * 9000, "{}"),
    *(json.dumps({"type": "progress_state", "data": {"prompt_id": JOB, "nodes": nodes}}) for nodes in (
        *(None, [1], {"1": 3}, {"1": {"value": "many", "max": None, "state": []}}, {"1": {"value": 1e308, "max": 0}}),
        *({"1": {"value": -5, "max": -1, "state": "running"}}, {"7": {"state": "running", "display_node_id": [1]}}),
        *({"1": {"value": 10**400, "max": 5, "state": "running"}}, {"1": {"value": True, "max": 2}}),
    )),
    *(json.dumps({"type": kind, "data": {"prompt_id": JOB, "node": node, "nodes": node}})
      for kind in ("executing", "executed", "execution_cached", "\x1b[2J") for node in ([1], {"a": 1}, 5, "\x1b[2J")),
    '{"type": "progress_state", "data": {"prompt_id": "JOB", "nodes": {"1": {"value": NaN, "max": Infinity}}}}',
]  # fmt: skip


def test_messages_of_every_kind_are_passed_over(fake: FakeServer, tmp_path: Path, capsys: Any) -> None:
    async def odd(request: Any) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        await asyncio.sleep(0.2)
        for message in MESSAGES:
            await (answer.send_bytes if isinstance(message, bytes) else answer.send_str)(message)
        await answer.send_str("x" * 30_000)  # larger than may be: the socket is closed
        return answer

    fake.history = {}
    fake.replies["ws"] = odd
    fake._loop.call_soon_threadsafe(fake._loop.call_later, 0.8, lambda: fake.history.update(DONE))
    display = Lines(check_workflow({"1": {"class_type": "Paint", "inputs": {}}}), __import__("sys").stderr)
    assert run(fake, tmp_path, listener=display) == [tmp_path / "a.png"]
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("message", [message for message in MESSAGES if isinstance(message, str)], ids=lambda _: "")
def test_a_message_is_read_into_the_types_that_it_must_have(message: str) -> None:
    found = read_message(message)
    if found is None:
        return
    _, data = found
    for state in data["nodes"].values() if isinstance(data.get("nodes"), dict) else ():
        assert 0 <= state["value"] <= state["max"] and isinstance(state["node"], str)


def test_an_upload_that_nobody_takes_ends(fake: FakeServer, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"x" * 50_000_000)
    fake.replies["object_info"] = says({"Paint": {"input": {"required": {"file": ["COMBO", {"video_upload": True}]}}}})
    fake.replies["upload POST"] = silent
    workflow = check_workflow({"1": {"class_type": "Paint", "inputs": {"file": "none.mp4"}}})
    with pytest.raises(HeadlessError, match=r"must take clip\.mp4, but it took nothing for 0\.4 seconds"):
        run_workflow(workflow, server=fake.url, output=tmp_path / "out", inputs=[str(clip)], limits=TINY)


def test_all_results_together_have_a_limit(fake: FakeServer, tmp_path: Path) -> None:
    images = [{"filename": f"{number}.png", "subfolder": "", "type": "output"} for number in range(60)]
    fake.history = {JOB: {"outputs": {"1": {"images": images}}}}
    with pytest.raises(HeadlessError, match="results must be at most 5e-06 GB together"):
        run(fake, tmp_path)
    assert len(list(tmp_path.iterdir())) == 50  # of 100 bytes each


def test_a_list_of_results_without_end_is_refused(fake: FakeServer, tmp_path: Path) -> None:
    images = [{"filename": f"{number}.png"} for number in range(20)]
    fake.history = {JOB: {"outputs": {"1": {"images": images}}}}
    with pytest.raises(HeadlessError, match="at most 5 files, got 20"):
        run(fake, tmp_path, Limits(files=5, quiet_seconds=0.1))
