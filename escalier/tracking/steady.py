"""What trembles in masks over time, and what is lost in one frame alone, is mended by the frames before and after.

Whoever made the masks: this is the last step of every way to track.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from escalier.arguments import checked
from escalier.film import Motion, scale_film, visibility, warp
from escalier.refusals import Refusal

from .tracked_masks import TrackedMasks


@checked
def steady_masks(
    tracked: TrackedMasks, motion: Motion, *, given: Collection[int] = (), cuts: Collection[int] = ()
) -> TrackedMasks:
    """Masks of which each agrees with the two beside it, along the motion.

    A pixel that the flow carries to the frame before and to the one after, and back, takes the middle of the three
    values: what only one frame lost comes back, what only one frame took in goes. Then the outline takes a quarter of
    either neighbour's. Both sides count the same, so nothing lags behind. Where the flow cannot be followed, nothing is
    changed.

    Parameters
    ----------
    tracked
        A mask for every frame. Its confidence is kept.
    motion
        Of the film. The change is found at its working size.
    given
        Frames whose masks are given and stay as they are, to the bit. So do the first and the last frame.
    cuts
        First frames of new shots; over them nothing is compared.

    Returns
    -------
    New masks, float32 (N, H, W) 0..1.

    Raises
    ------
    ValueError
        When the motion is of another film.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> noise = np.random.default_rng(0).integers(0, 256, (72, 96, 3), np.uint8)
    >>> motion = Motion(ArrayFrames(np.stack([noise] * 5)), tempfile.mkdtemp())
    >>> masks = np.ones((5, 72, 96), np.float32)
    >>> masks[2, 20:40] = 0
    >>> steady = steady_masks(TrackedMasks(masks, np.ones(5, np.float32)), motion)
    >>> float(steady.masks[2, 30, 40])
    1.0
    """
    size = motion.size
    shape = (len(motion), size.height, size.width)
    if tracked.masks.shape != shape:
        raise Refusal(
            "motion",
            f"be that of the {len(tracked)} masks of {tracked.masks.shape[2]}x{tracked.masks.shape[1]}",
            f"{len(motion)} frames of {size}",
            "measure the motion of the clip that was tracked",
        )
    kept, starts = {0, len(tracked) - 1, *given}, set(cuts)
    masks = tracked.masks.copy()
    small = motion.working_size
    for index in range(len(tracked)):
        if index in kept or starts & {index, index + 1}:
            continue
        beside = tracked.masks[index - 1 : index + 2]
        if not (beside != beside[1]).any():
            continue
        before, now, after = (scale_film(mask, small) for mask in beside)
        change = _steadied(index, before, now, after, motion) - now
        masks[index] = np.clip(masks[index] + scale_film(change, size), 0, 1)
    return replace(tracked, masks=masks)


def _steadied(index: int, before: np.ndarray, now: np.ndarray, after: np.ndarray, motion: Motion) -> np.ndarray:
    (earlier, seen_earlier), (later, seen_later) = (
        _beside(index, other, mask, motion) for other, mask in ((index - 1, before), (index + 1, after))
    )
    middle = np.maximum(np.minimum(earlier, later), np.minimum(np.maximum(earlier, later), now))
    middle = np.where(seen_earlier & seen_later, middle, now)
    weights = seen_earlier.astype(np.float32), seen_later.astype(np.float32)
    return (2 * middle + weights[0] * earlier + weights[1] * later) / (2 + weights[0] + weights[1])


def _beside(index: int, other: int, mask: np.ndarray, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """A neighbouring frame's mask as it lies in this one, and where the flow may be followed there and back."""
    flow, back = (motion.flow(*pair, motion.working_size) for pair in ((index, other), (other, index)))
    return warp(mask, flow), visibility(flow, back)
