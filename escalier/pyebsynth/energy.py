"""The energy that EbSynth minimises, of any result, plainly: the yardstick for every engine and its tests.

E(p) = sum over the patch of the weighted squared differences of style and guides between p and its match s(p), plus
uniformity times omega(s(p)). omega is how much the patch round s(p) is used, 1 where use is even.

EbSynth matches whole pixels. Where s(p) lies between them, style and guides are sampled there, by Lanczos' kernel as
in `sub_pixel`; at whole pixels both ways give the same figure.
"""

from typing import NamedTuple

import cv2
import numpy as np

from .problem import Problem


class Energy(NamedTuple):
    """Means over the target, in 8-bit levels squared."""

    guide: float
    style: float
    omega: float
    """Mean usage of the matched patches; 1 is perfectly even."""
    total: float


def measure_energy(problem: Problem, image: np.ndarray, nnf: np.ndarray) -> Energy:
    """The mean energy of a picture and its field, whatever engine made them.

    Parameters
    ----------
    problem
        What was asked for; its masks and modulation are left out of account.
    image
        (H, W, C), the stylised target, of the style's type.
    nnf
        (H, W, 2), (row, column): int, or float for matches between the pixels.

    >>> from escalier.pyebsynth import build_problem
    >>> picture = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
    >>> own_places = np.stack(np.mgrid[:32, :40], axis=-1)
    >>> measure_energy(build_problem(picture, [picture], [picture]), picture, own_places).style
    0.0
    """
    error, guide_error = patch_errors(problem, image, nnf)
    usage = float(patch_usage(problem, nnf).mean())
    guide, both = float(guide_error.mean(dtype=np.float64)), float(error.mean(dtype=np.float64))
    return Energy(guide, both - guide, usage, both + problem.matching.uniformity * usage)


def patch_errors(problem: Problem, image: np.ndarray, nnf: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """float32 (H, W): error and its guide part, for every target pixel. Patches repeat the rim where they leave."""
    guide_error = np.zeros(nnf.shape[:2], np.float32)
    pairs = zip(problem.source_guides, problem.target_guides, strict=True)
    for g, (source, target) in enumerate(pairs):
        modulation = problem.modulation[g] if problem.modulation is not None else None
        guide_error += problem.guide_weights[g] * _squares(source, target, nnf, problem.matching.patch_size, modulation)
    style_error = problem.style_weight * _squares(problem.style, image, nnf, problem.matching.patch_size, None)
    return guide_error + style_error, guide_error


def patch_usage(problem: Problem, nnf: np.ndarray) -> np.ndarray:
    """float64 (H, W): usage of the patch that each target pixel is matched to, over that of an even use."""
    nnf = np.rint(nnf).astype(np.int64)
    size, r = problem.matching.patch_size, problem.matching.patch_size // 2
    rows, columns = problem.source_size
    matches = np.zeros((rows, columns), np.int64)
    np.add.at(matches, (nnf[..., 0], nnf[..., 1]), 1)
    covered = _box_sum(_box_sum(matches, r), r)
    even = nnf.shape[0] * nnf.shape[1] / (rows * columns) * size**4
    return covered[nnf[..., 0], nnf[..., 1]] / even


def _box_sum(counts: np.ndarray, r: int) -> np.ndarray:
    padded = np.pad(counts, r)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * r + 1, 2 * r + 1))
    return windows.sum(axis=(2, 3))


def _squares(
    source: np.ndarray, target: np.ndarray, nnf: np.ndarray, patch_size: int, modulation: np.ndarray | None
) -> np.ndarray:
    """Sum over patch and channels of squared differences in 8-bit levels, float32 (H, W)."""
    r = patch_size // 2
    source, target = (side * np.float32(1 if side.dtype == np.uint8 else 255) for side in (source, target))
    height, width = nnf.shape[:2]
    total = np.zeros((height, width), np.float32)
    for dy in range(-r, r + 1):
        rows = np.clip(np.arange(height) + dy, 0, height - 1)
        for dx in range(-r, r + 1):
            columns = np.clip(np.arange(width) + dx, 0, width - 1)
            places = [np.clip(nnf[..., k] + d, 0, source.shape[k] - 1) for k, d in ((0, dy), (1, dx))]
            difference = (target[rows][:, columns] - _sample(source, *places)) ** 2
            if modulation is not None:
                difference = difference * modulation
            total += difference.sum(axis=2)
    return total


def _sample(picture: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """What lies at these places of a picture in 8-bit levels, (H, W, C), float32."""
    if not np.issubdtype(rows.dtype, np.floating):
        return picture[rows, columns]
    x, y = columns.astype(np.float32), rows.astype(np.float32)
    between = [
        cv2.remap(plane, x, y, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REPLICATE) for plane in cv2.split(picture)
    ]
    return np.clip(np.stack(between, axis=-1), 0, 255)
