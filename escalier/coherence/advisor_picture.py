"""The advice as a picture: how much of each frame is missing, over time, with the suggested frames above."""

from collections.abc import Iterable

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, as_uint8

from .advisor import Advice
from .plot import FAINT, FONT, INK, KEYFRAME, LEFT_PX, PAPER, RIGHT_PX, WIDTH, draw_frame_numbers, place_of, write

TOP_PX, CURVE_PX, BOTTOM_PX = 34, 240, 58
THUMBNAIL_PX, LEAD_PX = 150, 34
MISSING, MISSING_LINE, AFTER = (250, 214, 205), (200, 50, 60), (40, 140, 70)
SUGGESTED, CUT = (30, 90, 200), (150, 150, 150)


@checked
def draw_advice(advice: Advice, film: Film) -> np.ndarray:
    """The curve of what is missing and the suggested frames: uint8 (H, 1200, 3).

    Red is what the keyframes do not hold of each frame, green what they would not hold with the suggested ones. Orange
    lines stand at the keyframes, blue ones lead from the suggested frames to their pictures, grey ones mark cuts.

    Parameters
    ----------
    advice, film
        What `advise_keyframes` said of this film.

    >>> from escalier.coherence import advise_keyframes
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)] * 30))
    >>> draw_advice(advise_keyframes(film, keyframes=[0], count=1), film).shape[1]
    1200
    """
    top = TOP_PX + (THUMBNAIL_PX + LEAD_PX + TOP_PX if advice.frames else 0)
    sheet = np.full((top + CURVE_PX + BOTTOM_PX, WIDTH, 3), PAPER, np.uint8)
    _draw_curves(sheet, top, advice)
    for cut in advice.cuts:
        x = _place(cut - 0.5, len(advice))
        for y in range(top, top + CURVE_PX, 8):
            cv2.line(sheet, (x, y), (x, y + 3), CUT, 1)
    _draw_lines(sheet, top, advice.keyframes, KEYFRAME, advice)
    _draw_lines(sheet, top, advice.frames, SUGGESTED, advice)
    _draw_thumbnails(sheet, top, advice, film)
    _draw_legend(sheet, top + CURVE_PX, advice)
    return sheet


def _draw_curves(sheet: np.ndarray, top: int, advice: Advice) -> None:
    floor = top + CURVE_PX
    before, after = (_points(curve, top) for curve in (advice.missing, advice.missing_after))
    outline = np.concatenate([before, [[before[-1, 0], floor], [before[0, 0], floor]]])
    cv2.fillPoly(sheet, [outline], MISSING, cv2.LINE_AA)
    cv2.polylines(sheet, [before], False, MISSING_LINE, 1, cv2.LINE_AA)
    cv2.polylines(sheet, [after], False, AFTER, 2, cv2.LINE_AA)
    cv2.rectangle(sheet, (LEFT_PX, top), (WIDTH - RIGHT_PX, floor), FAINT, 1)
    for share in (0, 50, 100):
        write(sheet, f"{share} %", (14, floor - share * CURVE_PX // 100 + 5), INK)


def _draw_lines(
    sheet: np.ndarray, top: int, frames: Iterable[int], colour: tuple[int, int, int], advice: Advice
) -> None:
    for frame in frames:
        x = _place(frame, len(advice))
        cv2.line(sheet, (x, top), (x, top + CURVE_PX), colour, 2)


def _draw_thumbnails(sheet: np.ndarray, top: int, advice: Advice, film: Film) -> None:
    """The suggested frames side by side, each as near above its place in time as the others allow."""
    if not advice.frames:
        return
    room = (WIDTH - LEFT_PX - RIGHT_PX) // len(advice.frames)
    ratio = film.size.width / film.size.height
    height = max(1, min(THUMBNAIL_PX, round((room - 8) / ratio)))
    width = max(1, round(height * ratio))
    rank = {suggestion.frame: place for place, suggestion in enumerate(advice.suggestions, start=1)}
    left = LEFT_PX
    for number, frame in enumerate(advice.frames):
        latest = WIDTH - RIGHT_PX - (len(advice.frames) - number) * (width + 8)
        left = min(max(left, _place(frame, len(advice)) - width // 2), max(latest, left))
        y = TOP_PX + THUMBNAIL_PX - height
        picture = cv2.resize(as_uint8(film.frame(frame)), (width, height), interpolation=cv2.INTER_AREA)
        room_left = max(0, sheet.shape[1] - left)
        sheet[y : y + height, left : left + width] = picture[:, :room_left]
        cv2.rectangle(sheet, (left, y), (left + width - 1, y + height - 1), SUGGESTED, 1)
        write(sheet, f"{rank[frame]}: frame {frame + advice.first}", (left, y - 8), INK)
        foot, place = (left + width // 2, y + height), (_place(frame, len(advice)), top)
        cv2.line(sheet, foot, place, SUGGESTED, 1, cv2.LINE_AA)
        left += width + 8


def _draw_legend(sheet: np.ndarray, floor: int, advice: Advice) -> None:
    draw_frame_numbers(sheet, floor + 18, len(advice), advice.first)
    x = LEFT_PX
    for colour, text in (
        (MISSING_LINE, "missing from the keyframes"),
        (AFTER, "missing after the suggestions"),
        (KEYFRAME, "keyframe"),
        (SUGGESTED, "suggested"),
        (CUT, "cut"),
    ):
        cv2.line(sheet, (x, floor + 38), (x + 22, floor + 38), colour, 2)
        write(sheet, text, (x + 30, floor + 43), INK)
        x += 60 + cv2.getTextSize(text, FONT, 0.45, 1)[0][0]


def _points(curve: np.ndarray, top: int) -> np.ndarray:
    if len(curve) == 1:
        curve = np.repeat(curve, 2)
        places = np.array([LEFT_PX, WIDTH - RIGHT_PX])
    else:
        places = np.array([_place(frame, len(curve)) for frame in range(len(curve))])
    heights = top + CURVE_PX - np.rint(np.clip(curve, 0, 1) * CURVE_PX)
    return np.stack([places, heights], axis=1).astype(np.int32)


def _place(frame: float, length: int) -> int:
    return round(float(place_of(frame, length)))
