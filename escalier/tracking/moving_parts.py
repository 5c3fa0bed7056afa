"""What moves with the subject, while the set around it stands still, belongs to it, whatever it looks like.

All motion here is relative to the camera's: the flow less what a moving camera alone would cause.
"""

from __future__ import annotations

import cv2
import numpy as np

MOVING_PX = np.float32(0.75)
"""A pixel moves from here on, and surely from twice that."""
LIKE_SUBJECT = np.float32(0.5)
"""Share of its motion by which a pixel may depart from that of the subject beside it."""
OTHERS_PX, OTHERS_FROM_PX, OTHERS_WINDOW_PX = 1.5, 28.0, 151
"""What moves by so much, so far from the subject that flow does not smear over it, is something else that moves."""
FEW_OTHERS = np.float32(1 / 8)
"""Where that is so large a share of what surrounds a pixel, motion tells nothing about it."""


def moving(relative: np.ndarray) -> np.ndarray:
    """How surely each pixel moves, 0..1; `relative` is float32 (H, W, 2).

    >>> moving(np.float32([[[0.5, 0], [1.125, 0], [3, 4]]])).tolist()
    [[0.0, 0.5, 1.0]]
    """
    return np.clip(np.linalg.norm(relative, axis=2) / MOVING_PX - 1, 0, 1)


def moving_like(relative: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """How surely each pixel moves as the subject beside it does, 0..1; both are float32 (H, W, 2).

    >>> moving_like(np.float32([[[4, 0], [0, 0], [-4, 0]]]), np.float32([[[4, 0]] * 3])).round(3).tolist()
    [[1.0, 0.0, 0.0]]
    """
    length = np.linalg.norm(relative, axis=2) + np.float32(1e-3)
    apart = np.linalg.norm(relative - subject, axis=2) / length
    return moving(relative) * np.exp(-np.square(apart / LIKE_SUBJECT))


def others_moving(relative: np.ndarray, label: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """How far something else that moves is near each pixel, 0..1.

    Parameters
    ----------
    relative
        float32 (H, W, 2).
    label, distance
        float32 (H, W): below 0 around the subject; pixels to its outline.

    >>> label, distance = np.full((200, 400), -1, np.float32), np.full((200, 400), 50, np.float32)
    >>> relative = np.zeros((200, 400, 2), np.float32)
    >>> relative[:, :100] = 3
    >>> others_moving(relative, label, distance)[100, ::133].round(2).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    far = ((label < 0) & (distance > OTHERS_FROM_PX)).astype(np.float32)
    moved = far * (np.linalg.norm(relative, axis=2) > OTHERS_PX)
    window = (OTHERS_WINDOW_PX, OTHERS_WINDOW_PX)
    share = cv2.blur(moved, window) / (cv2.blur(far, window) + np.float32(1e-3))
    return np.minimum(share / FEW_OTHERS, 1)
