"""Frames in the middle of a fade, where double images show: their two sides, and how far the fade has gone."""

from typing import NamedTuple

import numpy as np

from escalier.film import Size
from escalier.propagation import Runs, Staircase

from .compared_frames import at_size
from .ghosting import fade_weight

FADE_CORE = (0.2, 0.8)
"""Weights between which a frame counts as the middle of a fade."""


class FadeMiddle(NamedTuple):
    """The two sides of a frame, uint8 (H, W, 3), and the mean weight of the later one, 0..1."""

    earlier: np.ndarray
    later: np.ndarray
    weight: float


def middle_of_fade(faded: Staircase | Runs, index: int, blend: np.ndarray, size: Size) -> FadeMiddle | None:
    """What a frame in the middle of a fade was mixed from, at `size`; None where it is no such frame.

    A staircase knows how far each fade has gone; of runs alone it is read off the blend. One number for the whole
    picture, so that modes with and without a switch map are judged by the same measure.
    """
    runs = faded.runs if isinstance(faded, Staircase) else faded
    sides = runs.at(index)
    if len(sides) < 2:
        return None
    weight = float(np.mean(faded.weight(index))) if isinstance(faded, Staircase) else None
    if weight is not None and not FADE_CORE[0] < weight < FADE_CORE[1]:
        return None
    earlier, later = (at_size(run.frame(index), size) for run in sides)
    weight = fade_weight(blend, earlier, later) if weight is None else weight
    return FadeMiddle(earlier, later, weight) if FADE_CORE[0] < weight < FADE_CORE[1] else None
