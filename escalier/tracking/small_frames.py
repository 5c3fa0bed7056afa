"""A film at the size at which its motion is known, the last frames that were asked for kept."""

from __future__ import annotations

from collections import OrderedDict

import cv2
import numpy as np

from escalier.film import FrameSource, Size, as_uint8

KEPT = 32


class SmallFrames:
    """Frames of a film as uint8 (h, w, 3) at another size; the last 32 are kept.

    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.zeros((3, 8, 12, 3), np.uint8))
    >>> SmallFrames(film, Size(6, 4))[2].shape
    (4, 6, 3)
    """

    def __init__(self, film: FrameSource, size: Size) -> None:
        self.size = size
        self._film = film
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._film)

    def __getitem__(self, index: int) -> np.ndarray:
        picture = self._kept.get(index)
        if picture is None:
            picture = as_uint8(self._film.frame(index))
            if Size.of(picture) != self.size:
                picture = cv2.resize(picture, self.size, interpolation=cv2.INTER_AREA)
            self._kept[index] = picture
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture
