"""Runs made side by side on threads, a keyframe's two together, while the calling thread tells the progress."""

import contextlib
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from escalier.film import Size
from escalier.scratch import try_lock

from .chains import Chain
from .make_run import Crew
from .run import Run
from .unfinished import unfinished_place
from .work import Work

LARGE_PIXELS = 1_200_000
"""A run needs about 200 bytes for each pixel that it matches. Of larger frames no more runs are made at a time"""
MOST_PIXELS = 4_200_000
"""than match this many pixels together,"""
THREADS_OF_LARGE = 4
"""or than one for this many cores."""
POLL_SECONDS = 0.1


def runs_at_a_time(size: Size, cores: int) -> int:
    """How many runs are made at once, of frames that are matched at this size: one a core, fewer of large frames.

    >>> runs_at_a_time(Size(960, 540), cores=8), runs_at_a_time(Size(3840, 2160), cores=8)
    (8, 2)
    """
    pixels = size.width * size.height
    return cores if pixels <= LARGE_PIXELS else min(cores, max(1, MOST_PIXELS // pixels, cores // THREADS_OF_LARGE))


def side_by_side(
    places: Mapping[Chain, Path], make: Callable[[Chain, Crew], Run], most: int, cores: int, work: Work
) -> dict[Chain, Run]:
    """Make runs side by side, the longest first, but a keyframe's two together, which share its source.

    This thread only waits and tells `work` the progress. `make` makes one of the runs in `places`, or takes it if it is
    there by now; it is called in other threads, at `most` so many at a time, to which the cores are shared out. A run
    that another job is making is left to it until it is done.
    """
    stop = threading.Event()
    finished: queue.SimpleQueue[np.ndarray | int] = queue.SimpleQueue()
    runs: dict[Chain, Run] = {}

    def go_on(*_: int) -> None:
        if stop.is_set():
            raise _Stopped

    def frame_done(picture: np.ndarray) -> None:
        go_on()
        finished.put(picture)

    shared = _Cores(cores)
    crew = Crew(shared.each, frame_done, go_on, finished.put)
    # What was begun comes first: its frames count at once.
    waiting = deque(sorted(in_order(places), key=lambda chain: not unfinished_place(places[chain]).is_dir()))

    def make_all() -> None:
        while waiting:
            go_on()
            with contextlib.suppress(IndexError):  # another worker took the last
                chain = waiting.popleft()
                with try_lock(places[chain].parent, places[chain].name) as free:
                    if free:
                        with shared:
                            runs[chain] = make(chain, crew)
                if not free:
                    waiting.append(chain)
                    stop.wait(POLL_SECONDS)

    workers = min(cores, most, len(places))
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="escalier-run") as pool:
        futures = [pool.submit(make_all) for _ in range(workers)]
        try:
            _wait(futures, finished, work)
        finally:
            stop.set()
    return runs


def in_order(chains: Iterable[Chain]) -> list[Chain]:
    """The longest first, counted for both runs of a keyframe, which follow each other."""
    chains = list(chains)
    together: Counter[int] = Counter()
    for chain in chains:
        together[chain.start] += chain.length
    return sorted(chains, key=lambda chain: (-together[chain.start], chain.start, -chain.length))


class _Stopped(Exception):
    """Raised inside worker threads to end them; never leaves this module."""


class _Cores:
    """Shares the cores out to the runs that are being made just now: the last ones get more of them."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._lock = threading.Lock()
        self._runs = 0

    def __enter__(self) -> None:
        with self._lock:
            self._runs += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs -= 1

    def each(self) -> int:
        """For each run."""
        return max(1, self._cores // max(1, self._runs))


def _wait(futures: list[Future[None]], finished: queue.SimpleQueue[np.ndarray | int], work: Work) -> None:
    """Tell the progress until every run is done; raise the first error of any."""
    while True:
        ended = all(future.done() for future in futures)
        for future in futures:
            if future.done():
                future.result()
        try:
            made = finished.get(timeout=0 if ended else POLL_SECONDS)
        except queue.Empty:
            if ended:
                return
            work.wait()
        else:
            work.taken_over(made) if isinstance(made, int) else work.painted(made)
