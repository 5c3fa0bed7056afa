"""The recipes that put one film into another run through a real server and make what they promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from escalier.comfyui import ComfyUIError, Server, load_workflow
from escalier.commands.run import run_workflow
from escalier.composite import Layering, blend_layers_film
from escalier.film import ArrayFrames, Size, as_uint8, read_picture
from escalier.mask import Edge, shape_edge


@pytest.fixture(scope="module")
def flicker(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return run_workflow(load_workflow("selective_flicker"), server=server, output=tmp_path_factory.mktemp("flicker"))


@pytest.fixture(scope="module")
def dancer(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    pytest.importorskip("segment_anything")
    settings = ['Segment Anything.prompts={"box": [20, 20, 90, 90]}']
    output = tmp_path_factory.mktemp("dancer")
    return run_workflow(load_workflow("dancer_background"), server=server, output=output, settings=settings)


@pytest.fixture(scope="module")
def region(film: Any) -> np.ndarray:
    mask = np.zeros((film.size.height, film.size.width), np.float32)
    mask[20:60, 30:90] = 1
    return mask


def saved_film(paths: list[Path]) -> Any:
    from escalier.film import VideoFrames

    (path,) = (path for path in paths if path.suffix == ".mp4")
    return VideoFrames(path)


def test_flicker_is_the_multiplied_film_inside_and_the_calm_one_outside(
    flicker: list[Path], film: Any, region: np.ndarray
) -> None:
    made = saved_film(flicker)
    assert (len(made), made.size, made.rate) == (len(film), film.size, film.rate)
    frames = np.stack([film.frame(i) for i in range(len(film))])
    edge = shape_edge(region, Edge(feather_outside_px=12))
    layers = (ArrayFrames(frames), ArrayFrames(255 - frames))
    expected = list(blend_layers_film(*layers, edge[None], Layering("multiply", exposure_compensation=1)))
    outside = edge == 0
    assert outside.mean() > 0.4
    for i in (0, 7):
        # H.264 halves the colour resolution, so only the brightness is compared.
        picture, calm = made.frame(i).mean(axis=-1), film.frame(i).mean(axis=-1)
        assert np.abs(picture - calm)[outside].mean() < 3
        assert np.abs(picture - expected[i].mean(axis=-1)).mean() < 4
        assert np.abs(picture - calm)[region > 0].mean() > 10


def test_flicker_refuses_a_mask_of_another_size(server: Server, tmp_path: Path) -> None:
    cv2.imwrite(str(server.base / "input" / "small_region.png"), np.full((48, 80), 255, np.uint8))
    settings = ["Region.image=small_region.png"]
    with pytest.raises(ComfyUIError, match=r"Blend Layers: mask must be 160x96 like the picture, got 80x48"):
        run_workflow(load_workflow("selective_flicker"), server=server, output=tmp_path, settings=settings)


def test_film_has_the_time_and_size_of_the_clip(dancer: list[Path], film: Any) -> None:
    made = saved_film(dancer)
    assert (len(made), made.size, made.rate) == (len(film), film.size, film.rate)


def test_dancer_of_a_painted_mask_returns_into_the_restyled_room(server: Server, film: Any, tmp_path: Path) -> None:
    # Random weights know no dancer. Without a model, Track Mask takes a mask of frame 0 that was painted by hand.
    cv2.imwrite(str(server.base / "input" / "painted.png"), as_uint8(film.matte(0)))
    workflow = load_workflow("dancer_background")
    named = {node["_meta"]["title"]: key for key, node in workflow.items()}
    for title in ("Load Segment Anything", "Segment Anything Embedding", "Dancer in frame 0"):
        del workflow[named[title]]
    del workflow[named["Track Mask"]]["inputs"]["sam"]
    painted = {"class_type": "LoadImageMask", "inputs": {"image": "painted.png", "channel": "red"}}
    workflow[named["Segment Anything"]] = {**painted, "_meta": {"title": "Painted mask"}}
    made = saved_film(run_workflow(workflow, server=server, output=tmp_path))
    for i in (0, 1, 3):
        beside, body = (
            shape_edge(film.matte(i), Edge(spread_px=24)) == 0,
            shape_edge(film.matte(i), Edge(choke_px=6)) == 1,
        )
        assert min(beside.sum(), body.sum()) > 300
        picture, room = (image.mean(axis=-1) for image in (made.frame(i), 255 - film.frame(0)))
        assert np.abs(picture - room)[beside].mean() < 4
        # Her skin and cloth stay hers; only a gentle light is added.
        own = film.frame(i).mean(axis=-1)[body]
        assert np.corrcoef(picture[body], own)[0, 1] > 0.95
        assert np.abs(picture[body] - own).mean() < 20


def test_empty_room_is_saved_in_the_clips_size(dancer: list[Path], film: Any) -> None:
    (plate,) = (path for path in dancer if path.name.startswith("plate"))
    assert Size.of(read_picture(plate)) == film.size


def test_dancer_reports_the_masks_and_that_nothing_changed_outside(dancer: list[Path], film: Any) -> None:
    reports = "\n".join(path.read_text(encoding="utf-8") for path in dancer if path.suffix == ".txt")
    assert f"changed outside the mask: nothing, in all {len(film)} frames" in reports
    assert f"{len(film)} masks; area jitter" in reports


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            'Segment Anything.prompts={"positive": [[480, 270]]}',
            "Segment Anything: points must be inside the picture of 160x96, got x 480",
        ),
        ("Segment Anything.prompts=the dancer", "Segment Anything: prompts must be JSON, got .*; write {"),
        ("Segment Anything.object=3", r"Segment Anything: object must be in 0\.\.1, got 3"),
        ("Load Segment Anything.model=none.pth", r'none.pth for .* "Load Segment Anything": put it into .*sams'),
        (
            "Restyled room.image=escalier_small.png",
            "Place Subject: room must be 160x96 like the source, got 80x48; scale",
        ),
    ],
    ids=["outside the picture", "not JSON", "no such object", "no such model", "room of another size"],
)
def test_bad_input_is_refused_in_a_sentence(server: Server, tmp_path: Path, setting: str, message: str) -> None:
    pytest.importorskip("segment_anything")
    cv2.imwrite(str(server.base / "input" / "escalier_small.png"), np.zeros((48, 80, 3), np.uint8))
    settings = ['Segment Anything.prompts={"box": [20, 20, 90, 90]}', setting]
    with pytest.raises(ComfyUIError, match=message):
        run_workflow(load_workflow("dancer_background"), server=server, output=tmp_path, settings=settings)
