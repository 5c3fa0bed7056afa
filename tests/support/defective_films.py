"""A small moving scene, its ideal restyle, and ten ways in which a restyle goes wrong: each a figure's own case.

A textured set pans slowly, a textured disc turns and crosses it; both cover and uncover. The ideal restyle has the
same geometry and another painting on it. Every film is uint8 (N, H, W, 3).
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

WIDTH, HEIGHT, LENGTH = 320, 180, 36
MARGIN = 60
KEYFRAMES = (0, 12, 24, 35)
RADIUS = 38


def texture(seed: int, *, sigma_px: float = 1.4, low: int = 20, high: int = 235) -> np.ndarray:
    """Coarse and fine blotches, float32 0..1, larger than the frame."""
    shape = (HEIGHT + 2 * MARGIN, WIDTH + 2 * MARGIN, 3)
    random = np.random.default_rng(seed)
    coarse, fine = (
        cv2.normalize(cv2.GaussianBlur(random.random(shape, np.float32), (0, 0), s), None, -1, 1, cv2.NORM_MINMAX)
        for s in (9.0, sigma_px)
    )
    return np.clip((low + high) / 510 + (high - low) / 510 * (0.6 * coarse + 0.6 * fine), 0, 1).astype(np.float32)


def render(set_texture: np.ndarray, disc_texture: np.ndarray, index: int, *, drag: float = 0.0, nudge=(0, 0)):
    """The scene at a frame, float32 0..1. `drag` of the disc's own motion is given to the set; all is nudged by px."""
    across = 3.1 * index
    pan = np.float32([[1, 0, -MARGIN + 0.7 * index + drag * across], [0, 1, -MARGIN + 0.25 * index]])
    picture = cv2.warpAffine(set_texture, pan, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    centre = (70 + across, 95 + 12 * np.sin(index / 7))
    turn = cv2.getRotationMatrix2D((120, 120), 1.3 * index, 1)
    turn[:, 2] += np.array(centre) - 120
    disc = cv2.warpAffine(disc_texture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    cover = np.clip(RADIUS - np.hypot(x - centre[0], y - centre[1]) + 0.5, 0, 1).astype(np.float32)[..., None]
    picture = picture + cover * (disc - picture)
    shift = np.float32([[1, 0, nudge[0]], [0, 1, nudge[1]]])
    return cv2.warpAffine(picture, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE) if any(nudge) else picture


def film(frame: Callable[[int], np.ndarray]) -> np.ndarray:
    frames = np.stack([frame(index) for index in range(LENGTH)])
    return np.rint(np.clip(frames, 0, 1) * 255).astype(np.uint8)


def filmed(index: int) -> np.ndarray:
    noise = np.random.default_rng([7, index]).normal(0, 0.008, (HEIGHT, WIDTH, 3))
    return render(texture(1), texture(2), index) + noise


def ideal(index: int, **how: object) -> np.ndarray:
    return render(texture(11, low=60, high=250), texture(12, low=10, high=190), index, **how)


def flicker(index: int) -> np.ndarray:
    random = np.random.default_rng([3, index])
    strokes = cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH, 3)).astype(np.float32), (0, 0), 1.5)
    return ideal(index) + 0.25 * strokes + random.normal(0, 0.04, 3)


GRID_COLOURS = np.float32([(0, 0, 0), (0.09, 0.0, -0.07), (-0.05, 0.06, 0.05), (0.08, -0.06, 0.04)])
NUDGES = ((0, 0), (4, 2), (-3, 3), (3, -4))


def of_grid(index: int, fade_frames: int) -> tuple[int, int, float]:
    """Which two of four grids are seen at a frame, and how much of the second."""
    span = LENGTH // 4
    grid = min(index // span, 3)
    until = (grid + 1) * span - index
    weight = 1 - until / (fade_frames + 1) if until <= fade_frames else 0.0
    return grid, min(grid + 1, 3), weight


def grid_colour(index: int, fade_frames: int = 0) -> np.ndarray:
    one, other, weight = of_grid(index, fade_frames)
    return ideal(index) + (1 - weight) * GRID_COLOURS[one] + weight * GRID_COLOURS[other]


def misaligned(index: int, fade_frames: int = 0) -> np.ndarray:
    one, other, weight = of_grid(index, fade_frames)
    return (1 - weight) * ideal(index, nudge=NUDGES[one]) + weight * ideal(index, nudge=NUDGES[other])


def boil(index: int) -> np.ndarray:
    random = np.random.default_rng([5, index // 3])
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    wander = [cv2.GaussianBlur(random.normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32), (0, 0), 12) for _ in range(2)]
    right, down = (1.4 * field / field.std() for field in wander)
    return cv2.remap(ideal(index), x + right, y + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def decay(index: int) -> np.ndarray:
    away = index % 12
    return ideal(index) if away == 0 else cv2.GaussianBlur(ideal(index), (0, 0), 0.35 * away)


def shower_door(index: int) -> np.ndarray:
    fixed = texture(31, sigma_px=1.2)[:HEIGHT, :WIDTH] - 0.5
    return cv2.GaussianBlur(ideal(index), (0, 0), 4) + 0.6 * fixed


def blur(index: int) -> np.ndarray:
    return cv2.GaussianBlur(ideal(index), (0, 0), 3)


DEFECTS: dict[str, tuple[Callable[[int], np.ndarray], str]] = {
    "per-frame flicker": (flicker, "warp_error"),
    "hard grid colour jump": (grid_colour, "colour_step"),
    "faded grid colour jump": (lambda index: grid_colour(index, 6), "colour_drift"),
    "misaligned fade": (lambda index: misaligned(index, 8), "warp_error_long"),
    "misaligned hard cut": (misaligned, "pop"),
    "dragged background": (lambda index: ideal(index, drag=0.35), "warp_error_long"),
    "line boil": (boil, "warp_error"),
    "decay": (decay, "sharpness"),
    "shower door": (shower_door, "motion_error"),
    "blur": (blur, "sharpness"),
}
"""How each film is made, and the figure that must find it."""
