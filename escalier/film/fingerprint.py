"""Tell whether two films are the same, so that scratch made from one is never used for another."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import xxhash

from .film import Film
from .frames import ArrayFrames
from .masks import Masks, MaskSource
from .pictures import as_uint8

FORMAT = 3
"""Raised when films of the same bytes come to be read as other pictures."""
BLOCK_BYTES = 4 * 2**20


@runtime_checkable
class SaysWhatItIs(Protocol):
    """A film, or masks, that can be told apart without looking at every frame.

    `fingerprint_parts()` gives all that its frames depend on: files, whose bytes count and not their names or times,
    other films, and settings as text. Files come in the order of the frames.
    """

    def fingerprint_parts(self) -> Iterable[str | Path | Film]: ...


class Fingerprinted(ABC):
    """A film that keeps its fingerprint, see `Footage`."""

    @property
    @abstractmethod
    def is_named(self) -> bool: ...

    @property
    @abstractmethod
    def fingerprint(self) -> str: ...


def film_fingerprint(film: Film) -> str:
    """A short text that changes with the film: 32 hexadecimal digits.

    A film that says what it is made from (see `SaysWhatItIs`) is told apart by the bytes of its files, read once, and
    by its first frame as it is decoded here. Any other film has every frame read. Both run at several GB a second.
    Renaming, copying or touching a clip changes nothing; painting over a picture does, whatever its size and date.

    >>> from escalier.film import ArrayFrames
    >>> black = ArrayFrames(np.zeros((4, 8, 8, 3), np.uint8))
    >>> grey = ArrayFrames(np.full((4, 8, 8, 3), 128, np.uint8))
    >>> film_fingerprint(black) == film_fingerprint(black), film_fingerprint(black) == film_fingerprint(grey)
    (True, False)
    """
    if isinstance(film, Fingerprinted):
        return film.fingerprint
    digest = FilmDigest(film)
    digest.take(film, film.frame)
    return digest.fingerprint()


def is_named(film: Film) -> bool:
    """Whether a film's fingerprint costs no more than reading its files, or memory.

    >>> is_named(ArrayFrames(np.zeros((4, 8, 8, 3), np.uint8)))
    True
    """
    if isinstance(film, Fingerprinted):
        return film.is_named
    if isinstance(film, SaysWhatItIs):
        return all(is_named(part) for part in film.fingerprint_parts() if not isinstance(part, str | Path))
    return isinstance(film, ArrayFrames)


class FilmDigest:
    """The fingerprint of a film as its frames go by, for a film that cannot say what it is."""

    def __init__(self, film: Film | Masks) -> None:
        kind = f"masks {FORMAT} {len(film)}" if isinstance(film, Masks) else f"{FORMAT} {len(film)} {film.size}"
        self._digest = xxhash.xxh3_128(kind.encode())

    def take(self, film: Film | Masks, frame_at: Callable[[int], np.ndarray]) -> None:
        """Add what the film says that it is and its first frame; of one that says nothing, all frames."""
        parts = _parts_digest(film)
        self._digest.update(parts or b"")
        for index in range(len(film) if parts is None else 1):
            self.add(frame_at(index))

    def add(self, frame: np.ndarray) -> None:
        """Add the next frame."""
        self._digest.update(array_digest(frame))

    def fingerprint(self) -> str:
        return self._digest.hexdigest()


def masks_fingerprint(masks: MaskSource) -> str:
    """The same for masks: 32 hexadecimal digits. As 8-bit pictures, whatever type they have.

    >>> masks_fingerprint([np.ones((2, 3))]) == masks_fingerprint(np.full((1, 2, 3), 255, np.uint8))
    True
    """
    masks = Masks.of(masks)
    digest = FilmDigest(masks)
    digest.take(masks, lambda index: as_uint8(masks[index]))
    return digest.fingerprint()


def array_digest(array: np.ndarray) -> bytes:
    """16 bytes that change with an array's shape, type or content.

    >>> array_digest(np.zeros(3)) == array_digest(np.zeros(4))
    False
    """
    digest = xxhash.xxh3_128(f"{array.shape} {array.dtype}".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _parts_digest(source: object) -> bytes | None:
    """What a source says that it is; None where it does not say, or its files cannot be read any more."""
    if not isinstance(source, SaysWhatItIs):
        return None
    digest = xxhash.xxh3_128(type(source).__name__.encode())
    try:
        for part in source.fingerprint_parts():
            # Each part's own digest has a fixed length: two parts never look like one.
            digest.update(_part_digest(part))
    except OSError:
        return None
    return digest.digest()


def _part_digest(part: str | Path | Film) -> bytes:
    if isinstance(part, str):
        return xxhash.xxh3_128_digest(f"text {part}".encode())
    if isinstance(part, Path):
        return _file_digest(part)
    return xxhash.xxh3_128_digest(f"film {film_fingerprint(part)}".encode())


def _file_digest(path: Path) -> bytes:
    digest = xxhash.xxh3_128(b"file ")
    block = memoryview(bytearray(BLOCK_BYTES))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(block):
            digest.update(block[:count])
    return digest.digest()
