"""Plan the sheets before the hour is spent: how many, how many cells on each, how large, and what may go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

from .fit import Fit
from .grid import STEP_PX, GridPlan
from .keyframes import check_indices

MAX_SIDE_PX = 1920
PER_SHEET = 9
SMALL_CELL_PX = 512
FEW_PER_SHEET = 4
KEYFRAMES_PER_SECOND = 2
SMOOTHED_ENLARGEMENT = 2

FITS = ("scale", "pad")
ANCHORS = ("none", "first", "previous", "first and previous")


@dataclass(frozen=True)
class _Layout:
    """One way to lay cells on a sheet."""

    columns: int
    rows: int
    fit: Fit
    score: Fraction


@checked
def plan_grid(
    indices: Sequence[int],
    size: Size,
    length: int,
    *,
    rate: Fraction | float | None = None,
    max_side: int = MAX_SIDE_PX,
    per_sheet: int = PER_SHEET,
    gutter: int = 0,
    fit: str = "scale",
    anchors: str | Sequence[int] = "first",
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
    rate
        Frames per second of the film; without it, nothing is said about keyframes that follow too fast.
    max_side
        The longest a sheet's side may be, in pixels. 1920 by default: above about that, diffusion models repeat and
        tear the picture, and their memory explodes. Larger gives larger cells.
    per_sheet
        At most this many cells on a sheet, anchor cells included. More keeps more keyframes under one look and makes
        cells smaller; 4 to 9 is a good range.
    gutter
        Pixels between cells, a multiple of 64. It keeps a model from painting across cells, and costs room.
    fit
        "scale" scales a keyframe to its cell: never above its own size, where the split would throw the gain away,
        except up to 512 px on the short side, below which models paint badly. "pad" never scales; it puts as many
        cells on a sheet as fit.
    anchors
        Cells repeated in every sheet, where there are several: "none"; "first", the first keyframe; "previous", the
        last new one of the sheet before; "first and previous"; or frame numbers out of `indices`. They cost cells,
        and show and correct how the look drifts from sheet to sheet.

    Returns
    -------
    GridPlan
        With its warnings.

    Raises
    ------
    ValueError
        If an argument is out of range or nothing can be laid out under it.

    >>> plan = plan_grid(range(0, 432, 48), Size(960, 540), 450, rate=24)
    >>> print(plan.describe().splitlines()[0])
    9 keyframes on 1 sheet of 3x3 cells, 640x384 each, sheet 1920x1152
    """
    indices = tuple(map(int, indices))
    _check_arguments(indices, size, length, max_side, per_sheet, gutter, fit)
    fixed, repeats_previous = _anchor_cells(indices, anchors)
    limit = max_side // STEP_PX * STEP_PX
    for count in range(1, len(indices) + 1):
        sheets = _share_out(indices, count, fixed, repeats_previous)
        cells = max(map(len, sheets))
        layout = _best_layout(cells, size, fit, limit, gutter) if cells <= per_sheet else None
        if layout is not None and min(map(len, sheets)) > (len(fixed) + repeats_previous) * (count > 1):
            plan = GridPlan(tuple(map(tuple, sheets)), length, layout.columns, layout.rows, gutter, layout.fit)
            warnings = _warnings(plan, rate, _larger_cells(plan, cells, fit, limit))
            return replace(plan, warnings=tuple(warnings))
    if _best_layout(1, size, fit, limit, gutter) is None:
        cell = Size(*(-(-side // STEP_PX) * STEP_PX for side in size))
        raise Refusal(
            "max_side",
            f"hold one cell of {cell} for a keyframe of {size} that is padded",
            f"{max_side} px",
            "use fit 'scale' or a larger max_side",
        )
    repeated = len(fixed) + repeats_previous
    raise Refusal(
        "a sheet",
        f"have room for more than its {repeated} anchor cell{'s' * (repeated > 1)}",
        f"per_sheet {per_sheet} and max_side {max_side} px with a gutter of {gutter} px",
        "repeat fewer anchors or allow more cells a sheet",
    )


def _check_arguments(
    indices: Sequence[int], size: Size, length: int, max_side: int, per_sheet: int, gutter: int, fit: str
) -> None:
    check_indices(indices, length)
    if min(size) < 1:
        raise Refusal("size", "be at least 1x1", Size(*size), "check the clip")
    if max_side < STEP_PX:
        raise Refusal("max_side", f"be at least {STEP_PX} px", max_side, "1920 is a good value")
    if per_sheet < 1:
        raise Refusal("per_sheet", "be at least 1", per_sheet, "4 to 9 is a good range")
    if gutter < 0 or gutter % STEP_PX:
        raise Refusal("gutter", f"be a multiple of {STEP_PX} px", gutter, f"use 0 or {STEP_PX}")
    if fit not in FITS:
        raise Refusal("fit", f"be one of {', '.join(FITS)}", f"{fit!r}", "choose one of them")


def _anchor_cells(indices: Sequence[int], anchors: str | Sequence[int]) -> tuple[list[int], int]:
    """The frames that stand on every sheet, and how many cells repeat the sheet before (0 or 1)."""
    if isinstance(anchors, str):
        if anchors not in ANCHORS:
            raise Refusal("anchors", f"be one of {', '.join(ANCHORS)} or frame numbers", f"{anchors!r}", "choose one")
        return [indices[0]] if "first" in anchors else [], int("previous" in anchors)
    strangers = sorted(set(anchors) - set(indices))
    if strangers:
        raise Refusal(
            "anchors",
            "be frames of keyframes",
            ", ".join(map(str, strangers)),
            f"choose among {', '.join(map(str, indices))}",
        )
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


def _best_layout(cells: int, size: Size, fit: str, limit: int, gutter: int) -> _Layout | None:
    """The layout with the largest cells and the fewest empty ones; of equals, the one with the squarest sheet."""

    def rank(layout: _Layout) -> tuple[Fraction, int, int]:
        width, height = layout.fit.cell
        return layout.score, -max(layout.columns * width, layout.rows * height), layout.columns

    return max(_layouts(cells, size, fit, limit, gutter), key=rank, default=None)


def _layouts(cells: int, size: Size, fit: str, limit: int, gutter: int) -> Iterator[_Layout]:
    for columns in range(1, min(cells, limit // STEP_PX) + 1):
        rows = -(-cells // columns)
        room = Size(*((limit - (n - 1) * gutter) // n // STEP_PX * STEP_PX for n in (columns, rows)))
        if min(room) < STEP_PX:
            continue
        scale = _drawn_scale(size, room) if fit == "scale" else Fraction(1)
        drawn = Size(*(max(1, round(side * scale)) for side in size))
        cell = Size(*(-(-side // STEP_PX) * STEP_PX for side in drawn))
        if cell.width <= room.width and cell.height <= room.height:
            yield _Layout(columns, rows, Fit.centred(size, drawn, cell), scale * Fraction(cells, columns * rows))


def _drawn_scale(size: Size, room: Size) -> Fraction:
    """How much a keyframe is scaled: as large as its room allows, at most to its own size or to 512 px, see above."""
    enough = max(Fraction(1), Fraction(SMALL_CELL_PX, min(size)))
    return min(Fraction(room.width, size.width), Fraction(room.height, size.height), enough)


def _larger_cells(plan: GridPlan, cells: int, fit: str, limit: int) -> tuple[int, Size] | None:
    """The most cells a sheet, fewer than planned, whose pictures reach 512 px, and the size they would have."""
    for fewer in range(cells - 1, 0, -1):
        layout = _best_layout(fewer, plan.fit.picture, fit, limit, plan.gutter)
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
