"""When each frame of a film that is being written is shown."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from escalier.refusals import Refusal

if TYPE_CHECKING:
    from .filmed_clip import FilmedClip

SLOWEST, FASTEST = 0.001, 1000  # frames a second; beyond, no player shows what was meant
FINE_TICKS = 1_000_000  # a second; times given as floats are taken to the nearest


class Clock(NamedTuple):
    """When each frame is shown, in ticks; without `ticks` every frame lasts one.

    `cut_sound` tells whether the sound of the clip ends with the film, because the film's time is not the clip's.
    """

    tick: Fraction
    ticks: list[int] | None
    last: int
    rate: Fraction
    cut_sound: bool

    def at(self, index: int) -> int:
        """When a frame is shown."""
        return index if self.ticks is None else self.ticks[index]

    def length(self, index: int) -> int:
        """How long a frame is shown, in ticks."""
        if self.ticks is None:
            return 1
        return self.ticks[index + 1] - self.ticks[index] if index + 1 < len(self.ticks) else self.last

    def check_for(self, tick: Fraction, suffix: str) -> None:
        """Refuse a film of which a file that counts in whole `tick`s could not tell two frames apart."""
        steps = [1] if self.ticks is None else [b - a for a, b in itertools.pairwise(self.ticks)]
        if steps and min(steps) * self.tick < tick:
            rule, got = f"be shown for at least {tick} s in {suffix}", f"{float(min(steps) * self.tick):.6f} s"
            raise Refusal("frames", rule, got, "write .mp4 or .mov, whose clock is finer")

    def end_of(self, index: int) -> Fraction:
        """When a frame is no longer shown, in seconds."""
        return (self.at(index) + self.length(index)) * self.tick


def clock_like(clip: FilmedClip, count: int | None) -> Clock:
    """The time of the clip itself, tick by tick."""
    if count is not None and count != len(clip):
        rule = f"have as many frames as the clip it is like, {len(clip)}"
        raise Refusal("film", rule, count, "give rate to let it have its own time")
    ticks = [round(time / clip.time_base) for time in clip.times]
    last = round(clip.durations[-1] / clip.time_base)
    return Clock(clip.time_base, ticks, last, clip.rate, False)


def steady_clock(rate: Fraction | float | None) -> Clock:
    """A constant rate.

    >>> steady_clock(25).end_of(24)
    Fraction(1, 1)
    """
    if rate is None:
        raise Refusal("rate", "be given for frames that bring none", "None", "say rate=24")
    if isinstance(rate, bool) or not (math.isfinite(rate) and SLOWEST <= rate <= FASTEST):
        raise Refusal("rate", f"be {SLOWEST} to {FASTEST} frames per second", rate, "24 is usual")
    steady = Fraction(rate).limit_denominator(100_000)
    return Clock(1 / steady, None, 1, steady, True)


def clock_from_times(times: Sequence[Fraction | float], count: int | None) -> Clock:
    """Times in seconds, rising from 0; the last frame lasts as long as the average one.

    >>> clock_from_times([0, 0.5, 0.75], 3).ticks
    [0, 2, 3]
    """
    if count is not None and len(times) != count:
        raise Refusal("times", f"hold one time a frame, {count}", len(times), "make them match")
    strange = next((index for index, time in enumerate(times) if not math.isfinite(time)), None)
    if strange is not None:
        raise Refusal("times", "be seconds", f"{times[strange]} for frame {strange}", "mend what made them")
    exact = [Fraction(time).limit_denominator(FINE_TICKS) for time in times]
    together = math.lcm(*(time.denominator for time in exact))
    tick = Fraction(1, together if together <= FINE_TICKS else FINE_TICKS)
    ticks = [round(time / tick) for time in exact]
    if not ticks or ticks[0] != 0:
        raise Refusal("times", "start at 0", float(exact[0]) if exact else "none", "take the first from all")
    falls = next((index for index, (a, b) in enumerate(itertools.pairwise(ticks), start=1) if b <= a), None)
    if falls is not None:
        got = f"{float(exact[falls])} s for frame {falls} after {float(exact[falls - 1])} s"
        raise Refusal("times", "rise from frame to frame", got, "sort them, and leave out what is shown for no time")
    usual = max(round(Fraction(ticks[-1], len(ticks) - 1)), 1) if len(ticks) > 1 else round(Fraction(1, 24) / tick) or 1
    rate = (1 / (usual * tick)).limit_denominator(1001)
    return Clock(tick, ticks, usual, rate, True)
