"""How the random samples are shared out over search radii: by what each radius brought in so far.

Small radii find more, but what pays changes from shot to shot: on a still face nearly all gains come from one or two
pixels away, behind a fast hand from far off. Every sweep counts tries and gained energy for each radius (a `rung` of
the ladder 1, 2, 4 .. pixels); the next one draws the rungs in proportion to the square root of their yield.
"""

import numpy as np

_MEMORY = 0.5
_LEAST_SHARE = 0.02
_TABLE = 256


class Sampler:
    """The yields of the rungs, carried from sweep to sweep and from level to level.

    `mean_energy` is that of a level's pixels in its last sweep over all of them: the measure of a pixel's samples.
    """

    def __init__(self) -> None:
        self._yields = np.ones(1)
        self.mean_energy = 1.0

    def climb(self, radius: int) -> None:
        """Make the ladder reach up to `radius` pixels; new rungs start with the yield of the topmost known one."""
        rungs = max(1, int(radius).bit_length())
        more = max(0, rungs - len(self._yields))
        self._yields = np.append(self._yields, np.full(more, self._yields[-1]))[:rungs]

    @property
    def rungs(self) -> int:
        return len(self._yields)

    def table(self) -> np.ndarray:
        """uint8 (256,): rungs in rising order, each as often as its share. A draw is a place in this table."""
        share = np.sqrt(np.maximum(self._yields, 1e-9))  # a gain can be a loss: one's own usage counts
        share = np.maximum(share / share.sum(), _LEAST_SHARE)
        ends = np.rint(np.cumsum(share) / share.sum() * _TABLE)
        return np.minimum(np.searchsorted(ends, np.arange(_TABLE), side="right"), self.rungs - 1).astype(np.uint8)

    def learn(self, tally: np.ndarray) -> None:
        """Take in one sweep: float64 (rungs, 2), the tries and the energy gained on every rung."""
        tries, gain = tally[:, 0], tally[:, 1] / self.mean_energy
        fresh = np.where(tries > 0, gain / np.maximum(tries, 1), self._yields)
        self._yields = _MEMORY * self._yields + (1 - _MEMORY) * fresh
