"""The Poisson blend of one frame on each thread, with numba. The equation is that of `guidance`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from escalier.film import Size

from . import guidance
from .blend_job import Job, bounds
from .blending import GRADIENTS, Blending
from .multigrid import Multigrid
from .multigrid_kernels import runs

BYTES_PER_PIXEL = 48
"""Memory of one frame, for each pixel of the mask's bounding box, with its pictures."""


class ProcessorEngine:
    """Blends with numba, one frame on each thread."""

    def __init__(self, blending: Blending, threads: int) -> None:
        self.blending = blending
        self.threads = threads

    def frames_at_once(self, size: Size, memory_mb: float) -> int:
        frame_mb = size.width * size.height * BYTES_PER_PIXEL / 1e6
        return max(1, min(self.threads, int(memory_mb / frame_mb)))

    def blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        if len(jobs) <= 1:
            return [blend_frame(job, self.blending) for job in jobs]
        with ThreadPoolExecutor(len(jobs)) as pool:
            return list(pool.map(lambda job: blend_frame(job, self.blending), jobs))


def blend_frame(job: Job, blending: Blending) -> np.ndarray:
    """Blend one frame with numba, channel after channel, so that what is worked on stays in the cache."""
    top, bottom, left, right = bounds(job.mask)
    mask = np.ascontiguousarray(job.mask[top:bottom, left:right])
    is_uint8 = job.source.dtype == np.uint8
    scale = np.float32(1 / 255 if is_uint8 else 1)
    rows, columns = guidance.rim(mask)
    place = (rows + top, columns + left)
    difference = scale * (job.target[place].astype(np.float32) - job.source[place].astype(np.float32))
    if blending.rim_blur_px > 0 and len(rows):
        difference = guidance.low_pass(rows, columns, difference, blending.rim_blur_px)
    constants = difference.mean(axis=0, dtype=np.float64).astype(np.float32) if len(rows) else np.zeros(3, np.float32)
    solver = Multigrid(mask, blending.screening)
    solve = solver.solve if blending.solver == "multigrid" else solver.conjugate_gradient
    kind, (spans, span_rows) = GRADIENTS.index(blending.gradients), runs(mask)
    add_correction = guidance.add_correction_uint8 if is_uint8 else guidance.add_correction
    out, f = job.target.copy(), solver.vector()
    for channel, constant in enumerate(constants):
        f[:] = 0
        guidance.add_rim(mask, rows, columns, difference[:, channel] - constant, f)
        if blending.gradients != "import":
            pair = (job.source, job.target)
            guidance.add_guidance(mask.shape, spans, span_rows, *pair, top, left, scale, kind, channel, f)
        if blending.screening:
            f[1:-1, 1:-1] -= np.float32(blending.screening) * constant * mask
        add_correction(mask, job.source, top, left, constant, np.float32(blending.strength), solve(f), channel, out)
    return out
