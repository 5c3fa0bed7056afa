"""A mask on its way through a film: what each pixel is, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FARTHEST_PX = 60.0


@dataclass(frozen=True, eq=False)
class MaskState:
    """A mask at one frame, at the size at which the film's motion is known; three float32 (H, W).

    Attributes
    ----------
    label
        1 in the subject, -1 around it, 0 on its outline.
    trust
        0..1: how sure the label is.
    traced
        0..1: the part of that trust that comes from following the pixel back to the prompt. The rest is guessed from
        what the pixel looks like.
    """

    label: np.ndarray
    trust: np.ndarray
    traced: np.ndarray

    @classmethod
    def prompted(cls, mask: np.ndarray) -> MaskState:
        """The mask at a frame where it is given, float32 0..1."""
        label = (2 * mask - 1).astype(np.float32)
        return cls(label, np.ones_like(label), np.ones_like(label))


def distance_to_outline(label: np.ndarray) -> np.ndarray:
    """How far each pixel is from the nearest one of the other kind: float32 (H, W), at most 60 px.

    >>> distance_to_outline(np.float32([[1, 1, 1, -1, -1]]))[0].round().tolist()
    [3.0, 2.0, 1.0, 1.0, 2.0]
    """
    inside = (label > 0).view(np.uint8)
    apart = cv2.distanceTransform(inside, cv2.DIST_L2, 3) + cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return np.minimum(apart, FARTHEST_PX)
