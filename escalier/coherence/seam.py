"""Seams: where a film jumps, and how far the jump stands out from its usual steps.

*Pop* is the largest over the median, in time, of the visible change from frame to frame, where the source's own step
does not stand out as well. 1 is perfectly even; a cut between two runs has 2.5 and more; at most 1.3 passes unnoticed.
It cannot see a slow drift, nor flicker that is even.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from escalier.arguments import Flow, Picture, Region, check_same_size, checked
from escalier.refusals import Refusal

from .compared_frames import lab_change, lengths, mean_over

FOLLOWED_PX = 2.0
FOLLOWED_DELTA_E = 1.0
SMALLEST_MEDIAN_DELTA_E = 0.05
"""Less than 8 bits can show. A perfectly still film is not divided by less."""


@checked
def visible_change(before: Picture, after: Picture, flow: Flow, counted: Region) -> float | None:
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
    check_same_size(before=before, after=after, flow=flow, counted=counted)
    return mean_over(lengths(lab_change(before, after, flow)), counted)


@checked
def followed_pixels(before: Picture, after: Picture, flow: Flow, valid: Region) -> np.ndarray:
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
    check_same_size(before=before, after=after, flow=flow, valid=valid)
    return confirmed(lab_change(before, after, flow), valid)


def confirmed(change: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """The followed pixels from the source's own `lab_change`."""
    return valid & (lengths(cv2.GaussianBlur(change, (0, 0), FOLLOWED_PX)) < FOLLOWED_DELTA_E)


@checked
def step_ratios(
    changes: Sequence[float] | np.ndarray, source_changes: Sequence[float] | np.ndarray | None = None
) -> np.ndarray:
    """How far each step of a film stands out, float64 (M,): over the median step, and over the source's own there.

    (c(t) / median c) / max(1, s(t) / median s). Where hands move, the flow follows the source less well and every
    restyle changes more: the source, judged on the same pixels, then steps as well, and that much is forgiven, at that
    frame only. Measured on five clips of 32 frames: good staircases have 1.13 to 1.30 at their worst step (without the
    source 1.20 to 1.85), films with a doubled, dropped, shifted or brightened frame or a cut 1.53 and more.

    Parameters
    ----------
    changes
        `visible_change` of pairs of neighbouring frames, in Delta E*ab.
    source_changes
        The same of the source, on the same pixels. None judges the film by itself.

    >>> step_ratios([1.0, 1.0, 3.0], [0.5, 0.5, 1.5]).tolist(), step_ratios([1.0, 1.0, 3.0]).tolist()
    ([1.0, 1.0, 1.0], [1.0, 1.0, 3.0])
    """
    stands_out = _over_usual(changes, "changes")
    if source_changes is None:
        return stands_out
    own = _over_usual(source_changes, "source_changes")
    if own.size != stands_out.size:
        rule = f"be as many as changes, {stands_out.size}"
        raise Refusal("source_changes", rule, own.size, "measure both on the same pairs of frames")
    return stands_out / np.maximum(own, 1)


def _over_usual(changes: Sequence[float] | np.ndarray, name: str) -> np.ndarray:
    steps = np.asarray(changes, np.float64)
    if steps.ndim != 1 or steps.size == 0 or not np.isfinite(steps).all():
        got = f"{steps.size} of which {int((~np.isfinite(steps)).sum())} are not"
        raise Refusal(name, "be finite numbers, at least one", got, "measure a film of two frames or more")
    return steps / max(float(np.median(steps)), SMALLEST_MEDIAN_DELTA_E)


@checked
def pop(
    changes: Sequence[float] | np.ndarray, source_changes: Sequence[float] | np.ndarray | None = None
) -> float:  # fmt: skip
    """How far the worst step of a film stands out: the largest of its `step_ratios`. 1 is even.

    >>> pop([1.0, 1.0, 1.2, 1.0, 6.0])
    6.0
    >>> pop([1.0, 1.0, 1.2, 1.0, 6.0], [0.4, 0.4, 0.4, 0.4, 0.8])
    3.0
    """
    return float(step_ratios(changes, source_changes).max())
