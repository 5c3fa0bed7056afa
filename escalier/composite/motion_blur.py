"""What motion blur makes of a hard outline, by how a subject moves and for how long the shutter is open.

While the shutter is open an outline passes over the pixels along its motion: the blurred mask is the mean of the mask
along that way, and its half lies where the mask has its edge. For which share of a frame's time the shutter is open is
read from the film: from the pixels whose colours tell how much of them is hers.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from escalier.film import sampling_positions

SHARES = (0.0, 0.125, 0.25, 0.375, 0.5, 0.75, 1.0)
"""The shares of a frame's time for which a shutter may be open."""
USUAL, USUAL_COUNTS = 0.5, 5.0
"""What film cameras take, and by how much, in pixels told wrong, another share must do better."""
MOVES_PX = 2.0
"""What moves less from frame to frame says nothing of the shutter."""
MOST_WRONG = np.float32(0.3)
"""Pixels further off tell of something else: hair that the mask has not."""
SAMPLE_PX, MOST_SAMPLES = 2.0, 16
ENOUGH = 500.0
"""By so many pixels ahead, a share is settled."""


def smeared(picture: np.ndarray, flow: np.ndarray, share: float) -> np.ndarray:
    """A picture float32 (H, W) as a shutter that is open for `share` of the time sees it move by `flow` a frame."""
    return next(iter(_each_smeared(picture, flow, (share,))))


def _each_smeared(picture: np.ndarray, flow: np.ndarray, shares: tuple[float, ...]) -> list[np.ndarray]:
    longest = max(shares) * float(np.sqrt(np.square(flow).sum(axis=2).max(initial=0)))
    half = math.ceil(np.clip(longest / 2 / SAMPLE_PX, 0, MOST_SAMPLES))
    sums, weights = [np.zeros_like(picture) for _ in shares], [0.0 for _ in shares]
    for k in range(-half, half + 1):
        x, y = sampling_positions(flow * np.float32(max(shares) / 2 * k / half) if half else flow * 0)
        sample = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for which, share in enumerate(shares):
            weight = float(np.clip(share / max(*shares, 1e-6) * half - abs(k) + 0.5, 0, 1))
            if weight:
                sums[which] += np.float32(weight) * sample
                weights[which] += weight
    return [total / np.float32(weight) for total, weight in zip(sums, weights, strict=True)]


class Shutter:
    """For which share of a frame's time the shutter of a film is open, as far as the frames seen so far tell."""

    def __init__(self) -> None:
        self._wrong = np.full(len(SHARES), USUAL_COUNTS)
        self._wrong[SHARES.index(USUAL)] = 0

    @property
    def share(self) -> float:
        """The share that tells most pixels right."""
        return SHARES[int(self._wrong.argmin())]

    def learn(self, mask: np.ndarray, flow: np.ndarray, alpha: np.ndarray, known: np.ndarray) -> None:
        """Hold a frame's mask, smeared for each share, against alpha by its colours, known 0..1: float32 (H, W)."""
        if np.partition(self._wrong, 1)[1] - self._wrong.min() > ENOUGH:
            return
        weight = np.where(np.square(flow).sum(axis=2) >= MOVES_PX**2, known, np.float32(0))
        if not weight.any():
            return
        for which, smear in enumerate(_each_smeared(mask, flow, SHARES)):
            self._wrong[which] += float((weight * np.minimum(np.abs(smear - alpha), MOST_WRONG)).sum())
