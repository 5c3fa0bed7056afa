"""Keyframes by motion stand where they see the most: checked on films whose motion is known exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from escalier.keyframes import spread_evenly
from escalier.keyframes.coverage import most_coverage

HEIGHT, WIDTH = 36, 64


class Pan:
    """A camera that pans over a wide scene: at frame t it stands `position[t]` pixels to the right."""

    def __init__(self, position: np.ndarray) -> None:
        self.position = np.asarray(position, np.float64)

    def __len__(self) -> int:
        return len(self.position)

    def flow(self, i: int, j: int) -> np.ndarray:
        assert abs(i - j) == 1
        return np.full((HEIGHT, WIDTH, 2), (self.position[i] - self.position[j], 0), np.float32)

    def visible(self, i: int, j: int) -> np.ndarray:
        x = np.arange(WIDTH) + self.flow(i, j)[0, 0, 0]
        return np.broadcast_to((x >= 0) & (x <= WIDTH - 1), (HEIGHT, WIDTH))

    def seen_from(self, chosen: tuple[int, ...]) -> float:
        """The part of the film's pixels that lie in the field of view of one of the chosen frames."""
        x = self.position[:, None] + np.arange(WIDTH)
        fields = [(x >= self.position[k]) & (x < self.position[k] + WIDTH) for k in chosen]
        return float(np.any(fields, axis=0).mean())


class Cut(Pan):
    """A still camera, and a cut between frames 70 and 71: nothing of the one side is seen on the other."""

    def __init__(self) -> None:
        super().__init__(np.zeros(100))

    def visible(self, i: int, j: int) -> np.ndarray:
        if {i, j} == {70, 71}:
            return np.zeros((HEIGHT, WIDTH), bool)
        return np.ones((HEIGHT, WIDTH), bool)


def camera(*, rest: int, travel_px: float, frames: int, after: int) -> Pan:
    """A camera that rests, travels and rests."""
    moving = np.linspace(0, travel_px, frames)
    return Pan(np.concatenate([np.zeros(rest), moving, np.full(after, travel_px)]))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 40])
def test_a_still_film_is_shared_out_evenly(count: int) -> None:
    still = Pan(np.zeros(120))
    assert most_coverage(still, 120, count) == spread_evenly(120, count)


def test_each_view_of_a_camera_that_moves_on_gets_its_keyframe() -> None:
    pan = camera(rest=20, travel_px=3 * WIDTH, frames=20, after=80)
    first, second = most_coverage(pan, len(pan), 2)
    assert first < 25 and second > 35


def test_keyframes_gather_where_the_film_moves() -> None:
    pan = camera(rest=100, travel_px=6 * WIDTH, frames=60, after=100)
    by_motion, even = most_coverage(pan, len(pan), 8, minimum_gap=5), spread_evenly(len(pan), 8)
    moving = range(95, 165)
    assert sum(k in moving for k in by_motion) > sum(k in moving for k in even)
    assert pan.seen_from(by_motion) > 0.98 > pan.seen_from(even) + 0.08


@pytest.mark.parametrize("seed", range(4))
def test_a_camera_that_moves_in_jerks_is_seen_better_than_by_an_even_spread(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pan = Pan(np.cumsum(rng.choice([0, 0, 0, 6], 120) * rng.choice([-1, 1], 1)))
    assert pan.seen_from(most_coverage(pan, 120, 4)) > pan.seen_from(spread_evenly(120, 4))


def test_a_slow_pan_is_not_rounded_away() -> None:
    """A tenth of a thumbnail pixel per frame still uncovers the whole picture in the end."""
    slow = camera(rest=1, travel_px=2 * WIDTH, frames=400, after=200)
    chosen = most_coverage(slow, len(slow), 3)
    # A film that seemed not to move would be shared out evenly.
    assert slow.seen_from(chosen) > slow.seen_from(spread_evenly(len(slow), 3)) + 0.01


def test_a_keyframe_stands_on_each_side_of_a_cut() -> None:
    first, second = most_coverage(Cut(), 100, 2)
    assert first <= 70 < second


@pytest.mark.parametrize("gap", [1, 5, 20])
def test_the_gap_is_kept_and_no_more_are_chosen_than_asked(gap: int) -> None:
    pan = camera(rest=40, travel_px=5 * WIDTH, frames=20, after=40)
    chosen = most_coverage(pan, len(pan), 10, minimum_gap=gap)
    assert 1 <= len(chosen) <= 10
    assert all(b - a >= gap for a, b in itertools.pairwise(chosen))


def test_the_default_gap_leaves_room_for_all() -> None:
    rng = np.random.default_rng(3)
    for length in (1, 2, 3, 7, 50, 97):
        pan = Pan(np.cumsum(rng.normal(0, 8, length)))
        for count in {1, 2, length // 3 or 1, length}:
            if count <= length:
                assert len(most_coverage(pan, length, count)) == count


def test_motion_is_read_once_for_each_pair_with_progress() -> None:
    calls: list[tuple[int, int]] = []
    most_coverage(Pan(np.zeros(30)), 30, 3, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(k, 29) for k in range(1, 30)]


def test_cancelling_stops_at_once() -> None:
    read: list[int] = []

    class Watched(Pan):
        def flow(self, i: int, j: int) -> np.ndarray:
            read.append(min(i, j))
            return super().flow(i, j)

    def cancel(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        most_coverage(Watched(np.zeros(30)), 30, 3, progress=cancel)
    assert max(read) == 2


@pytest.mark.parametrize("count", [0, 31])
def test_an_impossible_count_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=rf"count must lie in 1\.\.30, the film's length, got {count}"):
        most_coverage(Pan(np.zeros(30)), 30, count)
