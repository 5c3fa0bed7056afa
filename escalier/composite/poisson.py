"""Poisson blending: the source inside a mask with its own gradients, meeting the target's colours at the rim.

Minimises the sum over edges of |gradient of x - guidance field|^2 inside the mask with x equal to the target outside it
(P. Pérez, M. Gangnet, A. Blake, "Poisson Image Editing", SIGGRAPH 2003). The border of the picture is no rim: nothing
is asked there (Neumann). Holes and any number of components are free. Outside the mask no bit changes.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from escalier.arguments import checked
from escalier.film import FrameSource, MaskSource, Size

from . import guidance, pictures
from .multigrid import Multigrid
from .multigrid_kernels import runs

SOLVERS = ("multigrid", "conjugate_gradient")
BACKENDS = ("auto", "cpu", "torch")
LEAST_SCREENING = 1e-5
"""A weaker one, that fades over more than 300 pixels, would be lost in float32."""
BYTES_PER_PIXEL = 48
"""Memory of one frame on the processor, for each pixel of the mask's bounding box, with its pictures."""

log = logging.getLogger("escalier")


class Dials(NamedTuple):
    """What can be chosen about a blend. See `poisson_blend`."""

    gradients: str = "import"
    strength: float = 1.0
    screening: float = 0.0
    rim_blur_px: float = 0.0
    solver: str = "multigrid"


class Job(NamedTuple):
    """One frame to blend: two pictures of one size and type, and a bool mask with at least one pixel."""

    source: np.ndarray
    target: np.ndarray
    mask: np.ndarray


@runtime_checkable
class Engine(Protocol):
    """Something that blends frames, as many at a time as it says."""

    def frames_at_once(self, size: Size, memory_mb: float) -> int: ...

    def blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        """Blend the frames. Raises MemoryError where they are too many."""
        ...


@checked
def poisson_blend(
    source: np.ndarray,
    target: np.ndarray,
    mask: np.ndarray,
    *,
    gradients: str = "import",
    strength: float = 1.0,
    screening: float = 0.0,
    rim_blur_px: float = 0.0,
    solver: str = "multigrid",
    backend: str = "auto",
    device: str | None = None,
) -> np.ndarray:
    """Put the source into the target inside the mask without a seam.

    Parameters
    ----------
    source, target
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1. Where the types differ, the result is float32.
    mask
        (H, W) bool, uint8 or float 0..1; the source goes where it is at least one half. An empty mask gives the target.
        A mask that covers the whole picture leaves no rim to meet: the source keeps its mean colour.
    gradients
        "import": the source's gradients. "mixed": along each edge and in each channel the stronger of the source's and
        the target's, the source's where they are equal, so that the target's texture shows through flat parts of the
        source. "average": the mean of both. "monochrome": the gradients of the source's luminance, so that the source
        takes the target's hue.
    strength
        0..1: how much of the correction is added to the source. 0 pastes the source as it is.
    screening
        0, or 1e-5 and more, in 1/px^2. The correction fades from the rim inwards over about 1 / sqrt(screening) pixels,
        which keeps the source's own colours deep inside. 0 carries the rim's colours everywhere.
    rim_blur_px
        0 or more: sigma of a low-pass along the rim. It grows calmer over time and streaks less, but fine detail that
        crosses the rim no longer meets exactly.
    solver
        "multigrid" or "conjugate_gradient", which the method's paper names: far slower, for comparison.
    backend
        "cpu" (numba), "torch" on `device`, or "auto": torch where it is loaded and has a graphics card, else the
        processor.
    device
        Torch device, such as "cuda:0"; by default its graphics card, else the processor.

    Returns
    -------
    A new picture (H, W, 3). uint8 is rounded and limited to 0..255; float is not limited.

    Raises
    ------
    ValueError
        When sizes differ, a picture is not RGB, a number is NaN, or a dial is out of range.
    TypeError
        When pictures or mask have another type.

    >>> wall, figure = np.full((64, 64, 3), 0.25, np.float32), np.full((64, 64, 3), 0.75, np.float32)
    >>> mask = np.zeros((64, 64), bool)
    >>> mask[16:48, 16:48] = True
    >>> float(np.abs(poisson_blend(figure, wall, mask) - wall).max().round(4))  # a flat figure takes the wall's colour
    0.0
    """
    dials = Dials(gradients, strength, screening, rim_blur_px, solver)
    _check_dials(dials, "poisson_blend")
    job = _checked_job(source, target, mask, "poisson_blend")
    if not job.mask.any():
        return job.target.copy()
    return _engine(dials, backend, device, 1, "poisson_blend").blend([job])[0]


@checked
def poisson_blend_film(
    source: FrameSource,
    target: FrameSource,
    masks: MaskSource,
    *,
    gradients: str = "import",
    strength: float = 1.0,
    screening: float = 0.0,
    rim_blur_px: float = 0.0,
    solver: str = "multigrid",
    backend: str = "auto",
    device: str | None = None,
    threads: int | None = None,
    memory_mb: float = 2000,
    progress: Callable[..., object] | None = None,
) -> Iterator[np.ndarray]:
    """Blend a film frame by frame, as many at a time as the memory allows. Gives the frames in their order.

    Each frame is the same picture, on the processor to the bit, that `poisson_blend` makes of it alone. There is no
    term in time: a seam flickers because the mask does, so steady the masks first (`escalier.mask.edge`).

    Parameters
    ----------
    source, target, masks
        Films of one size and the masks of their frames. Any of them may have a single frame, which stands for all.
    gradients, strength, screening, rim_blur_px, solver, backend, device
        As in `poisson_blend`.
    threads
        Frames that the processor blends at once; by default one for each core.
    memory_mb
        Budget for the frames in hand; more frames at a time for larger budgets. Where the machine has less, the number
        is halved until they fit.
    progress
        Called as progress(done, total, picture) after each frame; what it raises ends the film.

    Raises
    ------
    ValueError, TypeError
        As `poisson_blend`, and when the films differ in length.
    MemoryError
        When a single frame does not fit.

    >>> from escalier.film.frames import ArrayFrames
    >>> figure, wall = (ArrayFrames(np.full((2, 32, 32, 3), level, np.uint8)) for level in (200, 100))
    >>> mask = np.zeros((1, 32, 32))
    >>> mask[0, 8:24, 8:24] = 1
    >>> [int(frame.max()) for frame in poisson_blend_film(figure, wall, mask, backend="cpu")]
    [100, 100]
    """
    caller = "poisson_blend_film"
    dials = Dials(gradients, strength, screening, rim_blur_px, solver)
    _check_dials(dials, caller)
    length = max(len(source), len(target))
    for what, name in ((source, "source"), (target, "target"), (masks, "mask")):
        pictures.check_length(what, name, length, caller)
    pictures.check_within(memory_mb, "memory_mb", 1, np.inf, caller, "give the frames some memory", " MB")
    engine = _engine(dials, backend, device, threads, caller)
    return _blend_all(engine, source, target, masks, length, memory_mb, progress)


def _blend_all(
    engine: Engine,
    source: FrameSource,
    target: FrameSource,
    masks: MaskSource,
    length: int,
    memory_mb: float,
    progress: Callable[..., object] | None,
) -> Iterator[np.ndarray]:
    at_once = engine.frames_at_once(target.size, memory_mb)
    done = 0
    while done < length:
        jobs = [
            _checked_job(_frame(source, i), _frame(target, i), masks[i if len(masks) > 1 else 0], "poisson_blend_film")
            for i in range(done, min(done + at_once, length))
        ]
        try:
            blended = iter(engine.blend([job for job in jobs if job.mask.any()]))
        except MemoryError as error:
            if at_once == 1:
                raise MemoryError(
                    f"poisson_blend_film: one frame of {target.size} must fit into memory, but it does not; "
                    "close other programs, or blend at a smaller size"
                ) from error
            at_once //= 2
            log.warning("out of memory, going on with %d frames at a time", at_once)
            continue
        for job in jobs:
            picture = next(blended) if job.mask.any() else job.target.copy()
            done += 1
            if progress is not None:
                progress(done, length, picture)
            yield picture


def _frame(film: FrameSource, index: int) -> np.ndarray:
    return film.frame(index if len(film) > 1 else 0)


class ProcessorEngine:
    """Blends with numba, one frame on each thread."""

    def __init__(self, dials: Dials, threads: int) -> None:
        self.dials = dials
        self.threads = threads

    def frames_at_once(self, size: Size, memory_mb: float) -> int:
        frame_mb = size.width * size.height * BYTES_PER_PIXEL / 1e6
        return max(1, min(self.threads, int(memory_mb / frame_mb)))

    def blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        if len(jobs) <= 1:
            return [blend_frame(job, self.dials) for job in jobs]
        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(lambda job: blend_frame(job, self.dials), jobs))


def blend_frame(job: Job, dials: Dials) -> np.ndarray:
    """Blend one frame with numba, channel after channel, so that what is worked on stays in the cache."""
    top, bottom, left, right = bounds(job.mask)
    mask = np.ascontiguousarray(job.mask[top:bottom, left:right])
    is_uint8 = job.source.dtype == np.uint8
    scale = np.float32(1 / 255 if is_uint8 else 1)
    rows, columns = guidance.rim(mask)
    place = (rows + top, columns + left)
    difference = scale * (job.target[place].astype(np.float32) - job.source[place].astype(np.float32))
    if dials.rim_blur_px > 0 and len(rows):
        difference = guidance.low_pass(rows, columns, difference, dials.rim_blur_px)
    constants = difference.mean(axis=0, dtype=np.float64).astype(np.float32) if len(rows) else np.zeros(3, np.float32)
    solver = Multigrid(mask, dials.screening)
    solve = solver.solve if dials.solver == "multigrid" else solver.conjugate_gradient
    kind, (spans, span_rows) = guidance.GRADIENTS.index(dials.gradients), runs(mask)
    add_correction = guidance.add_correction_uint8 if is_uint8 else guidance.add_correction
    out, f = job.target.copy(), solver.vector()
    for channel, constant in enumerate(constants):
        f[:] = 0
        guidance.add_rim(mask, rows, columns, difference[:, channel] - constant, f)
        if dials.gradients != "import":
            pair = (job.source, job.target)
            guidance.add_guidance(mask.shape, spans, span_rows, *pair, top, left, scale, kind, channel, f)
        if dials.screening:
            f[1:-1, 1:-1] -= np.float32(dials.screening) * constant * mask
        add_correction(mask, job.source, top, left, constant, np.float32(dials.strength), solve(f), channel, out)
    return out


def bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the mask, with one more pixel wherever the picture goes on."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    return max(rows[0] - 1, 0), min(rows[-1] + 2, height), max(columns[0] - 1, 0), min(columns[-1] + 2, width)


def _engine(dials: Dials, backend: str, device: str | None, threads: int | None, caller: str) -> Engine:
    pictures.check_choice(backend, "backend", BACKENDS, caller)
    if threads is not None:
        pictures.check_within(threads, "threads", 1, np.inf, caller, "leave it out for one thread a core")
    if backend == "auto":
        torch = sys.modules.get("torch")
        backend = "torch" if torch is not None and torch.cuda.is_available() else "cpu"
    if backend == "cpu":
        return ProcessorEngine(dials, threads or os.cpu_count() or 1)
    from .poisson_torch import TorchEngine  # torch takes seconds to load and is not needed on the processor

    return TorchEngine(dials, device)


def _check_dials(dials: Dials, caller: str) -> None:
    pictures.check_choice(dials.gradients, "gradients", guidance.GRADIENTS, caller)
    pictures.check_choice(dials.solver, "solver", SOLVERS, caller)
    pictures.check_within(
        dials.strength, "strength", 0, 1, caller, "use a screening for a correction that fades inside"
    )
    if dials.screening != 0:
        pictures.check_within(
            dials.screening, "screening", LEAST_SCREENING, np.inf, caller, "use 0 for none at all", " 1/px^2"
        )
    pictures.check_within(dials.rim_blur_px, "rim_blur_px", 0, np.inf, caller, "0 means none", " px")


def _checked_job(source: np.ndarray, target: np.ndarray, mask: np.ndarray, caller: str) -> Job:
    """The job, with pictures of one type."""
    pictures.check_picture(source, "source", caller)
    pictures.check_picture(target, "target", caller)
    pictures.check_same_size(target, "target", source, "source", caller)
    inside = pictures.inside(mask, target, caller)
    if source.dtype != target.dtype:
        source, target = (p / np.float32(255) if p.dtype == np.uint8 else p for p in (source, target))
    return Job(np.ascontiguousarray(source), np.ascontiguousarray(target), inside)
