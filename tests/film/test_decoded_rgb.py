"""Decoded frames as RGB against a reckoning in double precision: every matrix, range, siting and pixel format."""

from __future__ import annotations

import itertools

import av
import numpy as np
import pytest

from escalier.film import colour as h273
from escalier.film.colour import Colour
from escalier.film.decoded_rgb import RgbDecoder

# Luma coefficients (red, blue), ITU-T H.273.
MATRICES = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
# Where a colour sample lies between the first and the next pixel (across, down), in steps of colour samples.
SITINGS = {"left": (0, 1), "center": (1, 1), "topleft": (0, 0), "top": (1, 0)}
# Pixel formats by how often colour is sampled: every 2 ** (across, down) pixels.
FORMATS = {"yuv420p": (1, 1), "yuv422p": (1, 0), "yuv444p": (0, 0), "yuv411p": (2, 0), "yuv410p": (2, 2)}
FORMATS |= {"yuv420p10le": (1, 1), "yuv422p10le": (1, 0), "yuv444p12le": (0, 0), "yuv440p": (0, 1)}


def frame_of(planes: list[np.ndarray], pix_fmt: str) -> av.VideoFrame:
    """A frame of these planes, each an array of what the format stores."""
    height, width = planes[0].shape
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, samples in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        stored = np.ascontiguousarray(samples.astype(np.uint16 if deep(pix_fmt) else np.uint8)).view(np.uint8)
        rows[:, : stored.shape[1]] = stored
        plane.update(rows.tobytes())
    return frame


def deep(pix_fmt: str) -> int:
    """Bits beyond eight."""
    return av.VideoFormat(pix_fmt, 16, 16).components[0].bits - 8


def taken_apart(samples: np.ndarray, length: int, shift: int, place: float) -> np.ndarray:
    """Colour samples along the first axis at every pixel: the cubic of swscale (Keys, a = -.6), edges held."""
    if not shift:
        return samples
    where = (np.arange(length) - place * ((1 << shift) - 1) / 2) / (1 << shift)
    first = np.floor(where).astype(int)
    total = 0.0
    for tap in range(-1, 3):
        x = np.abs(where - first - tap)
        near, far = 1.4 * x**3 - 2.4 * x**2 + 1, -0.6 * (x**3 - 5 * x**2 + 8 * x - 4)
        weight = np.where(x < 1, near, np.where(x < 2, far, 0))
        total = total + samples[np.clip(first + tap, 0, len(samples) - 1)] * weight[:, None]
    return total


def reference(planes: list[np.ndarray], pix_fmt: str, colour: Colour, siting: str) -> np.ndarray:
    height, width = planes[0].shape
    (across, down), (h, v) = FORMATS[pix_fmt], SITINGS[siting]
    y, u, v_ = (plane / (1 << deep(pix_fmt)) for plane in planes)
    u, v_ = (taken_apart(taken_apart(c, height, down, v).T, width, across, h).T - 128 for c in (u, v_))
    if colour.full_range:
        top = 256 - 1 / (1 << deep(pix_fmt))
        y, u, v_ = (c * 255 / top for c in (y, u, v_))
    else:
        y, u, v_ = (y - 16) * 255 / 219, u * 255 / 224, v_ * 255 / 224
    red, blue = MATRICES[colour.matrix]
    r, b = y + 2 * (1 - red) * v_, y + 2 * (1 - blue) * u
    return np.clip(np.stack([r, (y - red * r - blue * b) / (1 - red - blue), b], -1), 0, 255)


def waves(pix_fmt: str, width: int, height: int) -> list[np.ndarray]:
    """Every value there is in luma and both differences, also such as no colour has, changing slowly."""
    unit, (across, down) = 1 << deep(pix_fmt), FORMATS[pix_fmt]
    planes = []
    for number, (fx, fy) in enumerate([(2.0, 1.0), (1.0, 2.0), (1.5, 1.5)]):
        h, w = (height, width) if number == 0 else (-(-height // (1 << down)), -(-width // (1 << across)))
        rows, columns = np.mgrid[:h, :w]
        wave = np.sin(2 * np.pi * (fx * columns / w + fy * rows / h) + number)
        planes.append(np.rint((0.5 + 0.5 * wave) * (256 * unit - 1)))
    return planes


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("pix_fmt", FORMATS)
def test_any_values_become_the_rgb_that_the_standard_says(pix_fmt: str, matrix: int, full: bool) -> None:
    colour = Colour(matrix, 1, 1, full)
    for width, height in ((160, 128), (131, 97)):
        planes = waves(pix_fmt, width, height)
        made = RgbDecoder(colour, "left").rgb(frame_of(planes, pix_fmt)).astype(float)
        off = np.abs(made - reference(planes, pix_fmt, colour, "left"))
        # At the very edge the cubic has samples on one side only, and swscale weighs them in another way.
        assert off[8:-8, 8:-8].max() <= 1 and off.max() <= 5


@pytest.mark.slow
@pytest.mark.parametrize("matrix", MATRICES)
def test_colours_brighter_than_twice_white_do_not_begin_anew_at_black(matrix: int) -> None:
    extremes = itertools.product((0, 16, 235, 255), (0, 128, 240, 255), (0, 128, 240, 255))
    for values in extremes:
        planes = [np.full((16 >> s, 16 >> s), value) for s, value in zip((0, 1, 1), values, strict=True)]
        for full in (False, True):
            colour = Colour(matrix, 1, 1, full)
            made = RgbDecoder(colour, "left").rgb(frame_of(planes, "yuv420p"))[8, 8].astype(float)
            assert np.abs(made - reference(planes, "yuv420p", colour, "left")[8, 8]).max() <= 1


@pytest.mark.parametrize("siting", SITINGS)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv411p", "yuv420p10le"])
def test_colour_lies_where_it_is_said_to_lie(pix_fmt: str, siting: str) -> None:
    (across, down), period, side = FORMATS[pix_fmt], 48, 96
    for axis, shift in ((1, across), (0, down)):
        wave = 128 + 60 * np.cos(2 * np.pi * np.arange(side >> shift) * (1 << shift) / period)
        shape, unit = (side >> down, side >> across), 1 << deep(pix_fmt)
        red = np.rint(unit * np.broadcast_to(wave if axis == 1 else wave[:, None], shape))
        planes = [np.full((side, side), 128 * unit), np.full(shape, 128 * unit), red]
        made = RgbDecoder(Colour(6, 6, 6, True), siting).rgb(frame_of(planes, pix_fmt))[..., 0].mean(axis=1 - axis)
        place = -np.angle((made * np.exp(-2j * np.pi * np.arange(side) / period)).sum()) * period / (2 * np.pi)
        assert place == pytest.approx(SITINGS[siting][1 - axis] * ((1 << shift) - 1) / 2, abs=0.02)


@pytest.mark.parametrize("pix_fmt", ["nv12", "p010le", "yuyv422", "uyvy422", "nv21", "yuv420p"])
def test_formats_that_hold_the_same_samples_give_the_same_picture(pix_fmt: str) -> None:
    plain = "yuv422p" if "422" in pix_fmt else "yuv420p10le" if "10" in pix_fmt else "yuv420p"
    frame = frame_of(waves(plain, 128, 96), plain)
    other = frame.reformat(format=pix_fmt, src_color_range=1, dst_color_range=1)
    decoder = RgbDecoder(h273.SDR, "left")
    assert np.abs(decoder.rgb(other).astype(int) - decoder.rgb(frame)).max() <= 1


@pytest.mark.parametrize(
    ("pix_fmt", "full"), [("gray", True), ("gray", False), ("gray10le", True), ("gray10le", False)]
)
def test_grey_is_read_by_its_range(pix_fmt: str, full: bool) -> None:
    unit = 1 << deep(pix_fmt)
    luma = np.broadcast_to(np.arange(256) * unit, (4, 256))
    made = RgbDecoder(Colour(1, 1, 1, full), "left").rgb(frame_of([luma], pix_fmt))
    wanted = luma / unit if full else np.clip((luma / unit - 16) * 255 / 219, 0, 255)
    assert np.abs(made - wanted[..., None]).max() <= 1


def test_a_picture_is_the_same_each_time_whatever_its_width() -> None:
    for width in (31, 33, 70, 130):
        frame = frame_of(waves("yuv420p", width, 22), "yuv420p")
        pictures = {RgbDecoder(h273.SDR, "left").rgb(frame).tobytes() for _ in range(8)}
        assert len(pictures) == 1
