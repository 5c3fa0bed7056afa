"""The long lag: how many frames apart two frames are compared, so that slow changes show."""

import itertools
from collections.abc import Sequence

from escalier.arguments import checked

CANDIDATES = (7, 11, 13, 9, 5, 17, 19, 23, 8, 10, 6, 4, 3, 2)
"""In order of liking. Primes first: what repeats with a period that divides the lag cannot be seen at it."""


@checked
def find_long_lag(length: int, keyframes: Sequence[int] = ()) -> int | None:
    """The lag for a film of `length` frames, or None where it is too short to have one.

    7 frames, or the next one that divides no interval between keyframes: what beats with the keyframes, such as a pump
    in every fade, looks the same at each end of a lag that divides the interval. Where every lag divides some interval,
    the one that divides the fewest.

    Parameters
    ----------
    length
        Number of frames in the film. The lag takes up at most half of it, so that a mean has something to stand on;
        a film of three frames has a lag of 2.
    keyframes
        Indices of the keyframes, rising.

    >>> find_long_lag(100, [0, 50]), find_long_lag(100, [0, 49, 98]), find_long_lag(100), find_long_lag(2)
    (7, 11, 7, None)
    """
    intervals = [after - before for before, after in itertools.pairwise(keyframes)]
    possible = [lag for lag in CANDIDATES if lag <= max(length // 2, 2) and lag < length]
    return min(possible, key=lambda lag: sum(interval % lag == 0 for interval in intervals), default=None)
