"""An amount that changes over time: written as text, read frame by frame."""

import itertools
import re
from dataclasses import dataclass

import numpy as np

from escalier.arguments import checked
from escalier.refusals import Refusal

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)"


@checked
@dataclass(frozen=True)
class Curve:
    """An amount 0..1 for each frame: straight lines between points, level before the first and after the last.

    Parameters
    ----------
    points
        (frame, amount) pairs, rising in their frames, which are counted from 0; amounts 0..1.

    >>> curve = Curve(((0, 0.0), (48, 1.0)))
    >>> curve.at(12), curve.at(60)
    (0.25, 1.0)
    """

    points: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        if not self.points:
            raise Refusal("points", "be at least one", "none", "write 0:0.5 for a level amount")
        for frame, amount in self.points:
            if frame < 0:
                raise Refusal("frames", "be 0 or more", frame, "count from the film's first frame, 0")
            if not 0 <= amount <= 1:
                raise Refusal("amounts", "lie in 0..1", f"{amount:g} at frame {frame}", "1 is all there is")
        for (before, _), (after, _) in itertools.pairwise(self.points):
            if after <= before:
                rule = "rise from point to point"
                raise Refusal("frames", rule, f"{after} after {before}", "sort the points and give each frame once")

    def at(self, index: int) -> float:
        """The amount at frame `index`."""
        frames, amounts = zip(*self.points, strict=True)
        return float(np.interp(index, frames, amounts))


@checked
def parse_curve(text: str, length: int | None = None) -> Curve:
    """A curve from text: "0:0, 48:1" rises over two seconds at 24 frames per second; "0.5" is level.

    Parameters
    ----------
    text
        Points frame:amount, separated by commas, semicolons or line ends; or one amount alone.
    length
        Number of frames in the film, where points beyond its end are to be refused.

    Raises
    ------
    ValueError
        Naming the part of the text that is no point, out of order, out of 0..1 or out of the film.

    >>> parse_curve("0:0, 48:1").at(24)
    0.5
    >>> parse_curve("0.3").at(1000)
    0.3
    """
    parts = [part.strip() for part in re.split(r"[,;\n]+", text) if part.strip()]
    if len(parts) == 1 and re.fullmatch(NUMBER, parts[0]):
        return Curve(((0, float(parts[0])),))
    points = []
    for part in parts:
        match = re.fullmatch(rf"([+-]?\d+)\s*:\s*({NUMBER})", part)
        if match is None:
            rule = "be points frame:amount such as '0:0, 48:1'"
            raise Refusal("curve", rule, f"{part!r}", "write a whole frame number, a colon and an amount from 0 to 1")
        points.append((int(match[1]), float(match[2])))
    curve = Curve(tuple(points))
    if length is not None and curve.points[-1][0] >= length:
        rule = f"end within the film, 0..{length - 1}"
        raise Refusal("curve", rule, f"a point at frame {curve.points[-1][0]}", "move it to the last frame")
    return curve
