"""What was tiled comes back from the split, bit for bit, whatever number and size; and no sheet is cut wrongly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import GridPlan, Keyframes, Sheet, plan_grid, split, split_cells, tile
from escalier.keyframes.fit import resample

ODD_SIZES = [Size(96, 54), Size(53, 97), Size(101, 33), Size(1, 1), Size(64, 64)]


def noise_keyframes(count: int, size: Size, dtype: type = np.uint8) -> Keyframes:
    rng = np.random.default_rng(count)
    pictures = rng.integers(0, 256, (count, size.height, size.width, 3), np.uint8)
    if dtype == np.float32:
        pictures = pictures.astype(np.float32) / np.float32(255)
    return Keyframes(range(3, 3 + 20 * count, 20), list(pictures), 20 * count)


def small_plan(keyframes: Keyframes, **options) -> GridPlan:
    """On sheets of at most 448 px, so that the tests stay quick."""
    defaults = {"max_side": 448, "per_sheet": 49}
    return plan_grid(keyframes.indices, keyframes.size, keyframes.length, Sheet(**{**defaults, **options}))


def same(one: Keyframes, other: Keyframes) -> bool:
    return (one.indices, one.length) == (other.indices, other.length) and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one.pictures, other.pictures, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("count", range(1, 50))
def test_split_returns_the_same_bits_as_were_tiled(count: int) -> None:
    size = ODD_SIZES[count % len(ODD_SIZES)]
    dtype = (np.uint8, np.float32)[count % 2]
    keyframes = noise_keyframes(count, size, dtype)
    for fit in ("scale", "pad"):
        for options in ({"per_sheet": 9, "anchors": "previous"}, {"anchors": "none"}, {"gutter": 64}):
            if fit == "pad" and max(size) > 64 and options.get("anchors") == "previous":
                options = {**options, "max_side": 640}
            plan = small_plan(keyframes, fit=fit, **options)
            sheets = tile(plan, keyframes)
            assert sheets.dtype == dtype
            fitted = {index: plan.fit.apply(picture) for index, picture in keyframes}
            for frames, cells in zip(plan.sheets, split_cells(plan, sheets), strict=True):
                assert all(np.array_equal(cell, fitted[index]) for index, cell in zip(frames, cells, strict=True))
            if fit == "pad":
                assert same(split(plan, sheets), keyframes)


@pytest.mark.parametrize("size", ODD_SIZES, ids=str)
def test_tiling_what_was_split_gives_the_same_sheets(size: Size) -> None:
    keyframes = noise_keyframes(5, size)
    plan = small_plan(keyframes, fit="pad", gutter=64)
    sheets = tile(plan, keyframes)
    assert np.array_equal(tile(plan, split(plan, sheets)), sheets)


def test_cells_stand_where_the_plan_says_and_the_rest_is_mid_grey() -> None:
    pictures = [np.full((64, 64, 3), level, np.uint8) for level in (10, 20, 30)]
    keyframes = Keyframes([0, 1, 2], pictures, 3)
    plan = plan_grid(keyframes.indices, keyframes.size, 3, Sheet(fit="pad", gutter=64, max_side=192))
    sheet = tile(plan, keyframes)[0]
    assert sheet.shape == (192, 192, 3)
    expected = np.full((3, 3), 128)
    expected[0, 0], expected[0, 2], expected[2, 0] = 10, 20, 30
    assert np.array_equal(sheet[32::64, 32::64, 0], expected)
    floats = keyframes.with_pictures([picture / np.float32(255) for picture in pictures])
    assert tile(plan, floats)[0, 100, 100].tolist() == [0.5] * 3


@pytest.mark.parametrize("factor", [2, 3])
def test_a_sheet_that_came_back_larger_is_cut_at_its_own_scale(factor: int) -> None:
    keyframes = noise_keyframes(5, Size(96, 54))
    plan = small_plan(keyframes, fit="pad")
    larger = np.kron(tile(plan, keyframes), np.ones((1, factor, factor, 1), np.uint8))
    painted = split(plan, larger, size="painted")
    assert painted.size == Size(96 * factor, 54 * factor)
    for picture, before in zip(painted.pictures, keyframes.pictures, strict=True):
        assert np.array_equal(picture, np.kron(before, np.ones((factor, factor, 1), np.uint8)))
    assert same(split(plan, larger), keyframes)  # the mean of equal pixels is that pixel


@pytest.mark.parametrize("divisor", [2, 4])
def test_a_sheet_that_came_back_smaller_is_cut_at_its_own_scale(divisor: int) -> None:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (4, 56 // divisor, 96 // divisor, 3), np.uint8)
    keyframes = Keyframes([0, 1, 2, 3], [np.kron(c, np.ones((divisor, divisor, 1), np.uint8)) for c in coarse], 4)
    plan = small_plan(keyframes, fit="pad")
    smaller = tile(plan, keyframes)[:, ::divisor, ::divisor]
    assert np.array_equal(split(plan, smaller, size="painted").pictures, coarse)
    assert split(plan, smaller).size == keyframes.size


def test_split_gives_the_film_size_unless_another_is_asked_for() -> None:
    keyframes = noise_keyframes(9, Size(200, 100))
    plan = small_plan(keyframes)
    assert plan.fit.drawn != keyframes.size
    sheets = tile(plan, keyframes)
    assert split(plan, sheets).size == keyframes.size
    assert split(plan, sheets, size="painted").size == plan.fit.drawn
    assert split(plan, sheets, size=Size(40, 30)).size == Size(40, 30)


def test_the_first_copy_of_an_anchor_cell_wins_and_all_copies_can_be_had() -> None:
    keyframes = noise_keyframes(12, Size(64, 64))
    plan = plan_grid(keyframes.indices, keyframes.size, keyframes.length, Sheet(fit="pad", anchors="first"))
    sheets = tile(plan, keyframes)
    sheets[1] = 255 - sheets[1]
    assert np.array_equal(split(plan, sheets).pictures[0], keyframes.pictures[0])
    cells = split_cells(plan, sheets)
    copies = [cells[sheet][cell] for sheet, cell in plan.copies(keyframes.indices[0])]
    assert len(copies) == 2
    assert np.array_equal(copies[1], 255 - copies[0])


def test_a_cell_painted_into_a_sheet_lands_at_its_keyframe_alone() -> None:
    keyframes = noise_keyframes(12, Size(96, 54))
    plan = small_plan(keyframes, per_sheet=5, anchors="none")
    sheets = tile(plan, keyframes)
    sheet, cell = plan.copies(keyframes.indices[7])[0]
    row, column = plan.origin(cell)
    sheets[sheet, row : row + plan.fit.cell.height, column : column + plan.fit.cell.width] = 77
    painted = split(plan, sheets)
    untouched = split(plan, tile(plan, keyframes))
    changed = [not np.array_equal(a, b) for a, b in zip(painted.pictures, untouched.pictures, strict=True)]
    assert changed == [k == 7 for k in range(12)]
    assert (painted.pictures[7] == 77).all()


def test_split_takes_a_list_of_sheets_and_leaves_them_alone() -> None:
    keyframes = noise_keyframes(10, Size(64, 64))
    plan = small_plan(keyframes, fit="pad", per_sheet=5, anchors="none")
    sheets = tile(plan, keyframes)
    before = sheets.copy()
    back = split(plan, list(sheets))
    back.pictures[0][:] = 0
    assert np.array_equal(sheets, before)


def test_a_plan_survives_json() -> None:
    keyframes = noise_keyframes(30, Size(96, 54))
    plan = small_plan(keyframes, anchors="previous", per_sheet=7)
    assert plan.warnings
    again = GridPlan.from_json(plan.to_json())
    assert again == plan and hash(again) == hash(plan)
    assert same(split(again, tile(plan, keyframes)), split(plan, tile(plan, keyframes)))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sheets": [[0]], "fit": 3}', "a plan"])
def test_text_that_is_no_plan_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"from_json: text must be a plan that to_json wrote"):
        GridPlan.from_json(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gutter": 10}, "must be multiples of 64 px"),
        ({"columns": 1, "rows": 1}, "must hold 1 to 1 keyframes, got 4 on sheet 1"),
        ({"sheets": [[0, 0]]}, "must hold a keyframe once, got frames 0, 0 on sheet 1"),
        ({"sheets": [[0, 99]]}, "indices must lie in"),
        ({"sheets": []}, "indices must name at least one frame"),
    ],
)
def test_a_plan_edited_by_hand_into_nonsense_is_refused(change: dict, message: str) -> None:
    plan = small_plan(noise_keyframes(4, Size(64, 64)))
    with pytest.raises(ValueError, match=message):
        GridPlan.from_json(json.dumps({**json.loads(plan.to_json()), **change}))


def test_keyframes_of_another_plan_are_refused() -> None:
    keyframes = noise_keyframes(4, Size(64, 64))
    plan = small_plan(keyframes)
    with pytest.raises(ValueError, match=r"tile: keyframes must stand at the plan's frames 3, 23, 43, 63, got 3, 23"):
        tile(plan, noise_keyframes(2, Size(64, 64)))
    with pytest.raises(ValueError, match="tile: keyframes must be 64x64 as planned, got 64x32"):
        tile(plan, noise_keyframes(4, Size(64, 32)))


@pytest.mark.parametrize(
    ("height", "width"),
    [(384, 376), (376, 384), (192, 384), (385, 385), (0, 0), (250, 250)],
    ids=["cropped", "cut to 8", "stretched", "a pixel more", "empty", "no whole cells"],
)
def test_a_cropped_or_stretched_sheet_is_refused_with_both_sizes(height: int, width: int) -> None:
    keyframes = noise_keyframes(9, Size(96, 96))
    plan = small_plan(keyframes, fit="pad")
    planned = plan.sheet_size
    with pytest.raises(ValueError, match=f"split_cells: sheet 1 must be {planned} as planned.*got {width}x{height}"):
        split(plan, np.zeros((1, height, width, 3), np.uint8))


def test_the_wrong_number_of_sheets_is_refused() -> None:
    keyframes = noise_keyframes(4, Size(64, 64))
    plan = small_plan(keyframes, per_sheet=2, anchors="none")
    sheets = tile(plan, keyframes)
    with pytest.raises(ValueError, match="sheets must be as many as planned, 2, got 1"):
        split(plan, sheets[:1])


def test_sheets_of_different_scales_are_refused() -> None:
    keyframes = noise_keyframes(4, Size(64, 64))
    plan = small_plan(keyframes, per_sheet=2, anchors="none")
    one, other = tile(plan, keyframes)
    with pytest.raises(ValueError, match="sheets must all have one size"):
        split(plan, [one, resample(other, Size(other.shape[1] * 2, other.shape[0] * 2))])


@pytest.mark.parametrize("channels", [1, 4])
def test_grey_and_rgba_sheets_are_refused(channels: int) -> None:
    keyframes = noise_keyframes(1, Size(64, 64))
    plan = small_plan(keyframes, fit="pad")
    with pytest.raises(ValueError, match="split_cells: sheet 1 must be RGB"):
        split(plan, np.zeros((1, 64, 64, channels), np.uint8))


def test_a_sheet_with_nan_is_refused() -> None:
    keyframes = noise_keyframes(1, Size(64, 64), np.float32)
    plan = small_plan(keyframes, fit="pad")
    with pytest.raises(ValueError, match="finite"):
        split(plan, np.full((1, 64, 64, 3), np.nan, np.float32))


def test_an_unknown_size_is_refused() -> None:
    keyframes = noise_keyframes(1, Size(64, 64))
    plan = small_plan(keyframes, fit="pad")
    with pytest.raises(ValueError, match="size must be 'film', 'painted' or a Size, got 'huge'"):
        split(plan, tile(plan, keyframes), size="huge")
