"""A mask as a stack of level sets, each known by the distance to its edge.

A soft edge is known well enough from five of them, for between two the distance runs evenly from one to the other.
Where a mask holds one value over an area, such as a faint floor or a veil, the distance leaps instead, and where it
holds faint specks, such as the halo of a JPEG, they belong to no edge: level sets that follow the mask stand there.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .distance import signed_distance

LEVELS = (0.02, 0.25, 0.5, 0.75, 0.98)
"""The level sets that a soft mask is taken as."""
SOFTEST_PX = 40
"""How far apart two neighbouring level sets may lie for the distance between them to be interpolated truly."""
BINS = 256
LEAST_AREA = 1e-4
PLATEAU_FACTOR = 24
MOST_PLATEAUS = 4
"""A value that this part of the picture has, and so many times as many pixels as the usual value of a soft edge, is a
plateau. Of more plateaus the largest count: each costs two level sets."""
SPECK_FACTOR = 5
"""A soft edge passes through faint values about as fast as through the next ones: at most half as fast in a gaussian
blur. So many times as many pixels of faint values are specks that belong to no edge."""


class LevelSets(NamedTuple):
    """The levels of a mask, rising, and the signed distance to the edge of each: float32 (levels, H, W)."""

    levels: tuple[float, ...]
    distances: np.ndarray

    def at(self, levels: tuple[float, ...]) -> np.ndarray:
        """The distances at other levels, even between two of its own, and those of the end beyond them."""
        if levels == self.levels or len(self.levels) == 1:
            return self.distances
        places = np.interp(levels, self.levels, np.arange(len(self.levels)))
        lower = np.minimum(places.astype(int), len(self.levels) - 2)
        shares = (places - lower).astype(np.float32)[:, None, None]
        return (1 - shares) * self.distances[lower] + shares * self.distances[lower + 1]


def level_sets(matte: np.ndarray, outside_px: float, inside_px: float) -> LevelSets:
    """The level sets of a matte, float32 (H, W) 0..1: one of a hard one, five or more of a soft one.

    Distances are known as far as asked for on either side of the edges, and held at that beyond.

    >>> level_sets(np.float32([[0, 0, 1, 1]]), 8, 8).distances.tolist()
    [[[-1.5, -0.5, 0.5, 1.5]]]
    """
    soft = bool(((matte > 0) & (matte < 1)).any())
    levels, more = (levels_of(matte), SOFTEST_PX) if soft else ((0.5,), 1)
    distances = np.empty((len(levels), *matte.shape), np.float32)
    for level, plane in zip(levels, distances, strict=True):
        signed_distance(matte >= np.float32(level), outside_px + more, inside_px + more, plane)
    return LevelSets(levels, distances)


def levels_of(matte: np.ndarray) -> tuple[float, ...]:
    """The usual levels, one on either side of every plateau in place of those within, and one beyond faint specks.

    >>> ramp = np.linspace(0, 1, 4096, dtype=np.float32).reshape(64, 64)
    >>> levels_of(ramp)
    (0.02, 0.25, 0.5, 0.75, 0.98)
    >>> [round(level, 3) for level in levels_of(np.maximum(ramp, 0.1))]
    [0.02, 0.1, 0.1, 0.25, 0.5, 0.75, 0.98]
    """
    within = matte[(matte >= np.float32(LEVELS[0])) & (matte <= np.float32(LEVELS[-1]))]
    least = LEAST_AREA * matte.size
    levels = set(LEVELS)
    for lowest, highest in _plateaus(within, least):
        levels = {level for level in levels if not lowest <= level <= highest or level == LEVELS[0]}
        levels |= {lowest, float(np.nextafter(np.float32(highest), np.float32(1)))}
    return tuple(sorted(levels | _beyond_specks(matte, least)))


def _plateaus(within: np.ndarray, least: float) -> list[tuple[float, float]]:
    """The lowest and highest value of each plateau, the largest first."""
    places = (within * np.float32(BINS)).astype(np.intp)
    counts = np.bincount(places, minlength=BINS)
    many = counts > max(least, PLATEAU_FACTOR * float(np.median(counts)))
    ends = np.flatnonzero(np.diff(np.concatenate([[False], many, [False]]).astype(np.int8)))
    found = []
    for first, stop in ends.reshape(-1, 2):
        values = within[(places >= first) & (places < stop)]
        # Without the few pixels of a soft edge that pass through the same values.
        found.append((len(values), *np.quantile(values, (0.01, 0.99), method="nearest").tolist()))
    return [(lowest, highest) for _, lowest, highest in sorted(found, reverse=True)[:MOST_PLATEAUS]]


def _beyond_specks(matte: np.ndarray, least: float) -> set[float]:
    """The level above which faint specks end, and the one below which specks in the white do, where there are any."""
    found = set()
    for values, back in ((matte, False), (1 - matte, True)):
        ends = [*_end_of_halo(values, least), *_end_of_islands(values, least)]
        found |= {1 - end if back else end for end in ends}
    return found


def _end_of_halo(values: np.ndarray, least: float) -> tuple[float, ...]:
    """Where specks end that hang together with the subject, if there are far too many faint values for a soft edge."""
    faint = values[(values >= np.float32(LEVELS[0])) & (values < np.float32(LEVELS[1]))]
    high = np.count_nonzero(faint >= (LEVELS[0] + LEVELS[1]) / 2)
    if len(faint) - high <= max(least, SPECK_FACTOR * high):
        return ()
    # Those of the soft edge lie as often below the middle as above it.
    return (float(np.quantile(faint, 1 - 2 * high / len(faint), method="nearest")),)


def _end_of_islands(values: np.ndarray, least: float) -> tuple[float, ...]:
    """The last level within specks that stand alone, islands that are faint all over, and the first one above."""
    count, labels = cv2.connectedComponents((values >= np.float32(LEVELS[0])).view(np.uint8), connectivity=8)
    if count <= 2:
        return ()
    is_faint = np.ones(count, np.bool_)
    is_faint[0] = False
    is_faint[labels[values >= np.float32(LEVELS[1])]] = False
    faint = values[is_faint[labels]]
    if len(faint) <= least:
        return ()
    last = np.quantile(faint, 0.95, method="nearest")
    return float(last), float(np.nextafter(last, np.float32(1)))
