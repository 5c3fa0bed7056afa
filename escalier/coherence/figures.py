"""From curves to figures: one number for each curve, the frame of its worst value, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from escalier.film import Size
from escalier.keyframes import Keyframes

from .colour_steps import colour_drift
from .compared_frames import at_size
from .measurement import WHOLE, Measurement, RegionMeasurement
from .seam import step_ratios
from .sharpness import LEAST, measure_sharpness, sharpness_kept

Steps = list[tuple[float, float, float] | None]

ONE_FRAME = "the film has one frame, and a change needs two"
TOO_SHORT = "the film is too short for a long lag, which needs three frames"
NOT_FOLLOWED = "in no pair of frames can enough be followed: cuts, motion too fast for the flow, or an empty region"
NO_RUNS = (
    "the two sides of each fade are known only where the film is made: escalier stylise says these figures, and "
    "Measure Coherence does of the film of Fade Staircase or with its runs"
)
NO_FADE = "no fade has a middle: there is one keyframe, or the fades are too short"
STILL = "the source itself does not change"
NO_DRAWING = "what it is compared with has no drawing at all"
EMPTY = "the mask leaves no pixel here in any frame"


@dataclass(frozen=True)
class PaintedSharpness:
    """The painted keyframes' sharpness by region: where they lie, and `sharpness` of each; NaN without a pixel."""

    indices: tuple[int, ...]
    values: dict[str, np.ndarray]

    @classmethod
    def of(
        cls, keyframes: Keyframes, size: Size, regions_at: Callable[[int], dict[str, np.ndarray]]
    ) -> PaintedSharpness:
        """Measured at the film's own size, in the regions of the keyframes' frames."""
        values: dict[str, list[float]] = {}
        for index, picture in keyframes:
            painted = at_size(picture, size)
            for name, region in regions_at(index).items():
                values.setdefault(name, []).append(measure_sharpness(painted, region) if region.any() else np.nan)
        return cls(keyframes.indices, {name: np.array(each) for name, each in values.items()})


@dataclass(frozen=True)
class RawRegion:
    """What was measured in one region, frame by frame: curves by name, and the colour steps of both films."""

    curves: dict[str, np.ndarray]
    steps: Steps = field(default_factory=list)
    source_steps: Steps = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """Of what film, how, and with what known of it, curves were measured; see `Measurement`."""

    length: int
    size: Size
    lag: int | None
    keyframes: tuple[int, ...]
    painted: PaintedSharpness | None
    runs_known: bool
    first: int

    @property
    def sharpness_of(self) -> str:
        if self.painted:
            return "the painted keyframes"
        return "the film's own keyframes" if self.keyframes else "the source"


def summarise(raw: dict[str, RawRegion], of: Measured) -> Measurement:
    """The measurement made of the raw curves and colour steps of each region."""
    painted = {} if of.painted is None else of.painted.values
    regions = {name: _region(one, of, painted.get(name)) for name, one in raw.items()}
    notes = _notes(regions[WHOLE], of)
    return Measurement(of.length, of.size, of.lag, of.keyframes, of.sharpness_of, regions, notes, of.first)


def _kept(raw: dict[str, np.ndarray], keyframes: Sequence[int], painted: np.ndarray | None) -> np.ndarray:
    """The sharpness guard's curve, against the best reference there is."""
    measured = raw["sharpness"]
    places = np.asarray(keyframes, np.int64) if keyframes else np.arange(len(measured))
    reference = painted if painted is not None else measured[places] if keyframes else raw["source_sharpness"]
    known = np.isfinite(reference)
    if not known.any():
        return np.full(len(measured), np.nan)
    return sharpness_kept(measured, places[known], reference[known])


def _region(raw: RawRegion, of: Measured, painted: np.ndarray | None) -> RegionMeasurement:
    curves = {name: values for name, values in raw.curves.items() if not name.endswith("sharpness")}
    curves |= {
        "colour_step": _step_lengths(raw.steps),
        "colour_drift": _drift(raw.steps, of.length),
        "source_colour_drift": _drift(raw.source_steps, of.length),
        "sharpness": _kept(raw.curves, of.keyframes, painted),
    }
    figures: dict[str, float | None] = {
        name: _mean(curves[name]) for name in curves if not name.endswith("visible_change")
    }
    ratios = _step_ratios(curves["visible_change"], curves["source_visible_change"])
    figures |= {name: _most(curves[name]) for name in ("colour_step", "colour_drift", "source_colour_drift")}
    figures["pop"] = _most(ratios)
    now, source = figures["warp_error"], figures["source_warp_error"]
    figures["flicker"] = now / source if now is not None and source else None
    reasons = _reasons(raw.curves, figures, of)
    worst = {"pop": ratios} | {name: curves[name] for name in ("warp_error", "colour_step", "colour_drift")}
    worst["sharpness"] = -curves["sharpness"]
    frames = {
        name: int(np.nanargmax(curve))
        for name, curve in worst.items()
        if figures[name] is not None and np.isfinite(curve).any()
    }
    return RegionMeasurement(figures, curves, reasons, frames)


def _step_ratios(changes: np.ndarray, source_changes: np.ndarray) -> np.ndarray:
    """`step_ratios` at the first frame of each pair, NaN where a pair is not judged."""
    ratios, known = np.full(len(changes), np.nan), np.isfinite(changes)
    if known.any():
        ratios[known] = step_ratios(changes[known], source_changes[known])
    return ratios


def _step_lengths(steps: Steps) -> np.ndarray:
    """The colour step at the first frame of each pair, none at the last frame."""
    return np.array([*(np.nan if step is None else float(np.linalg.norm(step)) for step in steps), np.nan])


def _drift(steps: Steps, length: int) -> np.ndarray:
    return colour_drift(steps) if any(step is not None for step in steps) else np.full(length, np.nan)


def _reasons(raw: dict[str, np.ndarray], figures: dict[str, float | None], of: Measured) -> dict[str, str]:
    empty = not np.isfinite(raw["sharpness"]).any()
    between = EMPTY if empty else ONE_FRAME if of.length < 2 else NOT_FOLLOWED
    why = dict.fromkeys(figures, between)
    for name in ("warp_error_long", "source_warp_error_long"):
        why[name] = TOO_SHORT if of.lag is None else between
    why |= dict.fromkeys(("ghosting_kept", "double_exposure"), NO_FADE if of.runs_known else NO_RUNS)
    if figures["ghosting_kept"] is not None:
        why["double_exposure"] = "no patch of 32 px in the middle of a fade has any drawing"
    why["sharpness"] = EMPTY if empty else NO_DRAWING
    if figures["source_warp_error"] == 0:
        why["flicker"] = STILL
    return {name: why[name] for name, value in figures.items() if value is None}


def _notes(whole: RegionMeasurement, of: Measured) -> tuple[str, ...]:
    notes = []
    for curve, apart in (("warp_error", 1), ("warp_error_long", of.lag)):
        if apart is not None and of.length > apart:
            notes += _left_out(whole.curves[curve][: of.length - apart], apart, of.first)
    soft = int(np.count_nonzero(whole.curves["sharpness"] < LEAST))
    if soft:
        notes.append(f"{soft} of {of.length} frames keep less than {LEAST} of the sharpness of {of.sharpness_of}.")
    if not of.keyframes:
        notes.append("No keyframes are known: a style that is softer than the source counts as blur.")
    return tuple(notes)


def _left_out(curve: np.ndarray, lag: int, first: int) -> list[str]:
    """A sentence for the pairs of a lag that are not judged, if there are any."""
    skipped = np.flatnonzero(~np.isfinite(curve))
    if not skipped.size:
        return []
    shown = ", ".join(str(index + first) for index in skipped[:8]) + (", ..." if skipped.size > 8 else "")
    verb = "is" if skipped.size == 1 else "are"
    left_out = f"At lag {lag}, {skipped.size} of {curve.size} pairs {verb} left out, too little can be followed"
    return [f"{left_out}: those that begin at frame {shown}."]


def _mean(curve: np.ndarray) -> float | None:
    known = curve[np.isfinite(curve)]
    return float(known.mean()) if known.size else None


def _most(curve: np.ndarray) -> float | None:
    known = curve[np.isfinite(curve)]
    return float(known.max()) if known.size else None
