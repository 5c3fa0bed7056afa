"""The masks that are given at one or a few frames, before they are carried to the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from escalier.film import Film, Size
from escalier.refusals import Refusal


def check_prompted(prompted: Mapping[int, np.ndarray], film: Film) -> dict[int, np.ndarray]:
    """The prompted masks as float32 0..1, in the order of the film; refused where they do not fit it."""
    if not prompted:
        raise Refusal("mask", "be given at one frame at least", "none", "mask the subject in one frame")
    checked = {}
    for index in sorted(prompted):
        mask = np.asarray(prompted[index])
        if not 0 <= index < len(film):
            raise Refusal("frames", f"be in 0..{len(film) - 1}", index, "frames are counted from 0")
        if mask.ndim != 2 or Size.of(mask) != film.size:
            shape = Size.of(mask) if mask.ndim >= 2 else mask.shape
            raise Refusal(
                "mask", f"be a single channel of {film.size}", f"{shape} at frame {index}", "scale it to the film first"
            )
        floats = mask.astype(np.float32) / np.float32(255 if mask.dtype == np.uint8 else 1)
        if not np.isfinite(floats).all():
            raise Refusal("mask", "hold finite numbers", f"NaN or infinity at frame {index}", "check its source")
        if floats.max() < 0.5:
            raise Refusal("mask", "hold the subject", f"an empty one at frame {index}", "leave that frame out")
        checked[index] = np.clip(floats, 0, 1)
    return checked
