"""A film at another size, and a part of a film: films that cost nothing until a frame is asked for."""

from pathlib import Path

import cv2
import numpy as np

from escalier.refusals import Refusal

from .film import Film, FilmBase
from .pictures import Size, as_uint8


class ScaledFilm(FilmBase):
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

    def __init__(self, film: Film, size: Size) -> None:
        if min(size) < 1:
            raise Refusal("size", "be at least 1x1 px", size, "ask for a larger one", who="ScaledFilm")
        super().__init__(size, film.rate, len(film))
        self._film = film

    def fingerprint_parts(self) -> tuple[Film, ...]:
        """What its frames depend on besides its size, for `film_fingerprint`."""
        return (self._film,)

    def _frame(self, index: int) -> np.ndarray:
        return scale_film(as_uint8(self._film.frame(index)), self.size)


class FrameRange(FilmBase):
    """Frames `start` to `stop` - 1 of a film, counted from 0 again.

    >>> from .frames import ArrayFrames
    >>> film = ArrayFrames(np.arange(5, dtype=np.uint8).repeat(12).reshape(5, 2, 2, 3))
    >>> part = FrameRange(film, 1, 4)
    >>> len(part), int(part.frame(0)[0, 0, 0])
    (3, 1)
    """

    def __init__(self, film: Film, start: int, stop: int) -> None:
        if not 0 <= start < stop <= len(film):
            rule, got = f"mark a part of the film's frames 0..{len(film) - 1}", f"{start} to {stop - 1}"
            raise Refusal("start and stop", rule, got, "choose them inside the film", who="FrameRange")
        super().__init__(film.size, film.rate, stop - start)
        self._film, self._first, self._end = film, start, stop

    def fingerprint_parts(self) -> tuple[Film | str | Path, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return self._film, f"{self._first} to {self._end}"

    def _frame(self, index: int) -> np.ndarray:
        return self._film.frame(self._first + index)


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
