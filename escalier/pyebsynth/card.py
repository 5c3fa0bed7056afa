"""The card engine: the processor engine's pyramid, with every level searched and voted on the graphics card.

Packing, masks, fields between levels and the final picture are the processor engine's own (`cpu.Solver`); the card
gets one level at a time. Where the processor scans, the card lets all pixels of a colour choose at once
(`card_kernels`) among their neighbours' matches, one and some pixels away, and a ladder of random radii; then it makes
the usage anew.

Memory on the card, for C channels in 16 bits: 2 C + 13 bytes for each source pixel and 2 C + 19 for each target pixel,
4 C more with modulation: 68 bytes a pixel at nine channels, 35 MB at 960x540 and 141 MB at 1920x1080. Where the card
has less, or gives up for another reason, the processor engine takes over with a warning.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from escalier.log import log
from escalier.progress import Progress

from .card_device import CardFailure, find_device, load_warp, on_card
from .cpu import Report, Solver, solve, synthesise_cpu
from .layout import Layout
from .level import MOST_PAIRS, Schedule, Start, rest_threshold, usage_price
from .problem import Problem, Synthesis
from .pyramid import Level
from .usage import Runner

COLOURS = 16
"""A power of two: the parts of the pixels that choose one after the other, the usage made anew in between.

Fewer leave the usage uneven, as many pixels flee from the same place to the same other one: 7 % more energy with 4, on
a filmed face at 540x960. With 32 nothing is left to win.
"""

FAR = (3, 9)
"""px, odd: how far away the farther neighbours are, in turn from sweep to sweep."""

LARGEST_PLANE = 2**31 - 1
"""Values: kernels count places in a plane with 32 bits."""


def synthesise_card(problem: Problem, threads: int, progress: Progress | None) -> Synthesis:
    """Solve one checked problem on the graphics card; `threads` is for what the processor does beside it."""
    try:
        return solve(problem, threads, progress, partial(_CardSolver, find_device()))
    except CardFailure as reason:
        log.warning("the card engine gives up, %s; the processor engine starts instead", reason)
    return synthesise_cpu(problem, threads, progress)


class _CardSolver(Solver):
    """All levels for one patch size, searched on a device."""

    def __init__(self, device: Any, problem: Problem, run: Runner, report: Report) -> None:
        super().__init__(problem, run, report)
        self._device = device

    def search(self, level: Level, start: Start, random: np.random.Generator) -> np.ndarray:
        search = CardSearch(self._device, level, start, self.layout, self.problem, self.sampler.rungs, random)
        return search.iterate(partial(self.report.add, start.nnf.size))


class CardSearch:
    """Search and vote in turns on one level, on a device of Warp's; random radii reach from 1 to 2^(rungs - 1) px.

    `random` is a generator of this level's own; the sweeps draw their seeds from it.
    """

    def __init__(
        self, device: Any, level: Level, start: Start, layout: Layout, problem: Problem, rungs: int,
        random: np.random.Generator,
    ) -> None:  # fmt: skip
        from . import card_kernels

        self.kernels, self.warp, self.device = card_kernels, load_warp(), device
        self.level, self.start, self.layout, self.problem = level, start, layout, problem
        self.rungs, self.random = rungs, random
        self.size = problem.matching.patch_size
        self.schedule = Schedule.of(problem)
        self.price = usage_price(problem, layout, level)
        with on_card():
            self._bring()
            self._record()

    def _bring(self) -> None:
        """Everything that the search needs, on the device."""
        level, size = self.level, self.level.target_size
        searched = level.matched if self.start.searched is None else self.start.searched
        forbidden = np.zeros(level.source_size, bool) if level.forbidden is None else level.forbidden
        self.sides = self._sides()
        self.nnf = self._array(self.start.nnf)
        self.searched = self._array(searched)
        self.active = self._array(searched)
        self.moved = self._array(np.ones(size, np.uint8))
        self.error = self._array(np.zeros(size, np.int32))
        self.change = self._array(np.zeros(size, np.int32))
        self.forbidden = self._array(forbidden.view(np.uint8))
        self.counts = self._array(_count_matches(self.start.nnf, level))
        self.sums = self.warp.zeros_like(self.counts)
        self.usage = self.warp.zeros_like(self.counts)

    def _array(self, values: np.ndarray) -> Any:
        """A copy on the device."""
        return self.warp.array(np.ascontiguousarray(values), device=self.device)

    def _sides(self) -> Any:
        level = self.level
        if max(level.source.size, level.target.size) > LARGEST_PLANE:
            raise RuntimeError("pictures of this size and number of channels do not fit its 32-bit places")
        sides = self.kernels.Sides()
        sides.source, sides.target = self._array(level.source), self._array(level.target)
        sides.modulated = level.modulation is not None
        sides.modulation = self._array(np.zeros(0, np.float32) if level.modulation is None else level.modulation)
        sides.height, sides.width = level.target_size
        sides.source_height, sides.source_width = level.source_size
        sides.patch_size = self.size
        sides.channels, sides.style_channels = len(self.layout.channels), self.layout.style_channels
        return sides

    def _record(self) -> None:
        """The launches that are done hundreds of times: recorded, each costs a fifth of the processor's time."""
        kernels, source = self.kernels, self.level.source_size
        self._usage_steps = [
            self._launch(kernels.sum_counts, self.counts, self.size, self.sums, dim=source, sides=False, record=True),
            self._launch(
                kernels.spread_usage, self.sums, self.forbidden, self.size, self.usage,
                dim=source, sides=False, record=True,
            ),
        ]  # fmt: skip
        self._search = self._launch(
            kernels.search, self.nnf, self.error, self.usage, self.counts, self.active, self.moved, self.price,
            0, COLOURS, FAR[0], self.rungs, 0, of_a_colour=True, record=True,
        )  # fmt: skip

    def iterate(self, each_iteration: Callable[[], None]) -> np.ndarray:
        """Search and vote until the iterations are spent; gives the field."""
        with on_card():
            self._begin()
        for turn in range(self.schedule.search_vote_iterations):
            with on_card():
                self._turn(turn)
                self.warp.synchronize_device(self.device)
            each_iteration()
        with on_card():
            return self._take_back()

    def _begin(self) -> None:
        self._renew_usage()
        self._vote(weighted=False)
        self._launch(self.kernels.score, self.nnf, self.active, self.error)
        if self.start.offers is not None:
            self._offer(self._array(self.start.offers))
        if self.start.nnf.size * self.level.source_size[0] * self.level.source_size[1] <= MOST_PAIRS:
            # As the processor engine: a region in a wrong place is not brought back by random search.
            best = self.warp.clone(self.nnf)
            self._launch(self.kernels.offer_best_guides, self.usage, self.searched, best)
            self._offer(best)

    def _turn(self, turn: int) -> None:
        schedule, search = self.schedule, self._search
        if turn:
            self._launch(self.kernels.score, self.nnf, self.active, self.error)
        self.moved.zero_()
        for sweep in range(schedule.patchmatch_iterations if turn else schedule.first_patchmatch_iterations):
            search.set_param_by_name("far", FAR[sweep % len(FAR)])
            for colour in range(COLOURS):
                search.set_param_by_name("colour", colour)
                search.set_param_by_name("seed", int(self.random.integers(1 << 31)))
                search.launch()
                self._renew_usage()
        self._vote(self.problem.matching.weighted)
        threshold = rest_threshold(schedule, self.layout)
        self._launch(self.kernels.wake, self.change, threshold, self.searched, self.size // 2, self.active, sides=False)

    def _offer(self, offers: Any) -> None:
        self.moved.zero_()
        for colour in range(COLOURS):
            self._launch(
                self.kernels.take_offers, self.nnf, self.error, self.usage, self.counts, self.searched, self.moved,
                offers, self.price, colour, COLOURS, of_a_colour=True,
            )  # fmt: skip
            self._renew_usage()
        self._vote(weighted=False)
        self._launch(self.kernels.score, self.nnf, self.active, self.error)

    def _renew_usage(self) -> None:
        if self.price > 0 or self.level.forbidden is not None:
            for step in self._usage_steps:
                step.launch()

    def _vote(self, weighted: bool) -> None:
        error_scale = 1 / (self.layout.scale**2 * self.size**2 * self.problem.style.shape[2])
        self._launch(self.kernels.vote, self.nnf, self.error, self.moved, int(weighted), error_scale, self.change)
        padded = tuple(side + 2 * (self.size // 2) for side in self.level.target_size)
        self._launch(self.kernels.extend_edges, dim=padded)

    def _launch(
        self, kernel: Any, *values: Any, dim: tuple[int, ...] | None = None, of_a_colour: bool = False,
        sides: bool = True, record: bool = False,
    ) -> Any:  # fmt: skip
        """Run a kernel over the target's pixels, those of one colour, or over `dim`; or record it for later."""
        height, width = self.level.target_size
        inputs = [self.sides, *values] if sides else list(values)
        dim = dim or (height, -(-width // COLOURS) if of_a_colour else width)
        return self.warp.launch(kernel, dim=dim, inputs=inputs, device=self.device, record_cmd=record)

    def _take_back(self) -> np.ndarray:
        """The packed field; for weighted voting the target's style too, which the final vote is weighed by."""
        nnf, (height, width) = self.nnf.numpy(), self.level.source_size
        if (nnf >> np.uint32(16)).max() >= height or (nnf & np.uint32(0xFFFF)).max() >= width:
            raise RuntimeError("it returned matches outside the source")
        if self.problem.matching.weighted:
            self.level.target[:] = self.sides.target.numpy()
        return nnf.copy()


def _count_matches(nnf: np.ndarray, level: Level) -> np.ndarray:
    """int32, of the source's size: how many matched pixels are matched to each place."""
    height, width = level.source_size
    chosen = nnf[level.matched.view(bool)].astype(np.int64)
    places = (chosen >> 16) * width + (chosen & 0xFFFF)
    return np.bincount(places, minlength=height * width).reshape(height, width).astype(np.int32)
