"""What a sheet of keyframes may be: a value."""

from collections.abc import Sequence
from dataclasses import dataclass

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import Refusal

from .grid import STEP_PX

PER_SHEET = 9
MAX_SIDE_PX = 1920
FITS = ("scale", "pad")
ANCHORS = ("none", "first", "previous", "first and previous")
_GUTTER = f"be a multiple of {STEP_PX} px", f"use 0 or {STEP_PX}"


@checked
@dataclass(frozen=True)
class Sheet(Dials):
    """What a sheet may be: how large, with how many cells, and which of them are repeated.

    Attributes
    ----------
    anchors
        Cells repeated in every sheet, where there are several: "none"; "first", the first keyframe; "previous", the
        last new one of the sheet before; "first and previous"; or frame numbers of keyframes. They cost cells, and show
        and correct how the look drifts from sheet to sheet.

    >>> Sheet(gutter=10)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Sheet: gutter must be a multiple of 64 px, got 10; use 0 or 64
    """

    max_side: int = dial(
        MAX_SIDE_PX,
        "The longest a side of a sheet may be, in pixels. 1920, because above about that diffusion models repeat and "
        "tear the picture and their memory explodes. Larger gives larger cells.",
        least=STEP_PX,
        offered=(STEP_PX, 8192),
        step=STEP_PX,
        unit="px",
        rule=f"be at least {STEP_PX} px",
        remedy="1920 is a good value",
    )
    per_sheet: int = dial(
        PER_SHEET,
        "At most this many cells on a sheet. 9, because faces break in smaller cells; 4 to 9 is a good range. More "
        "puts more keyframes under one look.",
        least=1,
        offered=(1, 49),
        rule="be at least 1",
        remedy="4 to 9 is a good range",
    )
    gutter: int = dial(
        0,
        "Grey pixels between cells. 0 leaves the most room; 64 keeps a model from painting across from one cell into "
        "the next.",
        least=0,
        offered=(0, 512),
        step=STEP_PX,
        unit="px",
        rule=_GUTTER[0],
        remedy=_GUTTER[1],
    )
    fit: str = dial(
        "scale",
        "'scale' scales keyframes down to their cells, so that more fit on a sheet. 'pad' never scales: the split then "
        "returns every pixel as it was painted.",
        choices=FITS,
    )
    anchors: str | Sequence[int] = "first"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.gutter % STEP_PX:
            raise Refusal("gutter", _GUTTER[0], self.gutter, _GUTTER[1])
        if isinstance(self.anchors, str) and self.anchors not in ANCHORS:
            raise Refusal(
                "anchors", f"be one of {', '.join(ANCHORS)} or frame numbers", f"{self.anchors!r}", "choose one"
            )

    @property
    def limit_px(self) -> int:
        """The longest side in whole steps."""
        return self.max_side // STEP_PX * STEP_PX
