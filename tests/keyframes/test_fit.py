"""A keyframe is fitted to its cell once, and the fit is undone exactly."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import Fit
from escalier.keyframes.fit import resample


def noise(size: Size, dtype: type = np.uint8) -> np.ndarray:
    picture = np.random.default_rng(size.width).integers(0, 256, (size.height, size.width, 3), np.uint8)
    return picture if dtype == np.uint8 else picture.astype(np.float32) / np.float32(255)


def smooth(size: Size) -> np.ndarray:
    """A smooth picture whose value at a place does not depend on its size in pixels."""
    x = (np.arange(size.width) + 0.5) / size.width
    y = ((np.arange(size.height) + 0.5) / size.height)[:, None]
    waves = (np.sin(7 * x + 2 * y), np.cos(5 * y - 3 * x), np.sin(4 * x * y))
    return np.stack([0.5 + 0.4 * wave for wave in waves], axis=-1).astype(np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("size", [Size(960, 540), Size(961, 539), Size(1, 1), Size(63, 65)], ids=str)
def test_padding_is_undone_to_the_bit(size: Size, dtype: type) -> None:
    picture = noise(size, dtype)
    fit = Fit.centred(size, size, Size(1024, 576))
    cell = fit.apply(picture)
    assert cell.shape == (576, 1024, 3) and cell.dtype == picture.dtype
    assert np.array_equal(fit.undo(cell, size), picture)
    assert np.array_equal(fit.undo(cell), picture)
    assert fit.filter == "none"


def test_the_padding_mirrors_the_picture() -> None:
    picture = noise(Size(50, 40))
    cell = Fit.centred(Size(50, 40), Size(50, 40), Size(64, 64)).apply(picture)
    assert np.array_equal(cell[8:48, 0:50], picture)
    assert np.array_equal(cell[:8, 0:50], picture[:8][::-1])
    assert np.array_equal(cell[48:, 0:50], picture[-16:][::-1])
    assert np.array_equal(cell[8:48, 50:], picture[:, -14:][:, ::-1])


@pytest.mark.parametrize(
    ("size", "drawn", "name"), [(Size(960, 540), Size(640, 360), "area"), (Size(300, 200), Size(512, 341), "lanczos")]
)
def test_scaling_is_undone_without_a_shift(size: Size, drawn: Size, name: str) -> None:
    picture = smooth(size)
    fit = Fit.centred(size, drawn, Size(704, 384))
    assert fit.filter == name
    back = fit.undo(fit.apply(picture), size)
    assert back.shape == picture.shape
    # A shift by half a pixel would show as 0.5 * 2.8 / 300 = 0.005 somewhere.
    assert np.abs(back - picture).max() < 0.003


@pytest.mark.parametrize("scale", [Fraction(2), Fraction(3), Fraction(1, 2), Fraction(1, 4), Fraction(3, 2)], ids=str)
@pytest.mark.parametrize("drawn", [Size(640, 360), Size(633, 351)], ids=["even", "odd"])
def test_a_cell_that_came_back_at_another_scale_gives_the_picture_without_a_shift(scale: Fraction, drawn: Size) -> None:
    size = Size(960, 540)
    fit = Fit.centred(size, drawn, Size(704, 384))
    cell = fit.apply(smooth(size))
    returned = resample(cell, Size(*(int(side * scale) for side in fit.cell)))
    back = fit.undo(returned, size)
    inner = (slice(16, -16), slice(16, -16))
    assert np.abs(back - smooth(size))[inner].max() < 0.004


def test_a_cell_painted_larger_keeps_its_pixels_when_no_size_is_asked_for() -> None:
    fit = Fit.centred(Size(960, 540), Size(640, 360), Size(640, 384))
    cell = noise(Size(1280, 768))
    assert np.array_equal(fit.undo(cell), cell[16:736])


def test_a_drawing_starts_on_a_block_of_the_vae() -> None:
    for side in range(1, 64):
        fit = Fit.centred(Size(side, 64 - side), Size(side, 64 - side), Size(64, 64))
        assert fit.row % 8 == 0 and fit.column % 8 == 0


def test_enlarging_keeps_a_float_picture_within_its_range() -> None:
    checks = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.float32)
    picture = cv2.merge([checks] * 3)
    enlarged = resample(picture, Size(100, 100))
    assert enlarged.min() >= 0 and enlarged.max() <= 1


def test_resampling_to_the_same_size_gives_a_copy() -> None:
    picture = noise(Size(5, 4))
    same = resample(picture, Size(5, 4))
    assert np.array_equal(same, picture) and not np.shares_memory(same, picture)


def test_a_drawing_outside_its_cell_is_refused() -> None:
    with pytest.raises(ValueError, match="drawn must lie inside the cell, got 65x64 at row 0, column -8"):
        Fit.centred(Size(65, 64), Size(65, 64), Size(64, 64))
