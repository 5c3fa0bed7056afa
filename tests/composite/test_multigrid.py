"""The solvers alone: any mask, both engines, against dense linear algebra."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from escalier.composite import multigrid, multigrid_torch


def laplacian(mask: np.ndarray, screening: float = 0.0) -> np.ndarray:
    """A as a dense matrix, written out pixel by pixel."""
    height, width = mask.shape
    places = {place: n for n, place in enumerate(zip(*np.nonzero(mask), strict=True))}
    matrix = np.zeros((len(places), len(places)))
    for (i, j), n in places.items():
        matrix[n, n] = screening
        for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= k < height and 0 <= m < width:
                matrix[n, n] += 1
                if (k, m) in places:
                    matrix[n, places[k, m]] -= 1
    return matrix


def solve_with(
    engine: str, mask: np.ndarray, f: np.ndarray, screening: float = 0.0, method: str = "solve"
) -> np.ndarray:
    if engine == "numba":
        solver = multigrid.Multigrid(mask, screening)
        side = solver.vector()
        side[1:-1, 1:-1] = f
        return getattr(solver, method)(side)[1:-1, 1:-1].copy()
    solver = multigrid_torch.Multigrid(torch.from_numpy(mask)[None], screening)
    return getattr(solver, method)(torch.from_numpy(f.astype(np.float32))[None, None])[0, 0].numpy()


def random_problem(shape: tuple[int, int], share: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mask = rng.random(shape) < share
    return mask, rng.standard_normal(shape) * mask


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("method", ["solve", "conjugate_gradient"])
@pytest.mark.parametrize("screening", [0.0, 0.01, 2.0])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.97])
def test_solution_is_that_of_the_matrix(engine: str, method: str, screening: float, share: float) -> None:
    mask, f = random_problem((23, 30), share)
    truth = np.linalg.solve(laplacian(mask, screening), f[mask])
    x = solve_with(engine, mask, f, screening, method)
    assert np.abs(x[mask] - truth).max() < 2e-4 * np.abs(truth).max()
    assert not x[~mask].any()


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_mask_without_a_rim_has_the_solution_of_mean_zero(engine: str) -> None:
    mask = np.ones((19, 28), bool)
    f = np.random.default_rng(0).standard_normal(mask.shape)
    f -= f.mean()
    truth = (np.linalg.pinv(laplacian(mask), 1e-10, hermitian=True) @ f.ravel()).reshape(mask.shape)
    x = solve_with(engine, mask, f)
    assert abs(x.mean()) < 1e-5
    assert np.abs(x - truth).max() < 1e-3 * np.abs(truth).max()


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_nothing_on_the_right_gives_nothing_to_the_bit(engine: str) -> None:
    mask, f = random_problem((40, 40), 0.8)
    assert not solve_with(engine, mask, f * 0).any()


def test_harmonic_function_is_found_between_two_walls() -> None:
    # A corridor with 0 at its left end and 1 at its right, and nothing asked at the sides: a straight line.
    mask = np.ones((9, 101), bool)
    mask[:, [0, -1]] = False
    f = np.zeros(mask.shape)
    f[:, -2] = 1
    x = solve_with("numba", mask, f)
    assert np.abs(x[:, 1:-1] - np.arange(1, 100) / 100).max() < 1e-5


def test_grids_are_used_again_for_the_next_right_hand_side() -> None:
    mask, f = random_problem((60, 70), 0.9)
    solver = multigrid.Multigrid(mask)
    side = solver.vector()
    side[1:-1, 1:-1] = f
    first = solver.solve(side.copy()).copy()
    assert (solver.solve(side) == first).all()


def test_same_bits_on_any_number_of_threads() -> None:
    problems = [random_problem((90, 110), share, seed) for seed, share in enumerate((0.5, 0.9, 0.99, 0.6, 0.95, 0.8))]
    alone = [solve_with("numba", mask, f) for mask, f in problems]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda problem: solve_with("numba", *problem), problems))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


def test_engines_agree() -> None:
    mask, f = random_problem((75, 64), 0.95)
    mine, other = solve_with("numba", mask, f), solve_with("torch", mask, f)
    assert np.abs(mine - other).max() < 1e-4 * np.abs(mine).max()


def test_masks_of_a_torch_batch_do_not_see_each_other() -> None:
    masks, sides = zip(*(random_problem((48, 52), share, 7) for share in (0.2, 0.999, 0.6)), strict=True)
    solver = multigrid_torch.Multigrid(torch.from_numpy(np.stack(masks)))
    together = solver.solve(torch.from_numpy(np.stack(sides).astype(np.float32))[:, None])[:, 0].numpy()
    for mask, f, x in zip(masks, sides, together, strict=True):
        alone = solve_with("torch", mask, f)
        assert np.abs(alone - x).max() < 1e-5 * max(1, np.abs(alone).max())


def test_relaxation_weights_damp_their_range_best() -> None:
    low, high = multigrid.SPECTRUM
    eigenvalues = np.linspace(low, high, 500)
    left = np.prod([1 - weight * eigenvalues for weight in multigrid.RELAXATION.astype(float)], axis=0)
    bound = 1 / np.cosh(3 * np.arccosh((high + low) / (high - low)))  # what the Chebyshev polynomial reaches
    assert np.abs(left).max() == pytest.approx(bound, rel=1e-5)
