"""Galerkin multigrid and conjugate gradient for the Poisson equation on a masked grid, on the processor.

The solver knows nothing of pictures. It solves A x = f, where

    (A x)_p = sum over the 4 neighbours q of p inside the array of (x_p - x_q)  +  screening * x_p

on the unknowns p of a mask, with x = 0 outside it (Dirichlet) and nothing beyond the array (Neumann).

A place on a coarse grid stands for the fine one at twice its row and column, and is an unknown where that one is. P
interpolates bilinearly onto the fine unknowns, and the coarse operator is P^T A P (Galerkin), which holds on masks of
any shape, where re-discretised operators diverge. Away from the rim and from the array's border all stencils of a grid
are the same; only the others, called odd here, are computed and stored.

The recipe: one F-cycle (full multigrid), then two steps of conjugate gradient preconditioned by a V-cycle. More steps
follow only where the changes they make shrink too slowly. The residual is no measure for that: it hides smooth errors.

Sources: A. Brandt, "Multi-level adaptive solutions to boundary-value problems", 1977; O. Tatebe, "The multigrid
preconditioned conjugate gradient method", 1993; U. Trottenberg, C. Oosterlee, A. Schüller, "Multigrid", 2001.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.signal import convolve2d

from . import multigrid_kernels as kernels
from .multigrid_kernels import Level


def chebyshev_weights(lowest: float, highest: float, sweeps: int) -> np.ndarray:
    """Weights of Jacobi sweeps that together damp the spectrum lowest..highest best: float32 (sweeps), falling.

    The inverse roots of the Chebyshev polynomial of that range (Trottenberg et al., section 7.3).
    """
    angles = np.pi * (np.arange(sweeps) + 0.5) / sweeps
    roots = (highest + lowest) / 2 - (highest - lowest) / 2 * np.cos(angles)
    return (1 / roots).astype(np.float32)


SPECTRUM = (0.35, 2.0)
"""The part of the spectrum of A / diagonal that the sweeps have to damp; the coarser grids see to what lies below."""
RELAXATION = chebyshev_weights(*SPECTRUM, sweeps=3)
COARSEST_UNKNOWNS = 100
"""A grid with no more unknowns than this is solved by its dense inverse."""
COARSEST_RELAXATION = np.tile(RELAXATION, 8)
"""The sweeps on a coarsest grid with more unknowns: where no coarser one exists, every unknown lies at the rim, so that
the equation is well conditioned."""
LEAST_STEPS, MOST_STEPS = 2, 8
SINGULAR_BELOW = 1e-5
"""Eigenvalues of a singular coarsest grid that are smaller than this part of the largest are rounding."""


class Grid(NamedTuple):
    """A level with its own two vectors. The finest grid's are made by the solver."""

    level: Level
    x: np.ndarray
    f: np.ndarray


class Multigrid:
    """The grids of one mask: made once, then used for any number of right-hand sides, by one thread at a time.

    Parameters
    ----------
    mask
        Bool (H, W), True at the unknowns; at least one.
    screening
        Weight of the term screening * x, 0 or more. What a right-hand side says at one place fades over a distance of
        1 / sqrt(screening) pixels. With 0 and a mask without a single False the solution is only determined up to a
        constant; the one with mean 0 is given.
    """

    def __init__(self, mask: np.ndarray, screening: float = 0.0) -> None:
        unknown = np.ascontiguousarray(mask)
        self._singular = screening == 0 and bool(unknown.all())
        self._unknowns = int(unknown.sum())
        level, odd = _finest(unknown, screening)
        self._x, self._p, self._z = (_vector(level) for _ in range(3))
        self._grids = [Grid(level, self._x, self._x)]
        while np.count_nonzero(unknown) > COARSEST_UNKNOWNS and unknown[::2, ::2].any():
            coarse_unknown = np.ascontiguousarray(unknown[::2, ::2])
            level, odd = _coarser(level, unknown, odd, coarse_unknown)
            self._grids.append(Grid(level, _vector(level), _vector(level)))
            unknown = coarse_unknown
        rows, columns = np.nonzero(unknown)
        self._last = (rows, columns)
        self._inverse = None
        if len(rows) <= COARSEST_UNKNOWNS:
            matrix = _dense(level, odd, rows, columns)
            inverse = (
                np.linalg.pinv(matrix, SINGULAR_BELOW, hermitian=True) if self._singular else np.linalg.inv(matrix)
            )
            self._inverse = inverse.astype(np.float32)

    def vector(self) -> np.ndarray:
        """Zeros for a right-hand side: float32 (H + 2, W + 2), place (i, j) at [i + 1, j + 1]."""
        return np.zeros_like(self._x)

    def solve(self, f: np.ndarray, tolerance: float = 1e-4) -> np.ndarray:
        """Solve A x = f by an F-cycle and two preconditioned steps, or more where the mask needs them.

        f is float32 (H + 2, W + 2), zero outside the mask, and is used up. The result has the same shape, and stays
        valid until the next call. A step is the last one once the error left at the worst unknown is estimated at no
        more than `tolerance`, from how fast the steps shrink. Most masks need two; pinholes need three or four.
        """
        level, x, r, p, z = self._grids[0].level, self._x, f, self._p, self._z
        self._f_cycle(x, f)
        r_z, change = 0.0, np.inf
        for step in range(1, MOST_STEPS + 1):
            r_z_before, r_z = r_z, self._v_cycle(z, r)
            energy, largest = kernels.direct(level, p, z, np.float32(r_z / r_z_before if step > 1 else 0))
            if energy <= 0 or r_z <= 0:  # nothing is left of the residual
                break
            change_before, change = change, r_z / energy * largest
            last = step == MOST_STEPS or (step >= LEAST_STEPS and _error_left(change_before, change) <= tolerance)
            kernels.advance(level, x, r, p, np.float32(r_z / energy), last)
            if last:
                break
        return self._determined(x)

    def conjugate_gradient(self, f: np.ndarray, tolerance: float = 1e-6) -> np.ndarray:
        """Solve A x = f by plain conjugate gradient, until the residual is no more than tolerance * |f|.

        For comparison: it needs hundreds of steps, and a residual of 1e-4 still hides errors of several levels of 255.
        """
        level, x, r, p = self._grids[0].level, self._x, f, self._p
        x[:] = 0
        r_r = float(np.vdot(r, r))
        goal, before = tolerance**2 * r_r, np.inf
        for _ in range(10 * self._unknowns):
            if r_r <= goal:
                break
            energy, _ = kernels.direct(level, p, r, np.float32(r_r / before))
            before, r_r = r_r, kernels.advance(level, x, r, p, np.float32(r_r / energy), False)
        return self._determined(x)

    def _determined(self, x: np.ndarray) -> np.ndarray:
        if self._singular:
            x[1:-1, 1:-1] -= x[1:-1, 1:-1].mean(dtype=np.float64)
        return x

    def _coarsest(self, grid: Grid) -> None:
        if self._inverse is None:
            self._sweep(grid, COARSEST_RELAXATION, kernels.FROM_ZERO)
            return
        rows, columns = self._last
        grid.x[rows + 1, columns + 1] = self._inverse @ grid.f[rows + 1, columns + 1]

    def _sweep(
        self, grid: Grid, weights: np.ndarray, start: int, coarse: Grid | None = None, finish: int = kernels.KEEP
    ) -> float:
        below = coarse or grid
        return kernels.sweep(grid.level, grid.x, grid.f, weights, start, below.x, finish, below.level, below.f)

    def _cycle(self, grids: list[Grid], start: int, finish: int) -> float:
        """One V-cycle on the first of the grids."""
        if len(grids) == 1:
            self._coarsest(grids[0])
            return self._sweep(grids[0], RELAXATION[:0], kernels.FROM_X, None, finish)
        for fine, coarse in pairwise(grids):
            self._sweep(fine, RELAXATION, start, coarse, kernels.RESTRICT)
            start = kernels.FROM_ZERO
        self._coarsest(grids[-1])
        product = 0.0
        for fine, coarse in zip(grids[-2::-1], grids[:0:-1], strict=True):
            ending = finish if fine is grids[0] else kernels.KEEP
            product = self._sweep(fine, RELAXATION[::-1].copy(), kernels.FROM_X_AND_COARSE, coarse, ending)
        return product

    def _v_cycle(self, z: np.ndarray, r: np.ndarray) -> float:
        """z = M r, with M nearly the inverse of A. Returns r.z."""
        return self._cycle([Grid(self._grids[0].level, z, r), *self._grids[1:]], kernels.FROM_ZERO, kernels.PRODUCT)

    def _f_cycle(self, x: np.ndarray, f: np.ndarray) -> None:
        """x nearly solves A x = f, and f becomes its residual."""
        grids = [Grid(self._grids[0].level, x, f), *self._grids[1:]]
        for fine, coarse in pairwise(grids):
            kernels.restrict(fine.level, coarse.level, fine.f, coarse.f)
        self._coarsest(grids[-1])
        for first in range(len(grids) - 2, -1, -1):
            self._cycle(grids[first:], kernels.FROM_COARSE, kernels.KEEP if first else kernels.RESIDUAL)
        if len(grids) == 1:
            self._sweep(grids[0], RELAXATION[:0], kernels.FROM_X, None, kernels.RESIDUAL)


def _error_left(change_before: float, change: float) -> float:
    """The sum of all changes to come, if they go on shrinking at the same ratio."""
    if change >= change_before:
        return np.inf
    return change**2 / (change_before - change)


def _vector(level: Level) -> np.ndarray:
    return np.zeros((len(level.span_rows) + 1, level.width + 2), np.float32)


def _level(unknown: np.ndarray, regular: np.ndarray, stencil: np.ndarray) -> tuple[Level, np.ndarray, np.ndarray]:
    """A level whose odd stencils are still zero, and the rows and columns of its odd unknowns."""
    odd_rows, odd_columns = np.nonzero(unknown & ~regular)
    starts = np.searchsorted(odd_rows, np.arange(len(unknown) + 1)).astype(np.int32)
    stencils = np.zeros((len(odd_rows), 9), np.float32)
    spans, span_rows = kernels.runs(unknown)
    regular_spans, regular_rows = kernels.runs(regular)
    level = Level(
        spans=spans,
        span_rows=span_rows,
        regular=regular_spans,
        regular_rows=regular_rows,
        stencil=np.asarray(stencil, np.float32),
        odd_columns=odd_columns.astype(np.uint64),
        odd_rows=starts,
        odd_stencils=stencils,
        width=unknown.shape[1],
    )
    return level, odd_rows, odd_columns


def _numbered(shape: tuple[int, int], rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The number of the odd unknown at every place, -1 where there is none."""
    numbers = np.full(shape, -1, np.int32)
    numbers[rows, columns] = np.arange(len(rows), dtype=np.int32)
    return numbers


def _finest(unknown: np.ndarray, screening: float) -> tuple[Level, np.ndarray]:
    """The level of A itself. Only the unknowns at the array's border have fewer than 4 neighbours."""
    regular = unknown.copy()
    regular[[0, -1]] = regular[:, [0, -1]] = False
    level, rows, columns = _level(unknown, regular, np.array([4 + screening, -1, 0]))
    height, width = unknown.shape
    stencils = level.odd_stencils
    stencils[:, 1] = np.where(rows > 0, -1, 0)
    stencils[:, 3] = np.where(columns > 0, -1, 0)
    stencils[:, 5] = np.where(columns < width - 1, -1, 0)
    stencils[:, 7] = np.where(rows < height - 1, -1, 0)
    stencils[:, 4] = screening - stencils.sum(1)
    return level, _numbered(unknown.shape, rows, columns)


def _coarser(fine: Level, unknown: np.ndarray, odd: np.ndarray, coarse_unknown: np.ndarray) -> tuple[Level, np.ndarray]:
    """The next coarser level, P^T A P."""
    regular = kernels.regular_unknowns(unknown, odd, coarse_unknown)
    level, rows, columns = _level(coarse_unknown, regular, _galerkin_of_regular(fine.stencil))
    level.odd_stencils[:] = kernels.galerkin_stencils(
        unknown, odd, fine.stencil, fine.odd_stencils, coarse_unknown, rows, columns
    )
    return level, _numbered(coarse_unknown.shape, rows, columns)


def _galerkin_of_regular(stencil: np.ndarray) -> np.ndarray:
    """The regular stencil of the next coarser level."""
    centre, edge, corner = stencil.astype(np.float64)
    fine = np.array([[corner, edge, corner], [edge, centre, edge], [corner, edge, corner]])
    hat = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    # P^T A P is the fine stencil smoothed by the hat twice, then every second place of it.
    smoothed = convolve2d(convolve2d(fine, hat), hat)
    return smoothed[[3, 3, 1], [3, 1, 1]]


def _dense(level: Level, odd: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """A as a matrix float64 (n, n) on the unknowns at these rows and columns."""
    centre, edge, corner = level.stencil
    regular = np.array([corner, edge, corner, edge, centre, edge, corner, edge, corner])
    number = np.full((odd.shape[0] + 2, odd.shape[1] + 2), len(rows))
    number[rows + 1, columns + 1] = np.arange(len(rows))
    matrix = np.zeros((len(rows), len(rows) + 1))  # the last column takes what belongs to no unknown
    for n, (row, column) in enumerate(zip(rows, columns, strict=True)):
        own = level.odd_stencils[odd[row, column]] if odd[row, column] >= 0 else regular
        matrix[n, number[row : row + 3, column : column + 3].ravel()] = own
    return matrix[:, :-1]
