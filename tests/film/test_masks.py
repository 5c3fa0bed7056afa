"""Masks in files are what their painter meant: 0 and 1, 16 bits, alpha, palettes, one bit, light; else refused."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from escalier.film import ArrayFrames, FilmMasks, FolderFrames, check_masks, open_film

SHAPE = (12, 16)
HARD = np.zeros(SHAPE, np.uint8)
HARD[3:9, 4:12] = 255
SOFT = cv2.GaussianBlur(HARD, (0, 0), 1.5)


def masks_of(folder: Path, *masks: np.ndarray | Image.Image, suffix: str = ".png") -> FilmMasks:
    for index, mask in enumerate(masks):
        (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(folder / f"{index:04d}{suffix}")
    return FilmMasks(FolderFrames(folder, rate=24))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(HARD, id="0 and 255"),
        pytest.param(HARD // 255, id="0 and 1"),
        pytest.param(HARD.astype(np.uint16) * 257, id="16 bits"),
        pytest.param(HARD.astype(np.uint16), id="0 and 255 in 16 bits"),
        pytest.param((HARD // 255).astype(np.uint16), id="0 and 1 in 16 bits"),
        pytest.param(HARD > 0, id="one bit"),
        pytest.param(np.dstack([np.full((*SHAPE, 3), 255, np.uint8), HARD]), id="white with alpha"),
        pytest.param(np.dstack([np.zeros((*SHAPE, 3), np.uint8), HARD]), id="black with alpha"),
        pytest.param(np.dstack([HARD, HARD, HARD, HARD]), id="the same in alpha"),
        pytest.param(np.dstack([HARD, HARD, HARD, np.full(SHAPE, 255, np.uint8)]), id="opaque alpha"),
        pytest.param(np.dstack([HARD * 0 + 200, HARD, HARD * 0 + 9, HARD]), id="a subject cut out"),
    ],
)
def test_a_mask_is_read_as_it_was_meant(tmp_path: Path, stored: np.ndarray) -> None:
    masks = masks_of(tmp_path, stored, stored)
    assert len(masks) == 2
    assert np.array_equal(masks[1], HARD)


def test_a_palette_of_black_and_white_is_a_mask_and_one_of_colours_is_not(tmp_path: Path) -> None:
    indexed = Image.fromarray(HARD // 255)
    indexed.putpalette([0, 0, 0, 255, 255, 255])
    assert np.array_equal(masks_of(tmp_path, indexed)[0], HARD)
    indexed.putpalette([0, 0, 0, 128, 0, 0])
    with pytest.raises(ValueError, match="mask at frame 0 must be black and white, got a picture in colour"):
        masks_of(tmp_path, indexed)[0]


def test_soft_masks_keep_their_levels(tmp_path: Path) -> None:
    assert np.array_equal(masks_of(tmp_path, SOFT)[0], SOFT)
    assert np.array_equal(masks_of(tmp_path, SOFT.astype(np.uint16) * 257)[0], SOFT)


def test_what_is_white_is_told_by_the_whole_film(tmp_path: Path) -> None:
    faint = np.where(HARD > 0, np.uint8(1), np.uint8(0))
    masks = masks_of(tmp_path, *[faint] * 4, HARD, *[faint] * 4)
    assert int(masks[0].max()) == 1 and np.array_equal(masks[4], HARD)


def test_only_one_frame_need_hold_the_subject_of_zeros_and_ones(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    empty = np.zeros(SHAPE, np.uint8)
    masks = masks_of(tmp_path, *[empty] * 11, HARD // 255, *[empty] * 9)
    with caplog.at_level(logging.WARNING, "escalier"):
        assert np.array_equal(masks[11], HARD)
    assert "levels of 0 to 1 of 255; 1 is taken as white" in caplog.text
    assert not masks[0].any()


def test_a_black_film_of_masks_is_empty(tmp_path: Path) -> None:
    assert not masks_of(tmp_path, np.zeros(SHAPE, np.uint8))[0].any()


def test_scattered_ones_of_a_lossy_film_are_refused_and_areas_are_a_mask() -> None:
    noise = np.zeros((1, *SHAPE, 3), np.uint8)
    noise[0, ::4, ::4] = 1
    with pytest.raises(ValueError, match="FilmMasks: masks must hold white, got 0 and scattered 1"):
        FilmMasks(ArrayFrames(noise))[0]
    area = np.repeat(HARD[None, ..., None] // 255, 3, axis=3)
    assert np.array_equal(FilmMasks(ArrayFrames(area))[0], HARD)


def test_two_masks_in_one_picture_are_refused(tmp_path: Path) -> None:
    other = np.roll(HARD, 3, axis=1) // 2 + 64
    with pytest.raises(ValueError, match=r"0000.png must hold its mask either as .* got both"):
        masks_of(tmp_path, np.dstack([other, other, other, HARD // 2 + 100]))[0]


def test_light_and_profiles_do_not_bend_a_mask(tmp_path: Path) -> None:
    exr = pytest.importorskip("OpenEXR")
    light = (SOFT / 255).astype(np.float32)
    exr.File({"compression": exr.ZIP_COMPRESSION, "type": exr.scanlineimage}, {"Y": light}).write(
        str(tmp_path / "1.exr")
    )
    assert np.array_equal(FilmMasks(FolderFrames(tmp_path))[0], SOFT)


def test_one_picture_is_a_film_of_masks(tmp_path: Path) -> None:
    Image.fromarray(HARD // 255).save(tmp_path / "mask.png")
    masks = FilmMasks(open_film(tmp_path / "mask.png"))
    assert len(masks) == 1 and np.array_equal(masks[0], HARD)


def test_arrays_of_zeros_and_ones_or_of_other_types_are_refused() -> None:
    film = ArrayFrames(np.zeros((2, *SHAPE, 3), np.uint8))
    check_masks(np.stack([HARD, HARD]) > 0, film, "matte")
    with pytest.raises(
        ValueError, match=r"matte: mask must be uint8 0..255 .*, got uint8 of 0 and 1; multiply it by 255"
    ):
        check_masks(np.stack([HARD * 0, HARD // 255]), film, "matte")
    with pytest.raises(TypeError, match=r"matte: mask must be uint8 0..255 or float 0..1, got int64"):
        check_masks(np.zeros((2, *SHAPE), np.int64), film, "matte")
