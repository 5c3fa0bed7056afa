"""The staircase: weights that sum to one, keyframes to the bit, little memory."""

from __future__ import annotations

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, FrameSource
from escalier.keyframes import Keyframes
from escalier.propagation import FADES, Staircase, mix, propagate, window
from escalier.propagation.staircase import dither

LENGTHS = [None, 0, 1, 3, 5, 100]


@pytest.mark.parametrize("fade_frames", LENGTHS)
@pytest.mark.parametrize("mode", FADES)
def test_weights_sum_to_one_and_begin_and_end_at_the_keyframes(shot, mode: str, fade_frames: int | None) -> None:
    staircase = Staircase(shot.runs, mode=mode, fade_frames=fade_frames)
    means = []
    for index in range(2, 11):
        later = np.asarray(staircase.weight(index), np.float32)
        earlier = 1 - later
        assert (later >= 0).all() and (earlier >= 0).all()
        assert (earlier + later == 1).all()
        means.append(float(later.mean()))
    assert means[-1] == 1
    assert means[1] < 0.5 < means[-2] or fade_frames is None
    # A side that is plain white against plain white must stay white to the level, whatever the weights.
    white = np.full((80, 112, 3), 255, np.uint8)
    assert (mix(white, white, staircase.weight(6)) == 255).all()


@pytest.mark.parametrize("fade_frames", LENGTHS)
@pytest.mark.parametrize("mode", FADES)
def test_keyframes_are_seen_bit_for_bit_and_the_ends_are_the_single_run(shot, mode: str, fade_frames) -> None:
    staircase = Staircase(shot.runs, mode=mode, fade_frames=fade_frames)
    for index, picture in shot.keyframes:
        assert (staircase.frame(index) == picture).all()
    assert (staircase.frame(0) == shot.runs.backward[2].frame(0)).all()
    assert (staircase.frame(12) == shot.runs.forward[10].frame(12)).all()


def test_outside_the_window_one_run_is_seen_alone(shot) -> None:
    staircase = Staircase(shot.runs, fade_frames=2)
    assert (staircase.frame(4) == shot.runs.forward[2].frame(4)).all()
    assert (staircase.frame(8) == shot.runs.backward[10].frame(8)).all()


def test_a_fade_lies_in_the_middle_of_its_gap() -> None:
    assert window(0, 50, 10) == (20, 30)
    assert window(0, 50, None) == window(0, 50, 80) == (0, 50)


def test_linear_weights_are_a_straight_line(shot) -> None:
    staircase = Staircase(shot.runs, mode="linear")
    assert [float(staircase.weight(i)) for i in range(3, 10)] == [k / 8 for k in range(1, 8)]


def test_staggered_pixels_switch_at_their_own_time_and_few_at_once(shot) -> None:
    staircase = Staircase(shot.runs, ramp_frames=1)
    weight = np.asarray(staircase.weight(6))
    assert ((weight > 0) & (weight < 1)).mean() < 0.4
    assert 0.1 < weight.mean() < 0.9


def test_a_cut_is_no_mix(shot) -> None:
    staircase = Staircase(shot.runs, mode="linear", fade_frames=0)
    for index in range(3, 10):
        side = shot.runs.forward[2] if index <= 6 else shot.runs.backward[10]
        assert (staircase.frame(index) == side.frame(index)).all()


def test_frames_are_the_same_in_any_order_and_from_any_thread(shot) -> None:
    one = Staircase(shot.runs)
    forwards = [one.frame(i) for i in range(13)]
    other = Staircase(shot.runs)
    with ThreadPoolExecutor(4) as pool:
        backwards = list(pool.map(other.frame, reversed(range(13))))[::-1]
    assert all((a == b).all() for a, b in zip(forwards, backwards, strict=True))


def test_a_staircase_is_a_film(shot) -> None:
    staircase = Staircase(shot.runs)
    assert isinstance(staircase, FrameSource)
    assert (len(staircase), staircase.size, staircase.rate) == (13, shot.film.size, shot.film.rate)


def test_the_memory_of_a_staircase_does_not_grow_with_the_film(shot) -> None:
    staircase = Staircase(shot.runs)
    staircase.frame(5)
    tracemalloc.start()
    for index in [*range(13)] * 3:
        staircase.frame(index)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    frame = 80 * 112 * 3
    assert kept < 2 * frame
    assert peak < 40 * frame


def test_one_level_of_difference_does_not_turn_all_at_once() -> None:
    low, high = np.full((64, 64, 3), 100, np.uint8), np.full((64, 64, 3), 101, np.uint8)
    shares = [float((mix(low, high, np.float32(w)) == 101).mean()) for w in (0.25, 0.49, 0.51, 0.75)]
    assert shares == pytest.approx([0.25, 0.49, 0.51, 0.75], abs=0.03)


def test_the_dither_is_even() -> None:
    pattern = dither(64, 64)
    assert (pattern >= 0).all() and (pattern < 1).all()
    assert np.histogram(pattern, bins=8, range=(0, 1))[0].min() > 0.1 * pattern.size


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"mode": "dissolve"}, "mode must be one of staggered, linear, smoothstep, by_error, got dissolve"),
        ({"fade_frames": -1}, "fade_frames must be >= 0, got -1"),
        ({"ramp_frames": -2}, "ramp_frames must be >= 0, got -2"),
    ],
    ids=["mode", "fade", "ramp"],
)
def test_bad_settings_are_refused(shot, arguments, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Staircase(shot.runs, **arguments)


def test_frames_outside_the_film_are_refused(shot) -> None:
    with pytest.raises(IndexError, match=r"index must lie in 0\.\.12, got 13"):
        Staircase(shot.runs).frame(13)


def test_keyframes_next_to_each_other_leave_nothing_to_fade(shot, tmp_path: Path) -> None:
    film = ArrayFrames(np.stack([shot.film.frame(i) for i in range(3)]))
    keyframes = Keyframes([0, 1], [255 - film.frame(0), 255 - film.frame(1)], length=3)
    staircase = Staircase(propagate(film, keyframes, folder=tmp_path, threads=1))
    assert (staircase.frame(1) == 255 - film.frame(1)).all()
    assert staircase.frame(2).shape == (80, 112, 3)
