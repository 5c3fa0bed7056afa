"""A colour model for every place: which colours belong to the subject here, and which to what is around it.

Histograms of weighted pixels over place and colour at once, as in Video SnapCut (Bai, Wang, Simons and Sapiro, SIGGRAPH
2009), but on one grid of five axes with linear interpolation, in place of windows along the outline: a bilateral grid
(Chen, Paris and Durand, SIGGRAPH 2007). The same red may be a sleeve here and a cup two hands further.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from escalier.kernel_cache import njit
from escalier.mask import Box

CELL_PX = 24
LAB_BINS = (8, 4, 4)
"""Width of a cell in 8-bit levels of L, a, b. Light varies over one thing, its hue hardly."""
PRIOR = np.float32(0.5)
"""Pixels: with fewer seen in a cell, no opinion."""


class ColourSample(NamedTuple):
    """Pixels of a frame, and which of them are known.

    Attributes
    ----------
    lab
        (H, W, 3) uint8, CIE Lab as OpenCV scales it.
    known
        (H, W) float32, -1..1: above 0 known to be the subject, below 0 known to be around it, 0 not known.
    """

    lab: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, picture: np.ndarray, known: np.ndarray) -> ColourSample:
        """From a frame in uint8 RGB."""
        return cls(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), known.astype(np.float32))

    def part(self, region: Box) -> ColourSample:
        return ColourSample(self.lab[region], self.known[region])


class LocalColours:
    """The colours of subject and surroundings, place by place.

    What is known of neighbouring frames adds to it: a limb that could not be followed for a moment still has the
    colours that it had before.

    Parameters
    ----------
    samples
        Of the same part of one or several frames. Each counts the same.

    >>> picture = np.zeros((24, 48, 3), np.uint8)
    >>> picture[:, 24:] = (200, 30, 30)
    >>> known = np.zeros((24, 48), np.float32)
    >>> known[:12, :24], known[:12, 24:] = -1, 1
    >>> sample = ColourSample.of(picture, known)
    >>> odds = LocalColours([sample]).log_odds(sample.lab, np.ones((24, 48), bool)).reshape(24, 48)
    >>> bool((odds[:, 24:] > 1).all()), bool((odds[:, :24] < -1).all())
    (True, True)
    """

    def __init__(self, samples: Sequence[ColourSample]) -> None:
        height, width = samples[0].known.shape
        self._least = np.min([sample.lab.min(axis=(0, 1)) for sample in samples], axis=0).astype(np.float32)
        most = np.max([sample.lab.max(axis=(0, 1)) for sample in samples], axis=0) - self._least
        self._widths = np.array([CELL_PX, CELL_PX, *LAB_BINS], np.float32)
        # One empty cell on either side, so that what is softened and interpolated stays inside.
        shape = tuple(int(side) + 4 for side in np.array([height - 1, width - 1, *most]) / self._widths)
        self._subject, self._around = np.zeros((2, *shape), np.float32)
        for sample in samples:
            _count(sample.lab, sample.known, self._least, self._widths, self._subject, self._around)
        for grid in (self._subject, self._around):
            for axis in range(grid.ndim):
                _soften(grid.reshape(int(np.prod(shape[:axis])), shape[axis], -1))

    def log_odds(self, lab: np.ndarray, where: np.ndarray) -> np.ndarray:
        """log(subject / around) of the pixels `where`, bool (H, W), in their order: above 0 means subject."""
        rows, columns = np.nonzero(where)
        subject, around = _looked_up(lab, rows, columns, self._least, self._widths, self._subject, self._around)
        return np.log((subject + PRIOR) / (around + PRIOR))


@njit(cache=True, nogil=True)
def _count(lab, known, least, widths, subject, around):
    """Add every known pixel to the cell it lies in."""
    height, width = known.shape
    for i in range(height):
        row = int(i / widths[0] + 1.5)
        for j in range(width):
            weight = known[i, j]
            if weight != 0:
                grid = subject if weight > 0 else around
                light, a, b = (
                    int((lab[i, j, 0] - least[0]) / widths[2] + 1.5),
                    int((lab[i, j, 1] - least[1]) / widths[3] + 1.5),
                    int((lab[i, j, 2] - least[2]) / widths[4] + 1.5),
                )
                grid[row, int(j / widths[1] + 1.5), light, a, b] += abs(weight)


@njit(cache=True, nogil=True)
def _soften(grid):
    """1 2 1 along the middle axis of three, in place."""
    outer, length, inner = grid.shape
    for i in range(outer):
        before = np.zeros(inner, np.float32)
        for j in range(length):
            for k in range(inner):
                here = grid[i, j, k]
                after = grid[i, j + 1, k] if j + 1 < length else np.float32(0)
                grid[i, j, k] = (before[k] + 2 * here + after) / 4
                before[k] = here


@njit(cache=True, nogil=True)
def _looked_up(lab, rows, columns, least, widths, subject, around):
    """Both grids at the place and colour of each pixel, interpolated."""
    found = np.zeros((2, len(rows)), np.float32)
    for n in range(len(rows)):
        i, j = rows[n], columns[n]
        at = (
            i / widths[0] + 1,
            j / widths[1] + 1,
            (lab[i, j, 0] - least[0]) / widths[2] + 1,
            (lab[i, j, 1] - least[1]) / widths[3] + 1,
            (lab[i, j, 2] - least[2]) / widths[4] + 1,
        )
        y, x, light, a, b = int(at[0]), int(at[1]), int(at[2]), int(at[3]), int(at[4])
        for corner in range(32):
            dy, dx, dl, da, db = (corner & 1, corner >> 1 & 1, corner >> 2 & 1, corner >> 3 & 1, corner >> 4)
            share = abs(1 - dy - at[0] + y) * abs(1 - dx - at[1] + x) * abs(1 - dl - at[2] + light)
            share *= abs(1 - da - at[3] + a) * abs(1 - db - at[4] + b)
            cell = y + dy, x + dx, light + dl, a + da, b + db
            found[0, n] += share * subject[cell]
            found[1, n] += share * around[cell]
    return found
