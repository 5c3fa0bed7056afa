"""The sharpness guard: it marks every good score that was bought with blur.

It sees blur, decay away from the keyframes and the soft middle of a fade. It cannot tell drawing from noise: grain that
was added counts as sharp. Where the camera itself blurs a fast motion, a fall is right.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from escalier.arguments import Picture, Region, check_same_size, checked
from escalier.refusals import Refusal

LEAST = 0.7
"""Under this share of the keyframes' sharpness a score counts as bought with blur; half and half of two unrelated
drawings keeps just as much."""


@checked
def measure_sharpness(picture: Picture, counted: Region | None = None) -> float:
    """How much fine drawing a picture holds: the mean absolute Laplacian of its brightness, in 8-bit levels.

    Parameters
    ----------
    picture
        RGB (H, W, 3), uint8 0..255.
    counted
        bool (H, W): the region to measure in, with at least one pixel; the whole picture by default.

    >>> measure_sharpness(np.full((8, 8, 3), 90, np.uint8))
    0.0
    """
    check_same_size(picture=picture, counted=counted)
    edges = np.abs(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    return float((edges if counted is None else edges[counted]).mean(dtype=np.float64))


@checked
def sharpness_kept(
    measured: Sequence[float] | np.ndarray, places: Sequence[int] | np.ndarray, at_places: Sequence[float] | np.ndarray
) -> np.ndarray:
    """A film's sharpness over that of its keyframes, in a straight line between them: float64 (N,), 1 is all.

    Parameters
    ----------
    measured
        `sharpness` of each frame; NaN where a frame has none.
    places, at_places
        Where the keyframes lie, and the sharpness of each.

    >>> sharpness_kept([4.0, 3.0, 2.0], [0, 2], [4.0, 2.0]).tolist()
    [1.0, 1.0, 1.0]
    """
    if not 0 < len(places) == len(at_places):
        rule = f"hold one value for each of the {len(places)} places, at least one"
        raise Refusal("at_places", rule, len(at_places), "measure the keyframes")
    frames = np.arange(len(measured))
    expected = np.interp(frames, np.asarray(places, np.float64), np.asarray(at_places, np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected > 0, np.asarray(measured, np.float64) / expected, np.nan)
