"""The affine motion that most of a flow field follows: the camera's, or a body's as a whole."""

from __future__ import annotations

import numpy as np

FEWEST_PIXELS = 80
MOST_PIXELS = 3000
TURNS = 8
TOLERANCE_PX = 0.5

Affine = np.ndarray
"""float64 (3, 2): the flow at (x, y) is (x, y, 1) @ affine."""


def fit_affine(flow: np.ndarray, where: np.ndarray) -> Affine | None:
    """The affine motion of the pixels `where`, robust against the minority that moves otherwise.

    Least squares, reweighted by how well each pixel fits (weights of a Cauchy distribution of half a pixel).

    Parameters
    ----------
    flow
        float32 (H, W, 2), (dx, dy) in pixels.
    where
        bool (H, W).

    Returns
    -------
    float64 (3, 2), or None where there are too few pixels to tell.

    >>> flow = np.full((20, 30, 2), (2, 1), np.float32)
    >>> flow[:5] = -9
    >>> affine_flow(fit_affine(flow, np.ones((20, 30), bool)), (20, 30))[10, 10].round(1).tolist()
    [2.0, 1.0]
    """
    rows, columns = np.nonzero(where)
    if len(rows) < FEWEST_PIXELS:
        return None
    if len(rows) > MOST_PIXELS:
        chosen = np.random.default_rng(0).choice(len(rows), MOST_PIXELS, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    places = np.stack([columns, rows, np.ones_like(columns)], axis=1).astype(np.float64)
    moves = flow[rows, columns].astype(np.float64)
    weights = np.ones(len(rows))
    for _ in range(TURNS):
        affine = np.linalg.lstsq(places * weights[:, None], moves * weights[:, None], rcond=None)[0]
        miss = np.linalg.norm(places @ affine - moves, axis=1)
        weights = 1 / np.sqrt(1 + np.square(miss / TOLERANCE_PX))
    return affine


def affine_flow(affine: Affine, shape: tuple[int, int]) -> np.ndarray:
    """The flow field of an affine motion: float32 (H, W, 2).

    >>> affine_flow(np.float64([[0.5, 0], [0, 0], [1, 0]]), (1, 3))[0].tolist()
    [[1.0, 0.0], [1.5, 0.0], [2.0, 0.0]]
    """
    height, width = shape
    along_x = np.arange(width)[:, None] * affine[0]
    along_y = np.arange(height)[:, None] * affine[1]
    return (along_y[:, None] + along_x[None] + affine[2]).astype(np.float32)


def chain_affine(first: Affine, second: Affine) -> Affine:
    """The affine motion from a to c, from those from a to b and from b to c.

    >>> step = np.float64([[0, 0], [0, 0], [1, 2]])
    >>> chain_affine(step, step)[2].tolist()
    [2.0, 4.0]
    """
    return _motion_of(_places_of(first) @ _places_of(second))


def _places_of(affine: Affine) -> np.ndarray:
    """As a matrix (3, 3) from places (x, y, 1) to places."""
    matrix = np.eye(3)
    matrix[:, :2] += affine
    return matrix


def _motion_of(matrix: np.ndarray) -> Affine:
    return (matrix - np.eye(3))[:, :2]
