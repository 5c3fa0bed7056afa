"""What the meter looks at: frames at the size of the flow, regions of them, and means over what counts."""

import cv2
import numpy as np

from escalier.film import Size, as_uint8, scale_film, warp

SMALLEST_SHARE = 0.05
"""Less than this share of a region followed from one frame to the next is chance, as across a cut: it is not judged."""


def at_size(frame: np.ndarray, size: Size) -> np.ndarray:
    """A frame as it is measured: uint8, averaged down to `size` where it is larger."""
    return scale_film(as_uint8(frame), size)


def region_at(mask: np.ndarray, size: Size) -> np.ndarray:
    """A mask as the region it means: bool (H, W) at `size`, true where it covers half of a pixel or more."""
    cover = unit(mask)
    return (cover if Size.of(cover) == size else scale_film(cover.astype(np.float32), size)) >= 0.5


def unit(picture: np.ndarray) -> np.ndarray:
    """A picture or mask of 8 bits as float32, 0..1; one of floats as it is."""
    return np.divide(picture, 255, dtype=np.float32) if picture.dtype == np.uint8 else picture


def enough(counted: np.ndarray, region: np.ndarray | None = None) -> bool:
    """Whether so much of a region counts that its mean means something; the whole picture without a region."""
    within = counted.size if region is None else np.count_nonzero(region)
    return bool(within > 0 and np.count_nonzero(counted) >= SMALLEST_SHARE * within)


def mean_over(values: np.ndarray, counted: np.ndarray) -> float | None:
    """The mean of a map over the pixels that count, summed in float64; None where none does."""
    return cv2.mean(values, counted.view(np.uint8))[0] if counted.any() else None


def lengths(field: np.ndarray) -> np.ndarray:
    """The length of the vector at each pixel of (H, W, C): (H, W). Many times faster than numpy.linalg.norm."""
    return np.sqrt(np.einsum("hwc,hwc->hw", field, field))


def lab(picture: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of sRGB under D65, float32 (H, W, 3)."""
    return cv2.cvtColor(unit(picture), cv2.COLOR_RGB2Lab)


def lab_change(before: np.ndarray, after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Lab of the next frame, carried back onto this one, minus that of this one: float32 (H, W, 3)."""
    return carried_change(lab(before), lab(after), flow)


def carried_change(before: np.ndarray, after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """The next of two float pictures, carried back onto the first, minus the first."""
    change = warp(after, flow)
    change -= before
    return change
