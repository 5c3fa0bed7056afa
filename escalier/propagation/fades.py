"""The ways to pass from one run to the next: who is seen when, at each pixel.

A fade is planned once for the gap between two keyframes, from the two runs, a window of frames and a seed. The plan
answers, for each frame, the weight of the later run; the earlier one has the rest, so that the two always sum to one.
Adding a mode is adding a function to `FADES`: the node's menu, the tests and the README are made from that table.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.smoothstep import smoothstep

from .error_choice import best_switch
from .mixing import mix
from .run import Run

Weights = Callable[[int], np.ndarray | np.float32]
"""Frame index -> weight of the later run, 0..1: float32 (H, W), or one number for the whole picture."""

ERROR_FLOOR = 2.0
"""8-bit levels. Below this, a difference between the two runs' guide errors says nothing."""
CHANGE_FLOOR = 3.0
"""8-bit levels. Where two runs look the same, a pixel still takes a little of the time."""
SAMPLES = 9
"""Frames of a gap that are looked at to plan it."""
PRESENT_SHARE = 0.7
"""Share of the present frame's error in the order of switching; the mean over the gap has the rest."""
NOISE_SHARE = 0.7
"""Deviation of the noise where that of the error is 1."""
GRAIN = 1 / 9
"""The noise's grain as a share of the picture's short side: 60 of 540 px. The error is smoothed over a sixth of it."""
REDUCED_SIDE = 270
"""Shortest side in px at which the maps are made, about."""
SMALLEST_RAMP = 1e-3
"""A ramp of 0 frames is made a step by this."""


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


def slow_ends(gap: Gap) -> Weights:
    """Mix the two runs with a slow start and end. As soft as linear in the middle, for a shorter time."""
    return lambda index: np.float32(smoothstep(gap.share(index)))


def staggered(gap: Gap) -> Weights:
    """Each pixel switches at its own time within the window, over a few frames: crisp, and nothing jumps.

    Pixels that the later run matches better switch first. At any time only a few pixels show both runs, while the
    picture as a whole changes at an even rate.
    """
    times = SwitchTimes(gap)
    length = gap.stop - gap.start
    ramp = max(min(gap.ramp_frames, length), SMALLEST_RAMP)

    def weight(index: int) -> np.ndarray:
        if not gap.start < index < gap.stop:
            return np.full((times.height, times.width), gap.share(index), np.float32)
        switch = np.float32(gap.start + ramp / 2) + times.at(index) * np.float32(length - ramp)
        return smoothstep(np.clip((index - switch) / np.float32(ramp) + np.float32(0.5), 0.0, 1.0))

    return weight


def by_error(gap: Gap) -> Weights:
    """Each pixel switches once, at the frame that makes its errors least: crisp and true, uneven over time."""
    height, width = gap.earlier.frames.shape[1:3]
    reduced, grain = _reduced_size(height, width)
    frames = range(max(gap.frames().start, math.ceil(gap.start)), min(gap.frames().stop, math.floor(gap.stop) + 1))
    switch = best_switch(lambda index: (gap.earlier.error(index), gap.later.error(index)), frames, reduced, grain / 6)
    ramp = np.float32(max(min(gap.ramp_frames, gap.stop - gap.start), SMALLEST_RAMP))
    middle = (gap.start + gap.stop) / 2
    switch = np.clip(switch, min(gap.start + ramp / 2, middle), max(gap.stop - ramp / 2, middle))
    switch = cv2.resize(switch, (width, height), interpolation=cv2.INTER_LINEAR)

    def weight(index: int) -> np.ndarray:
        if not gap.start < index < gap.stop:
            return np.full((height, width), gap.share(index), np.float32)
        return smoothstep(np.clip((index - switch) / ramp + np.float32(0.5), 0.0, 1.0))

    return weight


FADES: dict[str, Callable[[Gap], Weights]] = {
    "staggered": staggered,
    "linear": linear,
    "smoothstep": slow_ends,
    "by_error": by_error,
}
"""Every mode by the name that the artist sees. The first is the default."""


@checked
@dataclass(frozen=True)
class Fade(Dials):
    """How one run passes into the next.

    >>> Fade(fade_frames=-1)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Fade: fade_frames must be >= 0, got -1; leave it out for a fade as long as each gap ...
    """

    mode: str = dial(
        next(iter(FADES)),
        "'staggered' lets every pixel switch at its own time, so that no double image is seen. 'linear' and "
        "'smoothstep' mix the two pictures: softer, with a double image in the middle. 'by_error' switches each pixel "
        "once, where its errors are least: truest, and less even.",
        choices=FADES,
    )
    fade_frames: int | None = dial(
        None,
        "Length of each fade in frames. {none} is as long as the gap between keyframes allows, which shows least; 1 is "
        "nearly a cut.",
        least=0,
        offered=(0, 9999),
        rule="be >= 0",
        unit="frames",
        remedy="leave it out for a fade as long as each gap allows",
    )
    ramp_frames: float = dial(
        3.0,
        "In 'staggered' and 'by_error', how many frames one pixel takes to switch. 3 hides the seam; more softens it "
        "and blurs what it crosses.",
        least=0,
        offered=(0, 100),
        step=0.5,
        rule="be >= 0",
        unit="frames",
        remedy="use 0 to switch at once",
    )
    seed: int = dial(
        0,
        "In 'staggered', another seed lets other places switch first.",
        least=0,
        offered=(0, 2**31 - 1),
        remedy="any such number places the noise elsewhere",
    )
    keep_contrast: bool = dial(
        False,
        "Where two runs are mixed, strengthens the mix to the contrast that they have. For 'linear' and 'smoothstep', "
        "which look washed out in the middle of a fade.",
    )
    seam_removal: float = dial(
        0.0,
        "Takes edges between the two runs out of the picture by blending their gradients. 0 is off, 0.9 removes most "
        "seams and lets colours flow a little.",
        least=0,
        below=1,
        offered=(0, 0.99),
        step=0.05,
        remedy="0.9 removes most seams",
    )

    def plan(self, earlier: Run, later: Run) -> Weights:
        """The weights of the later of two runs in the gap between their keyframes."""
        return FADES[self.mode](self.gap(earlier, later))

    def mix(self, earlier: np.ndarray, later: np.ndarray, weight: np.ndarray | np.float32) -> np.ndarray:
        """One frame of both runs, uint8 (H, W, 3), in one picture; `weight` is the later one's, as `plan` gives it."""
        return mix(earlier, later, weight, contrast=self.keep_contrast, seam_removal=self.seam_removal)

    def gap(self, earlier: Run, later: Run) -> Gap:
        """What this fade may see of two runs: the earlier keyframe's forward one, the later one's backward one."""
        start, stop = window(earlier.start, later.start, self.fade_frames)
        return Gap(earlier, later, start, stop, self.ramp_frames, self.seed)


class SwitchTimes:
    """When each pixel passes from one run to the other: a map (H, W), 0..1 of the window.

    The order is that of the smoothed logarithm of the two runs' guide errors, later over earlier, with slow noise:
    first come the pixels that the later run matches best. The error is mostly that of the frame at hand, so that the
    map goes with what moves: a hand that one keyframe has never seen stays whole while it crosses the picture. The rest
    is the mean over the gap, which steadies it.

    In every frame the order is made anew and its places share the time in proportion to how much the two runs differ
    there, over the gap. So the picture changes at an even rate, although near a keyframe its own run is the better one
    everywhere.

    The maps are smooth. They are made at a reduced size, cost next to nothing at 4K, and a gap keeps 1 MB of them.
    """

    def __init__(self, gap: Gap) -> None:
        self.height, self.width = gap.earlier.frames.shape[1:3]
        self._size, self._grain = _reduced_size(self.height, self.width)
        self._gap = gap
        frames = gap.frames()
        sampled = sorted({frames[round(k)] for k in np.linspace(0, len(frames) - 1, min(SAMPLES, len(frames)))})
        ratios = np.stack([self._log_error_ratio(index) for index in sampled])
        self._mean = ratios.mean(axis=0)
        self._spread = max(float(ratios.std()), 1e-6)
        self._noise = self._slow_noise()
        self._change = np.mean([self._difference(index) for index in sampled], axis=0)

    def at(self, index: int) -> np.ndarray:
        """The map for frame `index` of the film, float32 (H, W)."""
        steady = self._mean + np.float32(PRESENT_SHARE) * (self._log_error_ratio(index) - self._mean)
        order = steady / np.float32(self._spread) - self._noise
        sequence = np.argsort(order, axis=None, kind="stable")
        passed = np.cumsum(self._change.ravel()[sequence], dtype=np.float64)
        times = np.empty(order.size, np.float32)
        times[sequence] = passed / passed[-1]
        return cv2.resize(times.reshape(order.shape), (self.width, self.height), interpolation=cv2.INTER_LINEAR)

    def _log_error_ratio(self, index: int) -> np.ndarray:
        """log(later's error / earlier's) at one frame, smoothed, float32."""
        earlier, later = (
            _reduced(run.error(index).astype(np.float32), self._size) for run in (self._gap.earlier, self._gap.later)
        )
        ratio = np.log((later + np.float32(ERROR_FLOOR)) / (earlier + np.float32(ERROR_FLOOR)))
        return cv2.GaussianBlur(ratio, (0, 0), self._grain / 6)

    def _difference(self, index: int) -> np.ndarray:
        """How far the two runs' pictures lie apart at one frame, in 8-bit levels, float32."""
        apart = cv2.absdiff(self._gap.earlier.frame(index), self._gap.later.frame(index)).max(axis=2)
        return _reduced(apart.astype(np.float32), self._size) + np.float32(CHANGE_FLOOR)

    def _slow_noise(self) -> np.ndarray:
        """Noise of one grain's scale, its own for each gap and seed."""
        random = np.random.default_rng([self._gap.seed, self._gap.earlier.start, self._gap.later.start])
        width, height = self._size
        shape = (int(height / self._grain) + 2, int(width / self._grain) + 2)
        coarse = random.standard_normal(shape).astype(np.float32)
        return np.float32(NOISE_SHARE) * cv2.resize(coarse, self._size, interpolation=cv2.INTER_CUBIC)


def _reduced_size(height: int, width: int) -> tuple[tuple[int, int], float]:
    """(width, height) at which maps are made, and the noise's grain there in px."""
    factor = max(1, min(height, width) // REDUCED_SIDE)
    size = (max(1, width // factor), max(1, height // factor))
    return size, max(1.0, GRAIN * min(size))


def _reduced(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
