"""The room without the dancer: what she hides in one frame, looked up in the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Masks, MaskSource, check_lengths
from escalier.mask import box_around
from escalier.progress import Progress
from escalier.refusals import Refusal

from .camera import align, blocked, camera_motion, grey

INPAINTING = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}
FILLS = ("none", *INPAINTING)
"""What becomes of pixels that no frame shows: left for an inpainting model, or filled from around them (A. Telea, 2004;
M. Bertalmio et al., "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting", 2001)."""
FILL_RADIUS_PX = 5
ENOUGH = 9
"""Samples of a pixel after which no more frames are looked up for it."""
AROUND_PX = 96
"""How far around the hole the room is used to align another frame."""
RESAMPLING_PX = 3
"""Border of a resampled frame that is not trusted: half the width of the interpolation."""
SAME_EXPOSURE = 0.01
"""Gains nearer to 1 than this are noise."""


@checked
@dataclass(frozen=True)
class PlateSearch(Dials):
    """How the room behind the subject is looked for in other frames.

    Each hidden pixel is the median, channel by channel, of the frames that show it, aligned by the camera's motion and
    brought to the same exposure.

    >>> PlateSearch(frames=0)
    Traceback (most recent call last):
    escalier.refusals.Refusal: PlateSearch: frames must be >= 1, got 0; look at one other frame at least
    """

    frames: int = dial(
        60,
        "How many other frames are looked at, spread over the film. 60 is plenty for most shots; more sees more of the "
        "room and takes longer.",
        least=1,
        offered=(1, 100_000),
        remedy="look at one other frame at least",
    )
    grow_px: int = dial(
        6,
        "How far around the mask nothing is trusted, in pixels. 6 avoids halos of the subject's edge; more has more to "
        "find.",
        least=0,
        offered=(0, 500),
        unit="px",
        remedy="0 trusts the mask",
    )
    fill: str = dial(
        "none",
        "What becomes of pixels that no frame shows: left as they are for an inpainting model ('none'), or filled from "
        "around them by one of two classic methods, good for small holes.",
        choices=FILLS,
    )


@dataclass(frozen=True)
class CleanPlate:
    """The room as one frame sees it.

    Attributes
    ----------
    picture
        (H, W, 3) of the film's type. Outside the grown mask the frame itself, to the bit.
    unseen
        bool (H, W): pixels that no frame shows. Give them to an inpainting model, filled or not.
    seen
        uint8 (H, W): in how many frames each pixel was seen, its own included; at most 255.
    """

    picture: np.ndarray
    unseen: np.ndarray
    seen: np.ndarray

    def __str__(self) -> str:
        count = int(self.unseen.sum())
        if not count:
            return "every pixel of the room was found"
        share = 100 * count / self.unseen.size
        return f"no frame shows {count} pixels, {share:.2g} % of the picture: white in the mask of what is unseen"


@checked
def make_clean_plate(
    film: Film,
    masks: MaskSource,
    index: int = 0,
    search: PlateSearch | None = None,
    *,
    camera: list[np.ndarray] | None = None,
    progress: Progress | None = None,
) -> CleanPlate:
    """The room as frame `index` would see it without the subject.

    Parameters
    ----------
    film, masks
        The shot, and masks (H, W) of all that has to go, one for each frame or one for all.
    index
        The frame whose view the plate has.
    search
        How the room is looked for, see `PlateSearch`.
    camera
        What `camera_motion` gave for this film; by default it is found here. For a camera that stands still,
        [np.eye(3)] * len(film) says so.
    progress
        Called as progress(done, total) after each frame that is looked at.

    Raises
    ------
    ValueError
        When the masks do not fit the film, or the index lies outside it.

    >>> from escalier.film import ArrayFrames
    >>> room = np.full((40, 60, 3), 90, np.uint8)
    >>> shot, masks = np.stack([room, room, room]), np.zeros((3, 40, 60), bool)
    >>> for i in range(3):
    ...     masks[i, 10:20, 20 * i : 20 * i + 10] = True
    ...     shot[i, 10:20, 20 * i : 20 * i + 10] = 255
    >>> plate = make_clean_plate(ArrayFrames(shot), masks, 0, PlateSearch(grow_px=0), camera=[np.eye(3)] * 3)
    >>> bool((plate.picture == room).all()), bool(plate.unseen.any())
    (True, False)
    """
    check_lengths(len(film), mask=masks)
    if not 0 <= index < len(film):
        raise Refusal("index", f"lie in 0..{len(film) - 1}", index, "frames are counted from 0")
    search = search or PlateSearch()
    if camera is None:
        camera = camera_motion(film, masks, grow_px=search.grow_px)
    if len(camera) != len(film):
        raise Refusal(
            "camera", f"hold {len(film)} motions, one for each frame", len(camera), "take it from the same clip"
        )
    return _plate(film, Masks.of(masks), index, search, camera, progress)


@checked
def make_clean_plates(
    film: Film,
    masks: MaskSource,
    search: PlateSearch | None = None,
    *,
    camera: list[np.ndarray] | None = None,
    progress: Progress | None = None,
) -> Iterator[CleanPlate]:
    """The clean plate of every frame, in their order, by `make_clean_plate`. progress(done, total, picture).

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.full((2, 32, 32, 3), 90, np.uint8))
    >>> [plate.picture.shape for plate in make_clean_plates(film, np.zeros((1, 32, 32)))]
    [(32, 32, 3), (32, 32, 3)]
    """
    check_lengths(len(film), mask=masks)
    return _plates(film, Masks.of(masks), search or PlateSearch(), camera, progress)


def _plates(
    film: Film, masks: Masks, search: PlateSearch, camera: list[np.ndarray] | None, progress: Progress | None
) -> Iterator[CleanPlate]:
    if camera is None:
        camera = camera_motion(film, masks, grow_px=search.grow_px)
    for i in range(len(film)):
        plate = _plate(film, masks, i, search, camera, None)
        if progress is not None:
            progress(i + 1, len(film), plate.picture)
        yield plate


def _plate(
    film: Film, masks: Masks, index: int, search: PlateSearch, camera: list[np.ndarray], progress: Progress | None
) -> CleanPlate:
    picture = film.frame(index)
    hidden = blocked(masks.at(index), picture, search.grow_px)
    seen = np.where(hidden, 0, 1).astype(np.uint8)
    if not hidden.any():
        return CleanPlate(picture.copy(), np.zeros_like(hidden), seen)
    view = _View(picture, hidden)
    order = spread_order(index, len(film), search.frames)
    for done, other in enumerate(order):
        there = film.frame(other)
        there_seen = ~blocked(masks.at(other), there, search.grow_px)
        view.look_up(there, there_seen, np.linalg.inv(camera[other]) @ camera[index])
        if progress is not None:
            progress(done + 1, len(order))
        if view.complete:
            break
    plate, count = view.medians()
    seen[view.part] = np.maximum(seen[view.part], count)
    unseen = hidden & (seen == 0)
    return CleanPlate(_filled(plate, unseen, search.fill), unseen, seen)


class _View:
    """One frame's hole, and the samples of it that other frames have given so far."""

    def __init__(self, picture: np.ndarray, hidden: np.ndarray) -> None:
        self.part, around = box_around(hidden), box_around(hidden, AROUND_PX)
        self.picture, self.hidden = picture, hidden
        near = np.zeros_like(hidden)
        near[around] = True
        self.near = near & ~hidden
        self.grey = grey(picture)
        shape = hidden[self.part].shape
        self.samples = np.zeros((ENOUGH, *shape, 3), picture.dtype)
        self.count = np.zeros(shape, np.intp)

    @property
    def complete(self) -> bool:
        return bool((self.count[self.hidden[self.part]] >= ENOUGH).all())

    def look_up(self, there: np.ndarray, there_seen: np.ndarray, motion: np.ndarray) -> None:
        """Take samples from another frame; motion is where this frame's room lies in it."""
        if not np.array_equal(motion, np.eye(3)):
            refined = align(self.grey, self.near, grey(there), there_seen, motion)
            motion = motion if refined is None else refined
        still = np.allclose(motion, np.round(motion), atol=1e-6)
        if not still:
            there_seen = there_seen.copy()
            there_seen[:RESAMPLING_PX] = there_seen[-RESAMPLING_PX:] = False
            there_seen[:, :RESAMPLING_PX] = there_seen[:, -RESAMPLING_PX:] = False
        size = self.hidden.shape[::-1]
        flags = cv2.WARP_INVERSE_MAP
        trusted = cv2.warpPerspective(there_seen.view(np.uint8) * 255, motion, size, flags=flags | cv2.INTER_LINEAR)
        moved = cv2.warpPerspective(
            there, motion, size, flags=flags | cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE
        )
        moved = self._exposed_alike(moved, (trusted == 255) & self.near)
        new = (trusted[self.part] == 255) & self.hidden[self.part] & (self.count < ENOUGH)
        rows, columns = np.nonzero(new)
        self.samples[self.count[rows, columns], rows, columns] = moved[self.part][rows, columns]
        self.count[rows, columns] += 1

    def _exposed_alike(self, moved: np.ndarray, both_seen: np.ndarray) -> np.ndarray:
        """The other frame with this one's exposure, where the two differ."""
        if both_seen.sum() < 100:
            return moved
        ours = np.median(self.picture[both_seen].astype(np.float32), axis=0)
        theirs = np.median(moved[both_seen].astype(np.float32), axis=0)
        gain = np.where(theirs > 0, ours / np.maximum(theirs, 1e-6), 1)
        if (np.abs(gain - 1) < SAME_EXPOSURE).all() or (theirs <= 0).any():
            return moved
        exposed = moved.astype(np.float32) * gain.astype(np.float32)
        return np.rint(np.clip(exposed, 0, 255)).astype(np.uint8) if moved.dtype == np.uint8 else exposed

    def medians(self) -> tuple[np.ndarray, np.ndarray]:
        """The frame with its hole filled as far as it was seen, and how often each pixel of the part was."""
        out, part = self.picture.copy(), self.part
        hole = out[part]
        for count in range(1, ENOUGH + 1):
            here = self.hidden[part] & (self.count == count)
            if here.any():
                middle = np.median(self.samples[:count, here], axis=0)
                hole[here] = np.rint(middle) if out.dtype == np.uint8 else middle
        return out, np.where(self.hidden[part], self.count, 1).astype(np.uint8)


def spread_order(index: int, length: int, most: int) -> list[int]:
    """At most so many other frames, spread over the film, far ones mixed with near ones so that few soon see much.

    >>> spread_order(0, 9, 4)
    [8, 3, 1, 6]
    """
    others = [i for i in range(length) if i != index]
    if len(others) > most:
        others = [others[k] for k in np.unique(np.linspace(0, len(others) - 1, most).round().astype(int))]
    order, parts = [], [(0, len(others))]
    if others:
        order.append(others[-1])
        parts = [(0, len(others) - 1)]
    while parts:  # halve the widest gap again and again
        first, last = parts.pop(0)
        if last > first:
            middle = (first + last) // 2
            order.append(others[middle])
            parts += [(first, middle), (middle + 1, last)]
    return order


def _filled(plate: np.ndarray, unseen: np.ndarray, fill: str) -> np.ndarray:
    if fill == "none" or not unseen.any():
        return plate
    hole, method = unseen.view(np.uint8), INPAINTING[fill]
    if plate.dtype == np.uint8:
        return cv2.inpaint(plate, hole, FILL_RADIUS_PX, method)
    # OpenCV adds a half for rounding to float pictures too: it must be half of something small.
    fine = plate * np.float32(65535)
    channels = [cv2.inpaint(np.ascontiguousarray(fine[..., c]), hole, FILL_RADIUS_PX, method) for c in range(3)]
    return np.where(unseen[..., None], np.stack(channels, axis=-1) / np.float32(65535), plate)
