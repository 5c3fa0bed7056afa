"""The fade by error: each pixel passes once from one run to the other, where the sum of their guide errors is least."""

from collections.abc import Callable

import cv2
import numpy as np


def best_switch(
    errors: Callable[[int], tuple[np.ndarray, np.ndarray]], frames: range, size: tuple[int, int], smooth_px: float
) -> np.ndarray:
    """When each pixel had best leave the earlier run: the frame before which it shows that one, after which the later.

    For a switch at time T, the pixel's errors sum to sum(earlier_t, t < T) + sum(later_t, t >= T). The T that makes
    this least is found in one pass with three maps in memory, because only the running sum of the differences matters.
    Errors are smoothed in space first, so that neighbours agree; a pixel that switches once cannot flicker.

    Jamriska et al., "Stylizing Video by Example" (2019), section 4, choose anew in every frame and carry the choice
    along by the flow; here time is regularised exactly instead.

    Parameters
    ----------
    errors
        Frame -> the guide errors of the earlier and of the later run, float (H, W) each.
    frames
        Those that may show either run.
    size
        (width, height) of the map to make; the errors are reduced to it.
    smooth_px
        Standard deviation of the smoothing, in pixels of that map.

    Returns
    -------
    numpy.ndarray
        float32 (height, width), from frames.start - 0.5 (the later run is better throughout) to frames.stop - 0.5.

    The later run is the better one from frame 4 on, so the switch lies between 3 and 4:

    >>> falling = lambda t: (np.full((8, 8), 3.0), np.full((8, 8), 3.5 + (3.5 - t)))
    >>> float(best_switch(falling, range(1, 7), (8, 8), 0.0).mean())
    3.5
    """
    width, height = size
    total = np.zeros((height, width), np.float32)
    least = total.copy()
    when = np.full((height, width), frames.start - 0.5, np.float32)
    for index in frames:
        earlier, later = errors(index)
        difference = cv2.resize(earlier.astype(np.float32) - later, size, interpolation=cv2.INTER_AREA)
        if smooth_px > 0:
            difference = cv2.GaussianBlur(difference, (0, 0), smooth_px)
        total += difference
        better = total < least
        least[better] = total[better]
        when[better] = index + 0.5
    return when
