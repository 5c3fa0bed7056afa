"""Talks to a ComfyUI server: queues a job over HTTP, follows it over a WebSocket, fetches its files."""

import asyncio
import contextlib
import io
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from escalier.log import log
from escalier.refusals import printable

from .answers import Found, Limits, read_job, read_node_info, read_queue, read_refusal, read_upload
from .connection import Connection, import_aiohttp
from .errors import ComfyUIError, ServerGone
from .messages import Messages, pause_before
from .outcome import INTERRUPTED, Explain, Outcome, check_status, describe_failure, describe_refusal, read_outcome
from .workflow import Workflow

Listener = Callable[[str, dict[str, Any]], None]
"""Called with the type and data of every message the server sends about the job, and with "quiet" when none came."""


class Client(Connection):
    """One connection to a ComfyUI server.

    >>> async def answer(url):
    ...     async with Client(url) as client:
    ...         return await client.run(workflow)
    """

    def __init__(self, url: str, limits: Limits | None = None) -> None:
        super().__init__(url, limits)
        self.id = uuid.uuid4().hex

    async def node_info(self, class_types: Iterable[str]) -> dict[str, Any]:
        """What /object_info says of these node types; the ones the server does not know are left out."""
        found: dict[str, Any] = {}
        for class_type in sorted(set(class_types)):
            path = f"/object_info/{quote(class_type, safe='')}"
            told = read_node_info(await self.request("GET", path, most_bytes=self.limits.node_info_bytes))
            if class_type in told:
                found[class_type] = told[class_type]
        return found

    async def replaced_types(self) -> set[str]:
        """Old node types that the server puts newer ones in the place of."""
        try:
            return set((await self.request("GET", "/node_replacements")).json().mapping())
        except ServerGone:
            raise
        except ComfyUIError:  # a ComfyUI from before there were replacements
            return set()

    async def upload(self, file: Path, subfolder: str = "escalier") -> str:
        """Send a picture, clip or sound to the server's input folder; gives the name that loaders know it by."""
        aiohttp = import_aiohttp()
        with _WatchedFile(io.FileIO(file)) as content:
            form = aiohttp.FormData()
            form.add_field("image", content, filename=file.name)  # /upload/image takes every kind of file
            form.add_field("subfolder", subfolder)
            sending = asyncio.ensure_future(self.request("POST", "/upload/image", seconds=None, data=form))
            patience = self.limits.stall_seconds
            try:
                while not sending.done():
                    await asyncio.wait({sending}, timeout=patience)
                    if not sending.done() and content.idle_seconds() > patience:
                        rule = f"take {printable(file.name)}, but it took nothing for {patience:g} seconds"
                        raise ServerGone(printable(self.url), rule, remedy="look at its log", who="Client")
                answer = await sending
            finally:
                sending.cancel()
        if answer.status == 413:
            got, remedy = f"{file.stat().st_size / 1000000.0:.0f} MB", "start that ComfyUI with --max-upload-size 10000"
            raise ComfyUIError(printable(file.name), "be smaller than the server allows", got, remedy, who="Client")
        return read_upload(answer)

    async def upload_folder(self, folder: Path) -> str:
        """Send the files of a folder to a folder of their own on the server; gives the name that loaders know it by."""
        place = f"escalier/{folder.name}-{uuid.uuid4().hex[:8]}"
        for file in sorted(folder.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                await self.upload(file, place)
        return place

    async def run(
        self, workflow: Workflow, listener: Listener | None = None, explain: Explain | None = None
    ) -> Outcome:
        """Queue a workflow and wait until it is done.

        Cancelling this coroutine takes the job out of the server's queue. `explain` may put a better sentence in the
        place of ComfyUI's reason for refusing an input.

        Raises
        ------
        ComfyUIError
            When ComfyUI refuses the workflow or part of it, or a node fails; the text is ComfyUI's own.
        ServerGone
            When the server stops answering.
        """
        messages = Messages(lambda: self.open_socket(self.id))
        job = ""
        try:
            await messages.open()
            job = await self._queue(workflow, explain or (lambda node, reason: None))
            history = await self._follow(messages, job, workflow, listener or (lambda kind, data: None))
            return read_outcome(history, self.limits.files)
        except BaseException as error:
            if job and not isinstance(error, ServerGone):
                # Shielded, since it must also happen when it is a cancellation that brought us here.
                with contextlib.suppress(ComfyUIError, asyncio.CancelledError, asyncio.TimeoutError):
                    await asyncio.shield(asyncio.wait_for(self.cancel(job), 10))
            raise
        finally:
            await messages.close()

    async def cancel(self, job: str) -> None:
        """Take a job out of the queue, or interrupt it when it runs. Jobs of others are left alone."""
        await self.request("POST", "/queue", json={"delete": [job]})
        if (job, True) in read_queue(await self.request("GET", "/queue")):
            await self.request("POST", "/interrupt", json={"prompt_id": job})

    async def _queue(self, workflow: Workflow, explain: Explain) -> str:
        body = {"prompt": workflow, "client_id": self.id, "prompt_id": str(uuid.uuid4())}
        answer = await self.request("POST", "/prompt", json=body)
        refused = read_refusal(answer)
        if answer.status == 400:
            raise ComfyUIError("ComfyUI refused the workflow.\n" + describe_refusal(refused, workflow, explain))
        job = read_job(answer)
        if refused.nodes:
            # ComfyUI would run the outputs that are sound and say nothing more of the others.
            await self.cancel(job)
            raise ComfyUIError("ComfyUI refused part of the workflow.\n" + describe_refusal(refused, workflow, explain))
        queue = read_queue(await self.request("GET", "/queue"))
        if before := len([other for other, _ in queue if other != job]):
            log.info("ComfyUI has %d other job(s) in its queue; this one waits for its turn.", before)
        return job

    async def _follow(self, messages: Messages, job: str, workflow: Workflow, listener: Listener) -> Found:
        """Read messages until the job is in the history; gives its entry there.

        The history alone decides. A socket that closes, floods, or says nothing costs bars, never a job.
        """
        hang_ups = 0
        asked = time.monotonic()
        while True:
            message = await messages.next(self.limits.quiet_seconds)
            if message is not None:
                kind, data = message
                ours = data["prompt_id"] == job
                if ours:
                    hang_ups = 0
                    listener(kind, data)
                    if kind == "execution_error":
                        raise ComfyUIError(describe_failure(data["failure"], workflow))
                    if kind == "execution_interrupted":
                        raise ComfyUIError(INTERRUPTED)
                ended = ours and kind == "executing" and data["node"] is None
                if not ended and time.monotonic() - asked < self.limits.check_seconds:
                    continue
            else:
                listener("quiet", {})
            if history := await self._finished(job, workflow):
                return history
            asked = time.monotonic()
            if messages.closed:
                hang_ups += 1
                if hang_ups == self.limits.hang_ups:
                    log.warning("ComfyUI keeps hanging up; waiting for the job without news of how far it is.")
                await asyncio.sleep(pause_before(hang_ups, self.limits.quiet_seconds))
                await messages.open()

    async def _finished(self, job: str, workflow: Workflow) -> Found | None:
        """The job's entry in the history, None while it waits or runs.

        Raises ComfyUIError when it failed, or when somebody removed it from the queue.
        """
        history = await self._history(job, workflow)
        if history is None and job not in [other for other, _ in read_queue(await self.request("GET", "/queue"))]:
            history = await self._history(job, workflow)  # it may have ended between the two questions
            if history is None:
                raise ComfyUIError(
                    "The job is neither in ComfyUI's queue nor in its history; it was removed, or the server restarted."
                )
        return history

    async def _history(self, job: str, workflow: Workflow) -> Found | None:
        history = (await self.request("GET", f"/history/{job}")).json().get(job)
        if history is not None:
            check_status(history, workflow)
        return history


class _WatchedFile(io.BufferedReader):
    """A file that knows when it was last read."""

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self._read_at = time.monotonic()

    def idle_seconds(self) -> float:
        return time.monotonic() - self._read_at

    def read(self, size: int | None = -1, /) -> bytes:
        self._read_at = time.monotonic()
        return super().read(size)
