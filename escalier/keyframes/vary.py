"""Redraws of keyframes made here: the same painting with its lines a pixel elsewhere, as a hand that traces it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Size
from escalier.refusals import Refusal

from .keyframes import Keyframes

VARIANTS = 2
SMALLEST_FEATURE_PER_AMPLITUDE = 12.0
"""With fewer pixels of feature for each pixel of amplitude the field folds somewhere, and lines tear."""
BLUR_PER_FEATURE = 1 / (math.pi * math.sqrt(2))
"""White noise blurred by s px changes its sign every pi sqrt(2) s px along a line, on average (Rice's formula)."""


@checked
@dataclass(frozen=True)
class Variation(Dials):
    """How a drawing is bent, as by a hand that traces it.

    >>> Variation(amplitude_px=4)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Variation: feature_px must be at least 12 times amplitude_px, 48 px, got 32; ...
    """

    amplitude_px: float = dial(
        1.5,
        "How far lines move, in pixels. 1.5 lives without being noticed in a picture 540 pixels high; double it for "
        "1080. A face changes its expression over about 3.",
        least=0,
        offered=(0, 50),
        step=0.1,
        unit="px",
        remedy="1.5 is a good value",
    )
    feature_px: float = dial(
        32.0,
        "From a place that moves one way to one that moves the other, in pixels. Small trembles, large sways. At least "
        "12 times the amplitude, or lines would tear.",
        least=1,
        offered=(4, 1000),
        step=1,
        unit="px",
        rule="be at least 1 px",
        remedy="32 is a good value",
    )
    seed: int = dial(
        0, "Another seed bends the drawing elsewhere.", least=0, offered=(0, 2**31 - 1), remedy="take another"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        enough = SMALLEST_FEATURE_PER_AMPLITUDE * self.amplitude_px
        if self.feature_px < enough:
            rule = f"be at least {SMALLEST_FEATURE_PER_AMPLITUDE:g} times amplitude_px, {enough:g} px"
            got = f"{self.feature_px:g}"
            raise Refusal("feature_px", rule, got, "lines would tear: lower the amplitude or take larger features")


@checked
def vary_keyframes(keyframes: Keyframes, count: int = VARIANTS, variation: Variation | None = None) -> list[Keyframes]:
    """Redraw keyframes by small smooth displacements, for a line boil.

    A variant has one displacement field for all its keyframes, so that what stands still between two of them is not
    seen double in their fade.

    Parameters
    ----------
    keyframes
        The painted keyframes.
    count
        How many variants.
    variation
        How the drawing is bent. Its amplitude is the root mean square of the displacement's length; 0 gives the
        keyframes back, bit for bit.

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
        field = displacement_field(keyframes.size, variation or Variation(), number)
        variants.append(keyframes.with_pictures([_displaced(picture, field) for picture in keyframes.pictures]))
    return variants


def displacement_field(size: Size, variation: Variation, number: int = 0) -> np.ndarray:
    """A smooth random displacement: float32 (H, W, 2), (dx, dy) in pixels, band-limited at `feature_px`.

    Each variant, by its number, has a field of its own.

    >>> field = displacement_field(Size(96, 64), Variation(feature_px=24))
    >>> field.shape, round(float(np.sqrt(np.square(field).sum(axis=-1).mean())), 3)
    ((64, 96, 2), 1.5)
    """
    blur_px = variation.feature_px * BLUR_PER_FEATURE
    margin = math.ceil(3 * blur_px)
    random = np.random.default_rng((variation.seed, number))
    noise = random.standard_normal((size.height + 2 * margin, size.width + 2 * margin, 2)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), blur_px)[margin:-margin, margin:-margin]
    typical = float(np.sqrt(np.square(smooth).sum(axis=-1).mean()))
    return np.ascontiguousarray(smooth) * np.float32(variation.amplitude_px / typical)


def _displaced(picture: np.ndarray, field: np.ndarray) -> np.ndarray:
    if not field.any():
        return picture
    height, width = field.shape[:2]
    x = field[..., 0] + np.arange(width, dtype=np.float32)
    y = field[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    # Lanczos keeps fine lines as crisp as the keyframe's own: a softer variant would make the boil blink.
    moved = cv2.remap(picture, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT_101)
    return moved if picture.dtype == np.uint8 else np.clip(moved, 0, 1)
