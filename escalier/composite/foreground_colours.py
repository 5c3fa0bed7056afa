"""The subject's own colours where the matte is soft: what hair and blur would show without the room behind them.

A picture is I = alpha F + (1 - alpha) B at every pixel. F and B are those that minimise

    sum over pixels p of (alpha F + (1 - alpha) B - I)^2
        + sum over neighbours q of (epsilon + k |alpha_p - alpha_q|) ((F_p - F_q)^2 + (B_p - B_q)^2)

from coarse to fine, a few sweeps at each size (T. Germer, T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level
Foreground Estimation", ICPR 2020; pymatting's `estimate_foreground_ml`, MIT). Three things differ, for films: the
coarse equations are means of the fine ones instead of every second pixel; their cells stay where they are in the
picture while the subject moves, so that colours do not jump from frame to frame; and where the empty room is known, B
is no unknown. Without it, what is behind her leaks into F as she passes it: k is larger then, which trades a little
of the colours' sharpness for calm.
"""

from __future__ import annotations

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.kernel_cache import njit
from escalier.mask import Box, box_around

from . import pictures

EPSILON = np.float32(1e-5)
"""Weight of neighbours where the matte is even. More makes smoother colours."""
EDGE_WEIGHT, EDGE_WEIGHT_KNOWN = np.float32(5), np.float32(1)
"""k, the weight of neighbours across a change of the matte by 1: where the room is unknown, and where it is known. The
paper's is 1."""
ROOM_PX = 8.0
"""How far from the matte (sigma of a Gaussian) the old room's light is compared with the picture's."""
CELL_PX = 64
"""Side of the coarsest cells. The colours of the subject and of the room are asked for as far around the matte."""
SWEEPS_COARSE, SWEEPS_FINE, COARSE_PX = 10, 2, 32
"""Sweeps at sizes up to COARSE_PX, and above it, as in the paper."""
_kernel = njit(cache=True, nogil=True, error_model="numpy")


@checked
def estimate_foreground(picture: np.ndarray, matte: np.ndarray, old_room: np.ndarray | None = None) -> np.ndarray:
    """The colours of what the matte covers, without those of the room that shows through it.

    Parameters
    ----------
    picture
        RGB (H, W, 3), uint8 or float32 0..1.
    matte
        (H, W), how much of each pixel the subject covers: bool, uint8 0..255 or float 0..1.
    old_room
        The same view without the subject, such as a clean plate, like the picture. Its colours around the matte are
        brought to the picture's, for a shadow or another exposure. Estimated where it is not known.

    Returns
    -------
    float32 (H, W, 3), 0..1. Where the matte is 1 the picture itself, where it is 0 the picture too: nothing is known
    of the subject there.

    Raises
    ------
    ValueError, TypeError
        When a picture is not RGB, or the matte or the old room does not fit it.

    >>> matte = np.linspace(1, 0, 32, dtype=np.float32)[None].repeat(32, axis=0)
    >>> red, blue = np.float32((1, 0, 0)), np.float32((0, 0, 1))
    >>> shown = matte[..., None] * red + (1 - matte[..., None]) * blue
    >>> estimate_foreground(shown, matte)[16, 24].round(1).tolist()  # a quarter red, three quarters blue
    [1.0, 0.0, 0.0]
    """
    pictures.check_picture(picture, "picture")
    alpha = pictures.coverage(matte, picture)
    if old_room is not None:
        pictures.check_picture(old_room, "old_room")
        pictures.check_same_size(picture, "picture", old_room, "old_room")
    colours = unit(picture).copy()
    soft = (alpha > 0) & (alpha < 1)
    if soft.any():
        box = _box_of_cells(alpha)
        behind = None if old_room is None else _lit_like(colours[box], unit(old_room[box]), alpha[box])
        np.copyto(colours[box], _estimate(colours[box], alpha[box], behind), where=soft[box][..., None])
    return colours


def unit(picture: np.ndarray) -> np.ndarray:
    """A picture as float32 0..1."""
    return picture / np.float32(255) if picture.dtype == np.uint8 else picture


def _box_of_cells(alpha: np.ndarray) -> Box:
    """The box around the matte with a margin, from the first row and column of a cell on."""
    rows, columns = box_around(alpha, CELL_PX)
    return slice(rows.start - rows.start % CELL_PX, rows.stop), slice(
        columns.start - columns.start % CELL_PX, columns.stop
    )


def _lit_like(picture: np.ndarray, old_room: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The old room with what the picture differs from it by near the matte, where the picture shows it."""
    seen = (alpha == 0).astype(np.float32)[..., None]
    planes = np.concatenate([(picture - old_room) * seen, seen], axis=2)
    means = cv2.GaussianBlur(planes, (0, 0), ROOM_PX)
    return old_room + means[..., :3] / np.maximum(means[..., 3:], np.float32(1e-3))


def _estimate(picture: np.ndarray, alpha: np.ndarray, old_room: np.ndarray | None) -> np.ndarray:
    """F of a part of a picture that begins where a cell does."""
    height, width = alpha.shape
    below, right = -height % CELL_PX, -width % CELL_PX
    share, rest = alpha[..., None], 1 - alpha[..., None]
    if old_room is None:
        terms = [share**2, share * rest, rest**2, share * picture, rest * picture]
    else:  # two equations apart: alpha^2 F = alpha (I - (1 - alpha) B), and B = B
        terms = [share**2, 0 * share, 0 * share + 1, share * (picture - rest * old_room), old_room]
    padding = ((0, below), (0, right))
    alpha = np.pad(alpha, padding, mode="edge")
    levels = [(alpha, np.pad(np.concatenate(terms, axis=2), (*padding, (0, 0)), mode="edge"))]
    side = CELL_PX
    while side > 1:
        finer, side = levels[-1], side // 2
        half = (finer[0].shape[1] // 2, finer[0].shape[0] // 2)
        levels.append((cv2.resize(finer[0], half, interpolation=cv2.INTER_AREA), _halved(finer[1])))
    mean = levels[-1][1].reshape(-1, 9).mean(axis=0, dtype=np.float64)
    start = np.concatenate([mean[3:6] / max(mean[0] + mean[1], 1e-6), mean[6:] / max(mean[1] + mean[2], 1e-6)])
    colours = np.broadcast_to(start.astype(np.float32), (*levels[-1][0].shape, 6)).copy()
    edge_weight = EDGE_WEIGHT if old_room is None else EDGE_WEIGHT_KNOWN
    for alpha, equations in reversed(levels):
        if colours.shape[:2] != alpha.shape:
            size = alpha.shape[::-1]
            parts = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in np.split(colours, 2, axis=2))
            colours = np.ascontiguousarray(np.concatenate([*parts], axis=2))
        sweeps = SWEEPS_COARSE if max(alpha.shape) <= COARSE_PX else SWEEPS_FINE
        _sweep(alpha, equations, colours, sweeps, EPSILON, edge_weight)
    return colours[:height, :width, :3]


def _halved(equations: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels, of more channels than OpenCV's resizing by area takes."""
    return ((equations[::2, ::2] + equations[1::2, ::2]) + (equations[::2, 1::2] + equations[1::2, 1::2])) * np.float32(
        0.25
    )


@_kernel
def _sweep(alpha, equations, colours, sweeps, epsilon, edge_weight):
    """Gauss-Seidel sweeps over F and B, colours[..., :3] and colours[..., 3:], of every pixel at once."""
    height, width = alpha.shape
    for sweep in range(sweeps):
        for row in range(height):
            i = row if sweep % 2 == 0 else height - 1 - row
            for column in range(width):
                j = column if sweep % 2 == 0 else width - 1 - column
                weight = np.float32(0)
                f0 = f1 = f2 = b0 = b1 = b2 = np.float32(0)
                for k in range(4):
                    m = i + (k == 0) - (k == 1)
                    n = j + (k == 2) - (k == 3)
                    if m < 0 or n < 0 or m >= height or n >= width:
                        continue
                    w = epsilon + edge_weight * abs(alpha[i, j] - alpha[m, n])
                    weight += w
                    f0 += w * colours[m, n, 0]
                    f1 += w * colours[m, n, 1]
                    f2 += w * colours[m, n, 2]
                    b0 += w * colours[m, n, 3]
                    b1 += w * colours[m, n, 4]
                    b2 += w * colours[m, n, 5]
                own = equations[i, j, 0] + weight
                both = equations[i, j, 1]
                rest = equations[i, j, 2] + weight
                scale = np.float32(1) / (own * rest - both * both)
                for c in range(3):
                    f = (f0, f1, f2)[c] + equations[i, j, 3 + c]
                    b = (b0, b1, b2)[c] + equations[i, j, 6 + c]
                    colours[i, j, c] = min(max(scale * (rest * f - both * b), np.float32(0)), np.float32(1))
                    colours[i, j, 3 + c] = min(max(scale * (own * b - both * f), np.float32(0)), np.float32(1))
