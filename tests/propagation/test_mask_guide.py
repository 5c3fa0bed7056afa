"""The mask guide: what the subject uncovers is painted as set, though its colours alone could be the subject's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from escalier.film import ArrayFrames, Motion
from escalier.keyframes import Keyframes
from escalier.propagation import propagate

HEIGHT, WIDTH, LENGTH = 64, 112, 6
SIDE, STEP = 30, 8


def texture(seed: int, height: int, width: int, scale: float, contrast: float) -> np.ndarray:
    """Cloud of grey round 120, float32 (H, W)."""
    noise = np.random.default_rng(seed).standard_normal((height, width)).astype(np.float32)
    cloud = cv2.GaussianBlur(noise, (0, 0), scale)
    return 120 + cloud / cloud.std() * contrast


def test_with_a_mask_a_moving_subject_is_not_dragged_over_the_set(tmp_path: Path) -> None:
    subject, scene = texture(0, SIDE, SIDE, 1.5, 25), texture(1, HEIGHT, WIDTH, 3, 10)
    frames, masks, painted = [], [], []
    for i in range(LENGTH):
        spot = np.s_[17 : 17 + SIDE, 14 + STEP * i : 14 + STEP * i + SIDE]
        grey, mask = scene.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
        picture = np.full((HEIGHT, WIDTH, 3), (40, 90, 160), np.uint8)
        grey[spot], mask[spot], picture[spot] = subject, 255, (230, 120, 40)
        frames.append(np.clip(grey, 0, 255).astype(np.uint8)[..., None].repeat(3, axis=2))
        masks.append(mask)
        painted.append(picture)
    film, keyframes = ArrayFrames(np.stack(frames)), Keyframes([0], [painted[0]], LENGTH)
    motion = Motion(film, tmp_path)
    near = (cv2.dilate(masks[-1], np.ones((25, 25))) > 0) & (masks[-1] == 0)
    dragged = {}
    for name, given in (("without", None), ("with", masks)):
        run = propagate(film, keyframes, folder=tmp_path, motion=motion, masks=given, threads=1).forward[0]
        dragged[name] = float(np.abs(run.frame(LENGTH - 1).astype(int) - painted[-1])[near].mean())
    assert dragged["without"] > 0.4, "the scene must be one in which the subject drags the set along"
    assert dragged["with"] < 0.2 * dragged["without"]
