"""Lay one picture over another in a blend mode, inside a mask.

The modes are those of the W3C recommendation "Compositing and Blending Level 1" (2015), sections 9.1.1 to 9.1.12, on
the pictures' values as they are (sRGB), as image editors do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Masks, MaskSource, check_lengths, frame_at
from escalier.mask import box_around
from escalier.progress import Progress

from . import pictures


def _soft_light(base: np.ndarray, layer: np.ndarray) -> np.ndarray:
    curve = np.where(base <= 0.25, ((16 * base - 12) * base + 4) * base, np.sqrt(np.maximum(base, 0)))
    dark = base - (1 - 2 * layer) * base * (1 - base)
    light = base + (2 * layer - 1) * (curve - base)
    return np.where(layer <= 0.5, dark, light)


BLEND_MODES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "normal": lambda base, layer: layer,
    "multiply": lambda base, layer: base * layer,
    "screen": lambda base, layer: base + layer - base * layer,
    "overlay": lambda base, layer: np.where(base <= 0.5, 2 * base * layer, 2 * (base + layer - base * layer) - 1),
    "soft_light": _soft_light,
    "darken": np.minimum,
    "lighten": np.maximum,
    "difference": lambda base, layer: np.abs(base - layer),
}
"""Each takes two pictures of values 0..1 and gives a third. The node's menu and the tests are made from this table."""
BLACK = 1e-4
"""Below this mean luminance a picture has no exposure to compensate."""


@checked
@dataclass(frozen=True)
class Layering(Dials):
    """How a layer is laid over its base.

    >>> Layering("multiply", opacity=2)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Layering: opacity must be in 0..1, got 2; 1 is the whole blend
    """

    mode: str = dial(
        "normal",
        "'normal' replaces, 'multiply' and 'darken' make darker, 'screen' and 'lighten' brighter, 'overlay' and "
        "'soft_light' add contrast, 'difference' shows where the two are not the same.",
        choices=BLEND_MODES,
    )
    opacity: float = dial(
        1.0,
        "How much of the blend there is. 1 is all of it, 0 leaves the base alone.",
        least=0,
        most=1,
        step=0.05,
        remedy="1 is the whole blend",
    )
    exposure_compensation: float = dial(
        0.0,
        "How far the brightness inside the mask is brought back to that of the base, by one gain for the whole film. 1 "
        "takes away all that 'multiply' darkens; 0 leaves it.",
        least=0,
        most=1,
        step=0.05,
        remedy="1 is the whole compensation",
    )


@checked
def blend_layers(
    base: np.ndarray,
    layer: np.ndarray,
    mask: np.ndarray,
    layering: Layering | None = None,
    *,
    exposure_gain: float | None = None,
) -> np.ndarray:
    """Lay a picture over another inside a mask. Outside it, where the mask is 0, no bit changes.

    Parameters
    ----------
    base, layer
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1. The result has the type of the base.
    mask
        (H, W) bool, uint8 or float 0..1. A soft mask mixes the blend with the base.
    layering
        In which mode and how strongly, see `Layering`. Where the exposure is compensated, the mean luminance inside the
        mask is brought back; values above 1 stay above 1 in a float picture.
    exposure_gain
        The gain itself, in place of the one that would be measured in this frame: `blend_layers_film`
        takes one for the whole film.

    Raises
    ------
    ValueError
        When sizes differ, a picture is not RGB, or a number is NaN.

    >>> base, layer = np.full((2, 2, 3), 0.5, np.float32), np.full((2, 2, 3), 0.25, np.float32)
    >>> mask = np.array([[True, False], [True, False]])
    >>> blend_layers(base, layer, mask, Layering("multiply"))[0, :, 0].tolist()
    [0.125, 0.5]
    """
    layering = layering or Layering()
    matte = _checked(base, layer, mask)
    out = base.copy()
    if not matte.any():
        return out
    part = box_around(matte)
    weight = matte[part][..., None]
    own, blended = _blended(base[part], layer[part], layering.mode)
    if exposure_gain is None:
        exposure_gain = _gain(_luminance(own, weight), _luminance(blended, weight), layering.exposure_compensation)
    if exposure_gain != 1:
        blended = blended * np.float32(exposure_gain)
    share = weight * np.float32(layering.opacity)
    mixed = own * (1 - share) + blended * share  # exactly the blend where the share is 1
    if base.dtype == np.uint8:
        mixed = np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8)
    np.copyto(out[part], mixed, where=share > 0)
    return out


@checked
def blend_layers_film(
    base: Film, layer: Film, masks: MaskSource, layering: Layering | None = None, *, progress: Progress | None = None
) -> Iterator[np.ndarray]:
    """Lay one film over another, frame by frame. Gives the frames in their order.

    Exposure is compensated by one gain for the whole film, measured in a first pass over it: a gain of each frame's own
    would make the rest of the picture pump when one region flickers.

    Parameters
    ----------
    base, layer, masks
        Films of one size and the masks of their frames. Any of them may have a single frame, which stands for all.
    layering
        As in `blend_layers`.
    progress
        Called as progress(done, total, picture) after each frame; what it raises ends the film. With exposure
        compensation the first pass counts too, without pictures.

    >>> from escalier.film import ArrayFrames
    >>> base, layer = (ArrayFrames(np.full((2, 4, 4, 3), level, np.uint8)) for level in (200, 100))
    >>> [int(frame[0, 0, 0]) for frame in blend_layers_film(base, layer, np.ones((1, 4, 4)), Layering(opacity=0.5))]
    [150, 150]
    """
    check_lengths(max(len(base), len(layer)), base=base, layer=layer, mask=masks)
    return _laid(base, layer, Masks.of(masks), layering or Layering(), progress)


def _laid(base: Film, layer: Film, masks: Masks, layering: Layering, progress: Progress | None) -> Iterator[np.ndarray]:
    report = progress or (lambda *_: None)
    length = max(len(base), len(layer))
    total = 2 * length if layering.exposure_compensation else length
    gain = 1.0
    if layering.exposure_compensation:
        before = after = 0.0
        for i in range(length):
            own, laid = frame_at(base, i), frame_at(layer, i)
            weight = _checked(own, laid, masks.at(i))[..., None]
            own, blended = _blended(own, laid, layering.mode)
            before, after = before + _luminance(own, weight), after + _luminance(blended, weight)
            report(i + 1, total)
        gain = _gain(before, after, layering.exposure_compensation)
    for i in range(length):
        out = blend_layers(frame_at(base, i), frame_at(layer, i), masks.at(i), layering, exposure_gain=gain)
        report(total - length + i + 1, total, out)
        yield out


def _blended(base: np.ndarray, layer: np.ndarray, mode: str) -> tuple[np.ndarray, np.ndarray]:
    """The base as float, and its blend with the layer."""
    own, over = (p.astype(np.float32) / np.float32(255) if p.dtype == np.uint8 else p for p in (base, layer))
    return own, BLEND_MODES[mode](own, over)


def _luminance(picture: np.ndarray, weight: np.ndarray) -> float:
    """The sum of the picture's luminance, weighted by the mask."""
    return float(np.tensordot((picture * weight).sum(axis=(0, 1), dtype=np.float64), pictures.LUMINANCE, 1))


def _gain(before: float, after: float, compensation: float) -> float:
    if not compensation or before <= BLACK or after <= BLACK:
        return 1.0
    return (before / after) ** compensation


def _checked(base: np.ndarray, layer: np.ndarray, mask: np.ndarray) -> np.ndarray:
    pictures.check_picture(base, "base")
    pictures.check_picture(layer, "layer")
    pictures.check_same_size(base, "base", layer, "layer")
    return pictures.coverage(mask, base)
