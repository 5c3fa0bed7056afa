"""Accepted anchor cells stand in later sheets, masked while these are painted, and untouched afterwards."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import GridPlan, Sheet, lock_anchors, paste_anchors, plan_grid, split, split_cells

SIZE = Size(60, 50)


def plan_for(count: int = 9, **options) -> GridPlan:
    defaults = {"max_side": 192, "per_sheet": 4, "fit": "pad", "anchors": "first and previous"}
    return plan_grid(range(0, 10 * count, 10), SIZE, 10 * count, Sheet(**{**defaults, **options}))


def noise(count: int, plan: GridPlan, seed: int) -> np.ndarray:
    size = (count, plan.sheet_size.height, plan.sheet_size.width, 3)
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


@pytest.mark.parametrize("gutter", [0, 64])
@pytest.mark.parametrize("accepted", [1, 2])
def test_accepted_cells_stand_in_later_sheets_and_everything_else_is_untouched(gutter: int, accepted: int) -> None:
    plan = plan_for(gutter=gutter, max_side=320)
    unpainted, painted = noise(len(plan.sheets), plan, 0), noise(accepted, plan, 1)
    locked = lock_anchors(plan, unpainted, painted)
    assert len(locked.sheets) == len(locked.masks) == len(plan.sheets) - accepted
    assert locked.masks.dtype == np.float32
    held = locked.masks == 0
    assert np.array_equal(locked.sheets[~held], unpainted[accepted:][~held])
    for number, frames in enumerate(plan.sheets[accepted:]):
        known = [frame for frame in frames if plan.copies(frame)[0][0] < accepted]
        assert held[number].sum() == len(known) * np.prod(plan.fit.cell)
        for frame in known:
            sheet, cell = plan.copies(frame)[0]
            row, column = plan.origin(frames.index(frame))
            there = np.s_[number, row : row + plan.fit.cell.height, column : column + plan.fit.cell.width]
            row, column = plan.origin(cell)
            here = np.s_[sheet, row : row + plan.fit.cell.height, column : column + plan.fit.cell.width]
            assert np.array_equal(locked.sheets[there], painted[here])
            assert held[there].all()


def test_the_next_sheet_holds_the_first_keyframe_and_the_last_cell_of_the_sheet_before() -> None:
    plan = plan_for()
    locked = lock_anchors(plan, noise(len(plan.sheets), plan, 0), noise(1, plan, 1), count=1)
    assert len(locked.sheets) == 1
    assert plan.sheets[1][:2] == (plan.sheets[0][0], plan.sheets[0][-1])
    assert (locked.masks == 0).sum() == 2 * np.prod(plan.fit.cell)


def test_pasted_cells_come_back_bit_for_bit_in_every_sheet_and_in_the_split() -> None:
    plan = plan_for()
    accepted, painted = noise(1, plan, 1), noise(len(plan.sheets) - 1, plan, 2)
    joined = paste_anchors(plan, accepted, painted)
    assert len(joined) == len(plan.sheets)
    assert np.array_equal(joined[0], accepted[0])
    cells = split_cells(plan, joined)
    assert all(np.array_equal(one[0], cells[0][0]) for one in cells)
    keyframes = split(plan, joined)
    for frame, picture in keyframes:
        sheet, cell = plan.copies(frame)[0]
        assert np.array_equal(picture, plan.fit.undo(split_cells(plan, joined)[sheet][cell]))


def test_sheets_are_accepted_one_after_the_other() -> None:
    plan = plan_for()
    unpainted = noise(len(plan.sheets), plan, 0)
    joined = noise(1, plan, 1)
    for seed in range(2, len(plan.sheets) + 1):
        locked = lock_anchors(plan, unpainted, joined, count=1)
        assert (locked.masks == 0).sum() == 2 * np.prod(plan.fit.cell)
        joined = paste_anchors(plan, joined, noise(1, plan, seed))
    cells = split_cells(plan, joined)
    for frame in plan.anchors:
        copies = [cells[sheet][cell] for sheet, cell in plan.copies(frame)]
        assert all(np.array_equal(copy, copies[0]) for copy in copies)


def test_sheets_that_were_enlarged_alike_are_welcome() -> None:
    plan = plan_for()
    unpainted, painted = (
        np.repeat(np.repeat(noise(count, plan, count), 2, axis=1), 2, axis=2) for count in (len(plan.sheets), 1)
    )
    assert (lock_anchors(plan, unpainted, painted, count=1).masks == 0).sum() == 2 * 4 * np.prod(plan.fit.cell)


@pytest.mark.parametrize(
    ("sheets", "accepted", "count", "message"),
    [
        (2, 1, 0, r"sheets must be as many as planned, \d, got 2"),
        (None, 0, 0, r"accepted must be the first 1 to \d painted sheets of the plan, got 0"),
        (None, None, 0, "accepted must leave a sheet to paint"),
        (None, 1, 9, r"count must lie in 0\.\.\d, got 9"),
    ],
    ids=["too few sheets", "none accepted", "all accepted", "count"],
)
def test_numbers_that_do_not_fit_the_plan_are_refused(sheets, accepted, count: int, message: str) -> None:
    plan = plan_for()
    whole = len(plan.sheets)
    sheets, accepted = (whole if number is None else number for number in (sheets, accepted))
    with pytest.raises(ValueError, match=rf"lock_anchors: {message}"):
        lock_anchors(plan, noise(sheets, plan, 0), noise(accepted, plan, 1), count=count)


def test_sheets_in_another_size_are_refused() -> None:
    plan = plan_for()
    with pytest.raises(ValueError, match=r"all sheets must have one size, got .*cropped or scaled"):
        lock_anchors(plan, noise(len(plan.sheets), plan, 0), noise(1, plan, 1)[:, ::2, ::2])
    with pytest.raises(ValueError, match=r"sheet 1 must be .* as planned"):
        paste_anchors(plan, noise(1, plan, 0)[:, :-8], noise(1, plan, 1)[:, :-8])


def test_too_many_painted_sheets_are_refused() -> None:
    plan = plan_for()
    with pytest.raises(ValueError, match=r"painted must be the next 1 to .* got"):
        paste_anchors(plan, noise(2, plan, 0), noise(len(plan.sheets), plan, 1))
