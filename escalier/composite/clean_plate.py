"""The room without the dancer: what she hides in one frame, looked up in the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Masks, MaskSource, Size, check_lengths
from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import Refusal

from .alignment import blocked, into_view
from .camera import CameraMotion, camera_motion
from .moving_plate import PlatePlan, check_index
from .plate_samples import UNCONFIRMED_SHARE, PlateSamples

OtherFrame = Callable[[int], tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Another frame by its number, where it shows the room, and where the plate's points lie in it."""

INPAINTING = {"telea": cv2.INPAINT_TELEA, "navier_stokes": cv2.INPAINT_NS}
FILLS = ("none", *INPAINTING)
"""What becomes of pixels that no frame shows: left for an inpainting model, or filled from around them (A. Telea, 2004;
M. Bertalmio et al., "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting", 2001)."""
FILL_RADIUS_PX = 5
AROUND_PX = 96
"""How far around the hole the room is used to align another frame, at least."""
TOO_MUCH = 0.3
"""The share of what was looked for from which on a classic fill is a smear."""


@checked
@dataclass(frozen=True)
class PlateSearch(Dials):
    """How the room behind the subject is looked for in other frames.

    Each hidden pixel is the mean of the frames that show it and agree, aligned by the camera's motion and brought to
    the same exposure. What was seen but once, or differs from frame to frame, counts as unseen.

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
    shadow: float = dial(
        0.15,
        "How much darker than in other frames the room beside the mask must be to count as the subject's shadow, which "
        "is then looked up like what she hides: 0.15 is 15 %. Less takes fainter shadows and may take in the grain; 0 "
        "leaves all shadows.",
        least=0,
        below=1,
        step=0.01,
        remedy="0 leaves all shadows",
    )
    beside_px: int = dial(
        96,
        "How far beside the mask the subject's shadow, and limbs that the mask forgot, are looked for, in pixels. "
        "Within a quarter of it the frame's own pixels that no other frame confirms count as unseen. 0 trusts the "
        "mask.",
        least=0,
        offered=(0, 500),
        unit="px",
        remedy="0 trusts the mask",
    )


class Doubts(NamedTuple):
    """Why pixels of a plate are unseen: bool (H, W) each, and the frame that what never rests is taken from.

    hidden is all that was looked for, never what no frame shows, restless what never rests.
    """

    hidden: np.ndarray
    never: np.ndarray
    restless: np.ndarray
    from_frame: int | None


@dataclass(frozen=True)
class CleanPlate:
    """The room as one frame sees it.

    Attributes
    ----------
    picture
        (H, W, 3) of the film's type. Where the subject and what belongs to her do not hide it, the frame itself, to the
        bit.
    unseen
        bool (H, W): pixels that no frame shows, or that are not to be believed. Give them to an inpainting model,
        filled or not.
    seen
        uint8 (H, W): in how many frames that agree each pixel was seen, its own included; 0 where it is unseen.
    fill
        How unseen pixels were filled.
    doubts
        Why pixels are unseen; None where nothing is hidden.
    """

    picture: np.ndarray
    unseen: np.ndarray
    seen: np.ndarray
    fill: str = "none"
    doubts: Doubts | None = None

    @property
    def too_much(self) -> bool:
        """Whether so much is unseen that it takes an inpainting model."""
        return self.doubts is not None and self.unseen.sum() > TOO_MUCH * self.doubts.hidden.sum()

    def __str__(self) -> str:
        count = int(self.unseen.sum())
        if not count or self.doubts is None:
            return "every pixel of the room was found"
        share = f"{count} pixels, {100 * count / self.unseen.size:.2g} % of the picture"
        never, restless = int(self.doubts.never.sum()), int(self.doubts.restless.sum())
        if never == count:
            said = f"no frame shows {share}: white in the mask of what is unseen"
        else:
            why = [f"no frame shows {never}"] if never else []
            if count > never + restless:
                why.append(f"{count - never - restless} were seen but once, or differ from frame to frame")
            if restless:
                why.append(
                    f"{restless} never rest (water, leaves, a crowd) and are as frame {self.doubts.from_frame} has them"
                )
            said = f"{share}, are unseen, white in the mask: {', '.join(why)}"
        if not self.too_much:
            return said
        hidden = 100 * count / int(self.doubts.hidden.sum())
        filled = "" if self.fill == "none" else f" to be filled by {self.fill!r}"
        return (
            f"{said}. That is {hidden:.0f} % of what was looked for, too much{filled}: give the plate and its mask to "
            "an inpainting model, as the recipe plate_inpaint_sdxl does"
        )


@checked
def make_clean_plate(
    film: Film,
    masks: MaskSource,
    index: int = 0,
    search: PlateSearch | None = None,
    *,
    camera: CameraMotion | None = None,
    plan: PlatePlan | None = None,
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
        What `camera_motion` gave for this film; by default it is found here. `CameraMotion.still` says that it stands.
    plan
        From `plan_plate`: the plate is made as large as the whole move of the camera needs, in the view of the plan's
        frame, which then takes the place of `index`.
    progress
        Called as progress(done, total) after each frame that is looked at.

    Raises
    ------
    ValueError
        When the masks, the camera or the plan do not fit the film, or the index lies outside it.

    >>> from escalier.film import ArrayFrames
    >>> room = np.full((40, 60, 3), 90, np.uint8)
    >>> shot, masks = np.stack([room, room, room]), np.zeros((3, 40, 60), bool)
    >>> for i in range(3):
    ...     masks[i, 10:20, 20 * i : 20 * i + 10] = True
    ...     shot[i, 10:20, 20 * i : 20 * i + 10] = 255
    >>> plate = make_clean_plate(ArrayFrames(shot), masks, 0, PlateSearch(grow_px=0))
    >>> bool((plate.picture == room).all()), bool(plate.unseen.any())
    (True, False)
    """
    check_lengths(len(film), mask=masks)
    check_index(index, len(film))
    search, plan = search or PlateSearch(), plan or PlatePlan.of_frame(index, film.size)
    if plan.frame != film.size or plan.index >= len(film):
        raise Refusal("plan", f"be for {len(film)} frames of {film.size}", str(plan), "make it from the same clip")
    masks = Masks.of(masks)
    return _plate(film, masks, plan, search, _camera_of(film, masks, search, camera), progress)


@checked
def make_clean_plates(
    film: Film,
    masks: MaskSource,
    search: PlateSearch | None = None,
    *,
    camera: CameraMotion | None = None,
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
    film: Film, masks: Masks, search: PlateSearch, camera: CameraMotion | None, progress: Progress | None
) -> Iterator[CleanPlate]:
    camera = _camera_of(film, masks, search, camera)
    for i in range(len(film)):
        plate = _plate(film, masks, PlatePlan.of_frame(i, film.size), search, camera, None)
        if progress is not None:
            progress(i + 1, len(film), plate.picture)
        yield plate


def _camera_of(film: Film, masks: Masks, search: PlateSearch, camera: CameraMotion | None) -> CameraMotion:
    if camera is None:
        return camera_motion(film, masks, grow_px=search.grow_px)
    if len(camera) != len(film) or camera.size != film.size:
        raise Refusal(
            "camera",
            f"hold {len(film)} motions of {film.size}, one for each frame",
            f"{len(camera)} of {camera.size}",
            "take it from the same clip",
        )
    return camera


def _plate(
    film: Film, masks: Masks, plan: PlatePlan, search: PlateSearch, camera: CameraMotion, progress: Progress | None
) -> CleanPlate:
    picture = film.frame(plan.index)
    hidden = ~plan.padded(~blocked(masks.at(plan.index), picture, search.grow_px))
    picture = plan.padded(picture)
    seen = np.where(hidden, 0, 1).astype(np.uint8)
    if not hidden.any():
        return CleanPlate(picture.copy(), np.zeros_like(hidden), seen, search.fill)
    samples = PlateSamples(picture, hidden, max(AROUND_PX, search.beside_px), refine=plan.size == film.size)
    order = spread_order(plan.index, len(film), search.frames)

    def other_frame(other: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        there = film.frame(other)
        to_plate = plan.to_plate(camera, other)
        return there, ~blocked(masks.at(other), there, search.grow_px), np.linalg.inv(to_plate)

    for done, other in enumerate(order):
        samples.look_up(other, *other_frame(other))
        if progress is not None:
            progress(done + 1, len(order))
        if samples.complete:
            break
    found = samples.consensus(len(film))
    part = samples.part
    # Two others at least must have been asked before their silence says anything.
    doubted_px = round(UNCONFIRMED_SHARE * search.beside_px) if len(order) > 1 else 0
    doubted = samples.unconfirmed_beside(found, doubted_px)
    hidden |= samples.hers_beside(found, search.shadow, search.beside_px)
    doubted &= ~hidden
    inside = hidden[part]
    out = picture.copy()
    out[part][inside] = _as_film(found.room[inside], out.dtype)
    # Nobody's guess stands where nothing is known: the frame's own pixels, as a mask's hole is known to look.
    unknown = inside & (found.sampled == 0)
    out[part][unknown] = picture[part][unknown]
    seen[part] = np.where(inside, np.minimum(found.agreeing, 255), seen[part])
    seen[doubted] = 0
    unseen = (hidden & (seen == 0)) | doubted
    restless = np.zeros_like(hidden)
    restless[part] = inside & found.restless
    taken, from_frame = _one_frame(samples, restless, order, other_frame, out)
    never = np.zeros_like(hidden)
    never[part] = unknown
    made = CleanPlate(
        _filled(out, unseen & ~taken, search.fill),
        unseen,
        seen,
        search.fill,
        Doubts(hidden | doubted, never, taken, from_frame),
    )
    if made.too_much and search.fill != "none":
        log.warning("clean plate: %s", made)
    return made


def _one_frame(
    samples: PlateSamples, restless: np.ndarray, order: list[int], frame: OtherFrame, out: np.ndarray
) -> tuple[np.ndarray, int | None]:
    """Put one frame's view of what never rests into a picture: of the frame that shows most of it. Where, and which."""
    nowhere = np.zeros_like(restless)
    if not restless.any():
        return nowhere, None
    best, most = None, 0
    for other in order:
        there, seen, motion = frame(other)
        _, whole = into_view(there[..., 0], seen, motion, Size.of(restless))
        shown = int((whole & restless).sum())
        if shown > most:
            best, most = other, shown
    if best is None:
        return nowhere, None
    moved, whole = samples.moved(*frame(best))
    taken = whole & restless
    out[taken] = moved[taken]
    return taken, best


def _as_film(room: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return np.rint(room).astype(np.uint8) if dtype == np.uint8 else room / np.float32(255)


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
