"""A stopped or killed job goes on inside its runs, and the film is the same, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.film.frames import ArrayFrames
from escalier.keyframes import Keyframes
from escalier.propagation import Guides, Matching, NamedGuide, propagate

LENGTH = 6
SCENE = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)
FILM = ArrayFrames(np.stack([np.roll(SCENE, i, axis=1) for i in range(LENGTH)]))
MASKS = np.stack([np.pad(np.ones((40, 48), np.float32), ((16, 16), (i, 48 - i))) for i in range(LENGTH)])
NAMED = Guides(named=(NamedGuide("light", ArrayFrames(np.stack([255 - FILM.frame(i) for i in range(LENGTH)])), 2.0),))
CASES = {
    "plain": {},
    "two plates": {"masks": MASKS},
    "whole pixels": {"matching": Matching(sub_pixel=False)},
    "full size": {"matching": Matching(match_side=64), "masks": MASKS},
    "named guide": {"guides": NAMED},
}


def make(
    folder: Path, *, stop_after: int | None = None, threads: int = 1, seconds: float = 10.0, **options
) -> tuple[list[np.ndarray], int]:
    painted, told = 0, []

    def progress(done: float, total: float, picture: np.ndarray | None = None) -> None:
        nonlocal painted
        told.append(done / total)
        painted += picture is not None
        if stop_after is not None and painted >= stop_after:
            raise KeyboardInterrupt

    keyframes = Keyframes([0], [255 - FILM.frame(0)], length=LENGTH)
    runs = propagate(
        FILM,
        keyframes,
        folder=folder,
        threads=threads,
        cuts=(),
        progress=progress,
        checkpoint_seconds=seconds,
        **options,
    )
    assert told == sorted(told)
    run = runs.forward[0]
    return [np.array(run.frames), np.array(run.guide_error), np.array(run.confidence)], painted


@pytest.mark.parametrize("case", CASES)
def test_a_run_that_was_stopped_at_any_frame_ends_bit_for_bit_the_same(tmp_path: Path, case: str) -> None:
    whole, _ = make(tmp_path / "whole", **CASES[case])
    folder = tmp_path / "stopped"
    for number in range(1, LENGTH - 1):
        with pytest.raises(KeyboardInterrupt):
            make(folder, stop_after=1, threads=1 + number % 2, **CASES[case])
        assert list(folder.glob("unfinished_*"))
    made, painted = make(folder, **CASES[case])
    assert all(np.array_equal(one, other) for one, other in zip(whole, made, strict=True))
    assert painted <= 2, "only the last frames were missing"
    assert not list(folder.glob("unfinished_*"))


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(data)


DAMAGES = {
    "flipped": _flip,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 3]),
    "empty": lambda path: path.write_bytes(b""),
    "another file": lambda path: path.write_bytes(b"something else" * 1000),
    "missing": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_is_never_gone_on_with(tmp_path: Path, damage: str) -> None:
    whole, _ = make(tmp_path / "whole")
    for number in range(4):
        folder = tmp_path / str(number)
        with pytest.raises(KeyboardInterrupt):
            make(folder, stop_after=2)
        (place,) = folder.glob("unfinished_*")
        files = [place / "checkpoint.json", *place.glob("state_?.npy"), place / "frames.npy", place / "guide_error.npy"]
        DAMAGES[damage](files[number])
        made, painted = make(folder)
        assert all(np.array_equal(one, other) for one, other in zip(whole, made, strict=True))
        assert painted == LENGTH - 1 or damage == "flipped", files[number].name
