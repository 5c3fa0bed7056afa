"""The processor engine: search and vote in turns, from the coarsest level of the pyramid to the finest.

What makes it cheap against the original at equal energy: 16-bit interleaved rows compared in vectors (`layout`,
`search_kernels`), usage read with one load, resting pixels skipped, random samples spent where the energy is and at the
radii that pay (`sampling`), few sweeps and many votes, four channels voted in two additions (`voting`), and only what
changed voted and scored again.

The rows of a level are cut into bands whose number depends on the height alone. Each band sees usage and its
neighbours as they were before the sweep (`usage`), so the result is the same on any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
from numba.core import event

from escalier.log import log
from escalier.progress import Progress

from .field import random_nnf, unpack_nnf, upscale_nnf, warm_nnf
from .layout import Layout, patch_shape
from .level import LevelSearch, Schedule, Start, row_bands
from .problem import Problem, Synthesis
from .pyramid import Level, build_levels, extend_edges
from .regions import grow, leave_forbidden
from .sampling import Sampler
from .search_kernels import score_band
from .usage import Runner
from .voting import vote_picture

SEARCH_RADIUS = 1 << 16
COMPILING_S = 15.0
"""About, on two cores; who shows the time left finds it in the log record as `takes_seconds`."""

_announced: set[str] = set()  # for the life of the process, so that chains in parallel do not repeat the line


def synthesise_cpu(problem: Problem, threads: int, progress: Progress | None) -> Synthesis:
    """Solve one checked problem on the processor."""
    return solve(problem, threads, progress, Solver)


def solve(
    problem: Problem, threads: int, progress: Progress | None, solver_of: Callable[[Problem, Runner, Report], Solver]
) -> Synthesis:
    """Solve one checked problem; `solver_of` decides where its levels are searched."""
    with ThreadPoolExecutor(threads) if threads > 1 else nullcontext() as pool:
        run = Runner(pool.map if pool else map, threads)
        report = Report(problem, progress)
        solver = solver_of(problem, run, report)
        with while_compiling(problem.matching.patch_size, solver.channels):
            nnf = solver.solve()
            if problem.matching.extra_pass_3x3:
                solver = solver_of(_polish(problem, nnf), run, report)
                nnf = solver.solve()
            return solver.finish(nnf)


def _polish(problem: Problem, nnf: np.ndarray) -> Problem:
    """The extra pass: 3x3 patches on the finest level, without uniformity, from the field found so far."""
    matching = replace(problem.matching, patch_size=3, uniformity=0.0)
    return replace(problem, matching=matching, pyramid_levels=1, initial_nnf=unpack_nnf(nnf), warm_levels=1)


class Report:
    """Progress in pixels searched."""

    def __init__(self, problem: Problem, progress: Progress | None) -> None:
        rows, columns = problem.target_size
        pixels = sum((rows >> k) * (columns >> k) for k in range(problem.pyramid_levels))
        pixels += rows * columns * problem.matching.extra_pass_3x3
        self._total = pixels * Schedule.of(problem).search_vote_iterations
        self._done = 0
        self._progress = progress

    def add(self, pixels: int) -> None:
        self._done += pixels
        if self._progress:
            self._progress(self._done, self._total)


class Solver:
    """All levels for one patch size."""

    def __init__(self, problem: Problem, run: Runner, report: Report) -> None:
        self.problem, self.run, self.report = problem, run, report
        self.r = problem.matching.patch_size // 2
        self.layout = Layout.of(problem, problem.matching.patch_size)
        self.channels = len(self.layout.channels)
        self.shape = patch_shape(problem.matching.patch_size, self.channels, self.layout.style_channels)
        self.sampler = Sampler()

    def solve(self) -> np.ndarray:
        """The packed field of the finest level."""
        problem = self.problem
        self.levels = build_levels(problem, self.layout, problem.matching.patch_size, problem.pyramid_levels)
        nnf: np.ndarray | None = None  # until the first level that is searched
        for number in reversed(range(len(self.levels))):
            random = np.random.default_rng((problem.seed & 0xFFFFFFFF, number))
            level = self.levels[number] if number == 0 else self.levels.pop()
            start = self._start(level, number, nnf, random)
            if start is None:
                continue
            self.sampler.climb(min(max(level.source_size), problem.matching.search_radius or SEARCH_RADIUS))
            nnf = self.search(level, start, random)
        assert nnf is not None  # the finest level is always searched
        return nnf

    def search(self, level: Level, start: Start, random: np.random.Generator) -> np.ndarray:
        """Search and vote on one level; gives its packed field."""
        search = LevelSearch(level, start, self.layout, self.problem, self.run, self.sampler, random)
        return search.iterate(partial(self.report.add, start.nnf.size))

    def _start(self, level: Level, number: int, coarse: np.ndarray | None, random: np.random.Generator) -> Start | None:
        """How to start on a level; None to leave it out."""
        problem, r = self.problem, self.r
        if coarse is not None:
            nnf = upscale_nnf(coarse, *level.target_size, *level.source_size, r)
        else:
            nnf = random_nnf(level.target_size, level.source_size, r, random)
        searched = offers = None
        if problem.initial_nnf is not None:
            warm, cold = warm_nnf(problem.initial_nnf, number, level.target_size, level.source_size, r)
            if number > problem.warm_levels - 1:
                # Above the warm levels only cold pixels need a start of their own.
                if not cold.any():
                    self.report.add(nnf.size * Schedule.of(problem).search_vote_iterations)
                    return None
                searched = grow(cold, r) & level.matched
            if number >= problem.warm_levels - 1:
                nnf = np.where(cold, nnf, warm)
            else:
                offers = np.where(cold, nnf, warm)
        if level.forbidden is not None:
            nnf = leave_forbidden(nnf, level.forbidden, random)
        return Start(nnf, searched, offers)

    def finish(self, nnf: np.ndarray) -> Synthesis:
        """Vote the picture from the style's own values, then score exactly what is returned."""
        image, errors = self._paint(nnf)
        self.levels.clear()  # the planes are most of the memory
        unit = np.float32(1 / self.layout.scale**2)
        return Synthesis(image, unpack_nnf(nnf), *(np.multiply(error, unit, dtype=np.float32) for error in errors))

    def _paint(self, nnf: np.ndarray) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """The picture, and the error and the guide error of its matches in the planes' squared steps."""
        problem, level = self.problem, self.levels[0]
        height, width = level.target_size
        bands = row_bands(height, height * width)
        painted = problem.target_mask if problem.target_mask is not None else np.ones((height, width), bool)
        error, guide_error = np.zeros((2, height, width), np.int32)
        error_scale = np.float32(1 / (self.layout.scale**2 * problem.matching.patch_size**2 * problem.style.shape[2]))

        def score(band: int) -> None:
            score_band(
                level.target, level.source, level.modulation, nnf, None, error, guide_error, *bands[band],
                level.source_size[1], self.shape,
            )  # fmt: skip

        if problem.matching.weighted:
            self.run(score, len(bands))
            image = vote_picture(problem.style, nnf, painted, self.shape[1], error * error_scale)
        else:
            image = vote_picture(problem.style, nnf, painted, self.shape[1], None)
        self.layout.pack_into(level.target, image, -1, self.r)
        extend_edges(level.target, height, width, self.r, self.channels, self.layout.style_channels)
        self.run(score, len(bands))
        return image, (error, guide_error)


class _FirstCompile(event.Listener):
    """numba broadcasts `numba:compile` only when it really compiles, not when its on-disk cache answers."""

    def __init__(self, what: str) -> None:
        self._what = what

    def on_start(self, event: event.Event) -> None:
        function = getattr(event.data["dispatcher"], "py_func", None)
        if self._what not in _announced and getattr(function, "__module__", "").startswith("escalier.pyebsynth"):
            _announced.add(self._what)
            log.info(
                "preparing the brushes (%s), once for this machine; it takes some seconds",
                self._what,
                extra={"takes_seconds": COMPILING_S},
            )

    def on_end(self, event: event.Event) -> None:
        """Nothing to say."""


@contextmanager
def while_compiling(patch_size: int, channels: int) -> Iterator[None]:
    """Log one line if kernels of this room compile inside the block."""
    with event.install_listener("numba:compile", _FirstCompile(f"patch size {patch_size}, {channels} channels")):
        yield
