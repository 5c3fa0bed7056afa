"""The painterly filter: deterministic, clearly another look, and still the same drawing."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.film import Size, make_clip
from escalier.keyframes import LOOKS, paint_picture


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return make_clip(Size(240, 136), length=3).frame(1)


@pytest.mark.parametrize("look", LOOKS)
def test_same_picture_same_bits_whatever_the_threads(picture: np.ndarray, look: str) -> None:
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = paint_picture(picture, look)
        cv2.setNumThreads(4)
        assert np.array_equal(paint_picture(picture, look), alone)
    finally:
        cv2.setNumThreads(threads)


@pytest.mark.parametrize("look", LOOKS)
def test_colours_change_and_the_drawing_stays(picture: np.ndarray, look: str) -> None:
    painted = paint_picture(picture, look)
    assert painted.shape == picture.shape and painted.dtype == np.uint8
    before, after = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(float) for p in (picture, painted))
    assert np.abs(after - before).mean() > 6
    assert np.corrcoef(before[..., 0].ravel(), after[..., 0].ravel())[0, 1] > 0.8


def test_looks_differ_from_one_another(picture: np.ndarray) -> None:
    painted = [paint_picture(picture, look).astype(int) for look in LOOKS]
    pairs = [np.abs(a - b).mean() for i, a in enumerate(painted) for b in painted[:i]]
    assert min(pairs) > 8


def test_the_seed_moves_the_brush_only_where_there_is_one(picture: np.ndarray) -> None:
    changed = {
        look for look in LOOKS if not np.array_equal(paint_picture(picture, look), paint_picture(picture, look, seed=1))
    }
    assert changed == {"gouache", "dusk"}


def test_without_a_brush_a_moved_picture_gives_a_moved_painting(picture: np.ndarray) -> None:
    whole, part = (
        paint_picture(picture, "poster").astype(int),
        paint_picture(np.roll(picture, 8, axis=1), "poster").astype(int),
    )
    inner = np.abs(np.roll(part, -8, axis=1) - whole)[20:-20, 40:-40]
    assert np.median(inner) <= 1 and inner.mean() < 3


def test_float_pictures_are_painted_alike(picture: np.ndarray) -> None:
    assert np.array_equal(paint_picture(picture.astype(np.float32) / 255, "poster"), paint_picture(picture, "poster"))


def test_an_unknown_look_and_a_grey_picture_are_refused(picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="look must be one of gouache, woodcut, dusk, poster, got 'oil'"):
        paint_picture(picture, "oil")
    with pytest.raises(ValueError, match=r"picture must be RGB \(height, width, 3\), got \(136, 240\)"):
        paint_picture(picture[..., 0])
