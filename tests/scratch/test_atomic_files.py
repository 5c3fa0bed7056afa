"""Scratch files are whole or not there, and tell films apart."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, film_fingerprint
from escalier.scratch import ArrayFile, draft_of, give_up, new_draft, remove_leftovers, write_array, write_whole
from escalier.scratch.draft_owner import is_abandoned, is_draft


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


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_draft_takes_its_place_whole_and_nothing_else_stays(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "made"
    for text in ("old", "new"):
        with draft_of(target) as draft:
            assert draft.parent == tmp_path and draft.name.startswith(".")
            (draft if kind == "file" else draft / "inside").parent.mkdir(exist_ok=True)
            (draft if kind == "file" else draft / "inside").write_text(text)
            assert not target.exists() or text == "new"
    assert (target if kind == "file" else target / "inside").read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_takes_the_place_of_a_file_and_of_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "precious").write_text("mine")
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("file", "link"):
        with draft_of(tmp_path / name) as draft:
            draft.mkdir()
            (draft / "new").write_text("new")
        assert [path.name for path in (tmp_path / name).iterdir()] == ["new"]
    assert (tmp_path / "elsewhere" / "precious").read_text() == "mine"


def test_a_hundred_threads_that_write_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    def write(number: int) -> None:
        write_whole(tmp_path / "film", lambda file: [file.write(bytes([number]) * 50_000) for _ in range(4)])

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(100)))
    data = (tmp_path / "film").read_bytes()
    assert len(data) == 200_000 and len(set(data)) == 1
    assert list(tmp_path.iterdir()) == [tmp_path / "film"]


_DIE = """
import os, sys
from pathlib import Path
from escalier.scratch.atomic_files import draft_of
with draft_of(Path(sys.argv[1])) as draft:
    if sys.argv[2] == "folder":
        draft.mkdir()
        draft = draft / "frames"
    draft.write_text("half")
    os._exit(9)
"""


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_a_killed_process_left_is_removed_by_the_next_and_a_draft_in_work_is_not(
    tmp_path: Path, kind: str
) -> None:
    target = tmp_path / "made"
    subprocess.run([sys.executable, "-c", _DIE, str(target), kind], check=False)
    assert len(list(tmp_path.iterdir())) == 1 and not target.exists()
    with draft_of(target) as other:
        other.write_text("in work")
        write_whole(target, lambda file: file.write(b"whole"))
        assert sorted(tmp_path.iterdir()) == sorted([other, target])
    assert target.read_text() == "in work"


def test_leftovers_are_told_by_process_start_and_machine(tmp_path: Path) -> None:
    draft = new_draft(tmp_path / "film.npy")
    draft.write_text("in work")
    assert is_draft(draft.name) and not is_abandoned(draft)
    give_up(draft)
    assert is_abandoned(draft), "another process of our number wrote it"
    parent = draft.with_name(re.sub(rf"-{os.getpid()}-\d+-", f"-{os.getppid()}-1-", draft.name))
    assert is_abandoned(parent) == (sys.platform == "linux"), "a process of that number runs, but it started later"
    foreign = draft.with_name(re.sub(r"\.[0-9a-f]{8}-", ".00000000-", draft.name))
    foreign.write_text("of another machine")
    assert not is_abandoned(foreign)
    os.utime(foreign, (1, 1))
    assert is_abandoned(foreign)
    remove_leftovers(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("number", "match"),
    [
        (errno.ENOSPC, "film.npy must fit into .*disk is full.*free some space"),
        (errno.EFBIG, "film.npy must fit into .*disk is full"),
        (errno.EROFS, "must be a folder that can be written to, got a read-only disk"),
        (errno.EIO, "that failed .*check the disk"),
    ],
    ids=["full", "large", "read-only", "broken"],
)
def test_faults_of_the_disk_are_sentences(tmp_path: Path, number: int, match: str) -> None:
    def fail(file) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(OSError, match=match) as caught:
        write_whole(tmp_path / "film.npy", fail)
    assert caught.value.errno == number and not str(caught.value).startswith("[")
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_a_folder_in_the_place_and_a_long_name_are_sentences(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    for path, match in (
        (tmp_path / "none" / "a", "none must be a folder.*make the folder first"),
        (tmp_path / "taken", "taken must be a file, but there is a folder of this name"),
        (tmp_path / ("long" * 80), "name must be short enough"),
    ):
        with pytest.raises(OSError, match=match):
            write_whole(path, lambda file: file.write(b"x"))
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_an_error_of_another_file_passes_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, draft_of(tmp_path / "film.npy"):
        (tmp_path / "clip.mp4").read_bytes()
    assert caught.value.filename == str(tmp_path / "clip.mp4")
