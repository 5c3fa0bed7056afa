"""A mask on its way through a film: what each pixel is, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

FARTHEST_PX = 60.0


@dataclass(frozen=True, eq=False)
class Carried:
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
    def prompted(cls, mask: np.ndarray) -> Carried:
        """The mask at a frame where it is given, float32 0..1."""
        label = (2 * mask - 1).astype(np.float32)
        return cls(label, np.ones_like(label), np.ones_like(label))

    def around(self, distance_px: float) -> np.ndarray:
        """Pixels outside the subject and that far from it: bool (H, W)."""
        return (self.label < 0) & (distance_to_outline(self.label) > distance_px)


def distance_to_outline(label: np.ndarray) -> np.ndarray:
    """How far each pixel is from the nearest one of the other kind: float32 (H, W), at most 60 px.

    >>> distance_to_outline(np.float32([[1, 1, 1, -1, -1]]))[0].round().tolist()
    [3.0, 2.0, 1.0, 1.0, 2.0]
    """
    inside = (label > 0).view(np.uint8)
    apart = cv2.distanceTransform(inside, cv2.DIST_L2, 3) + cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    return np.minimum(apart, FARTHEST_PX)


def box_around(where: np.ndarray, margin_px: int) -> tuple[slice, slice] | None:
    """The smallest box that holds all True pixels and a margin, as rows and columns; None where there are none.

    >>> spot = np.zeros((20, 30), bool)
    >>> spot[4, 9] = True
    >>> box_around(spot, 2)
    (slice(2, 7, None), slice(7, 12, None))
    """
    rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
    if not len(rows):
        return None
    top, left = max(0, int(rows[0]) - margin_px), max(0, int(columns[0]) - margin_px)
    bottom, right = (
        min(side, int(last) + margin_px + 1) for side, last in zip(where.shape, (rows[-1], columns[-1]), strict=True)
    )
    return slice(top, bottom), slice(left, right)
