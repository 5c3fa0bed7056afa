"""The size at which a detector looks: scaled as a whole, padded to what its network needs, never stretched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from escalier.film import Size
from escalier.refusals import Refusal

STEP_PX = 64
"""Networks halve a picture up to six times."""
RESOLUTION_PX = 512
LARGEST_RESOLUTION_PX = 4096


class Room(NamedTuple):
    """How a picture is brought before a detector, and how its map comes back to the picture's size.

    >>> room = Room.of(Size(961, 541), resolution=512, step_px=64)
    >>> str(room.drawn), str(room.padded)
    ('909x512', '960x512')
    """

    picture: Size
    drawn: Size
    padded: Size

    @classmethod
    def of(cls, picture: Size, resolution: int, step_px: int) -> Room:
        """Room for a picture whose short side is scaled to `resolution` pixels; 0 keeps its own size."""
        scale = resolution / min(picture) if resolution else 1.0
        drawn = Size(*(max(1, round(side * scale)) for side in picture))
        return cls(picture, drawn, Size(*(-(-side // step_px) * step_px for side in drawn)))

    def enter(self, picture: np.ndarray) -> np.ndarray:
        """The picture (H, W, 3) scaled, its last row and column repeated below and to the right."""
        if self.drawn != self.picture:
            shrinks = self.drawn.width < self.picture.width
            picture = cv2.resize(picture, self.drawn, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        below, right = self.padded.height - self.drawn.height, self.padded.width - self.drawn.width
        # Repeated, not mirrored: a mirrored person at the edge would be found as a second one.
        return cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_REPLICATE)

    def leave(self, found: np.ndarray, *, labels: bool = False) -> np.ndarray:
        """A map (H, W) or (H, W, 3) of the padded picture, cut and scaled to the picture's own size.

        `labels` takes the nearest value, for maps whose numbers are names: between two of them lies nothing.
        """
        cut = found[: self.drawn.height, : self.drawn.width]
        if self.drawn == self.picture:
            return np.ascontiguousarray(cut)
        shrinks = self.picture.width < self.drawn.width
        smooth = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(cut, self.picture, interpolation=cv2.INTER_NEAREST_EXACT if labels else smooth)


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
