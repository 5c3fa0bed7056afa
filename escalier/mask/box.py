"""The smallest box around a mask."""

import numpy as np

Box = tuple[slice, slice]
"""Rows and columns of a part of a picture: `picture[box]`."""


def box_around(mask: np.ndarray, margin_px: int = 0) -> Box:
    """The rows and columns of all that is not 0, with a margin, inside the picture; an empty box around nothing.

    >>> spot = np.zeros((20, 30), bool)
    >>> spot[4, 9] = True
    >>> box_around(spot, 2)
    (slice(2, 7, None), slice(7, 12, None))
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    top, left = max(0, int(rows[0]) - margin_px), max(0, int(columns[0]) - margin_px)
    bottom, right = (
        min(side, int(last) + margin_px + 1) for side, last in zip(mask.shape, (rows[-1], columns[-1]), strict=True)
    )
    return slice(top, bottom), slice(left, right)
