"""The few types that carry the vocabulary: sizes, arrays and folders as films, pictures, masks."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Film, FolderFrames, Size, as_uint8

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
    assert isinstance(film, Film)
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
        pytest.param(
            np.zeros((0, 6, 9, 3), np.uint8), ValueError, "frames must hold at least one frame, got 0", id="empty"
        ),
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
    assert isinstance(film, Film) and (len(film), film.size, film.rate) == (3, Size(9, 6), 12)
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


def test_importing_films_loads_no_video_library() -> None:
    code = "import sys, escalier.film; assert 'av' not in sys.modules; assert escalier.film.VideoFrames"
    subprocess.run([sys.executable, "-c", code], check=True)


def number(folder: Path, *names: str) -> Path:
    for name in names:
        save(folder / name)
    return folder


@pytest.mark.parametrize("first", [0, 1, 1001, 86400])
def test_plates_may_begin_with_any_number(tmp_path: Path, first: int) -> None:
    film = FolderFrames(number(tmp_path, *[f"plate_{first + i:04d}.png" for i in range(12)]), rate=24)
    assert film.numbers == tuple(range(first, first + 12))
    assert [file.name for file in film.files][::11] == [f"plate_{first:04d}.png", f"plate_{first + 11:04d}.png"]


def test_missing_plates_are_named(tmp_path: Path) -> None:
    number(tmp_path, *[f"{i:04d}.png" for i in range(12) if i not in (3, 7, 8)])
    with pytest.raises(
        ValueError, match="numbered without gaps, got 9 from 0 to 11 without 3, 7, 8; export the missing"
    ):
        FolderFrames(tmp_path)
    number(tmp_path, "0003.png", "0007.png", "0008.png", "900000.png")
    with pytest.raises(ValueError, match="without 12, 13, 14 and 899985 more"):
        FolderFrames(tmp_path)


@pytest.mark.parametrize("other", ["0000.jpg", "0.png", "0000 (1).png", "0000_v2.png", "0000 copy.png"])
def test_two_pictures_of_one_frame_are_refused_by_name(tmp_path: Path, other: str) -> None:
    number(tmp_path, "0000.png", "0001.png", other)
    with pytest.raises(
        ValueError, match=r"each frame must have one picture, got .* for frame 0; remove one"
    ) as refusal:
        FolderFrames(tmp_path)
    assert other in str(refusal.value) and "0000.png" in str(refusal.value)


def test_a_picture_without_number_is_no_plate_but_may_stand_alone(tmp_path: Path) -> None:
    assert FolderFrames(number(tmp_path, "poster.png"), rate=24).numbers == (0,)
    number(tmp_path, "0001.png")
    with pytest.raises(ValueError, match=r"poster.png must have its frame number in its name, got none"):
        FolderFrames(tmp_path)


def test_sizes_are_compared_upright_and_by_headers_alone(tmp_path: Path) -> None:
    from picture_files import encoded, exif

    number(tmp_path, "1.png")
    side = np.ascontiguousarray(PICTURE.swapaxes(0, 1))
    (tmp_path / "2.png").write_bytes(encoded(side, "PNG", exif=exif(5)))
    assert np.array_equal(FolderFrames(tmp_path, rate=24).frame(1), PICTURE)
    header = bytearray((tmp_path / "1.png").read_bytes())
    header[45:-20] = bytes(len(header) - 65)  # pixels that nothing could decode
    (tmp_path / "2.png").write_bytes(bytes(header))
    assert len(FolderFrames(tmp_path, rate=24)) == 2


def test_pictures_bring_no_rate(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    number(tmp_path, "1.png", "2.png")
    assert FolderFrames(tmp_path, rate=25).rate == 25 and not caplog.records
    assert FolderFrames(tmp_path).rate == 24
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}: 24 frames a second, since pictures bring none"
    ]
    for rate in (0, -24, float("nan"), float("inf")):
        with pytest.raises(
            ValueError, match=r"FolderFrames: rate must be (over 0 frames a second|a finite number), got"
        ):
            FolderFrames(tmp_path, rate=rate)


def test_other_files_beside_plates_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    number(tmp_path, "1.png", "2.png")
    (tmp_path / "3.psd").write_bytes(b"8BPS")
    (tmp_path / "notes.txt").write_text("x")
    assert len(FolderFrames(tmp_path, rate=24)) == 2
    assert "passed over, since they cannot be read: 3.psd" in caplog.text


def test_files_are_found_once(tmp_path: Path) -> None:
    film = FolderFrames(number(tmp_path, "1.png", "2.png"), rate=24)
    number(tmp_path, "0.png")
    assert [file.name for file in film.files] == ["1.png", "2.png"] and len(film) == 2


@pytest.mark.parametrize("rate", [0, -24, 1e-9])
def test_frames_in_memory_need_a_rate_that_is_one(rate: float) -> None:
    with pytest.raises(ValueError, match=f"ArrayFrames: rate must be over 0 frames a second, got {rate}; film has"):
        ArrayFrames(np.zeros((2, 4, 4, 3), np.uint8), rate=rate)
