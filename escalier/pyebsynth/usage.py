"""How much every patch of the source is used, while bands of the target are searched at once or in turn."""

from collections.abc import Callable, Sequence

import numpy as np

from .pyramid import Level
from .search_kernels import FORBIDDEN, fill_usage, merge_usage, move_usage

Band = tuple[int, int]
"""Rows of the target, (first, after the last)."""


class Runner:
    """Does work(0) .. work(count - 1), on some threads at once or in turn, and returns when all are done."""

    def __init__(self, map_over: Callable[..., object], threads: int) -> None:
        self._map = map_over
        self.threads = threads

    def __call__(self, work: Callable[[int], None], count: int) -> None:
        list(self._map(work, range(count)))  # type: ignore[call-overload]


class Usage:
    """The usage map, see `search_kernels.add_usage`, and what every band of a sweep sees of it.

    A band sees the matches of the others as they were before the sweep. On several threads each has a copy of the map
    for that. On a single one they take turns on the one map, and each but the last takes its changes back until all are
    done: the same numbers, without a copy.

    `nnf` is the packed field that is searched; `level` says what counts there, and which patch centres must not be
    used; `rows` are the patch's, see `layout.patch_shape`. No sweep has more than `most_bands`. `price` is that of one
    unit of usage, in the planes' squared steps; at 0 the sweeps do not count at all.
    """

    def __init__(
        self, nnf: np.ndarray, level: Level, rows: tuple[int, ...], most_bands: int, price: float, run: Runner
    ) -> None:
        margin = len(rows) - 1
        height, width = (side + 2 * margin for side in level.source_size)
        self._nnf, self._rows, self._run = nnf, rows, run
        self._most_bands, self.price = most_bands, np.float32(price)
        self._maps = np.empty((1 if run.threads == 1 or most_bands == 1 else 1 + most_bands, height * width), np.int32)
        self.common = self._maps[0]
        """int32, flat, with a margin of P - 1: what all matches make together."""
        self.common[:] = 0
        if level.forbidden is not None:
            self.common.reshape(height, width)[margin:-margin, margin:-margin][level.forbidden] = FORBIDDEN
        self._stride = np.uint64(width)
        self._corner = np.uint64(margin) * np.uint64(width + 1)
        fill_usage(nnf, level.matched, self.common, self._corner, self._stride, rows)
        self._copies_behind = True

    def sweep(self, bands: Sequence[Band], work: Callable[[int, np.ndarray], None]) -> None:
        """Call work(band, usage map) for every band; matches that it changes are counted in the map by itself."""
        if len(bands) == 1:
            work(0, self.common)
            self._copies_behind = True
        elif self._run.threads == 1:
            self._in_turn(bands, work)
        else:
            self._at_once(bands, work)

    def changed_outside(self) -> None:
        """The common map has changed outside a sweep: copies of it are behind."""
        self._copies_behind = True

    def _in_turn(self, bands: Sequence[Band], work: Callable[[int, np.ndarray], None]) -> None:
        before = []
        for band, (first, last) in enumerate(bands[:-1]):
            before.append(self._nnf[first:last].copy())
            work(band, self.common)
            self._move(self._nnf[first:last], before[band])
        work(len(bands) - 1, self.common)
        for (first, last), old in zip(bands[:-1], before, strict=True):
            self._move(old, self._nnf[first:last])

    def _move(self, old: np.ndarray, new: np.ndarray) -> None:
        if self.price > 0:
            move_usage(old, new, self.common, self._corner, self._stride, self._rows)

    def _at_once(self, bands: Sequence[Band], work: Callable[[int, np.ndarray], None]) -> None:
        maps = self._maps[: 1 + len(bands)]
        if self._copies_behind:
            maps[1:] = self.common
        # A sweep in fewer bands than there may be leaves the other copies behind.
        self._copies_behind = len(bands) < self._most_bands
        self._run(lambda band: work(band, maps[1 + band]), len(bands))
        merge_usage(maps)
