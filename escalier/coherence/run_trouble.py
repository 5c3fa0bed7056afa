"""What finished runs and their measurement say against a frame: disagreement, lost confidence, jumps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from escalier.film import Size
from escalier.progress import Progress
from escalier.propagation import Runs

from .compared_frames import at_size, unit
from .measurement import Measurement

SIDE_PX = 160
APART_DELTA_E, FULLY_APART_DELTA_E = 12.0, 40.0
USUAL, FULL_CHANGE = 1.0, 6.0


@dataclass(frozen=True)
class RunTrouble:
    """Reasons to trust frames less, for N frames of T thumbnail pixels."""

    disagreement: np.ndarray
    """float32 (N, T), 0..1: how differently the two runs paint each thumbnail pixel; 1 from 40 Delta E on."""
    apart: np.ndarray
    """float32 (N,): share of the picture on which they are at least 12 Delta E apart."""
    confidence: np.ndarray
    """float32 (N,), 0..1, see `Runs.confidence`."""
    change: np.ndarray
    """float32 (N,): how much the picture changes from or to its neighbour, over the film's median; 1 is usual."""

    @classmethod
    def none(cls, length: int, shape: tuple[int, int]) -> RunTrouble:
        """Nothing is known against any frame."""
        zeros, ones = np.zeros(length, np.float32), np.ones(length, np.float32)
        return cls(np.zeros((length, shape[0] * shape[1]), np.float32), zeros, ones, ones)

    def doubt(self) -> np.ndarray:
        """The strongest reason at each thumbnail pixel, float32 (N, T), 0..1."""
        jump = np.clip((self.change - USUAL) / (FULL_CHANGE - USUAL), 0, 1)
        frame = np.maximum(1 - self.confidence, jump).astype(np.float32)
        return np.maximum(self.disagreement, frame[:, None])


def run_trouble(runs: Runs, length: int, shape: tuple[int, int], progress: Progress | None = None) -> RunTrouble:
    """What runs of a film of `length` frames, or of a part of it, say; on thumbnails of `shape` (rows, columns)."""
    trouble = RunTrouble.none(length, shape)
    scale = min(1.0, SIDE_PX / max(runs.size))
    size = Size(*(max(1, round(side * scale)) for side in runs.size))
    trouble.confidence[runs.first : runs.first + len(runs)] = runs.confidence()
    for index in range(len(runs)):
        sides = runs.at(index)
        if len(sides) == 2:
            one, other = (cv2.cvtColor(unit(at_size(run.frame(index), size)), cv2.COLOR_RGB2LAB) for run in sides)
            apart = np.linalg.norm(one - other, axis=-1)
            trouble.apart[runs.first + index] = (apart >= APART_DELTA_E).mean()
            small = cv2.resize(apart, shape[::-1], interpolation=cv2.INTER_AREA)
            trouble.disagreement[runs.first + index] = np.minimum(small.ravel() / FULLY_APART_DELTA_E, 1)
        if progress is not None:
            progress(index + 1, len(runs))
    return trouble


def measured_trouble(measurement: Measurement) -> np.ndarray:
    """How much each frame changes to its neighbours over the median change, float32 (N,); 1 where it is not known."""
    curve = measurement.curves["visible_change"]
    known = curve[np.isfinite(curve)]
    median = float(np.median(known)) if known.size else 0.0
    if median <= 0:
        return np.ones(len(curve), np.float32)
    ratio = np.where(np.isfinite(curve), curve / median, USUAL)
    return np.maximum(ratio, np.concatenate([[USUAL], ratio[:-1]])).astype(np.float32)
