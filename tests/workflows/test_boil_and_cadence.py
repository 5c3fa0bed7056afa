"""The recipes that make a film livelier or calmer run through a real server and keep its clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from escalier.comfyui import HeadlessError, Server, load_workflow
from escalier.commands.run import run_workflow
from escalier.mask import shape_edge


@pytest.fixture(scope="module")
def boiling(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    workflow = load_workflow("boiling_character_still_set")
    return run_workflow(workflow, server=server, output=tmp_path_factory.mktemp("boiling"))


@pytest.fixture(scope="module")
def calmed(server: Server, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return run_workflow(load_workflow("cadence_rife"), server=server, output=tmp_path_factory.mktemp("calmed"))


def saved_film(paths: list[Path]) -> Any:
    from escalier.film import VideoFrames

    (path,) = (path for path in paths if path.suffix == ".mp4")
    return VideoFrames(path)


def brightness(picture: np.ndarray) -> np.ndarray:
    """H.264 halves the colour resolution, so only the brightness is compared."""
    return picture.mean(axis=-1)


@pytest.fixture(scope="module")
def still(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The film of the first drawing alone, as the workflow *staircase* makes it."""
    output = tmp_path_factory.mktemp("still")
    return saved_film(run_workflow(load_workflow("staircase"), server=server, output=output))


def test_boil_lives_inside_the_mask_and_nowhere_else(boiling: list[Path], still: Any, film: Any) -> None:
    made = saved_film(boiling)
    assert (len(made), made.size, made.rate) == (len(film), film.size, film.rate)
    region = np.zeros((film.size.height, film.size.width), np.float32)
    region[20:60, 30:90] = 1
    reach = shape_edge(region, feather_outside_px=8)
    # Two pixels more, and a tolerance, since the codec lets what changes colour its neighbours.
    outside = shape_edge(region, spread_px=10, feather_outside_px=8) == 0
    differences = [np.abs(brightness(made.frame(i)) - brightness(still.frame(i))) for i in range(len(film))]
    assert max(d[outside].mean() for d in differences) < 3
    lively = [d[reach == 1].mean() for d in differences]
    # The first drawing for two frames, the second and the third for two each, and over again.
    assert max(lively[i] for i in (0, 1, 6, 7)) < 3
    assert min(lively[i] for i in (2, 3, 4, 5, 8, 9, 10, 11)) > 4


def test_boil_says_that_the_film_loops(boiling: list[Path]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in boiling if path.suffix == ".txt"]
    said = "3 redraws, each held for 2 frames: a cycle of 6. The film is 2 whole cycles long"
    assert any(text.startswith(said) for text in texts)


def test_boil_refuses_films_of_different_lengths(server: Server, tmp_path: Path) -> None:
    workflow = load_workflow("boiling_character_still_set")
    boil = next(node for node in workflow.values() if node["class_type"] == "EscalierLineBoil")
    shorter = {"class_type": "EscalierPickFrames", "inputs": {"film": boil["inputs"]["film"], "every": 2}}
    workflow["999"] = {**shorter, "_meta": {"title": "Shorter"}}
    boil["inputs"]["second"] = ["999", 0]
    with pytest.raises(
        HeadlessError, match=r"Line Boil: redraws must be of one length and size, got 7 frames of 160x96"
    ):
        run_workflow(workflow, server=server, output=tmp_path)


def test_cadence_comes_back_to_the_exact_count_with_the_kept_frames(calmed: list[Path], film: Any) -> None:
    made = saved_film(calmed)
    assert (len(made), made.size, made.rate, made.duration) == (len(film), film.size, film.rate, 2)
    for kept in (0, 2, 4, 6, 8, 10, 11):
        assert np.abs(brightness(made.frame(kept)) - brightness(255 - film.frame(kept))).mean() < 4


def test_cadence_makes_the_other_frames_anew_with_comfyuis_own_network(calmed: list[Path], film: Any) -> None:
    made = saved_film(calmed)
    for dropped in (1, 3, 5, 7, 9):
        frame = brightness(made.frame(dropped))
        assert 10 < frame.mean() < 245
        for other in (dropped - 1, dropped, dropped + 1):
            # The random network hardly moves anything and mixes its two sides: neither of them, nor the true frame.
            assert np.abs(frame - brightness(255 - film.frame(other))).mean() > 1


def test_cadence_can_be_repeated(server: Server, calmed: list[Path], film: Any, tmp_path: Path) -> None:
    (path,) = (path for path in calmed if path.suffix == ".mp4")
    again = run_workflow(
        load_workflow("cadence_rife"), server=server, output=tmp_path, inputs=[f"Load Video.file={path}"]
    )
    made = saved_film(again)
    assert (len(made), made.size, made.rate, made.duration) == (len(film), film.size, film.rate, 2)
