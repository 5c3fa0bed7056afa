"""What tracking gives: a mask for every frame of a film, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .jitter import area_jitter

NOTHING = 0.5
"""A mask that reaches this nowhere holds no subject."""


@dataclass(frozen=True, eq=False)
class TrackedMasks:
    """A mask for every frame of a film.

    Attributes
    ----------
    masks
        (N, H, W) float32 0..1, soft.
    confidence
        (N,) float32 0..1: how sure the mask is in each frame, over the subject and its close surroundings. 1 where it
        was given, 0 in a shot where none was.
    """

    masks: np.ndarray
    confidence: np.ndarray

    def __len__(self) -> int:
        return len(self.masks)

    def __str__(self) -> str:
        """Where the next prompt belongs, and where there is no subject, in words.

        >>> print(TrackedMasks(np.float32([[[1]], [[0]], [[0]]]), np.float32([1, 0.5, 0])))
        3 masks; area jitter 300.0 % of the area
        confidence 0.50 of 1 on average; least sure at frame 2: 0.00; the next mask belongs there
        no subject in 2 of 3 frames: 1 to 2; where it is to be seen, give a mask
        """
        frame = int(self.confidence.argmin())
        lost = self.without_subject()
        gone = ""
        if lost:
            runs = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in lost)
            count = sum(last - first + 1 for first, last in lost)
            gone = f"\nno subject in {count} of {len(self)} frames: {runs}; where it is to be seen, give a mask"
        return (
            f"{len(self)} masks; area jitter {100 * area_jitter(self.masks):.1f} % of the area\n"
            f"confidence {self.confidence.mean():.2f} of 1 on average; least sure at frame {frame}: "
            f"{self.confidence[frame]:.2f}; the next mask belongs there{gone}"
        )

    def without_subject(self) -> list[tuple[int, int]]:
        """First and last frame of every run of masks that hold nothing: the subject left the picture, or was lost."""
        empty = np.flatnonzero([not (mask > NOTHING).any() for mask in self.masks])
        runs = np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1)
        return [(int(run[0]), int(run[-1])) for run in runs if len(run)]
