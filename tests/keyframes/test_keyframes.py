"""Keyframes keep pictures and places together and refuse what does not belong."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from escalier.film import ArrayFrames, Size
from escalier.keyframes import Keyframes, fits_film, same_shape

PICTURE = np.zeros((4, 6, 3), np.uint8)


def test_keyframes_know_their_size_intervals_and_order() -> None:
    keyframes = Keyframes([0, 10, 15], [PICTURE] * 3, 20)
    assert keyframes.size == Size(6, 4)
    assert keyframes.intervals() == [(0, 10), (10, 15)]
    assert [index for index, _ in keyframes] == [0, 10, 15]
    assert Keyframes([3], [PICTURE], 20).intervals() == []


def test_keyframes_of_a_film_are_its_frames_and_not_views_of_them() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    keyframes = Keyframes.of(ArrayFrames(frames), [1, 4])
    assert keyframes.length == 5
    assert np.array_equal(keyframes.pictures, frames[[1, 4]])
    assert not np.shares_memory(keyframes.pictures[0], frames)


def test_restyled_pictures_keep_their_places() -> None:
    painted = Keyframes([0, 10], [PICTURE] * 2, 20).with_pictures([np.full((8, 12, 3), 0.5, np.float32)] * 2)
    assert painted.indices == (0, 10)
    assert painted.size == Size(12, 8)


@pytest.mark.parametrize(
    ("indices", "pictures", "length", "message"),
    [
        ([], [], 20, "indices must name at least one frame"),
        ([0, 0], [PICTURE] * 2, 20, "indices must be different, got 0 twice"),
        ([5, 0], [PICTURE] * 2, 20, "indices must rise, got 0 after 5"),
        ([20], [PICTURE], 20, r"indices must lie in 0\.\.19, got 20"),
        ([-1], [PICTURE], 20, r"indices must lie in 0\.\.19, got -1"),
        ([0], [PICTURE], 0, "length must be at least 1 frame, got 0"),
        ([0, 1], [PICTURE], 20, "got 1 pictures for 2 indices"),
        ([0], [PICTURE[..., 0]], 20, r"must be RGB, got an array of shape \(4, 6\)"),
        ([0], [np.zeros((4, 6, 4), np.uint8)], 20, r"must be RGB, got an array of shape \(4, 6, 4\)"),
        ([0, 1], [PICTURE, PICTURE[:2]], 20, "must be of one size, got 6x2 at frame 1 and 6x4 at frame 0"),
        ([0], [np.full((4, 6, 3), np.nan, np.float32)], 20, "must hold finite numbers"),
    ],
)
def test_refuses(indices: list, pictures: list, length: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Keyframes(indices, pictures, length)


def test_other_number_types_are_refused() -> None:
    with pytest.raises(TypeError, match="must be uint8 or float32, got float64"):
        Keyframes([0], [np.zeros((4, 6, 3))], 20)


@pytest.mark.parametrize("factor", [1.1, 1.25, 1.5, 2, 2.25, 3, 4])
@pytest.mark.parametrize(
    "filmed", [Size(640, 360), Size(360, 640), Size(427, 240), Size(64, 48), Size(333, 333)], ids=str
)
def test_an_enlargement_fits_by_any_factor_and_however_its_sides_are_rounded(filmed: Size, factor: float) -> None:
    for rounded in (math.floor, round, math.ceil):
        painted = Size(*(rounded(side * Fraction(factor).limit_denominator(20)) for side in filmed))
        if 10 * max(painted) >= 11 * max(filmed):
            assert same_shape(painted, filmed) and same_shape(filmed, painted) and fits_film(painted, filmed)
            off = math.ceil(factor) + 1  # further than half a pixel of the film on both sides
            for other in (Size(painted.width, painted.height + 2 * off), Size(painted.width + 2 * off, painted.height)):
                assert not fits_film(other, filmed)


@pytest.mark.parametrize(
    ("painted", "filmed", "fits"),
    [
        (Size(1920, 1080), Size(854, 480), True),
        (Size(1920, 1080), Size(426, 240), True),
        (Size(1708, 960), Size(428, 240), True),  # a proxy whose width was rounded to an even number
        (Size(1708, 961), Size(854, 480), True),
        (Size(1708, 962), Size(854, 480), False),
        (Size(32, 19), Size(16, 9), True),
        (Size(32, 20), Size(16, 9), False),
        (Size(1280, 536), Size(640, 270), False),
        (Size(642, 361), Size(640, 360), False),
        (Size(320, 180), Size(640, 360), False),
        (Size(640, 360), Size(640, 360), True),
    ],
)
def test_keyframes_of_another_shape_do_not_fit_by_two_pixels_either(painted: Size, filmed: Size, fits: bool) -> None:
    assert fits_film(painted, filmed) is fits
