"""The yardstick itself: what it reads at whole pixels, and between them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.pyebsynth import measure_energy, plain_problem
from escalier.pyebsynth.problem import Problem

HEIGHT, WIDTH = 40, 50
STILL = np.stack(np.mgrid[:HEIGHT, :WIDTH], axis=-1).astype(np.int32)
RNG = np.random.default_rng(7)


def smooth_picture(channels: int) -> np.ndarray:
    """No finer than Lanczos' kernel can follow."""
    noise = cv2.GaussianBlur(RNG.random((HEIGHT, WIDTH, channels), np.float32), (0, 0), 2.5)
    return np.uint8(np.rint(cv2.normalize(noise, None, 20, 235, cv2.NORM_MINMAX))).reshape(HEIGHT, WIDTH, channels)


def moved(picture: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """The picture seen (dx, dy) further on."""
    shift = np.float32([[1, 0, -dx], [0, 1, -dy]])
    seen = cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return seen.reshape(picture.shape)


def problem_of(style: np.ndarray, source: np.ndarray, target: np.ndarray, uniformity: float) -> Problem:
    return plain_problem(style, [source], [target], weights=[2.0], uniformity=uniformity)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_whole_places_read_the_same_as_numbers_of_either_kind(channels: int) -> None:
    problem = problem_of(smooth_picture(3), smooth_picture(channels), smooth_picture(channels), 3500)
    nnf = np.stack([RNG.integers(0, side, (HEIGHT, WIDTH)) for side in (HEIGHT, WIDTH)], axis=-1)
    picture = smooth_picture(3)
    assert measure_energy(problem, picture, nnf.astype(np.float32)) == pytest.approx(
        measure_energy(problem, picture, nnf)
    )


def test_the_pixel_by_pixel_definition_agrees(energy_at) -> None:
    style, source, target, image = (smooth_picture(3) for _ in range(4))
    nnf = np.clip(STILL + RNG.integers(-3, 4, STILL.shape), 2, (HEIGHT - 3, WIDTH - 3))
    expected = [
        energy_at((y, x), style, image, nnf, [source], [target], [2.0]) for y in range(HEIGHT) for x in range(WIDTH)
    ]
    found = measure_energy(problem_of(style, source, target, 0), image, nnf)
    assert (found.total, found.guide) == pytest.approx(np.mean(expected, axis=0), rel=1e-5)


def test_a_film_moved_by_half_a_pixel_has_almost_no_energy_at_its_own_places() -> None:
    style, source = smooth_picture(3), smooth_picture(3)
    problem = problem_of(style, source, moved(source, 0.5, 0.25), 0)
    image = moved(style, 0.5, 0.25)
    there, opposite = (np.clip(STILL + np.float32(step), 0, (HEIGHT - 1, WIDTH - 1)) for step in
                       ((0.25, 0.5), (-0.25, -0.5)))  # fmt: skip
    between = measure_energy(problem, image, there)
    whole = measure_energy(problem, image, STILL)
    away = measure_energy(problem, image, opposite)
    assert between.total < 0.02 * whole.total
    assert away.total > 2 * whole.total


def test_usage_counts_the_nearest_whole_pixels() -> None:
    problem = problem_of(*(smooth_picture(3) for _ in range(3)), 3500)
    even = measure_energy(problem, smooth_picture(3), STILL + np.float32(0.3))
    everyone_at_one_place = measure_energy(problem, smooth_picture(3), np.full(STILL.shape, 20.3, np.float32))
    assert even.omega == pytest.approx(1, abs=0.15)
    assert everyone_at_one_place.omega > 50
