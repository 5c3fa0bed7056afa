"""Mended times: what is right stays, what is wrong goes between its neighbours."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from escalier.film.frame_times import mend_times

MILLISECOND = Fraction(1, 1000)
EVEN = [40 * i for i in range(12)]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        pytest.param(EVEN, EVEN, id="all right"),
        pytest.param([-80, -40, 0, 40], [-80, -40, 0, 40], id="negative"),
        pytest.param([0, 7, 90, 91, 4000], [0, 7, 90, 91, 4000], id="variable rate and a still picture"),
        pytest.param([0, 40, 80, 80, 160], [0, 40, 80, 120, 160], id="the second of two is wrong"),
        pytest.param([0, 40, 120, 120, 160], [0, 40, 80, 120, 160], id="the first of two is wrong"),
        pytest.param([0, 0, 80, 120], [0, 40, 80, 120], id="doubled at the beginning"),
        pytest.param([0, 40, 80, 80], [0, 40, 80, 120], id="doubled at the end"),
        pytest.param([0, 40, None, None, 160], EVEN[:5], id="missing"),
        pytest.param([None, None, 80, 120], EVEN[:4], id="missing at the beginning"),
        pytest.param([0, 40, None], EVEN[:3], id="missing at the end"),
        pytest.param([None] * 4, EVEN[:4], id="none at all"),
        pytest.param([0, 40, 2**60, 120, 160], EVEN[:5], id="one huge"),
        pytest.param([2**60, 40, 80, 120], EVEN[:4], id="the first huge"),
        pytest.param([0, 40, 80, 120, -(2**60)], EVEN[:5], id="the last far below"),
        pytest.param([0, 40, 80, 0, 40, 80, 120], EVEN[:7], id="two recordings in a row"),
        pytest.param([0, 40, 80, 2**40, 2**40 + 40, 2**40 + 80], EVEN[:6], id="clock set ahead"),
        pytest.param([0, 80, 40, 120, 160], EVEN[:5], id="two changed places"),
        pytest.param([0, 120, 40, 80, 240, 160, 200, 360, 280, 320], EVEN[:10], id="stamped as they are stored"),
    ],
)
def test_times_are_mended_one_by_one(stamps: list[int | None], times: list[int]) -> None:
    mended = mend_times(stamps, MILLISECOND, 40)
    assert [time * mended.time_base for time in mended.times] == [time * MILLISECOND for time in times]


def test_coarse_clocks_are_cut_finer_where_a_time_has_to_fit_in() -> None:
    mended = mend_times([0, 1, 1, 2, 3], Fraction(1, 25), 1)
    assert all(a < b for a, b in itertools.pairwise(mended.times))
    assert mended.times[-1] * mended.time_base == Fraction(3, 25) and mended.mended == 1


def test_any_stamps_at_all_become_rising_times() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        count = int(rng.integers(1, 30))
        stamps = [40 * i for i in range(count)]
        for place in rng.integers(0, count, int(rng.integers(0, 6))):
            stamps[place] = [None, stamps[place - 1], int(rng.integers(-(2**40), 2**40)), 0][int(rng.integers(4))]
        mended = mend_times(stamps, MILLISECOND, 40)
        assert len(mended.times) == count and all(a < b for a, b in itertools.pairwise(mended.times)), stamps
        assert (mended.times[-1] - mended.times[0]) * mended.time_base <= 60 * count
