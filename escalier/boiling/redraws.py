"""A redrawn frame, held for a while: what it changes is carried along by the film's motion, both ways in time."""

from pathlib import Path

import cv2
import numpy as np

from escalier.film import Film, Motion, as_uint8, chain, warp
from escalier.propagation import Run

TRUSTED_LEVELS, LOST_LEVELS = 12.0, 36.0
"""8-bit levels by which the still film, carried along, may differ from itself: below, all of a redraw's change is
carried; above, none."""
SMOOTHED_PX = 2.0
UNSEEN_ERROR = 255.0
LOOK_SHARE = 1 / 16
"""Standard deviation of the wide blur, as a share of the picture's short side."""
REDUCED_PX = 4.0
"""Standard deviation at which the wide blur is made, on a reduced picture."""


def carry_redraw(still: Film, redrawn: Film, motion: Motion, start: int, stop: int) -> Run:
    """Hold the redraw of frame `start` up to, and not including, frame `stop`, which may lie on either side.

    Both films are of the same shot; `motion` says how their source moves. With S the still film, R the redrawn one,
    D = R_start - S_start their difference, G(D) that difference blurred widely, and w the motion from frame t back to
    `start`:

        frame t = S_t + (G(D) + trust * (D - G(D)))(p + w(p))

    So it is R itself at `start`, and later the still film keeps its own life under the change. Trust is 1 where the
    motion can be followed all the way and S carried along looks like S; where it cannot, the still film's own drawing
    is seen in the redraw's colours.

    The run lies in memory: eight bytes a pixel for each frame. Its guide error is the difference of S and S carried
    along.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> grey = np.full((3, 40, 48, 3), 100, np.uint8)
    >>> motion = Motion(ArrayFrames(grey), tempfile.mkdtemp())
    >>> held = carry_redraw(ArrayFrames(grey), ArrayFrames(grey + np.uint8(20)), motion, start=0, stop=3)
    >>> len(held), int(held.frame(2)[20, 20, 0])
    (3, 120)
    """
    towards = 1 if stop > start else -1
    count = abs(stop - start)
    redraw, before = as_uint8(redrawn.frame(start)), as_uint8(still.frame(start))
    change = redraw.astype(np.float32) - before
    look = _widely_blurred(change)
    frames = np.empty((count, *redraw.shape), np.uint8)
    errors = np.zeros((count, *redraw.shape[:2]), np.float16)
    frames[0] = redraw
    way: np.ndarray | None = None
    seen: np.ndarray | None = None
    for entry in range(1, count):
        index = start + towards * entry
        step = motion.flow(index, index - towards)
        visible = motion.visible(index, index - towards)
        seen = visible if seen is None else visible & (warp(seen.astype(np.float32), step) > 0.5)
        way = step if way is None else chain(step, way)
        now = as_uint8(still.frame(index)).astype(np.float32)
        error = np.abs(now - warp(before, way)).max(axis=2)
        error = cv2.GaussianBlur(np.where(seen, error, np.float32(UNSEEN_ERROR)), (0, 0), SMOOTHED_PX)
        trust = np.clip((LOST_LEVELS - error) / (LOST_LEVELS - TRUSTED_LEVELS), 0, 1)[..., None]
        wide = warp(look, way)
        frames[entry] = np.rint(np.clip(now + wide + trust * (warp(change, way) - wide), 0, 255))
        errors[entry] = error
    return Run(start, towards, frames, errors, np.ones(count, np.float32), Path())


def _widely_blurred(change: np.ndarray) -> np.ndarray:
    height, width = change.shape[:2]
    blur_px = LOOK_SHARE * min(height, width)
    reduced = max(1.0, blur_px / REDUCED_PX)
    small = cv2.resize(change, (round(width / reduced), round(height / reduced)), interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), max(blur_px / reduced, 0.1))
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
