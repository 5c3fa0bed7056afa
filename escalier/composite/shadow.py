"""Shadows of a subject in another room: the one that she cast, taken along, and one where she touches the ground.

A shadow is a factor on the light: the room's linear light times 1 - alpha, one alpha for all channels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Masks, MaskSource, check_lengths, frame_at
from escalier.progress import Progress

from . import pictures
from .alignment import grown
from .foreground_colours import unit

GAMMA = np.float32(2.2)
GROWN_PX = 5
"""Nearer than this to the subject the film shows her edge, not the room."""
BLUR_PX = 2.0
"""Sigma by which film and plate are smoothed before they are compared."""
TOO_DARK = np.float32(0.004)
"""Linear light below which a ratio says nothing."""
FAINT, SURE = 0.04, 0.12
"""Darkening that may belong to a shadow, and that some of it must reach: less is grain and the light's own wavering."""
TINTED = (0.10, 0.5)
"""By how much channels may be darkened differently: a share of the light, and of the darkening. More is another colour:
something that moved in the room, no shadow."""
REACH = 0.25
"""How near a shadow must come to the subject, as a share of the root of her area."""
OVER_TIME = np.array((1, 4, 6, 4, 1), np.float32) / 16
"""Weights of neighbouring frames by which a cast shadow is steadied."""
ON_GROUND = 0.08
"""How far above her lowest point, as a share of her height, what she touches the ground with may end."""
GROUND_FRAMES = 8
"""Frames to both sides that show where the ground is: who jumps leaves it."""
FLAT = 0.4
"""Height of a contact shadow as a share of its width: the ground is seen from the side."""


@checked
@dataclass(frozen=True)
class Shadows(Dials):
    """How a subject's shadows fall into the new room.

    >>> Shadows(contact=2)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Shadows: contact must be in 0..1, got 2; 0 makes none
    """

    cast: float = dial(
        1.0,
        "How much of the shadow that she cast in the old room comes along. 0 drops it.",
        least=0,
        most=1,
        step=0.05,
        remedy="0 drops it",
    )
    cast_softness_px: float = dial(
        0.0,
        "Blurs that shadow, for a room with a softer light. 0 leaves it as it was filmed.",
        least=0,
        offered=(0, 200),
        step=1,
        unit="px",
        remedy="0 leaves it as it is",
    )
    contact: float = dial(
        0.5,
        "How dark a soft shadow is drawn where she touches the ground. 0 makes none; beyond 0.7 it looks like a stain.",
        least=0,
        most=1,
        step=0.05,
        remedy="0 makes none",
    )
    contact_softness_px: float = dial(
        16.0,
        "How far that shadow spreads along the ground. More suits a large, soft light.",
        above=0,
        offered=(1, 200),
        step=1,
        unit="px",
        remedy="1 is nearly sharp",
    )
    across_px: float = dial(
        0.0,
        "Moves both shadows to the right, or with a negative value to the left.",
        offered=(-500, 500),
        unit="px",
        remedy="0 leaves them where they fall",
    )
    down_px: float = dial(
        0.0,
        "Moves both shadows down, or with a negative value up.",
        offered=(-500, 500),
        unit="px",
        remedy="0 leaves them where they fall",
    )


@checked
def find_cast_shadow(
    film: Film, plate: Film, masks: MaskSource, *, progress: Progress | None = None
) -> Iterator[np.ndarray]:
    """The matte of the shadow that a subject casts, frame by frame: float32 (H, W), the share of the light it takes.

    Beside her, where the film is a darker version of the plate: its linear light divided by the plate's is below one,
    alike in all channels, and next to her. What hides behind her is carried on from around. Changes of the whole
    picture's exposure do not count. A plate that shows the shadow itself hides it: grow the mask over it when the plate
    is made. A darker thing that moved in the room and is as grey as a shadow is taken for one.

    Parameters
    ----------
    film, plate
        The filmed clip and the room without her, RGB of one size; the plate may be one picture for all.
    masks
        White where the subject is, (H, W), one for each frame or one for all.
    progress
        Called as progress(done, total) after each frame; what it raises ends the search.

    Raises
    ------
    ValueError, TypeError
        When sizes or lengths differ.

    >>> from escalier.film import ArrayFrames
    >>> wall, mask = np.full((48, 64, 3), 180, np.uint8), np.zeros((1, 48, 64))
    >>> mask[0, 8:40, 8:24] = 1
    >>> lit = wall.copy()
    >>> lit[24:40, 24:44] = 131  # half the light
    >>> (matte,) = find_cast_shadow(ArrayFrames(lit[None]), ArrayFrames(wall[None]), mask)
    >>> float(matte[32, 35].round(1)), float(matte[4, 60])
    (0.5, 0.0)
    """
    check_lengths(len(film), plate=plate, mask=masks)
    return _steadied(film, plate, Masks.of(masks), progress)


@checked
def shadow_room(
    room: Film,
    masks: MaskSource,
    shadows: Shadows | None = None,
    *,
    cast: MaskSource | None = None,
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """The new room with a subject's shadows in it, frame by frame, to set her into. Elsewhere no bit changes.

    The contact shadow lies under her lowest points, where they are near the lowest of the frames around: a lifted foot
    has none, a jump neither. What the frame's lower border cuts off touches nothing.

    Parameters
    ----------
    room, masks
        The room, RGB, and white where the subject is; either may be one picture for all.
    shadows
        How they fall, see `Shadows`.
    cast
        Mattes of the old shadow, as `find_cast_shadow` gives them.
    progress
        Called as progress(done, total, picture) after each frame; what it raises ends the film.

    Raises
    ------
    ValueError, TypeError
        When sizes or lengths differ.

    >>> from escalier.film import ArrayFrames
    >>> wall, mask = np.full((1, 48, 64, 3), 180, np.uint8), np.zeros((1, 48, 64))
    >>> mask[0, 8:40, 24:40] = 1
    >>> (frame,) = shadow_room(ArrayFrames(wall), mask)
    >>> bool(frame[41, 32, 0] < 170), int(frame[4, 4, 0])
    (True, 180)
    """
    length = max(len(room), len(masks), 0 if cast is None else len(cast))
    check_lengths(length, room=room, mask=masks, **({} if cast is None else {"cast": cast}))
    mattes = None if cast is None else Masks.of(cast)
    return _shadowed(room, Masks.of(masks), mattes, shadows or Shadows(), progress)


def _steadied(film: Film, plate: Film, masks: Masks, progress: Progress | None) -> Iterator[np.ndarray]:
    length, near = len(film), len(OVER_TIME) // 2
    window: deque[np.ndarray] = deque(maxlen=len(OVER_TIME))
    done = 0
    for index in range(length + near):
        window.append(_cast(film, plate, masks, index) if index < length else window[-1])
        if not index:
            window.extend([window[0]] * near)
        if index < near:
            continue
        yield np.tensordot(OVER_TIME, np.stack(window), 1)
        done += 1
        if progress is not None:
            progress(done, length)


def _cast(film: Film, plate: Film, masks: Masks, index: int) -> np.ndarray:
    frame, behind = film.frame(index), frame_at(plate, index)
    for name, picture in (("film", frame), ("plate", behind)):
        pictures.check_picture(picture, name)
        pictures.check_same_size(frame, "film", picture, name)
    alpha = pictures.coverage(masks.at(index), frame)
    hidden = grown(alpha > 0.05, GROWN_PX)
    if hidden.all() or not hidden.any():
        return np.zeros(alpha.shape, np.float32)
    shown = (~hidden).astype(np.float32)
    count = np.maximum(cv2.GaussianBlur(shown, (0, 0), BLUR_PX), 1e-6)[..., None]
    light, full = (
        cv2.GaussianBlur(np.clip(unit(p), 0, 1) ** GAMMA * shown[..., None], (0, 0), BLUR_PX) / count
        for p in (frame, behind)
    )
    known = ~hidden & (full.min(axis=2) > TOO_DARK)
    if not known.any():
        return np.zeros(alpha.shape, np.float32)
    ratio = (light + TOO_DARK) / (full + TOO_DARK)
    ratio = ratio / np.median(ratio[known])
    darker = np.clip(1 - ratio.mean(axis=2), 0, 1)
    alike = np.ptp(ratio, axis=2) <= TINTED[0] + TINTED[1] * darker
    found = _beside(np.where(known & alike, darker, 0), alpha)
    weight = (known & alike).astype(np.float32)
    wide = max(BLUR_PX, REACH * float(np.sqrt(alpha.sum())) / 2)
    carried = cv2.GaussianBlur(found * weight, (0, 0), wide) / np.maximum(cv2.GaussianBlur(weight, (0, 0), wide), 1e-3)
    return np.where(hidden, np.where(carried > FAINT, carried, 0), found).astype(np.float32)


def _beside(darker: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Of a darkening the patches next to the subject that are sure somewhere."""
    count, labels = cv2.connectedComponents((darker > FAINT).view(np.uint8))
    distance = cv2.distanceTransform((alpha < 0.5).view(np.uint8), cv2.DIST_L2, 5)
    near = distance <= GROWN_PX + 2 + REACH * np.sqrt(alpha.sum())
    kept = np.zeros(count, bool)
    kept[np.intersect1d(labels[near], labels[darker > SURE])] = True
    kept[0] = False
    return np.where(kept[labels], darker, 0).astype(np.float32)


def _shadowed(
    room: Film, masks: Masks, cast: Masks | None, shadows: Shadows, progress: Progress | None
) -> Iterator[np.ndarray]:
    length = max(len(room), len(masks), 0 if cast is None else len(cast))
    bottoms = [_bottom(masks.at(index)) for index in range(len(masks))]
    for index in range(length):
        out = frame_at(room, index).copy()
        pictures.check_picture(out, "room")
        left = np.float32(1) - shadows.contact * _contact(
            pictures.coverage(masks.at(index), out), _ground(bottoms, index), shadows.contact_softness_px
        )
        if cast is not None:
            matte = pictures.coverage(cast.at(index), out)
            if shadows.cast_softness_px:
                matte = cv2.GaussianBlur(matte, (0, 0), shadows.cast_softness_px)
            left *= 1 - np.float32(shadows.cast) * matte
        move = np.array([[1, 0, shadows.across_px], [0, 1, shadows.down_px]], np.float32)
        left = cv2.warpAffine(left, move, left.shape[::-1], borderValue=1.0) if move[:, 2].any() else left
        lit = unit(out) * np.clip(left, 0, 1)[..., None] ** (1 / GAMMA)
        lit = np.rint(lit * 255).astype(np.uint8) if out.dtype == np.uint8 else lit.astype(np.float32)
        np.copyto(out, lit, where=(left < 1)[..., None])
        if progress is not None:
            progress(index + 1, length, out)
        yield out


def _bottom(mask: np.ndarray) -> int:
    """The lowest row of the subject, -1 without one."""
    rows = np.flatnonzero((unit(np.asarray(mask)) >= 0.5).any(axis=1))
    return int(rows[-1]) if len(rows) else -1


def _ground(bottoms: list[int], index: int) -> int:
    if len(bottoms) == 1:
        return bottoms[0]
    return max(bottoms[max(0, index - GROUND_FRAMES) : index + GROUND_FRAMES + 1])


def _contact(alpha: np.ndarray, ground: int, softness: float) -> np.ndarray:
    """Where her lowest points touch the ground, soft: float32 (H, W), 0..1."""
    inside = alpha >= 0.5
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    line = np.zeros(alpha.shape, np.float32)
    if not len(rows):
        return line
    lowest = alpha.shape[0] - 1 - np.argmax(inside[::-1, columns], axis=0)
    above = (ground - lowest) / max(1.0, ON_GROUND * (rows[-1] - rows[0] + 1))
    touches = np.where(lowest < alpha.shape[0] - 1, np.clip(2 - 2 * above, 0, 1), 0)
    line[lowest, columns] = touches
    height = max(0.5, FLAT * softness)
    soft = cv2.GaussianBlur(line, (0, 0), softness, sigmaY=height) * np.float32(np.sqrt(2 * np.pi) * height)
    return np.where(soft > 0.01, np.minimum(soft, 1), 0).astype(np.float32)
