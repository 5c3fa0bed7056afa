"""Shots by code of a subject before a room, through a camera whose path is known, for benchmarks and their tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from escalier.film import ArrayFrames, Size

SIZE = Size(320, 180)
ROOM = (1400, 700)
CORNER = (0.25, 0.28)
"""Where in the room the first frame's corner lies, as a share of it."""


class RoomShot(NamedTuple):
    """A shot and its truth.

    masks are as given to whoever is tested, subjects as they truly are, both bool (N, H, W); rooms uint8
    (N, H, W, 3) are the frames without the subject; to_first float64 (N, 3, 3) takes points of each frame to the first.
    """

    film: ArrayFrames
    masks: np.ndarray
    subjects: np.ndarray
    rooms: np.ndarray
    to_first: np.ndarray


def still(at: float) -> np.ndarray:
    return camera_at()


def pan(at: float) -> np.ndarray:
    return camera_at(x=300 * at, y=20 * np.sin(6 * at))


def handheld(at: float) -> np.ndarray:
    return camera_at(roll=0.02 * np.sin(9 * at), zoom=1 + 0.02 * np.sin(7 * at), x=14 * np.sin(11 * at), y=9 * at)


def roll_and_zoom(at: float) -> np.ndarray:
    return camera_at(roll=0.35 * np.sin(4 * at), zoom=1 + 0.5 * at, x=150 * at, y=40 * at)


def there_and_back(at: float) -> np.ndarray:
    return camera_at(x=300 * np.sin(np.pi * at))


CAMERAS: dict[str, Callable[[float], np.ndarray]] = {
    "still": still,
    "pan": pan,
    "hand-held": handheld,
    "roll and zoom": roll_and_zoom,
    "there and back": there_and_back,
}


def camera_at(roll: float = 0.0, zoom: float = 1.0, x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """A turn (radians) and a zoom about the middle of a frame of one unit, and a shift in pixels of the room."""
    c, s = np.cos(roll) / zoom, np.sin(roll) / zoom
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1.0]])


def room_shot(
    camera: Callable[[float], np.ndarray],
    *,
    length: int = 100,
    size: Size = SIZE,
    cover: float = 0.15,
    water: float = 0.0,
    forgets: bool = False,
    seed: int = 0,
) -> RoomShot:
    """A textured figure walks to and fro before a painted room.

    cover is the share of the picture that the figure takes, with an arm that reaches out of it; water the share of the
    picture's height, from below, that never rests; with `forgets` every third mask lacks the arm.
    """
    rng = np.random.default_rng(seed)
    wall, cloth = painted(rng, ROOM, 1.0), painted(rng, (2 * size.width, 2 * size.height), 2.5)
    waves = [painted(rng, (2 * size.width, 2 * size.height), 1.5) for _ in range(2)]
    middle = np.array([[1, 0, -size.width / 2], [0, 1, -size.height / 2], [0, 0, 1.0]])
    start = np.array([[1, 0, CORNER[0] * ROOM[0]], [0, 1, CORNER[1] * ROOM[1]], [0, 0, 1.0]]) @ np.linalg.inv(middle)
    views = [start @ camera(i / max(length - 1, 1)) @ middle for i in range(length)]
    frames, masks, subjects, rooms = [], [], [], []
    for i, view in enumerate(views):
        empty = cv2.warpPerspective(wall, view, tuple(size), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC)
        if water:
            top = round((1 - water) * size.height)
            flowing = sum(_slid(wave, 3.1 * i * way, 1.3 * i, size) for wave, way in zip(waves, (1, -1), strict=True))
            empty[top:] = (flowing / 2)[top:]
        empty = np.clip(np.rint(empty + rng.standard_normal(empty.shape) * 1.5), 0, 255).astype(np.uint8)
        body, arm = _figure(i, size, cover)
        whole = body | arm
        place = size.width * 0.3 * np.sin(0.11 * i)
        dress = np.clip(_slid(cloth, -place, 0, size) * np.float32(0.6), 0, 255).astype(np.uint8)
        frames.append(np.where(whole[..., None], dress, empty))
        rooms.append(empty)
        subjects.append(whole)
        masks.append(body if forgets and i % 3 == 1 else whole)
    to_first = np.stack([np.linalg.inv(views[0]) @ view for view in views])
    return RoomShot(ArrayFrames(np.stack(frames)), np.stack(masks), np.stack(subjects), np.stack(rooms), to_first)


def painted(rng: np.random.Generator, size: tuple[int, int], contrast: float) -> np.ndarray:
    """A picture with detail of every size: float32 (H, W, 3), 0..255."""
    out = np.full((size[1], size[0], 3), 127, np.float32)
    for cells, strength in ((6, 35), (20, 25), (70, 18), (160, 10)):
        noise = rng.standard_normal((cells, cells * 2, 3)).astype(np.float32)
        out += contrast * strength * cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    return cv2.GaussianBlur(np.clip(out, 0, 255), (0, 0), 1)


def _slid(picture: np.ndarray, x: float, y: float, size: Size) -> np.ndarray:
    """A part of a picture that slides by pixels, wrapped around."""
    map_x, map_y = np.meshgrid(
        np.arange(size.width, dtype=np.float32) + np.float32(x),
        np.arange(size.height, dtype=np.float32) + np.float32(y),
    )
    return cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _figure(index: int, size: Size, cover: float) -> tuple[np.ndarray, np.ndarray]:
    """Body and arm of the figure: bool (H, W) each."""
    radius = float(np.sqrt(cover * size.width * size.height / (1.5 * np.pi)))
    x, y = size.width * (0.5 + 0.3 * np.sin(0.11 * index)), size.height * 0.55
    body, arm = np.zeros((size.height, size.width), np.uint8), np.zeros((size.height, size.width), np.uint8)
    cv2.ellipse(body, (round(x), round(y)), (round(radius), round(1.5 * radius)), 4 * index % 30, 0, 360, 1, -1)
    swing = 0.9 * np.sin(0.3 * index)
    hand = (round(x + 1.9 * radius * np.cos(swing)), round(y + 1.9 * radius * np.sin(swing)))
    cv2.line(arm, (round(x), round(y)), hand, 1, max(3, round(0.3 * radius)))
    return body > 0, arm > 0


def corner_error(shot: RoomShot, to_first: np.ndarray) -> np.ndarray:
    """How far a plate that follows a camera slides at the corners of each frame at most: float64 (N,), in pixels."""
    width, height = shot.film.size
    corners = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float64)[:, None]
    errors = []
    for true, found in zip(shot.to_first, to_first, strict=True):
        back = cv2.perspectiveTransform(corners, np.linalg.inv(true) @ found)
        errors.append(float(np.linalg.norm(back - corners, axis=2).max()))
    return np.array(errors)


def spoilt_share(shot: RoomShot, index: int, picture: np.ndarray, unseen: np.ndarray) -> float:
    """The share of what was hidden and is called seen that is off by more than 8 levels."""
    seen = shot.subjects[index] & ~unseen
    if not seen.any():
        return 0.0
    return float((np.abs(picture.astype(int) - shot.rooms[index]).max(axis=2) > 8)[seen].mean())
