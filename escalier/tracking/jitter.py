"""How unsteady a mask is over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from escalier.arguments import checked


@checked
def area_jitter(masks: np.ndarray | Sequence[np.ndarray]) -> float:
    """How much the masks' area trembles: the mean of its second difference, as a share of the mean area.

    A subject that grows or shrinks evenly has 0. Areas that alternate by 1 % have 0.02.

    Parameters
    ----------
    masks
        (N, H, W), any scale, one for each frame.

    Returns
    -------
    0 and more; 0 for less than three masks, or empty ones.

    >>> grown = np.stack([np.full((4, 4), area) for area in (0.1, 0.2, 0.3, 0.4)])
    >>> round(area_jitter(grown), 6)
    0.0
    >>> trembling = np.stack([np.full((4, 4), area) for area in (0.5, 0.51, 0.5, 0.51)])
    >>> round(area_jitter(trembling), 3)
    0.04
    """
    areas = np.array([float(np.asarray(mask).sum(dtype=np.float64)) for mask in masks])
    if len(areas) < 3 or areas.mean() == 0:
        return 0.0
    return float(np.abs(np.diff(areas, n=2)).mean() / areas.mean())
