"""Masks that lie in files: a film of black and white pictures, read one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import cv2
import numpy as np

from .frames import FrameSource, as_uint8

GREY_TOLERANCE = 24
"""Levels by which the channels of a mask may differ: video codecs tint black and white a little."""


class FilmMasks(Sequence[np.ndarray]):
    """A film of masks as masks[i], uint8 (H, W): 255 where the subject is.

    Parameters
    ----------
    film
        Black and white pictures, one for each frame of the clip, or one for all.

    Raises
    ------
    ValueError
        When a picture is in colour: it is then no mask, but perhaps a segmentation map.

    >>> from escalier.film.frames import ArrayFrames
    >>> masks = FilmMasks(ArrayFrames(np.full((2, 4, 6, 3), 255, np.uint8)))
    >>> len(masks), masks[1].shape
    (2, (4, 6))
    """

    def __init__(self, film: FrameSource) -> None:
        self._film = film

    def fingerprint_parts(self) -> tuple[FrameSource, ...]:
        """What the masks depend on, for `masks_fingerprint`."""
        return (self._film,)

    def __len__(self) -> int:
        return len(self._film)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        picture = as_uint8(self._film.frame(index))
        spread = cv2.absdiff(picture.max(axis=2), picture.min(axis=2))
        if spread.max() > GREY_TOLERANCE:
            raise ValueError(
                f"FilmMasks: mask at frame {index} must be black and white, got a picture in colour; "
                "export the mask itself, not the picture it was made from"
            )
        return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))
