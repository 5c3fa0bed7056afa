"""How far two pictures differ around each pixel, and how far that counts as the same."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.tracking.picture_match import difference, same, without_grain


@pytest.fixture(scope="module")
def plain() -> np.ndarray:
    return np.full((40, 60, 3), 120, np.uint8)


def test_grain_is_smoothed_and_an_even_picture_stays(plain: np.ndarray) -> None:
    grain = np.random.default_rng(0).normal(0, 6, plain.shape)
    grained = np.clip(plain + grain, 0, 255).astype(np.uint8)
    smooth = without_grain(grained)
    assert smooth.dtype == np.float32 and smooth.std() < 0.4 * grained.std()
    assert np.allclose(without_grain(plain), 120)


def test_the_channel_that_differs_most_counts_alone(plain: np.ndarray) -> None:
    one, other = plain.astype(np.float32), plain.astype(np.float32)
    other[..., 2] += 30
    assert np.allclose(difference(one, other), 30, atol=1e-3)
    other[..., 0] += 12
    assert np.allclose(difference(one, other), 30, atol=1e-3)


def test_darker_differs_as_much_as_brighter(plain: np.ndarray) -> None:
    one = plain.astype(np.float32)
    assert np.array_equal(difference(one, one + 9), difference(one + 9, one))
    assert not difference(one, one).any()


def test_a_difference_is_felt_around_its_place_and_not_far_away(plain: np.ndarray) -> None:
    one, other = plain.astype(np.float32), plain.astype(np.float32)
    other[20, 30] += 100
    felt = difference(one, other)
    assert felt[20, 30] > felt[20, 33] > 1 > felt[20, 45] == 0
    # A root of a mean of squares: the whole square is spread, none is lost.
    assert np.square(felt).sum() == pytest.approx(100**2, rel=1e-3)


def test_what_lies_under_the_floor_is_the_same_and_doubt_grows_beyond_it() -> None:
    levels = np.float32([0, 4, 9, 14, 24, 60])
    said = same(levels, 4, 10)
    assert said[0] == said[1] == 1 and said[3] == pytest.approx(np.exp(-1)) and said[-1] < 1e-6
    assert (np.diff(said[1:]) < 0).all()


def test_a_wider_tolerance_believes_more() -> None:
    levels = np.float32([10, 20, 40])
    assert (same(levels, 2, 30) > same(levels, 2, 10)).all()
    assert cv2.norm(same(levels, 50, 10) - 1) == 0
