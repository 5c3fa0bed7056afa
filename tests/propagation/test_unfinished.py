"""A stopped or killed job goes on inside its runs, and the film is the same, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames
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


@pytest.mark.slow
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


def killed(folder: Path, stop_after: int) -> None:
    """Run `make` in a process that ends without a word, as `kill -9` does, once so many frames are painted."""
    script = (
        "import importlib.util, os, sys\n"
        "from pathlib import Path\n"
        "spec = importlib.util.spec_from_file_location('unfinished', sys.argv[1])\n"
        "tests = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(tests)\n"
        "tests.KeyboardInterrupt = type('Kill', (BaseException,), {'__init__': lambda self: os._exit(9)})\n"
        "tests.make(Path(sys.argv[2]), stop_after=int(sys.argv[3]), seconds=0.0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, __file__, str(folder), str(stop_after)], check=False)
    assert ended.returncode == 9


@pytest.mark.slow
def test_a_killed_job_goes_on_from_its_last_checkpoint_bit_for_bit(tmp_path: Path) -> None:
    whole, _ = make(tmp_path / "whole")
    folder = tmp_path / "killed"
    killed(folder, 3)
    (place,) = folder.glob("unfinished_*")
    assert (place / "checkpoint.json").exists(), "written while the run went on, not at a stop"
    killed(folder, 1)
    made, painted = make(folder)
    assert all(np.array_equal(one, other) for one, other in zip(whole, made, strict=True))
    assert painted < LENGTH - 1, "less than all was made again"


@pytest.mark.slow
def test_a_job_killed_before_its_first_checkpoint_starts_its_run_anew(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    killed(folder, 3)
    for file in folder.glob("unfinished_*/checkpoint.json"):
        file.unlink()
    made, painted = make(folder)
    whole, _ = make(tmp_path / "whole")
    assert painted == LENGTH - 1
    assert all(np.array_equal(one, other) for one, other in zip(whole, made, strict=True))


def test_negative_seconds_between_checkpoints_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="checkpoint_seconds must be >= 0, got -1; 10 loses ten seconds at most"):
        make(tmp_path, seconds=-1)


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


@pytest.mark.slow
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
