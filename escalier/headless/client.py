"""Talks to a ComfyUI server: queues a job over HTTP, follows it over a WebSocket, fetches its files."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import HeadlessError, ServerGone
from .outcome import INTERRUPTED, Outcome, RemoteFile, check_status, describe_failure, describe_refusal, read_outcome
from .workflow import Workflow

if TYPE_CHECKING:
    import aiohttp

Socket = Any  # aiohttp.ClientWebSocketResponse, whose type parameters differ between aiohttp's versions
Listener = Callable[[str, dict[str, Any]], None]
"""Called with the type and data of every message the server sends about the job, and with "quiet" when none came."""

log = logging.getLogger("escalier")

QUIET_SECONDS = 15.0  # after so long without a message, ask whether the job still exists
ANSWER_SECONDS = 120.0  # a server that loads a large model may be long in answering
CONNECTIONS = 5


class Client:
    """One connection to a ComfyUI server.

    >>> async def answer(url):
    ...     async with Client(url) as client:
    ...         return await client.run(workflow)
    """

    def __init__(self, url: str) -> None:
        self.url = tidy_url(url)
        self.id = uuid.uuid4().hex
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Client:
        aiohttp = _import_aiohttp()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=ANSWER_SECONDS)
        self._http = aiohttp.ClientSession(timeout=timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def node_info(self, class_types: Iterable[str]) -> dict[str, Any]:
        """What /object_info says of these node types; the ones the server does not know are left out."""
        found: dict[str, Any] = {}
        for class_type in sorted(set(class_types)):
            found |= await self._get_json(f"/object_info/{quote(class_type, safe='')}")
        return found

    async def replaced_types(self) -> set[str]:
        """Old node types that the server puts newer ones in the place of."""
        try:
            return set(await self._get_json("/node_replacements"))
        except HeadlessError:  # a ComfyUI from before there were replacements
            return set()

    async def upload(self, file: Path, subfolder: str = "escalier") -> str:
        """Send a picture, clip or sound to the server's input folder; gives the name that loaders know it by."""
        aiohttp = _import_aiohttp()
        with file.open("rb") as content:
            form = aiohttp.FormData()
            form.add_field("image", content, filename=file.name)  # /upload/image takes every kind of file
            form.add_field("subfolder", subfolder)
            answer = await self._request("POST", "/upload/image", data=form)
        if answer.status == 413:
            raise HeadlessError(
                f"Client: {file.name} must be smaller than the server allows, got {file.stat().st_size / 1e6:.0f} MB; "
                "start that ComfyUI with --max-upload-size 10000"
            )
        placed = answer.json("upload")
        return "/".join(part for part in (placed.get("subfolder"), placed["name"]) if part)

    async def upload_folder(self, folder: Path) -> str:
        """Send the files of a folder to a folder of their own on the server; gives the name that loaders know it by."""
        place = f"escalier/{folder.name}-{uuid.uuid4().hex[:8]}"
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                await self.upload(file, place)
        return place

    async def run(self, workflow: Workflow, listener: Listener | None = None) -> Outcome:
        """Queue a workflow and wait until it is done.

        Cancelling this coroutine takes the job out of the server's queue.

        Raises
        ------
        HeadlessError
            When ComfyUI refuses the workflow or part of it, or a node fails; the text is ComfyUI's own.
        ServerGone
            When the server stops answering.
        """
        listener = listener or _ignore
        messages = _Messages(await self._connect())
        job = ""
        try:
            job = await self._queue(workflow)
            history = await self._follow(messages, job, workflow, listener)
        except BaseException as error:
            if job and not isinstance(error, ServerGone):
                # Shielded, since it must also happen when it is a cancellation that brought us here.
                with contextlib.suppress(HeadlessError, asyncio.CancelledError, asyncio.TimeoutError):
                    await asyncio.shield(asyncio.wait_for(self.cancel(job), 10))
            raise
        finally:
            await messages.close()
        return read_outcome(history)

    async def cancel(self, job: str) -> None:
        """Take a job out of the queue, or interrupt it when it runs. Jobs of others are left alone."""
        await self._request("POST", "/queue", json={"delete": [job]})
        running = (await self._get_json("/queue")).get("queue_running", [])
        if any(item[1] == job for item in running):
            await self._request("POST", "/interrupt", json={"prompt_id": job})

    async def fetch(self, file: RemoteFile, folder: Path) -> Path:
        """Bring a file into `folder`, written aside and then renamed; a file of the same name is replaced."""
        target = folder.joinpath(*file.local_path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        try:
            async with self._session.get(f"{self.url}/view", params=query) as answer:
                if answer.status != 200:
                    raise HeadlessError(
                        f"Client: {file.filename} from node {file.node} must be readable on the server, got HTTP "
                        f"{answer.status}; look for it in ComfyUI's {file.type} folder"
                    )
                with aside.open("wb") as output:
                    async for block in answer.content.iter_chunked(1 << 20):
                        output.write(block)
            os.replace(aside, target)
        except _network_errors() as error:
            raise ServerGone(
                f"Client: {self.url} must keep answering, but sending {file.filename} broke off"
            ) from error
        finally:
            aside.unlink(missing_ok=True)
        return target

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("Client: it must be used as `async with Client(url) as client`")
        return self._http

    async def _connect(self) -> Socket:
        try:
            return await self._session.ws_connect(f"{self.url}/ws", params={"clientId": self.id}, max_msg_size=0)
        except _network_errors() as error:
            raise ServerGone(_unreachable(self.url, error)) from error

    async def _queue(self, workflow: Workflow) -> str:
        body = {"prompt": workflow, "client_id": self.id, "prompt_id": str(uuid.uuid4())}
        answer = await self._request("POST", "/prompt", json=body)
        if answer.status == 400:
            raise HeadlessError("ComfyUI refused the workflow.\n" + describe_refusal(answer.json("prompt"), workflow))
        content = answer.json("prompt")
        if content.get("node_errors"):
            # ComfyUI would run the outputs that are sound and say nothing more of the others.
            await self.cancel(content["prompt_id"])
            raise HeadlessError("ComfyUI refused part of the workflow.\n" + describe_refusal(content, workflow))
        job = str(content["prompt_id"])
        queue = await self._get_json("/queue")
        waiting = [item[1] for name in ("queue_running", "queue_pending") for item in queue.get(name, [])]
        if before := len([other for other in waiting if other != job]):
            log.info("ComfyUI has %d other job(s) in its queue; this one waits for its turn.", before)
        return job

    async def _follow(self, messages: _Messages, job: str, workflow: Workflow, listener: Listener) -> dict[str, Any]:
        """Read messages until the job is in the history; gives its entry there."""
        connections = 1
        while True:
            message = await messages.next(QUIET_SECONDS)
            if message is not None:
                data = message.get("data") or {}
                if data.get("prompt_id") != job:
                    continue
                kind = str(message.get("type"))
                listener(kind, data)
                if kind == "execution_error":
                    raise HeadlessError(describe_failure(data, workflow))
                if kind == "execution_interrupted":
                    raise HeadlessError(INTERRUPTED)
                if kind != "executing" or data.get("node") is not None:
                    continue
            else:
                listener("quiet", {})
            # The job is done, or the server has gone quiet, or it hung up: its history tells which.
            if history := await self._finished(job):
                return history
            if messages.closed:
                connections += 1
                if connections > CONNECTIONS:
                    raise ServerGone(f"Client: {self.url} must hold the connection, but it hung up again and again")
                await messages.replace(await self._connect())

    async def _finished(self, job: str) -> dict[str, Any] | None:
        """The job's entry in the history, None while it waits or runs.

        Raises HeadlessError when it failed, or when somebody removed it from the queue.
        """
        history = (await self._get_json(f"/history/{job}")).get(job)
        if history is not None:
            check_status(history)
            return dict(history)
        queue = await self._get_json("/queue")
        jobs = [item[1] for name in ("queue_running", "queue_pending") for item in queue.get(name, [])]
        if job not in jobs:
            # It may have ended between the two questions.
            history = (await self._get_json(f"/history/{job}")).get(job)
            if history is None:
                raise HeadlessError(
                    "The job is neither in ComfyUI's queue nor in its history; it was removed, or the server restarted."
                )
            check_status(history)
        return history

    async def _get_json(self, path: str) -> dict[str, Any]:
        return (await self._request("GET", path)).json(path)

    async def _request(self, method: str, path: str, **options: Any) -> _Answer:
        try:
            async with self._session.request(method, self.url + path, **options) as answer:
                return _Answer(answer.status, await answer.text(errors="replace"), self.url)
        except _network_errors() as error:
            raise ServerGone(_unreachable(self.url, error)) from error


class _Messages:
    """The text messages of a WebSocket. Pictures, which are binary, are dropped."""

    def __init__(self, socket: Socket) -> None:
        self.closed = False
        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._listen(socket)

    async def next(self, seconds: float) -> dict[str, Any] | None:
        """The next message; None after so many quiet seconds, or at once when the socket has closed."""
        # Not asyncio.wait_for: until Python 3.12 it swallows a cancellation that comes together with a message.
        waiting = asyncio.ensure_future(self._queue.get())
        try:
            await asyncio.wait({waiting}, timeout=seconds)
            message = waiting.result() if waiting.done() else None
            self.closed = waiting.done() and message is None
            return message
        finally:
            waiting.cancel()

    async def replace(self, socket: Socket) -> None:
        await self.close()
        self.closed = False
        self._listen(socket)

    async def close(self) -> None:
        self._reader.cancel()
        await self._socket.close()

    def _listen(self, socket: Socket) -> None:
        self._socket = socket
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type == _import_aiohttp().WSMsgType.TEXT:
                with contextlib.suppress(ValueError):
                    content = json.loads(message.data)
                    if isinstance(content, dict):
                        self._queue.put_nowait(content)
        self._queue.put_nowait(None)


@dataclass(frozen=True)
class _Answer:
    status: int
    text: str
    url: str

    def json(self, request: str) -> dict[str, Any]:
        if self.status not in (200, 400):
            first = next(iter(self.text.strip().splitlines()), "")
            raise HeadlessError(
                f"Client: {self.url} must answer {request} as ComfyUI does, got HTTP {self.status} {first[:200]}; "
                "check that the address is ComfyUI's, and look at its log"
            )
        try:
            content = json.loads(self.text)
        except ValueError as error:
            raise HeadlessError(
                f"Client: {self.url} must answer {request} with JSON, as ComfyUI does; check the address"
            ) from error
        return content if isinstance(content, dict) else {}


def tidy_url(url: str) -> str:
    """A server's address with its scheme and without a slash at the end.

    >>> tidy_url("127.0.0.1:8188/")
    'http://127.0.0.1:8188'
    """
    address = url.strip() if "://" in url else "http://" + url.strip()
    if not re.match(r"https?://[^/\s]+", address):
        raise ValueError(f"--server: address must look like http://127.0.0.1:8188, got {url}; check it")
    return address.rstrip("/")


def _ignore(kind: str, data: dict[str, Any]) -> None:
    pass


def _unreachable(url: str, error: BaseException) -> str:
    return (
        f"Client: {url} must be a running ComfyUI, but it does not answer ({error or type(error).__name__}); start it, "
        "check the address, or leave --server out to start one"
    )


def _import_aiohttp() -> Any:
    try:
        import aiohttp
    except ModuleNotFoundError as error:
        raise HeadlessError("Client: the package aiohttp must be installed; run: pip install aiohttp") from error
    return aiohttp


def _network_errors() -> tuple[type[BaseException], ...]:
    return (_import_aiohttp().ClientError, asyncio.TimeoutError, ConnectionError)
