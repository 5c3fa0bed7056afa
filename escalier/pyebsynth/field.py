"""Nearest-neighbour fields: packed for the kernels, carried to the next finer level, begun cold or warm."""

import numpy as np

from escalier.kernel_cache import njit


def pack_nnf(nnf: np.ndarray) -> np.ndarray:
    """A field (H, W, 2) of (row, column) with both numbers in one uint32, the column in the low half.

    >>> pack_nnf(np.array([[[1, 2]]])).item() == (1 << 16) + 2
    True
    """
    return np.ascontiguousarray(nnf[..., 1].astype(np.uint32) | (nnf[..., 0].astype(np.uint32) << np.uint32(16)))


def unpack_nnf(packed: np.ndarray) -> np.ndarray:
    """The inverse of `pack_nnf`: int32 (H, W, 2)."""
    nnf = np.empty((*packed.shape, 2), np.int32)
    nnf[..., 0] = packed >> np.uint32(16)
    nnf[..., 1] = packed & np.uint32(0xFFFF)
    return nnf


def random_nnf(size: tuple[int, int], source_size: tuple[int, int], r: int, random: np.random.Generator) -> np.ndarray:
    """A packed field of random places whose patches lie inside the source."""
    rows = random.integers(r, source_size[0] - r, size)
    columns = random.integers(r, source_size[1] - r, size)
    return pack_nnf(np.stack([rows, columns], axis=-1))


@njit(cache=True, nogil=True)
def upscale_nnf(coarse, height, width, source_height, source_width, r):
    """A packed field for the next finer level: twice the place plus the parity, kept inside the source."""
    nnf = np.empty((height, width), np.uint32)
    rows, columns = coarse.shape
    for y in range(height):
        for x in range(width):
            n = coarse[min(y // 2, rows - 1), min(x // 2, columns - 1)]
            sy = np.int64(n >> np.uint32(16)) * 2 + y % 2
            sx = np.int64(n & np.uint32(0xFFFF)) * 2 + x % 2
            sy = min(max(sy, r), source_height - 1 - r)
            sx = min(max(sx, r), source_width - 1 - r)
            nnf[y, x] = np.uint32(sx) | (np.uint32(sy) << np.uint32(16))
    return nnf


def warm_nnf(
    initial: np.ndarray, level: int, size: tuple[int, int], source_size: tuple[int, int], r: int
) -> tuple[np.ndarray, np.ndarray]:
    """The initial field as level `level` sees it (0 is the finest), packed, and which of its pixels are cold.

    The matches are those of the middle of each block of 2^level pixels. A block with one cold pixel is cold. Matches
    whose patch would leave the source are moved inside.
    """
    nnf, cold = np.empty(size, np.uint32), np.empty(size, np.bool_)
    _warm(np.ascontiguousarray(initial), level, *source_size, r, nnf, cold)
    return nnf, cold


@njit(cache=True, nogil=True)
def _warm(initial, level, source_height, source_width, r, nnf, cold):
    block = 1 << level
    last_row, last_column = initial.shape[0] - 1, initial.shape[1] - 1
    for y in range(nnf.shape[0]):
        for x in range(nnf.shape[1]):
            middle = initial[min(y * block + block // 2, last_row), min(x * block + block // 2, last_column)]
            sy = min(max(middle[0] >> level, r), source_height - 1 - r)
            sx = min(max(middle[1] >> level, r), source_width - 1 - r)
            nnf[y, x] = np.uint32(sx) | (np.uint32(sy) << np.uint32(16))
            any_cold = False
            for j in range(y * block, (y + 1) * block):
                for i in range(x * block, (x + 1) * block):
                    any_cold |= initial[j, i, 0] < 0 or initial[j, i, 1] < 0
            cold[y, x] = any_cold
