"""Keyframes that together see the most of a film: motion and uncovered area followed, then a greedy choice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from escalier.progress import Progress
from escalier.refusals import Refusal

THUMBNAIL_SIDE = 24
CANDIDATES_PER_KEYFRAME = 9  # odd, so that the middle of each even share is one of them
REACH_SPACINGS = 4
HALF_LIFE_SPACINGS = 8
MOTION_REACH_DIAGONALS = 1.0
REFINING_ROUNDS = 16


@runtime_checkable
class NeighbourMotion(Protocol):
    """How a film moves from each frame to its neighbours, as `escalier.film.motion.Motion` knows it."""

    def flow(self, i: int, j: int) -> np.ndarray:
        """Where pixel p of frame i lies in frame j, a neighbour: p + flow[p]; float32 (H, W, 2), (dx, dy) in pixels."""
        ...

    def visible(self, i: int, j: int) -> np.ndarray:
        """Whether pixel p of frame i is seen in frame j, a neighbour; bool (H, W)."""
        ...


def most_coverage(
    motion: NeighbourMotion,
    length: int,
    count: int,
    *,
    minimum_gap: int | None = None,
    progress: Progress | None = None,
) -> tuple[int, ...]:
    """Choose the keyframes from which, together, the most of the film can be painted.

    What a keyframe shows is followed through the film, frame by frame, both ways. What becomes covered is lost to it
    from there on; what is newly uncovered was never its own; the rest fades with the distance it has moved (to 1/e
    over the picture's diagonal) and slowly with time (by half over eight times the even spacing of `count` keyframes,
    so that a still film is shared out evenly). A pixel of the film counts as well as the best keyframe
    sees it. Keyframes are taken greedily, each where it adds the most, which for such a sum of maxima comes within
    1 - 1/e of the best choice (Nemhauser, Wolsey and Fisher 1978); then each in turn is moved to the best place
    between its neighbours, and the least useful one to where the most is missing, until nothing helps. An even spread,
    refined in the same way, is taken where it sees more.

    All this happens on thumbnails of at most 24 pixels a side and needs no trained weights. Memory: about 40 kB for
    each frame of the film.

    Parameters
    ----------
    motion
        Flow between neighbouring frames, and what of it can be seen. Read once for every pair of frames.
    length
        Number of frames in the film.
    count
        How many keyframes at most, 1 to `length`.
    minimum_gap
        Frames from one keyframe to the next, at least. Larger keeps fades long and may leave room for fewer than
        `count`. By default a quarter of the even spacing, which always leaves room for all.
    progress
        Called as `progress(done, total)` for every pair of frames read; what it raises passes through.

    Returns
    -------
    tuple of int
        Frame numbers, rising.

    Raises
    ------
    ValueError
        If `count` or `minimum_gap` is out of range.

    >>> class Still:
    ...     def flow(self, i, j): return np.zeros((9, 16, 2), np.float32)
    ...     def visible(self, i, j): return np.ones((9, 16), bool)
    >>> most_coverage(Still(), length=40, count=2)
    (10, 30)
    """
    if not 1 <= count <= length:
        raise Refusal(
            "count", f"lie in 1..{length}, the film's length", count, "ask for fewer keyframes", who="most_coverage"
        )
    if minimum_gap is not None and minimum_gap < 1:
        raise Refusal(
            "minimum_gap", "be at least 1 frame", minimum_gap, "leave it out for a good one", who="most_coverage"
        )
    return best_together(Paths(motion, length, length / count, progress), count, minimum_gap)


def best_together(paths: Paths, count: int, minimum_gap: int | None = None) -> tuple[int, ...]:
    """The choice of `most_coverage`, where the film's motion has been read already.

    >>> class Still:
    ...     def flow(self, i, j): return np.zeros((9, 16, 2), np.float32)
    ...     def visible(self, i, j): return np.ones((9, 16), bool)
    >>> best_together(Paths(Still(), length=40, spacing=20), count=2)
    (10, 30)
    """
    length = paths.length
    if length == 1:
        return (0,)
    gap = minimum_gap or max(1, length // (4 * count))
    even = spread_evenly(length, count)
    candidates = spread_evenly(length, min(length, count * CANDIDATES_PER_KEYFRAME))
    seen = paths.seen_from(candidates)
    starts = [_greedy(seen, count, gap)]
    if count == 1 or min(np.diff(even)) >= gap:
        starts.append([candidates.index(frame) for frame in even])
    refined = [_refine(seen, start, gap) for start in starts]
    best = max(refined, key=lambda chosen: int(seen.together(chosen).sum(dtype=np.int64)))
    return tuple(candidates[k] for k in best)


def spread_evenly(length: int, count: int) -> tuple[int, ...]:
    """The middle frame of each of `count` equal shares of a film.

    >>> spread_evenly(100, 4)
    (12, 37, 62, 87)
    """
    return tuple((2 * k + 1) * length // (2 * count) for k in range(count))


class Seen:
    """How well each candidate sees each thumbnail pixel of each frame within its reach; uint8, 255 is its own frame."""

    def __init__(self, candidates: Sequence[int], length: int, reach: int, pixels: int) -> None:
        self.candidates = np.array(candidates)
        self.first = np.maximum(0, self.candidates - reach)
        last = np.minimum(length - 1, self.candidates + reach)
        self.values = [np.zeros((b - a + 1, pixels), np.uint8) for a, b in zip(self.first, last, strict=True)]
        self.shape = (length, pixels)

    def window(self, k: int) -> slice:
        return slice(self.first[k], self.first[k] + len(self.values[k]))

    def together(self, chosen: Sequence[int], within: slice = slice(None)) -> np.ndarray:
        """How well the best of several candidates sees each pixel of the film (length, pixels).

        `within` is the stretch of frames that matters; outside it, candidates may be left out.
        """
        first, last, _ = within.indices(self.shape[0])
        best = np.zeros(self.shape, np.uint8)
        for k in chosen:
            window = self.window(k)
            if window.start < last and window.stop > first:
                np.maximum(best[window], self.values[k], out=best[window])
        return best

    def gain(self, k: int, best: np.ndarray) -> int:
        """What candidate k adds to what is seen already, uint8 (length, pixels)."""
        known = best[self.window(k)]
        return int((np.maximum(self.values[k], known) - known).sum(dtype=np.int64))


class Paths:
    """How what is seen on one frame is carried to the others, read from a film's motion once.

    Parameters
    ----------
    motion, length, progress
        As for `most_coverage`.
    spacing
        Frames from one keyframe to the next, on average: by it what is seen fades with time, and how far it reaches.

    Attributes
    ----------
    shape
        Rows and columns of the thumbnail.
    """

    def __init__(self, motion: NeighbourMotion, length: int, spacing: float, progress: Progress | None = None) -> None:
        self.length = length
        self.reach = math.ceil(REACH_SPACINGS * spacing)
        decay = 0.5 ** (1 / (HALF_LIFE_SPACINGS * spacing))
        self._forwards: list[_Step] = []
        self._backwards: list[_Step] = []
        for frame in range(length - 1):
            self._forwards.append(_Step(motion.flow(frame + 1, frame), motion.visible(frame + 1, frame), decay))
            self._backwards.append(_Step(motion.flow(frame, frame + 1), motion.visible(frame, frame + 1), decay))
            if progress is not None:
                progress(frame + 1, length - 1)
        self.shape = self._forwards[0].shape if self._forwards else (1, 1)

    def seen_from(self, candidates: Sequence[int]) -> Seen:
        """What each of several frames shows, carried forwards and backwards as far as it reaches."""
        seen = Seen(candidates, self.length, self.reach, self.shape[0] * self.shape[1])
        _sweep(seen, range(self.length), self._forwards)
        _sweep(seen, range(self.length - 1, -1, -1), self._backwards[::-1])
        return seen


def _sweep(seen: Seen, frames: range, steps: Sequence[_Step]) -> None:
    """Walk through the frames in one direction with all candidates on the way at once, one column each."""
    started: list[int] = []
    state = np.zeros((seen.shape[1], 0), np.float32)
    number_at = {int(frame): k for k, frame in enumerate(seen.candidates)}
    for number, frame in enumerate(frames):
        if number:
            state = steps[number - 1].carry(state)
        windows = [seen.window(k) for k in started]
        in_reach = [column for column, window in enumerate(windows) if window.start <= frame < window.stop]
        if len(in_reach) < len(started):
            started, state = [started[column] for column in in_reach], state[:, in_reach]
        if frame in number_at:
            started.append(number_at[frame])
            state = np.concatenate([state, np.ones((len(state), 1), np.float32)], axis=1)
        for column, k in enumerate(started):
            seen.values[k][frame - seen.first[k]] = np.rint(255 * state[:, column])


class _Step:
    """One frame of the way: where each thumbnail pixel comes from, and how much of what was seen there is still seen.

    Sampled bilinearly, so that motion of less than a thumbnail pixel adds up over the frames. What lies outside the
    picture counts as unseen.
    """

    def __init__(self, flow: np.ndarray, visible: np.ndarray, decay: float) -> None:
        height, width = flow.shape[:2]
        shrink = min(1.0, THUMBNAIL_SIDE / max(height, width))
        columns, rows = (max(1, round(side * shrink)) for side in (width, height))
        small = cv2.resize(flow, (columns, rows), interpolation=cv2.INTER_AREA) * (columns / width, rows / height)
        kept = cv2.resize(visible.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        moved = np.hypot(small[..., 0], small[..., 1]) / math.hypot(columns, rows)
        kept *= decay * np.exp(-moved / MOTION_REACH_DIAGONALS)
        x = small[..., 0] + np.arange(columns)
        y = small[..., 1] + np.arange(rows)[:, None]
        self.shape = (rows, columns)
        self._corners = []
        for dx, dy in ((0, 0), (1, 0), (0, 1), (1, 1)):
            column, row = np.floor(x).astype(int) + dx, np.floor(y).astype(int) + dy
            inside = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
            weight = np.where(inside, kept * (1 - abs(x - column)) * (1 - abs(y - row)), 0)
            origin = np.where(inside, row * columns + column, 0)
            self._corners.append((origin.ravel().astype(np.int16), weight.astype(np.float32).reshape(-1, 1)))

    def carry(self, state: np.ndarray) -> np.ndarray:
        """Values (pixels, candidates) of one frame as they are seen on the next."""
        return sum((state[origin] * weight for origin, weight in self._corners), np.zeros_like(state))


def _greedy(seen: Seen, count: int, gap: int) -> list[int]:
    """Candidates in the order in which each adds the most."""
    chosen: list[int] = []
    best = np.zeros(seen.shape, np.uint8)
    while len(chosen) < count:
        free = _free(seen, chosen, gap)
        if not free:
            break
        pick = max(free, key=lambda k: seen.gain(k, best))
        chosen.append(pick)
        np.maximum(best[seen.window(pick)], seen.values[pick], out=best[seen.window(pick)])
    return chosen


def _refine(seen: Seen, chosen: list[int], gap: int) -> list[int]:
    """Improve a choice until nothing helps: shift keyframes between their neighbours, then move the least useful one.

    Greed alone is one-sided: the first keyframe stands where one alone would be best.
    """
    chosen = sorted(chosen)
    for _ in range(REFINING_ROUNDS):
        better = _move_least_useful(seen, _shift_each(seen, chosen, gap), gap)
        if better == chosen:
            break
        chosen = better
    return chosen


def _shift_each(seen: Seen, chosen: list[int], gap: int) -> list[int]:
    """Each keyframe in turn at the best place between its neighbours."""
    chosen = list(chosen)
    for place, k in enumerate(chosen):
        others = chosen[:place] + chosen[place + 1 :]
        low = chosen[place - 1] if place else -1
        high = chosen[place + 1] if place + 1 < len(chosen) else len(seen.candidates)
        free = [c for c in _free(seen, others, gap) if low < c < high]
        best = seen.together(others, within=slice(seen.window(free[0]).start, seen.window(free[-1]).stop))
        # `c == k` last in the key: a tie leaves the keyframe where it is.
        chosen[place] = max(free, key=lambda c: (seen.gain(c, best), c == k))
    return chosen


def _move_least_useful(seen: Seen, chosen: list[int], gap: int) -> list[int]:
    """The same choice, or the one in which the keyframe that adds least stands where it adds more."""

    def use(place: int) -> int:
        k = chosen[place]
        return seen.gain(k, seen.together(chosen[:place] + chosen[place + 1 :], within=seen.window(k)))

    least = min(range(len(chosen)), key=use)
    others = chosen[:least] + chosen[least + 1 :]
    best = seen.together(others)
    moved = max(_free(seen, others, gap), key=lambda c: (seen.gain(c, best), c == chosen[least]))
    return sorted([*others, moved])


def _free(seen: Seen, chosen: Sequence[int], gap: int) -> list[int]:
    """Candidates far enough from all the chosen ones."""
    distance = np.full(len(seen.candidates), np.iinfo(np.int64).max)
    for k in chosen:
        distance = np.minimum(distance, abs(seen.candidates - seen.candidates[k]))
    return np.flatnonzero(distance >= gap).tolist()
