"""Jobs that share a scratch folder: threads and processes at the same time, one that is killed, one that waits."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import xxhash

from escalier.film import Footage, Size
from escalier.keyframes import Keyframes
from escalier.propagation import Staircase, propagate
from escalier.scratch import in_use, try_lock
from escalier.scratch.draft_owner import is_draft

TIMES = 20


class Clip:
    """A film that is not in memory, so that it is unpacked; slow, so that jobs meet."""

    size, rate = Size(48, 32), Fraction(24)

    def __init__(self, seconds: float = 0.0) -> None:
        scene = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8).repeat(4, 0).repeat(4, 1)
        self._frames = np.stack([np.roll(scene, i, axis=1) for i in range(9)])
        self._seconds = seconds

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> np.ndarray:
        time.sleep(self._seconds)
        return self._frames[index]


def film_of(folder: Path, seconds: float = 0.002) -> str:
    clip = Clip(seconds)
    painted = Keyframes([0, 8], [255 - clip.frame(i) for i in (0, 8)], length=9)
    staircase = Staircase(propagate(clip, painted, folder=folder, threads=2))
    return xxhash.xxh3_64_hexdigest(b"".join(staircase.frame(i).tobytes() for i in range(9)))


_WORKER = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_two_jobs import film_of
print("ready", flush=True)
for line in sys.stdin:
    folder, seconds = line.rsplit(" ", 1)
    time.sleep(float(seconds))
    print(film_of(folder), flush=True)
"""


class Worker:
    """A process that makes the film again and again."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, folder: Path, seconds: float) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{folder} {seconds}\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> str:
    return film_of(tmp_path_factory.mktemp("single"))


@pytest.mark.slow
def test_two_processes_in_one_folder_make_the_same_film_as_one_alone(single: str, tmp_path: Path) -> None:
    workers = [Worker(), Worker()]
    try:
        assert [worker.answer() for worker in workers] == ["ready", "ready"]
        offsets = np.random.default_rng(0).uniform(0, 0.25, TIMES)
        for number, offset in enumerate(offsets):
            folder = tmp_path / str(number)
            for worker, seconds in zip(workers, (0.0, float(offset)), strict=True):
                worker.start(folder, seconds)
            assert [worker.answer() for worker in workers] == [single, single], f"offset {offset:.3f} s"
            assert not [path for path in folder.rglob("*") if is_draft(path.name)]
            assert not list(folder.rglob("*damaged*"))
            assert len(list(folder.glob("run_*"))) == 4
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.communicate()


@pytest.mark.slow
def test_threads_in_one_folder_make_the_same_film_as_one_alone(single: str, tmp_path: Path) -> None:
    for number in range(3):
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(film_of, [tmp_path / str(number)] * 4)) == {single}


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.45, 0.7])
def test_a_job_that_is_killed_neither_blocks_the_next_nor_leaves_anything(
    single: str, tmp_path: Path, seconds: float
) -> None:
    worker = Worker()
    assert worker.answer() == "ready"
    worker.start(tmp_path, 0)
    time.sleep(seconds)
    worker.process.kill()
    worker.process.communicate()
    assert film_of(tmp_path) == single
    assert not [path for path in tmp_path.rglob("*") if is_draft(path.name)]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["film", "run"])
def test_a_cancel_is_heard_while_another_job_has_the_lock(tmp_path: Path, what: str) -> None:
    film_of(tmp_path)
    places = [path.name for path in tmp_path.glob(f"{what}_*")]
    for place in places:
        path = tmp_path / place
        if path.is_dir():
            for file in path.iterdir():
                file.unlink()
            path.rmdir()
        else:
            path.unlink()
    told = threading.Event()

    def cancel(done: float, total: float, picture: np.ndarray | None = None) -> None:
        if told.is_set():
            raise KeyboardInterrupt

    clip = Clip()
    painted = Keyframes([0, 8], [255 - clip.frame(i) for i in (0, 8)], length=9)
    if what == "film":  # whole runs need no film
        for run in tmp_path.glob("run_*"):
            for file in run.iterdir():
                file.unlink()
            run.rmdir()
    with try_lock(tmp_path, places[0]) as mine:
        assert mine
        threading.Timer(0.5, told.set).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            propagate(clip, painted, folder=tmp_path, threads=1, progress=cancel)
        assert 0.4 < time.monotonic() - began < 10


def test_a_job_that_waited_uses_what_the_other_made(tmp_path: Path) -> None:
    clip, reads = Clip(), []

    class Counted(Clip):
        def fingerprint_parts(self) -> tuple[str, ...]:
            return ("a clip that says what it is",)

        def frame(self, index: int) -> np.ndarray:
            reads.append(index)
            return super().frame(index)

    films = [Footage(Counted(0.01), tmp_path) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(Footage.read, films))
    assert sorted(reads) == [0, 0, *range(9)], "besides the pass, the first frame for each one's fingerprint"
    assert all((film.frame(i) == clip.frame(i)).all() for film in films for i in range(9))


def test_a_lock_is_free_again_after_its_block_and_a_job_is_seen_while_it_lasts(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            try_lock(tmp_path, "film") as mine,
            try_lock(tmp_path, "film") as other,
            try_lock(tmp_path, "run") as third,
        ):
            assert (mine, other, third) == (True, False, True)
    with in_use(tmp_path):
        assert len(list((tmp_path / ".escalier-locks").glob("job-*"))) == 1
    assert not list((tmp_path / ".escalier-locks").glob("job-*"))
