"""Carry a body's motion on over its outline, and tell by it what moves with the body and what does not."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.film import sampling_positions
from escalier.mask import Box

from .mask_state import distance_to_outline
from .picture_match import difference, same, without_grain
from .small_frames import SmallFrames

FEWEST_SEEDS = 20
SMOOTH_PX = 9
MOTION_WEIGHT = 0.5
LEVELS = np.float32(12.0)
MATCH_FLOOR = 4.0
SEED_TRUST = 0.5
SEED_DISTANCE_PX = 4


def flow_of_nearest(flow: np.ndarray, seeds: np.ndarray) -> np.ndarray | None:
    """At every pixel the flow of the nearest seed, softened: float32 (H, W, 2); None with fewer than 20 seeds.

    >>> flow = np.zeros((8, 30, 2), np.float32)
    >>> flow[:, :10] = 3
    >>> seeds = np.zeros((8, 30), bool)
    >>> seeds[:, :8] = True
    >>> flow_of_nearest(flow, seeds)[4, 29].tolist()
    [3.0, 3.0]
    """
    if np.count_nonzero(seeds) < FEWEST_SEEDS:
        return None
    _, names = cv2.distanceTransformWithLabels((~seeds).view(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    place_of = np.zeros(int(names.max()) + 1, np.intp)
    place_of[names[seeds]] = np.flatnonzero(seeds)
    return cv2.blur(flow.reshape(-1, 2)[place_of[names]], (SMOOTH_PX, SMOOTH_PX))


def which_motion(frames: SmallFrames, index: int, region: Box, label: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Log odds that a pixel moves with the subject rather than with what is around it.

    In both neighbouring frames, where there are two: how well the pixel is found again if it moves as the nearest sure
    pixel of the subject, and if it moves as the nearest sure one around.

    Parameters
    ----------
    frames
        The film at the working size, with its motion.
    index
        The frame.
    region
        Rows and columns that are asked about.
    label, known
        float32, of the region's shape: 1 in the subject, -1 around it; and how sure that is.

    Returns
    -------
    float32, of the region's shape. 0 where neither motion finds the pixel.
    """
    look = without_grain(frames[index][region])
    odds = np.zeros_like(label)
    seeds = (known > SEED_TRUST) & (distance_to_outline(label) > SEED_DISTANCE_PX)
    for neighbour in (index - 1, index + 1):
        if not 0 <= neighbour < len(frames):
            continue
        flow = frames.flow(index, neighbour)[region]
        with_subject, with_rest = (flow_of_nearest(flow, seeds & side) for side in (label > 0, label < 0))
        if with_subject is None or with_rest is None:
            continue
        other = without_grain(frames[neighbour])
        subject, around = (
            difference(look, _sampled(other, candidate, region)) for candidate in (with_subject, with_rest)
        )
        found = same(np.minimum(subject, around), MATCH_FLOOR, float(LEVELS))
        odds += MOTION_WEIGHT * found * np.clip((around**2 - subject**2) / (2 * LEVELS**2), -2, 2)
    return odds


def _sampled(picture: np.ndarray, flow: np.ndarray, region: Box) -> np.ndarray:
    """The whole picture, seen where the flow of one of its regions points."""
    x, y = sampling_positions(flow)
    x += np.float32(region[1].start)
    y += np.float32(region[0].start)
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
