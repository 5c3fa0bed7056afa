"""What a figure means, in one word: good, visible or bad."""

from collections.abc import Mapping
from typing import NamedTuple

from .sharpness import LEAST

GOOD, VISIBLE, BAD = "good", "visible", "bad"


class Limits(NamedTuple):
    """Up to `good` nobody notices, from `bad` on everybody does; for a figure that falls as it worsens, good > bad."""

    good: float
    bad: float


LIMITS = {
    # Published tables, see the README: 2 to 3 for steady films, 7 to 12 for visible flicker.
    "warp_error": Limits(3e-3, 7e-3),
    # Good staircases of three clips 1.8 to 3.0, films painted anew on every frame 4.6 to 8.
    "flicker": Limits(4.0, 8.0),
    # One Delta E*ab is the least that can be seen side by side, 2.3 the usual just noticeable difference.
    "colour_step": Limits(1.0, 2.3),
    "colour_drift": Limits(2.3, 6.0),
    # See `step_ratios`.
    "pop": Limits(1.3, 1.5),
    # Pixels: good staircases .16 to .31.
    "motion_error": Limits(0.4, 1.0),
    # Two unrelated drawings mixed keep .71 and have a double exposure of .29.
    "ghosting_kept": Limits(0.9, 0.8),
    "double_exposure": Limits(0.1, 0.2),
    "sharpness": Limits(0.8, LEAST),
}
"""Every figure that is judged. The source's own are not: they are what the film is held against."""

BESIDE = {"colour_drift": "source_colour_drift"}
"""Figures of which the source's own share is taken off before they are judged."""


def verdict(figure: str, value: float) -> str:
    """The word for a figure of `LIMITS`, by its value in the figure's own unit.

    >>> verdict("pop", 1.12), verdict("pop", 1.4), verdict("ghosting_kept", 0.71)
    ('good', 'visible', 'bad')
    """
    good, bad = LIMITS[figure]
    worse = -1 if good > bad else 1
    if worse * value <= worse * good:
        return GOOD
    return BAD if worse * value >= worse * bad else VISIBLE


def verdicts(figures: Mapping[str, float | None]) -> dict[str, str]:
    """The word for each figure that has a value and is judged.

    >>> verdicts({"colour_drift": 5.0, "source_colour_drift": 4.5, "pop": None})
    {'colour_drift': 'good'}
    """
    words = {}
    for name, value in figures.items():
        if value is not None and name in LIMITS:
            own = figures.get(BESIDE[name]) if name in BESIDE else None
            words[name] = verdict(name, max(0.0, value - (own or 0.0)))
    return words
