"""Whole numbers that artists give, checked for everybody who takes them: threads and seeds."""

import os

import numpy as np

from escalier.refusals import Refusal, TypeRefusal

MOST_THREADS = 256
MOST_SEED = 2**32 - 1
"""The engine mixes 32 bits into its random numbers; a larger seed would be the same as a smaller one."""


def processors() -> int:
    """How many processors this process may use: those of its affinity where the system knows one, else all.

    >>> processors() >= 1
    True
    """
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def thread_count(threads: int | None) -> int:
    """How many threads to use: as many as were asked for, or one for each processor that this process may use.

    >>> thread_count(3), thread_count(None) >= 1
    (3, True)
    """
    if threads is None:
        return processors()
    _check_whole("threads", threads)
    if not 1 <= threads <= MOST_THREADS:
        raise Refusal("threads", f"be >= 1 and at most {MOST_THREADS}", threads, "leave it out for all processors")
    return int(threads)


def check_seed(seed: int) -> None:
    """Refuse a seed that is no whole number that the engine can tell from all others.

    >>> check_seed(-1)
    Traceback (most recent call last):
    escalier.refusals.Refusal: seed must lie in 0..4294967295, got -1; any such number gives ...
    """
    _check_whole("seed", seed)
    if not 0 <= seed <= MOST_SEED:
        raise Refusal("seed", f"lie in 0..{MOST_SEED}", seed, "any such number gives its own brush strokes")


def _check_whole(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeRefusal(name, "be a whole number", f"{value!r}")
