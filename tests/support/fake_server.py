"""A server of a few lines in the place of ComfyUI, that answers as a test wants, dies, hangs up, forgets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

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
        self.replies: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        """What a test puts in the place of the sound answer to a path, by the path's first part."""
        self._sockets: list[Any] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)

    async def _start(self) -> str:
        app = web.Application(middlewares=[self._replaced])
        app.router.add_get("/object_info/{kind}", self._object_info)
        app.router.add_get("/ws", self._ws)
        app.router.add_post("/prompt", self._prompt)
        app.router.add_get("/history/{job}", self._history)
        app.router.add_get("/queue", self._queue)
        app.router.add_post("/queue", self._accept)
        app.router.add_post("/interrupt", self._accept)
        app.router.add_get("/view", self._view)
        app.router.add_get("/node_replacements", self._accept)
        app.router.add_post("/upload/image", self._upload)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"

    @web.middleware
    async def _replaced(self, request: Any, handler: Any) -> Any:
        name = request.path.split("/")[1] + ("" if request.method == "GET" else " " + request.method)
        return await self.replies.get(name, handler)(request)

    async def _upload(self, request: Any) -> Any:
        await request.read()
        return web.json_response({"name": "a.png", "subfolder": "escalier", "type": "input"})

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
