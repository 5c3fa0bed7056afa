"""Seams: where a film jumps, and how far the jump stands out from its usual steps.

*Pop* is the maximum over the median, in time, of the visible change from frame to frame. 1 is perfectly even; a cut
between two runs has 4 and more; at most 1.3 passes unnoticed. It cannot see a slow drift, nor flicker that is even.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .pictures import lab_change, lengths, mean_over

FOLLOWED_PX = 2.0
FOLLOWED_DELTA_E = 1.0
SMALLEST_MEDIAN_DELTA_E = 0.05
"""Less than 8 bits can show. A perfectly still film is not divided by less."""


def visible_change(before: np.ndarray, after: np.ndarray, flow: np.ndarray, counted: np.ndarray) -> float | None:
    """The mean colour difference between a frame and the next one carried back onto it: Delta E*ab (CIE 1976).

    mean over the counted pixels p of |Lab(after)(p + flow(p)) - Lab(before)(p)|, Lab of sRGB under D65. None where no
    pixel counts. It is what `pop` is made of: unlike the squared `warp_error`, one bright edge does not outweigh the
    picture.

    Parameters
    ----------
    before, after
        Neighbouring frames of the stylised film, RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow
        From `before` to `after`, float32 (H, W, 2), (dx, dy) in pixels; always that of the source film.
    counted
        bool (H, W), see `followed_pixels`.

    >>> grey, lighter = np.full((2, 8, 8, 3), 0.5, np.float32) + np.float32([0, 0.1])[:, None, None, None]
    >>> still = np.zeros((8, 8, 2), np.float32)
    >>> round(visible_change(grey, lighter, still, np.ones((8, 8), bool)), 1)
    9.8
    """
    return mean_over(lengths(lab_change(before, after, flow)), counted)


def followed_pixels(before: np.ndarray, after: np.ndarray, flow: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Pixels on which the flow is known to follow the source film, so that a restyled film may be judged there.

    A pixel counts when it passes the published test for occlusion and motion boundaries (`Motion.valid`) and the source
    itself, carried along, keeps its colour: |G(2) * (Lab(after)(p + flow) - Lab(before))(p)| < 1 Delta E*ab. Without
    the second condition a burst of fast motion, where the flow fails, would be called a pop: the unchanged film of a
    calm speaker who moves his hands has a pop of 2.4. Smoothing the signed difference lets camera noise through.

    Parameters
    ----------
    before, after
        Neighbouring frames of the source film, RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow
        From `before` to `after`, float32 (H, W, 2).
    valid
        bool (H, W).

    >>> grey = np.full((8, 8, 3), 128, np.uint8)
    >>> bool(followed_pixels(grey, grey, np.zeros((8, 8, 2), np.float32), np.ones((8, 8), bool)).all())
    True
    """
    return confirmed(lab_change(before, after, flow), valid)


def confirmed(change: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The followed pixels from the source's own `lab_change`."""
    return valid & (lengths(cv2.GaussianBlur(change, (0, 0), FOLLOWED_PX)) < FOLLOWED_DELTA_E)


def pop(changes: Sequence[float] | np.ndarray) -> float:
    """How far the worst step of a film stands out: the maximum over the median of its visible changes. 1 is even.

    Parameters
    ----------
    changes
        `visible_change` of every pair of neighbouring frames, in Delta E*ab.

    >>> pop([1.0, 1.0, 1.2, 1.0, 6.0])
    6.0
    """
    errors = np.asarray(changes, np.float64)
    if errors.size == 0 or not np.isfinite(errors).all():
        raise ValueError(
            f"pop: changes must be finite numbers, at least one, got {errors.size} of which "
            f"{int((~np.isfinite(errors)).sum())} are not; measure a film of two frames or more"
        )
    return float(errors.max() / max(float(np.median(errors)), SMALLEST_MEDIAN_DELTA_E))
