"""The pyramid: every level halves the one below by the mean of 2x2 pixels.

Level sizes are int(size / 2^k), as in the original. A pixel of a level stands for exactly 2x2 pixels of the next finer
one (an odd last row or column is left over), so the rule for matches, twice the place plus the parity, holds exactly.
The original samples single points instead, which aliases.
"""

from escalier.kernel_cache import njit


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
