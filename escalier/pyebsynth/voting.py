"""Voting: every target pixel becomes the mean of what the patches that cover it would paint there.

Plain voting gives every patch the weight 1, weighted voting 1 / (1 + its error), which is sharper.

The style travels as one 32-bit word a pixel, four channels of a byte each. Even and odd channels are added apart, in 16
bits a channel, which the sum over a whole patch fits: two additions a word for all four.
"""

import cv2
import numpy as np

from escalier.kernel_cache import njit

LARGEST_BYTE = np.float32(255)


def style_words(style: np.ndarray) -> np.ndarray:
    """A picture of bytes, (H, W, 1 to 4), as words: uint32 (H * W,).

    >>> words = style_words(np.array([[[1, 2, 3]]], np.uint8))
    >>> [int(words[0] >> np.uint32(8 * channel)) & 255 for channel in range(3)]
    [1, 2, 3]
    """
    if style.shape[2] == 3:
        padded = cv2.cvtColor(style, cv2.COLOR_RGB2RGBA)
    else:
        padded = np.zeros((*style.shape[:2], 4), np.uint8)
        padded[..., : style.shape[2]] = style
    return padded.reshape(-1).view(np.uint32)


@njit(cache=True, nogil=True)
def pack_words(source, channels, style_channels, factors, words):
    """The style channels of an interleaved source as words; factors[c] brings channel c to 0..255."""
    for p in range(len(words)):
        word = np.uint32(0)
        for c in range(style_channels):
            value = min(np.float32(source[p * channels + c]) * factors[c] + np.float32(0.5), LARGEST_BYTE)
            word |= np.uint32(value) << np.uint32(8 * c)
        words[p] = word


@njit(cache=True, nogil=True)
def linear_matches(nnf, source_width, places):
    """The matches as indices into a flat source picture."""
    height, width = nnf.shape
    for y in range(height):
        for x in range(width):
            n = nnf[y, x]
            places[y, x] = np.int32(np.int32(n >> np.uint32(16)) * source_width + np.int32(n & np.uint32(0xFFFF)))


@njit(cache=True, nogil=True, inline="always")
def patch_sums(words, source_width, places, y, x, rows):
    """Sums of what the patches round target pixel (y, x) hold for it: even and odd channels, and how many they are."""
    height, width = places.shape
    size = len(rows)
    r = size // 2
    pair, byte = np.uint32(0xFF00FF), np.uint32(8)
    even = np.uint32(0)
    odd = np.uint32(0)
    if r <= y < height - r and r <= x < width - r:
        for j in range(size):  # constant bounds: unrolled
            for i in range(size):
                place = places[np.uint64(y - r + j), np.uint64(x - r + i)]
                word = words[np.uint64(place - (j - r) * source_width - (i - r))]
                even += word & pair
                odd += (word >> byte) & pair
        return even, odd, size * size
    top = max(-r, -y)
    bottom = min(r, height - 1 - y) + 1
    left = max(-r, -x)
    right = min(r, width - 1 - x) + 1
    for j in range(top, bottom):
        for i in range(left, right):
            word = words[np.uint64(places[y + j, x + i] - j * source_width - i)]
            even += word & pair
            odd += (word >> byte) & pair
    return even, odd, (bottom - top) * (right - left)


@njit(cache=True, nogil=True, inline="always")
def channel_sum(even, odd, c):
    """One channel of `patch_sums`."""
    return np.float32(((odd if c % 2 else even) >> np.uint32(16 * (c // 2))) & np.uint32(0xFFFF))


@njit(cache=True, nogil=True, inline="always")
def weighted_patch_sum(words, source_width, nnf, error, error_scale, y, x, r, sums):
    """The same with the weight 1 / (1 + error * error_scale) for every patch; fills sums, gives the weights' sum."""
    height, width = nnf.shape
    sums[:] = 0
    weights = np.float32(0)
    for j in range(max(-r, -y), min(r, height - 1 - y) + 1):
        for i in range(max(-r, -x), min(r, width - 1 - x) + 1):
            n = nnf[y + j, x + i]
            sy = np.int64(n >> np.uint32(16)) - j
            sx = np.int64(n & np.uint32(0xFFFF)) - i
            word = words[np.uint64(sy * source_width + sx)]
            weight = np.float32(1) / (np.float32(1) + np.float32(error[y + j, x + i]) * error_scale)
            weights += weight
            for c in range(4):
                sums[c] += weight * np.float32((word >> np.uint32(8 * c)) & np.uint32(0xFF))
    return weights


@njit(cache=True, nogil=True)
def vote_band(
    words, source_width, nnf, places, error, error_scale, dirty, target, channels, style_channels, factors, change,
    first_row, last_row, weighted, rows,
):  # fmt: skip
    """Vote the style channels of `target` anew wherever dirty; change = the largest step of a channel there."""
    r = len(rows) // 2
    width = nnf.shape[1]
    sums = np.zeros(4, np.float32)
    for y in range(first_row, last_row):
        for x in range(width):
            if dirty[y, x] == 0:
                change[y, x] = 0
                continue
            if weighted:
                share = np.float32(1) / weighted_patch_sum(words, source_width, nnf, error, error_scale, y, x, r, sums)
            else:
                even, odd, count = patch_sums(words, source_width, places, y, x, rows)
                share = np.float32(1) / np.float32(count)
                for c in range(4):
                    sums[c] = channel_sum(even, odd, c)
            t = np.uint64(((y + r) * (width + 2 * r) + x + r) * channels)
            largest = np.int32(0)
            for c in range(style_channels):
                value = np.int16(sums[c] * share * factors[c] + np.float32(0.5))
                largest = max(largest, abs(np.int32(target[t + np.uint64(c)]) - np.int32(value)))
                target[t + np.uint64(c)] = value
            change[y, x] = largest


def vote_picture(
    style: np.ndarray, nnf: np.ndarray, painted: np.ndarray, rows: tuple[int, ...], error: np.ndarray | None
) -> np.ndarray:
    """The final vote, from the style's own values, in the style's type; weighted by 1 / (1 + error) where given."""
    height, width = nnf.shape
    picture = np.zeros((height, width, style.shape[2]), style.dtype)
    if style.dtype == np.uint8 and error is None:
        places = np.empty((height, width), np.int32)
        linear_matches(nnf, style.shape[1], places)
        paint_bytes(style_words(style), style.shape[1], places, painted, picture, rows, 0, height)
    else:
        _paint(style, nnf, error, painted, picture, np.float32(0.5 * (style.dtype == np.uint8)), rows)
    return picture


@njit(cache=True, nogil=True)
def paint_bytes(words, source_width, places, painted, picture, rows, first_row, last_row):
    """The plain vote of 8-bit values: exact sums, rounded to the nearest level."""
    width, channels = picture.shape[1:]
    for y in range(first_row, last_row):
        for x in range(width):
            if painted[y, x]:
                even, odd, count = patch_sums(words, source_width, places, y, x, rows)
                share = np.float32(1) / np.float32(count)
                for c in range(channels):
                    picture[y, x, c] = np.uint8(channel_sum(even, odd, c) * share + np.float32(0.5))


@njit(cache=True, nogil=True)
def _paint(style, nnf, error, painted, picture, rounding, rows):
    height, width = nnf.shape
    r = len(rows) // 2
    channels = style.shape[2]
    sums = np.zeros(channels, np.float32)
    for y in range(height):
        for x in range(width):
            if painted[y, x]:
                sums[:] = 0
                weights = np.float32(0)
                for j in range(max(-r, -y), min(r, height - 1 - y) + 1):
                    for i in range(max(-r, -x), min(r, width - 1 - x) + 1):
                        n = nnf[y + j, x + i]
                        sy = np.int64(n >> np.uint32(16)) - j
                        sx = np.int64(n & np.uint32(0xFFFF)) - i
                        weight = np.float32(1)
                        if error is not None:
                            weight /= np.float32(1) + error[y + j, x + i]
                        weights += weight
                        for c in range(channels):
                            sums[c] += weight * np.float32(style[sy, sx, c])
                for c in range(channels):
                    picture[y, x, c] = sums[c] / weights + rounding
