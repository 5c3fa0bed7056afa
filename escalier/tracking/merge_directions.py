"""Where a mask carried forwards and one carried backwards meet."""

from __future__ import annotations

import cv2
import numpy as np

from .mask_state import Carried

LEAST_SHARE = 0.05
"""A direction keeps at least this weight, so that what only it has seen is not lost near the other prompt."""
WINDOW_PX = 31
GUESS_WEIGHT = np.float32(3.0)
"""Weight of a guess close to the traced subject, beside what was traced."""


def meet(forward: Carried, backward: Carried, share: float) -> Carried:
    """One mask out of two: at each pixel the direction that has traced it better.

    Where both know a pixel as well, the fade decides. A part of the subject that one direction lost behind something
    comes from the other one, which has followed it there.

    Parameters
    ----------
    forward, backward
        The same frame, carried from the prompt before it and from the one after it.
    share
        How far the fade is, 0..1: weight of `backward`.

    >>> def flat(label, trust):
    ...     return Carried(*(np.full((4, 4), value, np.float32) for value in (label, trust, trust)))
    >>> float(meet(flat(1, 0.9), flat(-1, 0.1), 0.5).label[0, 0].round(1))
    1.0
    """
    weights = (
        np.float32(LEAST_SHARE + (1 - 2 * LEAST_SHARE) * part) * _certainty(side)
        for part, side in ((1 - share, forward), (share, backward))
    )
    ahead, behind = weights
    label = (ahead * forward.label + behind * backward.label) / (ahead + behind + np.float32(1e-4))
    traced = np.power(_agreed(label, (forward, forward.traced), (backward, backward.traced)), np.float32(0.4))
    guessed = np.float32(0.8) * _agreed(label, (forward, forward.trust), (backward, backward.trust))
    return Carried(label, np.maximum(traced, guessed) * np.abs(label), traced)


def _certainty(side: Carried) -> np.ndarray:
    """A direction's say at each pixel. Guesses count only close to pixels of the subject that were traced."""
    near_subject = cv2.blur(side.traced * (side.label > 0), (WINDOW_PX, WINDOW_PX))
    return side.traced**3 + GUESS_WEIGHT * side.trust**2 * np.clip(3 * near_subject, 0, 1)


def _agreed(label: np.ndarray, *sides: tuple[Carried, np.ndarray]) -> np.ndarray:
    """The greatest of the values whose side gives the pixel this label."""
    return np.max([np.where(side.label * label > 0, values, 0) for side, values in sides], axis=0)
