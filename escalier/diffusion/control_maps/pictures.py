"""The pictures that control maps are drawn for, checked at the door."""

from collections.abc import Sequence

import numpy as np

from escalier.film import Size
from escalier.refusals import Refusal

STEP_PX = 64
"""Networks halve a picture up to six times."""
RESOLUTION_PX = 512
LARGEST_RESOLUTION_PX = 4096


def check_pictures(pictures: Sequence[np.ndarray], resolution: int) -> Size:
    """The size of the pictures, if they are RGB of one size and the resolution is one that networks can look at."""
    if len(pictures) == 0:
        raise Refusal("pictures", "hold at least one picture", "none", "connect keyframes")
    if resolution != 0 and not STEP_PX <= resolution <= LARGEST_RESOLUTION_PX:
        rule = f"be 0 or lie in {STEP_PX}..{LARGEST_RESOLUTION_PX} px"
        raise Refusal("resolution", rule, resolution, f"{RESOLUTION_PX} is a good value")
    size = Size.of(pictures[0])
    for number, picture in enumerate(pictures, start=1):
        if picture.ndim != 3 or picture.shape[2] != 3 or Size.of(picture) != size:
            got = f"an array of shape {picture.shape} as number {number}"
            raise Refusal("pictures", f"be RGB of one size, {size}", got, "convert or scale it first")
    return size
