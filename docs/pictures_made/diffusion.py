"""Diffusion: the one control map that needs no weights."""

from __future__ import annotations

import numpy as np

from escalier.diffusion import Options, draw_control_maps

from .sheet import Cell, Row, contact_sheet
from .shot import Shot

FRAME = 26


def canny(shot: Shot) -> np.ndarray:
    """Control Map, kind canny: its two thresholds."""
    frame = shot.clip.frame(FRAME)

    def cell(low: int, high: int, note: str = "") -> Cell:
        drawn = draw_control_maps([frame], "canny", resolution=0, options=Options(canny_low=low, canny_high=high))[0]
        return Cell(np.rint(drawn * 255).astype(np.uint8), f"canny low {low}, canny high {high}{note}")

    return contact_sheet(
        [
            Row([Cell(frame, "the frame"), cell(100, 200, ": the defaults")]),
            Row([cell(30, 60, ": every grain"), cell(200, 400, ": only strong edges")]),
        ]
    )
