"""What pictures and masks must be before they are composited, and their refusal by name where they are not."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import Size
from escalier.refusals import Refusal, TypeRefusal

LUMINANCE = (0.2126, 0.7152, 0.0722)
"""Rec. 709 weights of red, green and blue."""
ROUNDING = 1e-4
"""How far a blurred mask may stray from 0..1."""
BROAD_PX = 8.0
"""From this sigma on a blur is worked out at a quarter of the size."""
OPAQUE = 0.95
"""From this matte on a pixel is the subject's alone; networks and blurred masks seldom reach 1."""


def check_picture(picture: np.ndarray, name: str) -> None:
    """Refuse what is not an RGB picture (H, W, 3), uint8 or float32, without NaN."""
    if picture.ndim != 3 or picture.shape[2] != 3:
        what = "an RGBA picture" if picture.ndim == 3 and picture.shape[2] == 4 else f"the shape {picture.shape}"
        raise Refusal(name, "be an RGB picture (height, width, 3)", what, "convert it to RGB first")
    if picture.dtype not in (np.uint8, np.float32):
        raise TypeRefusal(name, "be uint8 or float32", picture.dtype, "convert it first")
    check_finite(picture, name)


def check_finite(values: np.ndarray, name: str) -> None:
    """Refuse NaN and infinity."""
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        raise Refusal(name, "hold finite numbers", "NaN or infinity", "check the node or file it comes from")


def check_same_size(first: np.ndarray, first_name: str, other: np.ndarray, other_name: str) -> None:
    """Refuse pictures and masks of different sizes: nothing is scaled silently."""
    if first.shape[:2] != other.shape[:2]:
        raise Refusal(
            f"{other_name}", f"be {Size.of(first)} like the {first_name}", Size.of(other), "scale one of them first"
        )


def coverage(mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The mask as a matte, float32 (H, W) 0..1, refused where it does not fit the picture."""
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise Refusal(
            "mask",
            "be a single channel (height, width)",
            f"the shape {mask.shape}",
            "give one mask for each frame, without colour channels",
        )
    check_same_size(picture, "picture", mask, "mask")
    if mask.dtype == np.bool_:
        return mask.astype(np.float32)
    if mask.dtype == np.uint8:
        return mask.astype(np.float32) / 255
    if not np.issubdtype(mask.dtype, np.floating):
        raise TypeRefusal("mask", "be bool, uint8 or float", mask.dtype, "convert it first")
    check_finite(mask, "mask")
    if mask.size and (mask.min() < -ROUNDING or mask.max() > 1 + ROUNDING):
        raise Refusal("mask", "lie in 0..1", f"{mask.min():g} to {mask.max():g}", "divide it by its largest value")
    return np.clip(mask, 0, 1).astype(np.float32)


def inside(mask: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """The mask cut at one half, for what needs an outline: bool (H, W)."""
    mask = np.asarray(mask)
    if mask.dtype == np.bool_ and mask.shape == picture.shape[:2]:
        return mask
    return coverage(mask, picture) >= 0.5


def broad_means(planes: np.ndarray, sigma: float) -> np.ndarray:
    """Up to four planes, (H, W) or (H, W, C), as a Gaussian of many pixels blurs them.

    Worked out at a quarter of the size: nothing so broad tells the two apart.
    """
    height, width = planes.shape[:2]
    if sigma < BROAD_PX or min(height, width) < 2 * BROAD_PX:
        return cv2.GaussianBlur(planes, (0, 0), sigma)
    small = cv2.resize(planes, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (width, height), interpolation=cv2.INTER_LINEAR)
