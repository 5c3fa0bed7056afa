"""Masks over time on plain clothes, which look the same wherever they go; from one mask, against exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion
from escalier.tracking import track_masks

WIDTH, HEIGHT, FRAMES = 400, 260, 20
BLACK, RED = (16, 16, 18), (150, 52, 60)
PILLAR = slice(188, 214)
Colour = tuple[int, int, int]


class Clip(NamedTuple):
    mattes: np.ndarray  # float32 (N, H, W)
    masks: np.ndarray


def noise(seed: int, sigma: float) -> np.ndarray:
    grain = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 3)), (0, 0), sigma)
    return (grain / grain.std()).astype(np.float32)


def silhouette(i: float, raised: bool) -> np.ndarray:
    """A body that walks to the right: its legs cross, and its arm swings, or is raised over the picture's edge."""
    mask = np.zeros((4 * HEIGHT, 4 * WIDTH), np.uint8)
    x, swing = 110 + 9 * i, np.sin(i / 2.5)

    def line(start: tuple[float, float], end: tuple[float, float], width: float) -> None:
        (a, b), (c, d) = start, end
        cv2.line(mask, (round(4 * a), round(4 * b)), (round(4 * c), round(4 * d)), 255, round(4 * width))

    cv2.circle(mask, (round(4 * x), 4 * 52), 4 * 17, 255, -1)
    line((x, 84), (x, 140), 40)
    for side in (-1, 1):
        line((x, 150), (x + 34 * side * swing, 226), 24)
    angle = 1.8 + 1.1 * np.sin(np.pi * i / (FRAMES - 1)) if raised else 0.6 * swing
    line((x + 8, 86), (x + 8 + 96 * np.sin(angle), 86 + 96 * np.cos(angle)), 17)
    return cv2.resize(mask, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def make_clip(
    folder: Path, cloth: Colour, wall: Colour, contrast: float, *, raised: bool = False, pillar: bool = False
) -> Clip:
    """Tracked from the first mask; behind a pillar, from the first and the last."""
    room = np.float32(wall) + contrast * noise(1, 4)
    post = np.float32((60, 110, 70)) + 10 * noise(2, 3)
    folds = np.float32(cloth) + 1.5 * noise(3, 12)
    pictures, mattes = [], []
    for i in range(FRAMES):
        matte = silhouette(i, raised)
        frame = room * (1 - matte[..., None]) + np.roll(folds, 9 * i, axis=1) * matte[..., None]
        if pillar:
            frame[:, PILLAR], matte[:, PILLAR] = post[:, PILLAR], 0
        grain = np.random.default_rng(100 + i).normal(0, 1, frame.shape)
        pictures.append(np.clip(np.rint(frame + grain), 0, 255).astype(np.uint8))
        mattes.append(matte)
    film = ArrayFrames(np.stack(pictures))
    given = {i: mattes[i] for i in ((0, FRAMES - 1) if pillar else (0,))}
    return Clip(np.stack(mattes), track_masks(film, given, motion=Motion(film, folder)).masks)


def overlaps(clip: Clip) -> np.ndarray:
    found, true = clip.masks > 0.5, clip.mattes > 0.5
    return (found & true).sum(axis=(1, 2)) / (found | true).sum(axis=(1, 2))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cloth", "wall", "contrast"),
    [
        pytest.param(RED, (120, 128, 136), 14, id="one colour in a textured room"),
        pytest.param(RED, (196, 192, 184), 2, id="one colour before a plain wall"),
        pytest.param(BLACK, (44, 38, 48), 4, id="black on a dark stage"),
    ],
)
def test_plain_clothes_stay_in_the_mask(tmp_path: Path, cloth: Colour, wall: Colour, contrast: float) -> None:
    found = overlaps(make_clip(tmp_path, cloth, wall, contrast))
    assert found.mean() > 0.93
    assert found.min() > 0.85


@pytest.mark.slow
def test_an_arm_that_leaves_the_picture_comes_back_into_the_mask(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, RED, (120, 128, 136), 14, raised=True)
    assert clip.mattes[FRAMES // 2, 0].max() == 1  # it reaches over the edge
    assert overlaps(clip).min() > 0.9


@pytest.mark.slow
def test_plain_clothes_still_go_behind_a_pillar(tmp_path: Path) -> None:
    clip = make_clip(tmp_path, BLACK, (110, 104, 96), 12, pillar=True)
    assert overlaps(clip).mean() > 0.93
    on_pillar = (clip.masks > 0.5)[:, :, PILLAR].sum(axis=(1, 2))
    assert on_pillar.max() < 0.15 * HEIGHT * (PILLAR.stop - PILLAR.start)
