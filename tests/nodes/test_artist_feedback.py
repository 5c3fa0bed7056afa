"""What an artist sees of a node at work: progress, previews, Cancel, refusals by name, and no rubbish left on disk."""

from __future__ import annotations

import errno
import gc
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def messages(comfyui: SimpleNamespace) -> Iterator[list[tuple]]:
    """What ComfyUI's progress bars tell the page: (done, total, preview, node id)."""
    told: list[tuple] = []

    def hook(done: float, total: float, preview: object, node_id: str | None = None) -> None:
        told.append((done, total, preview, node_id))

    comfyui.utils.set_progress_bar_global_hook(hook)
    yield told
    comfyui.utils.set_progress_bar_global_hook(None)


def test_progress_reaches_the_bar_of_the_node_that_runs(pack: SimpleNamespace, messages: list[tuple]) -> None:
    from comfy_execution.utils import CurrentNodeContext

    with CurrentNodeContext("job", "17", 0):
        progress = pack.module("progress").Progress()
    progress(1, 4)
    progress(4, 4)
    assert messages == [(1, 4, None, "17"), (4, 4, None, "17")]


def test_previews_are_shown_now_and_then_only(pack: SimpleNamespace, messages: list[tuple]) -> None:
    progress = pack.module("progress").Progress()
    for done in range(1, 51):
        progress(done, 50, np.full((6, 8, 3), done, np.uint8))
    previews = [preview for _, _, preview, _ in messages if preview is not None]
    assert len(previews) == 1
    kind, picture, _ = previews[0]
    assert (kind, picture.size) == ("JPEG", (8, 6))


def test_node_that_makes_no_pictures_shows_none(pack: SimpleNamespace, messages: list[tuple]) -> None:
    pack.module("progress").Progress(previews=False)(1, 1, np.zeros((6, 8, 3), np.uint8))
    assert messages == [(1, 1, None, None)]


def test_cancel_stops_at_the_next_report(pack: SimpleNamespace, comfyui: SimpleNamespace) -> None:
    management = comfyui.model_management
    progress = pack.module("progress").Progress()
    progress(1, 9)
    management.interrupt_current_processing(True)
    with pytest.raises(management.InterruptProcessingException):
        progress(2, 9)
    management.interrupt_current_processing(False)


class Node:
    @classmethod
    def define_schema(cls) -> SimpleNamespace:
        return SimpleNamespace(display_name="Mix Paint")


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ValueError("mix_paint: pots must be >= 1, got 0; add one"), ValueError, "pots must be >= 1, got 0; add one"),
        (TypeError("Keyframes: picture must be uint8"), TypeError, "picture must be uint8"),
        (FileNotFoundError("no folder at C:/x: y"), OSError, "no folder at C:/x: y"),
        (ModuleNotFoundError("x needs rembg; pip install rembg"), ImportError, "x needs rembg; pip install rembg"),
    ],
    ids=["value", "type", "file", "package"],
)
def test_refusals_bear_the_name_of_the_node(pack: SimpleNamespace, error: Exception, kind: type, text: str) -> None:
    @pack.module("errors").named_after_node
    def execute(cls: type) -> None:
        raise error

    with pytest.raises(kind, match=f"^Mix Paint: {re.escape(text)}$") as caught:
        execute(Node)
    assert caught.type is kind
    assert caught.value.__cause__ is error


def test_full_disk_is_explained_with_its_folder(pack: SimpleNamespace, fresh_folders: SimpleNamespace) -> None:
    @pack.module("errors").named_after_node
    def execute(cls: type) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    folder = re.escape(str(fresh_folders.temp))
    with pytest.raises(OSError, match=f"Mix Paint: the disk of .*{folder} must have room.*--temp-directory"):
        execute(Node)


def test_faults_of_our_own_keep_their_type(pack: SimpleNamespace) -> None:
    @pack.module("errors").named_after_node
    def execute(cls: type) -> None:
        raise KeyError("lost")

    with pytest.raises(KeyError, match=r"^'lost'$"):
        execute(Node)


def test_failed_work_leaves_no_scratch(pack: SimpleNamespace, fresh_folders: SimpleNamespace) -> None:
    with pytest.raises(KeyboardInterrupt), pack.module("scratch").scratch_folder("motion") as folder:
        (folder / "half.npy").write_bytes(b"half")
        raise KeyboardInterrupt
    assert list((fresh_folders.temp / "escalier").iterdir()) == []


def test_scratch_goes_when_its_owner_is_forgotten(pack: SimpleNamespace, fresh_folders: SimpleNamespace) -> None:
    scratch = pack.module("scratch")
    owner = Node()
    with scratch.scratch_folder("motion") as folder, scratch.scratch_folder("motion") as other:
        assert folder != other
    scratch.remove_with(owner, folder)
    assert folder.is_dir()
    del owner
    gc.collect()
    assert not folder.exists() and other.is_dir()


def seen(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


@pytest.mark.parametrize(("free", "left"), [(50, ["new", "old"]), (10, [])], ids=["room enough", "disk nearly full"])
def test_lasting_scratch_stays_while_the_disk_has_room(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, free: int, left: list[str]
) -> None:
    scratch = pack.module("scratch")
    folder = scratch.lasting_folder("runs")
    (folder / "old").mkdir()
    (folder / "new").write_bytes(b"a film")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=100, free=free))
    scratch.lasting_folder("runs")
    assert seen(folder) == left


def test_on_a_large_disk_lasting_scratch_stays_while_there_is_room_for_any_job(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = pack.module("scratch")
    folder = scratch.lasting_folder("runs")
    (folder / "run").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=2 * 10**12, free=30 * 10**9))
    assert seen(scratch.lasting_folder("runs")) == ["run"]


def test_of_lasting_scratch_the_oldest_goes_first(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    scratch = pack.module("scratch")
    folder = scratch.lasting_folder("runs")
    for age, name in enumerate(["newest", "middle", "oldest"]):
        (folder / name).mkdir()
        os.utime(folder / name, (1_000_000 - age, 1_000_000 - age))
    monkeypatch.setattr(
        shutil, "disk_usage", lambda place: SimpleNamespace(total=100, free=40 - 10 * len(seen(folder)))
    )
    scratch.lasting_folder("runs")
    assert seen(folder) == ["middle", "newest"]


def test_lasting_scratch_stays_while_a_job_works_there(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from escalier.scratch import in_use

    scratch = pack.module("scratch")
    folder = scratch.lasting_folder("runs")
    (folder / "run").mkdir()
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(total=100, free=0))
    with in_use(folder):
        assert seen(scratch.lasting_folder("runs")) == ["run"]
    assert seen(scratch.lasting_folder("runs")) == []
