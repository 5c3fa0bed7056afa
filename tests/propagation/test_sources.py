"""A keyframe is made ready once for both its runs, and the cores are shared out to the runs that go on."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames
from escalier.keyframes import Keyframes
from escalier.propagation import FilmMatching, propagate, propagation
from escalier.propagation.chains import Chain
from escalier.propagation.side_by_side import in_order
from escalier.propagation.sources import Sources

FORWARD, BACKWARD, OTHER = Chain(4, 8, 0), Chain(4, -1, 0), Chain(9, 14, 1)


def test_both_runs_of_a_keyframe_share_its_source() -> None:
    made: list[Chain] = []
    both_are_there = threading.Barrier(2, timeout=10)

    def make(chain: Chain) -> object:
        made.append(chain)
        return object()

    sources = Sources(make)

    def use(chain: Chain) -> object:
        with sources.of(chain) as source:
            both_are_there.wait()
            return source

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(use, (FORWARD, BACKWARD))
    assert one is other and len(made) == 1
    with sources.of(FORWARD) as again, sources.of(OTHER) as different:
        assert again is not one and different is not again
    assert len(made) == 3


def test_a_source_that_cannot_be_made_is_asked_for_again() -> None:
    tries: list[int] = []

    def make(chain: Chain) -> object:
        tries.append(chain.start)
        if len(tries) == 1:
            raise MemoryError
        return object()

    sources = Sources(make)
    with pytest.raises(MemoryError), sources.of(FORWARD):
        pass
    with sources.of(FORWARD) as source:
        assert source is not None


def test_a_keyframes_runs_follow_each_other_and_the_longest_come_first() -> None:
    chains = [Chain(2, -1, 0), Chain(2, 6, 0), Chain(6, 2, 1), Chain(6, 30, 1)]
    assert [(chain.start, chain.stop) for chain in in_order(chains)] == [(6, 30), (6, 2), (2, 6), (2, -1)]


def test_the_last_run_gets_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyframe on the first frame has only one run of any length: it must not be left with half the cores."""
    asked: list[int] = []
    make_run = propagation.make_run

    def overhear(*arguments, **named: object) -> object:
        *others, crew = arguments

        def told() -> int:
            asked.append(crew.threads())
            return asked[-1]

        return make_run(*others, replace(crew, threads=told), **named)

    monkeypatch.setattr(propagation, "make_run", overhear)
    frames = np.random.default_rng(0).integers(0, 256, (1, 40, 48, 3), np.uint8).repeat(5, axis=0)
    film, keyframes = ArrayFrames(frames), Keyframes([0], [255 - frames[0]], 5)
    propagate(film, keyframes, folder=tmp_path, threads=4, matching=FilmMatching(search_vote_iterations=1), cuts=())
    assert len(asked) == 4 and asked[-1] == 4
