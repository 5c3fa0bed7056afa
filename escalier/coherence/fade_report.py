"""A whole staircase judged by the figures that tell a good fade: ghosting kept, double exposure and pop."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, FilmBase, Motion, frame_numbers
from escalier.progress import Progress
from escalier.propagation import Staircase

from .compared_frames import at_size, enough, lab_change, lengths, mean_over
from .double_exposure import measure_double_exposure
from .fade_middle import middle_of_fade
from .ghosting import ghosting_kept
from .seam import confirmed, step_ratios, visible_change
from .verdicts import verdict


@dataclass(frozen=True)
class FadeReport:
    """What `measure_fades` found.

    Attributes
    ----------
    ghosting
        Mean of `ghosting_kept` over the frames in the middle of a fade (mean weight between .2 and .8), or None where
        there is no such frame: one keyframe, or fades too short to have a middle.
    double_exposure
        Mean of `double_exposure` over the same frames; None where there is none, or no drawing in them.
    pop
        The largest of the `step_ratios` between keyframes, where fades are; None where there is no fade to judge.
    pop_frame
        The frame after which that step lies, or None.
    ghosting_frames, ghosting_curve
        Which frames, int (M,), and `ghosting_kept` at each, float32 (M,).
    change_frames, change_curve
        The first frame of each pair, int (M,), and `visible_change` there, float32 (M,). A pair of which less than 5 %
        is followed, such as a cut in the source, is left out.
    first
        The number that people give to the first frame: that of the first plate in a folder film, else 0. What is said
        in words counts from it, `pop_frame` and the curves from 0.
    """

    ghosting: float | None
    double_exposure: float | None
    pop: float | None
    pop_frame: int | None
    ghosting_frames: np.ndarray = field(repr=False)
    ghosting_curve: np.ndarray = field(repr=False)
    change_frames: np.ndarray = field(repr=False)
    change_curve: np.ndarray = field(repr=False)
    first: int = 0

    def __str__(self) -> str:
        if self.pop is None and self.ghosting is None:
            return "no fade to judge: the film lies on one side of its keyframe, or nothing in it can be followed"
        parts = ["no fade has a middle to judge for double images"]
        if self.ghosting is not None:
            parts = [f"ghosting kept: {self.ghosting:.3f} ({verdict('ghosting_kept', self.ghosting)})"]
        if self.double_exposure is not None:
            word = verdict("double_exposure", self.double_exposure)
            parts.append(f"double exposure: {self.double_exposure:.3f} ({word})")
        if self.pop is not None and self.pop_frame is not None:
            where = f"after frame {self.pop_frame + self.first}"
            parts.append(f"pop: {self.pop:.2f} {where} ({verdict('pop', self.pop)})")
        return "; ".join(parts)


@checked
def measure_fades(staircase: Staircase, film: Film, motion: Motion, progress: Progress | None = None) -> FadeReport:
    """Ghosting kept, double exposure and pop of a whole staircase, against the source film it was made from.

    Frames larger than 960x540 in area are measured scaled down to that area. Memory: a few such frames.

    Parameters
    ----------
    staircase
        The faded film.
    film, motion
        The source and how it moves.
    progress
        Called as `progress(done, total, picture)` after each frame. What it raises passes through.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> from escalier.keyframes import Keyframes
    >>> from escalier.propagation import propagate
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 3))
    >>> folder = tempfile.mkdtemp()
    >>> staircase = Staircase(propagate(film, Keyframes([0], [film.frame(0)], 3), folder=folder, threads=1))
    >>> measure_fades(staircase, film, Motion(film, folder)).ghosting is None
    True
    """
    measured = MeasuredStaircase(staircase, film, motion)
    for index in range(len(measured)):
        frame = measured.frame(index)
        if progress is not None:
            progress(index + 1, len(measured), frame)
    return measured.report()


@checked
class MeasuredStaircase(FilmBase):
    """A staircase that is measured as its frames go by, so that none is mixed twice: once it is written, it is known.

    Parameters
    ----------
    staircase, film, motion
        As for `measure_fades`.
    """

    def __init__(self, staircase: Staircase, film: Film, motion: Motion) -> None:
        super().__init__(staircase.size, staircase.rate, len(staircase))
        self._staircase, self._film, self._motion = staircase, film, motion
        self._before: _Look | None = None
        self._ghosting: dict[int, float] = {}
        self._doubled: list[float] = []
        self._changes: dict[int, float] = {}
        self._own: dict[int, float] = {}

    def report(self) -> FadeReport:
        """What was found; frames that nobody has asked for, in order, are made now."""
        for index in range(self._seen, len(self)):
            self.frame(index)
        changes, ghosting = self._changes, self._ghosting
        ratios = step_ratios(list(changes.values()), list(self._own.values())) if changes else ()
        in_fades = {
            index: float(ratio)
            for index, ratio in zip(changes, ratios, strict=True)
            if _between_keyframes(self._staircase, index)
        }
        return FadeReport(
            ghosting=float(np.mean(list(ghosting.values()))) if ghosting else None,
            double_exposure=float(np.mean(self._doubled)) if self._doubled else None,
            pop=max(in_fades.values(), default=None),
            pop_frame=max(in_fades, key=in_fades.__getitem__, default=None),
            ghosting_frames=np.array(list(ghosting), np.int64),
            ghosting_curve=np.array(list(ghosting.values()), np.float32),
            change_frames=np.array(list(changes), np.int64),
            change_curve=np.array(list(changes.values()), np.float32),
            first=frame_numbers(self._film)[0],
        )

    @property
    def _seen(self) -> int:
        return 0 if self._before is None else self._before.number + 1

    def _frame(self, index: int) -> np.ndarray:
        frame = self._staircase.frame(index)
        if index == self._seen:
            size = self._motion.working_size
            look = _Look(index, at_size(self._film.frame(index), size), at_size(frame, size))
            if self._before is not None:
                self._step(self._before, look)
            self._fade(look)
            self._before = look
        return frame

    def _fade(self, look: _Look) -> None:
        middle = middle_of_fade(self._staircase, look.number, look.stylised, self._motion.working_size)
        if middle is not None:
            self._ghosting[look.number] = ghosting_kept(look.stylised, *middle)
            share = measure_double_exposure(look.stylised, middle.earlier, middle.later)
            self._doubled += [] if share is None else [share]

    def _step(self, before: _Look, after: _Look) -> None:
        i, j, size = before.number, after.number, self._motion.working_size
        flow = self._motion.flow(i, j, size)
        source_change = lab_change(before.source, after.source, flow)
        counted = confirmed(source_change, self._motion.valid(i, j, size))
        change = visible_change(before.stylised, after.stylised, flow, counted) if enough(counted) else None
        if change is not None:
            self._changes[i] = change
            self._own[i] = mean_over(lengths(source_change), counted) or 0.0


class _Look(NamedTuple):
    """A frame of both films at the measured size."""

    number: int
    source: np.ndarray
    stylised: np.ndarray


def _between_keyframes(staircase: Staircase, index: int) -> bool:
    """Whether the step from a frame to the next lies between two keyframes of one shot: where a fade can show."""
    keys = staircase.runs.keyframes.indices
    return all(frame in keys or len(staircase.runs.at(frame)) == 2 for frame in (index, index + 1))
