"""Plan the sheets before the hour is spent: how many, how many cells on each, how large, and what may go wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

from .fit import Fit
from .grid import STEP_PX, GridPlan
from .keyframes import check_indices
from .sheet import MAX_SIDE_PX, PER_SHEET, Sheet

SMALL_CELL_PX = 512
FEW_PER_SHEET = 4
KEYFRAMES_PER_SECOND = 2
SMOOTHED_ENLARGEMENT = 2


@dataclass(frozen=True)
class _Layout:
    """One way to lay cells on a sheet."""

    columns: int
    rows: int
    fit: Fit
    score: Fraction


@checked
def plan_grid(
    indices: Sequence[int], size: Size, length: int, sheet: Sheet | None = None, *, rate: Fraction | float | None = None
) -> GridPlan:
    """Lay keyframes on as few sheets as allowed, in cells as large as possible.

    Sheets are balanced (10 keyframes at 9 a sheet become 5 and 5, not 9 and 1) and all alike, so that they go through
    diffusion as one batch. Among the ways to lay out a sheet, the one with the largest cells is taken; an empty cell
    counts against a layout as much as making its cells smaller in the same proportion. Anchor cells come first on
    each sheet, at the same place on every one, so that the same seed gives them the same noise.

    Parameters
    ----------
    indices
        Frame numbers of the keyframes, rising.
    size
        Size of the keyframes: the film's.
    length
        Number of frames in the film.
    sheet
        How large a sheet may be, with how many cells, and which of them are repeated, see `Sheet`. A keyframe is scaled
        to its cell: never above its own size, where the split would throw the gain away, except up to 512 px on the
        short side, below which models paint badly.
    rate
        Frames per second of the film; without it, nothing is said about keyframes that follow too fast.

    Returns
    -------
    GridPlan
        With its warnings.

    Raises
    ------
    ValueError
        If keyframes lie outside the film, anchors are none of them, or nothing can be laid out on such a sheet.

    >>> plan = plan_grid(range(0, 432, 48), Size(960, 540), 450, rate=24)
    >>> print(plan.describe().splitlines()[0])
    9 keyframes on 1 sheet of 3x3 cells, 640x384 each, sheet 1920x1152
    """
    indices, sheet = tuple(map(int, indices)), sheet or Sheet()
    check_indices(indices, length)
    if min(size) < 1:
        raise Refusal("size", "be at least 1x1", Size(*size), "check the clip")
    fixed, repeats_previous = _anchor_cells(indices, sheet.anchors)
    for count in range(1, len(indices) + 1):
        sheets = _share_out(indices, count, fixed, repeats_previous)
        cells = max(map(len, sheets))
        layout = _best_layout(cells, size, sheet) if cells <= sheet.per_sheet else None
        if layout is not None and min(map(len, sheets)) > (len(fixed) + repeats_previous) * (count > 1):
            plan = GridPlan(tuple(map(tuple, sheets)), length, layout.columns, layout.rows, sheet.gutter, layout.fit)
            warnings = _warnings(plan, rate, _larger_cells(plan, cells, sheet))
            return replace(plan, warnings=tuple(warnings))
    if _best_layout(1, size, sheet) is None:
        cell = Size(*(-(-side // STEP_PX) * STEP_PX for side in size))
        rule = f"hold one cell of {cell} for a keyframe of {size} that is padded"
        raise Refusal("max_side", rule, f"{sheet.max_side} px", "use fit 'scale' or a larger max_side")
    repeated = len(fixed) + repeats_previous
    rule = f"have room for more than its {repeated} anchor cell{'s' * (repeated > 1)}"
    got = f"per_sheet {sheet.per_sheet} and max_side {sheet.max_side} px with a gutter of {sheet.gutter} px"
    raise Refusal("a sheet", rule, got, "repeat fewer anchors or allow more cells a sheet")


def _anchor_cells(indices: Sequence[int], anchors: str | Sequence[int]) -> tuple[list[int], int]:
    """The frames that stand on every sheet, and how many cells repeat the sheet before (0 or 1)."""
    if isinstance(anchors, str):
        return [indices[0]] if "first" in anchors else [], int("previous" in anchors)
    strangers = sorted(set(anchors) - set(indices))
    if strangers:
        rule = "be frames of keyframes"
        raise Refusal("anchors", rule, ", ".join(map(str, strangers)), f"choose among {', '.join(map(str, indices))}")
    return sorted(set(anchors)), 0


def _share_out(indices: Sequence[int], count: int, fixed: list[int], repeats_previous: int) -> list[list[int]]:
    """The frames of each sheet: anchor cells first, then its own, in time. The longest sheets come first."""
    if count == 1:
        return [list(indices)]
    own = [index for index in indices if index not in fixed]
    cells = len(own) + (count - 1) * repeats_previous
    sheets: list[list[int]] = []
    taken = 0
    for number in range(count):
        new = cells // count + (number < cells % count) - (repeats_previous if number else 0)
        previous = own[taken - 1 : taken] if repeats_previous and number else []
        sheets.append([*fixed, *previous, *own[taken : taken + max(0, new)]])
        taken += max(0, new)
    return sheets


def _best_layout(cells: int, size: Size, sheet: Sheet) -> _Layout | None:
    """The layout with the largest cells and the fewest empty ones; of equals, the one with the squarest sheet."""

    def rank(layout: _Layout) -> tuple[Fraction, int, int]:
        width, height = layout.fit.cell
        return layout.score, -max(layout.columns * width, layout.rows * height), layout.columns

    return max(_layouts(cells, size, sheet), key=rank, default=None)


def _layouts(cells: int, size: Size, sheet: Sheet) -> Iterator[_Layout]:
    for columns in range(1, min(cells, sheet.limit_px // STEP_PX) + 1):
        rows = -(-cells // columns)
        room = Size(*((sheet.limit_px - (n - 1) * sheet.gutter) // n // STEP_PX * STEP_PX for n in (columns, rows)))
        if min(room) < STEP_PX:
            continue
        scale = _drawn_scale(size, room) if sheet.fit == "scale" else Fraction(1)
        drawn = Size(*(max(1, round(side * scale)) for side in size))
        cell = Size(*(-(-side // STEP_PX) * STEP_PX for side in drawn))
        if cell.width <= room.width and cell.height <= room.height:
            yield _Layout(columns, rows, Fit.centred(size, drawn, cell), scale * Fraction(cells, columns * rows))


def _drawn_scale(size: Size, room: Size) -> Fraction:
    """How much a keyframe is scaled: as large as its room allows, at most to its own size or to 512 px, see above."""
    enough = max(Fraction(1), Fraction(SMALL_CELL_PX, min(size)))
    return min(Fraction(room.width, size.width), Fraction(room.height, size.height), enough)


def _larger_cells(plan: GridPlan, cells: int, sheet: Sheet) -> tuple[int, Size] | None:
    """The most cells a sheet, fewer than planned, whose pictures reach 512 px, and the size they would have."""
    for fewer in range(cells - 1, 0, -1):
        layout = _best_layout(fewer, plan.fit.picture, sheet)
        if layout is not None and min(layout.fit.drawn) >= SMALL_CELL_PX:
            return fewer, layout.fit.drawn
    return None


def _warnings(plan: GridPlan, rate: Fraction | float | None, larger: tuple[int, Size] | None) -> Iterator[str]:
    drawn, picture = plan.fit.drawn, plan.fit.picture
    cells = max(map(len, plan.sheets))
    if min(drawn) < SMALL_CELL_PX:
        mend = f"; per_sheet {larger[0]} makes them {larger[1]}" if larger else ""
        yield f"Pictures of {drawn} are under {SMALL_CELL_PX} px on the short side: faces may break{mend}."
    if cells > PER_SHEET:
        yield (
            f"{cells} cells on a sheet are more than {PER_SHEET}: they get little detail each; choose fewer keyframes "
            f"or set per_sheet to {PER_SHEET}."
        )
    if max(plan.sheet_size) > MAX_SIDE_PX:
        yield (
            f"A sheet of {plan.sheet_size} is longer than {MAX_SIDE_PX} px: diffusion models repeat and tear such "
            "pictures and their memory explodes."
        )
    enlargement = picture.width / drawn.width
    if enlargement > SMOOTHED_ENLARGEMENT:
        yield (
            f"The split enlarges {drawn} to {picture}, {enlargement:.1f} times: over {SMOOTHED_ENLARGEMENT} looks "
            "smoothed; upscale the sheets before the split, or put fewer cells on a sheet."
        )
    if len(plan.sheets) > 1 and cells < FEW_PER_SHEET:
        yield (
            f"Sheets of {cells} cell{'s' * (cells > 1)} share their look with few others: {FEW_PER_SHEET} to "
            f"{PER_SHEET} a sheet hold together better."
        )
    if len(plan.sheets) > 1 and not plan.anchors:
        yield (
            f"{len(plan.sheets)} sheets share no anchor cell: faces and colours may change from sheet to sheet; set "
            "anchors to 'first'."
        )
    yield from _warn_of_haste(plan.indices, rate)


def _warn_of_haste(indices: tuple[int, ...], rate: Fraction | float | None) -> Iterator[str]:
    if rate is None or len(indices) < 2:
        return
    per_second = float(Fraction(rate) * (len(indices) - 1) / (indices[-1] - indices[0]))
    if per_second > KEYFRAMES_PER_SECOND:
        yield (
            f"{per_second:.1f} keyframes per second are more than {KEYFRAMES_PER_SECOND}: fades get too short and look "
            "like jump cuts; 0.5 per second is a good value."
        )
