"""Masks over time where colours mislead: a thin leg that lifts over a mat, a textured wall behind a head that ducks."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion
from escalier.tracking import TrackedMasks, track_masks

WIDTH, HEIGHT, FRAMES = 400, 300, 16
HEAD_TOP, HAIR = 40, (72, 50, 48)
SHIN_TOP, FLOOR = 200, 272


class Clip(NamedTuple):
    mattes: np.ndarray  # float32 (N, H, W)
    tracked: TrackedMasks


def noise(seed: int, sigma: float) -> np.ndarray:
    grain = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 3)), (0, 0), sigma)
    return (grain / grain.std()).astype(np.float32)


def ducked(i: float) -> float:
    return float(60 * np.clip((i - 3) / 6, 0, 1))


def swung(i: float) -> float:
    return float(20 * np.clip((i - 4) / 6, 0, 1))


def silhouette(i: float) -> np.ndarray:
    """The figure in frame i: it ducks from frame 3 on, and the lower part of its left leg swings and lifts."""
    down, swing = ducked(i), swung(i)
    mask = np.zeros((4 * HEIGHT, 4 * WIDTH), np.uint8)

    def line(start: tuple[float, float], end: tuple[float, float], width: float) -> None:
        (x, y), (u, v) = start, end
        cv2.line(mask, (round(4 * x), round(4 * y)), (round(4 * u), round(4 * v)), 255, round(4 * width))

    cv2.ellipse(mask, (4 * 200, round(4 * (HEAD_TOP + 22 + down))), (88, 88), 0, 0, 360, 255, -1)
    line((200, HEAD_TOP + 40 + down), (200, 170), 56)
    line((184, 165), (176, SHIN_TOP), 22)
    line((176, SHIN_TOP), (176 + swing, FLOOR - 0.6 * swing), 15)
    line((216, 165), (228, FLOOR), 20)
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def make_clip(folder: Path) -> Clip:
    """A figure in off-white, blurred by its motion, on a mat of nearly its colour; a poster behind its head."""
    room = np.full((HEIGHT, WIDTH, 3), (112, 76, 74), np.float32) + 1.5 * noise(0, 2)
    room[30:130, 140:262] = np.array([70, 52, 50], np.float32) + 9 * noise(1, 1.2)[30:130, 140:262]
    room[180:] = np.array([130, 143, 131], np.float32) + 1.5 * noise(2, 2)[180:]
    cloth = np.full((HEIGHT, WIDTH, 3), (158, 153, 166), np.float32) + 7 * noise(3, 3)
    cloth[: HEAD_TOP + 46] = np.array(HAIR, np.float32) + 4 * noise(4, 3)[: HEAD_TOP + 46]
    pictures, mattes = [], []
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    for i in range(FRAMES):
        down, swing = ducked(i), swung(i)
        u = x - np.where(x < 208, swing * np.clip((y - SHIN_TOP) / (FLOOR - SHIN_TOP), 0, 1), 0)
        v = y - down * np.clip((SHIN_TOP - y) / 60, 0, 1)
        worn = cv2.remap(cloth, u, v, cv2.INTER_LINEAR) - 1.5 * np.clip(i - 3, 0, 8) * (y > SHIN_TOP)[..., None]
        matte = np.mean([silhouette(i + k / 4) for k in range(3)], axis=0)
        frame = room * (1 - matte[..., None]) + worn * matte[..., None]
        grain = np.random.default_rng(100 + i).normal(0, 1, frame.shape)
        pictures.append(np.clip(np.rint(frame + grain), 0, 255).astype(np.uint8))
        mattes.append(matte)
    film = ArrayFrames(np.stack(pictures))
    return Clip(np.stack(mattes), track_masks(film, {0: mattes[0]}, motion=Motion(film, folder)))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_clip(tmp_path_factory.mktemp("clip"))


@pytest.mark.slow
def test_a_thin_leg_is_not_lost_over_a_mat_of_nearly_its_colour(clip: Clip) -> None:
    found, true = (masks[:, SHIN_TOP + 8 :, 150:212] > 0.5 for masks in (clip.tracked.masks, clip.mattes))
    kept = (found & true).sum(axis=(1, 2)) / true.sum(axis=(1, 2))
    assert kept.min() > 0.75  # 0.15 at the end where colours alone decide what the flow is unsure of


@pytest.mark.slow
def test_the_wall_behind_a_head_that_ducks_does_not_stay_in_the_mask(clip: Clip) -> None:
    taken = ((clip.tracked.masks > 0.5) & (clip.mattes < 0.02))[:, :130].sum(axis=(1, 2))
    assert taken.max() < 300  # a spike of 1900 pixels where the flow is followed into what it uncovers
    assert taken[-5:].max() < 10
