"""Boiling: films whose life cannot be seen in one frame, drawn as a column of pixels over time."""

from __future__ import annotations

import numpy as np

from escalier.boiling import Boil, Dial
from escalier.film import ArrayFrames, Film
from escalier.keyframes import Variation, vary_keyframes

from .sheet import PAINTED, Cell, Row, contact_sheet
from .shot import LENGTH, Shot

ROWS, COLUMN = slice(150, 350), 60
"""The column of pixels that is followed: trees, sill, wallpaper, skirting and floor, where nobody passes."""
WIDE = 5
"""How wide a frame's column is drawn."""


def dial(shot: Shot) -> np.ndarray:
    """Indetermination Dial: one column of pixels through the whole film, from still to redrawn on every frame."""
    shown = shot.film.frame(24).copy()
    shown[ROWS, COLUMN - 2 : COLUMN + 3] = PAINTED
    frames = [Cell(film.frame(24), text) for film, text in ((shot.film, "amount 0"), (shot.repainted, "amount 1"))]
    films: list[tuple[Film, str]] = [(shot.film, "amount 0\nas carried")]
    films += [(Dial(shot.film, shot.repainted, a, motion=shot.motion), f"amount {a:g}") for a in (0.1, 0.25, 0.5)]
    films.append((shot.repainted, "amount 1\nredrawn on every frame"))
    return contact_sheet(
        [
            Row([Cell(shown, "one column of pixels"), *frames], "Frame 24", columns=3),
            Row([Cell(_over_time(film), text) for film, text in films], "The column through 49 frames, left to right"),
        ]
    )


def _over_time(film: Film) -> np.ndarray:
    columns = [np.repeat(film.frame(index)[ROWS, COLUMN : COLUMN + 1], WIDE, axis=1) for index in range(LENGTH)]
    return np.hstack(columns)


def boil(shot: Shot) -> np.ndarray:
    """Vary Keyframes and Line Boil: how strongly the line moves."""
    crop = slice(10, 190), slice(210, 450)
    rows = []
    for amplitude, note in ((0.75, ""), (1.5, ", the default"), (3.0, "")):
        varied = vary_keyframes(shot.keyframes, 3, Variation(amplitude, max(32.0, 12 * amplitude)))
        redraws = [ArrayFrames(np.stack([keyframes.pictures[1]])) for keyframes in varied]
        film = Boil(redraws, hold=2)
        first = redraws[0].frame(0).astype(np.int16)
        change = np.abs(redraws[1].frame(0).astype(np.int16) - first).max(axis=-1)
        moved = np.repeat(np.clip(change * 2, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        cells = [Cell(film.frame(2 * number)[crop], f"redraw {number + 1}") for number in range(3)]
        rows.append(Row([*cells, Cell(moved[crop], "what moved from 1 to 2")], f"amplitude {amplitude:g} px{note}"))
    return contact_sheet(rows)
