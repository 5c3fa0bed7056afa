"""How a keyframe sits in its cell: scaled or not, then padded; and how that is undone when the cell comes back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from escalier.film import Size
from escalier.refusals import Refusal

VAE_BLOCK = 8


@dataclass(frozen=True)
class Fit:
    """One keyframe in one cell: drawn at a size, at a place; the rest of the cell mirrors the drawing.

    The mirrored strip, at most 63 px where `plan_grid` chose the cell, keeps a foreign colour out of the picture's
    outermost 8-pixel blocks when the sheet goes through a VAE, and looks like more of the same scene to a model, which
    stretched edge pixels do not.

    Parameters
    ----------
    picture
        The keyframe.
    drawn
        The keyframe as it stands in the cell. Equal to `picture` where it is only padded.
    cell
        The cell, at least as large as `drawn` both ways.
    row, column
        The drawing's top left pixel in the cell.

    >>> Fit.centred(Size(960, 540), Size(640, 360), Size(640, 384))
    Fit(picture=Size(width=960, height=540), drawn=Size(width=640, height=360), cell=Size(width=640, height=384),
        row=8, column=0)
    """

    picture: Size
    drawn: Size
    cell: Size
    row: int
    column: int

    def __post_init__(self) -> None:
        inside = (
            0 <= self.row <= self.cell.height - self.drawn.height
            and 0 <= self.column <= self.cell.width - self.drawn.width
            and min(*self.picture, *self.drawn) >= 1
        )
        if not inside:
            got = f"{self.drawn} at row {self.row}, column {self.column} in a cell of {self.cell}"
            raise Refusal("drawn", "lie inside the cell", got, "plan the grid again", who="Fit")

    @classmethod
    def centred(cls, picture: Size, drawn: Size, cell: Size) -> Fit:
        """A drawing in the middle of its cell, its top left corner on the corner of an 8-pixel block of the VAE."""
        row, column = (
            (room - side) // 2 // VAE_BLOCK * VAE_BLOCK
            for room, side in ((cell.height, drawn.height), (cell.width, drawn.width))
        )
        return cls(picture, drawn, cell, row, column)

    @property
    def filter(self) -> str:
        """The filter that brings the keyframe to its drawn size: "none", "area" or "lanczos"."""
        return scaling_filter(self.picture, self.drawn)

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """The cell (H, W, 3) that a keyframe fills, of the same type."""
        drawing = resample(picture, self.drawn)
        below = self.cell.height - self.drawn.height - self.row
        right = self.cell.width - self.drawn.width - self.column
        return cv2.copyMakeBorder(drawing, self.row, below, self.column, right, cv2.BORDER_REFLECT)

    def undo(self, cell: np.ndarray, size: Size | None = None) -> np.ndarray:
        """The keyframe out of a cell (H, W, 3), which may have come back larger or smaller than it was planned.

        Parameters
        ----------
        cell
            The cell at any whole or fractional multiple of its planned size.
        size
            The size of the result. None leaves the drawing as it was painted, with no resampling.
        """
        scale = Fraction(cell.shape[0], self.cell.height)
        wanted = size or self.drawn_at(scale)
        # The smallest factor by which the scale must grow for every length to become a whole number of pixels.
        finer = math.lcm(*((length * scale).denominator for length in (self.row, self.column, *self.drawn)))
        if finer > 1:
            # The drawing's edge falls between two pixels of this smaller cell: cut where it falls on a pixel.
            cell = resample(cell, Size(cell.shape[1] * finer, cell.shape[0] * finer))
            scale *= finer
        top, left, width, height = (int(v * scale) for v in (self.row, self.column, *self.drawn))
        return resample(cell[top : top + height, left : left + width], wanted)

    def drawn_at(self, scale: Fraction) -> Size:
        """The size of the drawing in a cell that came back at another scale, to the nearest pixel.

        >>> str(Fit.centred(Size(961, 540), Size(641, 360), Size(704, 384)).drawn_at(Fraction(2)))
        '1282x720'
        """
        return Size(*(max(1, round(side * scale)) for side in self.drawn))


def scaling_filter(before: Size, after: Size) -> str:
    """The filter for a change of size: "area" averages when shrinking, "lanczos" (8 taps) keeps edges when enlarging.

    >>> scaling_filter(Size(960, 540), Size(640, 360))
    'area'
    """
    if before == after:
        return "none"
    shrinks = after.width <= before.width and after.height <= before.height
    return "area" if shrinks else "lanczos"


def resample(picture: np.ndarray, size: Size) -> np.ndarray:
    """A picture (H, W, 3) at another size, of the same type; a copy with the same bits where the size is the same.

    >>> resample(np.full((4, 6, 3), 7, np.uint8), Size(3, 2)).tolist()[0]
    [[7, 7, 7], [7, 7, 7], [7, 7, 7]]
    """
    chosen = scaling_filter(Size.of(picture), size)
    if chosen == "none":
        return picture.copy()
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if chosen == "area" else cv2.INTER_LANCZOS4)
    # Lanczos overshoots at edges: uint8 saturates by itself, a float picture must stay in 0..1 too.
    return scaled if picture.dtype == np.uint8 else np.clip(scaled, 0.0, 1.0)
