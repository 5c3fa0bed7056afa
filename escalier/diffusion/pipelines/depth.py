"""Depth for depth2img: one range for all pictures, from outside or from the pipeline's own network.

diffusers scales the depth of each picture to that picture's extremes, so that a person who walks in moves the room
behind. Here depth comes as control maps do: aligned from picture to picture, near white, one range for the set.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from escalier.diffusion.control_maps.depth_range import shared_greys
from escalier.film import Size, as_uint8


def with_given_depth(runner_class: type) -> type:
    """The pipeline class, taking depth as it is given, 0..1 and near white, instead of stretching each picture's."""

    class GivenDepth(runner_class):
        def prepare_depth_map(
            self, image: Any, depth_map: Any, batch_size: int, with_guidance: bool, dtype: Any, device: Any
        ) -> Any:
            import torch

            size = tuple(side // self.vae_scale_factor for side in image.shape[-2:])
            seen = torch.nn.functional.interpolate(depth_map[:, None].to(device), size, mode="area").to(dtype) * 2 - 1
            return torch.cat([seen] * 2) if with_guidance else seen

    GivenDepth.__name__ = runner_class.__name__
    return GivenDepth


def estimate_depths(runner: Any, pictures: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    """The depth of pictures (H, W, 3) by the pipeline's own network: (N, H, W) float32 0..1, near white.

    >>> pipeline = load_pipeline("models/diffusers/stable-diffusion-2-depth")  # doctest: +SKIP
    >>> depths = estimate_depths(pipeline.runner, pictures)  # doctest: +SKIP
    """
    import torch
    from PIL import Image

    network, size = runner.depth_estimator, Size.of(pictures[0])
    depths = []
    for picture in pictures:
        seen = runner.feature_extractor(images=[Image.fromarray(as_uint8(picture))], return_tensors="pt").pixel_values
        device, dtype = network.device, network.dtype
        half = dtype != torch.float32 and device.type != "mps"
        with torch.inference_mode(), torch.autocast(device.type, dtype, enabled=half):
            found = network(seen.to(device, dtype)).predicted_depth[:, None].float()
            found = torch.nn.functional.interpolate(found, (size.height, size.width), mode="bilinear")
        depths.append(found[0, 0].cpu().numpy())
    return shared_greys(depths)
