"""The few types that carry the vocabulary: sizes, arrays and folders as films, pictures, masks."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import (
    ArrayFrames,
    FolderFrames,
    FrameSource,
    Size,
    as_uint8,
    check_masks,
)

PICTURE = np.random.default_rng(0).integers(0, 256, (6, 9, 3), np.uint8)


def save(path: Path, picture: np.ndarray = PICTURE) -> Path:
    """Write a picture, RGB or RGBA or grey, as it is."""
    order = {2: None, 3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[
        picture.ndim if picture.ndim == 2 else picture.shape[2]
    ]
    cv2.imencode(path.suffix, picture if order is None else cv2.cvtColor(picture, order))[1].tofile(path)
    return path


def test_sizes_are_said_as_artists_say_them() -> None:
    assert str(Size.of(PICTURE)) == "9x6"


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_array_is_a_film(dtype: type) -> None:
    frames = np.arange(4 * 6 * 9 * 3).reshape(4, 6, 9, 3).astype(dtype)
    film = ArrayFrames(frames, rate=29.97)
    assert isinstance(film, FrameSource)
    assert (len(film), film.size, film.rate) == (4, Size(9, 6), Fraction(2997, 100))
    assert np.array_equal(film.frame(2), frames[2])


def test_a_memory_map_is_a_film(tmp_path: Path) -> None:
    np.save(tmp_path / "film.npy", PICTURE[None])
    film = ArrayFrames(np.load(tmp_path / "film.npy", mmap_mode="r"))
    assert np.array_equal(film.frame(0), PICTURE)


@pytest.mark.parametrize(
    ("frames", "error", "message"),
    [
        pytest.param(np.zeros((4, 6, 9)), ValueError, r"shape \(N, height, width, 3\), got \(4, 6, 9\)", id="grey"),
        pytest.param(np.zeros((4, 6, 9, 4)), ValueError, r"got \(4, 6, 9, 4\)", id="RGBA"),
        pytest.param(np.zeros((0, 6, 9, 3), np.uint8), ValueError, "at least one frame, got 0", id="empty"),
        pytest.param(np.zeros((1, 6, 9, 3)), TypeError, "uint8 or float32, got float64", id="float64"),
    ],
)
def test_arrays_that_are_no_film_are_refused(frames: np.ndarray, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ArrayFrames(frames)


def test_a_folder_is_a_film_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    for number in (9, 10, 8):
        save(tmp_path / f"frame_{number}.png", np.full((6, 9, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden_0.png").write_bytes(b"")
    film = FolderFrames(tmp_path, rate=Fraction(12))
    assert isinstance(film, FrameSource) and (len(film), film.size, film.rate) == (3, Size(9, 6), 12)
    assert [int(film.frame(i)[0, 0, 0]) for i in range(3)] == [8, 9, 10]
    assert film.numbers == (8, 9, 10)


def test_a_folder_of_two_sizes_is_refused_at_the_odd_one(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    save(tmp_path / "2.png", PICTURE[:, :5])
    with pytest.raises(ValueError, match=r"must be 9x6, the size of 1.png, got 5x6 in 2.png; export the frames at one"):
        FolderFrames(tmp_path)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder at .*gone; check the path"):
        FolderFrames(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"must hold pictures \(.png, .*got none; check the folder"):
        FolderFrames(tmp_path)


def test_levels_survive_the_way_over_float() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert as_uint8(levels) is levels
    assert np.array_equal(as_uint8(levels.astype(np.float32) / 255), levels)
    assert np.array_equal(as_uint8(np.float32([-0.5, 1.5])), [0, 255])


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        pytest.param(np.zeros((3, 6, 9)), "1 or 4 masks, one for each frame, got 3", id="another length"),
        pytest.param(np.zeros((4, 6, 8)), "single channel of 9x6, got 8x6", id="another size"),
        pytest.param(np.zeros((1, 6, 9, 3)), "single channel of 9x6", id="three channels"),
    ],
)
def test_masks_that_do_not_fit_the_film_are_refused(masks: np.ndarray, message: str) -> None:
    film = ArrayFrames(np.zeros((4, 6, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=f"propagate: mask must .*{message}"):
        check_masks(masks, film, "propagate")


@pytest.mark.parametrize("count", [1, 4])
def test_one_mask_or_one_for_each_frame_will_do(count: int) -> None:
    check_masks(np.zeros((count, 6, 9)), ArrayFrames(np.zeros((4, 6, 9, 3), np.uint8)), "propagate")


def test_importing_films_loads_no_video_library() -> None:
    code = "import sys, escalier.film; assert 'av' not in sys.modules; assert escalier.film.VideoFrames"
    subprocess.run([sys.executable, "-c", code], check=True)
