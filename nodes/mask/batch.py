"""Masks that are made one after another, as ComfyUI's MASK."""

from collections.abc import Iterator

import numpy as np
import torch


def mask_batch(masks: Iterator[np.ndarray], length: int) -> torch.Tensor:
    """A MASK of so many masks, float32, written where it stays."""
    first = next(masks)
    batch = np.empty((length, *first.shape), np.float32)
    batch[0] = first
    for i, mask in enumerate(masks, 1):
        batch[i] = mask
    return torch.from_numpy(batch)
