"""The exact Euclidean distance from every pixel to the edge of a mask, in pixels.

P. Felzenszwalb, D. Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012: distances
along the columns first, then along each row the lower envelope of the parabolas that they make. Linear in the number of
pixels, whatever the distance.
"""

import numpy as np

from escalier.arguments import checked
from escalier.kernel_cache import njit
from escalier.refusals import Refusal

_kernel = njit(cache=True, nogil=True, error_model="numpy")


@_kernel
def _along_columns(inside, there, most):
    """Distance of every pixel to the nearest one of its column where inside == there, at most `most`."""
    height, width = inside.shape
    one = np.float32(1)
    out = np.empty((height, width), np.float32)
    for i in range(height):
        above = max(i - 1, 0)
        for j in range(np.uint64(width)):  # unsigned, so that numba can vectorise the loop
            further = most if i == 0 else min(out[above, j] + one, most)
            out[i, j] = np.float32(0) if inside[i, j] == there else further
    for i in range(height - 2, -1, -1):
        for j in range(np.uint64(width)):
            out[i, j] = min(out[i, j], out[i + 1, j] + one)
    return out


@_kernel
def _fill_side(inside, there, most, sign, out):
    """Where inside != there: out = sign * the distance to the edge, at most `most`."""
    height, width = inside.shape
    beyond = most + np.float32(0.5)  # from centre to centre
    column = _along_columns(inside, there, beyond)
    # The envelope of row i: parabola n stands at roots[n], is heights[n] there, and is lowest from starts[n] on.
    roots, heights, starts = np.empty(width, np.int32), np.empty(width, np.float32), np.empty(width + 1, np.float32)
    for i in range(height):
        n = -1
        for j in range(width):
            if column[i, j] >= beyond:
                continue
            if column[i, j] == 0 and 0 < j < width - 1 and column[i, j - 1] == 0 and column[i, j + 1] == 0:
                continue  # its neighbours are nearer to whatever asks
            here, start = column[i, j] ** 2 + np.float32(j) ** 2, np.float32(-1)
            while n >= 0:
                start = (here - heights[n]) / np.float32(2 * (j - roots[n]))
                if start > starts[n]:
                    break
                n -= 1
            n += 1
            roots[n], heights[n], starts[n] = j, here, start if n > 0 else np.float32(-1)
        k = 0
        for j in range(width):
            if inside[i, j] == there:
                continue
            if n < 0:
                out[i, j] = sign * most
                continue
            while k < n and starts[k + 1] < j:
                k += 1
            distance = np.sqrt(np.float32(j - roots[k]) ** 2 + column[i, roots[k]] ** 2)
            out[i, j] = sign * min(distance - np.float32(0.5), most)


@_kernel
def _fill_both_sides(inside, most_outside, most_inside, out):
    _fill_side(inside, True, most_outside, np.float32(-1), out)
    _fill_side(inside, False, most_inside, np.float32(1), out)


@checked
def signed_distance(
    inside: np.ndarray, most_outside_px: float, most_inside_px: float, out: np.ndarray | None = None
) -> np.ndarray:
    """Distance to the edge of a mask, positive inside: float32 (H, W) in -most_outside_px..most_inside_px.

    The edge runs between pixels, so that the pixels on either side of it lie at +0.5 and -0.5. The border of the
    picture is no edge. `out` is written to where it is given.

    >>> signed_distance(np.array([[False, False, True, True]]), 8, 8)
    array([[-1.5, -0.5,  0.5,  1.5]], dtype=float32)
    """
    if inside.ndim != 2 or inside.dtype != np.bool_:
        got = f"an array of shape {inside.shape} and type {inside.dtype}"
        raise Refusal("inside", "be true or false for each pixel (height, width)", got, "compare the mask with 0.5")
    if out is None:
        out = np.empty(inside.shape, np.float32)
    _fill_both_sides(np.ascontiguousarray(inside), np.float32(most_outside_px), np.float32(most_inside_px), out)
    return out
