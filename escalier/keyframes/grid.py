"""Sheets of keyframes: laid out so that one diffusion pass paints them all, and cut back to the bit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

from .fit import Fit
from .keyframes import Keyframes, check_indices

STEP_PX = 64
"""Cell origins, gutters and sheet sides are multiples of this: a VAE crops a sheet that is not a multiple of 8, and
samplers, ControlNet preprocessors and halved sheets stay exact on 64."""

NEUTRAL = 0.5
"""Mid grey, of gutters and of cells that no keyframe fills: 0.5, or 128 of 255."""


@checked
@dataclass(frozen=True)
class GridPlan:
    """Where each keyframe stands on which sheet. `plan_grid` makes it, `tile` and `split` follow it.

    A small value that travels with the sheets, over a wire or as JSON, so that split is the inverse of tile whatever
    happened between. All sheets of a plan have the same cells, so that they form one batch.

    Parameters
    ----------
    sheets
        For each sheet the frame numbers in its cells, row by row. A number on several sheets is an anchor cell.
    length
        Number of frames in the film.
    columns, rows
        Cells on a sheet; the last ones may be empty.
    gutter
        Pixels between neighbouring cells.
    fit
        The size of keyframes and cells, and how the one sits in the other.
    warnings
        What may go wrong with this plan, in plain sentences.

    >>> fit = Fit.centred(Size(960, 540), Size(960, 540), Size(960, 576))
    >>> plan = GridPlan(sheets=((0, 24), (0, 48)), length=72, columns=2, rows=1, gutter=0, fit=fit)
    >>> plan.indices, str(plan.sheet_size), plan.copies(0)
    ((0, 24, 48), '1920x576', [(0, 0), (1, 0)])
    >>> GridPlan.from_json(plan.to_json()) == plan
    True
    """

    sheets: tuple[tuple[int, ...], ...]
    length: int
    columns: int
    rows: int
    gutter: int
    fit: Fit
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_indices(self.indices, self.length)
        lengths = (*self.fit.cell, self.gutter)
        if self.gutter < 0 or any(v % STEP_PX for v in lengths):
            got = f"cells of {self.fit.cell} and a gutter of {self.gutter} px"
            raise Refusal("cells and gutter", f"be multiples of {STEP_PX} px", got, "make the plan with plan_grid")
        for number, frames in enumerate(self.sheets, start=1):
            if not 1 <= len(frames) <= self.columns * self.rows:
                rule = f"hold 1 to {self.columns * self.rows} keyframes"
                raise Refusal("each sheet", rule, f"{len(frames)} on sheet {number}", "make the plan with plan_grid")
            if len(set(frames)) < len(frames):
                got = f"frames {', '.join(map(str, frames))} on sheet {number}"
                raise Refusal("a sheet", "hold a keyframe once", got, "make the plan with plan_grid")

    @property
    def indices(self) -> tuple[int, ...]:
        """The frame numbers of all keyframes, rising."""
        return tuple(sorted(set(itertools.chain.from_iterable(self.sheets))))

    @property
    def anchors(self) -> tuple[int, ...]:
        """The frame numbers that stand on more than one sheet."""
        return tuple(index for index in self.indices if len(self.copies(index)) > 1)

    @property
    def sheet_size(self) -> Size:
        width, height = self.fit.cell
        return Size(
            self.columns * width + (self.columns - 1) * self.gutter, self.rows * height + (self.rows - 1) * self.gutter
        )

    def origin(self, cell: int) -> tuple[int, int]:
        """The (row, column) of a cell's top left pixel on its sheet; cells count from 0, row by row."""
        row, column = divmod(cell, self.columns)
        return row * (self.fit.cell.height + self.gutter), column * (self.fit.cell.width + self.gutter)

    def copies(self, index: int) -> list[tuple[int, int]]:
        """Every (sheet, cell) that shows a frame; the first one is the one that `split` returns."""
        return [(s, frames.index(index)) for s, frames in enumerate(self.sheets) if index in frames]

    def describe(self) -> str:
        """The plan in plain words, for the node and the terminal: the layout, the fit, the anchors, the warnings."""
        sheets, cells = len(self.sheets), len(self.indices)
        lines = [
            f"{cells} keyframe{'s' * (cells > 1)} on {sheets} sheet{'s' * (sheets > 1)} of "
            f"{self.columns}x{self.rows} cells, {self.fit.cell} each, sheet {self.sheet_size}"
        ]
        if self.fit.picture == self.fit.drawn:
            lines.append(f"keyframes of {self.fit.picture} padded, not scaled")
        else:
            lines.append(f"keyframes of {self.fit.picture} scaled to {self.fit.drawn} ({self.fit.filter})")
        if self.anchors:
            lines.append(f"anchor cells: frame {', '.join(map(str, self.anchors))}")
        return "\n".join([*lines, *(f"warning: {sentence}" for sentence in self.warnings)])

    def to_json(self) -> str:
        """The plan as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> GridPlan:
        """The plan that `to_json` wrote."""
        try:
            fields = json.loads(text)
            fit = fields["fit"]
            sizes = {name: Size(*map(int, fit[name])) for name in ("picture", "drawn", "cell")}
            return cls(
                sheets=tuple(tuple(map(int, frames)) for frames in fields["sheets"]),
                fit=Fit(**sizes, row=int(fit["row"]), column=int(fit["column"])),
                warnings=tuple(map(str, fields["warnings"])),
                **{name: int(fields[name]) for name in ("length", "columns", "rows", "gutter")},
            )
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            rule, got = "be a plan that to_json wrote", f"{text[:60]!r}"
            raise Refusal("text", rule, got, "make the plan with plan_grid", who="GridPlan.from_json") from error


@checked
def tile(plan: GridPlan, keyframes: Keyframes) -> np.ndarray:
    """Lay keyframes on the sheets of a plan.

    Parameters
    ----------
    plan
        Made for keyframes at these indices and of this size.
    keyframes
        The pictures, uint8 or float32 0..1.

    Returns
    -------
    numpy.ndarray
        Sheets (N, H, W, 3) of the keyframes' type. Gutters and empty cells are mid grey: 0.5, or 128 of 255.

    Raises
    ------
    ValueError
        If the keyframes are not those that the plan was made for.

    >>> from escalier.keyframes import Sheet, plan_grid
    >>> keyframes = Keyframes([0, 30, 60], [np.zeros((540, 960, 3), np.uint8)] * 3, length=90)
    >>> tile(plan_grid(keyframes.indices, keyframes.size, keyframes.length), keyframes).shape
    (1, 1728, 960, 3)
    """
    if keyframes.indices != plan.indices:
        rule = f"stand at the plan's frames {_listing(plan.indices)}"
        raise Refusal("keyframes", rule, _listing(keyframes.indices), "plan the grid again for these keyframes")
    if keyframes.size != plan.fit.picture:
        raise Refusal(
            "keyframes", f"be {plan.fit.picture} as planned", keyframes.size, "plan the grid again for these keyframes"
        )
    dtype = keyframes.pictures[0].dtype
    grey = 128 if dtype == np.uint8 else NEUTRAL
    width, height = plan.sheet_size
    sheets = np.full((len(plan.sheets), height, width, 3), grey, dtype)
    for index, picture in keyframes:
        fitted = plan.fit.apply(picture)
        for sheet, cell in plan.copies(index):
            row, column = plan.origin(cell)
            sheets[sheet, row : row + plan.fit.cell.height, column : column + plan.fit.cell.width] = fitted
    return sheets


@checked
def split_cells(plan: GridPlan, sheets: np.ndarray | Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Cut sheets into their fitted cells, bit for bit, every copy of an anchor cell included.

    Parameters
    ----------
    plan
        The plan that the sheets were tiled by.
    sheets
        (N, H, W, 3), in the order of the plan. All of them may have come back larger or smaller by one factor, for
        instance 2 or 1/2, that leaves every cell a whole number of pixels.

    Returns
    -------
    list of list of numpy.ndarray
        `cells[s][k]` (H, W, 3) shows frame `plan.sheets[s][k]`, padding included.

    Raises
    ------
    ValueError
        If there are too many or too few sheets, or a sheet was cropped or stretched.

    >>> fit = Fit.centred(Size(64, 64), Size(64, 64), Size(64, 64))
    >>> plan = GridPlan(sheets=((0, 8),), length=9, columns=2, rows=1, gutter=0, fit=fit)
    >>> [cell.shape for cell in split_cells(plan, np.zeros((1, 128, 256, 3), np.uint8))[0]]
    [(128, 128, 3), (128, 128, 3)]
    """
    if len(sheets) != len(plan.sheets):
        remedy = "pass the whole batch, in the order in which it was tiled"
        raise Refusal("sheets", f"be as many as planned, {len(plan.sheets)}", len(sheets), remedy)
    scales = {_returned_scale(plan, sheet, number) for number, sheet in enumerate(sheets, start=1)}
    if len(scales) > 1:
        sizes = ", ".join(str(Size.of(sheet)) for sheet in sheets)
        raise Refusal("sheets", "all have one size", sizes, "scale them alike")
    (scale,) = scales
    height, width = int(plan.fit.cell.height * scale), int(plan.fit.cell.width * scale)
    cells: list[list[np.ndarray]] = []
    for sheet, frames in zip(sheets, plan.sheets, strict=True):
        origins = [tuple(int(place * scale) for place in plan.origin(cell)) for cell in range(len(frames))]
        cells.append([sheet[row : row + height, column : column + width].copy() for row, column in origins])
    return cells


@checked
def split(plan: GridPlan, sheets: np.ndarray | Sequence[np.ndarray], *, size: Size | str = "film") -> Keyframes:
    """Cut sheets back into keyframes and undo the fit. Of an anchor cell, the copy on its first sheet is taken.

    Parameters
    ----------
    plan, sheets
        As for `split_cells`.
    size
        "film" brings the keyframes to the film's size, as propagation needs them: untouched where the plan only
        padded them, else scaled once, by area averaging down or Lanczos up; a sheet that was upscaled between gives
        sharper keyframes. "painted" leaves the pixels as they were painted, with no scaling at all, so that a sheet
        upscaled twice gives keyframes twice as large as they stood in their cells. Or any `Size`.

    Returns
    -------
    Keyframes
        At the plan's indices, of the sheets' type.

    Raises
    ------
    ValueError
        As `split_cells`, or if a sheet holds NaN.

    >>> from escalier.keyframes import Sheet, plan_grid
    >>> painted = [np.full((270, 480, 3), level, np.uint8) for level in (50, 200)]
    >>> keyframes = Keyframes([0, 30], painted, length=60)
    >>> plan = plan_grid(keyframes.indices, keyframes.size, keyframes.length, Sheet(fit="pad"))
    >>> back = split(plan, tile(plan, keyframes))
    >>> all(np.array_equal(a, b) for a, b in zip(back.pictures, painted))
    True
    """
    if not isinstance(size, Size) and size not in ("film", "painted"):
        raise Refusal("size", "be 'film', 'painted' or a Size", f"{size!r}", "choose one of them")
    wanted = plan.fit.picture if size == "film" else size if isinstance(size, Size) else None
    cells = split_cells(plan, sheets)
    first_copies = [plan.copies(index)[0] for index in plan.indices]
    pictures = [plan.fit.undo(cells[sheet][cell], wanted) for sheet, cell in first_copies]
    return Keyframes(plan.indices, pictures, plan.length)


def _returned_scale(plan: GridPlan, sheet: np.ndarray, number: int) -> Fraction:
    """By how much a sheet has grown or shrunk; refuses one that was cropped, stretched or has lost its colours."""
    if sheet.ndim != 3 or sheet.shape[2] != 3:
        raise Refusal(
            f"sheet {number}", "be RGB", f"an array of shape {sheet.shape}", "convert grey or RGBA sheets first"
        )
    planned, got = plan.sheet_size, Size.of(sheet)
    scale = Fraction(got.width, planned.width)
    lengths = (*plan.fit.cell, plan.gutter)
    whole = all((length * scale).denominator == 1 for length in lengths)
    if scale == 0 or scale != Fraction(got.height, planned.height) or not whole:
        rule = f"be {planned} as planned, or an exact multiple of it, larger or smaller"
        remedy = "it was cropped or stretched on the way: keep its size, or scale it by a whole factor"
        raise Refusal(f"sheet {number}", rule, got, remedy)
    return scale


def _listing(indices: Sequence[int]) -> str:
    shown = ", ".join(map(str, indices[:9]))
    return shown if len(indices) <= 9 else f"{shown} ... ({len(indices)} in all)"
