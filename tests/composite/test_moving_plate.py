"""A painted room that follows the camera: planned large enough, moved exactly, honest about what it lacks."""

from __future__ import annotations

import numpy as np
import pytest
from room_scenes import CAMERAS, RoomShot, room_shot

from escalier.composite import CameraMotion, PlatePlan, make_clean_plate, move_plate, plan_plate
from escalier.film import Size


@pytest.fixture(scope="module")
def shot() -> RoomShot:
    return room_shot(CAMERAS["roll and zoom"], length=13)


@pytest.fixture(scope="module")
def camera(shot: RoomShot) -> CameraMotion:
    """The true one."""
    return CameraMotion(shot.to_first, shot.film.size, shot.film.rate, np.zeros(len(shot.film)))


def test_plate_of_a_still_camera_keeps_its_bits() -> None:
    plate = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    moved = move_plate(plate, CameraMotion.still(Size(64, 48), 3))
    assert len(moved) == 3 and (moved.frame(2) == plate).all() and not moved.unseen(2).any()


def test_planned_plate_covers_every_frame_and_one_of_the_films_size_says_which_it_does_not(
    shot: RoomShot, camera: CameraMotion
) -> None:
    plan = plan_plate(camera)
    assert plan.size.width > 320 and plan.size.width % 8 == plan.size.height % 8 == 0
    moved = move_plate(plan.padded(shot.rooms[0]), camera, plan)
    assert not any(moved.unseen(i).any() for i in range(13))
    assert moved.report().endswith("the plate covers every frame")
    small = move_plate(shot.rooms[0], camera)
    assert small.unseen(12).any() and not small.unseen(0).any()
    assert "THE PLATE IS TOO SMALL: frames 1 to 12 see up to" in small.report()


def test_moved_plate_is_the_filmed_room(shot: RoomShot, camera: CameraMotion) -> None:
    moved = move_plate(shot.rooms[0], camera)
    for index in (0, 6, 12):
        seen = ~moved.unseen(index)
        error = np.abs(moved.frame(index).astype(int) - shot.rooms[index]).max(axis=2)[seen]
        assert np.median(error) <= 6 and (error <= 20).mean() > 0.999


def test_float_plate_moves_like_one_of_whole_levels(shot: RoomShot, camera: CameraMotion) -> None:
    levels = move_plate(shot.rooms[0], camera).frame(12).astype(np.float32)
    floats = move_plate(shot.rooms[0].astype(np.float32) / 255, camera).frame(12)
    assert floats.dtype == np.float32
    assert np.abs(floats * 255 - levels).max() < 1.5


def test_plate_that_is_seen_smaller_does_not_shimmer() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), 160)[None, :, None].repeat(180, 0).repeat(3, 2)
    half = np.array([[2, 0, -160], [0, 2, -90], [0, 0, 1.0]])
    camera = CameraMotion(np.stack([np.eye(3), half]), Size(320, 180), 24, np.zeros(2))
    middle = move_plate(stripes, camera).frame(1)[60:120, 110:210]
    assert middle.std() < 30


def test_clean_plate_by_a_plan_is_a_mosaic_of_all_that_the_camera_saw(shot: RoomShot, camera: CameraMotion) -> None:
    pan = room_shot(CAMERAS["pan"], length=25)
    path = CameraMotion(pan.to_first, pan.film.size, pan.film.rate, np.zeros(25))
    plan = plan_plate(path)
    plate = make_clean_plate(pan.film, pan.masks, camera=path, plan=plan)
    assert Size.of(plate.picture) == plan.size and plan.size.width > 600
    moved, gone = (
        move_plate(plate.picture, path, plan),
        move_plate(plate.unseen[..., None].repeat(3, 2) * np.uint8(255), path, plan),
    )
    known = gone.frame(12).max(axis=2) == 0
    assert known.mean() > 0.7
    error = np.abs(moved.frame(12).astype(int) - pan.rooms[12]).max(axis=2)[known]
    assert (error > 12).mean() < 0.005
    with pytest.raises(ValueError, match="make_clean_plate: plan must be for 13 frames of 320x180"):
        make_clean_plate(shot.film, shot.masks, plan=PlatePlan.of_frame(20, shot.film.size))


def test_plates_that_do_not_fit_are_refused_by_name(shot: RoomShot, camera: CameraMotion) -> None:
    with pytest.raises(ValueError, match="move_plate: plate must be 320x180 as planned, got 64x48; it is smaller than"):
        move_plate(np.zeros((48, 64, 3), np.uint8), camera)
    with pytest.raises(ValueError, match=r"move_plate: plate must be .* as planned, got 320x180; scale it"):
        move_plate(shot.rooms[0], camera, plan_plate(camera))
    with pytest.raises(ValueError, match=r"plan_plate: index must lie in 0\.\.12, got 13"):
        plan_plate(camera, 13)
    far = np.array([[1, 0, 0], [0, 1, 0], [-1 / 200, 0, 1.0]])
    turned = CameraMotion(np.stack([np.eye(3), far]), Size(320, 180), 24, np.zeros(2))
    with pytest.raises(ValueError, match=r"plan_plate: camera must turn less than one flat plate can show.*frame 1"):
        plan_plate(turned)


def test_plan_of_the_middle_of_a_move_lies_around_its_frame(camera: CameraMotion) -> None:
    plan = plan_plate(camera, 6)
    x, y = plan.offset
    assert x > 0 and y > 0
    assert f"frame 6 lies in it from x {x}, y {y}" in str(plan)
