"""Films are told apart by what they show: not by a name or a date, and not by a sample of their frames."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import (
    ArrayFrames,
    Cadence,
    FilmMasks,
    FolderFrames,
    FrameRange,
    HeldFilm,
    ScaledFilm,
    Size,
    VideoFrames,
    film_fingerprint,
    make_clip,
    masks_fingerprint,
    write_film,
)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    write_film(path, make_clip(Size(64, 36), length=6, rate=25))
    return path


def pictures(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for number, name in enumerate(names):
        picture = np.full((8, 12, 3), 20 * number, np.uint8)
        (folder / name).write_bytes(cv2.imencode(".bmp", picture)[1].tobytes())
    return folder


def test_a_touched_renamed_or_copied_clip_is_the_same(clip: Path, tmp_path: Path) -> None:
    with VideoFrames(clip) as film:
        before = film_fingerprint(film)
    copy = tmp_path / "another name.mp4"
    shutil.copy(clip, copy)
    os.utime(copy, (1, 1))
    with VideoFrames(copy) as film:
        assert film_fingerprint(film) == before


def test_one_other_byte_of_a_clip_is_another_film_whatever_its_date(clip: Path, tmp_path: Path) -> None:
    copy = tmp_path / "clip.mp4"
    shutil.copy(clip, copy)
    data = bytearray(clip.read_bytes())
    with VideoFrames(copy) as film:
        before, date = film_fingerprint(film), copy.stat().st_mtime_ns
        data[data.rindex(b"mdat") + len(b"mdat") + 200] ^= 1
        copy.write_bytes(data)
        os.utime(copy, ns=(date, date))
        assert film_fingerprint(film) != before


def test_a_folder_is_its_pictures_in_order_and_a_repainted_one_is_seen(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", ["x_1.bmp", "x_2.bmp", "x_3.bmp"])
    film = FolderFrames(folder)
    before = film_fingerprint(film)
    renamed = pictures(tmp_path / "b", ["plate_0007.bmp", "plate_0008.bmp", "plate_0009.bmp"])
    assert film_fingerprint(FolderFrames(renamed)) == before
    swapped = pictures(tmp_path / "c", ["x_2.bmp", "x_1.bmp", "x_3.bmp"])
    assert film_fingerprint(FolderFrames(swapped)) != before
    facts = (folder / "x_2.bmp").stat()
    data = bytearray((folder / "x_2.bmp").read_bytes())
    data[-1] ^= 1
    (folder / "x_2.bmp").write_bytes(data)
    os.utime(folder / "x_2.bmp", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert film_fingerprint(film) != before


def test_parts_sizes_and_cadences_of_a_film_are_films_of_their_own(clip: Path) -> None:
    with VideoFrames(clip) as film:
        shown = [
            film,
            FrameRange(film, 0, 5),
            FrameRange(film, 0, 4),
            FrameRange(film, 2, 6),
            ScaledFilm(film, Size(32, 18)),
            ScaledFilm(FrameRange(film, 0, 4), Size(32, 18)),
            HeldFilm(film, Cadence(2)),
            HeldFilm(film, Cadence(3)),
        ]
        assert len({film_fingerprint(one) for one in shown}) == len(shown)
        assert film_fingerprint(FrameRange(film, 0, 4)) == film_fingerprint(FrameRange(film, 0, 4))


def test_a_clip_that_is_gone_is_told_by_its_frames(clip: Path, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "a", ["x_1.bmp", "x_2.bmp"])
    film = FrameRange(ScaledFilm(ArrayFrames(np.zeros((3, 8, 8, 3), np.uint8)), Size(4, 4)), 0, 2)
    assert film_fingerprint(film) == film_fingerprint(film)
    gone = FolderFrames(folder)
    (folder / "x_2.bmp").unlink()
    with pytest.raises(OSError):
        film_fingerprint(gone)


def test_masks_are_told_apart_in_every_frame_and_by_their_file(clip: Path) -> None:
    masks = np.zeros((5, 8, 8), np.float32)
    before = masks_fingerprint(masks)
    masks[4, 2, 2] = 1
    assert masks_fingerprint(masks) != before
    assert (
        masks_fingerprint(list(masks)) == masks_fingerprint(masks) == masks_fingerprint((masks * 255).astype(np.uint8))
    )
    assert masks_fingerprint(masks[:1]) != masks_fingerprint(masks[:2])
    one, other = (FilmMasks(ArrayFrames(np.full((2, 4, 6, 3), level, np.uint8))) for level in (0, 255))
    assert masks_fingerprint(one) != masks_fingerprint(other)
