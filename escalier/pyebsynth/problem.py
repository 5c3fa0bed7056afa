"""What to synthesise and how: the checked arguments of `synthesise`, as every engine receives them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .matching import Matching


class Synthesis(NamedTuple):
    """What `synthesise` returns. Errors are EbSynth's energy, in 8-bit levels squared, summed over the patch."""

    image: np.ndarray
    """(H, W, C): the target painted in the style, of the style's type; 0 outside the target mask."""
    nnf: np.ndarray
    """int32 (H, W, 2): (row, column) of the centre of the matched patch in the source."""
    error: np.ndarray
    """float32 (H, W): weighted squared differences of style and guides over the patch, without uniformity."""
    guide_error: np.ndarray
    """float32 (H, W): the part of `error` that the guides make."""


@dataclass(frozen=True)
class Problem:
    """One synthesis, checked and in a fixed form: contiguous (H, W, C) arrays, uint8 or float32 0..1."""

    style: np.ndarray
    source_guides: tuple[np.ndarray, ...]
    target_guides: tuple[np.ndarray, ...]
    style_weight: float
    """Of one style channel: already divided by their number."""
    guide_weights: tuple[float, ...]
    """Of one channel of each guide: already divided by their number."""
    modulation: tuple[np.ndarray | None, ...] | None
    """float32 (H, W, 1 or C), 0..1, one for each guide."""
    matching: Matching
    pyramid_levels: int
    initial_nnf: np.ndarray | None
    """int32 (H, W, 2), (row, column); negative where a pixel starts cold."""
    warm_levels: int
    """At most `pyramid_levels`."""
    source_mask: np.ndarray | None
    """bool (H, W): may be copied from."""
    target_mask: np.ndarray | None
    """bool (H, W): is to be painted."""
    seed: int

    @property
    def source_size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.style.shape[0], self.style.shape[1]

    @property
    def target_size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return self.target_guides[0].shape[0], self.target_guides[0].shape[1]
