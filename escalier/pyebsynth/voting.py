"""Voting: every target pixel becomes the mean of what the patches that cover it would paint there.

Plain voting gives every patch the weight 1, weighted voting 1 / (1 + its error), which is sharper.

The style travels as one 64-bit word a pixel, four channels of 16 bits side by side. Values are scaled so that the sum
over a whole patch still fits 16 bits; one addition of words then adds all channels at once.
"""

from __future__ import annotations

import numpy as np
from numba import njit


def largest_word_value(patch_size: int) -> int:
    """The largest value of a channel in a word: patch_size² of them sum up without a carry into the next channel.

    >>> largest_word_value(5)
    2620
    """
    return 65535 // (patch_size * patch_size) - 1


@njit(cache=True, nogil=True)
def pack_words(source, channels, style_channels, factors, words):
    """The style channels of an interleaved source as 64-bit words; factors[c] brings channel c to word values."""
    for p in range(len(words)):
        word = np.uint64(0)
        for c in range(style_channels):
            value = np.uint64(np.float32(source[p * channels + c]) * factors[c] + np.float32(0.5))
            word |= value << np.uint64(16 * c)
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
def patch_sum(words, source_width, places, y, x, rows):
    """Sum of the words that the patches round target pixel (y, x) hold for it, and how many there are."""
    height, width = places.shape
    size = len(rows)
    r = size // 2
    total = np.uint64(0)
    if r <= y < height - r and r <= x < width - r:
        for j in range(size):  # constant bounds: unrolled, three instructions a word
            for i in range(size):
                place = places[np.uint64(y - r + j), np.uint64(x - r + i)]
                total += words[np.uint64(place - (j - r) * source_width - (i - r))]
        return total, size * size
    top = max(-r, -y)
    bottom = min(r, height - 1 - y) + 1
    left = max(-r, -x)
    right = min(r, width - 1 - x) + 1
    for j in range(top, bottom):
        for i in range(left, right):
            total += words[np.uint64(places[y + j, x + i] - j * source_width - i)]
    return total, (bottom - top) * (right - left)


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
                sums[c] += weight * np.float32((word >> np.uint64(16 * c)) & np.uint64(0xFFFF))
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
                total, count = patch_sum(words, source_width, places, y, x, rows)
                share = np.float32(1) / np.float32(count)
                for c in range(4):
                    sums[c] = np.float32((total >> np.uint64(16 * c)) & np.uint64(0xFFFF))
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
        words = np.zeros((*style.shape[:2], 4), np.uint16)
        words[..., : style.shape[2]] = style
        places = np.empty((height, width), np.int32)
        linear_matches(nnf, style.shape[1], places)
        _paint_bytes(words.reshape(-1).view(np.uint64), style.shape[1], places, painted, picture, rows)
    else:
        _paint(style, nnf, error, painted, picture, np.float32(0.5 * (style.dtype == np.uint8)), rows)
    return picture


@njit(cache=True, nogil=True)
def _paint_bytes(words, source_width, places, painted, picture, rows):
    """The plain vote of 8-bit values: exact sums, rounded to the nearest level."""
    height, width, channels = picture.shape
    for y in range(height):
        for x in range(width):
            if painted[y, x]:
                total, count = patch_sum(words, source_width, places, y, x, rows)
                share = np.float32(1) / np.float32(count)
                for c in range(channels):
                    value = np.float32((total >> np.uint64(16 * c)) & np.uint64(0xFFFF))
                    picture[y, x, c] = np.uint8(value * share + np.float32(0.5))


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
