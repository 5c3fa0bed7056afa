"""Films: motion drawn as colours, where it is not known, and cadence."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import Cadence, HeldFilm

from .sheet import INK, Cell, Row, contact_sheet, framed
from .shot import Shot

FASTEST_PX = 5.0
"""Motion from one frame to the next that is drawn in full colour; longer steps in proportion."""


def motion(shot: Shot) -> np.ndarray:
    """Measure Motion: flow as colours, and the pixels whose motion cannot be known."""
    rows = []
    for step, heading in ((1, "From one frame to the next"), (5, "Over five frames")):
        first, second = 17, 17 + step
        colours = flow_colours(shot.motion.flow(first, second), FASTEST_PX * step)
        known = shot.motion.visible(first, second)
        cells = [
            Cell(shot.clip.frame(first), f"frame {first}"),
            Cell(shot.clip.frame(second), f"frame {second}"),
            Cell(_with_wheel(striped(colours, ~known)), "its motion: colour is direction\nstriped: not known, covered"),
        ]
        rows.append(Row(cells, heading))
    return contact_sheet(rows)


def cadence(shot: Shot) -> np.ndarray:
    """Set Cadence: which frame is seen when a film is held on twos, on threes and on fours."""
    frames = range(18, 26)
    hand = slice(60, 250), slice(300, 530)
    rows = []
    for every, name in ((1, "On ones: as filmed"), (2, "On twos"), (3, "On threes")):
        film = HeldFilm(shot.clip, Cadence(every))
        kept = [film.cadence.kept(index) for index in frames]
        cells = [
            Cell(film.frame(index)[hand], f"{index}" if index == held else f"{held} held", marked=index == held)
            for index, held in zip(frames, kept, strict=True)
        ]
        rows.append(Row(cells, name))
    return contact_sheet(rows)


def flow_colours(flow: np.ndarray, fastest_px: float) -> np.ndarray:
    """Hue is the direction of a flow, strength of colour its speed, white is still: uint8 (H, W, 3)."""
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1], angleInDegrees=True)
    speed = np.clip(length / fastest_px, 0, 1)
    hsv = np.stack([angle, speed, 1 - 0.12 * speed], axis=-1).astype(np.float32)
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)


def striped(picture: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The picture with a hatching over part of it."""
    height, width = where.shape
    lines = (np.add.outer(np.arange(height), np.arange(width)) // 5) % 2 == 0
    hatching = np.where(lines[..., None], np.array(INK, np.uint8), np.uint8(236))
    out = picture.copy()
    out[where] = hatching[where]
    return out


def _with_wheel(picture: np.ndarray) -> np.ndarray:
    """The picture with the wheel of directions in its lower left corner."""
    radius = 44
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32)
    wheel = flow_colours(np.stack([x, y], axis=-1), radius)
    out, inside = picture.copy(), np.hypot(x, y) <= radius
    corner = out[-2 * radius - 13 : -12, 12 : 2 * radius + 13]
    corner[inside] = wheel[inside]
    cv2.circle(out, (12 + radius, out.shape[0] - 13 - radius), radius, (90, 90, 90), 1, cv2.LINE_AA)
    return framed(out, (210, 206, 198), 1)
