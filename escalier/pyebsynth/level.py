"""One level of the pyramid: its planes, and the turns of search and vote on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .layout import Layout, patch_shape
from .problem import Problem
from .pyramid import Level, extend_edges
from .regions import grow, grow_into
from .sampling import Sampler
from .search_kernels import best_by_guides, score_band, sweep_band, take_offers
from .usage import Runner, Usage
from .voting import linear_matches, pack_words, vote_band

MOST_BANDS = 4
SMALLEST_BAND_ROWS = 256
SMALLEST_BAND_PIXELS = 40_000
MOST_PAIRS = 16_000_000
"""A level with no more pairs of a target and a source pixel is searched through by its guides alone."""


@dataclass(frozen=True)
class Schedule:
    """How long and how widely to search."""

    search_vote_iterations: int
    patchmatch_iterations: int
    first_patchmatch_iterations: int
    """In the first turn on a level: from a cold start, good matches found there have far to spread."""
    stop_threshold: float
    """A pixel rests when no style channel near it changes by as many 8-bit levels."""
    samples: float
    """Random samples for a pixel of mean energy, in one sweep."""

    @classmethod
    def of(cls, problem: Problem) -> Schedule:
        """What was asked for, else what reaches the original's energy at the least cost.

        Small patches are cheap to compare and easily mistaken: they are sampled more and put to rest later.
        """
        matching = problem.matching
        size, stop = matching.patch_size, matching.stop_threshold
        return cls(
            search_vote_iterations=matching.search_vote_iterations or 12,
            patchmatch_iterations=matching.patchmatch_iterations or 2,
            first_patchmatch_iterations=matching.patchmatch_iterations or (4 if problem.initial_nnf is None else 2),
            stop_threshold=size / 2 if stop is None else stop,
            samples=32 / size**2,
        )


@dataclass
class Start:
    """Where the search on a level begins."""

    nnf: np.ndarray
    """The packed field."""
    searched: np.ndarray | None
    """uint8 (H, W): the pixels that may move; None for all matched ones."""
    offers: np.ndarray | None
    """A packed field of other matches, taken where they are better: on fine levels, those of the frame before. Then
    dropped."""


def usage_price(problem: Problem, layout: Layout, level: Level) -> float:
    """What one unit of a patch's summed usage costs, in the planes' squared steps; an even use costs the uniformity."""
    height, width = level.source_size
    fair = problem.matching.patch_size**2 * float(level.matched.sum()) / (height * width)
    return problem.matching.uniformity * layout.scale**2 / (problem.matching.patch_size**2 * fair)


def rest_threshold(schedule: Schedule, layout: Layout) -> int:
    """The stop threshold in the planes' steps."""
    step = float(layout.factors[: layout.style_channels].max())
    return max(1, round(schedule.stop_threshold * step))


def row_bands(height: int, pixels: int) -> list[tuple[int, int]]:
    """Bands of rows, (first, after the last): as many as the work is worth, whatever the number of threads.

    >>> row_bands(540, pixels=540 * 960)
    [(0, 270), (270, 540)]
    """
    count = max(1, min(MOST_BANDS, height // SMALLEST_BAND_ROWS, pixels // SMALLEST_BAND_PIXELS))
    return [(band * height // count, (band + 1) * height // count) for band in range(count)]


class LevelSearch:
    """Search and vote in turns on one level, from a start whose field is changed in place.

    `random` is a generator of this level's own; the sweeps draw their seeds from it.
    """

    def __init__(
        self, level: Level, start: Start, layout: Layout, problem: Problem, run: Runner, sampler: Sampler,
        random: np.random.Generator,
    ) -> None:  # fmt: skip
        self.level, self.start, self.layout, self.problem = level, start, layout, problem
        self.shape = patch_shape(problem.matching.patch_size, len(layout.channels), layout.style_channels)
        nnf = self.nnf = start.nnf
        self.schedule = Schedule.of(problem)
        self.channels, self.size, self.style_channels = (len(part) for part in self.shape)
        self.run, self.sampler, self.random = run, sampler, random
        self.searched = level.matched if start.searched is None else start.searched
        self.bands = row_bands(nnf.shape[0], nnf.size)
        self.error = np.zeros(nnf.shape, np.int32)
        self.moved = np.zeros(nnf.shape, np.uint8)
        self.active = self.searched.copy()
        self._everyone = int(np.count_nonzero(self.active))
        self._dirty = np.ones(nnf.shape, np.uint8)
        self._change = np.zeros(nnf.shape, np.int16)
        self._places = np.empty(nnf.shape, np.int32)
        # The source's style as words for voting, and what brings a word's values back to the plane's.
        self._words = np.empty(level.source_size[0] * level.source_size[1], np.uint32)
        self._from_words = layout.factors[: self.style_channels]
        pack_words(level.source, self.channels, self.style_channels, 1 / self._from_words, self._words)
        price = usage_price(problem, layout, level)
        self._usage = Usage(nnf, level, self.shape[1], len(self.bands), price, run)

    def iterate(self, each_iteration: Callable[[], None]) -> np.ndarray:
        """Search and vote until the iterations are spent or every pixel rests; gives the field."""
        schedule, r = self.schedule, self.size // 2
        threshold = rest_threshold(schedule, self.layout)
        self._vote(weighted=False)
        self._score()
        if self.start.offers is not None:
            self._offer(self.start.offers)
            self.start.offers = None
        if self.nnf.size * self.level.source_size[0] * self.level.source_size[1] <= MOST_PAIRS:
            # Every pixel may choose the match that its guides alone like best, among all. What the coarsest level left
            # in a wrong place as a whole region, random search does not bring back: which of such traps a start falls
            # into made the energy differ by some percent from seed to seed.
            level, usage = self.level, self._usage.common
            best = best_by_guides(level.target, level.source, usage, *level.source_size, self.searched, self.shape)
            self._offer(best)
        forward = True
        for turn in range(schedule.search_vote_iterations):
            if not self.active.any():
                each_iteration()
                continue
            self.moved[:] = 0
            sweeps = schedule.patchmatch_iterations if turn else schedule.first_patchmatch_iterations
            for sweep in range(sweeps):
                self._sweep(forward, rescore=sweep == 0 and turn > 0)
                forward = not forward
            grow_into(self.moved, r, self._dirty)
            self._vote(self.problem.matching.weighted)
            grow_into((self._change >= threshold).view(np.uint8), r, self.active)
            self.active &= self.searched
            each_iteration()
        return self.nnf

    def _score(self, wanted: np.ndarray | None = None) -> None:
        """Errors of the matches, all or the wanted, and the mean energy that the first samples are measured by."""
        level = self.level

        def work(band: int) -> None:
            score_band(
                level.target, level.source, level.modulation, self.nnf, wanted, self.error, None, *self.bands[band],
                level.source_size[1], self.shape,
            )  # fmt: skip

        self.run(work, len(self.bands))
        # A fair share of usage costs about the uniformity itself; a first estimate needs no more.
        fair = self.problem.matching.uniformity * self.layout.scale**2
        self.sampler.mean_energy = float(self.error.mean()) + fair + 1.0

    def _offer(self, offers: np.ndarray) -> None:
        """Let every pixel take the match that it is offered, where that is the better one."""
        level, usage, r = self.level, self._usage, self.size // 2
        self.moved[:] = 0
        take_offers(
            level.target, level.source, level.modulation, self.nnf, self.error, self.moved, usage.common, offers,
            self.searched, level.source_size[1], usage.price, self.shape,
        )  # fmt: skip
        usage.changed_outside()
        grow_into(self.moved, r, self._dirty)
        self._vote(weighted=False)
        self._score(grow(self._dirty, r))

    def _sweep(self, forward: bool, rescore: bool) -> None:
        level, sampler = self.level, self.sampler
        height = self.nnf.shape[0]
        bands = row_bands(height, int(np.count_nonzero(self.active)))
        seed, rungs = int(self.random.integers(1 << 32)), sampler.table()
        thrift, samples = np.float32(1 / sampler.mean_energy), np.float32(self.schedule.samples)
        tally = np.zeros((len(bands), sampler.rungs, 2))
        sums = np.zeros((len(bands), 2))
        # Neighbouring bands change while this one is searched; each sees the other's rim as it was before.
        beyond = [first - 1 if forward else last for first, last in bands]
        edges = [self.nnf[row].copy() if 0 <= row < height else self.nnf[0, :0] for row in beyond]

        def work(band: int, usage: np.ndarray) -> None:
            sums[band] = sweep_band(
                level.target, level.source, level.modulation, self.nnf, self.error, self.active, self.moved,
                usage, edges[band], rungs, tally[band], *bands[band], *level.source_size,
                self._usage.price, thrift, samples, seed, forward, rescore, self.shape,
            )  # fmt: skip

        self._usage.sweep(bands, work)
        sampler.learn(tally.sum(axis=0))
        energy, visits = sums.sum(axis=0)
        if visits == self._everyone:
            sampler.mean_energy = energy / visits + 1.0

    def _vote(self, weighted: bool) -> None:
        level = self.level
        error_scale = np.float32(1 / (self.layout.scale**2 * self.size**2 * self.problem.style.shape[2]))
        linear_matches(self.nnf, level.source_size[1], self._places)

        def work(band: int) -> None:
            vote_band(
                self._words, level.source_size[1], self.nnf, self._places, self.error, error_scale, self._dirty,
                level.target, self.channels, self.style_channels, self._from_words, self._change,
                *self.bands[band], weighted, self.shape[1],
            )  # fmt: skip

        self.run(work, len(self.bands))
        extend_edges(level.target, *level.target_size, self.size // 2, self.channels, self.style_channels)
