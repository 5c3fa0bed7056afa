"""Scratch files are whole or not there, and tell films apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.film.fingerprint import film_fingerprint
from escalier.film.frames import ArrayFrames
from escalier.film.whole_files import ArrayFile, write_array, write_whole


def test_a_failed_write_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "flow.npy"
    write_array(path, np.arange(3))

    def fail(file) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, fail)
    assert np.load(path).tolist() == [0, 1, 2]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named_with_its_folder(tmp_path: Path) -> None:
    def fill(file) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"flow.npy must fit into .*No space left.*free some space"):
        write_whole(tmp_path / "flow.npy", fill)
    assert not list(tmp_path.iterdir())


def test_an_array_written_piece_by_piece_reads_as_a_whole(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3), np.uint8)
    with ArrayFile(tmp_path / "a.npy", frames.shape, np.uint8) as file:
        for frame in frames:
            file.append(frame)
    assert (np.load(tmp_path / "a.npy", mmap_mode="r") == frames).all()


def test_an_array_with_pieces_missing_does_not_stay(tmp_path: Path) -> None:
    with ArrayFile(tmp_path / "a.npy", (2, 4), np.uint8) as file:
        file.append(np.zeros(4, np.uint8))
    assert not list(tmp_path.iterdir())


def test_pieces_of_another_shape_are_refused(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match=r"piece must be one of 2 of shape \(4,\)"),
        ArrayFile(tmp_path / "a.npy", (2, 4), np.uint8) as file,
    ):
        file.append(np.zeros(5, np.uint8))


@pytest.mark.parametrize("frame", [0, 5, 9])
def test_one_changed_pixel_in_any_frame_changes_the_fingerprint(frame: int) -> None:
    frames = np.zeros((10, 8, 8, 3), np.uint8)
    before = film_fingerprint(ArrayFrames(frames))
    frames[frame, 3, 3, 0] = 1
    assert film_fingerprint(ArrayFrames(frames)) != before
