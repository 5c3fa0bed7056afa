"""The figures that judge a fade, on pictures whose figures are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.coherence import (
    followed_pixels,
    ghosting_kept,
    high_pass_contrast,
    measure_double_exposure,
    measure_fades,
    pop,
    visible_change,
)
from escalier.film import ArrayFrames, Motion
from escalier.keyframes import Keyframes
from escalier.propagation import Run, Runs, Staircase, propagate


def texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (96, 120, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 0.8)


def still_staircase(left: np.ndarray, right: np.ndarray, frames: int, **settings: object) -> Staircase:
    """Two still runs over a still film: nothing moves but the fade."""
    height, width = left.shape[:2]
    error = np.full((frames, height, width), 3, np.float16)

    def run(start: int, direction: int, picture: np.ndarray) -> Run:
        pictures = np.repeat(picture[None], frames, axis=0)
        return Run(start, direction, pictures, error, np.ones(frames, np.float32), Path())

    keyframes = Keyframes([0, frames - 1], [left, right], frames)
    film = ArrayFrames(left[None])
    return Staircase(
        Runs(keyframes, film.size, film.rate, {0: run(0, 1, left)}, {frames - 1: run(frames - 1, -1, right)}),
        **settings,  # type: ignore[arg-type]
    )


def still_film(frames: int) -> ArrayFrames:
    return ArrayFrames(np.repeat(texture(9)[None], frames, axis=0))


def test_a_blend_of_the_same_picture_keeps_all() -> None:
    assert ghosting_kept(texture(0), texture(0), texture(0), 0.5) == 1


@pytest.mark.parametrize(("weight", "kept"), [(0.5, 0.707), (0.25, 0.791)])
def test_a_mix_of_unrelated_textures_keeps_what_theory_says(weight: float, kept: float) -> None:
    one, other = (np.random.default_rng(s).normal(0.5, 0.1, (128, 128, 3)).astype(np.float32) for s in (0, 1))
    assert ghosting_kept((1 - weight) * one + weight * other, one, other, weight) == pytest.approx(kept, abs=0.01)


def test_a_colour_offset_alone_is_no_ghost() -> None:
    one = texture(0).astype(np.float32) / 255
    other = one + np.float32([0.2, -0.1, 0.05])
    assert ghosting_kept((one + other) / 2, one, other, 0.5) == pytest.approx(1, abs=1e-3)


def test_pictures_without_any_drawing_have_none_to_lose() -> None:
    flat = np.full((40, 40, 3), 0.5, np.float32)
    assert ghosting_kept(flat, flat, flat, 0.5) == pytest.approx(1)


def test_contrast_agrees_with_a_straightforward_reckoning() -> None:
    picture = texture(3)
    grey = (picture.astype(np.float64) @ [0.299, 0.587, 0.114] / 255).astype(np.float32)
    high = grey - cv2.GaussianBlur(grey, (0, 0), 2)
    expected = np.sqrt(cv2.GaussianBlur(high * high, (0, 0), 12))
    assert np.abs(high_pass_contrast(picture) - expected).max() < 1e-5


def test_visible_change_is_the_colour_difference_in_lab() -> None:
    before, after = texture(0), texture(1)
    flow = np.full((96, 120, 2), (1, 0), np.float32)
    counted = np.zeros((96, 120), bool)
    counted[10:40, 10:50] = True
    lab = [cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2Lab).astype(np.float64) for p in (before, after)]
    expected = np.sqrt(((lab[1][10:40, 11:51] - lab[0][10:40, 10:50]) ** 2).sum(axis=2)).mean()
    assert visible_change(before, after, flow, counted) == pytest.approx(expected, rel=1e-5)


def test_a_film_that_moves_with_its_flow_has_no_visible_change() -> None:
    before = texture(0)
    flow, counted = np.full((96, 120, 2), (3, 2), np.float32), np.zeros((96, 120), bool)
    counted[8:-8, 8:-8] = True
    assert visible_change(before, np.roll(before, (2, 3), axis=(0, 1)), flow, counted) == pytest.approx(0, abs=1e-4)


def test_no_pixel_no_figure() -> None:
    assert visible_change(texture(0), texture(1), np.zeros((96, 120, 2), np.float32), np.zeros((96, 120), bool)) is None


def test_pixels_that_the_source_does_not_confirm_are_not_followed() -> None:
    before = texture(0)
    after = before.copy()
    after[30:60, 40:80] = 255 - after[30:60, 40:80]
    followed = followed_pixels(before, after, np.zeros((96, 120, 2), np.float32), np.ones((96, 120), bool))
    assert not followed[34:56, 44:76].mean() > 0.2
    assert followed[:20].all()


def test_camera_noise_is_still_followed() -> None:
    rng = np.random.default_rng(0)
    before, after = (np.clip(texture(0) + rng.normal(0, 3, (96, 120, 3)), 0, 255).astype(np.uint8) for _ in range(2))
    followed = followed_pixels(before, after, np.zeros((96, 120, 2), np.float32), np.ones((96, 120), bool))
    assert followed.mean() > 0.5


def test_pop_is_the_maximum_over_the_median() -> None:
    assert pop([1, 2, 2, 2, 9]) == 4.5
    assert pop([0, 0, 0, 0]) == 0


@pytest.mark.parametrize("errors", [[], [1.0, float("nan")]], ids=["none", "NaN"])
def test_pop_of_nothing_is_refused(errors: list[float]) -> None:
    with pytest.raises(ValueError, match="changes must be finite numbers"):
        pop(errors)


def test_a_step_that_the_source_takes_as_well_does_not_pop() -> None:
    hands_move = [0.4, 0.4, 0.8, 0.4, 0.4]
    assert pop([2, 2, 4, 2, 2], hands_move) == 1
    assert pop([2, 2, 2, 4, 2], hands_move) == 2, "what it does elsewhere excuses nothing"
    assert pop([2, 2, 4, 2, 2], [0.8, 0.8, 0.2, 0.8, 0.8]) == 2, "a source that rests makes nothing worse"


def test_source_steps_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="source_changes must be as many as changes, 3, got 2"):
        pop([1, 1, 1], [1, 1])


def test_one_keyframe_has_no_fade_and_so_no_pop(tmp_path: Path) -> None:
    film = ArrayFrames(np.stack([texture(i) for i in range(5)]))
    error, frames = np.full((5, 96, 120), 3, np.float16), np.stack([texture(20 + i // 4) for i in range(5)])
    run = Run(0, 1, frames, error, np.ones(5, np.float32), Path())
    runs = Runs(Keyframes([0], [frames[0]], 5), film.size, film.rate, {0: run}, {})
    still = still_film(5)
    report = measure_fades(Staircase(runs), still, Motion(still, tmp_path))
    assert (report.pop, report.pop_frame, report.ghosting) == (None, None, None)
    assert "no fade to judge" in str(report) and "pop" not in str(report)
    assert len(report.change_curve) == 4, "the curve is there all the same"


def test_a_jump_outside_the_keyframes_is_no_fault_of_a_fade(tmp_path: Path) -> None:
    pictures = [texture(0)] * 6
    lone = Run(
        5, 1, np.stack([texture(0), texture(3), texture(3)]), np.zeros((3, 96, 120), np.float16), np.ones(3), Path()
    )
    stairs = still_staircase(texture(0), texture(0), 6)
    runs = Runs(
        Keyframes([0, 5], pictures[:2], 8),
        stairs.size,
        stairs.rate,
        stairs.runs.forward | {5: lone},
        stairs.runs.backward,
    )
    film = still_film(8)
    report = measure_fades(Staircase(runs), film, Motion(film, tmp_path))
    assert report.pop == 0 and report.change_curve.max() > 5


def test_linear_fade_of_unrelated_drawings_loses_what_theory_says_and_does_not_pop(tmp_path: Path) -> None:
    film = still_film(21)
    report = measure_fades(still_staircase(texture(0), texture(1), 21, mode="linear"), film, Motion(film, tmp_path))
    assert report.ghosting == pytest.approx(0.75, abs=0.04)
    stairs = still_staircase(texture(0), texture(1), 21, mode="linear")
    sides = texture(0), texture(1)
    expected = np.mean([measure_double_exposure(stairs.frame(int(i)), *sides) for i in report.ghosting_frames])
    assert report.double_exposure == pytest.approx(expected, abs=1e-6)
    assert f"double exposure: {report.double_exposure:.3f}" in str(report)
    assert report.pop is not None and report.pop < 1.3
    assert set(range(5, 16)) <= set(report.ghosting_frames.tolist()) <= set(range(4, 17))  # .2 and .8 are on the edge
    assert len(report.change_curve) == 20
    assert "pop: " in str(report) and "(good)" in str(report) and "ghosting kept: 0.7" in str(report)
    assert f"ghosting kept: {report.ghosting:.3f} (bad)" in str(report)


def test_staggered_fade_keeps_more_than_linear_at_an_even_pace(tmp_path: Path) -> None:
    film = still_film(31)
    report = measure_fades(still_staircase(texture(0), texture(1), 31), film, Motion(film, tmp_path))
    assert report.ghosting is not None and report.ghosting > 0.9
    assert report.pop is not None and report.pop < 1.5


def test_a_cut_pops_and_is_found_at_its_frame(tmp_path: Path) -> None:
    film = still_film(20)
    stairs = still_staircase(texture(0), texture(1), 20, mode="linear", fade_frames=0)
    report = measure_fades(stairs, film, Motion(film, tmp_path))
    assert report.pop is not None and report.pop > 6
    assert report.pop_frame == 9
    assert report.ghosting is None
    assert "no fade has a middle" in str(report) and "(bad)" in str(report)


def test_a_film_of_one_frame_has_no_figures_and_says_why(tmp_path: Path) -> None:
    film = still_film(1)
    runs = propagate(film, Keyframes([0], [texture(0)], 1), folder=tmp_path)
    report = measure_fades(Staircase(runs), film, Motion(film, tmp_path))
    assert (report.ghosting, report.pop, report.pop_frame) == (None, None, None)
    assert "no fade to judge" in str(report)


def test_what_progress_raises_stops_the_measuring(tmp_path: Path) -> None:
    film = still_film(5)

    def stop(done: int, total: int, picture: np.ndarray | None = None) -> None:
        assert total == 5
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        measure_fades(still_staircase(texture(0), texture(1), 5), film, Motion(film, tmp_path), stop)
