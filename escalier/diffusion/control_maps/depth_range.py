"""Depths of several pictures brought to one scale and shift, then to one range of grey.

A network that was not taught metres gives each picture its own unit: depth is true up to a scale and a shift. What
stands still in two pictures says how the units differ; what moved must not. So each picture is brought to the one
before it that it resembles most, by a line through their common pixels that outliers cannot turn.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from escalier.log import log
from escalier.refusals import Refusal

THUMBNAIL = (64, 36)
ITERATIONS = 12
LEAST_CORRELATION = 0.5
"""Two depths that agree less than this show different places: no line through them would mean anything."""
INLIER_SHARE = 0.05
"""How far a pixel may lie off the line, as a share of the depth's spread, before it counts for less."""
RANGE_PERCENTILES = (0.5, 99.5)


class Line(NamedTuple):
    """scale * depth + shift brings a picture's depth to the first picture's unit."""

    scale: float
    shift: float

    def of(self, depth: np.ndarray) -> np.ndarray:
        return np.float32(self.scale) * depth + np.float32(self.shift)


def align_depths(depths: Sequence[np.ndarray]) -> list[Line]:
    """The line for each depth that brings all of them to the first one's unit; the first is (1, 0).

    They are (H, W) float32, raw from one network, in the order of time. One that resembles none before it keeps the
    unit of the one before: a cut to another place has no pixel that could tell.

    >>> first = np.random.default_rng(0).random((36, 64), np.float32)
    >>> scale, shift = align_depths([first, first * 2 + 3])[1]
    >>> round(scale, 3), round(shift, 3)
    (0.5, -1.5)
    """
    thumbnails = [cv2.resize(depth, THUMBNAIL, interpolation=cv2.INTER_AREA).ravel() for depth in depths]
    lines = [Line(1.0, 0.0)]
    aligned = [thumbnails[0]]
    for index, thumbnail in enumerate(thumbnails[1:], start=1):
        fits = [_fit(thumbnail, other) for other in aligned]
        correlation, line = max(fits, key=lambda fit: fit[0])
        if correlation < LEAST_CORRELATION:
            log.warning("depth %d resembles none before it (correlation %.2f): not aligned", index, correlation)
            line = lines[-1]
        lines.append(line)
        aligned.append(line.of(thumbnail))
    return lines


def one_range(depths: Sequence[np.ndarray]) -> tuple[float, float]:
    """The depths that become black and white for the whole set; a few stray pixels do not set them."""
    thumbnails = np.stack([cv2.resize(depth, THUMBNAIL, interpolation=cv2.INTER_AREA) for depth in depths])
    far, near = np.percentile(thumbnails, RANGE_PERCENTILES)
    return float(far), float(near)


def shared_greys(depths: Sequence[np.ndarray]) -> np.ndarray:
    """Raw depths of pictures of one size as greys, (N, H, W) float32 0..1, near white: one unit, one range.

    Raises ValueError if a depth is not finite: nothing could be aligned to it.

    >>> room = np.linspace(0, 1, 64 * 36, dtype=np.float32).reshape(36, 64)
    >>> greys = shared_greys([room, room * 3 + 5])
    >>> bool(np.abs(greys[0] - greys[1]).max() < 0.001)
    True
    """
    for number, depth in enumerate(depths, start=1):
        if not np.isfinite(depth).all():
            remedy = "its weights are damaged or of another network: download the file again"
            raise Refusal("depth", "be finite", f"NaN or infinity from the network in picture {number}", remedy)
    aligned = [line.of(one) for line, one in zip(align_depths(depths), depths, strict=True)]
    far, near = one_range(aligned)
    span = max(near - far, np.finfo(np.float32).tiny)
    return np.stack([np.clip((one - far) / span, 0, 1) for one in aligned])


def _fit(depth: np.ndarray, other: np.ndarray) -> tuple[float, Line]:
    """How well two depths agree where they agree, and the line from the one to the other.

    The slope is the ratio of the spreads, not the least squares of one on the other, which noise would flatten: over a
    chain of pictures the depth would fade to grey. Iteratively reweighted, with the weights of Geman and McClure.
    """
    weights = np.ones_like(depth)
    spread = float(np.std(other)) or 1.0
    correlation, line = 0.0, Line(1.0, 0.0)
    for step in range(ITERATIONS):
        total = weights.sum()
        mean, other_mean = (weights @ depth) / total, (weights @ other) / total
        a, b = depth - mean, other - other_mean
        variance, other_variance, covariance = (float(weights @ v) / total for v in (a * a, b * b, a * b))
        if min(variance, other_variance) <= 1e-12 * max(mean * mean, 1e-12):
            return 0.0, line
        correlation = covariance / np.sqrt(variance * other_variance)
        scale = np.sqrt(other_variance / variance)
        line = Line(float(scale), float(other_mean - scale * mean))
        # The reach narrows step by step, so that a large thing that moved cannot hold the line from the start.
        reach = spread * max(INLIER_SHARE, 0.5 * 0.7**step)
        weights = 1 / (1 + ((line.of(depth) - other) / reach) ** 2) ** 2
    # The correlation of the pixels that agree, less where few do: two pixels on a line prove nothing.
    return float(correlation) * float(np.sqrt(weights.mean())), line
