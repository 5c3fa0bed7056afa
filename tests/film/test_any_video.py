"""Sixty clips of many codecs and containers: frames in random order against a straight decode from the start."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest

from escalier.film import VideoFrames

# encoder, suffix, pixel format, whether it reorders frames, whether it takes any times
KINDS = [
    *[("libx264", suffix, "yuv420p", True, suffix not in (".avi", ".h264")) for suffix in (".mp4", ".mkv", ".mov")],
    *[("libx264", suffix, "yuv420p", True, False) for suffix in (".ts", ".flv", ".avi", ".h264", ".nut")],
    ("libx264", ".mp4", "yuv444p", True, True),
    ("libx264", ".mkv", "yuv422p10le", True, True),
    ("libx264", ".mp4", "yuvj420p", True, True),
    ("libx265", ".mkv", "yuv420p10le", True, True),
    ("libx265", ".hevc", "yuv420p", True, False),
    *[("mpeg2video", suffix, "yuv420p", True, False) for suffix in (".mpg", ".vob", ".ts", ".mxf", ".mkv", ".m2v")],
    ("mpeg2video", ".ts", "yuv422p", True, False),
    ("mpeg1video", ".mpg", "yuv420p", True, False),
    *[("mpeg4", suffix, "yuv420p", True, False) for suffix in (".avi", ".mp4", ".mkv", ".m4v")],
    ("msmpeg4", ".avi", "yuv420p", False, False),
    ("wmv2", ".wmv", "yuv420p", False, False),
    ("flv", ".flv", "yuv420p", False, False),
    ("mjpeg", ".avi", "yuvj422p", False, False),
    ("mjpeg", ".mov", "yuvj420p", False, True),
    ("mjpeg", ".mjpeg", "yuvj444p", False, False),
    ("libvpx", ".webm", "yuv420p", False, True),
    ("libvpx", ".ivf", "yuv420p", False, False),
    ("libvpx-vp9", ".webm", "yuv444p", False, True),
    ("libsvtav1", ".mp4", "yuv420p", False, False),
    ("ffv1", ".mkv", "yuv420p", False, True),
    ("ffv1", ".avi", "yuv410p", False, False),
    ("huffyuv", ".avi", "yuv422p", False, False),
    ("prores_ks", ".mov", "yuv422p10le", False, True),
    ("rawvideo", ".avi", "yuv420p", False, False),
    ("rawvideo", ".mov", "uyvy422", False, True),
    ("gif", ".gif", "rgb8", False, False),
    ("qtrle", ".mov", "rgb24", False, True),
    ("png", ".mov", "rgb24", False, True),
]
CLIPS = 60
RATES = [Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(12), Fraction(50), Fraction(10)]
FIXED_RATE = (".mpg", ".vob", ".m2v", ".mxf", ".ts")


class Made(NamedTuple):
    path: Path
    times: list[Fraction]


def make_clip(folder: Path, seed: int) -> Made:
    """A clip that depends on the seed alone."""
    rng = np.random.default_rng(seed)
    encoder, suffix, pix_fmt, reorders, any_times = KINDS[seed % len(KINDS)]
    if encoder not in av.codec.codecs_available and encoder not in ("msmpeg4", "prores_ks"):
        pytest.skip(f"this PyAV cannot write {encoder}")
    count, rate = int(rng.integers(2, 36)), RATES[int(rng.integers(len(RATES)))]
    if suffix in FIXED_RATE or encoder.startswith("mpeg"):
        rate = Fraction(25)
    if suffix == ".gif":
        rate = Fraction(10)
    size = (int(rng.integers(24, 60)) * 2, int(rng.integers(20, 50)) * 2)
    if encoder in ("ffv1", "png", "gif", "qtrle", "libvpx", "libvpx-vp9") or pix_fmt == "yuv444p":
        size = (size[0] - int(rng.integers(2)), size[1] - int(rng.integers(2)))
    group = int(rng.choice([1, 3, 7, 12, 60]))
    options = {"g": str(group)} | ({"bf": str(int(rng.integers(0, 4)))} if reorders and group > 1 else {})
    if encoder == "libx265":
        options = {"x265-params": f"keyint={group}:bframes={rng.integers(0, 5)}:log-level=error"}
    tick = 1 / rate
    ticks = list(range(count))
    if any_times and rng.random() < 0.5:
        tick = Fraction(1, 600)
        steps = rng.integers(15, 60, count - 1) if rng.random() < 0.5 else np.full(count - 1, 24)
        ticks = [int(rng.integers(0, 400)), *steps.tolist()]
        ticks = list(itertools.accumulate(ticks))
    path = folder / f"clip{suffix}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream(encoder, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        stream.time_base = stream.codec_context.time_base = tick
        for index, at in enumerate(ticks):
            frame = av.VideoFrame.from_ndarray(picture(index, size)).reformat(format=pix_fmt)
            frame.pts, frame.time_base = at, tick
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return Made(path, [(at - ticks[0]) * tick for at in ticks])


def picture(index: int, size: tuple[int, int]) -> np.ndarray:
    """A soft, coloured picture with a bright bar that stands elsewhere in every frame."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    red, blue = 80 + 60 * x / width, 80 + 60 * y / height
    image = np.stack([red, 100 + 20 * np.sin(x / 9 + index), blue], -1)
    image[:, (index * 7) % (width - 6) :][:, :6] += 70
    return np.rint(np.clip(image, 0, 255)).astype(np.uint8)


def straight(path: Path) -> tuple[list[np.ndarray], list[Fraction | None]]:
    """Every frame from first to last with its time, by PyAV alone and by a matrix of our own (BT.601)."""
    pictures, times = [], []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            pictures.append(own_rgb(frame))
            times.append(None if frame.pts is None else frame.pts * Fraction(frame.time_base))
    return pictures, times


def own_rgb(frame: av.VideoFrame) -> np.ndarray:
    name = frame.format.name
    if frame.format.is_rgb or name == "pal8":
        return frame.to_ndarray(format="rgb24").astype(float)
    if name == "uyvy422":
        frame, name = frame.reformat(format="yuv422p"), "yuv422p"
    bits = frame.format.components[0].bits
    planes = []
    for plane in frame.planes:
        samples = np.frombuffer(memoryview(plane), np.uint16 if bits > 8 else np.uint8)
        rows = samples.reshape(-1, plane.line_size // samples.itemsize)[: plane.height, : plane.width]
        across, down = -(-frame.width // plane.width), -(-frame.height // plane.height)
        grown = np.repeat(np.repeat(rows, down, 0), across, 1)[: frame.height, : frame.width]
        planes.append(grown.astype(float) / (1 << (bits - 8)))
    full = name.startswith("yuvj") or int(frame.color_range) == 2
    y, u, v = planes[0], planes[1] - 128, planes[2] - 128
    if not full:
        y, u, v = (y - 16) * 255 / 219, u * 255 / 224, v * 255 / 224
    rgb = np.stack([y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], -1)
    return np.clip(rgb, 0, 255)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(CLIPS))
def test_frames_in_any_order_are_those_of_a_straight_decode(tmp_path: Path, seed: int) -> None:
    made = make_clip(tmp_path, seed)
    expected, stamps = straight(made.path)
    film = VideoFrames(made.path)
    assert len(film) == len(expected)
    # 4:1:0 has one colour for sixteen pixels, and the matrix above knows no siting.
    allowed = 9 if "yuv410p" in KINDS[seed % len(KINDS)] else 2.5
    rng = np.random.default_rng(seed)
    for index in rng.permutation(len(film)).tolist() + rng.integers(0, len(film), 6).tolist():
        off = np.abs(film.frame(index) - expected[index]).mean()
        assert off < allowed, (made.path.name, index, off)
    # The truth is what the file says, else (no times, or times as stored) what it was made of.
    rising = None not in stamps and all(a < b for a, b in itertools.pairwise(stamps))
    truth = [stamp - stamps[0] for stamp in stamps] if rising else made.times
    slack = max(film.time_base, Fraction(1, 1000)) + Fraction(1, 10_000)
    assert max(abs(a - b) for a, b in zip(film.times, truth, strict=True)) <= slack
