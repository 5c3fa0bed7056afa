"""Whatever happens to a scratch folder, the film that comes out of it is the same, or the fault is a sentence."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import Keyframes
from escalier.propagation import Staircase, propagate

STATES = 200


class Clip:
    """A film that is not in memory, so that it is unpacked."""

    size, rate = Size(48, 32), Fraction(24)

    def __init__(self, seed: int = 0) -> None:
        scene = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8).repeat(4, 0).repeat(4, 1)
        self._frames = np.stack([np.roll(scene, i, axis=1) for i in range(4)])

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> np.ndarray:
        return self._frames[index]


CLIP = Clip()
MASKS = [np.pad(np.ones((16, 24), np.float32), ((8, 8), (i, 24 - i))) for i in range(4)]


def film_of(folder: Path, clip: Clip = CLIP) -> np.ndarray:
    painted = Keyframes([0, 3], [255 - clip.frame(i) for i in (0, 3)], length=4)
    runs = propagate(clip, painted, folder=folder, masks=MASKS, threads=1)
    staircase = Staircase(runs)
    return np.stack([staircase.frame(i) for i in range(4)])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, np.ndarray]:
    """The scratch of one film and of another one, and the first film."""
    folder, other = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("other")
    film_of(other, Clip(1))
    return folder, other, film_of(folder)


def truncate(path: Path, other: Path, rng: np.random.Generator) -> None:
    os.truncate(path, int(rng.integers(0, path.stat().st_size)))


def flip(path: Path, other: Path, rng: np.random.Generator) -> None:
    data = bytearray(path.read_bytes())
    data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(data)


def zero(path: Path, other: Path, rng: np.random.Generator) -> None:
    data = path.read_bytes()
    at = int(rng.integers(max(1, len(data) - 512)))
    path.write_bytes(data[:at] + bytes(len(data[at : at + 512])) + data[at + 512 :])


def zero_all(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.write_bytes(b"")


def grow(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def remove(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.unlink()


def another_array(path: Path, other: Path, rng: np.random.Generator) -> None:
    with open(path, "wb") as file:
        np.save(file, rng.integers(0, 256, (3, 7)).astype(rng.choice(["u1", "f4", "f8"])))


def of_another_film(path: Path, other: Path, rng: np.random.Generator) -> None:
    kind = path.name if path.parent.name.startswith(("run", "motion")) else f"{path.name.partition('_')[0]}_*"
    found = sorted(file for file in other.rglob(kind) if file.is_file())
    path.write_bytes(found[int(rng.integers(len(found)))].read_bytes())


def of_a_neighbour(path: Path, other: Path, rng: np.random.Generator) -> None:
    found = sorted(file for file in path.parents[1].rglob(f"*{path.suffix}") if file.is_file() and file != path)
    path.write_bytes(found[int(rng.integers(len(found)))].read_bytes())


def folder_instead(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.unlink()
    (path / "precious").mkdir(parents=True)


def link_instead(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.unlink()
    path.symlink_to(sorted(other.rglob("*.npy"))[0])


def pipe_instead(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)


def unreadable(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.chmod(0)


def not_text(path: Path, other: Path, rng: np.random.Generator) -> None:
    path.write_bytes(b"\xff\xfe\x00 not a file of ours")


def parent_is_a_file(path: Path, other: Path, rng: np.random.Generator) -> None:
    if path.parent.name.startswith(("run", "motion")):
        shutil.rmtree(path.parent)
        path.parent.write_text("a file where a folder belongs")


def parent_is_a_link(path: Path, other: Path, rng: np.random.Generator) -> None:
    if path.parent.name.startswith(("run", "motion")):
        kind = path.parent.name.partition("_")[0]
        shutil.rmtree(path.parent)
        path.parent.symlink_to(sorted(other.glob(f"{kind}_*"))[0])


def stranger_beside(path: Path, other: Path, rng: np.random.Generator) -> None:
    truncate(path, other, rng)
    (path.parent / "precious.txt").write_text("mine")


def other_json(path: Path, other: Path, rng: np.random.Generator) -> None:
    values = [b"null", b"[]", b"3", b'{"facts": 1}', b"[" * 100_000, b'{"facts": [2], "xxh3": 7}', b'{"facts": NaN}']
    path.write_bytes(values[int(rng.integers(len(values)))])


def edited_json(path: Path, other: Path, rng: np.random.Generator) -> None:
    if path.suffix == ".json":
        kept = json.loads(path.read_text())
        kept["facts"] = [3] if isinstance(kept["facts"], list) else {**kept["facts"], "start": 1}
        path.write_text(json.dumps(kept))


DAMAGES: list[Callable[[Path, Path, np.random.Generator], None]] = [
    truncate, flip, zero, zero_all, empty, grow, remove, another_array, of_another_film, of_a_neighbour, folder_instead,
    link_instead, pipe_instead, unreadable, not_text, parent_is_a_file, parent_is_a_link, stranger_beside, other_json,
    edited_json,
]  # fmt: skip


@pytest.mark.slow
def test_no_damage_to_scratch_changes_the_film_or_ends_the_job(
    whole: tuple[Path, Path, np.ndarray], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, other, film = whole
    caplog.set_level(logging.WARNING, "escalier")
    files = sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.suffix in (".npy", ".json") and file.is_file()
    )
    assert {name.partition("_")[0] for name in files} == {"film", "masks", "cuts", "motion", "run"}
    untouched = {file: file.read_bytes() for file in other.rglob("*.npy")}
    unnamed = []
    for number in range(STATES):
        rng = np.random.default_rng(number)
        scratch = tmp_path / str(number)
        shutil.copytree(folder, scratch)
        damage, name = DAMAGES[number % len(DAMAGES)], files[int(rng.integers(len(files)))]
        before = (scratch / name).read_bytes()
        damage(scratch / name, other, rng)
        # Damage to what the kept runs were made from is met only when a run is made anew.
        for run in scratch.glob("run_*") if not name.startswith("run_") else ():
            shutil.rmtree(run)
        caplog.clear()
        assert (film_of(scratch) == film).all(), f"{damage.__name__} of {name}"
        path = scratch / name
        changed = os.path.lexists(path) and (path.is_symlink() or not path.is_file() or path.read_bytes() != before)
        assert not changed, f"{damage.__name__} of {name} has not been mended"
        if not caplog.records and damage not in (remove, parent_is_a_file, parent_is_a_link, edited_json):
            unnamed.append(f"{damage.__name__} of {name}")
        if damage in (folder_instead, stranger_beside):
            assert list(scratch.rglob("precious*")), f"{damage.__name__} of {name}"
        shutil.rmtree(scratch)
    assert len(unnamed) < 0.25 * STATES, unnamed
    assert {file: file.read_bytes() for file in untouched} == untouched, "nothing is written through a link"
