"""A film, or the masks of one, may hold a single picture: it stands for every frame."""

from __future__ import annotations

import numpy as np

from .film import Film


def place_of(index: int, count: int) -> int:
    """Where frame `index` finds what belongs to it among so many: at its own place, or in the only one there is.

    >>> place_of(5, 24), place_of(5, 1)
    (5, 0)
    """
    return index if count > 1 else 0


def frame_at(film: Film, index: int) -> np.ndarray:
    """Frame `index` of a film of which a single picture may stand for all: a wall, a plate, a still.

    >>> from .frames import ArrayFrames
    >>> wall = ArrayFrames(np.full((1, 4, 6, 3), 90, np.uint8))
    >>> frame_at(wall, 7).shape
    (4, 6, 3)
    """
    return film.frame(place_of(index, len(film)))
