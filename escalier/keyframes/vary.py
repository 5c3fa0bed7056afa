"""Redraws of keyframes made here: the same painting with its lines a pixel elsewhere, as a hand that traces it."""

from __future__ import annotations

import math

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

from .keyframes import Keyframes

VARIANTS = 2
AMPLITUDE_PX = 1.5
FEATURE_PX = 32.0
SMALLEST_FEATURE_PER_AMPLITUDE = 12.0
"""With fewer pixels of feature for each pixel of amplitude the field folds somewhere, and lines tear."""
BLUR_PER_FEATURE = 1 / (math.pi * math.sqrt(2))
"""White noise blurred by s px changes its sign every pi sqrt(2) s px along a line, on average (Rice's formula)."""


@checked
def vary_keyframes(
    keyframes: Keyframes,
    count: int = VARIANTS,
    *,
    amplitude_px: float = AMPLITUDE_PX,
    feature_px: float = FEATURE_PX,
    seed: int = 0,
) -> list[Keyframes]:
    """Redraw keyframes by small smooth displacements, for a line boil.

    A variant has one displacement field for all its keyframes, so that what stands still between two of them is not
    seen double in their fade.

    Parameters
    ----------
    keyframes
        The painted keyframes.
    count
        How many variants.
    amplitude_px
        How far lines move: the root mean square of the displacement's length. More boils more; over 3 px at 540p a
        face stops being itself. 0 gives the keyframes back, bit for bit.
    feature_px
        How far it is, on average, from a place that moves one way to one that moves the other way. More bends the
        drawing in longer waves. At least 12 times the amplitude, or lines would tear.
    seed
        Another seed gives other variants.

    Returns
    -------
    list of Keyframes
        Each at the same frames, with pictures of the same type.

    Raises
    ------
    ValueError
        When a number is out of its range.

    >>> painted = Keyframes([0, 4], [np.zeros((48, 64, 3), np.uint8)] * 2, length=5)
    >>> second, third = vary_keyframes(painted)
    >>> second.indices, str(third.size)
    ((0, 4), '64x48')
    """
    if count < 1:
        raise Refusal("count", "be at least 1 variant", count, "two make a lively boil")
    variants = []
    for number in range(count):
        field = displacement_field(
            keyframes.size, amplitude_px=amplitude_px, feature_px=feature_px, seed=(seed, number)
        )
        variants.append(keyframes.with_pictures([_displaced(picture, field) for picture in keyframes.pictures]))
    return variants


def displacement_field(
    size: Size, *, amplitude_px: float, feature_px: float, seed: int | tuple[int, ...] = 0
) -> np.ndarray:
    """A smooth random displacement: float32 (H, W, 2), (dx, dy) in pixels, band-limited at `feature_px`.

    Parameters
    ----------
    size
        Of the picture.
    amplitude_px, feature_px, seed
        As in `vary_keyframes`.

    >>> field = displacement_field(Size(96, 64), amplitude_px=1.5, feature_px=24)
    >>> field.shape, round(float(np.sqrt(np.square(field).sum(axis=-1).mean())), 3)
    ((64, 96, 2), 1.5)
    """
    _check_field(amplitude_px, feature_px)
    blur_px = feature_px * BLUR_PER_FEATURE
    margin = math.ceil(3 * blur_px)
    random = np.random.default_rng(seed)
    noise = random.standard_normal((size.height + 2 * margin, size.width + 2 * margin, 2)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), blur_px)[margin:-margin, margin:-margin]
    typical = float(np.sqrt(np.square(smooth).sum(axis=-1).mean()))
    return np.ascontiguousarray(smooth) * np.float32(amplitude_px / typical)


def _displaced(picture: np.ndarray, field: np.ndarray) -> np.ndarray:
    if not field.any():
        return picture
    height, width = field.shape[:2]
    x = field[..., 0] + np.arange(width, dtype=np.float32)
    y = field[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    # Lanczos keeps fine lines as crisp as the keyframe's own: a softer variant would make the boil blink.
    moved = cv2.remap(picture, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101)
    return moved if picture.dtype == np.uint8 else np.clip(moved, 0, 1)


def _check_field(amplitude_px: float, feature_px: float) -> None:
    if not 0 <= amplitude_px < math.inf:
        raise Refusal("amplitude_px", "be >= 0 px", amplitude_px, "1.5 is a good value")
    if not 1 <= feature_px < math.inf:
        raise Refusal("feature_px", "be at least 1 px", feature_px, "32 is a good value")
    if feature_px < SMALLEST_FEATURE_PER_AMPLITUDE * amplitude_px:
        raise Refusal(
            "feature_px",
            f"be at least {SMALLEST_FEATURE_PER_AMPLITUDE:g} times amplitude_px, "
            f"{SMALLEST_FEATURE_PER_AMPLITUDE * amplitude_px:g} px",
            f"{feature_px:g}",
            "lines would tear: lower the amplitude or take larger features",
        )
