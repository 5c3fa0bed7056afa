"""Small video files made with PyAV, whose frames carry their own number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

BITS = 8


def numbered(index: int, size: tuple[int, int] = (64, 48)) -> np.ndarray:
    """A picture of eight bars, white or black, that spell a number: it survives any codec."""
    width, height = size
    bars = np.array([255 * (index >> bit & 1) for bit in range(BITS)], np.uint8)
    row = bars[np.arange(width) * BITS // width]
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def number_of(picture: np.ndarray) -> int:
    """The number that a picture of bars spells, read along its longer side."""
    bars = np.array_split(picture.mean(axis=(0, 2)), BITS)
    return sum(1 << bit for bit, bar in enumerate(bars) if bar.mean() > 128)


def make_video(
    path: Path,
    count: int = 24,
    *,
    size: tuple[int, int] = (64, 48),
    rate: Fraction = Fraction(24),
    ticks: Sequence[int] | None = None,
    tick: Fraction | None = None,
    encoder: str = "libx264",
    pix_fmt: str = "yuv420p",
    options: dict[str, str] | None = None,
    sound_from: float | None = None,
    pixel_aspect: Fraction | None = None,
    picture: Callable[[int], np.ndarray] | None = None,
) -> Path:
    """A video file made with PyAV alone. `ticks` are the frames' times; `sound_from` starts a sine."""
    with av.open(str(path), "w", options={"movflags": "faststart"} if path.suffix == ".mp4" else {}) as output:
        stream = output.add_stream(encoder, rate=rate, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        if tick is not None:
            stream.time_base = stream.codec_context.time_base = tick
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        sound = output.add_stream("aac", rate=8000, layout="mono") if sound_from is not None else None
        if sound is not None:
            lay_sine(output, sound, sound_from or 0.0, count / float(rate))
        output.start_encoding()
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(numbered(index, size) if picture is None else picture(index))
            if ticks is not None:
                frame.pts, frame.time_base = ticks[index], tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def lay_sine(output, stream, start: float, seconds: float) -> None:
    samples = np.sin(np.arange(int(8000 * seconds)) * 2 * np.pi * 440 / 8000).astype(np.float32)
    for place in range(0, len(samples) - 1023, 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, place : place + 1024], format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = 8000, Fraction(1, 8000)
        frame.pts = place + int(start * 8000)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def set_matrix(path: Path, matrix: Sequence[int]) -> Path:
    """Write a, b, c, d of the display matrix into the first track of an MP4 file."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 44
    a, b, c, d = (int(value * 65536) for value in matrix)
    data[place : place + 36] = np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], ">i4").tobytes()
    path.write_bytes(data)
    return path


@pytest.fixture(scope="session")
def clips():
    """What the tests of this folder make clips with."""

    class Clips:
        make = staticmethod(make_video)
        numbered = staticmethod(numbered)
        number_of = staticmethod(number_of)
        set_matrix = staticmethod(set_matrix)

    return Clips
