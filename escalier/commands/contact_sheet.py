"""A contact sheet: frames of a film above the same frames restyled, to see a shot at one glance."""

from collections.abc import Sequence

import cv2
import numpy as np

from escalier.film import Film, as_uint8

MARGIN_PX = 6
KEYFRAME_COLOUR = (240, 170, 40)


def contact_sheet(
    film: Film, restyled: Film, indices: Sequence[int], *, marked: Sequence[int] = (), columns: int = 5
) -> np.ndarray:
    """Lay out pairs of frames, source above result, in rows: uint8 (H, W, 3), at most 320 px for each column.

    `film` and `restyled`, of one length, are shown at the frames `indices`, so many `columns` in a row; those `marked`,
    the keyframes, get a coloured border.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.zeros((4, 90, 160, 3), np.uint8))
    >>> contact_sheet(film, film, [0, 3], columns=2).shape
    (198, 344, 3)
    """
    pairs = [_pair(film, restyled, index, index in marked) for index in indices]
    blank = np.zeros_like(pairs[0])
    rows = [pairs[start : start + columns] for start in range(0, len(pairs), columns)]
    return np.vstack([np.hstack(row + [blank] * (min(columns, len(pairs)) - len(row))) for row in rows])


def _pair(film: Film, restyled: Film, index: int, marked: bool) -> np.ndarray:
    above, below = (_thumbnail(as_uint8(source.frame(index))) for source in (film, restyled))
    colour = KEYFRAME_COLOUR if marked else (0, 0, 0)
    framed = [
        cv2.copyMakeBorder(picture, *(MARGIN_PX // 2,) * 2, *(MARGIN_PX,) * 2, cv2.BORDER_CONSTANT, value=edge)
        for picture, edge in ((above, (0, 0, 0)), (below, colour))
    ]
    sheet = np.vstack(framed)
    cv2.putText(
        sheet, str(index), (MARGIN_PX + 4, MARGIN_PX + 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255,) * 3, 1, cv2.LINE_AA
    )
    return np.vstack([sheet, np.zeros((MARGIN_PX, sheet.shape[1], 3), np.uint8)])


def _thumbnail(picture: np.ndarray) -> np.ndarray:
    scale = min(1.0, 320 / max(picture.shape[:2]))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
