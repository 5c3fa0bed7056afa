"""Slots: what a stopped server leaves is found again, what a dead one leaves is cleared, what lives is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from escalier.comfyui import slots
from escalier.comfyui.mount import KEPT_INSIDE, mount_kept, unmount
from escalier.comfyui.slots import clean_kept, take_slot


def test_the_next_server_finds_what_the_last_one_kept(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"film")
    os.utime(clip, ns=(1, 1_700_000_000_123_456_789))
    first = take_slot(tmp_path / "scratch")
    (first.kept / "runs" / "abc").mkdir(parents=True)
    name = first.place(clip, tmp_path / "input")
    first.leave()
    again = take_slot(tmp_path / "scratch")
    assert again.folder == first.folder and (again.kept / "runs" / "abc").is_dir() and again.run != first.run
    assert again.place(clip, tmp_path / "input") == name, "the same file must have the same name"
    assert (tmp_path / "input" / name).stat().st_mtime_ns == 1_700_000_000_123_456_789
    again.leave()
    assert not list((tmp_path / "input").iterdir())


def test_a_slot_with_nothing_kept_goes_without_a_trace(tmp_path: Path) -> None:
    take_slot(tmp_path).leave()
    assert not list(tmp_path.iterdir())


def test_two_servers_at_once_have_two_slots(tmp_path: Path) -> None:
    first, second = take_slot(tmp_path / "scratch"), take_slot(tmp_path / "scratch")
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"film")
    names = [slot.place(clip, tmp_path / "input") for slot in (first, second)]
    assert first.folder != second.folder and first.run.is_dir() and names[0] != names[1]
    second.leave()
    assert (tmp_path / "input" / names[0]).is_file() and first.run.is_dir()
    first.leave()


KILLED = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from escalier.comfyui.slots import take_slot
    slot = take_slot(Path(sys.argv[1]) / "scratch")
    (slot.kept / "runs" / "abc").mkdir(parents=True)
    slot.place(Path(sys.argv[1]) / "clip.mp4", Path(sys.argv[1]) / "input")
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    """
)


def test_what_a_killed_server_leaves_is_cleared_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"film" * 1000)
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)]).returncode != 0
    assert list((tmp_path / "input").rglob("clip.mp4")) and list((tmp_path / "scratch").rglob("run-*"))
    slot = take_slot(tmp_path / "scratch")
    assert not list((tmp_path / "input").iterdir()) and list(slot.folder.glob("run-*")) == [slot.run]
    assert (slot.kept / "runs" / "abc").is_dir()
    slot.leave()


@pytest.mark.skipif(os.name == "nt", reason="a lock cannot be inherited there")
def test_a_child_that_outlives_its_parent_still_has_the_slot(tmp_path: Path) -> None:
    slot = take_slot(tmp_path)
    assert slot.lock is not None
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=(slot.lock,))
    os.close(slot.lock)  # as the system does when the parent is killed
    other = take_slot(tmp_path)
    assert other.folder != slot.folder and slot.run.is_dir()
    other.leave()
    child.send_signal(signal.SIGKILL)
    child.wait()
    take_slot(tmp_path).leave()
    assert not slot.run.exists()


def test_kept_work_goes_by_age_and_size(tmp_path: Path) -> None:
    now = time.time()
    for number, days in enumerate((20, 5, 3, 1)):
        entry = tmp_path / "runs" / f"run{number}"
        entry.mkdir(parents=True)
        (entry / "frames.npy").write_bytes(b"x" * 1000)
        for path in (entry / "frames.npy", entry):
            os.utime(path, (now, now - days * 86400))
    (tmp_path / "motion_abcd1234").mkdir()
    marker = tmp_path / "runs" / ".escalier-scratch"
    marker.touch()
    os.utime(marker, (now, now - 20 * 86400))
    clean_kept(tmp_path, now)
    assert sorted(path.name for path in (tmp_path / "runs").glob("run*")) == ["run1", "run2", "run3"]
    assert marker.is_file(), "without its mark, what is kept would not be believed"
    assert not (tmp_path / "motion_abcd1234").exists(), "only one run could use it"
    size = slots._facts(tmp_path / "runs" / "run3")[1]
    clean_kept(tmp_path, now, most_bytes=2 * size)
    assert sorted(path.name for path in (tmp_path / "runs").glob("run*")) == ["run2", "run3"]
    clean_kept(tmp_path, now, most_bytes=0)
    clean_kept(tmp_path, now)
    assert not list(tmp_path.iterdir())


def test_a_note_that_somebody_changed_deletes_nothing_else(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    slot = take_slot(tmp_path / "scratch")
    (slot.folder / "inputs").write_text(str(precious))
    slot.leave()
    assert precious.is_dir()


def test_work_is_kept_through_the_link_and_never_deleted_with_it(tmp_path: Path) -> None:
    slot = take_slot(tmp_path)
    mount_kept(slot.kept, slot.run)
    place = slot.run.joinpath(*KEPT_INSIDE)
    (place / "runs").mkdir()
    (place / "runs" / "a.npy").write_bytes(b"frames")
    unmount(slot.run)
    assert not place.exists() and (slot.kept / "runs" / "a.npy").is_file()
    mount_kept(slot.kept, slot.run)
    slot.leave()
    assert (slot.kept / "runs" / "a.npy").read_bytes() == b"frames"


def test_an_input_folder_takes_only_plain_files(tmp_path: Path) -> None:
    painted = tmp_path / "painted"
    (painted / "deep").mkdir(parents=True)
    for name in ("key_0001.png", ".DS_Store", "deep/x.png"):
        (painted / name).write_bytes(b"x")
    if hasattr(os, "mkfifo"):
        os.mkfifo(painted / "pipe.png")
    slot = take_slot(tmp_path / "scratch")
    placed = tmp_path / "input" / slot.place(painted, tmp_path / "input")
    assert [path.name for path in placed.iterdir()] == ["key_0001.png"]
    slot.leave()
