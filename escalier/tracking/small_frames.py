"""A film at the size at which its motion is known, with that motion; the last frames that were asked for are kept."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np

from escalier.film import Film, Motion, as_uint8, scale_film

KEPT = 32


class SmallFrames:
    """Frames of a film as uint8 (h, w, 3) at the working size of its motion; the last 32 are kept.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.zeros((3, 8, 12, 3), np.uint8))
    >>> import tempfile
    >>> SmallFrames(film, Motion(film, tempfile.mkdtemp()))[2].shape
    (8, 12, 3)
    """

    def __init__(self, film: Film, motion: Motion) -> None:
        self.size = motion.working_size
        self._film, self._motion = film, motion
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    def __len__(self) -> int:
        return len(self._film)

    def __getitem__(self, index: int) -> np.ndarray:
        picture = self._kept.get(index)
        if picture is None:
            picture = self._kept[index] = scale_film(as_uint8(self._film.frame(index)), self.size)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return picture

    def flow(self, index: int, other: int) -> np.ndarray:
        """Where each pixel of frame `index` lies in frame `other`: float32 (h, w, 2), (dx, dy)."""
        return self._motion.flow(index, other, self.size)
