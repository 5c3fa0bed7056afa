"""Compositing: Poisson Blend's dials, its seam, the modes of Blend Layers, and a clean plate."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.composite import (
    BLEND_MODES,
    Blending,
    Layering,
    Machine,
    PlateSearch,
    blend_layers,
    make_clean_plate,
    poisson_blend,
)
from escalier.keyframes import paint_picture
from escalier.mask import Edge, shape_edge

from .sheet import UNKNOWN, Cell, Row, contact_sheet
from .shot import OTHER_LOOK, Shot

FRAME = 26


def poisson(shot: Shot) -> np.ndarray:
    """Poisson Blend: a filmed man in a painted room."""
    gradients = [
        ("import, the default: his own drawing, the room's light", Blending(screening=0.0)),
        ("mixed: the room's drawing shows through where his is faint", Blending(gradients="mixed", screening=0.0)),
        ("average: half of each drawing", Blending(gradients="average", screening=0.0)),
        ("monochrome: the room's hue, his light and shade", Blending(gradients="monochrome", screening=0.0)),
    ]
    depth = [
        ("strength 0: pasted", Blending(strength=0.0)),
        ("screening 10 px", Blending(screening=10.0**-2)),
        ("screening 40 px", Blending(screening=40.0**-2)),
        ("screening 0: all the way in", Blending(screening=0.0)),
    ]
    filmed, room = shot.clip.frame(FRAME), _painted_room(shot)
    mask = shape_edge(shot.mattes[FRAME], Edge(spread_px=4))
    crop = _around(shot)

    def cell(text: str, blending: Blending) -> Cell:
        return Cell(poisson_blend(filmed, room, mask, blending, machine=Machine("cpu"))[crop], text)

    return contact_sheet(
        [
            Row([cell(text, blending) for text, blending in depth], "How deep the room's colours come in"),
            Row(
                [cell(text, blending) for text, blending in gradients],
                "Gradients, at screening 0: whose drawing is kept",
            ),
        ]
    )


def seam(shot: Shot) -> np.ndarray:
    """Poisson Blend: the seam itself, enlarged."""
    filmed, room = shot.clip.frame(FRAME), _painted_room(shot)
    mask = shape_edge(shot.mattes[FRAME], Edge(spread_px=6))
    pasted = poisson_blend(filmed, room, mask, Blending(strength=0.0), machine=Machine("cpu"))
    blended = poisson_blend(filmed, room, mask, Blending(screening=24.0**-2), machine=Machine("cpu"))
    rows, columns = np.nonzero(mask > 0.5)
    top, left = int(rows.min()), int(columns[rows < rows.min() + 60].min())
    crop = slice(max(top - 10, 0), top + 100), slice(left - 26, left + 134)
    outline = cv2.drawContours(pasted.copy(), _outlines(mask), -1, UNKNOWN, 1, cv2.LINE_AA)
    return contact_sheet(
        [
            Row(
                [
                    Cell(outline[crop], "the mask, 6 px wider than he is"),
                    Cell(pasted[crop], "pasted: a rim of the old room"),
                    Cell(blended[crop], "blended, screening 24 px"),
                ]
            )
        ]
    )


def layers(shot: Shot) -> np.ndarray:
    """Blend Layers: the eight modes."""
    base, layer, mask = shot.clip.frame(FRAME), _colours(shot), shot.mattes[FRAME]
    crop = _around(shot)
    cells = [
        Cell(blend_layers(base, layer, mask, Layering(mode))[crop], mode.replace("_", " ")) for mode in BLEND_MODES
    ]
    half = (len(cells) + 1) // 2
    return contact_sheet([Row(cells[:half]), Row(cells[half:])])


def exposure(shot: Shot) -> np.ndarray:
    """Blend Layers: multiply darkens, exposure compensation takes that back."""
    base, layer, mask = shot.clip.frame(FRAME), paint_picture(shot.clip.frame(FRAME), "gouache"), shot.mattes[FRAME]
    crop = _around(shot)

    def cell(text: str, mode: str, amount: float) -> Cell:
        picture = blend_layers(base, layer, mask, Layering(mode, exposure_compensation=amount))
        return Cell(picture[crop], text)

    return contact_sheet(
        [
            Row(
                [
                    Cell(base[crop], "the base"),
                    cell("multiply, compensation 0", "multiply", 0.0),
                    cell("multiply, compensation 0.5", "multiply", 0.5),
                    cell("multiply, compensation 1", "multiply", 1.0),
                ]
            )
        ]
    )


def clean_plate(shot: Shot) -> np.ndarray:
    """Make Clean Plate: the room behind him, from the frames that show it."""
    start, stop = 12, 31
    index, part, masks = 12, shot.part(start, stop), shot.mattes[start:stop]
    few, filled = (make_clean_plate(part, masks, index, PlateSearch(fill=fill)) for fill in ("none", "telea"))
    hidden = few.picture.copy()
    stripes = (np.add.outer(np.arange(hidden.shape[0]), np.arange(hidden.shape[1])) // 6) % 2 == 0
    hidden[few.unseen] = np.where(stripes[..., None], UNKNOWN, (255, 226, 232)).astype(np.uint8)[few.unseen]
    return contact_sheet(
        [
            Row(
                [
                    Cell(part.frame(index), "the shot"),
                    Cell(hidden, "the room found in other frames; striped: shown by none"),
                    Cell(filled.picture, "fill telea: the rest filled in"),
                ]
            )
        ]
    )


def _painted_room(shot: Shot) -> np.ndarray:
    return paint_picture(shot.room.picture, OTHER_LOOK, seed=7)


def _colours(shot: Shot) -> np.ndarray:
    """A layer with light and dark in it: the painted frame under a warm light from the left."""
    picture = paint_picture(shot.clip.frame(FRAME), OTHER_LOOK, seed=7).astype(np.float32)
    return np.rint(np.clip(picture * 1.15, 0, 255)).astype(np.uint8)


def _around(shot: Shot) -> tuple[slice, slice]:
    """A window of the frame, 6:5, around the man."""
    _, columns = np.nonzero(shot.mattes[FRAME] > 0.5)
    middle, (width, height) = (int(columns.min()) + int(columns.max())) // 2, shot.clip.size
    wide = height * 6 // 5
    left = min(max(middle - wide // 2, 0), width - wide)
    return slice(0, height), slice(left, left + wide)


def _outlines(mask: np.ndarray) -> list[np.ndarray]:
    return list(cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0])
