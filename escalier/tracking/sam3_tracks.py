"""What ComfyUI's own SAM3 nodes have tracked, as soft masks: the data that Run SAM3 Video Track hands on.

ComfyUI keeps one bit a pixel and object, in rows of bytes with the leftmost pixel in the lowest bit, at the network's
own size (comfy/ldm/sam3/tracker.py, `pack_masks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

from .tracked_masks import TrackedMasks


@checked
def masks_from_sam3(track: Mapping[str, Any], objects: Sequence[int] | None = None) -> TrackedMasks:
    """Soft masks of what SAM3 has tracked, one for each frame.

    Parameters
    ----------
    track
        "packed_masks", uint8 (N, objects, h, w / 8) or None where nothing was found; "orig_size", (H, W) of the film;
        "n_frames" where nothing was found; "scores", one for each object.
    objects
        Which objects, counted from 0; all of them when left out. They are joined.

    Returns
    -------
    Masks of the film's size, brought there one at a time by a bilinear filter, which softens their edge by a pixel of
    the network's. The confidence is the best score of the objects that are seen in the frame, 0 where none is.

    Raises
    ------
    ValueError
        When the data is not SAM3's, or there is no such object.

    >>> bits = np.packbits(np.eye(8, dtype=np.uint8), axis=1, bitorder="little")
    >>> tracked = masks_from_sam3({"packed_masks": bits[None, None], "orig_size": (8, 8), "scores": [0.9]})
    >>> bool((tracked.masks[0] == np.eye(8)).all()), round(float(tracked.confidence[0]), 2)
    (True, 0.9)
    """
    if "packed_masks" not in track or "orig_size" not in track:
        raise Refusal(
            "track", "be SAM3's, with packed_masks and orig_size", ", ".join(track), "connect Run SAM3 Video Track"
        )
    height, width = track["orig_size"]
    packed = _as_array(track["packed_masks"])
    if packed is None:
        if objects:
            raise Refusal("objects", "be those that were tracked", f"{objects[0]} of none")
        count = int(track["n_frames"])
        return TrackedMasks(np.zeros((count, height, width), np.float32), np.zeros(count, np.float32))
    chosen = range(packed.shape[1]) if objects is None else objects
    for number in chosen:
        if not 0 <= number < packed.shape[1]:
            raise Refusal("objects", f"be in 0..{packed.shape[1] - 1}", number, f"SAM3 tracked {packed.shape[1]}")
    scores = np.ones(packed.shape[1], np.float32)
    given = np.array([float(score) for score in track.get("scores") or []], np.float32)[: len(scores)]
    scores[: len(given)] = given
    masks = np.empty((len(packed), height, width), np.float32)
    confidence = np.zeros(len(packed), np.float32)
    for index, frame in enumerate(packed):
        joined = np.bitwise_or.reduce(frame[list(chosen)], axis=0)
        hard = np.unpackbits(joined, axis=1, bitorder="little").astype(np.float32)
        masks[index] = hard if hard.shape == (height, width) else _resized(hard, Size(width, height))
        confidence[index] = max((scores[number] for number in chosen if frame[number].any()), default=0.0)
    return TrackedMasks(masks, np.clip(confidence, 0, 1))


def _as_array(packed: Any) -> np.ndarray | None:
    """Packed masks as uint8 (N, objects, h, w / 8), from a tensor on any device or an array."""
    if packed is None:
        return None
    array = np.asarray(packed.cpu() if hasattr(packed, "cpu") else packed)
    if array.ndim != 4 or array.dtype != np.uint8:
        raise Refusal(
            "packed_masks", "be uint8 (frames, objects, rows, bytes)", f"{array.dtype} {array.shape}", "update ComfyUI"
        )
    return array


def _resized(mask: np.ndarray, size: Size) -> np.ndarray:
    return cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR)
