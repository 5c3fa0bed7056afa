"""A scratch folder: marked, shared, counted and cleaned, and never at the cost of what is somebody's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.scratch import (
    clean_scratch,
    folder as scratch,
    in_use,
    open_scratch,
    own_folder,
    scratch_facts,
    try_lock,
    write_array,
)
from escalier.scratch.draft_owner import is_draft

DAY = 86400


def filled(folder: Path) -> dict[str, Path]:
    """A folder with four things of ours, used 40, 30, 20 and 10 days ago, and some of somebody's."""
    open_scratch(folder)
    names = ["film_" + "0" * 16 + ".npy", "cuts_" + "1" * 16 + ".json", "motion_" + "2" * 16 + "_medium",
             "run_000000_forward_" + "3" * 16]  # fmt: skip
    ours = {name.partition("_")[0]: folder / name for name in names}
    for days, (kind, path) in zip((40, 30, 20, 10), ours.items(), strict=True):
        files = {"film": [path], "cuts": [path], "motion": [path / "flow_000000.npy"],
                 "run": [path / "frames.npy", path / "run.json"]}[kind]  # fmt: skip
        for file in files:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(bytes(1000))
        for entry in (*files, path):
            os.utime(entry, (time.time() - days * DAY,) * 2)
    return ours


def strangers(folder: Path) -> list[Path]:
    """What looks a little like ours, and is not."""
    alike = "motion_" + "2" * 16 + "_medium.zip"
    names = ("film_final.npy", "film_1.npy", "run_notes", "a.png", ".b.part", alike, "run_000000_forward_3/frames.npy")
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("precious")
    return paths


def test_what_is_old_goes_and_what_is_somebodys_stays(tmp_path: Path) -> None:
    ours, theirs = filled(tmp_path), strangers(tmp_path)
    with try_lock(tmp_path, ours["film"].name), try_lock(tmp_path, ours["run"].name):
        pass
    assert str(scratch_facts(tmp_path)) == "4 things, 5.0 kB, the oldest last used 40 days ago"
    assert clean_scratch(tmp_path, older_than_days=25) == 2000
    assert [kind for kind, path in ours.items() if path.exists()] == ["motion", "run"]
    locks = {path.stem for path in (tmp_path / scratch.LOCKS).iterdir()}
    assert locks == {"clean", ours["run"].name}, "with a thing its lock goes"
    assert clean_scratch(tmp_path, older_than_days=0) == 3000
    assert not any(path.exists() for path in ours.values())
    assert all(path.read_text() == "precious" for path in theirs)


def test_beyond_a_size_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    ours = filled(tmp_path)
    assert clean_scratch(tmp_path, keep_bytes=3500) == 2000
    assert [kind for kind, path in ours.items() if path.exists()] == ["motion", "run"]


def test_a_folder_of_ours_that_holds_a_strangers_file_keeps_it(tmp_path: Path) -> None:
    run = filled(tmp_path)["run"]
    (run / "notes.txt").write_text("precious")
    clean_scratch(tmp_path, older_than_days=0)
    assert [file.name for file in run.iterdir()] == ["notes.txt"]


def test_links_are_neither_counted_nor_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    ours = filled(tmp_path / "elsewhere")
    folder = open_scratch(tmp_path / "scratch")
    for path in ours.values():
        (folder / path.name).symlink_to(path)
    assert scratch_facts(folder).things == 0
    assert clean_scratch(folder, older_than_days=0) == 0
    assert all(path.exists() for path in ours.values())


def test_an_unmarked_folder_is_never_cleaned(tmp_path: Path) -> None:
    ours = filled(tmp_path)
    (tmp_path / scratch.MARKER).unlink()
    assert clean_scratch(tmp_path, older_than_days=0) == 0
    assert all(path.exists() for path in ours.values())
    assert clean_scratch(tmp_path / "none", older_than_days=0) == 0


def test_a_folder_in_use_is_not_cleaned_until_the_job_ends_or_dies(tmp_path: Path) -> None:
    ours = filled(tmp_path)
    with in_use(tmp_path):
        assert clean_scratch(tmp_path, older_than_days=0) == 0
    code = (
        "import os, sys; from escalier.scratch.folder import in_use; from pathlib import Path\n"
        "with in_use(Path(sys.argv[1])):\n    print('in', flush=True); sys.stdin.readline(); os._exit(9)"
    )
    job = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert job.stdout is not None and job.stdout.readline() == "in\n"
    assert clean_scratch(tmp_path, older_than_days=0) == 0
    assert all(path.exists() for path in ours.values())
    job.communicate("die\n")
    assert job.returncode == 9
    assert clean_scratch(tmp_path, older_than_days=0) == 5000


@pytest.mark.parametrize(
    ("bounds", "match"),
    [
        ({}, "older_than_days or keep_bytes must be given"),
        ({"older_than_days": -1}, "older_than_days must be >= 0, got -1"),
        ({"keep_bytes": -5}, "keep_bytes must be >= 0, got -5"),
        ({"older_than_days": float("nan")}, "older_than_days must be >= 0, got nan"),
    ],
    ids=["none", "days", "bytes", "nan"],
)
def test_bounds_that_say_nothing_are_refused(tmp_path: Path, bounds: dict, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        clean_scratch(tmp_path, **bounds)


def test_a_place_that_cannot_serve_is_a_sentence_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError, match="must be a folder for scratch, but a file of this name is there"):
        open_scratch(tmp_path / "file")
    with pytest.raises(NotADirectoryError, match="file/inside must be a folder for scratch that can be written to"):
        open_scratch(tmp_path / "file" / "inside")
    open_scratch(tmp_path / "locked")
    monkeypatch.setattr(scratch.os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="locked must be a folder for scratch that can be written to"):
        open_scratch(tmp_path / "locked")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_pipes_and_links_in_the_place_of_our_own_files_neither_hang_nor_lead_away(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "film").write_text("mine")
    folder = tmp_path / "scratch"
    (folder / scratch.LOCKS).mkdir(parents=True)
    os.mkfifo(folder / scratch.MARKER)
    (folder / scratch.LOCKS / "clean.lock").symlink_to(tmp_path / "precious" / "film")
    (folder / "run").symlink_to(tmp_path / "precious")
    open_scratch(folder)
    with in_use(folder):
        assert own_folder(folder / "run").is_dir() and not (folder / "run").is_symlink()
    assert (tmp_path / "precious" / "film").read_text() == "mine"
    assert (folder / scratch.MARKER).is_file()


def test_a_dead_jobs_drafts_are_gone_once_the_folder_is_opened(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from escalier.scratch.atomic_files import draft_of\n"
        "with draft_of(Path(sys.argv[1]) / 'run_x') as draft:\n    draft.mkdir()\n"
        "    (draft / 'a').write_text('half'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (tmp_path / "film.part").write_text("somebody's")
    assert [path for path in tmp_path.iterdir() if is_draft(path.name)]
    open_scratch(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [scratch.MARKER, "film.part"]


@pytest.mark.parametrize(("free", "fits"), [(10_000, True), (5_200, True), (5_199, False), (0, False)])
def test_room_is_refused_with_what_is_lacking_and_a_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, fits: bool
) -> None:
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda place: SimpleNamespace(total=10_000, free=free))
    if fits:
        scratch.check_room(tmp_path / "not" / "yet", 5_000, "the film")
        return
    with pytest.raises(OSError, match=r"must have 5\.0 kB free for the film and 200 bytes to spare, got") as caught:
        scratch.check_room(tmp_path, 5_000, "the film")
    asked, lacking = re.search(r"got (.*); free (.*) there", str(caught.value)).groups()  # type: ignore[union-attr]
    assert asked == scratch.said_bytes(free) and lacking == scratch.said_bytes(5_200 - free)


def test_a_kept_array_opens_with_numpy_alone(tmp_path: Path) -> None:
    array = np.random.default_rng(0).standard_normal((3, 4, 5)).astype(np.float16)
    write_array(tmp_path / "a.npy", array, "noise")
    assert (np.load(tmp_path / "a.npy") == array).all()
