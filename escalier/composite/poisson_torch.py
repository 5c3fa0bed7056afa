"""The Poisson blend of several frames at once in torch. The equation is that of `guidance`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from escalier.film import Size

from .blend_job import Job, bounds
from .blending import Blending
from .guidance import TIE, low_pass, rim
from .multigrid_torch import Multigrid
from .pictures import LUMINANCE

BYTES_PER_PIXEL = 260
"""Memory of one frame with its solver, for each pixel of the masks' bounding box."""


class TorchEngine:
    """Blends batches of frames on a device.

    On the processor frames go one by one, and their channels too: a plane then stays in the cache.
    """

    def __init__(self, blending: Blending, device: str | None = None) -> None:
        self.blending = blending
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))

    def frames_at_once(self, size: Size, memory_mb: float) -> int:
        if self.device.type == "cpu":
            return 1
        return max(1, int(memory_mb * 1e6 / (size.width * size.height * BYTES_PER_PIXEL)))

    def blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        if not jobs:
            return []
        try:
            return self._blend(jobs)
        except RuntimeError as error:
            # The card has an error of its own for this, the processor only a message.
            if isinstance(error, torch.cuda.OutOfMemoryError) or "DefaultCPUAllocator" in str(error):
                raise MemoryError(str(error)) from error
            raise

    @torch.no_grad()
    def _blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        top, bottom, left, right = bounds(np.logical_or.reduce([job.mask for job in jobs]))
        crop = (slice(top, bottom), slice(left, right))
        masks = torch.stack([self._tensor(job.mask[crop]) for job in jobs])
        source = self._planes([job.source[crop] for job in jobs])
        target = self._planes([job.target[crop] for job in jobs])
        constant, f = self._rim([job.mask[crop] for job in jobs], source, target)
        if self.blending.gradients != "import":
            f += _divergence(source, target, self.blending.gradients)
        f -= self.blending.screening * constant
        f *= masks[:, None]
        correction = constant + self._solve(Multigrid(masks, self.blending.screening), f)
        blended = (source + self.blending.strength * correction).permute(0, 2, 3, 1)
        out = [job.target.copy() for job in jobs]
        for job, picture, values in zip(jobs, out, blended.cpu().numpy(), strict=True):
            inside = job.mask[crop]
            if picture.dtype == np.uint8:
                values = np.clip(values * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)
            picture[crop][inside] = values[inside]
        return out

    def _solve(self, solver: Multigrid, f: torch.Tensor) -> torch.Tensor:
        solve = solver.solve if self.blending.solver == "multigrid" else solver.conjugate_gradient
        if self.device.type != "cpu":
            return solve(f)
        return torch.cat([solve(f[:, channel : channel + 1].contiguous()) for channel in range(f.shape[1])], 1)

    def _rim(
        self, masks: list[np.ndarray], source: torch.Tensor, target: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The mean difference at each rim (B, 3, 1, 1), and what the rims give to the pixels beside them."""
        constants = torch.zeros_like(source[:, :, :1, :1])
        outside = torch.zeros_like(source)
        for n, mask in enumerate(masks):
            places = rim(mask)
            if not len(places[0]):
                continue
            rows, columns = (torch.from_numpy(place).to(self.device) for place in places)
            difference = target[n][:, rows, columns] - source[n][:, rows, columns]
            if self.blending.rim_blur_px > 0:
                smooth = low_pass(*places, difference.T.cpu().numpy(), self.blending.rim_blur_px)
                difference = torch.from_numpy(smooth).to(self.device).T
            constants[n, :, 0, 0] = difference.mean(1)
            outside[n][:, rows, columns] = difference - constants[n, :, :, 0]
        f = torch.zeros_like(source)
        f[:, :, 1:] += outside[:, :, :-1]
        f[:, :, :-1] += outside[:, :, 1:]
        f[..., 1:] += outside[..., :-1]
        f[..., :-1] += outside[..., 1:]
        return constants, f

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def _planes(self, pictures: Sequence[np.ndarray]) -> torch.Tensor:
        planes = torch.stack([self._tensor(picture) for picture in pictures]).permute(0, 3, 1, 2)
        if planes.dtype == torch.uint8:
            return planes.to(torch.float32).div_(255).contiguous()
        return planes.contiguous()


def _divergence(source: torch.Tensor, target: torch.Tensor, gradients: str) -> torch.Tensor:
    """The divergence of the guidance field less that of the source's gradients, over all edges of the picture."""
    f = torch.zeros_like(source)
    weights = torch.tensor(LUMINANCE, device=source.device).reshape(1, 3, 1, 1)
    for axis in (2, 3):
        own, other = source.diff(dim=axis), target.diff(dim=axis)
        if gradients == "mixed":
            more = torch.where(other.abs() > own.abs() + TIE, other - own, 0)
        elif gradients == "average":
            more = (other - own) / 2
        else:
            more = (own * weights).sum(1, keepdim=True) - own
        count = more.shape[axis]
        f.narrow(axis, 1, count).add_(more)
        f.narrow(axis, 0, count).sub_(more)
    return f
