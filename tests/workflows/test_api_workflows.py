"""Every shipped API workflow runs through a real server and makes what it promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from escalier.comfyui import HeadlessError, Server, load_workflow
from escalier.commands.run import run_workflow
from escalier.film import Size, read_picture
from escalier.keyframes import Keyframes


@pytest.fixture(scope="module")
def staircase(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return run_workflow(load_workflow("staircase"), server=server, output=tmp_path_factory.mktemp("staircase"))


@pytest.fixture(scope="module")
def roundtrip(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    output = tmp_path_factory.mktemp("roundtrip")
    return run_workflow(load_workflow("keyframe_grid_roundtrip"), server=server, output=output)


def test_staircase_writes_the_film_in_the_time_and_size_of_the_clip(staircase: list[Path], film: Any) -> None:
    from escalier.film import VideoFrames

    (video,) = (path for path in staircase if path.suffix == ".mp4")
    made = VideoFrames(video)
    assert (len(made), made.size, made.rate) == (len(film), film.size, film.rate)


def test_staircase_shows_the_painted_keyframes(staircase: list[Path], keyframes: Keyframes) -> None:
    from escalier.film import VideoFrames

    (video,) = (path for path in staircase if path.suffix == ".mp4")
    made = VideoFrames(video)
    for index, picture in keyframes:
        # H.264 halves the colour resolution, so only the brightness is compared.
        difference = made.frame(index).mean(axis=-1) - picture.mean(axis=-1)
        assert np.abs(difference).mean() < 4


def test_staircase_reports_how_steady_the_film_is(staircase: list[Path]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in staircase if path.suffix == ".txt"]
    (text,) = (text for text in texts if re.search(r"least sure at frame \d+", text))
    assert any(re.match(r"file +frame +time", text) for text in texts), "which file stands at which frame"
    assert "ghosting kept" in text and "pop" in text


def test_second_run_makes_nothing_again(staircase: list[Path], server: Server, tmp_path: Path) -> None:
    kept: set[str] = set()

    def listen(kind: str, data: dict) -> None:
        if kind == "execution_cached":
            kept.update(data["nodes"])

    workflow = load_workflow("staircase")
    run_workflow(workflow, server=server, output=tmp_path, settings=["Save Video.filename_prefix=b"], listener=listen)
    again = {node["_meta"]["title"] for key, node in workflow.items() if key not in kept}
    assert again == {"Save Video"}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            "Load Keyframes.folder=nowhere",
            r'nowhere for .* "Load Keyframes": give your own with --input .*, or put it into .*input',
        ),
        ("Load Keyframes.folder=small", r"Load Keyframes: keyframe_000001.png must be 160x96, .* got 80x48; scale it"),
        ("Load Keyframes.folder=empty", r"Load Keyframes: .*empty must hold pictures .* got none"),
    ],
    ids=["no such folder", "keyframes of another size", "no keyframes"],
)
def test_bad_input_is_refused_in_a_sentence(server: Server, tmp_path: Path, setting: str, message: str) -> None:
    with pytest.raises(HeadlessError, match=message):
        run_workflow(load_workflow("staircase"), server=server, output=tmp_path, settings=[setting])
    assert list(tmp_path.iterdir()) == []


def test_roundtrip_saves_the_sheet_and_the_keyframes_by_frame_number(roundtrip: list[Path], film: Any) -> None:
    names = [path.name for path in roundtrip if path.suffix == ".png"]
    sheets = [path for path in roundtrip if path.name.startswith("sheet")]
    assert [name for name in names if name.startswith("keyframe_")] == [
        f"keyframe_{index:06d}.png" for index in (1, 4, 7, 10)
    ]
    assert all(side % 64 == 0 for sheet in sheets for side in Size.of(read_picture(sheet)))
    assert all(Size.of(read_picture(path)) == film.size for path in roundtrip if path.name.startswith("keyframe_"))


def test_roundtrip_paints_what_it_saves(roundtrip: list[Path], film: Any) -> None:
    sheet = next(read_picture(path) for path in roundtrip if path.name.startswith("sheet"))
    keyframe = next(read_picture(path) for path in roundtrip if path.name == "keyframe_000004.png")
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) == 12
    change = np.abs(keyframe.astype(int) - film.frame(4)).mean()
    assert 5 < change < 40


def test_roundtrip_shows_the_plan_in_words(roundtrip: list[Path]) -> None:
    (text,) = (path.read_text(encoding="utf-8") for path in roundtrip if path.suffix == ".txt")
    assert text.startswith("4 keyframes on 1 sheet")
