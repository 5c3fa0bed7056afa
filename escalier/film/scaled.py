"""A film at another size, and a part of a film: films that cost nothing until a frame is asked for."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from .frames import FrameSource
from .pictures import Size, as_uint8


class ScaledFilm:
    """A film at another size, averaged down or enlarged by bicubic sampling; frames are uint8.

    Parameters
    ----------
    film
        Any film.
    size
        The size to show it in.

    >>> from .frames import ArrayFrames
    >>> film = ArrayFrames(np.full((3, 270, 480, 3), 200, np.uint8), rate=25)
    >>> small = ScaledFilm(film, Size(120, 68))
    >>> small.frame(2).shape, len(small), int(small.rate)
    ((68, 120, 3), 3, 25)
    """

    def __init__(self, film: FrameSource, size: Size) -> None:
        if min(size) < 1:
            raise ValueError(f"ScaledFilm: size must be at least 1x1 px, got {size}; ask for a larger one")
        self._film = film
        self._size = size

    @property
    def size(self) -> Size:
        return self._size

    @property
    def rate(self) -> Fraction:
        return self._film.rate

    def __len__(self) -> int:
        return len(self._film)

    def fingerprint_parts(self) -> tuple[FrameSource, ...]:
        """What its frames depend on besides its size, for `film_fingerprint`."""
        return (self._film,)

    def frame(self, index: int) -> np.ndarray:
        return scale_film(as_uint8(self._film.frame(index)), self._size)


class FrameRange:
    """Frames `start` to `stop` - 1 of a film, counted from 0 again.

    >>> from .frames import ArrayFrames
    >>> film = ArrayFrames(np.arange(5, dtype=np.uint8).repeat(12).reshape(5, 2, 2, 3))
    >>> part = FrameRange(film, 1, 4)
    >>> len(part), int(part.frame(0)[0, 0, 0])
    (3, 1)
    """

    def __init__(self, film: FrameSource, start: int, stop: int) -> None:
        if not 0 <= start < stop <= len(film):
            raise ValueError(
                f"FilmPart: start and stop must mark a part of the film's frames 0..{len(film) - 1}, got {start} to "
                f"{stop - 1}; choose them inside the film"
            )
        self._film = film
        self.start = start
        self.stop = stop

    @property
    def size(self) -> Size:
        return self._film.size

    @property
    def rate(self) -> Fraction:
        return self._film.rate

    def __len__(self) -> int:
        return self.stop - self.start

    def fingerprint_parts(self) -> tuple[FrameSource | str, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return self._film, f"{self.start} to {self.stop}"

    def frame(self, index: int) -> np.ndarray:
        if not 0 <= index < len(self):
            raise IndexError(f"FilmPart: index must lie in 0..{len(self) - 1}, got {index}; count from 0")
        return self._film.frame(self.start + index)


def scale_film(picture: np.ndarray, size: Size) -> np.ndarray:
    """A picture (H, W, C) or a mask (H, W) at another size; itself where it has that size.

    Smaller, it is averaged down. Larger, pictures are sampled bicubically; masks linearly, for
    they must not swing over.

    >>> scale_film(np.full((4, 8, 3), 7, np.uint8), Size(4, 2)).shape
    (2, 4, 3)
    >>> scale_film(np.float32([[0, 1]]), Size(4, 1)).tolist()
    [[0.0, 0.25, 0.75, 1.0]]
    """
    own = Size.of(picture)
    if own == size:
        return picture
    larger = size.width > own.width or size.height > own.height
    enlarging = cv2.INTER_LINEAR if picture.ndim == 2 else cv2.INTER_CUBIC
    return cv2.resize(picture, size, interpolation=enlarging if larger else cv2.INTER_AREA)


def draft_size(size: Size, scale: float) -> Size:
    """A size scaled, both sides even as video files need them, and at least 32.

    >>> str(draft_size(Size(960, 540), 0.25)), str(draft_size(Size(100, 60), 0.25))
    ('240x136', '32x32')
    """
    return Size(*(min(side, max(32, 2 * round(side * scale / 2))) for side in size))
