"""Plates to be believed: what masks forget, what never rests, what is seen too seldom, and shadows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from room_scenes import CAMERAS, room_shot, spoilt_share

from escalier.composite import CameraMotion, PlateSearch, camera_motion, make_clean_plate
from escalier.film import ArrayFrames, Size


@pytest.mark.parametrize(
    ("camera", "kind"),
    [
        ("still", {}),
        ("pan", {}),
        ("still", {"water": 0.45}),
        ("pan", {"water": 0.45}),
        ("still", {"forgets": True}),
        ("hand-held", {"forgets": True}),
    ],
    ids=["still", "pan", "still, water", "pan, water", "still, forgotten arm", "hand-held, forgotten arm"],
)
@pytest.mark.slow
def test_what_is_called_seen_is_the_room(camera: str, kind: dict) -> None:
    shot = room_shot(CAMERAS[camera], length=40, **kind)
    path = camera_motion(shot.film, shot.masks)
    for index in (0, 13, 39):
        plate = make_clean_plate(shot.film, shot.masks, index, camera=path)
        assert spoilt_share(shot, index, plate.picture, plate.unseen) <= 0.005


def test_water_is_handed_on_as_one_frame_had_it_and_said() -> None:
    shot = room_shot(CAMERAS["still"], length=20, water=0.45)
    plate = make_clean_plate(shot.film, shot.masks, 0, camera=CameraMotion.still(shot.film.size, 20))
    water = shot.subjects[0].copy()
    water[: round(0.62 * 180)] = False
    assert plate.unseen[water].mean() > 0.9
    said = str(plate)
    assert "never rest (water, leaves, a crowd) and are as frame" in said
    there = plate.doubts.from_frame
    assert (plate.picture[plate.doubts.restless] == shot.film.frame(there)[plate.doubts.restless]).all()


def test_single_sight_is_not_believed() -> None:
    room = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8), (0, 0), 2)
    masks = np.zeros((12, 60, 80), bool)
    masks[:, 20:40, 20:40] = True
    masks[7, 20:40, 20:40] = False
    plate = make_clean_plate(
        ArrayFrames(np.stack([room] * 12)),
        masks,
        0,
        PlateSearch(grow_px=0),
        camera=CameraMotion.still(Size(80, 60), 12),
    )
    assert plate.unseen[22:38, 22:38].all()
    assert "were seen but once, or differ from frame to frame" in str(plate)


def test_too_much_for_a_classic_fill_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    room = np.full((60, 80, 3), 90, np.uint8)
    masks = np.zeros((1, 60, 80), bool)
    masks[:, 20:40, 20:40] = True
    film, camera = ArrayFrames(np.stack([room] * 4)), CameraMotion.still(Size(80, 60), 4)
    plate = make_clean_plate(film, masks, 0, PlateSearch(fill="telea"), camera=camera)
    assert "too much to be filled by 'telea': give the plate and its mask to an inpainting model" in str(plate)
    assert "plate_inpaint_sdxl" in caplog.text


@pytest.mark.parametrize(("shadow", "left"), [(0.15, False), (0.0, True)])
def test_shadow_beside_the_mask_belongs_to_the_hole(shadow: float, left: bool) -> None:
    room = 60 + cv2.GaussianBlur(np.random.default_rng(1).integers(0, 120, (90, 160, 3), np.uint8), (0, 0), 2)
    frames, masks, cast = [], np.zeros((12, 90, 160), bool), np.zeros((12, 90, 160), bool)
    for i in range(12):
        masks[i, 20:60, 10 + 11 * i : 24 + 11 * i] = True
        cast[i, 60:72, 14 + 11 * i : 36 + 11 * i] = True
        frame = np.where(cast[i][..., None], np.rint(room * 0.7).astype(np.uint8), room)
        frame[masks[i]] = (200, 30, 30)
        frames.append(frame)
    search = PlateSearch(grow_px=2, shadow=shadow)
    plate = make_clean_plate(
        ArrayFrames(np.stack(frames)), masks, 5, search, camera=CameraMotion.still(Size(160, 90), 12)
    )
    error = np.abs(plate.picture.astype(int) - room).max(axis=2)[cast[5] & ~plate.unseen]
    assert (error > 8).mean() > 0.9 if left else (error > 8).mean() < 0.05
