"""Double exposure: how little a blend looks like either of its two sides, patch by patch.

It sees two drawings lying over one another, where neither can be made out. It cannot see which side is shown, and a
patch that moved by up to 8 px is the same patch to it.
"""

import cv2
import numpy as np

from escalier.arguments import Picture, check_same_size, checked

from .ghosting import high_pass

PATCH_PX = 32
REACH_PX = 8
"""How far a patch may have moved and still count as the same drawing."""
MOST_PATCHES = 64
"""Patches looked at in a frame, on an even lattice: more changes the mean in the third digit only."""
SMALLEST_CONTRAST = 0.5 / 255
"""A patch whose detail deviates by less than half a level has no drawing that could be doubled."""


@checked
def measure_double_exposure(blend: Picture, earlier: Picture, later: Picture) -> float | None:
    """1 minus how well each patch of a blend is found again in the better of its two sides: 0 good, .3 doubled.

    For patches of 32 px of the detail finer than 2 px: 1 - max over both sides and over shifts within +-8 px of the
    normalised cross-correlation; the mean over the patches. Two unrelated drawings mixed half and half score
    1 - 1/sqrt(2) = .29, and any blend that shows one side at each place scores 0. None where no patch has any drawing,
    or the picture is smaller than a patch.

    Parameters
    ----------
    blend, earlier, later
        RGB (H, W, 3), uint8 0..255 or float32 0..1: the frame that is seen, and its two sides.

    References
    ----------
    The normalised coefficient is that of Lewis, "Fast Normalized Cross-Correlation" (1995).

    >>> noise = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    >>> blend, cut = (measure_double_exposure(shown, *noise) for shown in (noise.mean(axis=0), noise[0]))
    >>> round(blend, 1), round(abs(cut), 3)
    (0.3, 0.0)
    """
    check_same_size(blend=blend, earlier=earlier, later=later)
    _, values = doubled_patches(blend, earlier, later)
    return float(values.mean()) if values.size else None


def doubled_patches(blend: np.ndarray, earlier: np.ndarray, later: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same patch by patch: the centres, int (M, 2) as (row, column), and the values, float64 (M,)."""
    detail, *sides = (high_pass(picture) for picture in (blend, earlier, later))
    centres, values = [], []
    for top, left in _lattice(*detail.shape):
        patch = detail[top : top + PATCH_PX, left : left + PATCH_PX]
        if patch.std() >= SMALLEST_CONTRAST:
            centres.append((top + PATCH_PX // 2, left + PATCH_PX // 2))
            values.append(1 - max(_best_match(side, patch, top, left) for side in sides))
    return np.array(centres, np.int64).reshape(-1, 2), np.array(values, np.float64)


def _best_match(side: np.ndarray, patch: np.ndarray, top: int, left: int) -> float:
    rows, columns = (slice(max(0, at - REACH_PX), at + PATCH_PX + REACH_PX) for at in (top, left))
    found = cv2.matchTemplate(np.ascontiguousarray(side[rows, columns]), patch.copy(), cv2.TM_CCOEFF_NORMED)
    return float(found[np.isfinite(found)].max(initial=0.0))


def _lattice(height: int, width: int) -> list[tuple[int, int]]:
    """The upper left corners of the patches, (row, column)."""
    if min(height, width) < PATCH_PX:
        return []
    across, down = width - PATCH_PX, height - PATCH_PX
    step = max(PATCH_PX, round(float(np.sqrt(width * height / MOST_PATCHES))))
    return [
        (int(row), int(column))
        for row in np.linspace(0, down, down // step + 1)
        for column in np.linspace(0, across, across // step + 1)
    ]
