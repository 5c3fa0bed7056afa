"""Frames are chosen as asked: never more, never outside the film, and text is read or refused with its fault named."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from escalier.film import ArrayFrames
from escalier.keyframes import choose_keyframes, evenly, format_indices, parse_indices
from escalier.keyframes.choose import count_per_second, every_n


def film_of(length: int, rate: float = 24) -> ArrayFrames:
    return ArrayFrames(np.zeros((length, 2, 2, 3), np.uint8), rate=rate)


class Still:
    def flow(self, i: int, j: int) -> np.ndarray:
        return np.zeros((9, 16, 2), np.float32)

    def visible(self, i: int, j: int) -> np.ndarray:
        return np.ones((9, 16), bool)


@pytest.mark.parametrize(
    ("length", "rate", "options", "expected"),
    [
        (240, 24, {}, (24, 72, 120, 168, 216)),
        (240, 24, {"per_second": 0.1}, (120,)),
        (10, 24, {}, (5,)),
        (1, 24, {}, (0,)),
        (100, 24, {"mode": "count", "count": 1}, (50,)),
        (100, 24, {"mode": "count", "count": 2}, (25, 75)),
        (3, 24, {"mode": "count", "count": 3}, (0, 1, 2)),
        (100, 24, {"mode": "every n", "n": 30}, (0, 30, 60, 90)),
        (100, 24, {"mode": "every n", "n": 500}, (0,)),
        (240, 24, {"mode": "motion", "motion": Still()}, (24, 72, 120, 168, 216)),
        (240, 24, {"mode": "motion", "motion": Still(), "count": 3}, (40, 120, 200)),
        (1, 24, {"mode": "motion", "motion": Still(), "count": 1}, (0,)),
        (100, 24, {"mode": "list", "frames": [3, 99]}, (3, 99)),
    ],
)
def test_known_choices(length: int, rate: float, options: dict, expected: tuple[int, ...]) -> None:
    assert choose_keyframes(film_of(length, rate), **options) == expected


def test_motion_mode_puts_a_keyframe_on_each_side_of_a_cut() -> None:
    """Both shots stand still: only the cut tells that one keyframe cannot show both."""
    film = np.zeros((30, 48, 48, 3), np.uint8)
    film[24:, :, :24] = (250, 30, 30)
    film[24:, :, 24:] = (30, 30, 250)

    class StillAndAsLarge(Still):
        def flow(self, i: int, j: int) -> np.ndarray:
            return np.zeros((48, 48, 2), np.float32)

        def visible(self, i: int, j: int) -> np.ndarray:
            return np.ones((48, 48), bool)

    first, second = choose_keyframes(ArrayFrames(film), "motion", motion=StillAndAsLarge(), count=2)
    assert first < 24 <= second


def test_an_even_spread_leaves_no_frame_further_than_half_a_share_from_a_keyframe() -> None:
    for length in range(1, 60):
        for count in range(1, length + 1):
            chosen = np.array(evenly(length, count))
            assert len(chosen) == count and chosen[0] >= 0 and chosen[-1] < length
            assert (np.diff(chosen) >= 1).all()
            away = np.abs(np.arange(length)[:, None] - chosen).min(axis=1)
            assert away.max() <= length / (2 * count) + 0.5


def test_every_n_keeps_its_step() -> None:
    for length in range(1, 30):
        for n in range(1, 40):
            assert every_n(length, n) == tuple(k for k in range(length) if k % n == 0)


@pytest.mark.parametrize("rate", [24, 23.976, Fraction(30000, 1001)], ids=str)
def test_counts_per_second_follow_the_film_rate(rate: float) -> None:
    assert count_per_second(round(rate * 60), rate, 0.5) == 30
    assert count_per_second(5, rate, 1000) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "best"}, "mode must be one of per second, count, every n, motion, list, got 'best'"),
        ({"mode": "count"}, "count must be given for mode 'count'"),
        ({"mode": "count", "count": 0}, "count must be at least 1, got 0"),
        ({"mode": "count", "count": 11}, "count must be at most the film's 10 frames, got 11"),
        ({"mode": "every n"}, "n must be given for mode 'every n'"),
        ({"mode": "every n", "n": 0}, "n must be at least 1 frame, got 0"),
        ({"per_second": 0}, "per_second must be > 0 and finite, got 0"),
        ({"per_second": float("nan")}, "per_second must be a finite number, got nan"),
        ({"per_second": float("inf")}, "per_second must be a finite number, got inf"),
        ({"mode": "motion"}, "motion must be given for mode 'motion'"),
        ({"mode": "motion", "motion": Still(), "count": 11}, "choose_keyframes: count must be at most"),
        ({"mode": "motion", "motion": Still(), "minimum_gap": 0}, "minimum_gap must be at least 1 frame, got 0"),
        ({"mode": "list"}, "frames must be given for mode 'list', got none; name them"),
        ({"mode": "list", "frames": [3, 10]}, r"choose_keyframes: indices must lie in 0\.\.9, got 10"),
    ],
)
def test_refuses(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_keyframes(film_of(10), **options)


@pytest.mark.parametrize(
    "text", ["0, 24, 48", "0 24 48", "[0, 24, 48]", "[0,24,48]", "0;24;48", " 0\n24\n48\n", "0, 24, 48,", "00, 024 048"]
)
def test_frame_numbers_are_read_from_text(text: str) -> None:
    assert parse_indices(text, length=49) == [0, 24, 48]


def test_frame_numbers_survive_text() -> None:
    assert parse_indices(format_indices(range(0, 100, 7)), length=100) == list(range(0, 100, 7))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "parse_indices: indices must name at least one frame, got none"),
        ("[]", "indices must name at least one frame, got none"),
        ("0, twelve, 24", "must be whole frame numbers such as '0, 24, 48', got 'twelve'"),
        ("0, 2.5", "got '2.5'"),
        ("0-24", "got '0-24'"),
        ("²", "got '²'"),
        ("[0, 24", r"got '\[0'"),
        ("-1, 3", r"indices must lie in 0\.\.48, got -1"),
        ("0, 49", r"indices must lie in 0\.\.48, got 49; the film has 49 frames, counted from 0"),
        ("24, 0", "indices must rise, got 0 after 24"),
        ("0, 24, 24", "indices must be different, got 24 twice"),
    ],
)
def test_text_that_names_no_frames_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_indices(text, length=49)
