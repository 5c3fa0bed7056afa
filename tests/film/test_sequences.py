"""Which frame a file is: our own names, names of copies, families of files, and names that nothing decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from escalier.film import Numbered, list_pictures, number_files, plain_stem


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("keyframe_000024_00001_.png", 24),  # ComfyUI's Save Image of our own file
        ("0024_00001_.png", 24),
        ("keyframe_000024 (1).png", 24),
        ("keyframe_000137_v2-edited (3).png", 137),
        ("paint 7 keyframe_000024 final3.png", 24),
        ("24 (1).png", 24),
        ("0024 copy.png", 24),
        ("0024 copy 2.png", 24),
        ("24 - Copy.png", 24),
        ("24 - Copy (2).png", 24),
        ("24 - Kopie (2).png", 24),
        ("0024_v2.png", 24),
        ("0024v2.png", 24),
        ("0024 ver 2.1.png", 24),
        ("0024@2x.png", 24),
        ("0024_2x.png", 24),
        ("0024-edited.png", 24),
        ("0024_final3.png", 24),
        ("shot_final_0024.png", 24),
        ("0024_1920x1080.png", 24),
        ("1920x1080_0024.png", 24),
        ("2026-11-28_0024.png", 24),
        ("20261128_143000_0024.png", 24),
        ("24_1080p.png", 24),
        ("24fps_0048.png", 48),
        ("frame24.png", 24),
        ("Frame 24.JPG", 24),
        ("shot_02_key_0137.png", 137),
        ("mov24.png", 24),
        ("86400.png", 86400),
        ("0.png", 0),
    ],
)
def test_a_name_says_its_frame_whatever_is_put_around_it(name: str, number: int) -> None:
    assert number_files([name]) == [Numbered(number)]


@pytest.mark.parametrize(
    "name", ["portrait.png", "portrait_v2.png", "1920x1080.png", "20261128.png", "v2.0.png", "@2x.png"]
)
def test_numbers_that_are_no_frames_decide_nothing(name: str) -> None:
    assert number_files([name])[0].number is None


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["a02_0010.png", "a02_0020.png"], [10, 20]),
        (["0010_a02.png", "0020_a02.png", "0031_a02.png"], [10, 20, 31]),
        (["s01e02_0007.png", "s01e02_0009.png"], [7, 9]),
        (["2_24.png", "2_48.png", "2_72.png"], [24, 48, 72]),
    ],
)
def test_the_number_that_varies_in_a_family_is_the_frame(names: list[str], numbers: list[int]) -> None:
    assert number_files(names) == [Numbered(number) for number in numbers]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["take 3 24.png"], [24]),
        (["s01e02_0024.png"], [24]),  # padded with zeros
        (["x_0010_0020.png", "x_0020_0030.png"], [20, 30]),
        (["ComfyUI_00001_.png", "ComfyUI_00002_.png"], [1, 2]),  # a counter, perhaps no frame
        (["key (1).png", "key (24).png"], [1, 24]),
        (["key2_0137.png"], [2]),
        (["take1_0024.png", "take2_0024.png"], [None, None]),
        (["keyframe_000024 keyframe_000030.png"], [None]),
        (["frame 24 frame 30.png"], [None]),
    ],
)
def test_doubtful_names_say_so(names: list[str], numbers: list[int | None]) -> None:
    found = number_files(names)
    assert [one.number for one in found] == numbers
    assert all(one.doubt for one in found)


def test_the_films_own_numbers_choose_among_several() -> None:
    assert number_files(["24 7000.png"], range(100))[0].number == 24
    assert number_files(["24 7000.png"], range(6900, 7100))[0].number == 7000


def test_copies_are_called_like_their_original() -> None:
    names = ["Plate_0024.PNG", "plate_0024 (1).tif", "plate_0024-edited_v2.jpg", "plate_0024_00001_.png"]
    assert {plain_stem(name) for name in names} == {"plate_0024"}
    assert plain_stem("e\u0301_1.png") == plain_stem("\u00e9_1.png")  # macOS writes accents apart


def test_files_that_cannot_be_read_are_named_and_texts_and_hidden_ones_are_not(tmp_path: Path) -> None:
    for name in ("b.png", "a.psd", "notes.txt", ".hidden.png", "Thumbs.db", "c.kra"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    pictures, others = list_pictures(tmp_path)
    assert ([file.name for file in pictures], others) == (["b.png"], ["a.psd", "c.kra"])
    (tmp_path / "b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r".* must hold pictures .*, got only a.psd"):
        list_pictures(tmp_path)
