"""Poisson blending: the source inside a mask with its own gradients, meeting the target's colours at the rim.

Minimises the sum over edges of |gradient of x - guidance field|^2 inside the mask with x equal to the target outside it
(P. Pérez, M. Gangnet, A. Blake, "Poisson Image Editing", SIGGRAPH 2003). The border of the picture is no rim: nothing
is asked there (Neumann). Holes and any number of components are free. Outside the mask no bit changes.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import numpy as np

from escalier.arguments import checked
from escalier.counts import processors
from escalier.film import Film, Masks, MaskSource, frame_at
from escalier.progress import Progress
from escalier.refusals import MemoryRefusal

from . import guidance, pictures
from .blend_job import Dials, Engine, Job
from .poisson_cpu import ProcessorEngine

SOLVERS = ("multigrid", "conjugate_gradient")
BACKENDS = ("auto", "cpu", "torch")
LEAST_SCREENING = 1e-5
"""A weaker one, that fades over more than 300 pixels, would be lost in float32."""

log = logging.getLogger("escalier")


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
    _check_dials(dials)
    job = _checked_job(source, target, mask)
    if not job.mask.any():
        return job.target.copy()
    return _engine(dials, backend, device, 1).blend([job])[0]


@checked
def poisson_blend_film(
    source: Film,
    target: Film,
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
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """Blend a film frame by frame, as many at a time as the memory allows. Gives the frames in their order.

    Each frame is the same picture, on the processor to the bit, that `poisson_blend` makes of it alone. There is no
    term in time: a seam flickers because the mask does, so steady the masks first (`escalier.mask.shape_edges`).

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
    dials = Dials(gradients, strength, screening, rim_blur_px, solver)
    _check_dials(dials)
    length = max(len(source), len(target))
    for what, name in ((source, "source"), (target, "target"), (masks, "mask")):
        pictures.check_length(what, name, length)
    pictures.check_within(memory_mb, "memory_mb", 1, np.inf, "give the frames some memory", " MB")
    engine = _engine(dials, backend, device, threads)
    return _blend_all(engine, source, target, Masks.of(masks), length, memory_mb, progress)


def _blend_all(
    engine: Engine,
    source: Film,
    target: Film,
    masks: Masks,
    length: int,
    memory_mb: float,
    progress: Progress | None,
) -> Iterator[np.ndarray]:
    at_once = engine.frames_at_once(target.size, memory_mb)
    done = 0
    while done < length:
        jobs = [
            _checked_job(frame_at(source, i), frame_at(target, i), masks.at(i))
            for i in range(done, min(done + at_once, length))
        ]
        try:
            blended = iter(engine.blend([job for job in jobs if job.mask.any()]))
        except MemoryError as error:
            if at_once == 1:
                raise MemoryRefusal(
                    f"one frame of {target.size}",
                    "fit into memory, but it does not",
                    remedy="close other programs, or blend at a smaller size",
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


def _engine(dials: Dials, backend: str, device: str | None, threads: int | None) -> Engine:
    pictures.check_choice(backend, "backend", BACKENDS)
    if threads is not None:
        pictures.check_within(threads, "threads", 1, np.inf, "leave it out for one thread a core")
    if backend == "auto":
        torch = sys.modules.get("torch")
        backend = "torch" if torch is not None and torch.cuda.is_available() else "cpu"
    if backend == "cpu":
        return ProcessorEngine(dials, threads or processors())
    from .poisson_torch import TorchEngine  # torch takes seconds to load and is not needed on the processor

    return TorchEngine(dials, device)


def _check_dials(dials: Dials) -> None:
    pictures.check_choice(dials.gradients, "gradients", guidance.GRADIENTS)
    pictures.check_choice(dials.solver, "solver", SOLVERS)
    pictures.check_within(dials.strength, "strength", 0, 1, "use a screening for a correction that fades inside")
    if dials.screening != 0:
        pictures.check_within(dials.screening, "screening", LEAST_SCREENING, np.inf, "use 0 for none at all", " 1/px^2")
    pictures.check_within(dials.rim_blur_px, "rim_blur_px", 0, np.inf, "0 means none", " px")


def _checked_job(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> Job:
    """The job, with pictures of one type."""
    pictures.check_picture(source, "source")
    pictures.check_picture(target, "target")
    pictures.check_same_size(target, "target", source, "source")
    inside = pictures.inside(mask, target)
    if source.dtype != target.dtype:
        source, target = (p / np.float32(255) if p.dtype == np.uint8 else p for p in (source, target))
    return Job(np.ascontiguousarray(source), np.ascontiguousarray(target), inside)
