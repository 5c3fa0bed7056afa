"""What control maps are asked for beyond their kind, and what a detector is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from escalier.refusals import Refusal

Detect = Callable[[np.ndarray], np.ndarray]
"""A picture, uint8 RGB (H, W, 3) with sides that are multiples of the detector's step, to its map: (H, W) or (H, W, 3),
uint8; depth as float32 in the network's own unit."""

POSE_PARTS = ("body", "body and hands", "body, hands and face")


@dataclass(frozen=True)
class Options:
    """Dials of single kinds; the others do not look at them.

    Parameters
    ----------
    canny_low, canny_high
        Steps of brightness, 0 to 255: an edge starts where it is steeper than the high one and goes on down to the
        low one. Higher values leave fewer edges.
    mlsd_score, mlsd_distance
        How sure a straight line must be, 0 to 1, and how long, in pixels of the looking size. Higher values leave
        fewer lines.
    pose_parts
        What OpenPose draws: "body", "body and hands" or "body, hands and face".
    """

    canny_low: int = 100
    canny_high: int = 200
    mlsd_score: float = 0.1
    mlsd_distance: float = 0.1
    pose_parts: str = POSE_PARTS[0]

    def __post_init__(self) -> None:
        if not 0 <= self.canny_low <= self.canny_high:
            raise Refusal(
                "canny_low",
                "lie in 0..canny_high",
                f"{self.canny_low} and a canny_high of {self.canny_high}",
                "100 and 200 are good values",
            )
        if self.pose_parts not in POSE_PARTS:
            raise Refusal(
                "pose_parts",
                f"be one of {', '.join(map(repr, POSE_PARTS))}",
                f"{self.pose_parts!r}",
                "choose one of them",
            )
