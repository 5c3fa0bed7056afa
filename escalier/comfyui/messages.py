"""The messages that a server sends about its jobs over a WebSocket, whatever it sends and however often it closes."""

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from .answers import read_message

Message = tuple[str, dict[str, Any]]

WAITING = 1000
"""Messages kept for us at most; a server that sends more has to wait."""
FIRST_PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Socket:
    """An open WebSocket: what it receives, frame by frame, and how to break it off."""

    frames: AsyncIterable[Any]
    break_off: Callable[[], Awaitable[None]]


class Messages:
    """The text messages of a WebSocket, opened again when it closes. Pictures, which are binary, are dropped."""

    def __init__(self, connect: Callable[[], Awaitable[Socket | None]]) -> None:
        self.closed = True
        self._connect = connect
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(WAITING)
        self._socket: Socket | None = None
        self._reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the socket anew. A server that lets none be opened leaves it closed."""
        await self.close()
        self._socket = await self._connect()
        if self._socket is not None:
            self.closed = False
            self._reader = asyncio.create_task(self._read(self._socket))

    async def next(self, seconds: float) -> Message | None:
        """The next message; None after so many quiet seconds, or at once when the socket has just closed."""
        if not self._queue.empty():
            return self._taken(self._queue.get_nowait())
        # Not asyncio.wait_for: until Python 3.12 it swallows a cancellation that comes together with a message.
        waiting = asyncio.ensure_future(self._queue.get())
        try:
            await asyncio.wait({waiting}, timeout=seconds)
            return self._taken(waiting.result()) if waiting.done() else None
        finally:
            waiting.cancel()

    async def close(self) -> None:
        self.closed = True
        reader, self._reader = self._reader, None
        socket, self._socket = self._socket, None
        if reader is not None:
            reader.cancel()
        if socket is not None:
            # Not politely: aiohttp would read on until the server agrees, and one that floods never does.
            await socket.break_off()

    def _taken(self, message: Message | None) -> Message | None:
        self.closed = self.closed or message is None
        return message

    async def _read(self, socket: Socket) -> None:
        async for frame in socket.frames:
            message = read_message(frame.data) if isinstance(frame.data, str) else None
            if message is not None:
                await self._queue.put(message)
        await self._queue.put(None)


def pause_before(hang_ups: int, longest: float) -> float:
    """Seconds to wait before the socket is opened again: twice as long each time.

    >>> [pause_before(count, 15.0) for count in (1, 2, 3, 20)]
    [0.1, 0.2, 0.4, 15.0]
    """
    return min(longest, FIRST_PAUSE_SECONDS * 2 ** min(hang_ups - 1, 30))
