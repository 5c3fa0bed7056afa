"""ComfyUI's IMAGE and MASK as the library's pictures and masks, and back."""

from collections.abc import Sequence

import numpy as np
import torch

from escalier.refusals import Refusal


def pictures_from_images(images: torch.Tensor, name: str) -> np.ndarray:
    """The pictures of an IMAGE batch, float32 (N, H, W, 3), without a copy where ComfyUI keeps them in main memory."""
    if images.ndim != 4 or 0 in images.shape:
        got = f"a tensor of shape {tuple(images.shape)}"
        raise Refusal(name, "be a batch of pictures", got, "connect an IMAGE that holds at least one picture")
    channels = images.shape[-1]
    if channels != 3:
        kind = {1: "grey (1 channel)", 4: "RGBA (4 channels)"}.get(channels, f"{channels} channels")
        remedy = "take the alpha off with Split Image with Alpha" if channels == 4 else "convert it to RGB"
        raise Refusal(name, "be RGB", kind, f"{remedy} first")
    for i, image in enumerate(images):
        # A sum is finite only if all that went into it is; no second array of the clip's size is made.
        if not torch.isfinite(image.sum(dtype=torch.float32)):
            raise Refusal(name, "hold finite numbers", f"NaN or infinity in picture {i}", "check the node that made it")
    return images.detach().to("cpu", torch.float32).numpy()


def images_from_pictures(pictures: Sequence[np.ndarray] | np.ndarray) -> torch.Tensor:
    """Pictures of one size, uint8 or float32, as an IMAGE batch."""
    batch = np.empty((len(pictures), *pictures[0].shape), np.float32)
    for image, picture in zip(batch, pictures, strict=True):
        write_image(image, picture)
    return torch.from_numpy(batch)


def write_image(image: np.ndarray, picture: np.ndarray) -> None:
    """Write a picture, uint8 or float32, into one image of a float32 batch."""
    np.divide(picture, np.float32(255 if picture.dtype == np.uint8 else 1), out=image)


def masks_from_input(mask: torch.Tensor) -> np.ndarray:
    """A MASK as (N, H, W), float32 0..1; one mask stands for the whole film. Some nodes hand it over as (H, W)."""
    if mask.ndim not in (2, 3) or 0 in mask.shape:
        raise Refusal("mask", "hold at least one mask", f"a tensor of shape {tuple(mask.shape)}", "connect a MASK")
    masks = mask.detach().to("cpu", torch.float32).reshape(-1, *mask.shape[-2:]).numpy()
    for i, one in enumerate(masks):
        if not np.isfinite(one).all():
            raise Refusal("mask", "hold finite numbers", f"NaN or infinity in mask {i}", "check its source")
    return masks
