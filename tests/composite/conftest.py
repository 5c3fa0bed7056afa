"""Hard masks, filmed-looking pictures, and the direct solution that every blend is measured against."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import splu


def textured(height: int, width: int, seed: int, tint: tuple[float, float, float] = (0, 0, 0)) -> np.ndarray:
    """A picture of broad colours, texture and grain, float32 0..1, made of 256 levels."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 127.0, np.float32) + np.float32(tint)
    for cells, amplitude in ((4, 42), (12, 21), (48, 12)):
        noise = rng.standard_normal((cells, cells, 3)).astype(np.float32)
        picture += amplitude * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    picture += rng.standard_normal(picture.shape).astype(np.float32) * 2
    return np.rint(np.clip(picture, 0, 255)).astype(np.float32) / np.float32(255)


def dancer(height: int, width: int) -> np.ndarray:
    """A body with limbs and a wavy outline, away from the border."""
    canvas = np.zeros((height, width), np.uint8)
    unit = height / 100

    def ellipse(x: float, y: float, a: float, b: float, angle: float) -> None:
        centre = (int(width / 2 + x * unit), int(y * unit))
        cv2.ellipse(canvas, centre, (int(a * unit), int(b * unit)), angle, 0, 360, 255, -1)

    ellipse(0, 18, 7, 9, 0)
    ellipse(0, 42, 13, 19, 8)
    ellipse(22, 32, 19, 4, -25)
    ellipse(-22, 38, 19, 4, 30)
    ellipse(12, 70, 20, 6, 62)
    ellipse(-13, 70, 20, 6, 115)
    noise = np.random.default_rng(3).standard_normal((height // 8 + 2, width // 8 + 2)).astype(np.float32)
    wave = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    mask = cv2.GaussianBlur(canvas, (0, 0), 1.5).astype(np.float32) / 255 + 0.25 * wave * (canvas > 0) > 0.5
    mask[:2] = mask[-2:] = False
    mask[:, :2] = mask[:, -2:] = False
    return mask


def hard_masks(height: int, width: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    full = np.ones((height, width), bool)
    half, one, corner, rows, columns = (full.copy() for _ in range(5))
    half[:, width // 2 :] = False
    one[height // 2 + 1, width // 3] = False
    corner[0, 0] = False
    rows[::2] = False
    columns[:, ::3] = False
    touching = np.roll(dancer(height, width), height // 3, axis=0)
    touching[-height // 4 :, width // 4 : width // 2] = True
    holes = dancer(height, width) & (rng.random((height, width)) > 0.05)
    pixel = np.zeros((height, width), bool)
    pixel[height // 2, width // 2] = True
    return {
        "dancer": dancer(height, width),
        "touching the border": touching,
        "half the frame": half,
        "all but one pixel": one,
        "all but a corner": corner,
        "pinholes 1 %": rng.random((height, width)) > 0.01,
        "random 50 %": rng.random((height, width)) > 0.5,
        "stripes along rows": rows,
        "stripes along columns": columns,
        "holes and components": holes,
        "one pixel": pixel,
    }


HARD_MASKS = hard_masks(97, 131)
ODD_SIZES = ((1, 40), (40, 1), (2, 2), (3, 200), (33, 32), (64, 65))


def guidance(own: np.ndarray, other: np.ndarray, gradients: str) -> np.ndarray:
    """The guidance field along edges, from the differences of source and target along them."""
    if gradients == "import":
        return own
    if gradients == "mixed":
        return np.where(np.abs(other) > np.abs(own) + 1e-6, other, own)  # equal ones go to the source
    if gradients == "average":
        return (own + other) / 2
    grey = own @ np.array([0.2126, 0.7152, 0.0722])
    return np.repeat(grey[..., None], 3, axis=-1)


def solve_directly(
    source: np.ndarray, target: np.ndarray, mask: np.ndarray, gradients: str = "import", screening: float = 0.0
) -> np.ndarray:
    """The blend by a sparse factorisation in float64, edge by edge as the paper writes it."""
    source, target = source.astype(np.float64), target.astype(np.float64)
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(mask.sum())
    count = int(mask.sum())
    diagonal, right = np.full(count, screening), screening * source[mask]
    rows, columns = [], []
    for axis in (0, 1):
        near = (slice(None, -1), slice(None)) if axis == 0 else (slice(None), slice(None, -1))
        far = (slice(1, None), slice(None)) if axis == 0 else (slice(None), slice(1, None))
        field = guidance(source[far] - source[near], target[far] - target[near], gradients)
        for here, there, flow in ((near, far, -field), (far, near, field)):
            inside = mask[here]
            p = number[here][inside]
            np.add.at(diagonal, p, 1)
            np.add.at(right, p, flow[inside])
            q = number[there][inside]
            at_rim = q < 0
            np.add.at(right, p[at_rim], target[there][inside][at_rim])
            rows.append(p[~at_rim])
            columns.append(q[~at_rim])
    i, j = np.concatenate(rows), np.concatenate(columns)
    places = (np.concatenate([np.arange(count), i]), np.concatenate([np.arange(count), j]))
    matrix = sparse.csc_matrix((np.concatenate([diagonal, np.full(len(i), -1.0)]), places), shape=(count, count))
    solution = target.copy()
    solution[mask] = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(right)
    return solution


@pytest.fixture(scope="session")
def direct_solution() -> Callable[..., np.ndarray]:
    return solve_directly


@pytest.fixture(scope="session")
def picture_pair() -> Callable[[int, int], tuple[np.ndarray, np.ndarray]]:
    """Source and target of a size."""

    def pair(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
        return textured(height, width, 11, (25, 0, -25)), textured(height, width, 12)

    return pair


@pytest.fixture(params=list(HARD_MASKS), scope="session")
def hard_mask(request: pytest.FixtureRequest) -> np.ndarray:
    return HARD_MASKS[request.param]


@pytest.fixture(scope="session")
def dancer_mask() -> np.ndarray:
    return HARD_MASKS["dancer"]


@pytest.fixture(params=ODD_SIZES, ids=lambda size: f"{size[1]}x{size[0]}", scope="session")
def odd_size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return request.param
