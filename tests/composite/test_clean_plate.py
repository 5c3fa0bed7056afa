"""The room without the dancer, against a room that is known because it was made."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.composite import CameraMotion, PlateSearch, camera_motion, make_clean_plate, make_clean_plates
from escalier.composite.alignment import simplest_motion
from escalier.composite.clean_plate import spread_order
from escalier.film import ArrayFrames, Size

SIZE = (160, 110)  # width, height of a frame


def big_room(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    room = np.zeros((220, 420, 3), np.float32)
    for cells, amplitude in ((6, 35), (20, 25), (70, 18)):
        noise = rng.standard_normal((cells, cells * 2, 3)).astype(np.float32)
        room += amplitude * cv2.resize(noise, (420, 220), interpolation=cv2.INTER_CUBIC)
    return cv2.GaussianBlur(np.clip(room + 127, 0, 255), (0, 0), 1)


def shot(views: list[np.ndarray], seed: int = 1) -> tuple[ArrayFrames, np.ndarray, np.ndarray]:
    """A film of a moving blob before a room, its masks, and the rooms alone. views[i] takes frame i into the room."""
    room, rng = big_room(), np.random.default_rng(seed)
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
    rooms = [np.rint(np.clip(cv2.warpPerspective(room, v, SIZE, flags=flags), 0, 255)).astype(np.uint8) for v in views]
    frames, masks = [], []
    for i, empty in enumerate(rooms):
        mask = np.zeros(SIZE[::-1], np.uint8)
        cv2.ellipse(mask, (20 + 9 * i, 55), (12, 35), 8 * i, 0, 360, 1, -1)
        subject = rng.integers(0, 255, empty.shape, np.uint8)
        frames.append(np.where(mask[..., None] > 0, subject, empty))
        masks.append(mask.astype(bool))
    return ArrayFrames(np.stack(frames)), np.stack(masks), np.stack(rooms)


def pan(dx: float, dy: float, length: int = 13) -> list[np.ndarray]:
    return [np.array([[1, 0, 40 + dx * i], [0, 1, 40 + dy * i], [0, 0, 1.0]]) for i in range(length)]


def turn(length: int = 13) -> list[np.ndarray]:
    views = []
    for i in range(length):
        angle, zoom = 0.006 * i, 1 - 0.004 * i
        c, s = zoom * np.cos(angle), zoom * np.sin(angle)
        views.append(np.array([[c, -s, 60 + 2.3 * i], [s, c, 40 - 0.4 * i], [1e-5 * i, 0, 1]]))
    return views


VIEWS = {
    "still": pan(0, 0),
    "pan by whole pixels": pan(5, -1),
    "pan by parts of pixels": pan(4.37, 0.61),
    "turn": turn(),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VIEWS)
def test_room_is_found_within_two_levels_and_the_rest_is_handed_on(name: str) -> None:
    film, masks, rooms = shot(VIEWS[name])
    for index in (0, 6, 12):
        plate = make_clean_plate(film, masks, index, PlateSearch(grow_px=2))
        error = np.abs(plate.picture.astype(int) - rooms[index]).max(axis=2)
        often = plate.seen >= 3
        assert (error[often] <= 2).mean() >= 0.99
        assert (plate.unseen == (plate.seen == 0)).all()
        assert (error[~plate.unseen] <= 12).all(), "what is not handed on must be room, not dancer"


def test_every_pixel_that_no_frame_shows_is_handed_on() -> None:
    film, masks, _ = shot(pan(0, 0))
    masks[:, 40:60, 70:90] = True  # something that never moves
    plate = make_clean_plate(film, masks, 3, PlateSearch(grow_px=0))
    assert plate.unseen[40:60, 70:90].all()
    assert plate.unseen.sum() == masks.all(axis=0).sum()


def test_frame_outside_the_grown_mask_is_kept_to_the_bit() -> None:
    film, masks, _ = shot(VIEWS["turn"])
    plate = make_clean_plate(film, masks, 6, PlateSearch(grow_px=4))
    kept = ~cv2.dilate(masks[6].view(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))).astype(bool)
    assert (plate.picture[kept] == film.frame(6)[kept]).all()


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("fill", ["telea", "navier_stokes"])
def test_filling_paints_what_no_frame_shows_and_still_says_so(fill: str, dtype: type) -> None:
    frames, masks, rooms = shot(pan(0, 0))
    film = frames if dtype is np.uint8 else ArrayFrames(frames._frames.astype(np.float32) / 255)
    masks[:, 48:54, 76:82] = True
    left = make_clean_plate(film, masks, 3, PlateSearch(grow_px=0))
    filled = make_clean_plate(film, masks, 3, PlateSearch(grow_px=0, fill=fill))
    assert (left.unseen == filled.unseen).all()
    assert (left.picture[~left.unseen] == filled.picture[~left.unseen]).all()
    scale = 1 if dtype is np.uint8 else 255
    error = np.abs(filled.picture.astype(np.float32) * scale - rooms[3])[left.unseen]
    assert error.mean() < 25


def test_change_of_exposure_is_evened_out() -> None:
    film, masks, rooms = shot(pan(3, 0))
    gains = np.linspace(1, 0.8, len(film), dtype=np.float32)[:, None, None, None]
    dimmed = ArrayFrames(np.rint(film._frames * gains).astype(np.uint8))
    plate = make_clean_plate(dimmed, masks, 0, PlateSearch(grow_px=2))
    error = np.abs(plate.picture.astype(int) - rooms[0]).max(axis=2)
    assert np.median(error[masks[0] & ~plate.unseen]) <= 3


def test_plates_of_a_film_are_those_of_its_frames() -> None:
    film, masks, _ = shot(pan(3, 1, length=5))
    told: list[int] = []
    plates = list(make_clean_plates(film, masks, progress=lambda done, total, picture: told.append(done)))
    assert told == [1, 2, 3, 4, 5]
    assert (plates[2].picture == make_clean_plate(film, masks, 2).picture).all()


def test_motion_of_the_camera_is_found_behind_the_dancer() -> None:
    for name, views in VIEWS.items():
        film, masks, _ = shot(views)
        to_first = camera_motion(film, masks)
        corners = np.array([[[10.0, 10]], [[150, 15]], [[80, 100]]])
        truth = cv2.perspectiveTransform(corners, np.linalg.inv(views[0]) @ views[-1])
        found = cv2.perspectiveTransform(corners, to_first[-1])
        assert np.abs(truth - found).max() < 0.5, name


def test_still_camera_is_still_to_the_bit() -> None:
    film, masks, _ = shot(pan(0, 0, length=4))
    assert all((motion == np.eye(3)).all() for motion in camera_motion(film, masks))


def test_simplest_motion_that_explains_the_points_is_taken() -> None:
    points = np.random.default_rng(0).random((60, 2)) * (300, 200)
    assert (simplest_motion(points, points + 0.001) == np.eye(3)).all()
    shifted = simplest_motion(points, points + np.array([7.5, -2]))
    assert shifted is not None
    assert (shifted[:2, :2] == np.eye(2)).all()
    assert shifted[:2, 2].tolist() == pytest.approx([7.5, -2])


def test_room_without_texture_is_taken_to_stand_still() -> None:
    film = ArrayFrames(np.full((3, 60, 80, 3), 120, np.uint8))
    masks = np.zeros((3, 60, 80), bool)
    masks[:, 20:30, 20:30] = True
    assert make_clean_plate(film, masks, 1).unseen.sum() > 0


@pytest.mark.parametrize(("length", "most"), [(2, 60), (10, 60), (50, 7), (1, 5)])
def test_frames_to_look_at_are_different_and_not_the_own(length: int, most: int) -> None:
    order = spread_order(length // 2, length, most)
    assert len(set(order)) == len(order) == min(most, length - 1)
    assert length // 2 not in order


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"masks": np.zeros((3, 110, 160))}, "mask must have 1 or 4 frames, got 3"),
        ({"masks": np.zeros((1, 111, 160))}, "mask must be 160x110 like the picture, got 160x111"),
        ({"index": 4}, r"index must lie in 0\.\.3, got 4"),
        (
            {"camera": CameraMotion.still(Size(*SIZE), 1)},
            "camera must hold 4 motions of 160x110, one for each frame, got 1 of 160x110",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_plates_are_refused_by_name(change: dict, words: str) -> None:
    film, masks, _ = shot(pan(0, 0, length=4))
    with pytest.raises(ValueError, match=words):
        make_clean_plate(**{"film": film, "masks": masks, **change})


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        ({"frames": 0}, "frames must be >= 1, got 0; look at one other frame at least"),
        ({"grow_px": -1}, "grow_px must be >= 0 px, got -1; 0 trusts the mask"),
        ({"fill": "content_aware"}, "fill must be one of none, telea, navier_stokes, got content_aware"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_dials_of_a_search_are_refused_when_it_is_made(dial: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^PlateSearch: {words}"):
        PlateSearch(**dial)
