"""The ways to pass from one run to the next: who is seen when, at each pixel.

A fade is planned once for the gap between two keyframes, from the two runs, a window of frames and a seed. The plan
answers, for each frame, the weight of the later run; the earlier one has the rest, so that the two always sum to one.
Adding a mode is adding a function to `FADES`: the node's menu, the tests and the README are made from that table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .run import Run

Weights = Callable[[int], np.ndarray | np.float32]
"""Frame index -> weight of the later run, 0..1: float32 (H, W), or one number for the whole picture."""

ERROR_FLOOR = 2.0
"""8-bit levels. Below this, a difference between the two runs' guide errors says nothing."""
CHANGE_FLOOR = 1.0
"""8-bit levels. Where two runs look the same, a pixel still takes a little of the time."""
SAMPLES = 9
"""Frames of a gap that a switch map looks at."""
NOISE_SHARE = 0.7
GRAIN = 1 / 9
"""Size of the noise's grain and of the error's smoothing, as a share of the picture's short side (60 of 540 px)."""


@dataclass(frozen=True)
class Gap:
    """What a fade may see: the two runs between neighbouring keyframes, and which frames it may use.

    Attributes
    ----------
    earlier, later
        The forward run of the keyframe before the gap and the backward run of the one after it.
    start, stop
        The window, in frames of the film: the weight is 0 at `start` and before, 1 at `stop` and after. Either may lie
        between two frames.
    ramp_frames
        For modes in which each pixel switches at its own time: how long its switch takes.
    seed
        For modes with noise.
    """

    earlier: Run
    later: Run
    start: float
    stop: float
    ramp_frames: float
    seed: int

    def frames(self) -> range:
        """The frames between the two keyframes."""
        return range(self.earlier.start + 1, self.later.start)

    def share(self, index: int) -> np.float32:
        """How far frame `index` is through the window, 0..1."""
        if self.stop == self.start:
            return np.float32(index > self.start)
        return np.float32(np.clip((index - self.start) / (self.stop - self.start), 0.0, 1.0))


def window(before: int, after: int, fade_frames: int | None) -> tuple[float, float]:
    """Where a fade of `fade_frames` lies in the gap between keyframes `before` and `after`: in its middle.

    None, and any length over the gap's own, fills the gap from keyframe to keyframe. 0 is a cut.

    >>> window(0, 50, 10), window(0, 50, None)
    ((20.0, 30.0), (0.0, 50.0))
    """
    gap = after - before
    length = gap if fade_frames is None else min(fade_frames, gap)
    middle = (before + after) / 2
    return middle - length / 2, middle + length / 2


def linear(gap: Gap) -> Weights:
    """Mix the two runs in a straight line over time. Even, but both drawings show at once: soft in the middle."""
    return gap.share


def smoothstep(gap: Gap) -> Weights:
    """Mix the two runs with a slow start and end. As soft as linear in the middle, for a shorter time."""

    def weight(index: int) -> np.float32:
        return np.float32(_smooth(gap.share(index)))

    return weight


def staggered(gap: Gap) -> Weights:
    """Each pixel switches at its own time within the window, over a few frames: crisp, and nothing jumps.

    Pixels that the later run matches better switch first. At any time only a few pixels show both runs, while the
    picture as a whole changes at an even rate.
    """
    times = switch_map(gap)
    length = gap.stop - gap.start
    ramp = min(gap.ramp_frames, length)

    def weight(index: int) -> np.ndarray:
        if not gap.start < index < gap.stop:
            return np.full(times.shape, gap.share(index), np.float32)
        switch = np.float32(gap.start + ramp / 2) + times * np.float32(length - ramp)
        if ramp == 0:
            return (index > switch).astype(np.float32)
        return np.asarray(_smooth(np.clip((index - switch) / np.float32(ramp) + np.float32(0.5), 0.0, 1.0)))

    return weight


FADES: dict[str, Callable[[Gap], Weights]] = {"staggered": staggered, "linear": linear, "smoothstep": smoothstep}
"""Every mode by the name that the artist sees. The first is the default."""


def switch_map(gap: Gap) -> np.ndarray:
    """When each pixel passes from one run to the other: float32 (H, W), 0..1.

    The order is that of the smoothed logarithm of the two runs' guide errors, later over earlier, with slow noise: at 0
    lie the pixels that the later run matches best. Each pixel then takes a share of the time in proportion to how much
    the two runs differ there, so that the picture changes at an even rate: were every pixel given the same share, a
    hand that one run has painted and the other has not would be switched in two or three frames.
    """
    height, width = gap.earlier.guide_error.shape[1:]
    # The map is smooth, so it is made at a reduced size and costs next to nothing at 4K.
    reduced = max(1, min(height, width) // 270)
    size = (max(1, width // reduced), max(1, height // reduced))
    grain = max(1.0, GRAIN * min(size))
    ratio, change = _compare_runs(gap, size)
    ratio = cv2.GaussianBlur(ratio, (0, 0), grain / 6)
    order = ratio / max(float(ratio.std()), 1e-6) - NOISE_SHARE * _slow_noise(gap, size, grain)
    sequence = np.argsort(order, axis=None, kind="stable")
    passed = np.cumsum(change.ravel()[sequence], dtype=np.float64)
    times = np.empty(order.size, np.float32)
    times[sequence] = (passed - passed[0]) / max(passed[-1] - passed[0], 1e-6)
    return cv2.resize(times.reshape(order.shape), (width, height), interpolation=cv2.INTER_LINEAR)


def _compare_runs(gap: Gap, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Two maps of the reduced (width, height), means over frames of the gap: log(later's error / earlier's), and how
    far the runs' pictures lie apart, in 8-bit levels."""
    frames = gap.frames()
    chosen = sorted({frames[round(k)] for k in np.linspace(0, len(frames) - 1, min(SAMPLES, len(frames)))})
    ratio, change = np.zeros((2, size[1], size[0]), np.float32)
    for index in chosen:
        earlier, later = (_reduced(run.error(index).astype(np.float32), size) for run in (gap.earlier, gap.later))
        ratio += np.log((later + ERROR_FLOOR) / (earlier + ERROR_FLOOR))
        apart = cv2.absdiff(gap.earlier.frame(index), gap.later.frame(index))
        change += _reduced(apart.max(axis=2).astype(np.float32), size)
    return ratio / len(chosen), change / len(chosen) + CHANGE_FLOOR


def _reduced(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _slow_noise(gap: Gap, size: tuple[int, int], grain: float) -> np.ndarray:
    """Noise of unit deviation and one grain's scale, its own for each gap and seed."""
    random = np.random.default_rng([gap.seed, gap.earlier.start, gap.later.start])
    width, height = size
    coarse = random.standard_normal((int(height / grain) + 2, int(width / grain) + 2)).astype(np.float32)
    return cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)


def _smooth(share: np.ndarray | np.float32) -> np.ndarray | np.float32:
    return share * share * (np.float32(3.0) - np.float32(2.0) * share)
