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
    read_picture,
)
from escalier.film.frames import last_number, sorted_pictures

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
    for number in (2, 10, 1):
        save(tmp_path / f"frame_{number}.png", np.full((6, 9, 3), number, np.uint8))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden_0.png").write_bytes(b"")
    film = FolderFrames(tmp_path, rate=Fraction(12))
    assert isinstance(film, FrameSource) and (len(film), film.size, film.rate) == (3, Size(9, 6), 12)
    assert [int(film.frame(i)[0, 0, 0]) for i in range(3)] == [1, 2, 10]


def test_a_folder_of_two_sizes_is_refused_at_the_odd_one(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    save(tmp_path / "2.png", PICTURE[:, :5])
    with pytest.raises(ValueError, match=r"must be 9x6, got 5x6 in 2.png; export the frames at one size"):
        FolderFrames(tmp_path).frame(1)


def test_missing_and_empty_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder at .*gone; check the path"):
        FolderFrames(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match=r"must hold pictures \(.png, .*got none; check the folder"):
        FolderFrames(tmp_path)


@pytest.mark.parametrize(
    ("name", "number"),
    [("0001.png", 1), ("shot2_key_0137.png", 137), ("take 3 (2).jpg", 2), ("key.png", None), ("v2.0.png", 0)],
)
def test_a_pictures_number_is_the_last_in_its_name(name: str, number: int | None) -> None:
    assert last_number(name) == number


def test_names_without_numbers_come_first_in_the_order_of_the_alphabet(tmp_path: Path) -> None:
    for name in ("b.png", "a.png", "x1.png"):
        save(tmp_path / name)
    assert [file.name for file in sorted_pictures(tmp_path)] == ["a.png", "b.png", "x1.png"]


@pytest.mark.parametrize("name", ["p.png", "p.bmp", "p.tif", "bücher.png"])
def test_pictures_are_read_as_rgb(tmp_path: Path, name: str) -> None:
    assert np.array_equal(read_picture(save(tmp_path / name)), PICTURE)


def test_grey_is_spread_deep_is_brought_down_and_opaque_alpha_is_dropped(tmp_path: Path) -> None:
    grey = read_picture(save(tmp_path / "grey.png", PICTURE[..., 0]))
    assert np.array_equal(grey, np.repeat(PICTURE[..., :1], 3, axis=2))
    deep = read_picture(save(tmp_path / "deep.png", PICTURE.astype(np.uint16) * 257))
    assert np.array_equal(deep, PICTURE)
    opaque = np.dstack([PICTURE, np.full((6, 9), 255, np.uint8)])
    assert np.array_equal(read_picture(save(tmp_path / "opaque.png", opaque)), PICTURE)


def test_transparency_and_files_that_are_no_picture_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "clear.png", np.dstack([PICTURE, np.full((6, 9), 254, np.uint8)]))
    with pytest.raises(ValueError, match=r"clear.png must be opaque, .*flatten it"):
        read_picture(tmp_path / "clear.png")
    for content in (b"", b"not a picture"):
        (tmp_path / "text.png").write_bytes(content)
        with pytest.raises(ValueError, match=r"text.png must be a picture file, .*save it again"):
            read_picture(tmp_path / "text.png")
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "gone.png")


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
