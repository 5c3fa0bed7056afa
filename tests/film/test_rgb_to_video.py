"""RGB to the frames of an encoder: matrix and range by definition, colour on the left pixel of two."""

from __future__ import annotations

import av
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from escalier.film import Size
from escalier.film.colour import BT601, BT709, BT2020, SDR, Colour
from escalier.film.rgb_to_video import RgbToVideo

LUMA = {BT601: (0.299, 0.114), BT709: (0.2126, 0.0722), BT2020: (0.2627, 0.0593)}


def luma_chroma(picture: np.ndarray, matrix: int = BT709, full: bool = False) -> np.ndarray:
    """Y, U, V in 8 bits, unrounded, from the definition (ITU-T H.273)."""
    red, blue = LUMA[matrix]
    r, g, b = np.moveaxis(picture / 255.0, -1, 0)
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    return np.stack([255 * y, 255 * u + 128, 255 * v + 128] if full else [219 * y + 16, 224 * u + 128, 224 * v + 128])


def rgb(planes: np.ndarray) -> np.ndarray:
    """The way back of BT.709 in limited range."""
    red, blue = LUMA[BT709]
    y, u, v = (planes[0] - 16) / 219, (planes[1] - 128) / 224, (planes[2] - 128) / 224
    r, b = y + 2 * (1 - red) * v, y + 2 * (1 - blue) * u
    g = (y - red * r - blue * b) / (1 - red - blue)
    return np.clip(np.rint(np.stack([r, g, b], -1) * 255), 0, 255).astype(np.uint8)


def planes_of(frame: av.VideoFrame) -> list[np.ndarray]:
    dtype = np.uint16 if "10" in frame.format.name else np.uint8
    found = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width]
        found.append(rows / (4 if dtype == np.uint16 else 1))
    return found


def read_left_sited(frame: av.VideoFrame) -> np.ndarray:
    """A 4:2:0 frame as RGB, as H.264 says by default: a colour sample on its left pixel, between its two rows."""
    y, u, v = planes_of(frame)
    rows, columns = np.mgrid[: y.shape[0], : y.shape[1]]
    places = [rows / 2 - 0.25, columns / 2]
    return rgb(np.stack([y, *(map_coordinates(one, places, order=3, mode="nearest") for one in (u, v))]))


def waves(height: int = 96, width: int = 128) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = 100 * np.sin(x / 9) * np.cos(y / 13), 80 * np.sin(x / 17 + 1), 100 * np.cos(x / 7 + y / 11)
    return np.rint(128 + np.stack(waves, -1)).clip(0, 255).astype(np.uint8)


def drift(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """How far colour has moved, in pixels right and down: least squares on red minus blue."""
    one, other = (p[4:-4, 4:-4, 0].astype(float) - p[4:-4, 4:-4, 2] for p in (before, after))
    slopes = np.stack([np.gradient(one, axis=1).ravel(), np.gradient(one, axis=0).ravel()], 1)
    right, down = np.linalg.lstsq(slopes, (one - other).ravel(), rcond=None)[0]
    return float(right), float(down)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", LUMA, ids=["601", "709", "2020"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv444p10le"])
def test_flat_colours_are_what_the_matrix_says(pix_fmt: str, matrix: int, full: bool) -> None:
    colour = Colour(matrix, matrix, 1, full)
    for level in ((200, 30, 40), (10, 220, 60), (0, 0, 255), (255, 255, 255), (128, 128, 128)):
        picture = np.full((16, 16, 3), level, np.uint8)
        frame = RgbToVideo(Size(16, 16), pix_fmt, colour).frame(picture)
        expected = luma_chroma(picture, matrix, full)[:, 0, 0]
        assert np.abs([plane[4, 4] for plane in planes_of(frame)] - expected).max() <= (1.1 if full else 0.75)
        assert (int(frame.colorspace), int(frame.color_range)) == (matrix, 2 if full else 1)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p"])
def test_colour_samples_stand_on_the_left_pixel_and_between_two_rows(pix_fmt: str) -> None:
    """On slopes of red and blue a sample half a pixel off would be 1.7 to 3.5 levels off."""
    y, x = np.mgrid[:32, :64]
    for slope in (7 * np.abs(x - 32), 7 * y):
        picture = np.stack([slope, np.full_like(slope, 60), 230 - slope], -1).clip(0, 255).astype(np.uint8)
        exact = luma_chroma(picture)[1:]
        samples = planes_of(RgbToVideo(Size(64, 32), pix_fmt, SDR).frame(picture))[1:]
        for truth, plane in zip(exact, samples, strict=True):
            expected = truth[:, ::2] if pix_fmt == "yuv422p" else (truth[::2, ::2] + truth[1::2, ::2]) / 2
            off = (plane - expected)[4:-4, 4:12]
            assert abs(off.mean()) <= 0.3 and np.abs(off).max() <= 1


def test_six_passes_move_no_colour() -> None:
    picture = waves()
    to_video = RgbToVideo(Size.of(picture), "yuv420p", SDR)
    passed = picture
    for _ in range(6):
        passed = read_left_sited(to_video.frame(passed))
    assert max(map(abs, drift(picture, passed))) <= 0.05
    assert np.abs(passed.astype(int) - picture)[4:-4, 4:-4].mean() <= 1


def test_the_measure_sees_colour_that_is_half_a_pixel_off() -> None:
    picture = waves()
    half = np.stack(
        [map_coordinates(p, np.mgrid[:96, :128] + [[[0]], [[0.5]]], mode="nearest") for p in picture.T.swapaxes(1, 2)],
        -1,
    )
    assert drift(picture, half)[0] == pytest.approx(-0.5, abs=0.05)


def test_odd_sides_are_padded_by_the_last_row_and_column() -> None:
    picture = waves(7, 5)
    frame = RgbToVideo(Size(5, 7), "yuv420p", SDR, even=True).frame(picture)
    luma = planes_of(frame)[0]
    assert luma.shape == (8, 6) and np.array_equal(luma[:, 5], luma[:, 4]) and np.array_equal(luma[7], luma[6])


def test_rgb_goes_through_to_the_bit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (9, 11, 3), np.uint8)
    frame = RgbToVideo(Size(11, 9), "bgr0", SDR).frame(noise)
    assert np.array_equal(frame.to_ndarray(format="rgb24"), noise)
