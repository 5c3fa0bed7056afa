"""Sub-pixel painting: patches copied from between the pixels of a keyframe, where the film has moved by a part of one.

A field of matches counts in whole pixels. What moves by a third of a pixel a frame stands still twice and then jumps,
and neighbouring patches that round to different sides blur what they paint together. Here every match is moved by less
than two pixels to where the filmed frames agree best, one step of Lucas and Kanade, "An Iterative Image Registration
Technique" (IJCAI 1981), pulled to where the match of the frame before was carried by the flow. The patches then vote
as always, from a keyframe that was enlarged beforehand.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from copy import copy

import cv2
import numpy as np

from escalier.kernel_cache import njit
from escalier.refusals import Refusal

from .layout import patch_shape
from .voting import paint_bytes

REACH_PX = 1.5
"""How far a match may be moved; further off, the frames no longer vary linearly."""
PULL = 100.0
"""Weight of the carried place against the filmed frames' squared gradients, in 8-bit levels a pixel. Film grain alone
has about as much; flat parts therefore follow the flow."""
FINEST_STEPS = 4
"""The keyframe is enlarged to quarters of a pixel,"""
MOST_WORDS = 17_000_000
"""but to halves or not at all where that would take more than this many words of 4 bytes."""
KERNEL_PX = 4
"""Half the width of the enlarging kernel."""
FINE_PX = 0.65
"""Standard deviation of the blur that parts fine detail from the rest: interpolation takes of little else."""
DETAIL_WINDOW_PX = 31
DETAIL_HALO_PX = 20
"""Rows that `keep_detail` looks at beyond its own."""
BAND_ROWS = 192
"""Memory beside the pictures is that of one band for each thread."""
MOST_GAIN = 1.0


class SubPixelPainter:
    """A painted keyframe that patches can be copied from between its pixels.

    Parameters
    ----------
    style
        The painted keyframe, uint8 (H, W, 3).
    source
        What was filmed there, uint8 (H, W, 3).
    patch_size
        Of the matches.
    threads
        Processor threads to use. The result does not depend on it.

    A film that has moved by half a pixel, and matches that know nothing of it, at first sight:

    >>> picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    >>> picture = cv2.normalize(cv2.GaussianBlur(picture, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)
    >>> moved = cv2.warpAffine(picture, np.float32([[1, 0, -0.5], [0, 1, 0]]), (60, 40))
    >>> whole = np.stack(np.mgrid[:40, :60], axis=-1).astype(np.int32)
    >>> painter = SubPixelPainter(picture, picture, patch_size=5)
    >>> places = painter.locate(moved, whole, whole[..., ::-1].astype(np.float32))
    >>> shift = np.median((places - whole[..., ::-1])[5:-5, 5:-5], axis=(0, 1))
    >>> bool(0.3 < shift[0] < 0.6 and abs(shift[1]) < 0.1)
    True
    """

    def __init__(self, style: np.ndarray, source: np.ndarray, *, patch_size: int, threads: int = 1) -> None:
        if style.shape != source.shape:
            rule, remedy = f"have the style's shape {style.shape}", "give the filmed frame at the size of the keyframe"
            raise Refusal("source", rule, source.shape, remedy, who="SubPixelPainter")
        self._source = np.ascontiguousarray(source)
        self._patch_size = patch_size
        self._threads = threads
        self._steps = steps_for(style.shape[0] * style.shape[1])
        self._words = enlarged_words(style, self._steps)
        self._whole = np.zeros((1, 1), np.bool_)

    def within(self, mask: np.ndarray | None) -> SubPixelPainter:
        """The same keyframe, enlarged only once, of which only a part is copied: bool (H, W), None for all of it.

        Near the rest, matches stay whole, so that interpolation brings nothing of it in.
        """
        part = copy(self)
        part._whole = np.zeros((1, 1), np.bool_)
        if mask is not None:
            window = np.ones((2 * (self._patch_size // 2 + KERNEL_PX) + 1,) * 2, np.uint8)
            part._whole = cv2.dilate((~mask).astype(np.uint8), window) > 0
        return part

    def locate(self, target: np.ndarray, nnf: np.ndarray, carried: np.ndarray) -> np.ndarray:
        """Where exactly every match lies.

        Parameters
        ----------
        target
            The filmed frame that is painted, uint8 (H, W, 3).
        nnf
            Its matches, int32 (H, W, 2), (row, column).
        carried
            Where the flow expects them, float32 (H, W, 2), (x, y); farther off than `REACH_PX` or NaN it is not heard.

        Returns
        -------
        numpy.ndarray
            float32 (H, W, 2), (x, y) in the keyframe.
        """
        places = np.empty(nnf.shape, np.float32)
        r = self._patch_size // 2
        limits = np.array(self._source.shape[1::-1], np.float32) - np.float32(1 + r)

        def work(first: int, last: int) -> None:
            top, bottom = max(first - r, 0), min(last + r, len(nnf))
            sums = np.empty((5, bottom - top, nnf.shape[1]), np.float32)
            _normal_equations(self._source, target[top:bottom], nnf[top:bottom], sums)
            for plane in sums:
                cv2.boxFilter(plane, -1, (self._patch_size, self._patch_size), dst=plane)
            rows = slice(first, last)
            own = sums[:, first - top : last - top]
            _solve(own, nnf[rows], carried[rows], self._whole, places[rows], np.float32(r), limits)

        self._in_bands(len(nnf), work)
        return places

    def paint(self, places: np.ndarray, plain: np.ndarray, painted: np.ndarray | None = None) -> np.ndarray:
        """The picture that patches copied from these places make together.

        Parameters
        ----------
        places
            float32 (H, W, 2), (x, y) in the keyframe, as `locate` gives them.
        plain
            The picture that the whole matches make, uint8 (H, W, 3): it says how strong fine detail has to be.
        painted
            bool (H, W): what is wanted; None for all. Elsewhere the picture is 0.

        Returns
        -------
        numpy.ndarray
            uint8 (H, W, 3).
        """
        rows_of_patch = patch_shape(self._patch_size, 3, 3)[1]
        linear = np.empty(places.shape[:2], np.int32)
        voted = np.zeros_like(plain)
        painted = np.ones(places.shape[:2], bool) if painted is None else painted
        height, width = self._source.shape[:2]
        self._in_bands(len(places), lambda *rows: _linear_places(places, self._steps, height, width, linear, *rows))
        self._in_bands(
            len(places), lambda *rows: paint_bytes(self._words, width, linear, painted, voted, rows_of_patch, *rows)
        )
        picture = np.empty_like(voted)

        def work(first: int, last: int) -> None:
            top, bottom = max(first - DETAIL_HALO_PX, 0), min(last + DETAIL_HALO_PX, len(voted))
            picture[first:last] = keep_detail(voted[top:bottom], plain[top:bottom])[first - top : last - top]

        self._in_bands(len(places), work)
        return picture

    def _in_bands(self, height: int, work: Callable[[int, int], None]) -> None:
        """Call work(first row, after the last), over bands that are the same for any number of threads."""
        firsts = range(0, height, BAND_ROWS)
        lasts = [min(first + BAND_ROWS, height) for first in firsts]
        with ThreadPoolExecutor(self._threads) if self._threads > 1 else nullcontext() as pool:
            list((pool.map if pool else map)(work, firsts, lasts))


def steps_for(pixels: int) -> int:
    """Into how many parts a pixel is divided.

    >>> steps_for(960 * 540), steps_for(1920 * 1080), steps_for(3840 * 2160)
    (4, 2, 1)
    """
    steps = FINEST_STEPS
    while steps > 1 and steps * steps * pixels > MOST_WORDS:
        steps //= 2
    return steps


def enlarged_words(style: np.ndarray, steps: int) -> np.ndarray:
    """The style, uint8 (H, W, 3), sampled between its pixels: uint32 (steps * steps * H * W,), four bytes a pixel.

    Plane after plane, shifted by (row, column) / steps: that of shift (j, i) is number j * steps + i; the first is the
    style.
    """
    planes = np.empty((steps * steps, *style.shape[:2], 4), np.uint8)
    kernels = [lanczos_kernel(part / steps) for part in range(steps)]
    anchor = (KERNEL_PX - 1, KERNEL_PX - 1)
    for number, plane in enumerate(planes):
        j, i = divmod(number, steps)
        moved = cv2.sepFilter2D(style, -1, kernels[i], kernels[j], anchor=anchor, borderType=cv2.BORDER_REPLICATE)
        cv2.cvtColor(moved, cv2.COLOR_RGB2RGBA, dst=plane)
    return planes.reshape(-1).view(np.uint32)


def lanczos_kernel(part: float) -> np.ndarray:
    """Weights of the eight pixels from three before to four behind, for a place `part` of a pixel behind the middle.

    >>> lanczos_kernel(0.0).tolist(), bool(abs(lanczos_kernel(0.5).sum() - 1) < 1e-6)
    ([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0], True)
    """
    away = np.arange(1 - KERNEL_PX, KERNEL_PX + 1) - part
    weights = np.sinc(away) * np.sinc(away / KERNEL_PX)
    weights[np.abs(weights) < 1e-9] = 0
    return (weights / weights.sum()).astype(np.float32)


def keep_detail(picture: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """A picture as sharp as another, by the variance of the Laplacian round each pixel; never softer than it is.

    All are uint8 (H, W, 3). Interpolation and the mean of moved patches take of the highest frequencies what whole
    pixels keep.

    >>> sharp = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    >>> soft = cv2.GaussianBlur(sharp, (0, 0), 0.5)
    >>> kept = keep_detail(soft, sharp)
    >>> bool(soft.std() < 0.75 * sharp.std()), bool(kept.std() > 0.9 * sharp.std())
    (True, True)
    """
    fine = picture.astype(np.float32)
    fine -= cv2.GaussianBlur(fine, (0, 0), FINE_PX)
    there, wanted = (_edges(cv2.cvtColor(side, cv2.COLOR_RGB2GRAY)) for side in (picture, plain))
    more = _edges(cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY))
    # |there + gain * more|² = |wanted|² in the mean over the window
    square = _mean(more * more) + np.float32(1e-3)
    mixed = _mean(there * more)
    missing = _mean(wanted * wanted - there * there)
    gain = (np.sqrt(np.maximum(mixed * mixed + square * missing, 0)) - mixed) / square
    fine *= np.clip(gain, 0, MOST_GAIN)[..., None]
    fine += picture
    return np.rint(np.clip(fine, 0, 255, out=fine), out=fine).astype(np.uint8)


def _edges(luminance: np.ndarray) -> np.ndarray:
    return cv2.Laplacian(luminance, cv2.CV_32F)


def _mean(products: np.ndarray) -> np.ndarray:
    return cv2.boxFilter(products, -1, (DETAIL_WINDOW_PX, DETAIL_WINDOW_PX))


@njit(cache=True, nogil=True)
def _normal_equations(source, target, nnf, sums):
    """Products of the source's gradients (x, y) and of what the target has more, summed over the channels."""
    height, width = source.shape[:2]
    for y in range(nnf.shape[0]):
        for x in range(nnf.shape[1]):
            sy = min(max(nnf[y, x, 0], 1), height - 2)
            sx = min(max(nnf[y, x, 1], 1), width - 2)
            xx = np.float32(0)
            xy = np.float32(0)
            yy = np.float32(0)
            xd = np.float32(0)
            yd = np.float32(0)
            for c in range(3):
                gx = np.float32(0.5) * np.float32(np.int32(source[sy, sx + 1, c]) - np.int32(source[sy, sx - 1, c]))
                gy = np.float32(0.5) * np.float32(np.int32(source[sy + 1, sx, c]) - np.int32(source[sy - 1, sx, c]))
                d = np.float32(np.int32(target[y, x, c]) - np.int32(source[sy, sx, c]))
                xx += gx * gx
                xy += gx * gy
                yy += gy * gy
                xd += gx * d
                yd += gy * d
            sums[0, y, x] = xx
            sums[1, y, x] = xy
            sums[2, y, x] = yy
            sums[3, y, x] = xd
            sums[4, y, x] = yd


@njit(cache=True, nogil=True)
def _solve(sums, nnf, carried, whole, places, nearest, limits):
    """Least squares of the step and of its distance from where the match was carried."""
    pull, reach = np.float32(PULL), np.float32(REACH_PX)
    has_whole = whole.shape[0] > 1
    for y in range(nnf.shape[0]):
        for x in range(nnf.shape[1]):
            sy, sx = nnf[y, x, 0], nnf[y, x, 1]
            px = carried[y, x, 0] - np.float32(sx)
            py = carried[y, x, 1] - np.float32(sy)
            if not (abs(px) <= reach and abs(py) <= reach):  # NaN too
                px = np.float32(0)
                py = np.float32(0)
            xx, xy, yy = sums[0, y, x] + pull, sums[1, y, x], sums[2, y, x] + pull
            bx, by = sums[3, y, x] + pull * px, sums[4, y, x] + pull * py
            share = np.float32(1) / (xx * yy - xy * xy)
            dx = min(max((yy * bx - xy * by) * share, -reach), reach)
            dy = min(max((xx * by - xy * bx) * share, -reach), reach)
            if has_whole and whole[min(max(sy, 0), whole.shape[0] - 1), min(max(sx, 0), whole.shape[1] - 1)]:
                dx = np.float32(0)
                dy = np.float32(0)
            places[y, x, 0] = min(max(np.float32(sx) + dx, nearest), limits[0])
            places[y, x, 1] = min(max(np.float32(sy) + dy, nearest), limits[1])


@njit(cache=True, nogil=True)
def _linear_places(places, steps, height, width, linear, first_row, last_row):
    """Places to the nearest part of a pixel, as indices into the enlarged words."""
    for y in range(first_row, last_row):
        for x in range(places.shape[1]):
            column = int(places[y, x, 0] * np.float32(steps) + np.float32(0.5))
            row = int(places[y, x, 1] * np.float32(steps) + np.float32(0.5))
            plane = (row % steps) * steps + column % steps
            linear[y, x] = (plane * height + row // steps) * width + column // steps
