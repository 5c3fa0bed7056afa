"""The runs of a shot as tasks of a Dask cluster whose workers see the shot's folder."""

from __future__ import annotations

from pathlib import Path

from escalier.packages import load_package
from escalier.progress import Progress
from escalier.refusals import FileRefusal

from .shot import Shot, open_shot

TRIES = 3
PATIENCE_S = 10
"""For the scheduler to answer."""


def make_on_cluster(shot: Shot, address: str, *, threads: int = 1, progress: Progress | None = None) -> None:
    """Make the missing runs of a shot on a Dask cluster, the longest first.

    A worker that dies is Dask's to replace; its run is tried again elsewhere and goes on from its last checkpoint.

    Parameters
    ----------
    address
        Of the scheduler, such as tcp://10.0.0.2:8786.
    threads
        Cores that a worker uses for a run; start it with as many (`dask worker --nthreads 1` gives it one task).
    progress
        Called as `progress(done, total)` in guessed seconds of work as runs end. What it raises stops the others.

    Raises
    ------
    ImportError
        If `distributed` is not installed.
    OSError
        If no scheduler answers.

    >>> from types import SimpleNamespace
    >>> nothing_missing = SimpleNamespace(plan=SimpleNamespace(runs=()), missing=list)
    >>> make_on_cluster(nothing_missing, "tcp://10.0.0.2:8786")
    """
    missing = set(shot.missing())
    waiting = {run.number: run for run in shot.plan.runs if run.number in missing}
    if not waiting:
        return
    distributed = load_package("distributed", "distributed>=2025.1", "Clusters")
    total = sum(run.seconds for run in waiting.values())
    longest_first = sorted(waiting, key=lambda number: -waiting[number].seconds)
    try:
        client = distributed.Client(address, timeout=PATIENCE_S)
    except (OSError, ValueError) as error:
        remedy = "start one with dask scheduler, or correct the address"
        raise FileRefusal(f"no scheduler answers at {address}", remedy=remedy, who="make_on_cluster") from error
    with client:
        folder = str(shot.folder.absolute())
        tasks = [
            client.submit(_make, folder, number, threads, key=f"escalier {folder} {number}", retries=TRIES - 1)
            for number in longest_first
        ]
        done = 0.0
        try:
            for finished in distributed.as_completed(tasks):
                done += waiting[finished.result()].seconds
                if progress is not None:
                    progress(done, total)
        finally:
            client.cancel(tasks)


def _make(folder: str, number: int, threads: int) -> int:
    open_shot(Path(folder)).make(number, threads=threads)
    return number
