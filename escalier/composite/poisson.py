"""Poisson blending: the source inside a mask with its own gradients, meeting the target's colours at the rim.

Minimises the sum over edges of |gradient of x - guidance field|^2 inside the mask with x equal to the target outside it
(P. Pérez, M. Gangnet, A. Blake, "Poisson Image Editing", SIGGRAPH 2003). The border of the picture is no rim: nothing
is asked there (Neumann). Holes and any number of components are free. Outside the mask no bit changes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from escalier.arguments import checked
from escalier.counts import processors
from escalier.film import Film, Masks, MaskSource, check_lengths, frame_at
from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import MemoryRefusal

from . import pictures
from .blend_job import Engine, Job, bounds
from .blending import Blending, Machine
from .clipping import Clipping
from .poisson_cpu import ProcessorEngine


@checked
def poisson_blend(
    source: np.ndarray,
    target: np.ndarray,
    mask: np.ndarray,
    blending: Blending | None = None,
    *,
    machine: Machine | None = None,
    clipping: Clipping | None = None,
) -> np.ndarray:
    """Put the source into the target inside the mask without a seam.

    Parameters
    ----------
    source, target
        RGB pictures (H, W, 3) of one size, uint8 or float32 0..1. Where the types differ, the result is float32.
    mask
        (H, W) bool, uint8 or float 0..1; the source goes where it is at least one half. An empty mask gives the target.
        A mask that covers the whole picture leaves no rim to meet: the source keeps its mean colour.
    blending
        Whose gradients are kept, and how they meet the target's colours, see `Blending`.
    machine
        On what it is worked out, see `Machine`; a picture takes one thread.
    clipping
        A count to add to of what comes out black or white that the source has not. Without one, a warning tells it
        where it is more than a hundredth of the body.

    Returns
    -------
    A new picture (H, W, 3). uint8 is rounded and limited to 0..255; float is not limited.

    Raises
    ------
    ValueError
        When sizes differ, a picture is not RGB, or a number is NaN.
    TypeError
        When pictures or mask have another type.

    >>> wall, figure = np.full((64, 64, 3), 0.25, np.float32), np.full((64, 64, 3), 0.75, np.float32)
    >>> mask = np.zeros((64, 64), bool)
    >>> mask[16:48, 16:48] = True
    >>> blended = poisson_blend(figure, wall, mask)
    >>> round(float(blended[16, 32, 0]), 2), round(float(blended[32, 32, 0]), 2)  # the wall at the rim, her own inside
    (0.3, 0.56)
    >>> round(float(poisson_blend(figure, wall, mask, Blending(screening=0.0))[32, 32, 0]), 2)  # the wall's everywhere
    0.25
    """
    job, count = _checked_job(source, target, mask), clipping or Clipping()
    if not job.mask.any():
        return job.target.copy()
    picture = _engine(blending or Blending(), machine or Machine(), 1).blend([job])[0]
    _count(count, job, picture)
    if clipping is None:
        _warn(count)
    return picture


@checked
def poisson_blend_film(
    source: Film,
    target: Film,
    masks: MaskSource,
    blending: Blending | None = None,
    *,
    machine: Machine | None = None,
    clipping: Clipping | None = None,
    progress: Progress | None = None,
) -> Iterator[np.ndarray]:
    """Blend a film frame by frame, as many at a time as the memory allows. Gives the frames in their order.

    Each frame is the same picture, on the processor to the bit, that `poisson_blend` makes of it alone. There is no
    term in time: a seam flickers because the mask does, so steady the masks first (`escalier.mask.shape_edges`).

    Parameters
    ----------
    source, target, masks
        Films of one size and the masks of their frames. Any of them may have a single frame, which stands for all.
    blending, machine
        As in `poisson_blend`. The processor blends as many frames at once as it has threads, and the memory holds.
    clipping
        A count to add to, frame by frame. A warning at the end of the film tells it too, where it is more than a
        hundredth of the body in any frame.
    progress
        Called as progress(done, total, picture) after each frame; what it raises ends the film.

    Raises
    ------
    ValueError, TypeError
        As `poisson_blend`, and when the films differ in length.
    MemoryError
        When a single frame does not fit.

    >>> from escalier.film import ArrayFrames
    >>> figure, wall = (ArrayFrames(np.full((2, 32, 32, 3), level, np.uint8)) for level in (200, 100))
    >>> mask = np.zeros((1, 32, 32))
    >>> mask[0, 8:24, 8:24] = 1
    >>> [int(frame.max()) for frame in poisson_blend_film(figure, wall, mask, machine=Machine("cpu"))]
    [126, 126]
    """
    length, machine = max(len(source), len(target)), machine or Machine()
    check_lengths(length, source=source, target=target, mask=masks)
    engine = _engine(blending or Blending(), machine, machine.threads or processors())
    frames = _blend_all(engine, source, target, Masks.of(masks), machine.memory_mb)
    return _counted(frames, length, clipping or Clipping(), progress)


def _counted(
    frames: Iterator[tuple[Job, np.ndarray]], length: int, clipping: Clipping, progress: Progress | None
) -> Iterator[np.ndarray]:
    for done, (job, picture) in enumerate(frames, start=1):
        _count(clipping, job, picture)
        if progress is not None:
            progress(done, length, picture)
        yield picture
    _warn(clipping)


def _count(clipping: Clipping, job: Job, picture: np.ndarray) -> None:
    top, bottom, left, right = bounds(job.mask) if job.mask.any() else (0, 1, 0, 1)
    part = slice(top, bottom), slice(left, right)
    clipping.add(picture[part], job.source[part], job.mask[part])


def _warn(clipping: Clipping) -> None:
    if clipping.is_seen:
        log.warning("Poisson blend %s; a higher screening, a lower strength, or Place Subject keeps more", clipping)


def _blend_all(
    engine: Engine, source: Film, target: Film, masks: Masks, memory_mb: float
) -> Iterator[tuple[Job, np.ndarray]]:
    at_once, length = engine.frames_at_once(target.size, memory_mb), max(len(source), len(target))
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
            yield job, picture


def _engine(blending: Blending, machine: Machine, threads: int) -> Engine:
    torch = sys.modules.get("torch")
    has_card = torch is not None and torch.cuda.is_available()
    if machine.backend == "cpu" or (machine.backend == "auto" and not has_card):
        return ProcessorEngine(blending, threads)
    from .poisson_torch import TorchEngine  # torch takes seconds to load and is not needed on the processor

    return TorchEngine(blending, machine.device)


def _checked_job(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> Job:
    """The job, with pictures of one type."""
    pictures.check_picture(source, "source")
    pictures.check_picture(target, "target")
    pictures.check_same_size(target, "target", source, "source")
    inside = pictures.inside(mask, target)
    if source.dtype != target.dtype:
        source, target = (p / np.float32(255) if p.dtype == np.uint8 else p for p in (source, target))
    return Job(np.ascontiguousarray(source), np.ascontiguousarray(target), inside)
