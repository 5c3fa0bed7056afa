"""A whole staircase judged by the figures that tell a good fade: ghosting kept, double exposure and pop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from escalier.arguments import checked
from escalier.film import FrameSource, Motion, Size, frame_numbers
from escalier.propagation import Staircase

from .compared_frames import at_size, enough, lab_change, lengths, mean_over
from .double_exposure import measure_double_exposure
from .ghosting import FADE_CORE, ghosting_kept
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
def measure_fades(
    staircase: Staircase,
    film: FrameSource,
    motion: Motion,
    progress: Callable[..., object] | None = None,
) -> FadeReport:
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
    >>> from escalier.film.frames import ArrayFrames
    >>> from escalier.keyframes import Keyframes
    >>> from escalier.propagation import propagate
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 3))
    >>> folder = tempfile.mkdtemp()
    >>> staircase = Staircase(propagate(film, Keyframes([0], [film.frame(0)], 3), folder=folder, threads=1))
    >>> measure_fades(staircase, film, Motion(film, folder)).ghosting is None
    True
    """
    size = motion.working_size
    ghosting: dict[int, float] = {}
    doubled: list[float] = []
    changes: dict[int, float] = {}
    own: dict[int, float] = {}
    source, stylised = at_size(film.frame(0), size), at_size(staircase.frame(0), size)
    for index in range(len(staircase)):
        middle = _middle_of_fade(staircase, index, size)
        if middle is not None:
            earlier, later, weight = middle
            ghosting[index] = ghosting_kept(stylised, earlier, later, weight)
            share = measure_double_exposure(stylised, earlier, later)
            doubled += [] if share is None else [share]
        if index + 1 < len(staircase):
            next_source, next_stylised = at_size(film.frame(index + 1), size), at_size(staircase.frame(index + 1), size)
            flow = motion.flow(index, index + 1, size)
            source_change = lab_change(source, next_source, flow)
            counted = confirmed(source_change, motion.valid(index, index + 1, size))
            change = visible_change(stylised, next_stylised, flow, counted) if enough(counted) else None
            if change is not None:
                changes[index] = change
                own[index] = mean_over(lengths(source_change), counted) or 0.0
            source, stylised = next_source, next_stylised
        if progress is not None:
            progress(index + 1, len(staircase), stylised)
    ratios = dict(zip(changes, step_ratios(list(changes.values()), list(own.values())), strict=True)) if changes else {}
    in_fades = {index: float(ratio) for index, ratio in ratios.items() if _between_keyframes(staircase, index)}
    return FadeReport(
        ghosting=float(np.mean(list(ghosting.values()))) if ghosting else None,
        double_exposure=float(np.mean(doubled)) if doubled else None,
        pop=max(in_fades.values(), default=None),
        pop_frame=max(in_fades, key=in_fades.__getitem__, default=None),
        ghosting_frames=np.array(list(ghosting), np.int64),
        ghosting_curve=np.array(list(ghosting.values()), np.float32),
        change_frames=np.array(list(changes), np.int64),
        change_curve=np.array(list(changes.values()), np.float32),
        first=frame_numbers(film)[0],
    )


def _between_keyframes(staircase: Staircase, index: int) -> bool:
    """Whether the step from a frame to the next lies between two keyframes of one shot: where a fade can show."""
    keys = staircase.runs.keyframes.indices
    return all(frame in keys or len(staircase.runs.at(frame)) == 2 for frame in (index, index + 1))


def _middle_of_fade(staircase: Staircase, index: int, size: Size) -> tuple[np.ndarray, np.ndarray, float] | None:
    """The two sides of a frame in the middle of a fade and the later one's mean weight, else None."""
    runs = staircase.runs.at(index)
    if len(runs) < 2:
        return None
    # One number for the whole picture, so that modes with and without a switch map are judged by the same measure.
    weight = float(np.mean(staircase.weight(index)))
    if not FADE_CORE[0] < weight < FADE_CORE[1]:
        return None
    earlier, later = (at_size(run.frame(index), size) for run in runs)
    return earlier, later, weight
