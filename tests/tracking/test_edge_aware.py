"""Values that flow over a picture and halt at its edges: held against the equations, solved plainly."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.tracking.edge_aware import _solve_rows, smooth_along_edges


def known_at(*places: tuple[int, int, float], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    values, weights = np.zeros((2, *shape), np.float32)
    for row, column, value in places:
        values[row, column], weights[row, column] = value, 1
    return values, weights


def test_rows_are_solved_as_the_equations_ask() -> None:
    random = np.random.default_rng(0)
    channels = random.standard_normal((3, 9, 2)).astype(np.float32)
    weights = random.uniform(0, 5, (3, 9)).astype(np.float32)
    weights[:, -1] = 0
    solved = channels.copy()
    _solve_rows(solved, weights)
    for row in range(3):
        laplacian = np.diag(weights[row] + np.r_[0, weights[row, :-1]])
        laplacian -= np.diag(weights[row, :-1], 1) + np.diag(weights[row, :-1], -1)
        assert np.allclose((np.eye(9) + laplacian) @ solved[row], channels[row], atol=1e-5)


def test_nothing_of_what_flows_is_lost() -> None:
    random = np.random.default_rng(1)
    picture = random.integers(0, 256, (20, 30, 3), np.uint8)
    weights = random.uniform(0, 1, (20, 30)).astype(np.float32)
    _, arrived = smooth_along_edges(np.ones((20, 30), np.float32), weights, picture)
    assert arrived.sum() == pytest.approx(weights.sum(), rel=1e-5)
    assert not np.allclose(arrived, weights, atol=0.05)


def test_values_stay_within_those_that_were_known() -> None:
    random = np.random.default_rng(2)
    picture = random.integers(90, 130, (20, 30, 3), np.uint8)
    values, weights = random.uniform(-1, 1, (2, 20, 30)).astype(np.float32)
    spread, _ = smooth_along_edges(values, np.abs(weights), picture)
    assert values.min() - 1e-5 <= spread.min() < spread.max() <= values.max() + 1e-5
    assert spread.std() < 0.5 * values.std()


def test_a_strong_edge_stops_what_a_weak_one_lets_through() -> None:
    shares = []
    for step in (0, 10, 60):
        picture = np.zeros((11, 21, 3), np.uint8)
        picture[:, 11:] = step
        _, arrived = smooth_along_edges(*known_at((5, 8, 1), shape=(11, 21)), picture)
        shares.append(float(arrived[:, 11:].sum()))
    assert shares[0] > 1.1 * shares[1] and shares[1] > 2 * shares[2] and shares[2] < 0.02


def test_more_strength_carries_further() -> None:
    picture = np.zeros((31, 31, 3), np.uint8)
    reach = []
    for strength in (5.0, 30.0, 120.0):
        _, arrived = smooth_along_edges(*known_at((15, 15, 1), shape=(31, 31)), picture, strength=strength)
        rows = np.arange(31) - 15
        reach.append(float(np.sqrt((arrived.sum(axis=1) * rows**2).sum())))
    assert reach == sorted(reach) and reach[2] > 1.5 * reach[0]
    assert reach[1] == pytest.approx(5, abs=3)  # 30 is about five pixels, as it says


def test_columns_are_treated_as_rows_are() -> None:
    random = np.random.default_rng(3)
    picture = random.integers(0, 60, (24, 24, 3), np.uint8)
    values, weights = known_at((12, 12, 1), (4, 20, -1), shape=(24, 24))
    one, arrived = smooth_along_edges(values, weights, picture)
    turned, arrived_turned = smooth_along_edges(values.T, weights.T, picture.transpose(1, 0, 2))
    reached = arrived > 1e-3
    assert np.abs(one - turned.T)[reached].max() < 0.05 and np.abs(arrived - arrived_turned.T).max() < 0.05
    assert np.count_nonzero(reached) > 10 and one[12, 12] > 0.9 and one[4, 20] < -0.9
