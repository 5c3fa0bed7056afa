"""What a film is: anything that says its size and rate and hands over frame i. And what all our own films share."""

import operator
from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np

from escalier.refusals import IndexRefusal

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
        self.check_index(index)
        return self._frame(operator.index(index))

    def check_index(self, index: int) -> None:
        """Refuse a frame that the film has not."""
        if not 0 <= index < self._length:
            name = type(self).__name__
            raise IndexRefusal("index", f"lie in 0..{self._length - 1}", index, self._OUTSIDE, who=name)

    @abstractmethod
    def _frame(self, index: int) -> np.ndarray: ...
