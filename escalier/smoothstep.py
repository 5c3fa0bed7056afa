"""The curve that starts and ends slowly."""

from typing import TypeVar

import numpy as np

Share = TypeVar("Share", float, np.float32, np.ndarray)


def smoothstep(share: Share) -> Share:
    """Where an even way 0..1 is when it leaves and arrives without a jerk: 3 s^2 - 2 s^3, in the type that comes in.

    >>> [round(smoothstep(share), 3) for share in (0.0, 0.25, 0.5, 1.0)]
    [0.0, 0.156, 0.5, 1.0]
    """
    return share * share * (3 - 2 * share)
