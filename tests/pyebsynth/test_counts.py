"""Threads and seeds are refused by one rule, by whoever asks first."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.film import ArrayFrames
from escalier.keyframes import Keyframes
from escalier.propagation import check_fade, propagate
from escalier.pyebsynth import check_seed, thread_count
from escalier.pyebsynth.counts import MOST_SEED


@pytest.mark.parametrize(
    ("threads", "kind"), [(0, ValueError), (-1, ValueError), (10**6, ValueError), (1.5, TypeError)]
)
def test_threads_out_of_range_are_refused(threads, kind: type) -> None:
    with pytest.raises(kind, match="--threads: threads must be"):
        thread_count(threads, "--threads")


@pytest.mark.parametrize(("seed", "kind"), [(-1, ValueError), (MOST_SEED + 1, ValueError), ("7", TypeError)])
def test_seeds_out_of_range_are_refused(seed, kind: type) -> None:
    with pytest.raises(kind, match="--seed: seed must"):
        check_seed(seed, "--seed")


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"threads": 0}, {"threads": -3}, {"seed": MOST_SEED + 1}], ids=lambda one: str(one)
)
def test_a_propagation_refuses_them_before_it_makes_a_folder(wrong: dict, tmp_path) -> None:
    film = ArrayFrames(np.zeros((2, 16, 16, 3), np.uint8))
    with pytest.raises(ValueError, match="propagate: "):
        propagate(film, Keyframes([0], [film.frame(0)], 2), folder=tmp_path / "scratch", **wrong)
    assert not (tmp_path / "scratch").exists()


@pytest.mark.parametrize(
    "dials",
    [
        ("dissolve", None),
        ("linear", -1),
        ("linear", float("nan")),
        ("linear", float("inf")),
        ("linear", 3, -1.0),
        ("linear", 3, float("nan")),
        ("linear", 3, 1.0, 1.0),
        ("linear", 3, 1.0, float("nan")),
    ],
    ids=str,
)
def test_fades_that_cannot_be_made_are_refused(dials: tuple) -> None:
    with pytest.raises(ValueError, match=r"^--fade: \w+ must"):
        check_fade("--fade", *dials)
