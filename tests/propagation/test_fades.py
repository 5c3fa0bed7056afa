"""The fades: weights at each frame and pixel, whichever the mode and length, and the mix of two sides."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.propagation import FADES, Gap, Run, mix, window
from escalier.propagation.fades import SwitchTimes
from escalier.propagation.staircase import dither

BEFORE, AFTER = 3, 27
HEIGHT, WIDTH = 48, 64
LENGTHS = [0, 1, 3, AFTER - BEFORE, 90, None]


def smooth_noise(seed: int, shape: tuple[int, ...] = (HEIGHT, WIDTH)) -> np.ndarray:
    noise = np.random.default_rng(seed).random(shape, np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 1, cv2.NORM_MINMAX)


def one_run(start: int, direction: int, picture: np.ndarray, errors: np.ndarray) -> Run:
    """A run of one still picture with these errors at each step from its keyframe."""
    frames = np.broadcast_to(picture, (len(errors), *picture.shape))
    return Run(start, direction, frames, errors.astype(np.float16), np.ones(len(errors), np.float32), Path("run"))


def a_gap(
    fade_frames: int | None = None,
    *,
    ramp_frames: float = 3.0,
    seed: int = 0,
    earlier_error: np.ndarray | None = None,
    later_error: np.ndarray | None = None,
    pictures: np.ndarray | None = None,
    growth: float = 1.0,
) -> Gap:
    """Two runs whose errors grow with the distance from their keyframes; growth=0: they stay."""
    distance = 1 + growth * np.arange(AFTER - BEFORE, dtype=np.float32)[:, None, None]
    errors = [
        distance * (4 + 8 * (smooth_noise(seed) if given is None else given))
        for seed, given in ((1, earlier_error), (2, later_error))
    ]
    if pictures is None:
        pictures = np.random.default_rng(3).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
    earlier, later = one_run(BEFORE, 1, pictures[0], errors[0]), one_run(AFTER, -1, pictures[1], errors[1])
    start, stop = window(BEFORE, AFTER, fade_frames)
    return Gap(earlier, later, start, stop, ramp_frames, seed)


def weights_of(mode: str, gap: Gap) -> np.ndarray:
    """All weights from keyframe to keyframe, float32 (AFTER - BEFORE + 1, H, W)."""
    weight = FADES[mode](gap)
    return np.stack([np.broadcast_to(weight(i), (HEIGHT, WIDTH)) for i in range(BEFORE, AFTER + 1)])


@pytest.mark.parametrize("fade_frames", LENGTHS)
@pytest.mark.parametrize("mode", FADES)
def test_weights_lie_between_none_at_one_keyframe_and_all_at_the_next(mode: str, fade_frames: int | None) -> None:
    weights = weights_of(mode, a_gap(fade_frames))
    assert weights.dtype == np.float32
    assert (weights >= 0).all() and (weights <= 1).all()
    assert (weights[0] == 0).all()
    assert (weights[-1] == 1).all()
    assert (np.diff(weights.mean(axis=(1, 2))) >= -1e-6).all()


@pytest.mark.parametrize("fade_frames", LENGTHS)
@pytest.mark.parametrize("mode", FADES)
def test_no_pixel_goes_back_to_the_earlier_run_where_the_errors_keep_their_proportion(mode, fade_frames) -> None:
    assert (np.diff(weights_of(mode, a_gap(fade_frames, growth=0)), axis=0) >= 0).all()


@pytest.mark.parametrize("fade_frames", [1, 3, 8])
@pytest.mark.parametrize("mode", FADES)
def test_a_short_fade_lies_in_the_middle_of_its_gap(mode: str, fade_frames: int) -> None:
    weights = weights_of(mode, a_gap(fade_frames))
    middle = (AFTER - BEFORE) / 2
    frames = np.arange(len(weights))
    assert (weights[frames <= middle - fade_frames / 2] == 0).all()
    assert (weights[frames >= middle + fade_frames / 2] == 1).all()


@pytest.mark.parametrize("mode", FADES)
def test_no_fade_is_a_cut(mode: str) -> None:
    assert set(np.unique(weights_of(mode, a_gap(0)))) == {0.0, 1.0}


def test_linear_and_smoothstep_are_what_they_are_called() -> None:
    share = np.arange(AFTER - BEFORE + 1) / (AFTER - BEFORE)
    assert np.allclose(weights_of("linear", a_gap())[:, 0, 0], share, atol=1e-6)
    assert np.allclose(weights_of("smoothstep", a_gap())[:, 0, 0], share**2 * (3 - 2 * share), atol=1e-6)


# Guide errors grow with the distance from the keyframe: over 50 frames of a talking head about twofold.
@pytest.mark.parametrize("growth", [0.0, 0.05, 1.0], ids=["still errors", "doubled errors", "errors grown 24 times"])
def test_staggered_changes_the_picture_at_an_even_rate(growth: float) -> None:
    pictures = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    # The later run is far from the earlier on the left and near on the right: the left has to take more of the time.
    pictures[1, :, : WIDTH // 2], pictures[1, :, WIDTH // 2 :] = 120, 12
    apart = pictures[1, ..., 0] + 1.0
    weights = weights_of("staggered", a_gap(pictures=pictures, growth=growth))
    changed = (weights * apart).sum(axis=(1, 2)) / apart.sum()
    steps = np.diff(changed)
    assert steps.max() < 1.6 / len(steps)
    assert np.abs(changed - np.linspace(0, 1, len(changed))).max() < 0.1


def test_switch_times_are_spread_evenly_over_the_window() -> None:
    same = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    times = SwitchTimes(a_gap(pictures=same, growth=0)).at(BEFORE + 9)
    assert times.shape == (HEIGHT, WIDTH) and times.min() >= 0 and times.max() <= 1
    assert np.allclose(np.quantile(times, np.linspace(0.1, 0.9, 9)), np.linspace(0.1, 0.9, 9), atol=0.02)


def test_only_a_few_pixels_show_both_runs_at_a_time() -> None:
    weights = weights_of("staggered", a_gap(ramp_frames=3))
    both = ((weights > 0.02) & (weights < 0.98)).mean(axis=(1, 2))
    assert both.max() < 2 * 3 / (AFTER - BEFORE)
    assert both.max() > 0


def test_a_ramp_of_no_frames_shows_one_run_at_each_pixel() -> None:
    weights = weights_of("staggered", a_gap(ramp_frames=0))
    assert ((weights == 0) | (weights == 1)).mean() > 0.995


def test_pixels_that_the_later_run_matches_better_switch_first() -> None:
    better = np.full((HEIGHT, WIDTH), 0.1, np.float32)
    better[:, WIDTH // 2 :] = 8
    gap = a_gap(earlier_error=better, later_error=better[:, ::-1], growth=0)
    halfway = np.asarray(FADES["staggered"](gap)((BEFORE + AFTER) // 2))
    assert halfway[:, : WIDTH // 2 - 8].mean() < 0.15
    assert halfway[:, WIDTH // 2 + 8 :].mean() > 0.85


def test_the_switch_goes_with_what_moves() -> None:
    """A thing that only the earlier run can draw stays whole while it crosses the picture."""
    distance = AFTER - BEFORE
    bad = np.full((distance, HEIGHT, WIDTH), 6, np.float32)
    for frame in range(BEFORE + 1, AFTER):
        left = 2 * (frame - BEFORE)
        bad[AFTER - frame, :, left : left + 10] = 80
    pictures = np.random.default_rng(3).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
    earlier = one_run(BEFORE, 1, pictures[0], np.full((distance, HEIGHT, WIDTH), 6))
    weight = FADES["staggered"](Gap(earlier, one_run(AFTER, -1, pictures[1], bad), BEFORE, AFTER, 3.0, 0))
    for frame in (BEFORE + 8, BEFORE + 12, BEFORE + 16):
        left = 2 * (frame - BEFORE)
        here = np.asarray(weight(frame))
        assert here[:, left + 2 : left + 8].mean() < 0.1
        assert here[:, left + 2 : left + 8].mean() < np.delete(here, np.s_[left : left + 10], axis=1).mean() - 0.15


def test_the_seed_alone_decides_the_noise() -> None:
    one, again, other = (weights_of("staggered", a_gap(seed=seed)) for seed in (5, 5, 6))
    assert (one == again).all()
    assert (one != other).mean() > 0.05


@pytest.mark.parametrize(
    ("fade_frames", "expected"),
    [(0, (15, 15)), (1, (14.5, 15.5)), (10, (10, 20)), (24, (3, 27)), (90, (3, 27)), (None, (3, 27))],
)
def test_the_window_lies_in_the_middle_and_never_beyond_the_gap(fade_frames, expected) -> None:
    assert window(BEFORE, AFTER, fade_frames) == expected


def test_a_fade_over_neighbouring_keyframes_has_nothing_to_do() -> None:
    assert window(4, 5, None) == (4, 5)


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_mix_is_the_weighted_mean_to_less_than_a_level(weight: float) -> None:
    earlier, later = np.random.default_rng(0).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
    expected = (1 - weight) * earlier.astype(float) + weight * later
    mixed = mix(earlier, later, np.float32(weight))
    assert mixed.dtype == np.uint8
    assert np.abs(mixed - expected).max() < 1
    assert abs(float((mixed - expected).mean())) < 0.02


def test_mix_takes_each_side_bit_for_bit_where_it_has_all_the_weight() -> None:
    earlier, later = np.random.default_rng(0).integers(0, 256, (2, HEIGHT, WIDTH, 3), np.uint8)
    weight = (np.random.default_rng(1).random((HEIGHT, WIDTH)) < 0.5).astype(np.float32)
    mixed = mix(earlier, later, weight)
    assert (mixed[weight == 0] == earlier[weight == 0]).all()
    assert (mixed[weight == 1] == later[weight == 1]).all()


def test_the_two_weights_sum_to_one_so_equal_sides_stay_as_they_are() -> None:
    levels = np.arange(256, dtype=np.uint8).repeat(12).reshape(HEIGHT, WIDTH)[..., None].repeat(3, axis=2)
    weight = np.random.default_rng(1).random((HEIGHT, WIDTH), np.float32)
    assert (mix(levels, levels, weight) == levels).all()


def test_dither_holds_every_threshold_equally_often() -> None:
    pattern = dither(120, 160)
    assert pattern.min() >= 0 and pattern.max() < 1
    assert np.allclose(np.histogram(pattern, 10, (0, 1))[0] / pattern.size, 0.1, atol=0.01)
