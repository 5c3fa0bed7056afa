"""One connection to a server: questions with limits, files with limits, no redirects, nothing unpacked."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from escalier.log import log
from escalier.refusals import Refusal, printable

from .answers import Answer, Limits, first_line, shown
from .errors import ComfyUIError, ServerGone
from .messages import Socket
from .outcome import RemoteFile
from .results import ResultFolder

if TYPE_CHECKING:
    import aiohttp
    from typing_extensions import Self

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 1.0
BLOCK_BYTES = 1 << 18
SPARE_BYTES = 10**8
"""Left free on the disk that results go to."""


class Connection:
    """An HTTP session with one ComfyUI, as a context manager."""

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        self.url = tidy_url(url)
        self.limits = limits or Limits()
        self._fetched_bytes = 0
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._http = self._new_session()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await _close(self._http)

    async def fetch(self, file: RemoteFile, folder: ResultFolder) -> Path:
        """Bring a file into the folder, whole or not at all; a file that an earlier job left there is replaced."""
        target = folder.claim(*file.place)
        shown_name = printable(file.filename)
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        timeout = import_aiohttp().ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=self.limits.stall_seconds
        )
        try:
            async with self._session.get(
                f"{self.url}/view", params=query, timeout=timeout, allow_redirects=False
            ) as answer:
                if answer.status != 200:
                    what, got = f"{shown_name} from node {printable(file.node)}", f"HTTP {answer.status}"
                    remedy = f"look for it in ComfyUI's {file.type} folder"
                    raise ComfyUIError(what, "be readable on the server", got, remedy, who="Client")
                self._check_room(shown_name, answer.content_length or 0, folder.path)
                with folder.writing(target) as output:
                    async for block in self._flowing(answer, shown_name):
                        output.write(block)
        except _network_errors() as error:
            rule = f"keep answering, but sending {shown_name} broke off"
            raise ServerGone(printable(self.url), rule, who="Client") from error
        return target

    async def _flowing(self, answer: aiohttp.ClientResponse, name: str) -> AsyncIterator[bytes]:
        """The blocks of a file, until it drips or grows beyond what one job may bring."""
        since, brought = time.monotonic(), 0
        async for block in answer.content.iter_chunked(BLOCK_BYTES):
            self._fetched_bytes += len(block)
            brought += len(block)
            if self._fetched_bytes > self.limits.files_bytes:
                raise _too_much(name, self.limits.files_bytes)
            if (now := time.monotonic()) - since > self.limits.stall_seconds:
                if brought < self.limits.stall_bytes:
                    rule = f"keep sending {name}, but it brought {brought} bytes in {now - since:.0f} seconds"
                    raise ServerGone(printable(self.url), rule, remedy="run it again, or look at its log", who="Client")
                since, brought = now, 0
            yield block

    def _check_room(self, name: str, announced: int, folder: Path) -> None:
        """Refuse a file that is announced larger than what may come, or than the disk."""
        if announced + self._fetched_bytes > self.limits.files_bytes:
            raise _too_much(name, self.limits.files_bytes)
        nearest = next(parent for parent in (folder, *folder.parents) if parent.is_dir())
        free = shutil.disk_usage(nearest).free
        if announced + SPARE_BYTES > free and announced > SPARE_BYTES:
            what, remedy = f"the disk that holds {printable(str(folder))}", "free some space, or choose another folder"
            rule = f"have {announced / 1e9:.1f} GB free for {name}"
            raise ComfyUIError(what, rule, f"{free / 1e9:.1f} GB", remedy, who="--output")

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("Client: it must be used as `async with Client(url) as client`")
        return self._http

    def _new_session(self) -> aiohttp.ClientSession:
        aiohttp = import_aiohttp()
        # Answers come as they are: packed ones could unfold to any size. No cookies, no proxies, no other hosts.
        return aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self.limits.answer_seconds, sock_connect=CONNECT_SECONDS),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def open_socket(self, name: str) -> Socket | None:
        """The WebSocket, or None where the server lets none be opened: the job can be followed without."""
        # A session of its own, which can be closed without asking the server.
        session = self._new_session()
        try:
            frames = await session.ws_connect(
                f"{self.url}/ws", params={"clientId": name}, max_msg_size=self.limits.message_bytes
            )
        except _network_errors() as error:
            log.debug("no WebSocket: %s", printable(str(error)))
            await _close(session)
            return None
        return Socket(frames, lambda: _close(session))

    async def request(
        self, method: str, path: str, *, most_bytes: int | None = None, seconds: float | None = -1.0, **options: Any
    ) -> Answer:
        """Ask for one answer in JSON; `seconds` is the limit of the whole, None where the caller keeps watch itself."""
        if seconds is None:
            options["timeout"] = import_aiohttp().ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        try:
            async with self._session.request(method, self.url + path, allow_redirects=False, **options) as answer:
                body = await self._read(answer, path, most_bytes or self.limits.answer_bytes)
        except asyncio.TimeoutError as error:
            limit = f"within {self.limits.answer_seconds:g} seconds"
            raise _unreachable(self.url, f"{path} was not answered {limit}") from error
        except _network_errors() as error:
            raise _unreachable(self.url, str(error) or type(error).__name__) from error
        return Answer(self.url, path, answer.status, body)

    async def _read(self, answer: aiohttp.ClientResponse, path: str, most_bytes: int) -> bytes:
        """The body of an answer, as long as it is bearable."""
        place = Answer(self.url, path, answer.status, b"")
        if 300 <= answer.status < 400:
            where = shown(answer.headers.get("Location", "elsewhere"))
            raise place.refusal(f"HTTP {answer.status}, which sends on to {where}, where nobody follows it")
        body = bytearray()
        async for block in answer.content.iter_chunked(BLOCK_BYTES):
            body += block
            if answer.status not in (200, 400) and len(body) > BLOCK_BYTES:
                break  # a page about an error, of which the first line is told
            if len(body) > most_bytes:
                raise place.refusal(f"more than {most_bytes / 1e6:g} MB, beginning with {first_line(bytes(body))}")
        return bytes(body)


def tidy_url(url: str) -> str:
    """A server's address with its scheme and without a slash at the end.

    >>> tidy_url("127.0.0.1:8188/")
    'http://127.0.0.1:8188'
    """
    address = url.strip() if "://" in url else "http://" + url.strip()
    if not re.match(r"https?://[^/\s]+", address):
        raise Refusal("address", "look like http://127.0.0.1:8188", printable(url), "check it", who="--server")
    return address.rstrip("/")


async def _close(session: aiohttp.ClientSession) -> None:
    """Close a session soon: one whose server takes no more would wait for it to take what is under way."""
    closing = asyncio.ensure_future(session.close())
    await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    closing.cancel()


def _too_much(name: str, most_bytes: int) -> ComfyUIError:
    rule, remedy = f"be at most {most_bytes / 1e9:g} GB together, but {name} goes beyond", "--largest-results GB"
    return ComfyUIError("the job's results", rule, remedy=f"allow more with {remedy}", who="Client")


def _unreachable(url: str, what: str) -> ServerGone:
    rule = f"be a running ComfyUI, but it does not answer ({printable(what)})"
    remedy = "start it, check the address, or leave --server out to start one"
    return ServerGone(printable(url), rule, remedy=remedy, who="Client")


def import_aiohttp() -> Any:
    try:
        import aiohttp
    except ModuleNotFoundError as error:
        remedy = "run: pip install aiohttp"
        raise ComfyUIError("the package aiohttp", "be installed", remedy=remedy, who="Client") from error
    return aiohttp


def _network_errors() -> tuple[type[BaseException], ...]:
    return (import_aiohttp().ClientError, asyncio.TimeoutError, ConnectionError)
