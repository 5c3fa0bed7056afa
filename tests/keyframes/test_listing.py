"""Which painting belongs to which frame is said before any work, and it is the right one."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from escalier.film import ArrayFrames, FolderFrames, Size
from escalier.keyframes import Keyframes, list_keyframes, parse_frames, read_keyframes, write_keyframes

SIZE = Size(16, 9)


def film(length: int = 100) -> ArrayFrames:
    return ArrayFrames(np.zeros((length, SIZE.height, SIZE.width, 3), np.uint8), rate=25)


def put(folder: Path, *names: str, size: tuple[int, int] = SIZE) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", size, (90, 40, 10)).save(folder / name)
    return folder


def plates(folder: Path, first: int, count: int = 12, name: str = "plate_{:04d}.png") -> FolderFrames:
    put(folder, *[name.format(number) for number in range(first, first + count)])
    return FolderFrames(folder, rate=24)


def test_the_table_says_file_frame_time_and_what_is_doubtful(tmp_path: Path) -> None:
    put(tmp_path, "keyframe_000000.png", "keyframe_000050_00001_.png", "take 3 75.png")
    (tmp_path / "sketch.psd").write_bytes(b"8BPS")
    listing = list_keyframes(tmp_path, film())
    assert str(listing).splitlines() == [
        "file                        frame     time  remark",
        "keyframe_000000.png             0  0.000 s",
        "keyframe_000050_00001_.png     50  2.000 s",
        "take 3 75.png                  75  3.000 s  75 by its name, which also says 3",
        "passed over, since they cannot be read as pictures: sketch.psd",
    ]
    assert [(entry.frame, entry.time) for entry in listing.entries] == [(0, 0.0), (50, 2.0), (75, 3.0)]
    assert (listing.size, listing.length) == (SIZE, 100)
    assert listing.doubts == (
        "take 3 75.png: 75 by its name, which also says 3",
        "passed over, since they cannot be read as pictures: sketch.psd",
    )


def test_doubts_are_warned_of_where_nobody_looks_at_the_table(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "take 3 75.png", "keyframe_000001.png")
    (tmp_path / "old.kra").write_bytes(b"x")
    with caplog.at_level(logging.WARNING, "escalier"):
        assert read_keyframes(tmp_path, film()).indices == (1, 75)
    assert "take 3 75.png: 75 by its name" in caplog.text and "passed over" in caplog.text and "old.kra" in caplog.text


@pytest.mark.parametrize("first", [0, 1, 1001, 86400])
def test_paintings_find_their_plates_by_number(tmp_path: Path, first: int) -> None:
    shot = plates(tmp_path / "plates", first)
    painted = put(tmp_path / "painted", f"keyframe_{first + 7:06d}.png", f"{first + 2} copy 2.png")
    listing = list_keyframes(painted, shot)
    assert [(entry.frame, entry.plate) for entry in listing.entries] == [
        (2, f"plate_{first + 2:04d}.png"),
        (7, f"plate_{first + 7:04d}.png"),
    ]
    assert listing.doubts == ()


def test_a_painting_called_like_a_plate_is_that_plate_whatever_the_numbering(tmp_path: Path) -> None:
    shot = plates(tmp_path / "plates", 1001, name="shot02_take3_{:d}.png")
    painted = put(tmp_path / "painted", "shot02_take3_1008.png", "Shot02_Take3_1003-edited (1).png")
    assert [entry.frame for entry in list_keyframes(painted, shot).entries] == [2, 7]
    counted = list_keyframes(painted, shot, first=1000)
    assert [entry.frame for entry in counted.entries] == [2, 7]
    assert any("by its plate's name; counted from 1000 it would be 8" in doubt for doubt in counted.doubts)


@pytest.mark.parametrize("first", [0, 1, 1001])
def test_what_is_exported_from_plates_comes_back_to_them(tmp_path: Path, first: int) -> None:
    shot = plates(tmp_path / "plates", first)
    written = write_keyframes(tmp_path / "a", shot, [3, 9])
    assert [file.stem for file in written] == [f"keyframe_{first + 3:06d}", f"keyframe_{first + 9:06d}"]
    assert read_keyframes(tmp_path / "a", shot).indices == (3, 9)
    write_keyframes(tmp_path / "b", Keyframes.of(shot, [3, 9]), like=shot)
    assert read_keyframes(tmp_path / "b", shot).indices == (3, 9)
    write_keyframes(tmp_path / "c", shot, [3, 9], first=1)
    assert read_keyframes(tmp_path / "c", shot, first=1).indices == (3, 9)


def test_frames_are_named_by_the_numbers_of_the_plates(tmp_path: Path) -> None:
    shot = plates(tmp_path, 1001)
    assert parse_frames("1001, 1008", shot) == [0, 7]
    assert parse_frames("1, 8", shot, first=1) == [0, 7]
    with pytest.raises(ValueError, match="must be numbers of the film, 1001 to 1012, got 8"):
        parse_frames("8", shot)


def test_a_number_outside_the_plates_is_refused_with_theirs(tmp_path: Path) -> None:
    shot = plates(tmp_path / "plates", 1001)
    with pytest.raises(ValueError, match=r"keyframe_000008.png must lie in the film, whose .* 1001\.\.1012, got 8"):
        list_keyframes(put(tmp_path / "painted", "keyframe_000008.png"), shot)


def test_one_picture_or_a_list_will_do(tmp_path: Path) -> None:
    put(tmp_path, "keyframe_000004.png", "keyframe_000007.png", "keyframe_000009.png")
    assert list_keyframes(tmp_path / "keyframe_000007.png", film()).entries[0].frame == 7
    some = [str(tmp_path / "keyframe_000009.png"), tmp_path / "keyframe_000004.png"]
    assert read_keyframes(some, film()).indices == (4, 9)
    with pytest.raises(ValueError, match="list_keyframes: place must name at least one picture, got none"):
        list_keyframes([], film())
    with pytest.raises(FileNotFoundError, match=r"list_keyframes: no folder or picture at .*gone"):
        list_keyframes(tmp_path / "gone", film())
    (tmp_path / "video.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    with pytest.raises(ValueError, match=r"video.mp4 must"):
        list_keyframes(tmp_path / "video.mp4", film())


@pytest.mark.parametrize("names", [("24.png", "0024.jpg"), ("0024.png", "0024 (1).png"), ("a_24.png", "frame24.png")])
def test_two_paintings_of_one_frame_are_refused_by_name(tmp_path: Path, names: tuple[str, str]) -> None:
    put(tmp_path, *names)
    with pytest.raises(
        ValueError, match=r"each frame must have one picture, got .* for frame 24; remove one"
    ) as refusal:
        list_keyframes(tmp_path, film())
    assert all(name in str(refusal.value) for name in names)


@pytest.mark.parametrize("names", [("portrait_v2.png",), ("take1_0024.png", "take2_0024.png"), ("20261128.png",)])
def test_names_that_nothing_decides_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    put(tmp_path, *names)
    with pytest.raises(ValueError, match=rf"{names[0]} must have its frame number in its name, got none"):
        list_keyframes(tmp_path, film())


@pytest.mark.parametrize("size", [(16, 9), (32, 18), (48, 27), (33, 18), (160, 90)])
def test_paintings_may_be_larger_than_the_film(tmp_path: Path, size: tuple[int, int]) -> None:
    put(tmp_path, "keyframe_000003.png", "keyframe_000008.png", size=size)
    assert list_keyframes(tmp_path, film()).size == size
    assert read_keyframes(tmp_path, film()).size == size


@pytest.mark.parametrize("size", [(8, 5), (16, 10), (17, 9), (32, 24), (9, 16), (24, 24)])
def test_other_shapes_and_smaller_paintings_are_refused_with_the_remedy(tmp_path: Path, size: tuple[int, int]) -> None:
    put(tmp_path, "keyframe_000003.png", size=size)
    with pytest.raises(
        ValueError, match=rf"keyframe_000003.png must be 16x9, .* got {size[0]}x{size[1]}; scale it to 16x9 or 32x18"
    ):
        list_keyframes(tmp_path, film())


def test_paintings_of_two_sizes_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "keyframe_000003.png")
    put(tmp_path, "keyframe_000008.png", size=(32, 18))
    with pytest.raises(
        ValueError, match=r"keyframe_000008.png must be 16x9, the size of keyframe_000003.png, got 32x18"
    ):
        list_keyframes(tmp_path, film())


def test_a_painting_that_lies_on_its_side_by_exif_stands_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (SIZE.height, SIZE.width)).save(tmp_path / "keyframe_000003.jpg", exif=exif)
    assert list_keyframes(tmp_path, film()).size == SIZE


@pytest.mark.parametrize("first", [1, 1001])
def test_the_table_counts_as_the_names_do(tmp_path: Path, first: int) -> None:
    put(tmp_path / "painted", f"plate_{first + 3:04d}.png", f"plate_{first + 9:04d}_v2.png")
    for shot, given in ((film(), first), (plates(tmp_path / "plates", first), None)):
        listing = list_keyframes(tmp_path / "painted", shot, first=given)
        assert [entry.frame for entry in listing.entries] == [3, 9] and listing.first == first
        rows = str(listing).splitlines()
        assert [row.split()[1] for row in rows[1:3]] == [str(first + 3), str(first + 9)]
        assert rows[3] == f"frames are counted from {first}, as in the names"


def test_the_counter_of_save_image_alone_is_no_frame(tmp_path: Path) -> None:
    painted = put(tmp_path / "painted", "ComfyUI_00001_.png", "ComfyUI_00002_.png")
    for first in (None, 0, 1):
        with pytest.raises(ValueError, match=r"ComfyUI_00001_.png must have its frame number in its name, .*counter"):
            list_keyframes(painted, film(), first=first)
    with pytest.raises(ValueError, match="counter"):
        list_keyframes(painted, plates(tmp_path / "numbered", 1))
    saved = plates(tmp_path / "saved", 1, name="ComfyUI_{:05d}_.png")  # frames saved by ComfyUI are plates, though
    assert [entry.frame for entry in list_keyframes(painted, saved).entries] == [0, 1]
    edited = put(tmp_path / "edited", "ComfyUI_00007_ copy.png")
    assert [entry.frame for entry in list_keyframes(edited, saved).entries] == [6]


def test_several_folders_are_refused_by_name(tmp_path: Path) -> None:
    folders = [put(tmp_path / name, f"{name}1.png") for name in ("a", "b")]
    with pytest.raises(ValueError, match=r"must be one folder, or pictures, got 2 places with the folder .*a; put all"):
        list_keyframes(folders, film())


@pytest.mark.parametrize(
    ("shot", "name", "remedy"),
    [(0, "key_1005.png", 1001), (0, "key_86405.png", 86400), (1001, "key_3.png", 0), (1001, "key_12.png", 1)],
)
def test_numbers_from_another_count_are_refused_with_the_usual_one_in_which_they_fit(
    tmp_path: Path, shot: int, name: str, remedy: int
) -> None:
    with pytest.raises(ValueError, match=rf"use first = {remedy} \(--first {remedy}\)"):
        list_keyframes(put(tmp_path / "painted", name), plates(tmp_path / "plates", shot))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such file names")
def test_a_file_name_neither_breaks_the_table_nor_commands_the_terminal(tmp_path: Path) -> None:
    painted = put(tmp_path / "painted", "key\x1b[31m_1.png", "key\n9 _2.png")
    (painted / "x\x1b]0;y\x07.psd").write_bytes(b"8BPS")
    table = str(list_keyframes(painted, film()))
    assert "\x1b" not in table and "\x07" not in table and len(table.splitlines()) == 4
