"""Pictures with known answers, and EbSynth's energy written out plainly for one pixel at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

EnergyAt = Callable[..., tuple[float, float]]


def in_levels(picture: np.ndarray) -> np.ndarray:
    """float64 (H, W, C) in 8-bit levels."""
    scale = 1.0 if picture.dtype == np.uint8 else 255.0
    return picture.reshape(*picture.shape[:2], -1).astype(np.float64) * scale


@pytest.fixture(scope="session")
def energy_at() -> EnergyAt:
    """Error and its guide part at one target pixel, from the definition; patches repeat the rim where they leave."""

    def evaluate(
        pixel: tuple[int, int],
        style: np.ndarray,
        image: np.ndarray,
        nnf: np.ndarray,
        source_guides: Sequence[np.ndarray],
        target_guides: Sequence[np.ndarray],
        weights: Sequence[float],
        *,
        style_weight: float = 1.0,
        patch_size: int = 5,
        modulation: Sequence[np.ndarray | None] | None = None,
    ) -> tuple[float, float]:
        reach = range(-(patch_size // 2), patch_size // 2 + 1)
        row, column = pixel
        source_row, source_column = nnf[pixel]
        last_row, last_column = nnf.shape[0] - 1, nnf.shape[1] - 1

        def squares(source: np.ndarray, target: np.ndarray) -> np.ndarray:
            """Sum over the patch, for each channel."""
            source, target = in_levels(source), in_levels(target)
            total = np.zeros(source.shape[2])
            for dy in reach:
                for dx in reach:
                    place = min(max(row + dy, 0), last_row), min(max(column + dx, 0), last_column)
                    total += (source[source_row + dy, source_column + dx] - target[place]) ** 2
            return total

        guide_error = 0.0
        for g, (source, target, weight) in enumerate(zip(source_guides, target_guides, weights, strict=True)):
            channels = squares(source, target)
            if modulation is not None and modulation[g] is not None:
                channels = channels * (in_levels(modulation[g])[row, column] / 255)
            guide_error += weight / len(channels) * channels.sum()
        return guide_error + style_weight * squares(style, image).mean(), guide_error

    return evaluate


@pytest.fixture(scope="session")
def positions() -> Callable[[int, int], np.ndarray]:
    """A guide of two channels, float32 0..1: the row and the column of every pixel, over 256."""

    def make(height: int, width: int) -> np.ndarray:
        return np.stack(np.mgrid[:height, :width], axis=-1).astype(np.float32) / 256

    return make
