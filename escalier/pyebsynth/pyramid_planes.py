"""Both sides of a problem as planes, on every level of the pyramid."""

from dataclasses import dataclass

import numpy as np

from .layout import Layout, new_plane
from .problem import Problem
from .pyramid import extend_edges, halve
from .regions import source_levels, target_levels


@dataclass(frozen=True)
class Level:
    """Both sides as flat interleaved planes; the target's has a margin of half a patch. Masks are uint8."""

    source: np.ndarray
    source_size: tuple[int, int]
    target: np.ndarray
    target_size: tuple[int, int]
    modulation: np.ndarray | None
    forbidden: np.ndarray | None
    matched: np.ndarray


def build_levels(problem: Problem, layout: Layout, patch_size: int, count: int) -> list[Level]:
    """All levels, finest first."""
    r, channels = patch_size // 2, len(layout.channels)
    source_size, target_size = problem.source_size, problem.target_size
    source = layout.pack(problem.style, problem.source_guides, 0)
    target = layout.pack(None, problem.target_guides, r)
    modulation = layout.pack_modulation(problem.modulation, *target_size) if problem.modulation else None
    forbidden: list[np.ndarray] | list[None] = [None] * count
    if problem.source_mask is not None:
        forbidden = source_levels(problem.source_mask, count, patch_size)
    painted = np.ones(target_size, bool) if problem.target_mask is None else problem.target_mask
    matched = target_levels(painted, count, patch_size)
    levels = []
    for number in range(count):
        if number:
            source, source_size = _half(source, source_size, 0, channels)
            target, target_size = _half(target, target_size, r, channels)
            if modulation is not None:
                modulation = _half_picture(modulation)
        extend_edges(target, *target_size, r, channels, channels)
        flat = None if modulation is None else modulation.reshape(-1)
        levels.append(Level(source, source_size, target, target_size, flat, forbidden[number], matched[number]))
    return levels


def _half(plane: np.ndarray, size: tuple[int, int], margin: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
    height, width = size[0] // 2, size[1] // 2
    coarse = new_plane(height, width, channels, margin)
    halve(plane, *size, margin, coarse, channels)
    return coarse, (height, width)


def _half_picture(picture: np.ndarray) -> np.ndarray:
    height, width, channels = picture.shape[0] // 2, picture.shape[1] // 2, picture.shape[2]
    return picture[: 2 * height, : 2 * width].reshape(height, 2, width, 2, channels).mean(axis=(1, 3))
