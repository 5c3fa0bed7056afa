"""All runs of a film together."""

from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from escalier.film import Size
from escalier.keyframes import Keyframes

from .run import Run


@dataclass(frozen=True)
class Runs:
    """All runs of a film: for each keyframe one forward and one backward, where there is anywhere to go.

    Attributes
    ----------
    keyframes
        The painted pictures and their places.
    size, rate
        The size of the keyframes, which may be larger than the film's, and the rate of the film.
    forward, backward
        The runs by the index of their keyframe. A keyframe whose neighbour is the next frame has a run of length 1,
        itself; so has one on the last frame of a shot.
    cuts
        The first frame of every shot but the first. No run crosses one.
    first, whole
        For the draft of a part of a film: the number of its first frame in that film, and the number of frames there.

    The frames are memory maps: a `Runs` of any length costs next to no memory.
    """

    keyframes: Keyframes
    size: Size
    rate: Fraction
    forward: dict[int, Run] = field(repr=False)
    backward: dict[int, Run] = field(repr=False)
    cuts: tuple[int, ...] = ()
    first: int = 0
    whole: int | None = None

    def __len__(self) -> int:
        """Number of frames in the film."""
        return self.keyframes.length

    def at(self, index: int) -> list[Run]:
        """The runs that show frame `index`: none at a keyframe, one beyond the outer keyframes of a shot, else two.

        The run that comes from before the frame is the first.
        """
        keys = self.keyframes.indices
        if index in keys:
            return []
        before = max((k for k in keys if k < index), default=None)
        after = min((k for k in keys if k > index), default=None)
        runs = [] if before is None else [self.forward[before]]
        runs += [] if after is None else [self.backward[after]]
        return [run for run in runs if abs(index - run.start) < len(run)]

    def confidence(self) -> np.ndarray:
        """How far each frame can be trusted, float32 (N,) 0..1: that of the better run, 1 at the keyframes."""
        best = [max((run.trust(index) for run in self.at(index)), default=1.0) for index in range(len(self))]
        return np.array(best, np.float32)
