"""What an artist sees first: what goes in and what comes out, and the registry's icon and banner."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import Size, make_clip
from escalier.keyframes import paint_picture

from .sheet import PAINTED, PAPER, Cell, Colour, Row, contact_sheet, fitted, write
from .shot import KEYS, LOOK, Shot

BANNER = 1260, 540
ICON_PX = 400
NIGHT: Colour = (26, 32, 54)
BEFORE, AFTER = np.array([(62, 74, 98), (240, 172, 88)], np.float32)
"""The two sides of a fade, where they are drawn as plain colours."""
SMOOTH = 4
"""Edges of the stairs are drawn this many times as large and averaged down."""


def in_and_out(shot: Shot) -> np.ndarray:
    frames = [0, 12, 24, 36, 48]
    painted = dict(shot.keyframes)
    return contact_sheet(
        [
            Row([Cell(shot.clip.frame(i)) for i in frames], "You film a clip"),
            Row([Cell(painted.get(i), marked=i in painted) for i in frames], "and paint a few of its frames."),
            Row(
                [Cell(shot.film.frame(i), f"frame {i}", marked=i in painted) for i in frames],
                "Escalier carries the paintings through the film, and fades one into the next.",
            ),
        ]
    )


def fade(shot: Shot) -> np.ndarray:
    runs, frames = shot.film.runs, [4, 8, 12, 16, 20]
    forward, backward = runs.forward[KEYS[0]], runs.backward[KEYS[1]]
    return contact_sheet(
        [
            Row([Cell(forward.frame(i)) for i in frames], "The first painting, carried forward"),
            Row([Cell(backward.frame(i)) for i in frames], "The next painting, carried backward"),
            Row([Cell(sides(shot.film.weight(i), shot)) for i in frames], "Which of the two each pixel shows"),
            Row([Cell(shot.film.frame(i), f"frame {i} of 24") for i in frames], "The film"),
        ]
    )


def sides(weight: np.ndarray | np.float32, shot: Shot) -> np.ndarray:
    """The weight of a fade as a picture: ink for the run from before, orange for the one from after."""
    width, height = shot.clip.size
    share = np.broadcast_to(np.asarray(weight, np.float32), (height, width))[..., None]
    return np.rint(BEFORE * (1 - share) + AFTER * share).astype(np.uint8)


def close(shot: Shot) -> np.ndarray:
    """One frame, halfway between two paintings, as filmed and as Escalier made it."""
    filmed, made = shot.clip.frame(12), shot.film.frame(12)
    return contact_sheet([Row([Cell(filmed, "As filmed"), Cell(made, "As painted, twelve frames away")])])


def banner(shot: Shot) -> np.ndarray:
    """A staircase climbs through the film: above it as filmed, below it as painted, and the name beside it."""
    del shot  # the banner has a shape of its own, and is not blown up from a smaller picture
    width, height = BANNER
    clip = make_clip(Size(width, height), 49, seed=0)
    filmed, painted = clip.frame(42), paint_picture(clip.frame(42), LOOK, seed=24)
    night = np.rint(0.16 * filmed + 0.84 * np.array(NIGHT)).astype(np.uint8)
    picture = _climbed(night, painted, steps=9, start=0.16, end=1.2, edge=PAINTED, edge_px=7)
    picture = write(picture, "Escalier", (56, 40), px=112, colour=PAPER)
    for place, line in enumerate(("a few painted frames,", "a whole film")):
        picture = write(picture, line, (62, 172 + 42 * place), px=32, colour=(236, 206, 168))
    return picture


def icon(shot: Shot) -> np.ndarray:
    """Four steps, cut out of a painted frame."""
    del shot
    clip = make_clip(Size(2 * ICON_PX, 2 * ICON_PX), 49, seed=0)
    painted = fitted(paint_picture(clip.frame(42), LOOK, seed=24), ICON_PX)
    return _climbed(np.full_like(painted, NIGHT), painted, steps=4, start=0.25, end=1.15, edge=PAPER, edge_px=10)


def _climbed(
    above: np.ndarray, below: np.ndarray, *, steps: int, start: float, end: float, edge: Colour, edge_px: int
) -> np.ndarray:
    """Two pictures parted by a staircase that climbs to the right, with an edge of one colour.

    `start` and `end` are the heights of the first and the last step, in heights of the picture.
    """
    height, width = above.shape[:2]
    x = np.arange(width * SMOOTH) * steps // (width * SMOOTH)
    top = (1 - start - (end - start) * x / max(steps - 1, 1)) * height * SMOOTH
    inside = (np.arange(height * SMOOTH)[:, None] >= top[None]).astype(np.uint8)
    thick = 2 * SMOOTH * edge_px + 1
    rim = inside - cv2.erode(inside, np.ones((thick, thick), np.uint8))
    cover, line = (
        cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)[..., None]
        for mask in (inside, rim)
    )
    picture = above * (1 - cover) + below * cover
    picture += (np.array(edge, np.float32) - picture) * line
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
