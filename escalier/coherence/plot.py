"""The curves of a measurement as one picture: time from left to right, one panel a figure."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked

from .measurement import INSIDE, OUTSIDE, WHOLE, Measurement
from .sharpness import LEAST

WIDTH = 1200
PANEL_PX, GAP_PX = 120, 40
LEFT_PX, RIGHT_PX, TOP_PX, BOTTOM_PX = 80, 24, 36, 40
PAPER, INK, FAINT, KEYFRAME = (255, 255, 255), (40, 40, 40), (205, 205, 205), (240, 170, 40)
COLOURS = {WHOLE: (30, 90, 200), INSIDE: (200, 50, 60), OUTSIDE: (40, 140, 70), "source": (150, 150, 150)}
SUBPIXEL_BITS = 4
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class Panel:
    """What one panel shows: a title, curves by name, the unit they are multiplied by, and lines across."""

    title: str
    curve: str
    unit: float = 1.0
    source: str | None = None
    lines: tuple[float, ...] = ()


PANELS = (
    Panel("warp error, 1e-3 (grey: the source)", "warp_error", 1e3, "source_warp_error"),
    Panel("warp error at lag {lag}, 1e-3 (grey: the source)", "warp_error_long", 1e3, "source_warp_error_long"),
    Panel("visible change from frame to frame, Delta E", "visible_change"),
    Panel("colour drift, Delta E (grey: the source)", "colour_drift", source="source_colour_drift", lines=(3.0,)),
    Panel("motion error, px", "motion_error"),
    Panel("ghosting kept, in the middle of fades", "ghosting_kept", lines=(1.0,)),
    Panel("double exposure, in the middle of fades", "double_exposure"),
    Panel("sharpness kept, of {sharpness_of}", "sharpness", lines=(1.0, LEAST)),
)


@checked
def plot_curves(measurement: Measurement) -> np.ndarray:
    """The curves of a measurement, one panel a figure that has any value: uint8 (H, W, 3).

    Blue is the whole picture; with a mask red is inside and green outside it; orange lines stand at the keyframes.

    Parameters
    ----------
    measurement
        Of any length.

    >>> from escalier.film import ArrayFrames
    >>> from escalier.coherence import measure_film
    >>> film = ArrayFrames(np.random.default_rng(0).integers(0, 256, (4, 48, 64, 3), np.uint8))
    >>> plot_curves(measure_film(film, film)).shape[1]
    1200
    """
    panels = [panel for panel in PANELS if _known(measurement, panel).size]
    height = TOP_PX + max(len(panels), 1) * (PANEL_PX + GAP_PX) + BOTTOM_PX - GAP_PX
    sheet = np.full((height, WIDTH, 3), PAPER, np.uint8)
    for row, panel in enumerate(panels):
        _draw_panel(sheet, TOP_PX + row * (PANEL_PX + GAP_PX), panel, measurement)
    if len(measurement.regions) > 1:
        _write_legend(sheet)
    draw_frame_numbers(sheet, height - BOTTOM_PX + 18, measurement.length, measurement.first)
    return sheet


def _known(measurement: Measurement, panel: Panel) -> np.ndarray:
    names = [panel.curve, *([panel.source] if panel.source else [])]
    values = [region.curves[name] for region in measurement.regions.values() for name in names]
    joined = np.concatenate(values)
    return joined[np.isfinite(joined)]


def _draw_panel(sheet: np.ndarray, top: int, panel: Panel, measurement: Measurement) -> None:
    values = np.concatenate([_known(measurement, panel) * panel.unit, np.array(panel.lines, np.float64)])
    highest = float(values.max()) * 1.05
    scale = PANEL_PX / highest if highest > 0 else 0.0
    floor = top + PANEL_PX

    def height_of(value: float | np.ndarray) -> np.ndarray:
        return floor - np.asarray(value, np.float64) * scale

    title = panel.title.format(lag=measurement.lag, sharpness_of=measurement.sharpness_of)
    write(sheet, title, (LEFT_PX, top - 8), INK)
    for index in measurement.keyframes:
        x = round(float(place_of(index, measurement.length)))
        cv2.line(sheet, (x, top), (x, floor), KEYFRAME, 1)
    for value in (0.0, highest / 1.05):
        write(sheet, f"{value:.3g}", (8, round(float(height_of(value))) + 4), INK)
    for value in panel.lines:
        y = round(float(height_of(value)))
        cv2.line(sheet, (LEFT_PX, y), (WIDTH - RIGHT_PX, y), FAINT, 1)
    cv2.rectangle(sheet, (LEFT_PX, top), (WIDTH - RIGHT_PX, floor), FAINT, 1)
    if panel.source:
        _draw_curve(sheet, height_of(measurement.curves[panel.source] * panel.unit), COLOURS["source"])
    for name, region in measurement.regions.items():
        _draw_curve(sheet, height_of(region.curves[panel.curve] * panel.unit), COLOURS[name])


def _draw_curve(sheet: np.ndarray, heights: np.ndarray, colour: Sequence[int]) -> None:
    """A line through neighbouring values; what stands alone is a dot, what is missing a gap."""
    places = place_of(np.arange(len(heights)), len(heights))
    points = np.stack([places, heights], axis=1)
    known = np.isfinite(heights)
    for run in np.split(np.arange(len(heights)), np.flatnonzero(np.diff(known)) + 1):
        if known[run[0]]:
            scaled = np.rint(points[run] * 2**SUBPIXEL_BITS).astype(np.int32)
            if len(run) == 1:
                cv2.circle(sheet, scaled[0].tolist(), 2 << SUBPIXEL_BITS, colour, -1, cv2.LINE_AA, SUBPIXEL_BITS)
            else:
                cv2.polylines(sheet, [scaled], False, colour, 1, cv2.LINE_AA, SUBPIXEL_BITS)


def _write_legend(sheet: np.ndarray) -> None:
    """Which colour is which region, above the first panel on the right."""
    words = {WHOLE: "whole picture", INSIDE: "inside the mask", OUTSIDE: "outside the mask"}
    for place, (name, text) in enumerate(words.items()):
        write(sheet, text, (WIDTH - RIGHT_PX - 390 + 130 * place, TOP_PX - 8), COLOURS[name])


def draw_frame_numbers(sheet: np.ndarray, y: int, length: int, first: int) -> None:
    for index in sorted({round(place) for place in np.linspace(0, length - 1, min(length, 11))}):
        number = str(index + first)
        write(sheet, number, (round(float(place_of(index, length))) - 4 * len(number), y), INK)


def place_of(index: float | np.ndarray, length: int) -> np.ndarray:
    """How far to the right a frame stands on the sheet, in pixels."""
    return LEFT_PX + np.asarray(index, np.float64) * (WIDTH - LEFT_PX - RIGHT_PX) / max(length - 1, 1)


def write(sheet: np.ndarray, text: str, at: tuple[int, int], colour: Sequence[int]) -> None:
    cv2.putText(sheet, text, at, FONT, 0.45, colour, 1, cv2.LINE_AA)
