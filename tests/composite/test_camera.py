"""How the camera moved, against cameras whose path is known, behind a figure that walks before them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from room_scenes import CAMERAS, corner_error, room_shot

from escalier.composite import CameraMotion, camera_motion
from escalier.film import ArrayFrames, Size


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pan", "roll and zoom"])
def test_hundred_frames_behind_a_figure_over_two_fifths_of_the_picture_do_not_drift(name: str) -> None:
    shot = room_shot(CAMERAS[name], cover=0.4)
    assert shot.subjects.mean(axis=(1, 2)).max() > 0.38
    camera = camera_motion(shot.film, shot.masks)
    assert corner_error(shot, camera.to_first).max() < 0.5
    assert camera.lost == () and "unexplained" not in str(camera)


def test_camera_that_returns_is_back_where_it_was() -> None:
    shot = room_shot(CAMERAS["there and back"], length=25)
    camera = camera_motion(shot.film, shot.masks)
    assert corner_error(shot, camera.to_first).max() < 0.3
    assert camera.travel_px == pytest.approx(300, abs=1)


def test_camera_that_stands_still_is_still_to_the_bit() -> None:
    shot = room_shot(CAMERAS["still"], length=6)
    camera = camera_motion(shot.film, shot.masks)
    assert (camera.to_first == np.eye(3)).all()
    assert str(camera) == "the camera stands still"


def test_something_else_that_moves_unmasked_is_left_out() -> None:
    shot = room_shot(CAMERAS["there and back"], length=60, cover=0.15)
    camera = camera_motion(shot.film, np.zeros((1, *shot.masks.shape[1:]), bool))
    assert corner_error(shot, camera.to_first).max() < 0.5


def test_near_and_far_that_move_apart_are_told_with_their_frames() -> None:
    rng = np.random.default_rng(4)
    far = cv2.GaussianBlur(rng.integers(0, 256, (120, 400, 3), np.uint8), (0, 0), 2)
    near = cv2.GaussianBlur(rng.integers(0, 256, (120, 400, 3), np.uint8), (0, 0), 2)
    frames = []
    for i in range(10):
        frame = far[:, 2 * i : 2 * i + 160].copy()
        frame[80:] = near[80:, 5 * i : 5 * i + 160]
        frames.append(frame)
    camera = camera_motion(ArrayFrames(np.stack(frames)), np.zeros((1, 120, 160)))
    assert camera.left_px[1:4] == pytest.approx([3, 6, 9], abs=0.1)
    assert "frames 1 to 3 leave up to 9.0 px" in str(camera) and "(parallax)" in str(camera)


def test_cut_in_the_film_is_refused_with_its_frame() -> None:
    one, other = (room_shot(CAMERAS["hand-held"], length=20, seed=seed) for seed in (0, 9))
    film = ArrayFrames(np.concatenate([one.rooms[:6], other.rooms[:6]]))
    with pytest.raises(ValueError, match="camera_motion: film must be one shot, got a cut at frame 6; split it"):
        camera_motion(film, np.zeros((1, 180, 320)))


def test_frames_that_she_fills_are_said_to_be_lost() -> None:
    shot = room_shot(CAMERAS["pan"], length=12)
    masks = shot.masks.copy()
    masks[5:8] = True
    camera = camera_motion(shot.film, masks)
    assert camera.lost == (5, 6, 7)
    assert "frames 5 to 7 show too little of the room to be followed" in str(camera)
    assert corner_error(shot, camera.to_first)[8:].max() < 1


def test_tripod_is_a_camera_too() -> None:
    camera = CameraMotion.still(Size(64, 48), 4)
    assert len(camera) == 4 and (camera.between(1, 3) == np.eye(3)).all()
