"""Full size from a proxy: a field that was matched on small pictures paints a large one from the large style.

Matching costs the most and needs little: at 4K a patch of five pixels shows next to nothing of a form. So the field is
found at a proxy size and enlarged; whole pieces of the large style are copied, as sharp as they were painted. Only in
the narrow band where neighbouring pieces meet is the border between them found anew, by the large film frames.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .field import pack_nnf
from .layout import patch_shape
from .voting import vote_picture

_ROW = np.uint32(16)
_COLUMN = np.uint32(0xFFFF)


def render_full_size(
    style: np.ndarray,
    nnf: np.ndarray,
    matched_size: tuple[int, int],
    source: np.ndarray,
    target: np.ndarray,
    *,
    patch_size: int = 3,
) -> np.ndarray:
    """Paint a large picture from a field that was matched at a proxy size.

    Parameters
    ----------
    style
        The large painting, (Hs, Ws, C), uint8 or float32 0..1, C from 1 to 4.
    nnf
        int32 (h, w, 2), (row, column): the field found at the proxy size, as `synthesise` gives it. Negative places
        are taken as 0.
    matched_size
        (rows, columns) of the small style that the field points into.
    source, target
        What was filmed where the style was painted, uint8 (Hs, Ws, 3), and where it goes to, uint8 (H, W, 3). H and W
        set the size of the result.
    patch_size
        3, 5 or 7: patches overlap by this, at the large size, and so soften the borders between pieces. 3 hides them
        and keeps the style's sharpness.

    Returns
    -------
    numpy.ndarray
        (H, W, C), of the style's type. Memory: 8 bytes for each of its pixels besides.

    Examples
    --------
    A field that says "everything from its own place" gives the large style back:

    >>> large = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    >>> field = np.stack(np.mgrid[:16, :24], axis=-1).astype(np.int32)
    >>> painted = render_full_size(large, field, (16, 24), large, large)
    >>> bool((painted == large)[4:-4, 4:-4].all())
    True
    """
    if style.shape[:2] != source.shape[:2]:
        raise ValueError(
            f"render_full_size: source must be {style.shape[1]}x{style.shape[0]} like the style, got "
            f"{source.shape[1]}x{source.shape[0]}; give the frame that was painted, at full size"
        )
    if min(style.shape[:2]) < patch_size:
        raise ValueError(
            f"render_full_size: style must be at least {patch_size} px on a side, got "
            f"{style.shape[1]}x{style.shape[0]}; use a smaller patch_size"
        )
    r = patch_size // 2
    small = pack_nnf(np.maximum(nnf, 0))
    field = enlarge_nnf(small, *target.shape[:2], *matched_size, *style.shape[:2], r)  # type: ignore[call-arg]
    step = max(1, round(target.shape[0] / nnf.shape[0]))
    if step > 1:
        field = choose_pieces(field, source, target, step, r)
    painted = np.ones(field.shape, bool)
    rows = patch_shape(patch_size, style.shape[2], style.shape[2])[1]
    return vote_picture(style, field, painted, rows, None)


@njit(cache=True, nogil=True)
def enlarge_nnf(small, height, width, small_height, small_width, source_height, source_width, r):
    """A packed field at any larger size: each small pixel becomes a piece that is copied as a whole."""
    field = np.empty((height, width), np.uint32)
    rows, columns = small.shape
    zoom_y, zoom_x = height / rows, width / columns
    source_y, source_x = source_height / small_height, source_width / small_width
    for y in range(height):
        row = min(int((y + 0.5) / zoom_y), rows - 1)
        beside_y = (y + 0.5) - (row + 0.5) * zoom_y
        for x in range(width):
            column = min(int((x + 0.5) / zoom_x), columns - 1)
            n = small[row, column]
            beside_x = (x + 0.5) - (column + 0.5) * zoom_x
            sy = int(np.floor((np.int64(n >> _ROW) + 0.5) * source_y + beside_y))
            sx = int(np.floor((np.int64(n & _COLUMN) + 0.5) * source_x + beside_x))
            sy = min(max(sy, r), source_height - 1 - r)
            sx = min(max(sx, r), source_width - 1 - r)
            field[y, x] = np.uint32(sx) | (np.uint32(sy) << _ROW)
    return field


@njit(cache=True, nogil=True)
def choose_pieces(field, source, target, step, r):
    """Where pieces meet, give each pixel to the neighbouring piece whose filmed colours fit best, over 3x3 pixels.

    Neighbouring pieces are those `step` px above, below, left and right. A pixel that all of them agree on, which is
    most of the picture, stays as it is.
    """
    height, width = field.shape
    source_height, source_width = source.shape[:2]
    chosen = field.copy()
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            own = field[y, x]
            best = np.int64(-1)
            for k in range(4):
                dy = step * ((k == 1) - (k == 0))
                dx = step * ((k == 3) - (k == 2))
                if not (0 <= y + dy < height and 0 <= x + dx < width):
                    continue
                n = field[y + dy, x + dx]
                sy = np.int64(n >> _ROW) - dy
                sx = np.int64(n & _COLUMN) - dx
                # Pieces that lie on one grid may differ by the rounding of their places.
                if abs(sy - np.int64(own >> _ROW)) <= 1 and abs(sx - np.int64(own & _COLUMN)) <= 1:
                    continue
                if sy < r + 1 or sx < r + 1 or sy >= source_height - r - 1 or sx >= source_width - r - 1:
                    continue
                if best < 0:
                    best = _colour_difference(source, target, y, x, np.int64(own >> _ROW), np.int64(own & _COLUMN))
                other = _colour_difference(source, target, y, x, sy, sx)
                if other < best:
                    best = other
                    chosen[y, x] = np.uint32(sx) | (np.uint32(sy) << _ROW)
    return chosen


@njit(cache=True, nogil=True)
def _colour_difference(source, target, y, x, sy, sx):
    total = np.int64(0)
    for j in range(-1, 2):
        for i in range(-1, 2):
            for c in range(3):
                d = np.int64(target[y + j, x + i, c]) - np.int64(source[sy + j, sx + i, c])
                total += d * d
    return total
