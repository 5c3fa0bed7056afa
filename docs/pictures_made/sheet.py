"""Contact sheets for the docs: rows of equal cells, each with a label under it and a heading above each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

WIDTH = 1280
MARGIN, GAP, UNDER = 28, 14, 6
PAPER: Colour = (250, 248, 243)
INK: Colour = (38, 40, 46)
FAINT: Colour = (126, 126, 122)
EMPTY: Colour = (236, 232, 223)
PAINTED: Colour = (224, 122, 44)
"""The border of a keyframe, and of what stands for the artist's own hand."""
UNKNOWN: Colour = (214, 58, 92)
LABEL_PX, HEADING_PX = 21, 26
LEADING = 1.22


@dataclass(frozen=True)
class Cell:
    """One picture, uint8 (H, W, 3), or an empty place, with the words under it; `marked` gives it a border."""

    picture: np.ndarray | None
    label: str = ""
    marked: bool = False


@dataclass(frozen=True)
class Row:
    """Cells side by side, under a heading if there is one; fewer `columns` make them larger than other rows."""

    cells: Sequence[Cell]
    heading: str = ""
    columns: int | None = None


def contact_sheet(rows: Sequence[Row], *, width: int = WIDTH) -> np.ndarray:
    """Lay out rows of cells on paper, uint8 (H, `width`, 3); cells are as wide as the fullest row allows.

    Pictures are scaled to their cell, smoothly when they shrink and in whole pixels when they grow by a whole factor.
    """
    fullest = max(len(row.cells) for row in rows)
    strips = [_strip(row, _cell_width(row.columns or fullest, width), width) for row in rows]
    blank = np.full((MARGIN, width, 3), PAPER, np.uint8)
    between = blank[:GAP]
    laid = [blank[: MARGIN - GAP // 2]]
    for number, strip in enumerate(strips):
        laid += [between] if number else []
        laid.append(strip)
    return np.vstack([*laid, blank[: MARGIN - GAP // 2]])


def write(
    picture: np.ndarray, text: str, at: tuple[int, int], *, px: int = LABEL_PX, colour: Colour = INK, anchor: str = "la"
) -> np.ndarray:
    """The picture with a line of text on it, placed by Pillow's anchor."""
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text(at, text, font=font(px), fill=colour, anchor=anchor)
    return np.asarray(image).copy()


def font(px: int) -> ImageFont.FreeTypeFont:
    """The typeface that Pillow carries in itself, so that no machine draws other letters."""
    loaded = ImageFont.load_default(px)
    assert isinstance(loaded, ImageFont.FreeTypeFont)
    return loaded


def wrapped(text: str, px: int, room: int) -> list[tuple[str, Colour]]:
    """The text in lines of at most `room` pixels with their colour; what follows its own line break is faint."""
    face, lines = font(px), []
    for number, paragraph in enumerate(text.split("\n")):
        colour = FAINT if number else INK
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}".strip()
            if line and face.getlength(longer) > room:
                lines.append((line, colour))
                longer = word
            line = longer
        lines.append((line, colour))
    return lines


def framed(picture: np.ndarray, colour: Colour, thickness: int) -> np.ndarray:
    """The picture with a border drawn on its own rim."""
    out = picture.copy()
    out[:thickness] = out[-thickness:] = colour
    out[:, :thickness] = out[:, -thickness:] = colour
    return out


def fitted(picture: np.ndarray, width: int) -> np.ndarray:
    """The picture in a width, in its own shape."""
    height = round(picture.shape[0] * width / picture.shape[1])
    shrinks = width < picture.shape[1]
    kind = cv2.INTER_AREA if shrinks else (cv2.INTER_NEAREST if width % picture.shape[1] == 0 else cv2.INTER_CUBIC)
    return cv2.resize(picture, (width, height), interpolation=kind)


def _cell_width(columns: int, width: int) -> int:
    return (width - 2 * MARGIN - (columns - 1) * GAP) // columns


def _strip(row: Row, cell_width: int, width: int) -> np.ndarray:
    shapes = [cell.picture.shape for cell in row.cells if cell.picture is not None]
    cell_height = max(round(shape[0] * cell_width / shape[1]) for shape in shapes)
    lines = [wrapped(cell.label, LABEL_PX, cell_width) if cell.label else [] for cell in row.cells]
    line_px = round(LABEL_PX * LEADING)
    under = UNDER + line_px * max(map(len, lines)) if any(lines) else 0
    heading = wrapped(row.heading, HEADING_PX, width - 2 * MARGIN) if row.heading else []
    above = round(HEADING_PX * LEADING) * len(heading) + (UNDER + 4 if heading else 0)
    strip = np.full((above + cell_height + under, width, 3), PAPER, np.uint8)
    for number, cell in enumerate(row.cells):
        left = MARGIN + number * (cell_width + GAP)
        strip[above : above + cell_height, left : left + cell_width] = _drawn(cell, cell_width, cell_height)
    image = Image.fromarray(strip)
    pen = ImageDraw.Draw(image)
    for place, (line, colour) in enumerate(heading):
        pen.text((MARGIN, round(place * HEADING_PX * LEADING)), line, font=font(HEADING_PX), fill=colour)
    for number, words in enumerate(lines):
        left, top = MARGIN + number * (cell_width + GAP), above + cell_height + UNDER
        for place, (line, colour) in enumerate(words):
            pen.text((left, top + place * line_px), line, font=font(LABEL_PX), fill=colour)
    return np.asarray(image)


def _drawn(cell: Cell, width: int, height: int) -> np.ndarray:
    if cell.picture is None:
        return framed(np.full((height, width, 3), PAPER, np.uint8), EMPTY, 2)
    picture = fitted(cell.picture, width)
    if picture.shape[0] < height:
        room = np.full((height, width, 3), PAPER, np.uint8)
        room[: picture.shape[0]] = picture
        picture = room
    return framed(picture, PAINTED, max(4, width // 60)) if cell.marked else picture
