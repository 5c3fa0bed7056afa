"""The camera's own motion between two frames, from their flow: a shift, a turn and a zoom."""

import cv2
import numpy as np

FITTED_PX = 0.4
"""A pixel moves with the camera if its flow is less than this off."""
FINE_PX = 0.15
STILL_IS_AS_GOOD = 0.9
SMALLEST_SHARE = 0.2
MARGIN = 1 / 8
SIDES = 3
SMALLEST_REACH = 0.01
STEP_PX = 4
MOST_PIXELS = 1500
FEWEST_PIXELS = 20


def camera_similarity(flow: np.ndarray, textured: np.ndarray) -> np.ndarray | None:
    """The similarity with which most of the textured picture moves, where that can only be the camera; else None.

    `flow` is float32 (H, W, 2), (dx, dy) in pixels; `textured`, bool (H, W), says where it can be believed. Gives
    float64 (2, 3), from positions (x, y, 1) in the one frame to those in the other; None where the camera stands still,
    or nothing is known of it.

    Fitted by RANSAC to every fourth pixel each way. A subject moves as one as well; so it is believed only if what
    moves alike reaches three of the four sides of the frame, and explains the flow better than no motion at all.

    >>> pan = np.full((64, 96, 2), (3, 0), np.float32)
    >>> float(camera_similarity(pan, np.ones((64, 96), bool))[0, 2].round(3))
    3.0
    >>> camera_similarity(np.zeros((64, 96, 2), np.float32), np.ones((64, 96), bool)) is None
    True
    """
    y, x = (places * STEP_PX for places in np.nonzero(textured[::STEP_PX, ::STEP_PX]))
    if len(x) > MOST_PIXELS:
        sample = np.linspace(0, len(x) - 1, MOST_PIXELS).astype(int)
        y, x = y[sample], x[sample]
    if len(x) < FEWEST_PIXELS:
        return None
    here, moves = np.stack([x, y], axis=1).astype(np.float32), flow[y, x]
    # OpenCV's RANSAC starts from the same seed at every call: the same frames give the same camera.
    fitted, _ = cv2.estimateAffinePartial2D(
        here, here + moves, method=cv2.RANSAC, ransacReprojThreshold=FITTED_PX, maxIters=200, refineIters=3
    )
    if fitted is None or not np.isfinite(fitted).all():
        return None
    off = np.linalg.norm(moves - (here @ fitted[:, :2].T + fitted[:, 2] - here), axis=1)
    share, still = float((off < FINE_PX).mean()), float((np.linalg.norm(moves, axis=1) < FINE_PX).mean())
    if share < SMALLEST_SHARE or still >= STILL_IS_AS_GOOD * share:
        return None
    with_it = off < FITTED_PX
    height, width = textured.shape
    near_side = (x < MARGIN * width, x >= (1 - MARGIN) * width, y < MARGIN * height, y >= (1 - MARGIN) * height)
    reached = sum((with_it & near).sum() >= max(3, SMALLEST_REACH * len(x)) for near in near_side)
    return fitted if reached >= SIDES else None


def similarity_flow(motion: np.ndarray, height: int, width: int) -> np.ndarray:
    """The flow of every pixel under a motion from `camera_similarity`, float32 (H, W, 2).

    >>> similarity_flow(np.array([[1, 0, 3], [0, 1, 0]]), 2, 2)[1, 1].tolist()
    [3.0, 0.0]
    """
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    (a, b, dx), (c, d, dy) = motion.astype(np.float32)
    flow = np.empty((height, width, 2), np.float32)
    flow[..., 0] = (a - 1) * x + b * y + dx
    flow[..., 1] = c * x + (d - 1) * y + dy
    return flow
