"""What a film is: anything that says its size and rate and hands over frame i. And what all our own films share.

A film, or the masks of one, may hold a single picture: it stands for every frame.
"""

import operator
from abc import ABC, abstractmethod
from collections.abc import Sized
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np

from escalier.refusals import IndexRefusal, Refusal

from .pictures import Size


@runtime_checkable
class Film(Protocol):
    """Anything with a size, a rate, a length and `frame(index)`. No stage holds a whole film in memory.

    `frame(index)` gives an RGB picture (H, W, 3), uint8 0..255 or float32 0..1, with H and W as in `size`. The caller
    must not write into it. Reading frames in rising order is fast for every source; any order works.
    """

    @property
    def size(self) -> Size: ...

    @property
    def rate(self) -> Fraction:
        """Frames per second."""

    def __len__(self) -> int: ...

    def frame(self, index: int) -> np.ndarray: ...


class FilmBase(ABC):
    """A film that says its size, rate and length once, and refuses a frame that it has not.

    What is derived from it is made by `_frame`, which is only asked for frames that are there.

    Parameters
    ----------
    size
        Of its frames.
    rate
        Frames per second.
    length
        Number of frames.
    """

    _OUTSIDE = "count from 0"
    """The remedy for a frame that it has not."""

    def __init__(self, size: Size, rate: Fraction, length: int) -> None:
        self.size = size
        self.rate = rate
        """Frames per second."""
        self._length = length

    def __len__(self) -> int:
        return self._length

    def frame(self, index: int) -> np.ndarray:
        """Frame `index`, RGB (H, W, 3), uint8 0..255 or float32 0..1.

        Raises
        ------
        IndexError
            If the film has no such frame.
        """
        return self._frame(self.check_index(index))

    def check_index(self, index: int) -> int:
        """The number of a frame; refused where the film has no such frame."""
        if not 0 <= index < self._length:
            name = type(self).__name__
            raise IndexRefusal("index", f"lie in 0..{self._length - 1}", index, self._OUTSIDE, who=name)
        return operator.index(index)

    @abstractmethod
    def _frame(self, index: int) -> np.ndarray: ...


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
            remedy = "make it from the same clip, with the same trim"
            raise Refusal(name, f"have 1 or {length} frames", len(film), remedy)
