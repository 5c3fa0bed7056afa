"""What a Poisson blend is given: one frame, and the engine that blends frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from escalier.film import Size
from escalier.mask import box_around


class Job(NamedTuple):
    """One frame to blend: two pictures of one size and type, and a bool mask with at least one pixel."""

    source: np.ndarray
    target: np.ndarray
    mask: np.ndarray


@runtime_checkable
class Engine(Protocol):
    """Something that blends frames, as many at a time as it says."""

    def frames_at_once(self, size: Size, memory_mb: float) -> int: ...

    def blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        """Blend the frames. Raises MemoryError where they are too many."""
        ...


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the mask, with one more pixel wherever the picture goes on."""
    rows, columns = box_around(mask, 1)
    return rows.start, rows.stop, columns.start, columns.stop
