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
from escalier.scratch import folder as scratch

LENGTH = 6
MASKS = np.full((LENGTH, 32, 48), 255, np.uint8)


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
    written = sum(file.stat().st_size for file in tmp_path.rglob("*.npy"))
    assert (
        counted
        == written
        == scratch.scratch_facts(tmp_path).bytes - sum(file.stat().st_size for file in tmp_path.rglob("*.json"))
    )


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
    assert half < 0.4 * everything
    assert half < other < 0.75 * everything, "other keyframes need runs, but neither film nor flow"
