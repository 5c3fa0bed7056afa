"""What a picture is here: its size, its two number types, what its files may be called, what is told about one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

from escalier.arguments import checked
from escalier.log import log

PICTURE_SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".dib", ".gif", ".tga"),
    *(".jp2", ".j2k", ".jpx", ".ppm", ".pgm", ".pbm", ".pnm", ".exr", ".hdr", ".avif", ".heic", ".heif"),
)
"""What files that can be read are called; what is in them is told by their content."""

STILL_SUFFIXES = tuple(suffix for suffix in PICTURE_SUFFIXES if suffix not in (".apng", ".gif", ".webp", ".avif"))
"""Those of them that are never films."""

MAX_SIDE_PX = 32_768
MAX_PIXELS = 178_000_000  # 2 GB as float RGB; Pillow's own limit is about here


class Size(NamedTuple):
    """The size of a picture in pixels, in the order artists say it: width x height.

    >>> str(Size(960, 540))
    '960x540'
    """

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def of(cls, picture: np.ndarray) -> Size:
        """The size of an (H, W) or (H, W, C) array."""
        return cls(int(picture.shape[1]), int(picture.shape[0]))


@checked
def as_uint8(picture: np.ndarray) -> np.ndarray:
    """A picture as uint8: itself where it is, else float 0..1 rounded to the nearest of 256 levels.

    >>> as_uint8(np.float32([[0.0, 0.5, 1.0]]))
    array([[  0, 128, 255]], dtype=uint8)
    """
    if picture.dtype == np.uint8:
        return picture
    return np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)


_told: ContextVar[set[str] | None] = ContextVar("_told", default=None)


@contextmanager
def telling_once(told: set[str]) -> Iterator[None]:
    """Let notices about pictures be given only where their kind is not in `told` yet: once a film, not once a frame."""
    token = _told.set(told)
    try:
        yield
    finally:
        _told.reset(token)


def tell(notice: str, *values: object) -> None:
    """Give a notice in the log about how a picture was read."""
    told = _told.get()
    if told is not None:
        if notice in told:
            return
        told.add(notice)
    log.warning(notice, *values)
