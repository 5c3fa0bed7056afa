"""Two sides of a fade in one picture."""

import numpy as np

from .seams import keep_contrast, remove_seams


def mix(
    earlier: np.ndarray,
    later: np.ndarray,
    weight: np.ndarray | np.float32,
    *,
    contrast: bool = False,
    seam_removal: float = 0.0,
) -> np.ndarray:
    """The two sides of a fade in one picture: (1 - weight) earlier + weight later, uint8 (H, W, 3).

    Fractions of a level are spread by a fixed dither. Rounded instead, a large area in which the two sides differ by
    one level would turn as a whole in the frame where the weight passes one half.

    >>> black, white = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)
    >>> float(mix(black, white, np.float32(0.3)).mean().round(1)), int(mix(black, white, np.float32(1)).min())
    (76.5, 255)
    """
    weight = np.asarray(weight, np.float32)[..., None]
    mixed = earlier + weight * (later.astype(np.float32) - earlier)
    if contrast or seam_removal > 0:
        sides = earlier.astype(np.float32), later.astype(np.float32)
        if contrast:
            mixed = keep_contrast(mixed, *sides, weight)
        if seam_removal > 0:
            everywhere = np.broadcast_to(weight[..., 0], mixed.shape[:2])
            mixed = remove_seams(mixed, *sides, everywhere, seam_removal)
    return np.floor(mixed + dither(*earlier.shape[:2])[..., None]).astype(np.uint8)


def dither(height: int, width: int) -> np.ndarray:
    """An even pattern of thresholds without a visible grid: float32 (H, W), 0 <= d < 1.

    Interleaved gradient noise: Jimenez, "Next Generation Post Processing in Call of Duty: Advanced Warfare" (2014).
    """
    x = np.arange(width, dtype=np.float64)
    y = np.arange(height, dtype=np.float64)[:, None]
    pattern = np.mod(52.9829189 * np.mod(0.06711056 * x + 0.00583715 * y, 1.0), 1.0)
    return np.minimum(pattern, 1 - 2.0**-12).astype(np.float32)
