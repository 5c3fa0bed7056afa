"""Which pixels may be copied from and which are painted, on every level of the pyramid."""

import cv2
import numpy as np


def grow_into(mask: np.ndarray, r: int, out: np.ndarray) -> None:
    """Set out (0 or 1) where any pixel of a uint8 mask (0 or 1) within r rows and columns is set."""
    cv2.dilate(mask, np.ones((2 * r + 1,) * 2, np.uint8), dst=out)


def grow(mask: np.ndarray, r: int) -> np.ndarray:
    """A uint8 mask (0 or 1) of the pixels within r rows and columns of a set one."""
    out = np.empty(mask.shape, np.uint8)
    grow_into(np.ascontiguousarray(mask, np.uint8), r, out)
    return out


def halve_mask(mask: np.ndarray, *, keep_if_any: bool) -> np.ndarray:
    """A bool mask at half the size: set where any, or where all, of the 2x2 pixels are."""
    height, width = mask.shape[0] // 2, mask.shape[1] // 2
    combine = np.logical_or if keep_if_any else np.logical_and
    rows = combine(mask[0 : 2 * height : 2], mask[1 : 2 * height : 2])
    return combine(rows[:, 0 : 2 * width : 2], rows[:, 1 : 2 * width : 2])


def forbidden_centres(allowed: np.ndarray, patch_size: int) -> np.ndarray:
    """True where a patch would touch a pixel that must not be copied, or leave the source.

    >>> forbidden_centres(np.ones((3, 5), bool), patch_size=3)[1].tolist()
    [True, False, False, False, True]
    """
    r = patch_size // 2
    forbidden = np.ones(allowed.shape, bool)
    inside = (slice(r, allowed.shape[0] - r), slice(r, allowed.shape[1] - r))
    forbidden[inside] = grow(~allowed, r)[inside]
    return forbidden


def source_levels(mask: np.ndarray, levels: int, patch_size: int) -> list[np.ndarray]:
    """Forbidden patch centres of every level, finest first.

    The finest level is strict. A coarser one that would be left without a single patch is lenient: what is found there
    is only a start.
    """
    forbidden = []
    for level in range(levels):
        strict = forbidden_centres(mask, patch_size)
        lenient = level > 0 and strict.all()
        forbidden.append(forbidden_centres(np.ones_like(mask), patch_size) if lenient else strict)
        mask = halve_mask(mask, keep_if_any=False)
    return forbidden


def target_levels(mask: np.ndarray, levels: int, patch_size: int) -> list[np.ndarray]:
    """Pixels to match on every level (uint8), finest first: the painted ones and a rim whose patches reach them."""
    matched = []
    for _ in range(levels):
        matched.append(grow(mask, patch_size))
        mask = halve_mask(mask, keep_if_any=True)
    return matched


def leave_forbidden(nnf: np.ndarray, forbidden: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A packed field whose forbidden matches are replaced by random allowed ones."""
    bad = forbidden[nnf >> np.uint32(16), nnf & np.uint32(0xFFFF)]
    if not bad.any():
        return nnf
    rows, columns = np.nonzero(~forbidden)
    choice = random.integers(0, len(rows), int(bad.sum()))
    moved = nnf.copy()
    moved[bad] = columns[choice].astype(np.uint32) | (rows[choice].astype(np.uint32) << np.uint32(16))
    return moved
