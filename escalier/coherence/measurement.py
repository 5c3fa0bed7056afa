"""What the coherence meter found: figures, curves over time, and the reason for every figure that is missing."""

import csv
import io
import json
from dataclasses import dataclass, field

import numpy as np

from escalier.film import Size

from .sharpness import LEAST
from .verdicts import verdicts

WHOLE, INSIDE, OUTSIDE = "whole", "inside", "outside"

FIGURES = {
    "warp_error": ("warp error, 1e-3", 1e3, 3),
    "source_warp_error": ("  the same of the source", 1e3, 3),
    "warp_error_long": ("warp error at {lag}, 1e-3", 1e3, 3),
    "source_warp_error_long": ("  the same of the source", 1e3, 3),
    "flicker": ("flicker, over that of the source", 1, 2),
    "colour_step": ("colour step, Delta E", 1, 2),
    "colour_drift": ("colour drift, Delta E", 1, 2),
    "source_colour_drift": ("  the same of the source", 1, 2),
    "pop": ("pop, largest step over the usual", 1, 2),
    "motion_error": ("motion error, px", 1, 3),
    "ghosting_kept": ("ghosting kept", 1, 3),
    "double_exposure": ("double exposure", 1, 3),
    "sharpness": ("sharpness kept", 1, 2),
}
"""Every figure by its name: how the report calls it, in which unit, with how many digits."""


@dataclass(frozen=True)
class RegionMeasurement:
    """The figures of one region of the picture.

    Attributes
    ----------
    figures
        Name -> value, or None where there is none; `reasons` then says why.
    curves
        Name -> float64 (N,), one value a frame. NaN where the frame has none: the last frames of a lag, a pair that
        cannot be followed, a frame outside every fade. A curve between two frames stands at the first of them.
    reasons
        Name of a figure that is None -> a sentence.
    frames
        Name -> where the figure has its worst value: "warp_error", "colour_step" and "pop" name the first frame of a
        pair.
    """

    figures: dict[str, float | None]
    curves: dict[str, np.ndarray] = field(repr=False)
    reasons: dict[str, str]
    frames: dict[str, int]


@dataclass(frozen=True)
class Measurement:
    """What `measure_film` found.

    Attributes
    ----------
    length, size
        Of the films in frames, and the size in pixels at which they were measured.
    lag
        The long lag in frames, or None for a film too short to have one.
    keyframes
        Indices of the keyframes, as far as they are known.
    sharpness_of
        What the sharpness is a share of, in words.
    regions
        "whole", and with a mask "inside" and "outside", which share no pixel.
    notes
        What the reader of the figures should know, a sentence each.
    first
        The number that people give to the first frame. Report, table and plot count from it; `keyframes`, `frames` and
        the JSON object, which holds it, count from 0.
    """

    length: int
    size: Size
    lag: int | None
    keyframes: tuple[int, ...]
    sharpness_of: str
    regions: dict[str, RegionMeasurement]
    notes: tuple[str, ...] = ()
    first: int = 0

    @property
    def figures(self) -> dict[str, float | None]:
        """The figures of the whole picture."""
        return self.regions[WHOLE].figures

    @property
    def curves(self) -> dict[str, np.ndarray]:
        """The curves of the whole picture."""
        return self.regions[WHOLE].curves

    @property
    def reasons(self) -> dict[str, str]:
        """Why figures of the whole picture are None."""
        return self.regions[WHOLE].reasons

    @property
    def frames(self) -> dict[str, int]:
        """Where figures of the whole picture have their worst value."""
        return self.regions[WHOLE].frames

    def bought_with_blur(self, region: str = WHOLE) -> bool:
        """Whether the sharpness guard marks a region: its good scores may be due to blur."""
        kept = self.regions[region].figures["sharpness"]
        return kept is not None and kept < LEAST

    def to_json(self) -> str:
        """Everything as one JSON object. What has no value is null, never NaN."""
        facts = {
            "length": self.length,
            "first": self.first,
            "size": str(self.size),
            "lag": self.lag,
            "keyframes": list(self.keyframes),
            "sharpness_of": self.sharpness_of,
            "notes": list(self.notes),
            "regions": {
                name: {
                    "figures": region.figures,
                    "verdicts": verdicts(region.figures),
                    "reasons": region.reasons,
                    "frames": region.frames,
                    "bought_with_blur": self.bought_with_blur(name),
                    "curves": {curve: [_or_none(v) for v in values] for curve, values in region.curves.items()},
                }
                for name, region in self.regions.items()
            },
        }
        return json.dumps(facts, allow_nan=False)

    def to_csv(self) -> str:
        """The curves as a table with one row a frame. What has no value is an empty cell."""
        columns = {
            f"{name}.{curve}": values
            for name, region in self.regions.items()
            for curve, values in region.curves.items()
        }
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["frame", *columns])
        for index in range(self.length):
            values = (_or_none(column[index]) for column in columns.values())
            table.writerow([index + self.first, *("" if value is None else f"{value:.9g}" for value in values)])
        return text.getvalue()

    def __str__(self) -> str:
        lines = [f"{self.length} frame{'s' * (self.length != 1)}, measured at {self.size}"]
        for name, region in self.regions.items():
            lines += ["", {WHOLE: "Whole picture", INSIDE: "Inside the mask", OUTSIDE: "Outside the mask"}[name]]
            words = verdicts(region.figures)
            lines += [self._line(region, figure, words.get(figure, "")) for figure in FIGURES]
            lines += _why_none(region)
            if self.bought_with_blur(name):
                lines.append(
                    f"  Bought with blur: this keeps {region.figures['sharpness']:.2f} of the sharpness of "
                    f"{self.sharpness_of}, under {LEAST}; do not trust low errors here."
                )
        return "\n".join([*lines, *(["", *self.notes] if self.notes else [])])

    def _line(self, region: RegionMeasurement, figure: str, word: str) -> str:
        label, unit, digits = FIGURES[figure]
        lag = "a long lag" if self.lag is None else f"lag {self.lag}"
        value = region.figures[figure]
        said = "none" if value is None else f"{value * unit:.{digits}f}"
        where = f"  (worst at frame {region.frames[figure] + self.first})" if value and figure in region.frames else ""
        return f"  {label.format(lag=lag):<33}{said:<8}{word:<7}{where}".rstrip()


def _why_none(region: RegionMeasurement) -> list[str]:
    """One line for each reason, with the figures it stands for."""
    figures: dict[str, list[str]] = {}
    for name, reason in region.reasons.items():
        figures.setdefault(reason, []).append(name.replace("_", " "))
    return [f"  No {', '.join(names)}: {reason}." for reason, names in figures.items()]


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
