"""A still room that moves as the filmed one did: a plate painted once, seen through the film's camera.

The plate is painted in the view of one frame, on a canvas large enough for all that the camera looks at (`plan_plate`).
Each frame samples it once, through the homography from that frame to the plate.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import FilmBase, Size
from escalier.refusals import Refusal

from .alignment import moved_points
from .camera import CameraMotion, frames_said

MOST_TIMES = 8
"""A plate that had to be so many times the film's width or height is no plate any more: the camera turns too far."""
SPARE_PX = 4
"""Border of a plate beyond what is seen of it: half the width of the interpolation."""
SAME_SCALE = 1.02
"""Shrinking by less needs no smoothing against shimmer."""


@checked
@dataclass(frozen=True)
class PlatePlan:
    """How large a plate must be painted so that it covers all that the camera sees, and where its frame lies in it.

    Attributes
    ----------
    index
        The frame in whose view the plate is painted.
    frame
        The size of the film.
    size
        The size of the plate.
    offset
        (x, y), in pixels: where the frame's upper left corner lies in the plate.

    >>> print(PlatePlan(0, Size(64, 48), Size(96, 48), (16, 0)))
    paint 96x48, 1.5 times the width and 1.0 times the height of the film: frame 0 lies in it from x 16, y 0
    """

    index: int
    frame: Size
    size: Size
    offset: tuple[int, int]

    @classmethod
    def of_frame(cls, index: int, frame: Size) -> PlatePlan:
        """A plate that is no larger than the frame."""
        return cls(index, frame, frame, (0, 0))

    def to_plate(self, camera: CameraMotion, index: int) -> np.ndarray:
        """Where points (x, y) of a frame lie in the plate: a homography float64 (3, 3)."""
        shift = np.eye(3)
        shift[:2, 2] = self.offset
        return shift @ camera.between(index, self.index)

    def padded(self, picture: np.ndarray) -> np.ndarray:
        """The frame `index`, (H, W) or (H, W, 3), at its place in the plate; black around it."""
        x, y = self.offset
        out = np.zeros((self.size.height, self.size.width, *picture.shape[2:]), picture.dtype)
        out[y : y + self.frame.height, x : x + self.frame.width] = picture
        return out

    def __str__(self) -> str:
        wide, high = self.size.width / self.frame.width, self.size.height / self.frame.height
        x, y = self.offset
        if self.size == self.frame:
            return f"paint {self.size}, the size of the film: the camera sees no more than frame {self.index} does"
        return (
            f"paint {self.size}, {wide:.1f} times the width and {high:.1f} times the height of the film: "
            f"frame {self.index} lies in it from x {x}, y {y}"
        )


@checked
def plan_plate(camera: CameraMotion, index: int = 0, *, margin_px: int = SPARE_PX, multiple_of: int = 8) -> PlatePlan:
    """How large a plate in the view of frame `index` must be to cover the whole move of a camera.

    Parameters
    ----------
    camera
        From `camera_motion`.
    index
        The frame in whose view the plate is painted. The middle of a move needs the smallest plate.
    margin_px
        Room to spare around what is seen, in pixels, where the camera moves. More forgives a plate that is painted a
        little off.
    multiple_of
        The plate's sides are made multiples of this; 8 passes through diffusion models uncut. A camera that stands
        still needs the film's size, whatever it is.

    Raises
    ------
    ValueError
        When the index lies outside the film, or the camera turns too far for one flat plate.

    >>> print(plan_plate(CameraMotion.still(Size(64, 48), 3)))
    paint 64x48, the size of the film: the camera sees no more than frame 0 does
    """
    check_index(index, len(camera))
    if margin_px < 0:
        raise Refusal("margin_px", "be >= 0 px", margin_px, "0 is none")
    if multiple_of < 1:
        raise Refusal("multiple_of", "be >= 1", multiple_of, "1 takes any size")
    width, height = camera.size
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    seen = []
    for i in range(len(camera)):
        motion = camera.between(i, index)
        depth = np.column_stack([corners, np.ones(4)]) @ motion[2]
        there = moved_points(motion, corners)
        if depth.min() <= 0 or np.ptp(there[:, 0]) > MOST_TIMES * width or np.ptp(there[:, 1]) > MOST_TIMES * height:
            raise Refusal(
                "camera",
                f"turn less than one flat plate can show (at most {MOST_TIMES} times the film)",
                f"more at frame {i}",
                "choose a frame in the middle of the move, or cut the film into parts with a plate each",
            )
        seen.append(there)
    if np.abs(np.stack(seen) - corners).max() < 1e-6:
        return PlatePlan.of_frame(index, camera.size)
    found = np.concatenate(seen)
    least = np.minimum(np.floor(found.min(axis=0)) - margin_px, 0).astype(int)
    most = np.maximum(np.ceil(found.max(axis=0)) + margin_px, (width, height)).astype(int)
    sides = [math.ceil(side / multiple_of) * multiple_of for side in (most - least)]
    if sides[0] > MOST_TIMES * width or sides[1] > MOST_TIMES * height:
        raise Refusal(
            "camera",
            f"look at no more than one plate can show (at most {MOST_TIMES} times the film)",
            f"{sides[0]}x{sides[1]} for {camera.size}",
            "choose a frame in the middle of the move, or cut the film into parts with a plate each",
        )
    return PlatePlan(index, camera.size, Size(*sides), (int(-least[0]), int(-least[1])))


class MovedPlate(FilmBase):
    """A plate as a film's camera sees it: a `Film` whose frames are made when they are asked for.

    Made by `move_plate`. `frame(i)` is of the plate's type; `unseen(i)` bool (H, W) is where the plate does not reach,
    and its border is drawn out there.

    >>> plate = np.full((48, 64, 3), 90, np.uint8)
    >>> move_plate(plate, CameraMotion.still(Size(64, 48), 2)).unseen(1).any()
    np.False_
    """

    _OUTSIDE = "the camera's motion ends there"

    def __init__(self, plate: np.ndarray, camera: CameraMotion, plan: PlatePlan) -> None:
        super().__init__(camera.size, camera.rate, len(camera))
        self.plate, self.camera, self.plan = plate, camera, plan
        self._whole = np.full(plate.shape[:2], 255, np.uint8)

    def _frame(self, index: int) -> np.ndarray:
        motion = self.plan.to_plate(self.camera, index)
        moved = cv2.warpPerspective(
            self._smoothed(motion),
            motion,
            tuple(self.size),
            flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LANCZOS4,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return moved if moved.dtype == np.uint8 else np.clip(moved, 0, 1)

    def _smoothed(self, motion: np.ndarray) -> np.ndarray:
        """The plate, smoothed as far as this frame shows it smaller than it was painted, or it would shimmer."""
        width, height = self.size
        middle = np.array([(width / 2 + dx, height / 2 + dy) for dx, dy in ((0, 0), (1, 0), (0, 1))])
        start, right, down = moved_points(motion, middle)
        scale = math.sqrt(abs(float(np.linalg.det(np.stack([right - start, down - start])))))
        if scale <= SAME_SCALE:
            return self.plate
        return cv2.GaussianBlur(self.plate, (0, 0), 0.5 * math.sqrt(scale**2 - 1), borderType=cv2.BORDER_REPLICATE)

    def unseen(self, index: int) -> np.ndarray:
        """Where the plate does not reach in frame `index`: bool (H, W)."""
        self.check_index(index)
        motion = self.plan.to_plate(self.camera, index)
        flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
        return cv2.warpPerspective(self._whole, motion, tuple(self.size), flags=flags) < 255

    def report(self) -> str:
        """How the camera moves, and which frames see beyond the plate.

        >>> move_plate(np.zeros((48, 64, 3), np.uint8), CameraMotion.still(Size(64, 48), 2)).report()
        'the camera stands still; the plate covers every frame'
        """
        shares = np.array([self.unseen(i).mean() for i in range(len(self))])
        beyond = np.flatnonzero(shares)
        if not len(beyond):
            return f"{self.camera}; the plate covers every frame"
        return (
            f"{self.camera}; THE PLATE IS TOO SMALL: {frames_said(beyond)} see up to {100 * shares.max():.2g} % beyond "
            f"it, where its border is drawn out; paint it as large as Plan Plate says"
        )


@checked
def move_plate(plate: np.ndarray, camera: CameraMotion, plan: PlatePlan | None = None) -> MovedPlate:
    """A still room that follows pan, tilt, zoom and roll of a film's camera.

    Parameters
    ----------
    plate
        The restyled room, RGB (H, W, 3), uint8 or float32 0..1, of the plan's size.
    camera
        From `camera_motion`.
    plan
        What the plate was painted by, from `plan_plate`; None is a plate of the film's size, in the view of frame 0.

    Where the camera does not move, the plate's bits pass through.

    Raises
    ------
    ValueError
        When the plate's size is not the planned one.

    >>> plate = np.zeros((48, 64, 3), np.uint8)
    >>> len(move_plate(plate, CameraMotion.still(Size(64, 48), 5)))
    5
    """
    plan = plan or PlatePlan.of_frame(0, camera.size)
    check_index(plan.index, len(camera))
    if plan.frame != camera.size:
        raise Refusal("plan", f"be for a film of {camera.size}", plan.frame, "make both from the same film")
    if plate.ndim != 3 or plate.shape[2] != 3:
        raise Refusal("plate", "be an RGB picture (H, W, 3)", plate.shape, "give one picture")
    if Size.of(plate) != plan.size:
        remedy = "scale it to that size" if plan.size != camera.size else "connect the plan that it was painted by"
        smaller = Size.of(plate).width < camera.size.width or Size.of(plate).height < camera.size.height
        remedy = "it is smaller than the film: " + remedy if smaller else remedy
        raise Refusal("plate", f"be {plan.size} as planned", Size.of(plate), remedy)
    return MovedPlate(plate, camera, plan)


def check_index(index: int, length: int) -> None:
    """Refuse a frame that a film of this length has not."""
    if not 0 <= index < length:
        raise Refusal("index", f"lie in 0..{length - 1}", index, "frames are counted from 0")
