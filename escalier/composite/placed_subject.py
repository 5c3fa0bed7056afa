"""Set a filmed subject into another room: her own colours, under a light that belongs there.

One frame on its way:

1. the filmed frame S, its matte alpha, the new room T (and, where known, the old room without her) come in;
2. in a first pass over the film, what T and S differ by around her becomes one slow, gentle light (`room_light`);
3. where alpha is soft, her own colours F are parted from the old room's (`estimate_foreground`); elsewhere F is S;
4. the light of this frame, or on demand Poisson's correction, is added to F;
5. alpha of that lies over T. Where alpha is 0, T's own bits go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Masks, MaskSource, Motion, check_lengths, frame_at
from escalier.log import log
from escalier.mask import box_around
from escalier.progress import Progress
from escalier.refusals import Refusal

from . import pictures
from .blending import Blending
from .clipping import Clipping
from .film_room import Room, room_of_film
from .foreground_colours import estimate_foreground, unit
from .placing import Placing
from .poisson import poisson_blend
from .room_light import RoomLight, frame_light, room_light
from .steady_colours import SteadyColours

ROOM_FROM_PX = 6
"""From so far around the matte on, a film shows the room that she was filmed in."""


class _Frame(NamedTuple):
    """What one frame is made of: RGB pictures of one size, the matte as float32 0..1, where the old room is unknown."""

    source: np.ndarray
    room: np.ndarray
    alpha: np.ndarray
    old_room: np.ndarray | None
    unseen: np.ndarray | None = None


@checked
def place_subject(
    source: np.ndarray,
    room: np.ndarray,
    matte: np.ndarray,
    placing: Placing | None = None,
    *,
    old_room: np.ndarray | None = None,
) -> np.ndarray:
    """Set a subject into another room. Where the matte is 0, no bit of the room changes.

    Parameters
    ----------
    source, room
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1: the filmed subject, and the room that she is set
        into. The result has the type of the room.
    matte
        (H, W) bool, uint8 or float 0..1: how much of each pixel the subject covers. Without soft values at hair and
        blur her edge is as hard as the matte.
    placing
        How she is lit, see `Placing`.
    old_room
        The room that she was filmed in without her, such as a clean plate, like the source. With it her colours in
        hair and blur come out nearly exact; without it they are estimated from what is around them.

    Raises
    ------
    ValueError, TypeError
        When sizes differ, a picture is not RGB, or a number is NaN.

    >>> figure, wall = np.full((32, 32, 3), 0.6, np.float32), np.full((32, 32, 3), 0.2, np.float32)
    >>> matte = np.zeros((32, 32), np.float32)
    >>> matte[8:24, 8:24] = 1
    >>> placed = place_subject(figure, wall, matte, Placing(light=0))
    >>> bool((placed[8:24, 8:24] == figure[8:24, 8:24]).all()), bool((placed[0] == wall[0]).all())
    (True, True)
    """
    frame = _checked(source, room, matte, old_room)
    placing = placing or Placing()
    light = room_light([frame_light(*frame[:3])], placing.most_delta_e, 0) if placing.light else None
    return _placed(frame, 0, placing.light, light)


@checked
def place_subject_film(
    source: Film,
    room: Film,
    mattes: MaskSource,
    placing: Placing | None = None,
    *,
    old_room: Film | None = None,
    motion: Motion | None = None,
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """Set a subject into another room, frame by frame. Gives the frames in their order.

    The film is one shot: its light is smoothed from end to end. It is measured in a first pass; with `light` 0 there is
    none.

    Parameters
    ----------
    source, room, mattes, old_room
        Films of one size and the mattes of their frames, as in `place_subject`. Any of them may have a single frame,
        which stands for all. An old room that is not given is looked for in the source's other frames.
    placing
        How she is lit, see `Placing`.
    motion
        Of the source: its preset is the one that her own motion is matched with, 'medium' otherwise. Her colours in
        hair and blur are averaged along that, so that they do not flicker.
    progress
        Called as progress(done, total, picture) after each frame; the first pass counts too, without pictures. What it
        raises ends the film.

    Raises
    ------
    ValueError, TypeError
        As `place_subject`, and when the films differ in length.

    >>> from escalier.film import ArrayFrames
    >>> figure, wall = (ArrayFrames(np.full((2, 32, 32, 3), level, np.uint8)) for level in (150, 50))
    >>> matte = np.zeros((1, 32, 32), np.float32)
    >>> matte[0, 8:24, 8:24] = 1
    >>> [int(frame.max()) for frame in place_subject_film(figure, wall, matte)]  # a little darker in the dark room
    [140, 140]
    """
    length = max(len(source), len(room))
    check_lengths(length, source=source, room=room, mask=mattes)
    if old_room is not None:
        check_lengths(length, old_room=old_room)
    if motion is not None and (len(motion), motion.size) != (len(source), source.size):
        raise Refusal(
            "motion",
            f"be that of the source, {len(source)} frames of {source.size}",
            f"{len(motion)} frames of {motion.size}",
            "measure it on the same film",
        )
    masks = Masks.of(mattes)

    def frame(index: int) -> _Frame:
        known = None if old_room is None else frame_at(old_room, index)
        return _checked(frame_at(source, index), frame_at(room, index), masks.at(index), known)

    own_room = None
    if old_room is None and len(source) > 1:
        own_room = cache(lambda: room_of_film(source, masks, ROOM_FROM_PX))
    steady = SteadyColours("medium" if motion is None else motion.preset) if len(source) > 1 else None
    return _place_all(frame, length, placing or Placing(), (steady, own_room), progress)


def _place_all(
    frame: Callable[[int], _Frame],
    length: int,
    placing: Placing,
    film: tuple[SteadyColours | None, Callable[[], Room] | None],
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    report = progress or (lambda *_: None)
    steady, own_room = film
    light, passes = None, 1
    if placing.light:
        seen, passes = [], 2
        for i in range(length):
            seen.append(frame_light(*frame(i)[:3]))
            report(i + 1, passes * length)
        light = room_light(seen, placing.most_delta_e, placing.steady_frames)
    most = []
    for i in range(length):
        here = frame(i)
        if own_room is not None and ((here.alpha > 0) & (here.alpha < 1)).any():
            old_room, unseen = own_room()(i)
            here = here._replace(old_room=old_room, unseen=unseen)
        most.append(float(here.alpha.max()))
        picture = _placed(here, i, placing.light, light, steady)
        report((passes - 1) * length + i + 1, passes * length, picture)
        yield picture
    _tell_what_is_not_there(most)


def _tell_what_is_not_there(most: list[float]) -> None:
    """Say of a film, by the largest alpha of every frame, where the subject is missing or nowhere opaque."""
    length, empty = len(most), [index for index, alpha in enumerate(most) if not alpha]
    if len(empty) == length:
        log.warning("the mask shows no subject in any of %d frames: the film is the room alone", length)
        return
    if empty:
        log.warning(
            "the mask shows no subject in %d of %d frames, the first of them %d: they are the room alone",
            len(empty),
            length,
            empty[0],
        )
    if max(most) < pictures.OPAQUE:
        log.warning(
            "the mask is nowhere opaque, at most %.2f in %d frames: the room shows through the whole subject",
            max(most),
            length,
        )


def _placed(
    frame: _Frame, index: int, strength: float, light: RoomLight | None, steady: SteadyColours | None = None
) -> np.ndarray:
    source, room, alpha, old_room, unseen = frame
    out = room.copy()
    if not alpha.any():
        return out
    own = estimate_foreground(source, alpha, old_room, unseen)
    if steady is not None:
        own = steady.next(index, own, alpha)
    part = box_around(alpha)
    body, behind, share = own[part], unit(room[part]), alpha[part][..., None]
    if light is not None:
        gentle, full = min(1.0, 2 * strength), max(0.0, 2 * strength - 1)
        added = np.float32(gentle) * light.on(index, body, alpha[part], part[0].start, part[1].start)
        if full:
            exact, uncounted = Blending(screening=0.0), Clipping()  # what is shown is a mixture
            met = poisson_blend(unit(source), unit(room), alpha > 0, exact, clipping=uncounted)[part]
            met = met - unit(source[part])
            added = np.float32(1 - full) * added + np.float32(full) * met
        body = body + added
    mixed = share * body + (1 - share) * behind
    if room.dtype == np.uint8:
        mixed = np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8)
    np.copyto(out[part], mixed, where=share > 0)
    return out


def _checked(source: np.ndarray, room: np.ndarray, matte: np.ndarray, old_room: np.ndarray | None) -> _Frame:
    given = {"source": source, "room": room} | ({} if old_room is None else {"old_room": old_room})
    for name, picture in given.items():
        pictures.check_picture(picture, name)
        pictures.check_same_size(source, "source", picture, name)
    return _Frame(source, room, pictures.coverage(matte, source), old_room)
