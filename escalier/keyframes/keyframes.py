"""Pictures with their place in time. Indices and pictures travel together, so that they can never get out of step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Size
from escalier.refusals import Refusal, TypeRefusal

LEAST_ENLARGEMENT = Fraction(11, 10)


@checked
@dataclass(frozen=True, init=False)
class Keyframes:
    """Painted frames of one film, in rising order.

    Parameters
    ----------
    indices
        Frame numbers, counted from 0, strictly rising, all smaller than `length`.
    pictures
        One RGB picture (H, W, 3) for each index, uint8 or float32 0..1, all of one size and type.
    length
        Number of frames in the film.

    >>> painted = [np.zeros((270, 480, 3), np.uint8)] * 2
    >>> keyframes = Keyframes([0, 50], painted, length=100)
    >>> keyframes.intervals()
    [(0, 50)]
    """

    indices: tuple[int, ...]
    pictures: tuple[np.ndarray, ...]
    length: int

    def __init__(self, indices: Sequence[int], pictures: Sequence[np.ndarray], length: int) -> None:
        places = tuple(int(i) for i in indices)
        check_indices(places, length)
        if len(pictures) != len(places):
            got = f"{len(pictures)} pictures for {len(places)} indices"
            raise Refusal("pictures", "be as many as indices", got, "give one index for each picture")
        first = pictures[0]
        for index, picture in zip(places, pictures, strict=True):
            if picture.ndim != 3 or picture.shape[2] != 3:
                got = f"an array of shape {picture.shape}"
                raise Refusal(f"picture at frame {index}", "be RGB", got, "convert grey or RGBA pictures to RGB first")
            if Size.of(picture) != Size.of(first):
                got = f"{Size.of(picture)} at frame {index} and {Size.of(first)} at frame {places[0]}"
                raise Refusal("all pictures", "be of one size", got, "scale them to the film's size")
            if picture.dtype not in (np.uint8, np.float32):
                raise TypeRefusal(f"picture at frame {index}", "be uint8 or float32", picture.dtype)
            if picture.dtype == np.float32 and not np.isfinite(picture).all():
                rule = "hold finite numbers"
                raise Refusal(f"picture at frame {index}", rule, "NaN or infinity", "check the node that painted it")
        object.__setattr__(self, "indices", places)
        object.__setattr__(self, "pictures", tuple(pictures))
        object.__setattr__(self, "length", int(length))

    @classmethod
    def of(cls, film: Film, indices: Sequence[int]) -> Keyframes:
        """The film's own frames at these indices, as they wait to be painted.

        >>> from escalier.film import ArrayFrames
        >>> Keyframes.of(ArrayFrames(np.zeros((24, 4, 4, 3), np.uint8)), [0, 12]).indices
        (0, 12)
        """
        check_indices(indices, len(film))
        return cls(indices, [np.array(film.frame(index)) for index in indices], len(film))

    @property
    def size(self) -> Size:
        return Size.of(self.pictures[0])

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        return iter(zip(self.indices, self.pictures, strict=True))

    def intervals(self) -> list[tuple[int, int]]:
        """Neighbouring pairs of indices: the gaps that a fade must cross."""
        return list(itertools.pairwise(self.indices))

    def with_pictures(self, pictures: Sequence[np.ndarray]) -> Keyframes:
        """The same places in time with other pictures, for instance restyled ones."""
        return Keyframes(self.indices, pictures, self.length)


@checked
def fits_film(painted: Size, filmed: Size) -> bool:
    """Whether keyframes of one size can be carried through a film of another: as large, or larger by one factor.

    Larger keyframes, by a tenth at least and by any factor, give a larger film; of their shape see `same_shape`. A
    picture that is larger by a pixel or two was cropped or padded, not enlarged.

    >>> fits_film(Size(1080, 1920), Size(540, 960)), fits_film(Size(540, 960), Size(1080, 1920))
    (True, False)
    """
    larger = max(painted) >= LEAST_ENLARGEMENT * max(filmed)
    return painted == filmed or (larger and same_shape(painted, filmed))


@checked
def same_shape(one: Size, other: Size) -> bool:
    """Whether one of two sizes is the other scaled: at some factor both sides fit to half a pixel of the smaller one.

    That is what rounding leaves of a proxy's sides, or of those of an enlargement.

    >>> same_shape(Size(1920, 1080), Size(853, 480)), same_shape(Size(1920, 1080), Size(1440, 1080))
    (True, False)
    >>> same_shape(Size(32, 19), Size(16, 9)), same_shape(Size(32, 20), Size(16, 9))
    (True, False)
    """
    larger = max(one, other, key=sum)
    return 2 * abs(one.width * other.height - other.width * one.height) <= sum(larger)


def check_indices(indices: Sequence[int], length: int) -> None:
    """Refuse indices that are missing, out of order, repeated or outside the film.

    >>> check_indices([0, 12, 12], length=40)
    Traceback (most recent call last):
    escalier.refusals.Refusal: indices must be different, got 12 twice; remove one of the two pictures
    """
    if length < 1:
        raise Refusal("length", "be at least 1 frame", length, "check the clip")
    if not indices:
        raise Refusal("indices", "name at least one frame", "none", "choose or paint a keyframe")
    for before, after in itertools.pairwise(indices):
        if after == before:
            raise Refusal("indices", "be different", f"{after} twice", "remove one of the two pictures")
        if after < before:
            raise Refusal("indices", "rise", f"{after} after {before}", "sort them with their pictures")
    for index in indices:
        if not 0 <= index < length:
            raise Refusal("indices", f"lie in 0..{length - 1}", index, f"the film has {length} frames, counted from 0")
