"""Threads and seeds are refused by one rule, by whoever asks first."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from escalier.counts import MOST_SEED, check_seed, processors, thread_count
from escalier.film import ArrayFrames
from escalier.keyframes import Keyframes
from escalier.propagation import propagate


@pytest.mark.parametrize(
    ("threads", "kind"), [(0, ValueError), (-1, ValueError), (10**6, ValueError), (1.5, TypeError)]
)
def test_threads_out_of_range_are_refused(threads, kind: type) -> None:
    with pytest.raises(kind, match="threads must be"):
        thread_count(threads)


@pytest.mark.parametrize(("seed", "kind"), [(-1, ValueError), (MOST_SEED + 1, ValueError), ("7", TypeError)])
def test_seeds_out_of_range_are_refused(seed, kind: type) -> None:
    with pytest.raises(kind, match="seed must"):
        check_seed(seed)


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"threads": 0}, {"threads": -3}, {"seed": MOST_SEED + 1}], ids=lambda one: str(one)
)
def test_a_propagation_refuses_them_before_it_makes_a_folder(wrong: dict, tmp_path) -> None:
    film = ArrayFrames(np.zeros((2, 16, 16, 3), np.uint8))
    with pytest.raises(ValueError, match="propagate: "):
        propagate(film, Keyframes([0], [film.frame(0)], 2), folder=tmp_path / "scratch", **wrong)
    assert not (tmp_path / "scratch").exists()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system knows no processor affinity")
def test_a_process_that_may_use_one_processor_uses_one_thread() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert processors() == thread_count(None) == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_nobody_counts_processors_for_themselves() -> None:
    root = Path(__file__).resolve().parent.parent
    files = [path for folder in ("escalier", "nodes", "benchmarks") for path in (root / folder).rglob("*.py")]
    counting = {path.name for path in files if re.search(r"cpu_count|sched_getaffinity", path.read_text("utf-8"))}
    assert counting == {"counts.py"}
