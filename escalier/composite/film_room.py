"""The room behind a subject in every frame, out of the film itself: one plate of all that its camera sees, moved along.

A plate for every frame of its own would be sharper where near and far move apart, and takes a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from escalier.film import Film, Masks
from escalier.log import log
from escalier.refusals import Refusal

from .camera import camera_motion
from .clean_plate import PlateSearch, make_clean_plate
from .moving_plate import move_plate, plan_plate

FRAMES = 16
"""So many other frames are looked at."""

Room = Callable[[int], tuple[np.ndarray, np.ndarray]]
"""The room in a frame's view, RGB (H, W, 3) of the film's type, and where it is not known, bool (H, W)."""


def room_of_film(film: Film, masks: Masks, hair_px: float) -> Room:
    """The room that a film shows around its subject; within `hair_px` of a mask nothing is taken for the room.

    Where the camera turns too far for one plate, or there is a cut, nothing is known, and the log says so.
    """
    search = PlateSearch(frames=FRAMES, grow_px=round(hair_px))
    try:
        camera = camera_motion(film, masks, grow_px=search.grow_px)
        plan = plan_plate(camera, len(film) // 2)
    except Refusal as refusal:
        log.warning("the room behind her is not known: %s", refusal)
        return lambda index: (film.frame(index), np.ones((film.size.height, film.size.width), bool))
    plate = make_clean_plate(film, masks, search=search, camera=camera, plan=plan)
    pictures, unseen = move_plate(plate.picture, camera, plan), plate.unseen.astype(np.float32)

    def room(index: int) -> tuple[np.ndarray, np.ndarray]:
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        hidden = cv2.warpPerspective(
            unseen,
            plan.to_plate(camera, index),
            tuple(film.size),
            flags=flags,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=1,
        )
        return pictures.frame(index), hidden > 0

    return room
