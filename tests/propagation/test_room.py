"""Film, masks, flow and runs are counted together before any work; what lies there already is not asked for."""

from __future__ import annotations

import re
import shutil
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import Keyframes
from escalier.propagation import chains_of, propagate, scratch_bytes
from escalier.propagation.unfinished import checkpoint_bytes
from escalier.scratch import ArrayFile, folder as scratch, scratch_facts

LENGTH = 6
MASKS = np.full((LENGTH, 32, 48), 255, np.uint8)
HALF = np.where(np.arange(48) < 24, MASKS, 0).astype(np.uint8)


class Clip:
    """A film that is not in memory and counts how often it is read."""

    size, rate = Size(48, 32), Fraction(24)

    def __init__(self) -> None:
        self._frames = np.random.default_rng(0).integers(0, 256, (LENGTH, 32, 48, 3), np.uint8)
        self.reads = 0

    def __len__(self) -> int:
        return LENGTH

    def fingerprint_parts(self) -> tuple[str, ...]:
        return ("a clip that says what it is",)

    def frame(self, index: int) -> np.ndarray:
        self.reads += 1
        return self._frames[index]


def make(folder: Path, clip: Clip, level: int = 255) -> None:
    painted = Keyframes([1, 4], [level - clip._frames[i] for i in (1, 4)], length=LENGTH)
    propagate(clip, painted, folder=folder, masks=MASKS, threads=1, cuts=())


def disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(scratch.shutil, "disk_usage", lambda place: SimpleNamespace(total=10**9, free=free))


def asked(folder: Path, clip: Clip, level: int = 255) -> float:
    """What is asked for on a full disk, in kB."""
    with pytest.raises(OSError, match=r"propagate: the disk of .* must have .* free for the film, its flow") as caught:
        make(folder, clip, level)
    return float(re.search(r"must have ([\d.]+) kB free", str(caught.value)).group(1))  # type: ignore[union-attr]


def test_all_that_is_written_is_what_was_counted(tmp_path: Path) -> None:
    clip = Clip()
    make(tmp_path, clip)
    keyframes = Keyframes([1, 4], [clip._frames[i] for i in (1, 4)], length=LENGTH)
    counted = scratch_bytes(clip, chains_of(keyframes), masks=LENGTH)
    counted -= checkpoint_bytes(clip.size, masked=True)  # there is none any more when a run is done
    written = sum(file.stat().st_size for file in tmp_path.rglob("*.npy"))
    assert (
        counted
        == written
        == scratch_facts(tmp_path).bytes - sum(file.stat().st_size for file in tmp_path.rglob("*.json"))
    )


@pytest.mark.parametrize("masks", [None, HALF], ids=["one plate", "two plates"])
def test_the_checkpoints_of_a_run_in_the_making_are_what_was_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, masks: np.ndarray | None
) -> None:
    clip, most = Clip(), 0
    of_states = checkpoint_bytes(clip.size, masked=masks is not None)
    append = ArrayFile.append

    def watched(file: ArrayFile, piece: np.ndarray) -> None:
        nonlocal most
        append(file, piece)
        most = max(most, sum(1 for _ in tmp_path.glob("unfinished*/*state_?.npy*")))

    monkeypatch.setattr(ArrayFile, "append", watched)
    painted, stop = 0, LENGTH - 2

    def progress(done: float, total: float, picture: np.ndarray | None = None) -> None:
        nonlocal painted
        painted += picture is not None
        if painted == stop:
            raise KeyboardInterrupt

    keyframes = Keyframes([0], [255 - clip._frames[0]], length=LENGTH)
    options = {"folder": tmp_path, "threads": 1, "cuts": (), "masks": masks, "checkpoint_seconds": 0.0}
    with pytest.raises(KeyboardInterrupt):
        propagate(clip, keyframes, progress=progress, **options)
    states = list(tmp_path.glob("unfinished*/state_?.npy"))
    assert len(states) == 2 and sum(file.stat().st_size for file in states) == of_states
    assert most == 2, "never a third one beside the two, not even while it is written"
    with monkeypatch.context() as full:
        disk(full, free=0)
        with pytest.raises(OSError, match=r"must have .* kB free") as caught:
            propagate(clip, keyframes, **options)
    left = float(re.search(r"have ([\d.]+) kB", str(caught.value)).group(1)) * 1000  # type: ignore[union-attr]
    assert left < 0.7 * LENGTH * 48 * 32 * 5, "the frames and states that lie there are not asked for again"
    with monkeypatch.context() as full:
        disk(full, free=0)
        with pytest.raises(OSError, match=r"must have .* kB free") as caught:
            propagate(clip, keyframes, **(options | {"folder": tmp_path / "empty"}))
    whole = float(re.search(r"have ([\d.]+) kB", str(caught.value)).group(1)) * 1000  # type: ignore[union-attr]
    count = 0 if masks is None else LENGTH
    assert whole == pytest.approx(scratch_bytes(clip, chains_of(keyframes), masks=count), rel=0.2)


def test_a_full_disk_is_refused_before_the_film_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip()
    disk(monkeypatch, free=1_000_000)
    asked(tmp_path, clip)
    assert clip.reads <= 2, "only its first frame, to tell it from others"
    assert not list(tmp_path.glob("*.npy"))


def test_what_lies_there_is_not_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = Clip()
    with monkeypatch.context() as full:
        disk(full, free=0)
        everything = asked(tmp_path, clip)
    make(tmp_path, clip)
    with monkeypatch.context() as full:
        disk(full, free=0)
        make(tmp_path, clip)  # nothing to make, no room needed
        for run in tmp_path.glob("run_000001*"):
            shutil.rmtree(run)
        half = asked(tmp_path, clip)
        other = asked(tmp_path, clip, level=254)
    states = checkpoint_bytes(clip.size, masked=True) / 1000  # of one run at a time, whatever lies there
    assert half - states < 0.4 * (everything - states)
    assert half < other < states + 0.75 * (everything - states), "other keyframes need runs, but neither film nor flow"
