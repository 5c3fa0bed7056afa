"""The solver of `multigrid` in torch: the same equation, grids and recipe on any device, for several masks at once.

Tensors are float32 (B, C, H, W): B masks with C right-hand sides each. Vectors that A is applied to carry a frame of
zeros, (B, C, H + 2, W + 2). Operations are whole-tensor ones written to their targets, since a card waits for launches
and a processor for memory. No convolutions: on a card they round to 10 bits by default.
"""

from __future__ import annotations

import torch

from .multigrid import COARSEST_UNKNOWNS, LEAST_STEPS, MOST_STEPS, RELAXATION, SINGULAR_BELOW

_SHIFTS = [(row, column) for row in range(3) for column in range(3)]


class Grid:
    """One grid: the unknowns as ones, A by its stencils, and the inverse of its diagonal on the unknowns."""

    def __init__(self, unknown: torch.Tensor, stencils: torch.Tensor | None, diagonal: torch.Tensor) -> None:
        self.unknown = unknown  # (B, 1, H, W)
        self.stencils = stencils  # (B, 9, H, W), or None for the 5-point one, whose neighbours all weigh -1
        self.diagonal = diagonal  # (B, 1, H, W) or (1, 1, H, W)
        self.inverse_diagonal = unknown / torch.where(unknown > 0, diagonal, 1)

    def residual(self, x: torch.Tensor, f: torch.Tensor | None) -> torch.Tensor:
        """f - A x (or -A x), right on the unknowns only."""
        height, width = self.unknown.shape[-2:]
        own = inner(x)
        r = (own * self.diagonal).neg_() if f is None else torch.addcmul(f, own, self.diagonal, value=-1)
        for k, (row, column) in enumerate(_SHIFTS):
            neighbour = x[..., row : row + height, column : column + width]
            if k == 4:
                continue
            if self.stencils is not None:
                r.addcmul_(self.stencils[:, k : k + 1], neighbour, value=-1)
            elif k % 2:
                r.add_(neighbour)
        return r

    def relax(self, x: torch.Tensor, f: torch.Tensor, weights: list[float], from_zero: bool = False) -> None:
        """Jacobi sweeps."""
        for k, weight in enumerate(weights):
            if from_zero and k == 0:
                torch.mul(f, self.inverse_diagonal, out=inner(x))
                inner(x).mul_(weight)
            else:
                inner(x).addcmul_(self.residual(x, f), self.inverse_diagonal, value=weight)


class Multigrid:
    """The grids of B masks. See `escalier.composite.multigrid.Multigrid`.

    Parameters
    ----------
    masks
        Bool (B, H, W), on the device to work on. A mask may be empty: its solution is zero.
    screening
        Weight of the term screening * x, 0 or more.
    """

    def __init__(self, masks: torch.Tensor, screening: float = 0.0) -> None:
        unknown = masks[:, None].to(torch.float32)
        self._singular = masks.flatten(1).all(1) & (screening == 0)
        self._grids = [Grid(unknown, None, _degree(unknown) + screening)]
        while self._grids[-1].unknown[0, 0].numel() > COARSEST_UNKNOWNS:
            self._grids.append(_coarser(self._grids[-1]))
        self._inverse = _dense_inverse(self._grids[-1], self._singular)

    def solve(self, f: torch.Tensor, tolerance: float = 1e-4) -> torch.Tensor:
        """Solve A x = f for f (B, C, H, W), zero outside the masks. A right-hand side that is done waits unchanged."""
        grid = self._grids[0]
        x = self._f_cycle(f)
        r = grid.residual(x, f).mul_(grid.unknown)
        p = torch.zeros_like(x)
        r_z = change = None
        going = torch.ones_like(f[:, :, :1, :1], dtype=torch.bool)
        for step in range(1, MOST_STEPS + 1):
            z = self._v_cycle(0, r)
            r_z_before, r_z = r_z, _dot(inner(z), r)
            if r_z_before is not None:
                p.mul_(torch.where(r_z_before > 0, r_z / r_z_before, 0))
            p.add_(z)
            a_p = grid.residual(p, None).mul_(grid.unknown).neg_()
            energy = _dot(inner(p), a_p)
            going = going & (energy > 0) & (r_z > 0)
            alpha = torch.where(going, r_z / energy, 0)
            x.addcmul_(p, alpha)
            r.addcmul_(a_p, alpha, value=-1)
            change_before, change = change, alpha.abs() * p.abs().amax((2, 3), keepdim=True)
            if step >= LEAST_STEPS and change_before is not None:
                left = torch.where(change < change_before, change**2 / (change_before - change), torch.inf)
                going = going & (left > tolerance)
                if not bool(going.any()):
                    break
        return self._determined(inner(x))

    def conjugate_gradient(self, f: torch.Tensor, tolerance: float = 1e-6) -> torch.Tensor:
        """Solve A x = f by plain conjugate gradient, until every residual is no more than tolerance * |f|."""
        grid = self._grids[0]
        x, r = _framed(torch.zeros_like(f)), f.clone()
        p = _framed(r)
        r_r = _dot(r, r)
        goal = tolerance**2 * r_r
        for _ in range(10 * f.shape[-1] * f.shape[-2]):
            going = r_r > goal
            if not bool(going.any()):
                break
            a_p = grid.residual(p, None).mul_(grid.unknown).neg_()
            alpha = torch.where(going, r_r / _dot(inner(p), a_p), 0)
            x.addcmul_(p, alpha)
            r.addcmul_(a_p, alpha, value=-1)
            before, r_r = r_r, _dot(r, r)
            p.mul_(torch.where(going, r_r / before, 0))
            inner(p).add_(r)
        return self._determined(inner(x))

    def _determined(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(self._singular[:, None, None, None], x - x.mean((2, 3), keepdim=True), x)

    def _coarsest(self, f: torch.Tensor) -> torch.Tensor:
        batch, channels, height, width = f.shape
        x = f.reshape(batch, channels, height * width) @ self._inverse
        return _framed(x.reshape(f.shape))

    def _v_cycle(self, level: int, f: torch.Tensor, x: torch.Tensor | None = None) -> torch.Tensor:
        """One V-cycle on a level, from x, or from zero without one."""
        if level == len(self._grids) - 1:
            return self._coarsest(f)
        grid, coarse = self._grids[level], self._grids[level + 1]
        from_zero = x is None
        if x is None:
            x = f.new_zeros((*f.shape[:2], f.shape[2] + 2, f.shape[3] + 2))
        grid.relax(x, f, RELAXATION.tolist(), from_zero)
        coarse_f = restrict(grid.residual(x, f).mul_(grid.unknown)).mul_(coarse.unknown)
        correction = self._v_cycle(level + 1, coarse_f)
        inner(x).addcmul_(interpolate(inner(correction), *f.shape[2:]), grid.unknown)
        grid.relax(x, f, RELAXATION[::-1].tolist())
        return x

    def _f_cycle(self, f: torch.Tensor) -> torch.Tensor:
        sides = [f]
        for coarse in self._grids[1:]:
            sides.append(restrict(sides[-1]).mul_(coarse.unknown))
        x = self._coarsest(sides[-1])
        for level in range(len(self._grids) - 2, -1, -1):
            start = interpolate(inner(x), *sides[level].shape[2:]).mul_(self._grids[level].unknown)
            x = self._v_cycle(level, sides[level], _framed(start))
        return x


def inner(x: torch.Tensor) -> torch.Tensor:
    """The vector without its frame of zeros, as a view."""
    return x[..., 1:-1, 1:-1]


def _framed(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.pad(x, (1, 1, 1, 1))


def _dot(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a * b).sum((2, 3), keepdim=True)


def interpolate(coarse: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """P coarse, before it is limited to the unknowns: (B, C, height, width)."""
    for axis, size in ((2, height), (3, width)):
        count = coarse.shape[axis]
        # The last odd row or column has no coarse one after it and takes the one before.
        after = torch.cat((coarse.narrow(axis, 1, count - 1), coarse.narrow(axis, count - 1, 1)), axis)
        both = torch.stack((coarse, after.add_(coarse).mul_(0.5)), axis + 1)
        coarse = both.flatten(axis, axis + 1).narrow(axis, 0, size)
    return coarse.contiguous()


def restrict(fine: torch.Tensor) -> torch.Tensor:
    """P^T fine, before it is limited to the coarse unknowns, for a vector that is zero outside the unknowns."""
    for axis in (2, 3):
        size = fine.shape[axis]
        even = fine[:, :, ::2] if axis == 2 else fine[..., ::2]
        odd = fine[:, :, 1::2] if axis == 2 else fine[..., 1::2]
        total = even.clone()
        count = odd.shape[axis]
        total.narrow(axis, 0, count).add_(odd, alpha=0.5)
        following = total.shape[axis] - 1
        total.narrow(axis, 1, following).add_(odd.narrow(axis, 0, following), alpha=0.5)
        if size % 2 == 0:
            total.narrow(axis, following, 1).add_(odd.narrow(axis, count - 1, 1), alpha=0.5)
        fine = total
    return fine


def _degree(unknown: torch.Tensor) -> torch.Tensor:
    """The number of neighbours that each place has inside the array: (1, 1, H, W)."""
    degree = torch.full_like(unknown[:1], 4)
    degree[..., 0, :] -= 1
    degree[..., -1, :] -= 1
    degree[..., :, 0] -= 1
    degree[..., :, -1] -= 1
    return degree


def _coarser(fine: Grid) -> Grid:
    """P^T A P, found by applying it to nine combs: teeth three places apart do not see each other."""
    height, width = fine.unknown.shape[-2:]
    unknown = fine.unknown[..., ::2, ::2].contiguous()
    batch, _, rows, columns = unknown.shape
    stencils = torch.zeros((batch, 9, rows, columns), device=unknown.device)
    for comb in range(9):
        first_row, first_column = divmod(comb, 3)
        teeth = torch.zeros_like(unknown)
        teeth[..., first_row::3, first_column::3] = unknown[..., first_row::3, first_column::3]
        spread = interpolate(teeth, height, width).mul_(fine.unknown)
        image = restrict(fine.residual(_framed(spread), None).mul_(fine.unknown)).neg_()
        for k, (row, column) in enumerate(_SHIFTS):
            # Where the neighbour in direction k is a tooth, the image is the stencil's entry for it.
            i, j = (first_row - row + 1) % 3, (first_column - column + 1) % 3
            stencils[:, k, i::3, j::3] = image[:, 0, i::3, j::3]
    stencils.mul_(unknown)
    return Grid(unknown, stencils, stencils[:, 4:5])


def _dense_inverse(grid: Grid, singular: torch.Tensor) -> torch.Tensor:
    """The inverse of A on one grid, or its pseudo-inverse: (B, n, n), the identity outside the unknowns."""
    batch, _, height, width = grid.unknown.shape
    n = height * width
    unit = torch.eye(n, device=grid.unknown.device).reshape(1, n, height, width) * grid.unknown
    matrix = grid.residual(_framed(unit), None).mul_(grid.unknown).neg_().reshape(batch, n, n)
    matrix = matrix + torch.diag_embed(1 - grid.unknown.reshape(batch, n))
    matrix = matrix.double().cpu() if grid.unknown.device.type != "cuda" else matrix.double()
    inverse = torch.linalg.inv(matrix + torch.diag_embed(singular.to(matrix).reshape(-1, 1).expand(-1, n)))
    if bool(singular.any()):
        pseudo = torch.linalg.pinv(matrix, rtol=SINGULAR_BELOW, hermitian=True)
        inverse = torch.where(singular.to(matrix.device)[:, None, None], pseudo, inverse)
    return inverse.to(grid.unknown.device, torch.float32)
