"""Anchor cells that were accepted, held fast while later sheets are painted around them.

A sheet that contains finished cells shows a model what the others should look like. So the accepted anchor cells are
laid into the sheets that are still to be painted, a mask keeps the model off them, and afterwards they are laid in
once more, because a VAE changes even what was masked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from escalier.arguments import checked
from escalier.film import Size, as_uint8
from escalier.refusals import Refusal

from .grid import GridPlan, split_cells

Sheets = np.ndarray | Sequence[np.ndarray]


class LockedSheets(NamedTuple):
    """What `lock_anchors` returns: the next sheets to paint.

    Parameters
    ----------
    sheets
        (S, H, W, 3), the accepted anchor cells painted, everything else as it was.
    masks
        (S, H, W) float32: 1 where the model paints, 0 on accepted cells.
    """

    sheets: np.ndarray
    masks: np.ndarray


@checked
def lock_anchors(plan: GridPlan, sheets: Sheets, accepted: Sheets, *, count: int = 0) -> LockedSheets:
    """Lay accepted anchor cells into the sheets that are still to be painted, and mask them.

    Parameters
    ----------
    plan
        The plan that the sheets were tiled by.
    sheets
        All sheets of the plan as `tile` laid them, not yet painted.
    accepted
        The painted sheets that were accepted: the first ones of the plan, in its order, of the sheets' size.
    count
        How many sheets to hand out; 0 is all that remain. With anchors "previous", 1: a sheet's own previous one must
        be accepted before it is painted.

    Raises
    ------
    ValueError
        If numbers or sizes do not fit the plan, or nothing is left to paint.

    >>> from escalier.keyframes import Fit
    >>> fit = Fit.centred(Size(64, 64), Size(64, 64), Size(64, 64))
    >>> plan = GridPlan(sheets=((0, 8), (0, 16)), length=17, columns=2, rows=1, gutter=0, fit=fit)
    >>> unpainted, painted = np.zeros((2, 64, 128, 3), np.uint8), np.full((1, 64, 128, 3), 200, np.uint8)
    >>> locked = lock_anchors(plan, unpainted, painted)
    >>> locked.sheets[0, 0, ::64, 0].tolist(), locked.masks[0, 0, ::64].tolist()
    ([200, 0], [0.0, 1.0])
    """
    _check(plan, accepted)
    if len(sheets) != len(plan.sheets):
        remedy = "connect all sheets of Tile Keyframe Grid"
        raise Refusal("sheets", f"be as many as planned, {len(plan.sheets)}", len(sheets), remedy)
    left = len(plan.sheets) - len(accepted)
    if left == 0:
        raise Refusal("accepted", "leave a sheet to paint", f"all {len(accepted)}", "split them, or accept fewer")
    if not 0 <= count <= left:
        raise Refusal("count", f"lie in 0..{left}", count, "0 hands out all that remain")
    first = len(accepted)
    out = np.stack([_as_type(sheets[sheet], accepted[0].dtype) for sheet in range(first, first + (count or left))])
    masks = np.ones(out.shape[:3], np.float32)
    for sheet, rows, columns, cell in _accepted_cells(plan, accepted, out):
        out[sheet, rows, columns] = cell
        masks[sheet, rows, columns] = 0
    return LockedSheets(out, masks)


@checked
def paste_anchors(plan: GridPlan, accepted: Sheets, painted: Sheets) -> np.ndarray:
    """Join accepted sheets and the ones painted after them, with the accepted anchor cells as they were, bit for bit.

    Parameters
    ----------
    plan
        The plan that the sheets were tiled by.
    accepted
        The sheets that were accepted before: the first ones of the plan.
    painted
        The next sheets of the plan, as they came back from diffusion.

    Returns
    -------
    numpy.ndarray
        Accepted and painted sheets, (S, H, W, 3), in the order of the plan.

    Raises
    ------
    ValueError
        If numbers or sizes do not fit the plan.

    >>> from escalier.keyframes import Fit
    >>> fit = Fit.centred(Size(64, 64), Size(64, 64), Size(64, 64))
    >>> plan = GridPlan(sheets=((0, 8), (0, 16)), length=17, columns=2, rows=1, gutter=0, fit=fit)
    >>> accepted, painted = (np.full((1, 64, 128, 3), level, np.uint8) for level in (200, 90))
    >>> paste_anchors(plan, accepted, painted)[1, 0, ::64, 0].tolist()
    [200, 90]
    """
    _check(plan, accepted)
    if not 1 <= len(painted) <= len(plan.sheets) - len(accepted):
        rule = f"be the next 1 to {len(plan.sheets) - len(accepted)} sheets of the plan"
        got = f"{len(painted)} after {len(accepted)} accepted"
        raise Refusal("painted", rule, got, "connect only those that were painted after them")
    out = np.stack([_as_type(sheet, accepted[0].dtype) for sheet in painted])
    for sheet, rows, columns, cell in _accepted_cells(plan, accepted, out):
        out[sheet, rows, columns] = cell
    return np.concatenate([np.stack([*accepted]), out])


def _accepted_cells(
    plan: GridPlan, accepted: Sheets, later: np.ndarray
) -> Iterator[tuple[int, slice, slice, np.ndarray]]:
    """Each accepted cell that stands on a later sheet too: the number in `later`, rows, columns, and the cell."""
    sizes = {Size.of(sheet) for sheet in (*accepted, *later)}
    if len(sizes) > 1:
        remedy = "they were cropped or scaled on the way: scale them alike"
        raise Refusal("all sheets", "have one size", ", ".join(sorted(map(str, sizes))), remedy)
    part = replace(plan, sheets=plan.sheets[: len(accepted)])
    cells = split_cells(part, accepted)
    for number in range(len(later)):
        for place, index in enumerate(plan.sheets[len(accepted) + number]):
            copies = part.copies(index) if index in part.indices else []
            if copies:
                sheet, cell_number = copies[0]
                cell = cells[sheet][cell_number]
                row, column = (offset * cell.shape[0] // plan.fit.cell.height for offset in plan.origin(place))
                yield number, slice(row, row + cell.shape[0]), slice(column, column + cell.shape[1]), cell


def _check(plan: GridPlan, accepted: Sheets) -> None:
    if not 1 <= len(accepted) <= len(plan.sheets):
        rule = f"be the first 1 to {len(plan.sheets)} painted sheets of the plan"
        raise Refusal("accepted", rule, len(accepted), "connect those that you accepted, in the plan's order")


def _as_type(sheet: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if sheet.ndim != 3 or sheet.shape[2] != 3:
        remedy = "give the sheets as they were tiled or painted"
        raise Refusal("every sheet", "be an RGB picture (height, width, 3)", f"an array of shape {sheet.shape}", remedy)
    if sheet.dtype == dtype:
        return sheet
    return as_uint8(sheet) if dtype == np.uint8 else sheet.astype(np.float32) / np.float32(255)
