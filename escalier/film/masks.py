"""The masks of a film: one for each frame, or one that stands for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from escalier.arguments import checked, on_behalf
from escalier.refusals import Refusal, TypeRefusal

from .film import Film, place_of
from .pictures import Size
from .scaled import scale_film

MaskSource = np.ndarray | Sequence[np.ndarray]
"""What is taken for masks over time: masks[i] is (H, W), uint8 0..255 or float 0..1. Length 1 stands for the whole
film. `Masks` is one too."""


@checked
class Masks(Sequence[np.ndarray]):
    """Masks over time, asked for by the frame that they belong to.

    `masks[i]` is the i-th of them, `masks.at(index)` the one that belongs to frame `index`.

    Parameters
    ----------
    masks
        An array (N, H, W), or a sequence of (H, W): bool, uint8 0..255 or float 0..1, one for each frame or one for
        all. Nothing is copied, and nothing is read before it is asked for.

    >>> one = Masks(np.ones((1, 4, 6), np.float32))
    >>> len(one), str(one.size), one.at(23).shape
    (1, '6x4', (4, 6))
    """

    def __init__(self, masks: MaskSource) -> None:
        self._masks = masks

    @classmethod
    def of(cls, masks: MaskSource) -> Masks:
        """Themselves where they are `Masks` already, else so made."""
        return masks if isinstance(masks, Masks) else Masks(masks)

    @classmethod
    @on_behalf
    def fitting(cls, masks: MaskSource, film: Film) -> Masks:
        """Those of a film; refused where their number, size or levels do not fit it.

        >>> from .frames import ArrayFrames
        >>> Masks.fitting(np.zeros((3, 8, 8)), ArrayFrames(np.zeros((4, 8, 8, 3), np.uint8)))
        Traceback (most recent call last):
        escalier.refusals.Refusal: mask must hold 1 or 4 masks, one for each frame, got 3; make the mask from ...
        """
        masks = cls.of(masks)
        if len(masks) not in (1, len(film)):
            raise Refusal(
                "mask",
                f"hold 1 or {len(film)} masks, one for each frame",
                len(masks),
                "make the mask from the same clip, with the same trim",
            )
        first = masks[0]
        if first.ndim != 2 or Size.of(first) != film.size:
            shape = Size.of(first) if first.ndim >= 2 else first.shape
            raise Refusal("mask", f"be a single channel of {film.size}", shape, "scale it to the film first")
        if first.dtype != np.uint8 and first.dtype.kind not in "bf":
            raise TypeRefusal("mask", "be uint8 0..255 or float 0..1", first.dtype, "convert it first")
        if first.dtype == np.uint8 and masks._only_ones():
            raise Refusal("mask", "be uint8 0..255 or float 0..1", "uint8 of 0 and 1", "multiply it by 255")
        return masks

    def at(self, index: int) -> np.ndarray:
        """The mask of frame `index`: (H, W)."""
        return self[place_of(index, len(self))]

    @property
    def size(self) -> Size:
        return Size.of(self[0])

    def __len__(self) -> int:
        return len(self._masks)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> list[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        return [*map(self._mask, range(*index.indices(len(self))))] if isinstance(index, slice) else self._mask(index)

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self._mask, range(len(self)))

    def scaled(self, size: Size) -> Masks:
        """At another size, each when it is asked for; see `scale_film`."""
        return _ScaledMasks(self, size)

    @on_behalf
    def check_marked(self) -> None:
        """Refuse masks that mark nothing. Read up to the first that does, which mostly is the first.

        >>> Masks(np.zeros((2, 4, 6), np.uint8)).check_marked()
        Traceback (most recent call last):
        escalier.refusals.Refusal: mask must mark the subject in at least one frame, got black in all 2; ...
        """
        if not any(mask.any() for mask in self):
            raise self.nothing_marked()

    def nothing_marked(self) -> ValueError:
        """The refusal of masks that are all black."""
        remedy = "check the segmentation, or leave the mask out to propagate without one"
        return Refusal("mask", "mark the subject in at least one frame", f"black in all {len(self)}", remedy)

    def _mask(self, index: int) -> np.ndarray:
        return np.asarray(self._masks[index])

    def _only_ones(self) -> bool:
        """Whether masks in memory hold 0 and 1 where 255 should be; the first that holds white ends the search."""
        brightest = 0
        for mask in self._masks if isinstance(self._masks, (np.ndarray, list, tuple)) else ():
            brightest = max(brightest, int(np.max(mask)))
            if brightest > 1:
                return False
        return brightest == 1


class _ScaledMasks(Masks):
    def __init__(self, masks: Masks, size: Size) -> None:
        super().__init__(masks)
        self._size = size

    @property
    def size(self) -> Size:
        return self._size

    def _mask(self, index: int) -> np.ndarray:
        return scale_film(super()._mask(index), self._size)
