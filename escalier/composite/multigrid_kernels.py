"""The compiled half of the multigrid solver: what is done on one grid, or between two neighbouring ones.

A vector on a grid is float32 (height + 2, width + 2): place (i, j) at [i + 1, j + 1], zero outside the unknowns.

These loops wait for memory, so `sweep` passes through a grid once and does everything on the way: when row i is read,
row i - 1 has its first Jacobi sweep, row i - 2 its second, and so on, all within the cache. Columns are uint64, since
numba checks signed indices for wrapping round, which keeps the loops from being vectorised.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from escalier.kernel_cache import njit

_kernel = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
_row_kernel = njit(cache=True, nogil=True, fastmath=True, error_model="numpy", inline="always")

FROM_ZERO, FROM_COARSE, FROM_X_AND_COARSE, FROM_X = range(4)
"""Where `sweep` starts: x = 0, x = P coarse, x + P coarse, or x as it is."""
KEEP, RESTRICT, RESIDUAL, PRODUCT = range(4)
"""What `sweep` ends with: nothing, coarse = P^T (f - A x), f = f - A x, or the product x.f."""

ONE, TWO = np.uint64(1), np.uint64(2)
HALF = np.float32(0.5)


class Level(NamedTuple):
    """One grid: where its unknowns are, and what A is there. Row i owns the entries [rows[i] : rows[i + 1]]."""

    spans: np.ndarray  # uint64 (n, 2): first and last + 1 column of every run of unknowns, row after row
    span_rows: np.ndarray  # int32 (height + 1)
    regular: np.ndarray  # uint64 (n, 2): the runs of those unknowns that have the regular stencil
    regular_rows: np.ndarray  # int32 (height + 1)
    stencil: np.ndarray  # float32 (3): centre, edge and corner of the regular stencil
    odd_columns: np.ndarray  # uint64 (m): the columns of the other unknowns, row after row
    odd_rows: np.ndarray  # int32 (height + 1)
    odd_stencils: np.ndarray  # float32 (m, 9): their stencils, read row by row
    width: int


@_kernel
def runs(mask):
    """The runs of True in every row, uint64 (n, 2), and where each row's runs begin."""
    height, width = mask.shape
    rows = np.zeros(height + 1, np.int32)
    for i in range(height):
        n = np.int32(mask[i, 0])
        for j in range(1, width):
            n += np.int32(mask[i, j] > mask[i, j - 1])
        rows[i + 1] = rows[i] + n
    spans = np.empty((rows[height], 2), np.uint64)
    n = 0
    for i in range(height):
        before = False
        for j in range(width):
            here = mask[i, j]
            if here != before:
                if here:
                    spans[n, 0] = j
                else:
                    spans[n, 1] = j
                    n += 1
                before = here
        if before:
            spans[n, 1] = width
            n += 1
    return spans, rows


@_kernel
def _relax_row(level, i, weight, x, up, here, down, f, f_row, out, out_row):
    """out = x + weight * (f - A x) / diagonal on the unknowns of row i, or f - A x itself where weight is 0.

    Rows are passed as an array and a number: a view of a row would cost an atomic reference count.
    """
    centre, edge, corner = level.stencil[0], level.stencil[1], level.stencil[2]
    keep = np.float32(weight != 0)
    step = weight / centre if weight != 0 else np.float32(1)
    for s in range(level.regular_rows[i], level.regular_rows[i + 1]):
        if corner == 0:
            for k in range(level.regular[s, 0] + ONE, level.regular[s, 1] + ONE):
                out[out_row, k] = keep * x[here, k] + step * (
                    f[f_row, k]
                    - centre * x[here, k]
                    - edge * (x[up, k] + x[down, k] + x[here, k - ONE] + x[here, k + ONE])
                )
        else:
            for k in range(level.regular[s, 0] + ONE, level.regular[s, 1] + ONE):
                out[out_row, k] = keep * x[here, k] + step * (
                    f[f_row, k]
                    - centre * x[here, k]
                    - edge * (x[up, k] + x[down, k] + x[here, k - ONE] + x[here, k + ONE])
                    - corner * (x[up, k - ONE] + x[up, k + ONE] + x[down, k - ONE] + x[down, k + ONE])
                )
    a = level.odd_stencils
    for s in range(level.odd_rows[i], level.odd_rows[i + 1]):
        k = level.odd_columns[s] + ONE
        residual = f[f_row, k] - (
            (a[s, 0] * x[up, k - ONE] + a[s, 1] * x[up, k] + a[s, 2] * x[up, k + ONE])
            + (a[s, 3] * x[here, k - ONE] + a[s, 4] * x[here, k] + a[s, 5] * x[here, k + ONE])
            + (a[s, 6] * x[down, k - ONE] + a[s, 7] * x[down, k] + a[s, 8] * x[down, k + ONE])
        )
        out[out_row, k] = x[here, k] + weight * residual / a[s, 4] if weight != 0 else residual


@_row_kernel
def _relax_row_from_zero(level, i, weight, f, x):
    """x = weight * f / diagonal on the unknowns of row i."""
    step = weight / level.stencil[0]
    for s in range(level.regular_rows[i], level.regular_rows[i + 1]):
        for k in range(level.regular[s, 0] + ONE, level.regular[s, 1] + ONE):
            x[i + 1, k] = step * f[i + 1, k]
    for s in range(level.odd_rows[i], level.odd_rows[i + 1]):
        k = level.odd_columns[s] + ONE
        x[i + 1, k] = weight * f[i + 1, k] / level.odd_stencils[s, 4]


@_row_kernel
def _interpolate_row(level, i, coarse, scratch, x, keep):
    """x = keep * x + P coarse on the unknowns of row i."""
    first, last = level.span_rows[i], level.span_rows[i + 1] - 1
    if last < first:
        return
    end = np.uint64(coarse.shape[1] - 2)
    upper = (i >> 1) + 1
    # An even row lies on a coarse one. A last odd row has none below it and takes the one above.
    lower = upper + 1 if i & 1 and upper + 1 < coarse.shape[0] - 1 else upper
    for k in range(level.spans[first, 0] // TWO + ONE, min(level.spans[last, 1] // TWO + TWO, end + ONE)):
        scratch[k] = HALF * (coarse[upper, k] + coarse[lower, k])
    scratch[end + ONE] = scratch[end]  # the same for a last odd column
    for s in range(first, last + 1):
        a, b = level.spans[s, 0], level.spans[s, 1]
        if a & ONE:
            k = a // TWO + ONE
            x[i + 1, a + ONE] = keep * x[i + 1, a + ONE] + HALF * (scratch[k] + scratch[k + ONE])
        if b & ONE and b > a + (a & ONE):
            x[i + 1, b] = keep * x[i + 1, b] + scratch[b // TWO + ONE]
        for k in range((a + ONE) // TWO, b // TWO):
            even = scratch[k + ONE]
            odd = HALF * (scratch[k + ONE] + scratch[k + TWO])
            x[i + 1, TWO * k + ONE] = keep * x[i + 1, TWO * k + ONE] + even
            x[i + 1, TWO * k + TWO] = keep * x[i + 1, TWO * k + TWO] + odd


@_row_kernel
def _clear_row(level, i, out, out_row):
    for s in range(level.span_rows[i], level.span_rows[i + 1]):
        for k in range(level.spans[s, 0] + ONE, level.spans[s, 1] + ONE):
            out[out_row, k] = np.float32(0)


@_row_kernel
def _add_row(level, i, weight, row, row_number, total, total_row):
    for s in range(level.span_rows[i], level.span_rows[i + 1]):
        for k in range(level.spans[s, 0] + ONE, level.spans[s, 1] + ONE):
            total[total_row, k] += weight * row[row_number, k]


@_row_kernel
def _dot_row(level, i, a, a_row, b, b_row):
    total = np.float32(0)
    for s in range(level.span_rows[i], level.span_rows[i + 1]):
        for k in range(level.spans[s, 0] + ONE, level.spans[s, 1] + ONE):
            total += a[a_row, k] * b[b_row, k]
    return np.float64(total)


@_row_kernel
def _restrict_row(level, coarse_level, i, fine, fine_row, total, coarse):
    """Take row i of a fine vector into coarse = P^T fine. `total` is what the coarse row in hand has so far."""
    height, below = len(level.span_rows) - 1, (i >> 1) + 1 < len(coarse_level.span_rows) - 1
    _add_row(level, i, HALF if i & 1 and below else np.float32(1), fine, fine_row, total, 0)
    if i & 1 == 0 and i < height - 1:
        return
    row, end = i >> 1, np.uint64(coarse.shape[1] - 2)
    for s in range(coarse_level.span_rows[row], coarse_level.span_rows[row + 1]):
        for k in range(coarse_level.spans[s, 0], coarse_level.spans[s, 1]):
            west, here, east = total[0, TWO * k], total[0, TWO * k + ONE], total[0, TWO * k + TWO]
            coarse[row + 1, k + ONE] = here + HALF * (west + east)
        if coarse_level.spans[s, 1] == end:
            coarse[row + 1, end] += HALF * total[0, TWO * end]  # nothing where the last fine column is an even one
    for near in range(max(i - 2, 0), i + 1):
        _clear_row(level, near, total, 0)
    if i & 1 and below:
        _add_row(level, i, HALF, fine, fine_row, total, 0)


@_kernel
def restrict(level, coarse_level, fine, coarse):
    """coarse = P^T fine."""
    total = np.zeros((1, fine.shape[1] + 1), np.float32)
    for i in range(fine.shape[0] - 2):
        _restrict_row(level, coarse_level, i, fine, i + 1, total, coarse)


@_kernel
def sweep(level, x, f, weights, start, coarse_x, finish, coarse_level, coarse_f):
    """Jacobi sweeps on A x = f between a start and a finish. Returns x.f for PRODUCT.

    weights: one for each sweep, none or at least three.
    """
    height, padded = x.shape[0] - 2, x.shape[1]
    first, sweeps = (1 if start == FROM_ZERO else 0), len(weights)
    # between[3 k + i % 3] is row i after sweep k; the last sweep writes to x, whose old rows nobody needs by then.
    between = np.zeros((3 * sweeps, padded), np.float32)
    row, total = np.zeros((1, padded), np.float32), np.zeros((1, padded + 1), np.float32)
    x_f = 0.0
    for t in range(height + sweeps - first + 1):
        if t < height:
            if start == FROM_ZERO:
                _relax_row_from_zero(level, t, weights[0], f, x)
            elif start != FROM_X:
                _interpolate_row(level, t, coarse_x, row[0], x, np.float32(start == FROM_X_AND_COARSE))
        i = t
        for k in range(first, sweeps):
            i -= 1
            if i < 0 or i >= height:
                continue
            w, out = weights[k], 3 * k + i % 3
            up, here, down = 3 * k - 3 + (i + 2) % 3, 3 * k - 3 + i % 3, 3 * k - 3 + (i + 1) % 3
            if k == sweeps - 1:
                _relax_row(level, i, w, between, up, here, down, f, i + 1, x, i + 1)
                continue
            if i >= 3:
                _clear_row(level, i - 3, between, out)
            if k == first:
                _relax_row(level, i, w, x, i, i + 1, i + 2, f, i + 1, between, out)
            else:
                _relax_row(level, i, w, between, up, here, down, f, i + 1, between, out)
        i -= 1
        if i < 0 or i >= height:
            continue
        if finish == RESTRICT:
            _relax_row(level, i, np.float32(0), x, i, i + 1, i + 2, f, i + 1, row, 0)
            _restrict_row(level, coarse_level, i, row, 0, total, coarse_f)
        elif finish == RESIDUAL:
            _relax_row(level, i, np.float32(0), x, i, i + 1, i + 2, f, i + 1, f, i + 1)
        elif finish == PRODUCT:
            x_f += _dot_row(level, i, x, i + 1, f, i + 1)
    return x_f


@_kernel
def direct(level, p, z, beta):
    """p = z + beta * p. Returns p.Ap and the largest of p."""
    height, padded = p.shape[0] - 2, p.shape[1]
    nothing, row = np.zeros((1, padded), np.float32), np.zeros((1, padded), np.float32)
    p_a_p, largest = 0.0, np.float32(0)
    for t in range(height + 1):
        if t < height:
            for s in range(level.span_rows[t], level.span_rows[t + 1]):
                for k in range(level.spans[s, 0] + ONE, level.spans[s, 1] + ONE):
                    p[t + 1, k] = z[t + 1, k] + beta * p[t + 1, k]
                    largest = max(largest, abs(p[t + 1, k]))
        if t > 0:
            _relax_row(level, t - 1, np.float32(0), p, t - 1, t, t + 1, nothing, 0, row, 0)
            p_a_p -= _dot_row(level, t - 1, p, t, row, 0)
    return p_a_p, largest


@_kernel
def advance(level, x, r, p, alpha, last):
    """x += alpha * p and, but for the last step, r -= alpha * A p. Returns r.r."""
    nothing, row = np.zeros((1, p.shape[1]), np.float32), np.zeros((1, p.shape[1]), np.float32)
    r_r = 0.0
    for i in range(p.shape[0] - 2):
        _add_row(level, i, alpha, p, i + 1, x, i + 1)
        if not last:
            _relax_row(level, i, np.float32(0), p, i, i + 1, i + 2, nothing, 0, row, 0)
            _add_row(level, i, alpha, row, 0, r, i + 1)
            r_r += _dot_row(level, i, r, i + 1, r, i + 1)
    return r_r


@_kernel
def regular_unknowns(unknown, odd, coarse_unknown):
    """Which coarse unknowns have the regular stencil: those with nothing but regular fine ones near them."""
    height, width = unknown.shape
    regular = np.zeros(coarse_unknown.shape, np.bool_)
    near = np.zeros(width, np.bool_)
    for row in range(1, (height - 1) // 2):  # the rows that have two fine rows on either side
        i = 2 * row
        for j in range(width):
            near[j] = (
                (unknown[i - 2, j] & unknown[i - 1, j] & unknown[i, j] & unknown[i + 1, j] & unknown[i + 2, j])
                & (odd[i - 1, j] < 0)
                & (odd[i, j] < 0)
                & (odd[i + 1, j] < 0)
            )
        for column in range(1, (width - 1) // 2):
            j = 2 * column
            regular[row, column] = (
                (near[j - 1] & near[j] & near[j + 1])
                & (unknown[i - 2, j - 2] & unknown[i - 1, j - 2] & unknown[i, j - 2] & unknown[i + 1, j - 2])
                & (unknown[i - 2, j + 2] & unknown[i - 1, j + 2] & unknown[i, j + 2] & unknown[i + 1, j + 2])
                & (unknown[i + 2, j - 2] & unknown[i + 2, j + 2])
            )
    return regular


@_kernel
def _parent_weight(fine, coarse, size):
    """How much the fine place takes from the coarse one along one axis; `size` is the number of coarse places."""
    if fine & 1 == 0:
        return np.float32(1) if fine >> 1 == coarse else np.float32(0)
    if (fine >> 1) + 1 == size:
        return np.float32(1) if fine >> 1 == coarse else np.float32(0)
    return np.float32(0.5) if coarse - (fine >> 1) in (0, 1) else np.float32(0)


@_kernel
def galerkin_stencils(unknown, odd, stencil, odd_stencils, coarse_unknown, rows, columns):
    """The stencils P^T A P of the coarse unknowns at rows, columns: float32 (m, 9).

    unknown, odd, stencil and odd_stencils describe the fine grid: odd is the number of an odd unknown, else -1.
    """
    height, width = unknown.shape
    coarse_height, coarse_width = coarse_unknown.shape
    out = np.zeros((len(rows), 9), np.float32)
    regular = np.empty(9, np.float32)
    for k in range(9):
        regular[k] = stencil[(k // 3 != 1) + (k % 3 != 1)]
    image = np.empty((5, 5), np.float32)
    for m in range(len(rows)):
        top, left = 2 * rows[m] - 2, 2 * columns[m] - 2
        image[:] = 0  # (P^T A) of this coarse place, on the 5 x 5 fine places around it
        for i in range(max(top + 1, 0), min(top + 4, height)):
            weight_i = _parent_weight(i, rows[m], coarse_height)
            for j in range(max(left + 1, 0), min(left + 4, width)):
                if not unknown[i, j]:
                    continue
                weight = weight_i * _parent_weight(j, columns[m], coarse_width)
                own = odd_stencils[odd[i, j]] if odd[i, j] >= 0 else regular
                for k in range(9):
                    image[i - top + k // 3 - 1, j - left + k % 3 - 1] += weight * own[k]
        for i in range(max(top, 0), min(top + 5, height)):
            for j in range(max(left, 0), min(left + 5, width)):
                if not unknown[i, j] or image[i - top, j - left] == 0:
                    continue
                for row in range(i >> 1, min((i + 1) // 2 + 1, coarse_height)):
                    weight = image[i - top, j - left] * _parent_weight(i, row, coarse_height)
                    for column in range(j >> 1, min((j + 1) // 2 + 1, coarse_width)):
                        if coarse_unknown[row, column]:
                            k = 3 * (row - rows[m] + 1) + column - columns[m] + 1
                            out[m, k] += weight * _parent_weight(j, column, coarse_width)
    return out
