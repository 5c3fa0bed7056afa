"""What pictures and masks must be before they are composited, and their refusal by name where they are not."""

from __future__ import annotations

import numpy as np

from escalier.film import FrameSource, MaskSource, Size

ROUNDING = 1e-4
"""How far a blurred mask may stray from 0..1."""


def check_picture(picture: np.ndarray, name: str, caller: str) -> None:
    """Refuse what is not an RGB picture (H, W, 3), uint8 or float32, without NaN."""
    if picture.ndim != 3 or picture.shape[2] != 3:
        what = "an RGBA picture" if picture.ndim == 3 and picture.shape[2] == 4 else f"the shape {picture.shape}"
        raise ValueError(
            f"{caller}: {name} must be an RGB picture (height, width, 3), got {what}; convert it to RGB first"
        )
    if picture.dtype not in (np.uint8, np.float32):
        raise TypeError(f"{caller}: {name} must be uint8 or float32, got {picture.dtype}; convert it first")
    check_finite(picture, name, caller)


def check_finite(values: np.ndarray, name: str, caller: str) -> None:
    """Refuse NaN and infinity."""
    if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
        raise ValueError(
            f"{caller}: {name} must hold finite numbers, got NaN or infinity; check the node or file it comes from"
        )


def check_same_size(first: np.ndarray, first_name: str, other: np.ndarray, other_name: str, caller: str) -> None:
    """Refuse pictures and masks of different sizes: nothing is scaled silently."""
    if first.shape[:2] != other.shape[:2]:
        raise ValueError(
            f"{caller}: {other_name} must be {Size.of(first)} like the {first_name}, got {Size.of(other)}; "
            "scale one of them first"
        )


def check_length(what: FrameSource | MaskSource, name: str, length: int, caller: str) -> None:
    """Refuse a film or masks whose number is neither one, which stands for the whole film, nor that of the film."""
    if len(what) not in (1, length):
        raise ValueError(
            f"{caller}: {name} must have 1 or {length} frames, got {len(what)}; "
            "make it from the same clip, with the same trim"
        )


def coverage(mask: np.ndarray, picture: np.ndarray, caller: str) -> np.ndarray:
    """The mask as a matte, float32 (H, W) 0..1, refused where it does not fit the picture."""
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise ValueError(
            f"{caller}: mask must be a single channel (height, width), got the shape {mask.shape}; "
            "give one mask for each frame, without colour channels"
        )
    check_same_size(picture, "picture", mask, "mask", caller)
    if mask.dtype == np.bool_:
        return mask.astype(np.float32)
    if mask.dtype == np.uint8:
        return mask.astype(np.float32) / 255
    if not np.issubdtype(mask.dtype, np.floating):
        raise TypeError(f"{caller}: mask must be bool, uint8 or float, got {mask.dtype}; convert it first")
    check_finite(mask, "mask", caller)
    if mask.size and (mask.min() < -ROUNDING or mask.max() > 1 + ROUNDING):
        raise ValueError(
            f"{caller}: mask must lie in 0..1, got {mask.min():g} to {mask.max():g}; divide it by its largest value"
        )
    return np.clip(mask, 0, 1).astype(np.float32)


def inside(mask: np.ndarray, picture: np.ndarray, caller: str) -> np.ndarray:
    """The mask cut at one half: bool (H, W)."""
    mask = np.asarray(mask)
    if mask.dtype == np.bool_ and mask.shape == picture.shape[:2]:
        return mask
    return coverage(mask, picture, caller) >= 0.5


def check_within(value: float, name: str, least: float, most: float, caller: str, advice: str, unit: str = "") -> None:
    """Refuse a dial outside least..most, and NaN."""
    if not least <= value <= most:
        rule = f">= {least:g}{unit}" if most == np.inf else f"in {least:g}..{most:g}{unit}"
        raise ValueError(f"{caller}: {name} must be {rule}, got {value:g}; {advice}")


def check_choice(value: str, name: str, choices: tuple[str, ...], caller: str) -> None:
    """Refuse a word that is not on the menu."""
    if value not in choices:
        raise ValueError(f"{caller}: {name} must be one of {', '.join(choices)}, got {value}; choose one of them")
