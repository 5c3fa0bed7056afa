"""Keyframes written as files come back the same, and a folder that is not a set of keyframes is refused by file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Size
from escalier.keyframes import Keyframes, read_keyframes, write_keyframes

LENGTH = 100


def film() -> ArrayFrames:
    return ArrayFrames(np.random.default_rng(0).integers(0, 256, (LENGTH, 6, 10, 3), np.uint8))


def put(folder: Path, *names: str, size: tuple[int, int] = (10, 6), channels: int = 3) -> None:
    for name in names:
        cv2.imwrite(str(folder / name), np.full((size[1], size[0], channels), 90, np.uint8))


@pytest.mark.parametrize("first", [0, 1])
def test_keyframes_come_back_from_files_to_the_bit(tmp_path: Path, first: int) -> None:
    written = write_keyframes(tmp_path / "new" / "folder", film(), [0, 7, 99], first=first)
    assert [file.name for file in written] == [f"keyframe_{index + first:06d}.png" for index in (0, 7, 99)]
    back = read_keyframes(tmp_path / "new" / "folder", LENGTH, first=first)
    assert (back.indices, back.length) == ((0, 7, 99), LENGTH)
    for index, picture in back:
        assert np.array_equal(picture, film().frame(index))


def test_painted_keyframes_can_be_written_too(tmp_path: Path) -> None:
    painted = Keyframes.of(film(), [3, 40]).with_pictures([np.full((6, 10, 3), 0.5, np.float32)] * 2)
    write_keyframes(tmp_path / "all", painted)
    assert read_keyframes(tmp_path / "all", LENGTH).indices == (3, 40)
    write_keyframes(tmp_path / "one", painted, [40])
    back = read_keyframes(tmp_path / "one", LENGTH)
    assert back.indices == (40,)
    assert (back.pictures[0] == 128).all()


def test_the_index_is_the_last_number_in_the_name(tmp_path: Path) -> None:
    put(tmp_path, "shot_02_key_0010.png", "shot_02_key_2.jpg", "99.bmp")
    assert read_keyframes(tmp_path, LENGTH).indices == (2, 10, 99)


def test_other_files_and_hidden_ones_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a_1.png", ".a_2.png")
    (tmp_path / "notes 7.txt").write_text("blue coat")
    assert read_keyframes(tmp_path, LENGTH).indices == (1,)


def test_a_grey_picture_is_read_as_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a_1.png"), np.full((6, 10), 90, np.uint8))
    assert read_keyframes(tmp_path, LENGTH).pictures[0].shape == (6, 10, 3)


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (["a_1.png", "portrait.png"], {}, "portrait.png must have its frame number in its name, got none"),
        (["a_1.png", "b_01.png"], {}, "got a_1.png and b_01.png for frame 1; remove one"),
        (["a_100.png"], {}, r"a_100.png must lie in the film.*numbered 0\.\.99, got 100; use first = 1 \(--first 1\)"),
        (["a_0.png"], {"first": 1}, r"a_0.png must lie in the film.*numbered 1\.\.100, got 0; use first = 0"),
        (["a_500.png"], {}, r"numbered 0\.\.99, got 500; rename it"),
        (["a_1.png"], {"first": -1}, "first must be at least 0, got -1"),
        (["a_1.png"], {"size": Size(12, 6)}, "a_1.png must be 12x6, the film's size, or larger .* got 10x6; scale it"),
    ],
)
def test_refuses_a_folder_that_is_not_a_set_of_keyframes(
    tmp_path: Path, names: list[str], options: dict, message: str
) -> None:
    put(tmp_path, *names)
    with pytest.raises(ValueError, match=message):
        read_keyframes(tmp_path, LENGTH, **options)


def test_another_size_is_refused_by_file(tmp_path: Path) -> None:
    put(tmp_path, "a_1.png")
    put(tmp_path, "a_2.png", size=(20, 12))
    with pytest.raises(ValueError, match=r"a_2.png must be 10x6, the size of a_1.png, got 20x12"):
        read_keyframes(tmp_path, LENGTH)


def test_transparent_and_broken_pictures_are_refused_by_file(tmp_path: Path) -> None:
    put(tmp_path, "a_1.png", channels=4)
    with pytest.raises(ValueError, match=r"a_1.png must be opaque"):
        read_keyframes(tmp_path, LENGTH)
    (tmp_path / "a_1.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"a_1.png must be a picture file, got an empty one"):
        read_keyframes(tmp_path, LENGTH)


def test_a_missing_or_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no folder or picture at .*absent"):
        read_keyframes(tmp_path / "absent", LENGTH)
    with pytest.raises(FileNotFoundError, match="must hold pictures"):
        read_keyframes(tmp_path, LENGTH)


def test_paintings_are_not_overwritten_unasked(tmp_path: Path) -> None:
    put(tmp_path, "keyframe_000007.png")
    before = (tmp_path / "keyframe_000007.png").read_bytes()
    with pytest.raises(FileExistsError, match=r"must not hold these keyframes yet, got keyframe_000007.png"):
        write_keyframes(tmp_path, film(), [0, 7])
    assert [file.name for file in tmp_path.iterdir()] == ["keyframe_000007.png"]
    assert (tmp_path / "keyframe_000007.png").read_bytes() == before
    write_keyframes(tmp_path, film(), [0, 7], overwrite=True)
    assert read_keyframes(tmp_path, LENGTH).indices == (0, 7)


def test_cancelling_leaves_whole_files_only(tmp_path: Path) -> None:
    def cancel(done: int, total: int) -> None:
        assert total == 3
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_keyframes(tmp_path, film(), [0, 7, 9], progress=cancel)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["keyframe_000000.png", "keyframe_000007.png"]
    assert read_keyframes(tmp_path, LENGTH).indices == (0, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"indices": []}, "write_keyframes: indices must name at least one frame"),
        ({"indices": None}, "write_keyframes: indices must name at least one frame"),
        ({"indices": [5, 2]}, "indices must rise, got 2 after 5"),
        ({"indices": [100]}, r"indices must lie in 0\.\.99, got 100"),
        ({"indices": [1], "name": "a/b"}, "name must be a plain file name, got 'a/b'"),
        ({"indices": [1], "name": ""}, "name must be a plain file name"),
        ({"indices": [1], "first": -1}, "first must be at least 0, got -1"),
    ],
)
def test_refuses_to_write(tmp_path: Path, arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_keyframes(tmp_path, film(), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_indices_that_are_no_keyframes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="indices must be those of keyframes, got 4; choose among 3, 40"):
        write_keyframes(tmp_path, Keyframes.of(film(), [3, 40]), [4])
