"""Foreground colours of a film, calmed: where the matte is soft, averaged along the subject's motion."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import Motion, warp

MEMORY = np.float32(0.8)
"""How much the frame before counts, beside one of the same matte."""
EXPLAINED = np.float32(0.1)
"""By how much, as a share of white, the frame before may be wrong about what a pixel shows before it is dropped."""
SURE = 0.9
"""From this matte on the motion of a pixel is the subject's and not the room's."""
FLOW_PX = 3.0


class SteadyColours:
    """Averages the colours of frame after frame. Each frame counts as much as the subject covers of the pixel.

    What a strand shows where it is thin is mostly noise and room; where the same strand was thick a frame ago its
    colour is known. The motion is that of the nearest pixel which is the subject's alone.
    """

    def __init__(self, motion: Motion) -> None:
        self._motion = motion
        self._last = -2
        self._sums = self._weights = np.zeros(0, np.float32)

    def next(self, index: int, colours: np.ndarray, alpha: np.ndarray) -> np.ndarray:
        """The colours of frame `index`, float32 (H, W, 3), averaged with those of the frames before it."""
        weight = alpha[..., None] + np.float32(1e-4)
        sums = weight * colours
        # After frames without her the memory is too old.
        if index == self._last + 1 and (alpha >= SURE).any():
            flow = subject_flow(self._motion.flow(index, index - 1), alpha)
            before, known = warp(self._sums, flow), warp(self._weights, flow)[..., None]
            wrong = alpha * np.abs(before / np.maximum(known, np.float32(1e-6)) - colours).max(axis=2)
            memory = (MEMORY * np.exp(-np.square(wrong / EXPLAINED)))[..., None]
            sums, weight = sums + memory * before, weight + memory * known
        self._last, self._sums, self._weights = index, sums, weight
        soft = (alpha > 0) & (alpha < 1)
        return np.where(soft[..., None], sums / weight, colours)


def subject_flow(flow: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """The subject's flow, carried from the nearest pixel that she covers out into hair and blur. (H, W, 2) float32."""
    sure = alpha >= SURE
    apart = (~sure).view(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(apart, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.intp)
    nearest[labels[sure]] = np.flatnonzero(sure)
    return cv2.GaussianBlur(flow.reshape(-1, 2)[nearest[labels]], (0, 0), FLOW_PX)
