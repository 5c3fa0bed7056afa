"""A film decoded once from its start, for files whose timestamps or seeks cannot be trusted: what each frame is."""

import zlib
from typing import NamedTuple

import av
import numpy as np

from .pictures import Size

ROWS = 64  # of every plane, spread evenly, tell one frame from another


class PassedFrame(NamedTuple):
    """What is kept of a frame that a straight decode came by."""

    stamp: int | None
    key: bool
    size: Size
    whole: bool
    digest: int


def passed_frame(frame: av.VideoFrame) -> PassedFrame:
    size = Size(frame.width, frame.height)
    return PassedFrame(frame.pts, bool(frame.key_frame), size, not frame.is_corrupt, frame_digest(frame))


def frame_digest(frame: av.VideoFrame) -> int:
    """A number that changes with the picture: every frame that is read after a seek is held against it."""
    kind, digest = frame.format, 0
    for plane in frame.planes[: 1 if kind.has_palette else None]:
        # Never the padding at the end of a row: it holds whatever lay there.
        used = plane.width * (2 if kind.components[0].bits > 8 else 1)
        if not kind.is_planar:
            used = frame.width * kind.padded_bits_per_pixel // 8
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
        digest = zlib.crc32(rows[:: max(plane.height // ROWS, 1), :used].tobytes(), digest)
    return digest
