"""A light that belongs to the new room: one even correction for the whole body, that runs slowly over it and over time.

Around the subject the new room differs from the old one. That difference, by weighted least squares a plane over the
picture in each channel, is what Poisson blending would carry into the body too, but without any detail of either room.
It is made no stronger than a body keeps its colours under, and smoothed along the film, both in the body's own
coordinates, so that she carries her light with her.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from .foreground_colours import unit

WORKING_PX = 192
"""Longest side at which the rooms are compared."""
RING = 0.35
"""How far around the subject the rooms are compared, where the weight is 1/e, as a share of the body's size."""
TILT = 0.3
"""How hard a slope of the light is held back, as a share of what the ring knows of it. More makes an evener light."""
SHADE = np.float32(0.25)
"""Where the body is, at large, nearer than this to black or white the light fades out."""
AT_LARGE = 0.04
"""Over what share of the body's size, the sigma of a Gaussian, that is seen: no edge of her drawing is in it."""
GUARD = np.float32(0.45)
"""The light takes no single pixel further than this share of its way to black or white, so that none is clipped."""
SAMPLES = 400
"""Pixels of the body, at most, on which the light's strength is judged in every frame: 13 kB of a frame are kept."""
WORST = 98.0
"""The percentile of the body's pixels that may change by twice as much as the mean."""
HALVINGS = 20


@dataclass(frozen=True)
class FrameLight:
    """The light of one frame before it is made gentle: what the rooms differ by around the body.

    Attributes
    ----------
    place
        (3,): the middle of the body (row, column) and its size, in pixels.
    plane
        (3, 3): the difference at the middle, and its slopes down and across by one size of the body, for each channel.
    weight
        0 where no body is seen, or no room.
    positions, colours, at_large
        Of some pixels of the body: float32 (n, 2) in its own coordinates, and float32 (n, 3) and (n, 3): their colours
        and those of the body around them.
    """

    place: np.ndarray
    plane: np.ndarray
    weight: float
    positions: np.ndarray
    colours: np.ndarray
    at_large: np.ndarray


@dataclass(frozen=True)
class RoomLight:
    """The light of every frame of a film: float64 (N, 3) places and (N, 3, 3) planes, as in `FrameLight`."""

    places: np.ndarray
    planes: np.ndarray

    def on(self, index: int, colours: np.ndarray, alpha: np.ndarray, top: int, left: int) -> np.ndarray:
        """What is added to a part of frame `index` that begins at row `top` and column `left`.

        Parameters
        ----------
        colours
            The body's own colours there, float32 (h, w, 3), 0..1.
        alpha
            How much of each pixel she covers, float32 (h, w), 0..1.
        """
        row, column, size = self.places[index]
        even, down, across = self.planes[index].astype(np.float32)
        rows = ((np.arange(colours.shape[0], dtype=np.float32) + np.float32(top - row)) / np.float32(size))[:, None]
        columns = (np.arange(colours.shape[1], dtype=np.float32) + np.float32(left - column)) / np.float32(size)
        rows, columns = (np.clip(part, -1, 1)[..., None] for part in (rows, columns))
        return _shaded(even + rows * down + columns * across, colours, _at_large(colours, alpha, AT_LARGE * size))


def frame_light(source: np.ndarray, room: np.ndarray, alpha: np.ndarray) -> FrameLight:
    """Compare the rooms around the body in one frame.

    Parameters
    ----------
    source, room
        RGB pictures (H, W, 3), uint8 or float32 0..1: the filmed body in its old room, the new one.
    alpha
        float32 (H, W), 0..1: how much of each pixel the body covers.
    """
    scale = min(1.0, WORKING_PX / max(alpha.shape))
    size = tuple(max(1, round(side * scale)) for side in alpha.shape[::-1])
    small, old, new = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (alpha, unit(source), unit(room)))
    factors = np.array(alpha.shape) / small.shape
    rows, columns = np.indices(small.shape, dtype=np.float64)
    area = float(small.sum())
    seen = small < 0.01
    if not area or not seen.any():
        return FrameLight(np.array([0.0, 0.0, 1.0]), np.zeros((3, 3)), 0.0, *(np.zeros((0, n)) for n in (2, 3, 3)))
    middle = np.array([(small * rows).sum(), (small * columns).sum()]) / area
    reach = 2 * np.sqrt(area)
    distance = cv2.distanceTransform(seen.view(np.uint8), cv2.DIST_L2, 5)
    weight = np.exp(-distance[seen] / (RING * reach))[:, None]
    place = np.stack([np.ones_like(rows), (rows - middle[0]) / reach, (columns - middle[1]) / reach], axis=2)
    known = place[seen].clip(-1, 1)
    normal = (known * weight).T @ known
    held_back = np.diag([0.0, 1.0, 1.0]) * TILT * normal[0, 0]
    plane = np.linalg.solve(normal + held_back, (known * weight).T @ (new[seen] - old[seen]))
    there = np.flatnonzero(alpha.ravel() >= 0.95 * alpha.max())
    there = there[:: -(-len(there) // SAMPLES)]
    where = np.stack(np.unravel_index(there, alpha.shape), axis=1)
    positions = ((where / factors - middle) / reach).clip(-1, 1).astype(np.float32)
    colours = unit(source[where[:, 0], where[:, 1]]).astype(np.float32)
    nearest = np.minimum((where / factors).astype(int), np.array(small.shape) - 1)
    at_large = _at_large(old, small, AT_LARGE * reach)[nearest[:, 0], nearest[:, 1]]
    in_pixels = np.append(middle * factors, reach * float(factors.mean()))
    return FrameLight(in_pixels, plane, 1.0, positions, colours, at_large)


def room_light(frames: Iterable[FrameLight], most_delta_e: float, steady_frames: float) -> RoomLight:
    """The light of a film from what was seen of it in every frame.

    Parameters
    ----------
    most_delta_e
        How far the body's colours may go at most, on average over each frame, in Delta E*ab (CIE 1976). A fiftieth of
        the pixels may go beyond twice that.
    steady_frames
        Standard deviation of the Gaussian along the film, in frames. More is calmer, and later than the room.
    """
    seen = list(frames)
    weights = np.array([one.weight for one in seen])
    places = _steady(np.stack([one.place for one in seen]), weights, steady_frames)
    planes = _steady(np.stack([one.plane for one in seen]), weights, steady_frames)
    gentle = np.stack([_gentle(one, plane, most_delta_e) for one, plane in zip(seen, planes, strict=True)])
    return RoomLight(places, _steady(gentle, weights, steady_frames))


def _steady(values: np.ndarray, weights: np.ndarray, sigma: float) -> np.ndarray:
    """The Gaussian mean of each frame's neighbours in time, of those where something was seen."""
    if not sigma or len(values) == 1 or not weights.any():
        return values
    each = weights.reshape(-1, *[1] * (values.ndim - 1))
    total = gaussian_filter1d(values * each, sigma, axis=0, mode="constant")
    share = gaussian_filter1d(np.ones_like(values) * each, sigma, axis=0, mode="constant")
    return np.where(share > 1e-9, total / np.maximum(share, 1e-9), values)


def _gentle(one: FrameLight, plane: np.ndarray, most_delta_e: float) -> np.ndarray:
    """The plane, as strong as the body keeps its colours under."""
    if not len(one.colours):
        return plane * 0
    light = plane[0] + one.positions @ plane[1:]
    before = _lab(one.colours)

    def is_gentle(gain: float) -> bool:
        after = _lab(one.colours + _shaded((gain * light).astype(np.float32), one.colours, one.at_large))
        change = np.linalg.norm(after - before, axis=1)
        return bool(change.mean() <= most_delta_e and np.percentile(change, WORST) <= 2 * most_delta_e)

    if is_gentle(1.0):
        return plane
    least, most = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (least + most) / 2
        least, most = (middle, most) if is_gentle(middle) else (least, middle)
    return plane * least


def _shaded(light: np.ndarray, colours: np.ndarray, at_large: np.ndarray) -> np.ndarray:
    """The light where colours leave room for it: less and less towards black for a darker, towards white for a brighter
    one.
    """
    around, own = (np.where(light > 0, 1 - part, part) for part in (at_large, colours))
    shaded = light * np.clip(around / SHADE, 0, 1)
    most = GUARD * np.clip(own, 0, 1)
    return np.clip(shaded, -most, most)


def _at_large(colours: np.ndarray, alpha: np.ndarray, sigma_px: float) -> np.ndarray:
    """The colours of the body by a Gaussian mean, worked out at a size at which its sigma is two pixels at most."""
    height, width = alpha.shape
    scale = min(1.0, 2 / max(sigma_px, 1e-3))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    planes = np.concatenate([colours * alpha[..., None], alpha[..., None]], axis=2)
    means = cv2.GaussianBlur(cv2.resize(planes, size, interpolation=cv2.INTER_AREA), (0, 0), max(sigma_px * scale, 0.3))
    return cv2.resize(means[..., :3] / np.maximum(means[..., 3:], np.float32(1e-3)), (width, height))


def _lab(colours: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.clip(colours, 0, 1).astype(np.float32)[None], cv2.COLOR_RGB2Lab)[0]
