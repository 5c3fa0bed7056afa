"""Coherence: the meter's curves and its heat map, and what the advisor says."""

from __future__ import annotations

import numpy as np

from escalier.coherence import HeatMap, advise_keyframes, draw_advice, measure_film, plot_curves
from escalier.film import Film, Motion

from .sheet import Cell, Row, contact_sheet
from .shot import Shot


def heat_map(shot: Shot) -> np.ndarray:
    """Measure Coherence: where two films change on their own."""
    index = 12

    def row(film: Film, heading: str) -> Row:
        seen = [Cell(film.frame(index), f"frame {index}"), Cell(film.frame(index + 1), f"frame {index + 1}")]
        error = measure_film(shot.clip, film, motion=shot.motion).figures["warp_error"] or 0.0
        heat = HeatMap(film, shot.motion).frame(index)
        return Row([*seen, Cell(heat, f"heat map\nwarp error of the film {1e3 * error:.1f}")], heading)

    return contact_sheet(
        [
            row(shot.repainted, "Every frame painted anew: it flickers"),
            row(shot.film, "Three paintings, carried and faded: it holds still"),
        ]
    )


def curves(shot: Shot) -> np.ndarray:
    """Measure Coherence: its curves over time."""
    return plot_curves(measure_film(shot.clip, shot.film, motion=shot.motion))


def advice(shot: Shot) -> np.ndarray:
    """Advise Keyframes: a curtain opens, and what it uncovers is in no keyframe."""
    clip = shot.curtained
    found = advise_keyframes(clip, motion=Motion(clip, shot.scratch), keyframes=[0, 72], count=3)
    return draw_advice(found, clip)
