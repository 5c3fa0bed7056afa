"""Warp error: how much a film changes that the source's own motion does not explain.

It sees flicker, boil, jumps and texture that does not move with the scene. It cannot see a change slower than its lag,
and every blur lowers it: read it at two lags, and beside the sharpness.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from escalier.arguments import Flow, Picture, Region, check_same_size, checked

from .compared_frames import carried_change, mean_over, unit

LONG_LAGS = (7, 11, 13, 9, 5, 17, 19, 23, 8, 10, 6, 4, 3, 2)
"""In order of liking. Primes first: what repeats with a period that divides the lag cannot be seen at it."""


@checked
def measure_warp_error(before: Picture, after: Picture, flow: Flow, counted: Region) -> float | None:
    """The mean squared difference between a frame and a later one carried back onto it, RGB 0..1; None without a pixel.

    mean over the counted pixels p and the three channels of (after(p + flow(p)) - before(p))^2. Published results over
    whole films, at lag 1: 0.002 to 0.003 is good, 0.007 to 0.012 is visible flicker (TokenFlow, 2023, table 1).

    Parameters
    ----------
    before, after
        Two frames of the restyled film, RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow
        From `before` to `after`, float32 (H, W, 2), (dx, dy) in pixels; always that of the source film.
    counted
        bool (H, W): the published test for occlusion and motion boundaries, `Motion.valid`.

    References
    ----------
    Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018), equation 11, divided by the channels. The test
    for what counts is that of Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (2016), section 3.2.

    >>> grey, lighter = np.full((2, 8, 8, 3), 0.5, np.float32) + np.float32([0, 0.1])[:, None, None, None]
    >>> still = np.zeros((8, 8, 2), np.float32)
    >>> round(measure_warp_error(grey, lighter, still, np.ones((8, 8), bool)), 4)
    0.01
    """
    check_same_size(before=before, after=after, flow=flow, counted=counted)
    return mean_over(squared_error(before, after, flow), counted)


def squared_error(before: np.ndarray, after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The same at every pixel: float32 (H, W), the mean of the channels' squared differences."""
    change = carried_change(unit(before), unit(after), flow)
    return np.einsum("hwc,hwc->hw", change, change) / np.float32(3)


@checked
def find_long_lag(length: int, keyframes: Sequence[int] = ()) -> int | None:
    """The lag for a film of `length` frames, or None where it is too short to have one.

    7 frames, or the next one that divides no interval between keyframes: what beats with the keyframes, such as a pump
    in every fade, looks the same at each end of a lag that divides the interval. Where every lag divides some interval,
    the one that divides the fewest.

    Parameters
    ----------
    length
        Number of frames in the film. The lag takes up at most half of it, so that a mean has something to stand on;
        a film of three frames has a lag of 2.
    keyframes
        Indices of the keyframes, rising.

    >>> find_long_lag(100, [0, 50]), find_long_lag(100, [0, 49, 98]), find_long_lag(100), find_long_lag(2)
    (7, 11, 7, None)
    """
    intervals = [after - before for before, after in itertools.pairwise(keyframes)]
    possible = [lag for lag in LONG_LAGS if lag <= max(length // 2, 2) and lag < length]
    return min(possible, key=lambda lag: sum(interval % lag == 0 for interval in intervals), default=None)
