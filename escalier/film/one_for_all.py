"""A film, or the masks of one, may hold a single picture: it stands for every frame."""

from collections.abc import Sized

import numpy as np

from escalier.refusals import Refusal

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


def check_lengths(length: int, **films: Sized) -> None:
    """Refuse films and masks, by their names, that hold neither one picture for all nor as many as the film.

    >>> check_lengths(24, mask=np.zeros((3, 4, 6)))
    Traceback (most recent call last):
    escalier.refusals.Refusal: mask must have 1 or 24 frames, got 3; make it from the same clip, with the same trim
    """
    for name, film in films.items():
        if len(film) not in (1, length):
            raise Refusal(
                name, f"have 1 or {length} frames", len(film), "make it from the same clip, with the same trim"
            )
