"""The heat map: bright where the film changes on its own, dark where it goes with its source."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.coherence import HeatMap
from escalier.film import ArrayFrames, FrameSource, Motion, Size

LENGTH, SIZE = 6, Size(161, 120)


def moving(size: Size = SIZE, length: int = LENGTH) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (size.height, size.width, 3), np.uint8)
    scene = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)
    return np.stack([np.roll(scene, 2 * index, axis=1) for index in range(length)])


@pytest.fixture
def motion(tmp_path: Path) -> Motion:
    return Motion(ArrayFrames(moving()), tmp_path)


def test_is_a_film_with_even_sides_that_can_be_saved(motion: Motion) -> None:
    heat = HeatMap(ArrayFrames(moving(), 25), motion)
    assert isinstance(heat, FrameSource)
    assert (heat.size, heat.rate, len(heat)) == (Size(160, 120), 25, LENGTH)
    for index in range(LENGTH):
        assert heat.frame(index).shape == (120, 160, 3) and heat.frame(index).dtype == np.uint8


@pytest.mark.parametrize(("index", "lag"), [(1, 1), (5, 1), (0, 3), (5, 3)], ids=str)
def test_glows_where_the_film_changes_and_nowhere_else(motion: Motion, index: int, lag: int) -> None:
    frames = moving()
    frames[index, 40:80, 60:100] = 255 - frames[index, 40:80, 60:100]
    steady, heat = (HeatMap(ArrayFrames(film), motion, lag=lag).frame(index) for film in (moving(), frames))
    glow = heat.max(axis=2).astype(int) - steady.max(axis=2)
    assert glow[50:70, 70:90].mean() > 60
    assert np.abs(glow[:30, 20:140]).max() == 0


def test_what_the_flow_cannot_follow_is_blue(motion: Motion) -> None:
    heat = HeatMap(ArrayFrames(moving()), motion).frame(2)
    left_out = ~motion.valid(2, 3)[:, :160]
    assert left_out.any()
    assert (heat[left_out][:, 2].astype(int) - heat[left_out][:, 0] == 60).all()


def test_a_film_of_one_frame_shows_the_frame(tmp_path: Path) -> None:
    film = ArrayFrames(moving(length=1))
    assert HeatMap(film, Motion(film, tmp_path)).frame(0).max() > 20


def test_large_films_are_shown_at_the_size_of_the_flow(tmp_path: Path) -> None:
    film = ArrayFrames(moving(Size(1280, 720), 2))
    assert HeatMap(film, Motion(film, tmp_path)).frame(0).shape == (540, 960, 3)


@pytest.mark.parametrize(
    ("film", "lag", "message"),
    [
        (moving()[:4], 1, "restyled must have 6 frames of 161x120 as the source has, .*got 4 of 161x120"),
        (moving(Size(80, 60)), 1, "got 6 of 80x60"),
        (moving(), 0, "lag must be >= 1 frame, got 0"),
    ],
    ids=["length", "size", "lag"],
)
def test_what_does_not_fit_is_refused(motion: Motion, film: np.ndarray, lag: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"HeatMap: .*{message}"):
        HeatMap(ArrayFrames(film), motion, lag=lag)
