"""What a pipeline is given, checked at the door: pictures, masks and maps of one size, padded to what its VAE takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from escalier.film import Size
from escalier.refusals import Refusal

if TYPE_CHECKING:
    import torch

INVISIBLE = 0.5 / 255
"""Less than half of a level of 256 is no mask."""

Pictures = Sequence[np.ndarray] | np.ndarray


def stack_pictures(pictures: Pictures) -> np.ndarray:
    """RGB pictures of one size as (N, H, W, 3) float32 0..1."""
    if len(pictures) == 0:
        raise Refusal("pictures", "hold at least one picture", "none", "connect keyframes or sheets")
    size = Size.of(pictures[0])
    return np.stack([_picture(one, size, f"pictures {number}") for number, one in enumerate(pictures, start=1)])


def stack_maps(maps: Pictures, count: int, size: Size, name: str) -> np.ndarray:
    """Maps of the pictures' size, one for all or one for each, as (N, H, W, 3) float32 0..1."""
    _check_count(len(maps), count, name, "maps")
    stack = np.stack([_picture(one, size, f"{name} {number}") for number, one in enumerate(maps, start=1)])
    return np.broadcast_to(stack, (count, *stack.shape[1:]))


def stack_masks(masks: Pictures, count: int, size: Size) -> np.ndarray:
    """Masks of the pictures' size, one for all or one for each, as (N, H, W) float32 0..1."""
    _check_count(len(masks), count, "masks", "masks")
    stack = []
    for number, one in enumerate(masks, start=1):
        if one.ndim != 2 or Size.of(one) != size:
            got = Size.of(one) if one.ndim == 2 else f"an array of shape {one.shape}"
            rule = f"be a single channel of the pictures' size, {size}"
            raise Refusal("masks", rule, f"{got} as number {number}", "scale the mask to the pictures first")
        stack.append(_in_range(one, f"masks {number}"))
    return np.broadcast_to(np.stack(stack), (count, *stack[0].shape))


def padded(stack: np.ndarray, step_px: int) -> np.ndarray:
    """(N, H, W, ...) with its last rows and columns repeated until both sides are multiples of a step.

    >>> padded(np.arange(6.0).reshape(1, 2, 3), 4)[0]
    array([[0., 1., 2., 2.],
           [3., 4., 5., 5.],
           [3., 4., 5., 5.],
           [3., 4., 5., 5.]])
    """
    below, right = (-side % step_px for side in stack.shape[1:3])
    if not below and not right:
        return stack
    return np.pad(stack, [(0, 0), (0, below), (0, right), *[(0, 0)] * (stack.ndim - 3)], mode="edge")


def as_tensor(stack: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) or (N, H, W) as diffusers takes it: (N, C, H, W)."""
    import torch

    channels_last = stack if stack.ndim == 4 else stack[..., None]
    return torch.from_numpy(np.ascontiguousarray(channels_last.transpose(0, 3, 1, 2)))


def mixed(pictures: np.ndarray, painted: np.ndarray, masks: np.ndarray) -> np.ndarray:
    """The painting where the mask is white, the picture's own bits where it is black, a mix between."""
    shares = masks[..., None]
    mix = pictures + shares * (painted - pictures)
    return np.where(shares >= 1, painted, np.where(shares <= INVISIBLE, pictures, mix))


def _picture(picture: np.ndarray, size: Size, name: str) -> np.ndarray:
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise Refusal(name, "be RGB", f"an array of shape {picture.shape}", "convert it to RGB first")
    if Size.of(picture) != size:
        rule = f"have the size of the first picture, {size}"
        raise Refusal(name, rule, Size.of(picture), "scale it first, or draw the maps from the same pictures")
    return _in_range(picture, name)


def _in_range(values: np.ndarray, name: str) -> np.ndarray:
    """uint8 or floats 0..1 as float32."""
    if values.dtype == np.uint8:
        return values.astype(np.float32) / np.float32(255)
    if not np.isfinite(values).all():
        raise Refusal(name, "hold finite numbers", "NaN or infinity", "check the node that made it")
    return np.clip(values, 0, 1).astype(np.float32, copy=False)


def _check_count(got: int, count: int, name: str, things: str) -> None:
    if got not in (1, count):
        wanted = "1" if count == 1 else f"1 or {count}"
        rule = f"hold {wanted} {things}, one for all pictures or one for each"
        raise Refusal(name, rule, got, "make them from the same pictures")
