"""Foreground colours of a film, calmed: where the matte is soft, averaged along the subject's own motion."""

from __future__ import annotations

import numpy as np

from escalier.film import warp

from .own_motion import OwnMotion, on_flat

MEMORY = np.float32(0.9)
"""How much the frame before counts, beside one of the same matte."""
EXPLAINED = np.float32(0.15)
"""By how much, as a share of white, the frame before may be wrong about what a pixel shows before it is dropped."""


class SteadyColours:
    """Averages the colours of frame after frame. Each frame counts as much as the subject covers of the pixel.

    What a strand shows where it is thin is mostly noise and room; where the same strand was thick a frame ago its
    colour is known. The motion is hers without the room, see `own_motion`.
    """

    def __init__(self, preset: str = "medium") -> None:
        self._own = OwnMotion(preset)
        self._last = -2
        self._flat = self._sums = self._weights = np.zeros(0, np.float32)

    def next(self, index: int, colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """The colours of frame `index`, float32 (H, W, 3), averaged with those of the frames before it."""
        weight = alpha[..., None] + np.float32(1e-4)
        sums, flat = weight * colours, on_flat(colours, alpha)
        # After frames without her the memory is too old.
        if index == self._last + 1 and alpha.any():
            flow = self._own.flow(flat, self._flat)
            before, known = warp(self._sums, flow), warp(self._weights, flow)[..., None]
            wrong = alpha * np.abs(before / np.maximum(known, np.float32(1e-6)) - colours).max(axis=2)
            memory = (MEMORY * np.exp(-np.square(wrong / EXPLAINED)))[..., None]
            sums, weight = sums + memory * before, weight + memory * known
        self._last, self._flat, self._sums, self._weights = index, flat, sums, weight
        soft = (alpha > 0) & (alpha < 1)
        return np.where(soft[..., None], sums / weight, colours)
