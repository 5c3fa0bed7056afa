"""Smoothing that stops at edges: known values flow over a picture, and halt where its colours change.

The fast global smoother of Min, Choi, Lu, Ham, Sohn and Do, "Fast Global Image Smoothing Based on Weighted Least
Squares" (IEEE TIP 2014), section III: the weighted least squares of the whole picture, solved row by row and column by
column, each an exact tridiagonal system. Unlike a window, it carries a value as far as the colours allow.
"""

from __future__ import annotations

import numpy as np

from escalier.kernel_cache import njit

PASSES = 3


def smooth_along_edges(
    values: np.ndarray, weights: np.ndarray, picture: np.ndarray, *, strength: float = 30.0, contrast: float = 10.0
) -> tuple[np.ndarray, np.ndarray]:
    """Spread known values over a picture, up to its edges.

    Parameters
    ----------
    values
        (H, W) float32.
    weights
        (H, W) float32, 0 and more: how far each value is known. Nothing of a value with weight 0 is left.
    picture
        (H, W, 3) uint8, whose edges stop the flow.
    strength
        How far values flow. Grows with the square of the distance: 30 is about five pixels of even colour.
    contrast
        8-bit levels. An edge of this contrast lets through 0.6 of what even colour does; one of twice that, 0.14.

    Returns
    -------
    The values (H, W), a weighted mean over what each pixel is joined with, and the weights that arrived there.

    >>> picture = np.zeros((5, 8, 3), np.uint8)
    >>> picture[:, 4:] = 200
    >>> values, weights = np.zeros((2, 5, 8), np.float32)
    >>> values[2, 1], values[2, 6], weights[2, 1], weights[2, 6] = 1, -1, 1, 1
    >>> spread, _ = smooth_along_edges(values, weights, picture)
    >>> spread[0].round(2).tolist()
    [1.0, 1.0, 1.0, 1.0, -1.0, -1.0, -1.0, -1.0]
    """
    channels = np.stack([values * weights, weights], axis=-1).astype(np.float32)
    across = _permeability(picture, contrast)
    down = _permeability(picture.transpose(1, 0, 2), contrast)
    for turn in range(PASSES):
        share = np.float32(1.5 * strength * 4 ** (PASSES - 1 - turn) / (4**PASSES - 1))
        _solve_rows(channels, across * share)
        turned = np.ascontiguousarray(channels.transpose(1, 0, 2))
        _solve_rows(turned, down * share)
        channels = np.ascontiguousarray(turned.transpose(1, 0, 2))
    arrived = channels[..., 1]
    return channels[..., 0] / np.maximum(arrived, np.float32(1e-12)), arrived


def _permeability(picture: np.ndarray, contrast: float) -> np.ndarray:
    """How freely values pass from each pixel to the next in its row: (H, W) float32, 0 in the last column."""
    step = np.diff(picture.astype(np.float32), axis=1)
    weights = np.zeros(picture.shape[:2], np.float32)
    np.exp(-np.square(step).sum(axis=2) / np.float32(2 * contrast**2), out=weights[:, :-1])
    return weights


@njit(cache=True, nogil=True)
def _solve_rows(channels, weights):
    """Solve (1 + L) u = f in every row in place, L the Laplacian with these weights (Thomas' algorithm)."""
    height, width, count = channels.shape
    upper = np.empty(width, np.float32)
    for i in range(height):
        before = np.float32(0)
        for j in range(width):
            after = weights[i, j]
            pivot = np.float32(1) + before + after
            if j > 0:
                pivot += before * upper[j - 1]
            upper[j] = -after / pivot
            for k in range(count):
                value = channels[i, j, k]
                if j > 0:
                    value += before * channels[i, j - 1, k]
                channels[i, j, k] = value / pivot
            before = after
        for j in range(width - 2, -1, -1):
            for k in range(count):
                channels[i, j, k] -= upper[j] * channels[i, j + 1, k]
