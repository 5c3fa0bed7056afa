"""How a subject moves by herself: flow between pictures of her in which the room is one flat tone.

Where hair and blur let a room through that stands still, flow of the film follows the room. Laid over a flat tone by
her matte, she is all that moves, and her outline and single strands are the strongest drawing there is.
"""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import PRESETS, Size, dis_flow, working_size
from escalier.mask import box_around

from . import pictures
from .foreground_colours import unit

FLAT, DARKEST, CONTRAST = 0.9, 0.1, 0.5
"""The tone behind her, and what becomes of hers, 0..1: her outline is stronger than the drawing of her clothes."""
MARGIN_PX = 48
"""How far around her flow is given."""
NEAR_PX = 4.0
"""Flow is averaged over so much of her, the sigma of a Gaussian."""
FAR_PX = 16.0
"""The same further out, where nothing is near."""
LEAST = np.float32(1e-3)


class OwnMotion:
    """Matches a subject with herself from frame to frame by DIS, with one of the presets of `Motion`."""

    def __init__(self, preset: str = "medium") -> None:
        self._dis = cv2.DISOpticalFlow.create(PRESETS[preset])

    def flow(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """Where what is seen of her in one picture of `on_flat` lies in another: float32 (H, W, 2), (dx, dy) in px.

        Around her it is that of the nearest of her; far from her it is 0.
        """
        covers = np.maximum(_cover(here), _cover(there))
        out = np.zeros((*here.shape, 2), np.float32)
        if not covers.any():
            return out
        box = box_around(covers, MARGIN_PX)
        one, other = here[box], there[box]
        size, small = Size.of(one), working_size(Size.of(one))
        if small != size:
            one, other = (cv2.resize(part, small, interpolation=cv2.INTER_AREA) for part in (one, other))
        flow = dis_flow(self._dis, np.ascontiguousarray(one), np.ascontiguousarray(other))
        if small != size:
            flow = cv2.resize(flow, size) * np.array([size.width / small.width, size.height / small.height], np.float32)
        out[box] = _averaged(flow, _cover(here)[box])
        return out


def on_flat(picture: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The subject over a flat tone: uint8 (H, W), from her colours (H, W, 3) and her matte (H, W) 0..1."""
    grey = cv2.cvtColor(unit(picture), cv2.COLOR_RGB2GRAY)
    return np.rint(255 * (FLAT + matte * (DARKEST + np.float32(CONTRAST) * grey - FLAT))).astype(np.uint8)


def _cover(flat: np.ndarray) -> np.ndarray:
    """About how much of each pixel of a picture of `on_flat` is hers: float32 (H, W), 0 where nothing is."""
    return np.clip((255 * np.float32(FLAT) - 0.5 - flat) / np.float32(255 * (FLAT - DARKEST - CONTRAST)), 0, 1)


def _averaged(flow: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Flow averaged over what is near and hers; further out that of the nearest pixels, at a coarser scale each."""
    planes = np.dstack([flow * cover[..., None], cover])
    out = np.zeros_like(flow)
    missing = np.ones(cover.shape, np.float32)
    for sigma in (NEAR_PX, FAR_PX):
        means = pictures.broad_means(planes, sigma)
        here = np.minimum(means[..., 2] / LEAST, 1) * missing
        out += here[..., None] * means[..., :2] / np.maximum(means[..., 2:], np.float32(1e-6))
        missing = missing - here
    return out
