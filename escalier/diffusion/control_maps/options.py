"""What control maps are asked for beyond their kind, and what a detector is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import Refusal

Detect = Callable[[np.ndarray], np.ndarray]
"""A picture, uint8 RGB (H, W, 3) with sides that are multiples of the detector's step, to its map: (H, W) or (H, W, 3),
uint8; depth as float32 in the network's own unit."""

POSE_PARTS = ("body", "body and hands", "body, hands and face")


@checked
@dataclass(frozen=True)
class Options(Dials):
    """Dials of single kinds; the others do not look at them.

    >>> Options(canny_low=300)
    Traceback (most recent call last):
    escalier.refusals.Refusal: draw_control_maps: canny_low must lie in 0..canny_high, got 300 ...
    """

    canny_low: int = dial(
        100,
        "Canny goes on along an edge down to this steepness. 100 is the usual value; less draws longer lines, and "
        "noise.",
        offered=(0, 1000),
        remedy="100 and 200 are good values",
    )
    canny_high: int = dial(
        200,
        "Canny starts a line only where an edge is steeper than this. 200 is the usual value; more leaves only strong "
        "edges.",
        offered=(0, 1000),
        remedy="100 and 200 are good values",
    )
    mlsd_score: float = dial(
        0.1,
        "How sure MLSD must be of a line. 0.1 is the usual value; more leaves fewer lines.",
        offered=(0, 1),
        step=0.01,
        remedy="0.1 is the usual value",
    )
    mlsd_distance: float = dial(
        0.1,
        "How long a line must be for MLSD, in pixels at half the resolution. 0.1 keeps nearly all; 10 drops the short "
        "ones.",
        offered=(0, 100),
        step=0.1,
        unit="px",
        remedy="0.1 keeps nearly all",
    )
    pose_parts: str = dial(
        POSE_PARTS[0],
        "What OpenPose draws. Hands and face need one more file each, and large people.",
        choices=POSE_PARTS,
    )

    def __post_init__(self) -> None:
        if not 0 <= self.canny_low <= self.canny_high:
            rule, got = "lie in 0..canny_high", f"{self.canny_low} and a canny_high of {self.canny_high}"
            raise Refusal("canny_low", rule, got, "100 and 200 are good values", who="draw_control_maps")
        if self.pose_parts not in POSE_PARTS:
            rule = f"be one of {', '.join(map(repr, POSE_PARTS))}"
            raise Refusal("pose_parts", rule, f"{self.pose_parts!r}", "choose one of them", who="draw_control_maps")
        super().__post_init__()
