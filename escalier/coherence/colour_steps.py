"""Colour steps and colour drift: whether the look of a film changes as a whole, at once or little by little.

They see one sheet of keyframes painted warmer than the next. They cannot tell such a change from light that really
changes in the source, and two changes of opposite colour in one frame cancel out.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from escalier.arguments import Flow, Picture, Region, check_same_size, checked

from .compared_frames import lab_change


@checked
def colour_step(before: Picture, after: Picture, flow: Flow, counted: Region) -> tuple[float, float, float] | None:
    """How far the mean colour moves from a frame to the next, in L*, a* and b*; None where no pixel counts.

    mean over the counted pixels p of Lab(after)(p + flow(p)) - Lab(before)(p). Its length is a Delta E*ab (CIE 1976)
    between mean colours: under 1 passes unnoticed, over 3 is seen as a jump.

    Parameters
    ----------
    before, after
        Neighbouring frames of the restyled film, RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow
        From `before` to `after`, float32 (H, W, 2); always that of the source film.
    counted
        bool (H, W), `Motion.valid`.

    >>> grey, lighter = np.full((2, 8, 8, 3), 0.5, np.float32) + np.float32([0, 0.1])[:, None, None, None]
    >>> step = colour_step(grey, lighter, np.zeros((8, 8, 2), np.float32), np.ones((8, 8), bool))
    >>> [round(abs(part), 1) for part in step]
    [9.8, 0.0, 0.0]
    """
    check_same_size(before=before, after=after, flow=flow, counted=counted)
    return mean_step(lab_change(before, after, flow), counted)


def mean_step(change: np.ndarray, counted: np.ndarray) -> tuple[float, float, float] | None:
    """The mean of a `lab_change` over the pixels that count."""
    if not counted.any():
        return None
    lightness, red, yellow, _ = cv2.mean(change, counted.view(np.uint8))
    return lightness, red, yellow


@checked
def colour_drift(steps: Sequence[tuple[float, float, float] | None]) -> np.ndarray:
    """How far the colour has wandered by each frame from where it began: Delta E*ab, float64 (M + 1,).

    The length of the running sum of the steps, so that a fade cannot hide a change that a cut would show. A step that
    is None, as across a cut of the source, adds nothing. The figure is its maximum: under 3 is good, over 6 is seen.

    Parameters
    ----------
    steps
        `colour_step` of each of M pairs of neighbouring frames.

    >>> colour_drift([(1.0, 0.0, 0.0), None, (2.0, 0.0, 4.0)]).tolist()
    [0.0, 1.0, 1.0, 5.0]
    """
    known = np.array([(0.0, 0.0, 0.0), *((0.0, 0.0, 0.0) if step is None else step for step in steps)], np.float64)
    return np.linalg.norm(np.cumsum(known, axis=0), axis=1)
