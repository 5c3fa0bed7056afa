"""What the pack's addresses answer, and above all what they do not."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer

from escalier.film import ArrayFrames, Encoding, Size, make_clip, write_film

LENGTH = 9


@pytest.fixture(scope="module")
def folders(comfyui: SimpleNamespace) -> Path:
    """Films and pictures in the input and output folders, and one secret beside them."""
    film = make_clip(Size(64, 36), length=LENGTH, rate=6)
    steps = np.arange(LENGTH, dtype=np.uint8)[:, None, None, None] * np.full((36, 64, 3), 20, np.uint8)
    (comfyui.base / "input" / "shöts 1").mkdir(exist_ok=True)
    write_film(comfyui.base / "input" / "page_clip.mp4", film)
    write_film(comfyui.base / "input" / "shöts 1" / "gréy.mp4", ArrayFrames(steps, 6), encoding=Encoding(crf=0))
    write_film(comfyui.base / "output" / "made.mp4", make_clip(Size(64, 36), length=3, rate=6))
    cv2.imwrite(str(comfyui.base / "secret.png"), np.zeros((4, 4, 3), np.uint8))
    (comfyui.base / "input" / "notes.txt").write_text("no film", encoding="utf-8")
    return comfyui.base


@pytest.fixture
def get(pack: SimpleNamespace, comfyui: SimpleNamespace, folders: Path) -> Any:
    """Asks an address; returns the status, the headers and the content."""
    for kind in ("input", "output", "temp"):  # other tests have had folders of their own
        getattr(comfyui.folder_paths, f"set_{kind}_directory")(str(folders / kind))

    async def asked(address: str, query: dict[str, str]) -> tuple[int, dict, bytes]:
        routes = web.RouteTableDef()
        pack.module("page").add_routes(routes)
        app = web.Application()
        app.add_routes(routes)
        async with TestClient(TestServer(app)) as client:
            answer: ClientResponse = await client.get(address, params=query)
            return answer.status, dict(answer.headers), await answer.read()

    return lambda address, **query: asyncio.run(asked(address, query))


def picture(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def test_a_film_is_told_by_its_length_rate_and_size(get: Any) -> None:
    status, _, content = get("/escalier/film", file="page_clip.mp4")
    facts = json.loads(content)
    assert status == 200
    assert {key: facts[key] for key in ("frames", "rate", "width", "height")} == {
        "frames": LENGTH, "rate": 6.0, "width": 64, "height": 36,
    }  # fmt: skip


def test_a_frame_is_the_one_that_nodes_call_by_this_number(get: Any) -> None:
    for index in (0, 5, LENGTH - 1):
        status, _, content = get("/escalier/frame", file="shöts 1/gréy.mp4", index=str(index))
        assert status == 200
        assert abs(float(picture(content).mean()) - 20 * index) < 3


def test_a_frame_comes_as_small_as_it_is_asked_for_and_never_larger(get: Any) -> None:
    assert picture(get("/escalier/frame", file="page_clip.mp4", height="18")[2]).shape == (18, 32, 3)
    assert picture(get("/escalier/frame", file="page_clip.mp4", height="500")[2]).shape == (36, 64, 3)


def test_films_of_the_output_folder_are_named_as_menus_name_them(get: Any) -> None:
    assert get("/escalier/film", file="made.mp4 [output]")[0] == 200


def test_a_film_that_has_changed_is_read_anew_under_another_version(get: Any, folders: Path) -> None:
    path = folders / "input" / "changing.mp4"
    write_film(path, make_clip(Size(64, 36), length=4, rate=6))
    before = json.loads(get("/escalier/film", file=path.name)[2])
    write_film(path, make_clip(Size(64, 36), length=7, rate=6))
    os.utime(path, ns=(1, 1))
    after = json.loads(get("/escalier/film", file=path.name)[2])
    assert (before["frames"], after["frames"]) == (4, 7)
    assert before["version"] != after["version"]


@pytest.mark.parametrize(
    "file",
    [
        "", " ", "../secret.png", "..\\secret.png", "shöts 1/../../secret.png", "/etc/passwd", "secret.png [input]",
        "../secret.png [temp]", "a\0b.mp4", "nothing.mp4", "C:\\Windows\\win.ini", "notes.txt", ".",
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", ["/escalier/film", "/escalier/frame"])
def test_nothing_outside_and_nothing_that_is_no_film_is_ever_answered(get: Any, address: str, file: str) -> None:
    status, _, content = get(address, file=file)
    assert status in (400, 404)
    assert json.loads(content)["error"].strip()


@pytest.mark.parametrize(
    "query", [{"index": str(LENGTH)}, {"index": "-1"}, {"index": "1e3"}, {"index": "²"}, {"height": "99999"}]
)
def test_a_number_out_of_range_is_refused_in_a_sentence(get: Any, query: dict) -> None:
    status, _, content = get("/escalier/frame", file="page_clip.mp4", **query)
    assert status == 400
    assert "must be" in json.loads(content)["error"]
