"""Which runs a film calls for: two for each keyframe, up to its neighbours or to the ends of its shot."""

from collections.abc import Sequence
from dataclasses import dataclass

from escalier.film import check_cuts, shots
from escalier.keyframes import Keyframes
from escalier.refusals import Refusal


@dataclass(frozen=True)
class Chain:
    """What one run has to do: from the keyframe at `start` towards `stop`, which it does not reach.

    `order` is the keyframe's place among the keyframes, `direction` is 1 (forward) or -1 (backward).
    """

    start: int
    stop: int
    order: int

    @property
    def direction(self) -> int:
        return 1 if self.stop > self.start else -1

    @property
    def length(self) -> int:
        """Frames of the run, its keyframe included."""
        return abs(self.stop - self.start)

    @property
    def frames(self) -> range:
        """Those of the film that it shows, its keyframe included, rising."""
        return range(self.start, self.stop) if self.direction > 0 else range(self.stop + 1, self.start + 1)

    @property
    def name(self) -> str:
        return f"{self.start:06d}_{'forward' if self.direction > 0 else 'backward'}"


def chains_of(keyframes: Keyframes, cuts: Sequence[int] = ()) -> list[Chain]:
    """Every run that a set of keyframes calls for: two for each, up to its neighbours or to the ends of its shot.

    >>> painted = Keyframes([2, 5], [np.zeros((8, 8, 3), np.uint8)] * 2, length=10)
    >>> [(chain.start, chain.stop) for chain in chains_of(painted)]
    [(2, 5), (2, -1), (5, 10), (5, 2)]
    >>> [(chain.start, chain.stop) for chain in chains_of(painted, cuts=[4])]
    [(2, 4), (2, -1), (5, 10), (5, 3)]
    """
    stops = [-1, *keyframes.indices, keyframes.length]
    chains = []
    for order, index in enumerate(keyframes.indices):
        shot = next(shot for shot in shots(keyframes.length, cuts) if index in shot)
        forwards, backwards = min(stops[order + 2], shot.stop), max(stops[order], shot.start - 1)
        chains += [Chain(index, forwards, order), Chain(index, backwards, order)]
    return chains


def check_shots(keyframes: Keyframes, cuts: Sequence[int]) -> None:
    """Refuse a film of which a shot cannot be painted, before an hour is spent on the others."""
    check_cuts(cuts, keyframes.length)
    bare = [shot for shot in shots(keyframes.length, cuts) if not any(index in shot for index in keyframes.indices)]
    if bare:
        named = " and ".join(f"in frames {shot.start} to {shot.stop - 1}" for shot in bare[:3])
        more = f" and {len(bare) - 3} more shots" * (len(bare) > 3)
        got = f"none {named}{more}: the film is cut there, and nothing is painted across a cut"
        remedy = "paint a keyframe in each, or stop looking for cuts if there are none"
        raise Refusal("keyframes", "show every shot", got, remedy)
