"""A colour model for every place: which colours belong to the subject here, and which to what is around it.

Histograms of weighted pixels over place and colour at once, as in Video SnapCut (Bai, Wang, Simons and Sapiro, SIGGRAPH
2009), but on one grid of five axes with linear interpolation, in place of windows along the outline: a bilateral grid
(Chen, Paris and Durand, SIGGRAPH 2007). The same red may be a sleeve here and a cup two hands further.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np

CELL_PX = 24
LAB_BINS = (10, 8, 8)
"""Width of a cell in 8-bit levels of L, a, b."""
PRIOR = np.float32(0.5)
"""Pixels: with fewer seen in a cell, no opinion."""


class LocalColours:
    """The colours of subject and surroundings in one picture, place by place.

    Parameters
    ----------
    picture
        (H, W, 3) uint8 RGB.
    subject, around
        (H, W) float32, 0..1: how far a pixel is known to be one or the other.

    >>> picture = np.zeros((24, 48, 3), np.uint8)
    >>> picture[:, 24:] = (200, 30, 30)
    >>> known = np.zeros((24, 48), np.float32)
    >>> known[:4] = 1
    >>> red = (picture[..., 0] > 0).astype(np.float32)
    >>> odds = LocalColours(picture, known * red, known * (1 - red)).log_odds(np.ones((24, 48), bool))
    >>> bool((odds.reshape(24, 48)[:, 24:] > 1).all()), bool((odds.reshape(24, 48)[:, :24] < -1).all())
    (True, True)
    """

    def __init__(self, picture: np.ndarray, subject: np.ndarray, around: np.ndarray) -> None:
        height, width = picture.shape[:2]
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
        lab -= lab.min(axis=(0, 1))
        axes = [y / CELL_PX, x / CELL_PX, *(lab[..., k] / LAB_BINS[k] for k in range(3))]
        self._places = [axis + 1 for axis in axes]
        self._shape = tuple(int(place.max()) + 3 for place in self._places)
        cells = np.ravel_multi_index([np.rint(place).astype(np.intp).ravel() for place in self._places], self._shape)
        self._subject, self._around = (self._counted(cells, weights) for weights in (subject, around))

    def log_odds(self, where: np.ndarray) -> np.ndarray:
        """log(subject / around) of the pixels `where`, bool (H, W), in their order: above 0 means subject."""
        points = [place[where] for place in self._places]
        lower = [np.floor(point).astype(np.intp) for point in points]
        upper_share = [point - low for point, low in zip(points, lower, strict=True)]
        strides = [int(np.prod(self._shape[k + 1 :])) for k in range(len(points))]
        base = sum(low * stride for low, stride in zip(lower, strides, strict=True))
        subject, around = np.zeros((2, len(points[0])), np.float32)
        for corner in itertools.product((0, 1), repeat=len(points)):
            share = np.ones(len(points[0]), np.float32)
            for upper, part in zip(corner, upper_share, strict=True):
                share *= part if upper else 1 - part
            cell = base + sum(stride for upper, stride in zip(corner, strides, strict=True) if upper)
            subject += share * self._subject[cell]
            around += share * self._around[cell]
        return np.log((subject + PRIOR) / (around + PRIOR))

    def _counted(self, cells: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The histogram, softened by 1 2 1 along every axis; flat."""
        counts = np.bincount(cells, weights.ravel(), int(np.prod(self._shape)))
        grid: np.ndarray = counts.astype(np.float32).reshape(self._shape)
        for axis in range(grid.ndim):
            soft = 2 * grid
            lower = tuple(slice(None, -1) if k == axis else slice(None) for k in range(grid.ndim))
            upper = tuple(slice(1, None) if k == axis else slice(None) for k in range(grid.ndim))
            soft[lower] += grid[upper]
            soft[upper] += grid[lower]
            grid = soft / 4
        return grid.ravel()
