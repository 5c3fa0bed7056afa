"""What tracking gives: a mask for every frame of a film, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .jitter import area_jitter


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
        """Where the next prompt belongs, in words."""
        frame = int(self.confidence.argmin())
        return (
            f"{len(self)} masks; area jitter {100 * area_jitter(self.masks):.1f} % of the area\n"
            f"confidence {self.confidence.mean():.2f} of 1 on average; least sure at frame {frame}: "
            f"{self.confidence[frame]:.2f}; the next mask belongs there"
        )
