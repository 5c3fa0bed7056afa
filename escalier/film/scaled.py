"""A film made smaller, and a part of a film: films that cost nothing until a frame is asked for."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from .frames import FrameSource, Size, as_uint8


class ScaledFilm:
    """A film at a smaller size, averaged down; frames are uint8.

    Parameters
    ----------
    film
        Any film.
    size
        The size to show it in, no larger than its own on either side.

    >>> from .frames import ArrayFrames
    >>> film = ArrayFrames(np.full((3, 270, 480, 3), 200, np.uint8), rate=25)
    >>> small = ScaledFilm(film, Size(120, 68))
    >>> small.frame(2).shape, len(small), int(small.rate)
    ((68, 120, 3), 3, 25)
    """

    def __init__(self, film: FrameSource, size: Size) -> None:
        if size.width > film.size.width or size.height > film.size.height or min(size) < 1:
            raise ValueError(
                f"ScaledFilm: size must be no larger than the film's {film.size}, got {size}; ask for a smaller one"
            )
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
        return scaled(as_uint8(self._film.frame(index)), self._size)


class FilmPart:
    """Frames `start` to `stop` - 1 of a film, counted from 0 again.

    >>> from .frames import ArrayFrames
    >>> film = ArrayFrames(np.arange(5, dtype=np.uint8).repeat(12).reshape(5, 2, 2, 3))
    >>> part = FilmPart(film, 1, 4)
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


def scaled(picture: np.ndarray, size: Size) -> np.ndarray:
    """A picture (H, W) or (H, W, C) averaged down to a size; itself where it has that size.

    >>> scaled(np.full((4, 8, 3), 7, np.uint8), Size(4, 2)).shape
    (2, 4, 3)
    """
    return picture if Size.of(picture) == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def draft_size(size: Size, scale: float) -> Size:
    """A size scaled, both sides even as video files need them, and at least 32.

    >>> str(draft_size(Size(960, 540), 0.25)), str(draft_size(Size(100, 60), 0.25))
    ('240x136', '32x32')
    """
    return Size(*(min(side, max(32, 2 * round(side * scale / 2))) for side in size))
