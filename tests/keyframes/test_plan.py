"""The planner lays keyframes out as an artist would, warns before the hour is spent, and refuses what cannot be."""

from __future__ import annotations

import re

import pytest

from escalier.film import Size
from escalier.keyframes import GridPlan, Sheet, plan_grid

WIDE, TALL, FULL_HD = Size(960, 540), Size(540, 960), Size(1920, 1080)
ODD_SIZES = [Size(961, 539), Size(1, 1), Size(37, 1999), Size(640, 640), Size(3840, 2160), Size(4000, 30)]
ANCHORS = ("none", "first", "previous", "first and previous")


def frames(count: int, every: int = 48) -> range:
    return range(0, count * every, every)


def plan_for(count: int, size: Size = WIDE, **options) -> GridPlan:
    return plan_grid(frames(count), size, count * 48, Sheet(**options))


@pytest.mark.parametrize(
    ("count", "size", "options", "layout"),
    [
        (1, WIDE, {}, "1 keyframe on 1 sheet of 1x1 cells, 960x576 each, sheet 960x576"),
        (4, FULL_HD, {}, "4 keyframes on 1 sheet of 2x2 cells, 960x576 each, sheet 1920x1152"),
        (9, WIDE, {}, "9 keyframes on 1 sheet of 3x3 cells, 640x384 each, sheet 1920x1152"),
        (9, TALL, {}, "9 keyframes on 1 sheet of 3x3 cells, 384x640 each, sheet 1152x1920"),
        (4, WIDE, {"gutter": 64}, "4 keyframes on 1 sheet of 2x2 cells, 896x512 each, sheet 1856x1088"),
        (4, Size(640, 640), {"max_side": 1024}, "4 keyframes on 1 sheet of 2x2 cells, 512x512 each, sheet 1024x1024"),
        (2, Size(256, 256), {}, "2 keyframes on 1 sheet of 2x1 cells, 512x512 each, sheet 1024x512"),
        (2, Size(256, 256), {"fit": "pad"}, "2 keyframes on 1 sheet of 2x1 cells, 256x256 each, sheet 512x256"),
        (3, FULL_HD, {"fit": "pad"}, "3 keyframes on 3 sheets of 1x1 cells, 1920x1088 each, sheet 1920x1088"),
    ],
)
def test_known_layouts(count: int, size: Size, options: dict, layout: str) -> None:
    plan = plan_for(count, size, anchors="none", **options)
    assert plan.describe().splitlines()[0] == layout


@pytest.mark.parametrize(
    ("count", "anchors", "cells"),
    [
        (9, "first", [9]),
        (10, "none", [5, 5]),
        (10, "first", [6, 5]),
        (10, "previous", [6, 5]),
        (25, "none", [9, 8, 8]),
        (25, "first and previous", [8, 8, 8, 7]),
        (24, "first and previous", [8, 8, 7, 7]),
    ],
)
def test_sheets_are_as_few_as_allowed_and_balanced(count: int, anchors: str, cells: list[int]) -> None:
    assert [len(sheet) for sheet in plan_for(count, anchors=anchors).sheets] == cells


SIZES = [WIDE, TALL, *ODD_SIZES]
CASES = [(size, "scale") for size in SIZES] + [(size, "pad") for size in SIZES if max(size) <= 1920]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "fit"), CASES, ids=str)
@pytest.mark.parametrize("anchors", ANCHORS)
def test_every_plan_keeps_the_rules(size: Size, fit: str, anchors: str) -> None:
    for count in range(1, 50):
        for gutter in (0, 64):
            try:
                plan = plan_for(count, size, fit=fit, anchors=anchors, gutter=gutter)
            except ValueError as refusal:
                # Large padded cells leave no room for an anchor cell and a new one on the same sheet.
                assert fit == "pad" and anchors != "none" and "anchor cell" in str(refusal)
                continue
            origins = [plan.origin(cell) for cell in range(plan.columns * plan.rows)]
            lengths = [*plan.sheet_size, *plan.fit.cell, plan.gutter, *(v for origin in origins for v in origin)]
            assert all(length % 64 == 0 for length in lengths)
            assert max(plan.sheet_size) <= 1920
            assert max(map(len, plan.sheets)) <= 9
            assert plan.indices == tuple(frames(count))
            sizes = [len(sheet) for sheet in plan.sheets]
            assert max(sizes) - min(sizes) <= 1
            if anchors == "none":
                assert plan.anchors == ()


def test_anchor_cells_stand_first_and_at_the_same_place_on_every_sheet() -> None:
    plan = plan_for(24, anchors="first and previous", per_sheet=6)
    assert {sheet[0] for sheet in plan.sheets} == {0}
    for before, sheet in zip(plan.sheets, plan.sheets[1:], strict=False):
        assert sheet[1] == before[-1]
        assert list(sheet[2:]) == sorted(sheet[2:])


def test_chosen_frames_are_repeated_on_every_sheet() -> None:
    plan = plan_for(20, anchors=[96, 48])
    assert all(sheet[:2] == (48, 96) for sheet in plan.sheets)
    assert plan.anchors == (48, 96)
    assert plan.copies(96) == [(sheet, 1) for sheet in range(len(plan.sheets))]


def test_one_sheet_needs_no_anchor_cells() -> None:
    plan = plan_for(6, anchors="first and previous")
    assert plan.sheets == (tuple(frames(6)),)
    assert plan.anchors == ()


def test_keyframes_are_not_scaled_above_their_own_size_nor_left_under_512_px() -> None:
    assert plan_for(1, WIDE).fit.drawn == WIDE
    assert plan_for(1, Size(300, 300)).fit.drawn == Size(512, 512)


def test_a_larger_sheet_makes_cells_larger() -> None:
    sizes = [min(plan_for(9, max_side=side).fit.drawn) for side in (640, 1280, 1920, 2560)]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("count", "options", "warning"),
    [
        (9, {}, "640x360 are under 512 px on the short side.*per_sheet 6 makes them 960x540"),
        (10, {"per_sheet": 10}, "10 cells on a sheet are more than 9"),
        (9, {"max_side": 2560}, "longer than 1920 px: diffusion models repeat and tear"),
        (9, {"size": FULL_HD}, "enlarges 640x360 to 1920x1080, 3.0 times"),
        (2, {"size": FULL_HD, "fit": "pad", "anchors": "none"}, "Sheets of 1 cell share their look"),
        (10, {"anchors": "none"}, "2 sheets share no anchor cell"),
    ],
)
def test_warnings(count: int, options: dict, warning: str) -> None:
    plan = plan_for(count, **options)
    assert any(re.search(warning, sentence) for sentence in plan.warnings), plan.warnings
    assert f"warning: {plan.warnings[0]}" in plan.describe()


@pytest.mark.parametrize(("every", "warned"), [(12, False), (11, True)])
def test_more_than_two_keyframes_a_second_are_warned_of(every: int, warned: bool) -> None:
    plan = plan_grid(frames(4, every), WIDE, 48, rate=24)
    assert any("keyframes per second" in sentence for sentence in plan.warnings) is warned


def test_a_good_plan_has_no_warnings() -> None:
    assert plan_grid(frames(6), WIDE, 300, rate=24).warnings == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"indices": []}, "indices must name at least one frame"),
        ({"indices": [0, 0]}, "plan_grid: indices must be different, got 0 twice"),
        ({"indices": [0, 500]}, r"indices must lie in 0\.\.431, got 500"),
        ({"size": Size(0, 540)}, "size must be at least 1x1, got 0x540"),
        ({"sheet": Sheet(anchors=[5])}, "anchors must be frames of keyframes, got 5"),
        (
            {"sheet": Sheet(fit="pad"), "size": Size(2000, 100)},
            "must hold one cell of 2048x128 for a keyframe of 2000x100",
        ),
        ({"sheet": Sheet(per_sheet=1)}, "room for more than its 1 anchor cell, got per_sheet 1"),
        ({"sheet": Sheet(per_sheet=2, anchors="first and previous")}, "room for more than its 2 anchor cells"),
    ],
)
def test_refuses(options: dict, message: str) -> None:
    arguments = {"indices": frames(9), "size": WIDE, "length": 432, **options}
    with pytest.raises(ValueError, match=message):
        plan_grid(**arguments)


@pytest.mark.parametrize(
    ("dial", "message"),
    [
        ({"max_side": 63}, "max_side must be at least 64 px, got 63"),
        ({"per_sheet": 0}, "per_sheet must be at least 1, got 0"),
        ({"gutter": 10}, "gutter must be a multiple of 64 px, got 10"),
        ({"gutter": -64}, "gutter must be a multiple of 64 px, got -64"),
        ({"fit": "stretch"}, "fit must be one of scale, pad, got stretch"),
        ({"anchors": "last"}, "anchors must be one of none, first, previous, first and previous or frame numbers"),
    ],
)
def test_dials_of_a_sheet_are_refused_when_they_are_set(dial: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Sheet: {message}"):
        Sheet(**dial)
