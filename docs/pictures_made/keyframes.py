"""Keyframes: which frames are chosen, the sheet they are painted on, and one look for several sheets."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import Motion
from escalier.keyframes import Keyframes, Sheet, choose_keyframes, lock_colours, paint_picture, plan_grid, split, tile

from .sheet import Cell, Row, contact_sheet, fitted
from .shot import LOOK, Shot

NINE = tuple(range(0, 49, 6))
ELEVEN = tuple(round(4.8 * number) for number in range(11))
SHEET_PX = 610


def sheet(shot: Shot) -> np.ndarray:
    """Tile and Split Keyframe Grid: the sheet that goes to be painted, and the one that comes back."""
    filmed = Keyframes.of(shot.clip, NINE)
    plan = plan_grid(NINE, shot.clip.size, len(shot.clip))
    laid = tile(plan, filmed)[0]
    painted = paint_picture(laid, LOOK, seed=1)
    back = split(plan, painted[None])
    return contact_sheet(
        [
            Row(
                [Cell(laid, "nine frames on one sheet"), Cell(painted, "the sheet, painted in one go", marked=True)],
                columns=2,
            ),
            Row([Cell(picture, f"frame {index}") for index, picture in list(back)[::2]], "and cut back to keyframes"),
        ]
    )


def choose(shot: Shot) -> np.ndarray:
    """Choose Keyframes: evenly, or where they see the most."""
    clip = shot.curtained
    motion = Motion(clip, shot.scratch)
    rows = []
    for mode, heading in (
        ("count", "count 2, spread evenly: no keyframe shows who is behind the curtain"),
        ("motion", "motion, 2 keyframes: those that together see the most of the film"),
    ):
        frames = choose_keyframes(clip, mode, count=2, motion=motion)
        rows.append(Row([Cell(clip.frame(i), f"frame {i} of {len(clip) - 1}") for i in frames], heading))
    return contact_sheet(rows)


def colour_lock(shot: Shot) -> np.ndarray:
    """Lock Grid Colours: two sheets that came back in different colours, brought to one by their anchor cell."""
    filmed = Keyframes.of(shot.clip, ELEVEN)
    plan = plan_grid(ELEVEN, shot.clip.size, len(shot.clip), Sheet(per_sheet=6, anchors="first"))
    sheets = np.stack([paint_picture(laid, LOOK, seed=number) for number, laid in enumerate(tile(plan, filmed))])
    sheets[1] = _drifted(sheets[1])
    locked = lock_colours(plan, sheets)
    rows = []
    for heading, pair in (("As they came back", sheets), ("Locked to the first sheet", locked.sheets)):
        cells = [Cell(fitted(picture, SHEET_PX), f"sheet {n + 1}") for n, picture in enumerate(pair)]
        rows.append(Row(cells, heading))
    return contact_sheet(rows)


def _drifted(sheet: np.ndarray) -> np.ndarray:
    """The colours of a sheet as another pass of a model would have painted them: warmer, paler."""
    lab = cv2.cvtColor(sheet, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab = (lab - 128) * np.array((0.86, 0.82, 0.9), np.float32) + 128 + np.array((14, 9, 15), np.float32)
    return cv2.cvtColor(np.clip(np.rint(lab), 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
