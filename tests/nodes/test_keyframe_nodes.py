"""The nodes of escalier/keyframes: choosing, saving and loading, and the way to a sheet and back."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from escalier.keyframes import Keyframes

CHOICE = {"mode": "count", "per_second": 0.5, "count": 2, "n": 2, "minimum_gap": 0}
PLAN = {"max_side": 1920, "per_sheet": 9, "anchors": "first", "fit": "pad", "gutter": 0}


@pytest.fixture
def film(to_image: Callable, clip: np.ndarray):
    return to_image(clip)


@pytest.fixture
def keyframes(clip: np.ndarray) -> Keyframes:
    return Keyframes([1, 4], [255 - clip[1], 255 - clip[4]], length=len(clip))


@pytest.mark.parametrize(
    ("choice", "indices"),
    [
        ({"mode": "count", "count": 3}, "1, 3, 5"),
        ({"mode": "every n", "n": 4}, "0, 4"),
        ({"mode": "per second", "per_second": 8.0}, "1, 4"),
    ],
    ids=["count", "every n", "per second"],
)
def test_chosen_frames_come_with_their_indices(pack: SimpleNamespace, film, choice: dict, indices: str) -> None:
    keyframes, images, text = pack.EscalierChooseKeyframes.execute(film, **{**CHOICE, **choice}).args
    assert text == indices
    assert ", ".join(map(str, keyframes.indices)) == indices
    assert all((images[k] == film[index]).all() for k, index in enumerate(keyframes.indices))


@pytest.mark.parametrize("count", [0, 3], ids=["as many as per second", "three"])
def test_motion_mode_needs_motion_and_counts_as_told(pack: SimpleNamespace, film, count: int, fresh_folders) -> None:
    choice = {**CHOICE, "mode": "motion", "per_second": 8.0, "count": count}
    with pytest.raises(ValueError, match=r"Choose Keyframes: motion must be given .*; connect"):
        pack.EscalierChooseKeyframes.execute(film, **choice)
    (motion,) = pack.EscalierMotion.execute(film, "ultrafast").args
    keyframes = pack.EscalierChooseKeyframes.execute(film, **choice, motion=motion).args[0]
    assert len(keyframes) == (count or 2)


def test_images_and_indices_make_the_keyframes_they_came_from(pack: SimpleNamespace, film, keyframes) -> None:
    images, text = pack.EscalierKeyframesToImages.execute(keyframes).args
    (back,) = pack.EscalierKeyframesFromImages.execute(images, text, film).args
    assert back.indices == keyframes.indices
    again, _ = pack.EscalierKeyframesToImages.execute(back).args
    assert (again == images).all()


@pytest.mark.parametrize(
    ("indices", "message"),
    [
        ("4, 1", "indices must rise, got 1 after 4"),
        ("1, 1", "indices must be different, got 1 twice"),
        ("1, 6", r"indices must lie in 0\.\.5, got 6"),
        ("", "indices must name at least one frame, got none"),
        ("one", "indices must be whole frame numbers .* got 'one'"),
        ("1", "got 2 pictures for 1 indices"),
    ],
    ids=["unsorted", "repeated", "past the end", "none", "words", "too few"],
)
def test_wrong_indices_are_refused_by_the_node(
    pack: SimpleNamespace, film, keyframes, indices: str, message: str
) -> None:
    images, _ = pack.EscalierKeyframesToImages.execute(keyframes).args
    with pytest.raises(ValueError, match=f"^Set Keyframes from Images: .*{message}"):
        pack.EscalierKeyframesFromImages.execute(images, indices, film)


@pytest.mark.parametrize("first", [0, 1, 1001, 86400])
def test_saved_keyframes_load_bit_for_bit(pack: SimpleNamespace, film, keyframes, fresh_folders, first: int) -> None:
    shown = pack.EscalierSaveKeyframes.execute(keyframes, "shots/keys", first).ui.as_dict()["images"]
    assert [entry["filename"] for entry in shown] == [f"keyframe_{i + first:06d}.png" for i in keyframes.indices]
    saved = fresh_folders.output / "shots" / "keys_00001"
    assert shown[0]["subfolder"] == "shots/keys_00001"
    saved.rename(fresh_folders.input / "painted")
    (loaded,) = pack.EscalierLoadKeyframes.execute("painted", film, first).args
    assert loaded.indices == keyframes.indices
    assert all((a == b).all() for a, b in zip(loaded.pictures, keyframes.pictures, strict=True))


def test_the_first_number_is_any_whole_number(pack: SimpleNamespace) -> None:
    for node in (pack.EscalierSaveKeyframes, pack.EscalierLoadKeyframes):
        kind, options = node.INPUT_TYPES()["required"]["first"]
        assert (kind, options["default"], options["min"]) == ("INT", 0, 0) and options["max"] >= 999_999


def test_loading_shows_which_file_stands_where_and_what_is_doubtful(
    pack: SimpleNamespace, film, clip: np.ndarray, fresh_folders
) -> None:
    folder = fresh_folders.input / "painted"
    folder.mkdir()
    for name, frame in (("keyframe_000001_00001_.png", 1), ("take 3 4.png", 4)):
        cv2.imwrite(str(folder / name), cv2.cvtColor(255 - clip[frame], cv2.COLOR_RGB2BGR))
    output = pack.EscalierLoadKeyframes.execute("painted", film, 0)
    assert output.args[0].indices == (1, 4)
    (table,) = output.ui.as_dict()["text"]
    assert [line.split()[:2] for line in table.splitlines()[1:]] == [["keyframe_000001_00001_.png", "1"], ["take", "3"]]
    assert table.endswith("4 by its name, which also says 3")


def test_saving_again_makes_a_new_folder(pack: SimpleNamespace, keyframes, fresh_folders) -> None:
    for _ in range(2):
        pack.EscalierSaveKeyframes.execute(keyframes, "keys", 0)
    assert sorted(folder.name for folder in fresh_folders.output.iterdir()) == ["keys_00001", "keys_00002"]


def test_painting_over_a_keyframe_changes_the_fingerprint(
    pack: SimpleNamespace, film, keyframes, fresh_folders
) -> None:
    pack.EscalierSaveKeyframes.execute(keyframes, "keys", 0)
    folder = (fresh_folders.output / "keys_00001").rename(fresh_folders.input / "keys")
    before = pack.EscalierLoadKeyframes.fingerprint_inputs(folder="keys", film=None, first=0)
    assert pack.EscalierLoadKeyframes.fingerprint_inputs(folder="keys", film=None, first=0) == before
    cv2.imwrite(str(folder / "keyframe_000004.png"), np.zeros((48, 64, 3), np.uint8))
    assert pack.EscalierLoadKeyframes.fingerprint_inputs(folder="keys", film=None, first=0) != before


@pytest.mark.parametrize("folder", ["nowhere", "../output", "/etc"])
def test_folders_outside_the_input_folder_are_refused(pack: SimpleNamespace, film, fresh_folders, folder: str) -> None:
    assert "make it there" in pack.EscalierLoadKeyframes.validate_inputs(folder)
    with pytest.raises(OSError, match=r"^Load Keyframes: folder must be one inside .*; make it there"):
        pack.EscalierLoadKeyframes.execute(folder, film, 0)


def test_keyframes_of_another_size_are_refused_on_loading(pack: SimpleNamespace, film, fresh_folders) -> None:
    (fresh_folders.input / "keys").mkdir()
    cv2.imwrite(str(fresh_folders.input / "keys" / "k_2.png"), np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(
        ValueError, match=r"^Load Keyframes: k_2.png must be 64x48, the film's size, or larger .*, got 32x24; scale"
    ):
        pack.EscalierLoadKeyframes.execute("keys", film, 0)


def test_folder_without_pictures_is_refused(pack: SimpleNamespace, film, fresh_folders) -> None:
    (fresh_folders.input / "empty").mkdir()
    with pytest.raises(OSError, match=r"^Load Keyframes: .*empty must hold pictures .*got none"):
        pack.EscalierLoadKeyframes.execute("empty", film, 0)


def test_sheet_and_back_returns_the_same_bits(pack: SimpleNamespace, film, keyframes) -> None:
    grid, report = pack.EscalierPlanGrid.execute(keyframes, **PLAN, film=film).args
    (sheets,) = pack.EscalierTileGrid.execute(grid, keyframes).args
    (back,) = pack.EscalierSplitGrid.execute(grid, sheets, "film").args
    images, _ = pack.EscalierKeyframesToImages.execute(keyframes).args
    assert all((np.asarray(image) == picture).all() for image, picture in zip(images, back.pictures, strict=True))
    assert all(side % 64 == 0 for side in sheets.shape[1:3])
    assert "2 keyframes on 1 sheet" in report and "8.0 keyframes per second" in report


def test_upscaled_sheet_is_welcome_and_a_cropped_one_is_not(pack: SimpleNamespace, keyframes) -> None:
    grid, _ = pack.EscalierPlanGrid.execute(keyframes, **PLAN).args
    (sheets,) = pack.EscalierTileGrid.execute(grid, keyframes).args
    larger = sheets.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
    (back,) = pack.EscalierSplitGrid.execute(grid, larger, "painted").args
    assert str(back.size) == "128x96"
    with pytest.raises(
        ValueError, match=r"^Split Keyframe Grid: sheet 1 must be .* as planned, .*cropped or stretched"
    ):
        pack.EscalierSplitGrid.execute(grid, sheets[:, 8:], "film")


def test_impossible_plan_is_refused_by_the_node(pack: SimpleNamespace, keyframes) -> None:
    with pytest.raises(ValueError, match=r"^Plan Keyframe Grid: gutter must be a multiple of 64 px, got 10"):
        pack.EscalierPlanGrid.execute(keyframes, **{**PLAN, "gutter": 10})


def test_plan_of_other_keyframes_is_refused(pack: SimpleNamespace, keyframes, clip: np.ndarray) -> None:
    grid, _ = pack.EscalierPlanGrid.execute(keyframes, **PLAN).args
    other = Keyframes([0, 5], [clip[0], clip[5]], length=6)
    with pytest.raises(
        ValueError, match=r"^Tile Keyframe Grid: keyframes must stand at the plan's frames 1, 4, got 0, 5"
    ):
        pack.EscalierTileGrid.execute(grid, other)


def test_nodes_leave_their_inputs_as_they_are(pack: SimpleNamespace, film, keyframes) -> None:
    before = film.clone()
    pack.EscalierChooseKeyframes.execute(film, **CHOICE)
    grid, _ = pack.EscalierPlanGrid.execute(keyframes, **PLAN, film=film).args
    (sheets,) = pack.EscalierTileGrid.execute(grid, keyframes).args
    kept = sheets.clone()
    pack.EscalierSplitGrid.execute(grid, sheets, "film")
    assert (film == before).all() and (sheets == kept).all()
