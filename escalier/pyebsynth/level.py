"""One level of the pyramid: its planes, and the turns of search and vote on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .layout import Layout, Shape, new_plane
from .problem import Problem
from .pyramid import extend_edges, halve
from .regions import grow_into, source_levels, target_levels
from .sampling import Sampler
from .search import FORBIDDEN, fill_usage, merge_usage, score_band, sweep_band
from .voting import largest_word_value, linear_matches, pack_words, vote_band

MOST_BANDS = 4
SMALLEST_BAND_ROWS = 256

Runner = Callable[[Callable[[int], None], int], None]
"""run(work, count) does work(0) .. work(count - 1), in any order or at once, and returns when all are done."""


@dataclass(frozen=True)
class Schedule:
    """How long and how widely to search."""

    search_vote_iterations: int = 9
    patchmatch_iterations: int = 2
    stop_threshold: float = 0.75
    """A pixel rests when no style channel near it changes by more 8-bit levels than this."""
    samples: float = 3.5
    """Random samples for a pixel of mean energy and sweep."""

    @classmethod
    def of(cls, problem: Problem) -> Schedule:
        asked = {name: getattr(problem, name) for name in ("search_vote_iterations", "patchmatch_iterations")}
        asked["stop_threshold"] = problem.stop_threshold
        return cls(**{name: value for name, value in asked.items() if value is not None})


@dataclass(frozen=True)
class Level:
    """Both sides as flat interleaved planes; the target's has a margin of half a patch. Masks are uint8."""

    source: np.ndarray
    source_size: tuple[int, int]
    target: np.ndarray
    target_size: tuple[int, int]
    modulation: np.ndarray | None
    forbidden: np.ndarray | None
    matched: np.ndarray


def build_levels(problem: Problem, layout: Layout, patch_size: int, count: int) -> list[Level]:
    """All levels, finest first."""
    r, channels = patch_size // 2, len(layout.channels)
    source_size, target_size = problem.source_size, problem.target_size
    source = layout.pack(problem.style, problem.source_guides, 0)
    target = layout.pack(None, problem.target_guides, r)
    modulation = layout.pack_modulation(problem.modulation, *target_size) if problem.modulation else None
    forbidden: list[np.ndarray] | list[None] = [None] * count
    if problem.source_mask is not None:
        forbidden = source_levels(problem.source_mask, count, patch_size)
    painted = np.ones(target_size, bool) if problem.target_mask is None else problem.target_mask
    matched = target_levels(painted, count, patch_size)
    levels = []
    for number in range(count):
        if number:
            source, source_size = _half(source, source_size, 0, channels)
            target, target_size = _half(target, target_size, r, channels)
            if modulation is not None:
                modulation = _half_picture(modulation)
        extend_edges(target, *target_size, r, channels, channels)
        flat = None if modulation is None else modulation.reshape(-1)
        levels.append(Level(source, source_size, target, target_size, flat, forbidden[number], matched[number]))
    return levels


def _half(plane: np.ndarray, size: tuple[int, int], margin: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
    height, width = size[0] // 2, size[1] // 2
    coarse = new_plane(height, width, channels, margin)
    halve(plane, *size, margin, coarse, channels)
    return coarse, (height, width)


def _half_picture(picture: np.ndarray) -> np.ndarray:
    height, width, channels = picture.shape[0] // 2, picture.shape[1] // 2, picture.shape[2]
    return picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, channels).mean(axis=(1, 3))


def row_bands(height: int) -> list[tuple[int, int]]:
    """The bands of a level, (first row, row after the last): as many as the height is worth, whatever the threads.

    >>> row_bands(540)
    [(0, 270), (270, 540)]
    """
    count = max(1, min(MOST_BANDS, height // SMALLEST_BAND_ROWS))
    return [(band * height // count, (band + 1) * height // count) for band in range(count)]


class LevelSearch:
    """Search and vote in turns on one level.

    Parameters
    ----------
    level, nnf
        Where to search and the packed field to start from, which is changed in place.
    searched
        uint8 (H, W): the pixels that may move; None for all matched ones.
    random
        A generator of this level's own; the sweeps draw their seeds from it.
    """

    def __init__(
        self, level: Level, nnf: np.ndarray, layout: Layout, shape: Shape, problem: Problem, run: Runner,
        sampler: Sampler, random: np.random.Generator, searched: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        self.level, self.nnf, self.layout, self.shape, self.problem = level, nnf, layout, shape, problem
        self.schedule = Schedule.of(problem)
        self.channels, self.size, self.style_channels = (len(part) for part in shape)
        self.run, self.sampler, self.random = run, sampler, random
        self.searched = level.matched if searched is None else searched
        self.bands = row_bands(nnf.shape[0])
        self.error = np.zeros(nnf.shape, np.int32)
        self.moved = np.zeros(nnf.shape, np.uint8)
        self.active = self.searched.copy()
        self._dirty = np.ones(nnf.shape, np.uint8)
        self._change = np.zeros(nnf.shape, np.int16)
        self._places = np.empty(nnf.shape, np.int32)
        self._scratch = np.zeros(nnf.shape[1] + 2 * (self.size // 2), np.uint8)
        self._words, self._from_words = self._prepare_words()
        self._usages, self._price = self._prepare_usage()

    def iterate(self, each_iteration: Callable[[], None]) -> np.ndarray:
        """Search and vote until the iterations are spent or every pixel rests; gives the field."""
        schedule, r = self.schedule, self.size // 2
        step = float(self.layout.factors[: self.style_channels].max())
        threshold = max(1, round(schedule.stop_threshold * step))
        self._vote(weighted=False)
        self._score()
        for iteration in range(schedule.search_vote_iterations):
            self.moved[:] = 0
            for sweep in range(schedule.patchmatch_iterations):
                turn = iteration * schedule.patchmatch_iterations + sweep
                self._sweep(forward=turn % 2 == 0, rescore=sweep == 0)
            grow_into(self.moved, r, self._dirty, self._scratch)
            self._vote(self.problem.weighted)
            grow_into((self._change >= threshold).view(np.uint8), r, self.active, self._scratch)
            self.active &= self.searched
            each_iteration()
        return self.nnf

    def _prepare_words(self) -> tuple[np.ndarray, np.ndarray]:
        """The source's style as words for voting, and what brings a word's values back to the plane's."""
        style = self.layout.channels[: self.style_channels]
        extents = self.layout.factors[: self.style_channels] * np.array(
            [channel.extent for channel in style], np.float32
        )
        to_words = (largest_word_value(self.size) / extents).astype(np.float32)
        words = np.empty(self.level.source_size[0] * self.level.source_size[1], np.uint64)
        pack_words(self.level.source, self.channels, self.style_channels, to_words, words)
        return words, 1 / to_words

    def _prepare_usage(self) -> tuple[np.ndarray, np.float32]:
        """The usage maps with a margin of P - 1 (row 0 the common one, then each band's) and the price of usage."""
        margin = self.size - 1
        height, width = self.level.source_size
        usage = np.zeros((height + 2 * margin, width + 2 * margin), np.int32)
        if self.level.forbidden is not None:
            usage[margin : margin + height, margin : margin + width][self.level.forbidden] = FORBIDDEN
        stride = np.uint64(usage.shape[1])
        corner = np.uint64(margin) * (stride + np.uint64(1))
        fill_usage(self.nnf, self.level.matched, usage.reshape(-1), corner, stride, self.shape[1])
        copies = 1 + len(self.bands) if len(self.bands) > 1 else 1
        fair = self.size**2 * float(self.level.matched.sum()) / (height * width)
        price = self.problem.uniformity * self.layout.scale**2 / (self.size**2 * fair)
        return np.repeat(usage.reshape(1, -1), copies, axis=0), np.float32(price)

    def _score(self) -> None:
        """Errors of all matches, and the mean energy that the first sweep's samples are measured by."""
        level = self.level

        def work(band: int) -> None:
            score_band(
                level.target, level.source, level.modulation, self.nnf, self.error, None, *self.bands[band],
                level.source_size[1], self.shape,
            )  # fmt: skip

        self.run(work, len(self.bands))
        # A fair share of usage costs about the uniformity itself; a first estimate needs no more.
        self.sampler.mean_energy = float(self.error.mean()) + self.problem.uniformity * self.layout.scale**2 + 1.0

    def _sweep(self, forward: bool, rescore: bool) -> None:
        level, bands, several = self.level, self.bands, len(self.bands) > 1
        height = self.nnf.shape[0]
        seed = int(self.random.integers(1 << 32))
        rungs, generosity = self.sampler.table(), np.float32(self.schedule.samples / self.sampler.mean_energy)
        tally = np.zeros((len(bands), self.sampler.rungs, 2))
        sums = np.zeros((len(bands), 2))
        # Neighbouring bands change while this one is searched; each sees the other's rim as it was before.
        beyond = [first - 1 if forward else last for first, last in bands]
        edges = [self.nnf[row].copy() if 0 <= row < height else self.nnf[0, :0] for row in beyond]

        def work(band: int) -> None:
            sums[band] = sweep_band(
                level.target, level.source, level.modulation, self.nnf, self.error, self.active, self.moved,
                self._usages[band + several], edges[band], rungs, tally[band], *bands[band], *level.source_size,
                self._price, generosity, seed, forward, rescore, self.shape,
            )  # fmt: skip

        self.run(work, len(bands))
        if several:
            merge_usage(self._usages)
        self.sampler.learn(tally.sum(axis=0))
        energy, visits = sums.sum(axis=0)
        if visits:
            self.sampler.mean_energy = energy / visits + 1.0

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
