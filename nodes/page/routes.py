"""The addresses that the pack's own JavaScript asks. They read; what writes is ComfyUI's own upload.

- `GET /escalier/film?file=NAME`: `{frames, rate, width, height, version}` of a film, a picture or a folder of pictures.
- `GET /escalier/frame?file=NAME&index=I&height=H&version=V`: frame I as JPEG, at most H pixels high: the frame
  that every node calls I. A browser's own player counts by time, and is off by one or more in many films.

What is refused comes back as `{"error": sentence}`.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from escalier.refusals import Refusal, sentence

from .films import OpenFilms
from .served_files import served_path

A_DAY = 24 * 60 * 60
REFUSED, MISSING = 400, 404
Query = dict[str, str]


def add_routes(routes: web.RouteTableDef) -> None:
    """Add the addresses to the server's table, before the server starts."""
    films = OpenFilms()

    def about(query: Query) -> web.Response:
        return web.json_response(films.about(served_path(query.get("file", ""))))

    def frame(query: Query) -> web.Response:
        content = films.jpeg(served_path(query.get("file", "")), number(query, "index"), number(query, "height"))
        # `version` changes with the file, and the address with it.
        kept = f"private, max-age={A_DAY}" if "version" in query else "no-cache"
        return web.Response(body=content, content_type="image/jpeg", headers={"Cache-Control": kept})

    routes.get("/escalier/film")(answered(about))
    routes.get("/escalier/frame")(answered(frame))


def answered(work: Callable[[Query], web.Response]) -> Callable[[web.Request], Any]:
    """The answer to a request, made beside the server's loop; a refusal as its sentence."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await asyncio.to_thread(work, dict(request.rel_url.query))
        except (Refusal, OSError, ImportError) as error:
            status = MISSING if isinstance(error, FileNotFoundError) else REFUSED
            return web.json_response({"error": sentence(error)}, status=status)

    return answer


def number(query: Query, name: str) -> int:
    text = query.get(name, "0")
    if not text.isdecimal() or not text.isascii():
        raise Refusal(name, "be a whole number from 0 on", repr(text), "leave out all but its digits")
    return int(text)
