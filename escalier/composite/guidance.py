"""The right-hand side of the Poisson equation of a picture: the rim of the mask, and the guidance field inside it.

The unknown is the correction e that is added to the source, as a constant (the mean difference at the rim) and the rest
x. Writing S for the source, T for the target, p for a pixel of the mask, q for its neighbours inside the picture:

    sum over q of (x_p - x_q)  +  screening * x_p
        =  sum over q outside the mask of ((T_q - S_q) - constant)
         + sum over q of (v_pq - (S_p - S_q))  -  screening * constant

where v_pq is the guidance field along the edge between p and q (Pérez, Gangnet, Blake, "Poisson Image Editing", 2003,
equations 7 to 13). For the gradients of the source the second sum is zero, and only the rim is left.
"""

from __future__ import annotations

import cv2
import numpy as np

from escalier.kernel_cache import njit

from .pictures import LUMINANCE

TIE = 1e-6
"""Gradients (of pictures 0..1) that differ in strength by less are equal: the same 8-bit picture, divided by 255, must
not be decided by rounding."""

ONE = np.uint64(1)
_kernel = njit(cache=True, nogil=True, error_model="numpy")
_vector_kernel = njit(cache=True, nogil=True, error_model="numpy", fastmath=True)


def rim(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels outside the mask that touch it."""
    near = np.zeros_like(mask)
    near[1:] |= mask[:-1]
    near[:-1] |= mask[1:]
    near[:, 1:] |= mask[:, :-1]
    near[:, :-1] |= mask[:, 1:]
    near &= ~mask
    rows, columns = np.nonzero(near)
    return rows, columns


def low_pass(rows: np.ndarray, columns: np.ndarray, values: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian mean of the rim's values (n, C) over the rim pixels near each."""
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    radius = int(np.ceil(3 * sigma_px))
    gaussian = cv2.getGaussianKernel(2 * radius + 1, sigma_px, cv2.CV_32F)
    spread = np.empty((len(rows), values.shape[1] + 1), np.float32)
    for channel in range(values.shape[1] + 1):  # the last one is the weight
        plane = np.zeros(shape, np.float32)
        plane[rows, columns] = values[:, channel] if channel < values.shape[1] else 1
        spread[:, channel] = cv2.sepFilter2D(plane, -1, gaussian, gaussian, borderType=cv2.BORDER_CONSTANT)[
            rows, columns
        ]
    return spread[:, :-1] / spread[:, -1:]


@_kernel
def add_rim(mask, rows, columns, difference, f):
    """Give every pixel of the mask what its neighbours on the rim say, in one channel."""
    height, width = mask.shape
    for n in range(len(rows)):
        i, j = rows[n], columns[n]
        if i > 0 and mask[i - 1, j]:
            f[i, j + 1] += difference[n]
        if i < height - 1 and mask[i + 1, j]:
            f[i + 2, j + 1] += difference[n]
        if j > 0 and mask[i, j - 1]:
            f[i + 1, j] += difference[n]
        if j < width - 1 and mask[i, j + 1]:
            f[i + 1, j + 2] += difference[n]


@_kernel
def _load_row(picture, row, left, channel, out):
    """One channel of a row, with its ends repeated beyond it; channel 3 is the luminance."""
    for j in range(len(out) - 2):
        if channel < 3:
            out[j + 1] = picture[row, left + j, channel]
        else:
            out[j + 1] = np.float32(0)
            for c in range(3):
                out[j + 1] += np.float32(LUMINANCE[c]) * np.float32(picture[row, left + j, c])
    out[0], out[-1] = out[1], out[-2]


@_kernel
def _more(gradients, tie, own, other):
    """The guidance field along one edge, less the source's gradient there."""
    if gradients == 1 and abs(other) <= abs(own) + tie:
        return np.float32(0)
    return (np.float32(0.5) if gradients == 2 else np.float32(1)) * (other - own)


@_vector_kernel
def _add_divergence(gradients, tie, scale, own, other, up, here, down, first, last, f, f_row):
    """Add the field along the four edges of every pixel from first to last of a row."""
    for k in range(first, last):
        total = _more(gradients, tie, own[here, k] - own[up, k], other[here, k] - other[up, k])
        total += _more(gradients, tie, own[here, k] - own[down, k], other[here, k] - other[down, k])
        total += _more(gradients, tie, own[here, k] - own[here, k - ONE], other[here, k] - other[here, k - ONE])
        total += _more(gradients, tie, own[here, k] - own[here, k + ONE], other[here, k] - other[here, k + ONE])
        f[f_row, k] += scale * total


@_kernel
def add_guidance(shape, spans, span_rows, source, target, top, left, scale, gradients, channel, f):
    """Add the divergence of the guidance field, less that of the source's own gradients, in one channel.

    spans and span_rows are the runs of a mask of that shape, which is a part of the pictures from row `top` and column
    `left`. `scale` brings their values to 0..1. Beyond the picture its edge goes on, where nothing changes.
    """
    height, width = shape
    tie = np.float32(TIE) / scale
    own, other = np.empty((3, width + 2), np.float32), np.empty((3, width + 2), np.float32)  # row i at i % 3
    for i in range(-1, height):
        below = min(max(i + 1, 0), height - 1)
        _load_row(source, top + below, left, channel, own[(i + 1) % 3])
        if gradients == 3:
            _load_row(source, top + below, left, 3, other[(i + 1) % 3])
        else:
            _load_row(target, top + below, left, channel, other[(i + 1) % 3])
        if i < 0:
            continue
        up = (i - 1) % 3 if i > 0 else 0
        for s in range(span_rows[i], span_rows[i + 1]):
            first, last = spans[s, 0] + ONE, spans[s, 1] + ONE
            _add_divergence(gradients, tie, scale, own, other, up, i % 3, (i + 1) % 3, first, last, f, i + 1)


@_kernel
def add_correction(mask, source, top, left, constant, strength, x, channel, out):
    """out = source + strength * (constant + x) on the mask, rounded and limited to 0..255 where out is uint8."""
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[i, j]:
                value = source[top + i, left + j, channel] + strength * (constant + x[i + 1, j + 1])
                out[top + i, left + j, channel] = value


@_kernel
def add_correction_uint8(mask, source, top, left, constant, strength, x, channel, out):
    """add_correction for pictures of 256 levels: rounded to the nearest, limited to 0..255."""
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            if mask[i, j]:
                change = np.float32(255) * (strength * (constant + x[i + 1, j + 1]))
                value = np.float32(source[top + i, left + j, channel]) + change
                out[top + i, left + j, channel] = np.uint8(
                    min(max(value + np.float32(0.5), np.float32(0)), np.float32(255))
                )
