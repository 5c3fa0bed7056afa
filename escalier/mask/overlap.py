"""How far two masks agree."""

import numpy as np


def soft_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of two masks 0..1, soft ones included; 0 where both are empty.

    >>> soft_overlap(np.float32([1, 1, 0]), np.float32([1, 0.5, 0]))
    0.75
    """
    union = float(np.maximum(one, other).sum(dtype=np.float64))
    return float(np.minimum(one, other).sum(dtype=np.float64)) / union if union else 0.0
