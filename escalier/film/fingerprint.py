"""Tell whether two films are the same, so that scratch made from one is never used for another."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from .frames import FrameSource

SAMPLED_FRAMES = 8


def film_fingerprint(film: FrameSource) -> str:
    """A short text that changes with the film: 32 hexadecimal digits.

    A film that knows its file (`film.path`) or folder (`film.folder`) is told apart by the name, size and time of
    change of what lies there, and by eight of its frames. Any other film has every frame read and hashed, a few
    milliseconds for each megapixel.

    >>> from escalier.film.frames import ArrayFrames
    >>> black = ArrayFrames(np.zeros((4, 8, 8, 3), np.uint8))
    >>> grey = ArrayFrames(np.full((4, 8, 8, 3), 128, np.uint8))
    >>> film_fingerprint(black) == film_fingerprint(black), film_fingerprint(black) == film_fingerprint(grey)
    (True, False)
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{len(film)} {film.size}".encode())
    place = getattr(film, "path", None) or getattr(film, "folder", None)
    count = len(film)
    if place is not None and Path(place).exists():
        for file in _files(Path(place)):
            facts = file.stat()
            digest.update(f"{file.name} {facts.st_size} {facts.st_mtime_ns}".encode())
        indices = sorted({round(i) for i in np.linspace(0, count - 1, min(count, SAMPLED_FRAMES))})
    else:
        indices = list(range(count))
    for index in indices:
        digest.update(array_digest(film.frame(index)))
    return digest.hexdigest()


def array_digest(array: np.ndarray) -> bytes:
    """16 bytes that change with an array's shape, type or content.

    >>> array_digest(np.zeros(3)) == array_digest(np.zeros(4))
    False
    """
    digest = hashlib.blake2b(f"{array.shape} {array.dtype}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(file for file in place.iterdir() if file.is_file() and not file.name.startswith("."))
