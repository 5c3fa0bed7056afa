"""The pictures that control maps are drawn for, checked at the door."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from escalier.film import Size

STEP_PX = 64
"""Networks halve a picture up to six times."""
RESOLUTION_PX = 512
LARGEST_RESOLUTION_PX = 4096


def check_pictures(pictures: Sequence[np.ndarray], resolution: int, caller: str) -> Size:
    """The size of the pictures, if they are RGB of one size and the resolution is one that networks can look at."""
    if len(pictures) == 0:
        raise ValueError(f"{caller}: pictures must hold at least one picture, got none; connect keyframes")
    if resolution != 0 and not STEP_PX <= resolution <= LARGEST_RESOLUTION_PX:
        raise ValueError(
            f"{caller}: resolution must be 0 or lie in {STEP_PX}..{LARGEST_RESOLUTION_PX} px, got {resolution}; "
            f"{RESOLUTION_PX} is a good value"
        )
    size = Size.of(pictures[0])
    for number, picture in enumerate(pictures, start=1):
        if picture.ndim != 3 or picture.shape[2] != 3 or Size.of(picture) != size:
            raise ValueError(
                f"{caller}: pictures must be RGB of one size, {size}, got an array of shape {picture.shape} as number "
                f"{number}; convert or scale it first"
            )
    return size
