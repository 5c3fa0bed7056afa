"""Soft mattes of hair, blur and thin things: from a mask, the film, and the room without the subject.

In a band around the mask's outline alpha is found by colours and outline, see `band_alpha`. In a film the outline is
smeared by the subject's own motion, the band is as much wider, and the frames before and after, moved along with her,
have a say: each pixel is weighed by how sure it is in each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Masks, MaskSource, check_lengths, frame_at, warp
from escalier.mask import box_around
from escalier.progress import Progress

from . import pictures
from .band_alpha import LIGHT_PX, Band, band_alpha
from .film_room import Room, room_of_film
from .foreground_colours import unit
from .motion_blur import Shutter, smeared
from .own_motion import OwnMotion, on_flat

LEAST = np.float32(0.03)
"""Alpha nearer to 0 or 1 than this is grain."""
OWN_DOUBT, MOVED_DOUBT = np.float32(0.005), np.float32(0.02)
"""What is added to the variance of a frame's alpha, and of a neighbour's that was moved along."""
LEAST_KNOWN = np.float32(0.01)
"""The variance of alpha by colours at which they tell half as much of the shutter."""
ANOTHER = np.float32(0.4)
"""Alpha of a neighbour that differs by so much is another thing's."""


@checked
@dataclass(frozen=True)
class SoftBand(Dials):
    """How far around a mask's outline soft pixels are looked for.

    >>> SoftBand(inside_px=0)
    Traceback (most recent call last):
    escalier.refusals.Refusal: SoftBand: inside_px must be >= 1 px, got 0; the outline itself is never sure
    """

    inside_px: float = dial(
        5.0,
        "How far inside the mask's outline a pixel may still be soft. Half the width of the blur, and what the mask "
        "may be off by; more makes holes where she has the room's colours.",
        least=1,
        offered=(1, 100),
        step=0.5,
        unit="px",
        remedy="the outline itself is never sure",
    )
    outside_px: float = dial(
        20.0,
        "How far outside the mask's outline hair and blur may reach. Longer hair needs more; more takes longer, and "
        "finds things in the room that moved.",
        least=1,
        offered=(1, 200),
        step=1,
        unit="px",
        remedy="the outline itself is never sure",
    )


@checked
def soft_matte(
    picture: np.ndarray, mask: np.ndarray, old_room: np.ndarray | None = None, band: SoftBand | None = None
) -> np.ndarray:
    """How much of each pixel the subject covers, soft in hair and blur.

    Parameters
    ----------
    picture, old_room
        RGB (H, W, 3) of one size, uint8 or float32 0..1: the frame, and the same view without the subject, such as a
        clean plate. A shadow that she casts on it may be missing in it.
    mask
        (H, W) bool, uint8 or float 0..1: where she is. Its outline is where it passes one half; a mask that is nowhere
        so much has no outline, and is handed back as it is.
    band
        How far around its outline soft pixels are looked for, see `SoftBand`.

    Returns
    -------
    float32 (H, W), 0..1. Deeper inside the mask than the band it is 1, further outside 0.

    Raises
    ------
    ValueError, TypeError
        When sizes differ, or a picture is not RGB.

    >>> old_room, mask = np.zeros((48, 48, 3), np.float32), np.zeros((48, 48), bool)
    >>> mask[:, 24:] = True
    >>> truth = np.clip((np.arange(48, dtype=np.float32) - 20) / 8, 0, 1)  # a blurred edge, white over black
    >>> shown = np.tile(truth[None, :, None], (48, 1, 3))
    >>> bool(np.abs(soft_matte(shown, mask, old_room) - truth).max() < 0.05)
    True
    """
    pictures.check_picture(picture, "picture")
    nowhere = np.zeros(picture.shape[:2], bool)
    still = np.zeros((*picture.shape[:2], 2), np.float32)
    room = (picture, ~nowhere) if old_room is None else (old_room, nowhere)
    return _found(picture, mask, room, band or SoftBand(), (still, Shutter())).alpha


@checked
def soft_mattes(
    film: Film,
    masks: MaskSource,
    old_room: Film | None = None,
    band: SoftBand | None = None,
    *,
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """The soft matte of every frame, in their order: as `soft_matte`, and steady along the subject's own motion.

    Parameters
    ----------
    film, masks, old_room
        The film, its masks and the room without the subject; masks and room may have a single frame for all.
    band
        As in `soft_matte`.
    progress
        Called as progress(done, total) after each frame; what it raises ends the work.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.full((2, 32, 32, 3), 90, np.uint8))
    >>> [float(matte.max()) for matte in soft_mattes(film, np.zeros((1, 32, 32)), film)]
    [0.0, 0.0]
    """
    check_lengths(len(film), mask=masks)
    if old_room is not None:
        check_lengths(len(film), old_room=old_room)
    return _each(film, Masks.of(masks), old_room, band or SoftBand(), progress)


def _each(
    film: Film, masks: Masks, given: Film | None, band: SoftBand, progress: Progress | None
) -> Iterator[np.ndarray]:
    old_room = room_of_film(film, masks, band.outside_px) if given is None else _known(given, film)
    own, shutter, length = OwnMotion(), Shutter(), len(film)
    found: list[_Found] = []
    for i in range(length + 1):
        if i < length:
            picture, mask = film.frame(i), masks.at(i)
            moves = _own_step(own, film, masks, i)
            here = _found(picture, mask, old_room(i), band, (moves, shutter))
            if i == 0:  # of the first frame the shutter was not known
                here = _found(picture, mask, old_room(i), band, (moves, shutter))
            found.append(here)
        if i:
            which = i - 1 - max(0, i - 2)
            steady = _steadied(found, which, own)
            if progress is not None:
                progress(i, length)
            yield steady
            del found[:which]


def _known(old_room: Film, film: Film) -> Room:
    """A room that is given, and known everywhere."""
    nowhere = np.zeros((film.size.height, film.size.width), bool)
    return lambda index: (frame_at(old_room, index), nowhere)


def _own_step(own: OwnMotion, film: Film, masks: Masks, index: int) -> np.ndarray:
    """How far she moves in the time of a frame, about frame `index`: float32 (H, W, 2)."""

    def flat(at: int) -> np.ndarray:
        picture = film.frame(at)
        return on_flat(picture, pictures.inside(masks.at(at), picture).astype(np.float32))

    here = flat(index)
    steps = [np.float32(at - index) * own.flow(here, flat(at)) for at in (index - 1, index + 1) if 0 <= at < len(film)]
    return np.mean(steps, axis=0) if steps else np.zeros((*here.shape, 2), np.float32)


class _Found(NamedTuple):
    """The matte of one frame, how sure it is, where it is soft, and her over a flat tone."""

    alpha: np.ndarray
    variance: np.ndarray
    soft: np.ndarray
    flat: np.ndarray


def _found(
    picture: np.ndarray,
    mask: np.ndarray,
    room: tuple[np.ndarray, np.ndarray],
    wanted: SoftBand,
    moves: tuple[np.ndarray, Shutter],
) -> _Found:
    pictures.check_picture(picture, "picture")
    pictures.check_picture(room[0], "old_room")
    pictures.check_same_size(picture, "picture", room[0], "old_room")
    inside = pictures.inside(mask, picture)
    nowhere = np.zeros(inside.shape, bool)
    if not inside.any():
        alpha = pictures.coverage(mask, picture)
        return _Found(alpha, np.zeros_like(alpha), nowhere, on_flat(picture, np.zeros_like(alpha)))
    hard = _Found(inside.astype(np.float32), nowhere.astype(np.float32), nowhere, on_flat(picture, inside))
    if inside.all():  # no outside, nothing is soft
        return hard
    flow, shutter = moves
    longest = float(np.sqrt(np.square(flow).sum(axis=2).max()))
    box = box_around(inside, int(wanted.outside_px + 3 * LIGHT_PX + longest))
    band = _band(inside[box], room[1][box], wanted, flow[box], shutter.share)
    if not band.soft.any() or not band.sure.any():
        return hard
    shown, empty = (np.ascontiguousarray(unit(part[box])) for part in (picture, room[0]))
    made = band_alpha(shown, empty, band)
    known = band.soft / (1 + made.told_variance / LEAST_KNOWN)
    shutter.learn(band.inside.astype(np.float32), flow[box], made.told, known.astype(np.float32))
    alpha, variance, soft = hard.alpha, hard.variance, nowhere
    alpha[box] = np.clip((made.alpha - LEAST) / (1 - 2 * LEAST), 0, 1)
    variance[box], soft[box] = made.variance, band.soft
    colours = unit(picture).copy()
    colours[box] = made.colours
    return _Found(alpha, variance, soft, on_flat(colours, alpha))


def _band(inside: np.ndarray, unseen: np.ndarray, wanted: SoftBand, flow: np.ndarray, share: float) -> Band:
    inner, outer = (
        cv2.distanceTransform(side.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE) for side in (inside, ~inside)
    )
    soft = (inner <= wanted.inside_px) & (outer <= wanted.outside_px)
    soft = smeared(soft.astype(np.float32), flow, share) > 0
    return Band(inside, soft, smeared(inside.astype(np.float32), flow, share), unseen)


def _steadied(found: list[_Found], which: int, own: OwnMotion) -> np.ndarray:
    """The matte of one of a few neighbouring frames, with what those before and after it say of it."""
    here = found[which]
    if not here.soft.any():
        return here.alpha
    weight = 1 / (here.variance + OWN_DOUBT)
    total = weight * here.alpha
    for at in (which - 1, which + 1):
        if not 0 <= at < len(found) or not found[at].soft.any():
            continue
        flow = own.flow(here.flat, found[at].flat)
        alpha = warp(found[at].alpha, flow)
        like = np.exp(-np.square((alpha - here.alpha) / ANOTHER)) / (warp(found[at].variance, flow) + MOVED_DOUBT)
        total += like * alpha
        weight += like
    return np.where(here.soft, total / weight, here.alpha)
