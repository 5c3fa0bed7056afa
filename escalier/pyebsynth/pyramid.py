"""The pyramid: every level halves the one below by the mean of 2x2 pixels.

Level sizes are int(size / 2^k), as in the original. A pixel of a level stands for exactly 2x2 pixels of the next finer
one (an odd last row or column is left over), so the rule for matches, twice the place plus the parity, holds exactly.
The original samples single points instead, which aliases.
"""

from dataclasses import dataclass

import numpy as np

from escalier.kernel_cache import njit

from .layout import Layout, new_plane
from .problem import Problem
from .regions import source_levels, target_levels


def largest_pyramid(smallest_side: int, patch_size: int) -> int:
    """The most levels that keep every side of the coarsest at 2 * patch_size + 1 pixels or more; at least 1.

    >>> largest_pyramid(540, 5)
    6
    """
    levels = 1
    while smallest_side >> levels >= 2 * patch_size + 1:
        levels += 1
    return levels


@njit(cache=True, nogil=True)
def halve(fine, height, width, margin, coarse, channels):
    """Mean of 2x2 pixels of an interleaved plane (height x width without its margin) into the next coarser one."""
    stride = (width + 2 * margin) * channels
    coarse_stride = (width // 2 + 2 * margin) * channels
    for y in range(height // 2):
        for x in range(width // 2):
            p = (2 * y + margin) * stride + (2 * x + margin) * channels
            q = (y + margin) * coarse_stride + (x + margin) * channels
            for c in range(channels):
                top = fine[p + c] + fine[p + c + channels]
                below = fine[p + stride + c] + fine[p + stride + c + channels]
                coarse[q + c] = (top + below + 2) >> 2


@njit(cache=True, nogil=True)
def extend_edges(plane, height, width, margin, channels, first_channels):
    """Repeat the rim of a plane into its margin, for the first channels of every pixel."""
    stride = width + 2 * margin
    for y in range(height + 2 * margin):
        inner_y = min(max(y, margin), height + margin - 1)
        for x in range(stride):
            inner_x = min(max(x, margin), width + margin - 1)
            if inner_y != y or inner_x != x:
                for c in range(first_channels):
                    plane[(y * stride + x) * channels + c] = plane[(inner_y * stride + inner_x) * channels + c]


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
    """Both sides of a problem as planes on all levels, finest first."""
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
                height, width = target_size
                quads = modulation[: 2 * height, : 2 * width].reshape(height, 2, width, 2, channels)
                modulation = quads.mean(axis=(1, 3))
        extend_edges(target, *target_size, r, channels, channels)
        flat = None if modulation is None else modulation.reshape(-1)
        levels.append(Level(source, source_size, target, target_size, flat, forbidden[number], matched[number]))
    return levels


def _half(plane: np.ndarray, size: tuple[int, int], margin: int, channels: int) -> tuple[np.ndarray, tuple[int, int]]:
    height, width = size[0] // 2, size[1] // 2
    coarse = new_plane(height, width, channels, margin)
    halve(plane, *size, margin, coarse, channels)
    return coarse, (height, width)
