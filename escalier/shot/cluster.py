"""The runs of a shot as tasks of a Dask cluster whose workers see the shot's folder."""

from __future__ import annotations

from pathlib import Path

from escalier.packages import load_package
from escalier.progress import Progress
from escalier.refusals import FileRefusal, Refusal

from .shot import Shot, open_shot

WHO = "make_on_cluster"
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
        Called as `progress(done, total)` in guessed seconds of work as runs end. What it raises stops those that wait.

    Raises
    ------
    ImportError
        If `distributed` is not installed.
    OSError
        If no scheduler answers.
    ValueError
        If workers die of a run again and again.

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
    try:
        client = distributed.Client(address, timeout=PATIENCE_S)
    except (OSError, ValueError) as error:
        remedy = "start one with dask scheduler, or correct the address"
        raise FileRefusal(f"no scheduler answers at {address}", remedy=remedy, who=WHO) from error
    with client:
        folder = str(shot.folder.absolute())
        tasks = [
            # Named after the run, whose folder's name holds all that it depends on.
            client.submit(_make, folder, run.number, threads, key=f"{folder} {run.folder}", retries=TRIES - 1)
            for run in sorted(waiting.values(), key=lambda run: -run.seconds)
        ]
        done = 0.0
        try:
            for finished in distributed.as_completed(tasks):
                done += waiting[finished.result()].seconds
                if progress is not None:
                    progress(done, total)
        except distributed.KilledWorker as error:
            remedy = "look at the workers' memory and logs; what is made stays, and the same call goes on"
            raise Refusal("a run", f"outlive its worker within {TRIES} tries", "none", remedy, who=WHO) from error
        finally:
            client.cancel(tasks)


def _make(folder: str, number: int, threads: int) -> int:
    open_shot(Path(folder)).make(number, threads=threads)
    return number
