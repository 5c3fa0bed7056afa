"""How flat drawings get a filmed look: fractal noise, rounded relief, smooth outlines, soft spots of light."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike

Colour = tuple[float, float, float]
"""RGB, 0..1."""

LIGHT = np.array([-0.62, -0.45, 0.64], np.float32)  # from the window: left, above, in front


def floats(values: ArrayLike) -> np.ndarray:
    """A colour, or a few numbers, as float32: what keeps a picture float32 when it is multiplied by them."""
    return np.asarray(values, np.float32)


def fractal_noise(
    rng: np.random.Generator, shape: tuple[int, int], cell_px: float, *, octaves: int = 4, stretch: float = 1.0
) -> np.ndarray:
    """Smooth noise (H, W) float32 of unit deviation; `cell_px` is its largest grain, `stretch` its height by width."""
    height, width = shape
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cell = max(cell_px / 2**octave, 1.0)
        grid = (max(int(height / (cell * stretch)) + 3, 4), max(int(width / cell) + 3, 4))
        knots = rng.random(grid, np.float32) - 0.5
        total += cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return (total - total.mean()) / max(float(total.std()), 1e-6)


def blur(picture: np.ndarray, sigma_px: float) -> np.ndarray:
    """Gaussian blur; a wide one is done on a smaller picture, where it costs little and looks the same."""
    if sigma_px < 6:
        return cv2.GaussianBlur(picture, (0, 0), sigma_px)
    height, width = picture.shape[:2]
    times = int(sigma_px / 3)
    small = cv2.resize(picture, (max(width // times, 1), max(height // times, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma_px / times)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def relief(mask: np.ndarray, depth_px: float, *, ambient: float = 0.5) -> np.ndarray:
    """Light on a mask swollen into a cushion with an edge of `depth_px`: about 0.45 in shade, 1.1 in the light."""
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    rise = np.clip(inside / depth_px, 0.0, 1.0)
    cushion = depth_px * np.sqrt(1.0 - (1.0 - rise) ** 2)
    cushion = blur(cushion, max(depth_px * 0.22, 0.8))
    slope_x = cv2.Sobel(cushion, cv2.CV_32F, 1, 0, scale=1 / 8)
    slope_y = cv2.Sobel(cushion, cv2.CV_32F, 0, 1, scale=1 / 8)
    facing = (LIGHT[2] - slope_x * LIGHT[0] - slope_y * LIGHT[1]) / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    return (ambient + (1.12 - ambient) * np.clip(facing, 0.0, 1.0) ** 0.8).astype(np.float32)


def smooth_outline(points: Sequence[tuple[float, float]], rounds: int = 3) -> np.ndarray:
    """Chaikin's corner cutting on a closed outline of (x, y) points."""
    outline = np.asarray(points, np.float64)
    for _ in range(rounds):
        following = np.roll(outline, -1, axis=0)
        outline = np.stack([0.75 * outline + 0.25 * following, 0.25 * outline + 0.75 * following], 1).reshape(-1, 2)
    return outline


def spot(shape: tuple[int, int], centre: tuple[float, float], radius: tuple[float, float]) -> np.ndarray:
    """A soft round spot (H, W) float32: 1 at the centre (x, y), fading like a bell with the radii (x, y), in pixels."""
    rows = np.exp(-0.5 * ((np.arange(shape[0], dtype=np.float32) - centre[1]) / radius[1]) ** 2)
    columns = np.exp(-0.5 * ((np.arange(shape[1], dtype=np.float32) - centre[0]) / radius[0]) ** 2)
    return np.outer(rows, columns).astype(np.float32)


class Canvas:
    """A picture being drawn, in units of its own: `scale` pixels a unit, `origin` (x, y) in pixels.

    colour is (H, W, 3) float32 RGB; cover (H, W) float32 is what has been drawn on, 0..1.
    """

    def __init__(self, size: tuple[int, int], scale: float, origin: tuple[float, float] = (0.0, 0.0)) -> None:
        width, height = size
        self.scale = scale
        self.origin = origin
        self.colour = np.zeros((height, width, 3), np.float32)
        self.cover = np.zeros((height, width), np.float32)

    @classmethod
    def over(cls, scale: float, box: tuple[float, float, float, float]) -> Canvas:
        """A canvas for a box (left, top, right, bottom) in its units, with two pixels to spare on every side."""
        left, top, right, bottom = box
        size = (int(np.ceil((right - left) * scale)) + 4, int(np.ceil((bottom - top) * scale)) + 4)
        return cls(size, scale, (2 - left * scale, 2 - top * scale))

    def corner(self, left: float, top: float, right: float, bottom: float) -> Canvas:
        """A part of this canvas, sharing its pixels, in the same units: drawing small things there costs little."""
        (x0, y0), (x1, y1) = self.to_pixels((left, top)), self.to_pixels((right, bottom))
        height, width = self.shape
        x0, x1 = min(max(int(x0) - 2, 0), width - 1), min(max(int(x1) + 3, 1), width)
        y0, y1 = min(max(int(y0) - 2, 0), height - 1), min(max(int(y1) + 3, 1), height)
        part = Canvas.__new__(Canvas)
        part.scale, part.origin = self.scale, (self.origin[0] - x0, self.origin[1] - y0)
        part.colour, part.cover = self.colour[y0:y1, x0:x1], self.cover[y0:y1, x0:x1]
        return part

    @property
    def shape(self) -> tuple[int, int]:
        return self.cover.shape[0], self.cover.shape[1]

    def coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """Where the pixels lie in the canvas's units, float32: x (1, W) and y (H, 1)."""
        height, width = self.shape
        x = (np.arange(width, dtype=np.float32) - self.origin[0]) / self.scale
        y = (np.arange(height, dtype=np.float32) - self.origin[1]) / self.scale
        return x[None], y[:, None]

    def to_pixels(self, point: tuple[float, float]) -> tuple[float, float]:
        return point[0] * self.scale + self.origin[0], point[1] * self.scale + self.origin[1]

    def area(self, points: Sequence[tuple[float, float]], *, smooth: int = 0) -> np.ndarray:
        """The mask (H, W) float32 of a polygon; `smooth` rounds of corner cutting."""
        outline = smooth_outline(points, smooth) if smooth else np.asarray(points, np.float64)
        pixels = np.rint((outline * self.scale + self.origin) * 16).astype(np.int32)
        mask = np.zeros(self.shape, np.uint8)
        cv2.fillPoly(mask, [pixels], 255, cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255

    def box(self, left: float, top: float, right: float, bottom: float) -> np.ndarray:
        return self.area([(left, top), (right, top), (right, bottom), (left, bottom)])

    def oval(self, centre: tuple[float, float], radius: tuple[float, float], turn: float = 0.0) -> np.ndarray:
        """The mask of an ellipse turned by `turn` degrees."""
        angles = np.linspace(0, 2 * np.pi, 49)[:-1]
        x, y = radius[0] * np.cos(angles), radius[1] * np.sin(angles)
        cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        points = np.stack([centre[0] + cosine * x - sine * y, centre[1] + sine * x + cosine * y], 1)
        return self.area([(float(px), float(py)) for px, py in points])

    def shifted(self, mask: np.ndarray, right: float, down: float) -> np.ndarray:
        """The mask moved by canvas units, as a shadow lies beside what casts it."""
        x, y = int(right * self.scale), int(down * self.scale)
        moved = np.zeros_like(mask)
        moved[y:, x:] = mask[: mask.shape[0] - y, : mask.shape[1] - x]
        return moved

    def soften(self, mask: np.ndarray, radius: float) -> np.ndarray:
        """The mask blurred by a radius in canvas units."""
        return blur(mask, max(radius * self.scale, 0.3))

    def lay(self, mask: np.ndarray, colour: Colour | np.ndarray, *, cover: bool = True) -> None:
        """Paint a colour through a mask; with `cover` the mask adds to what is drawn on, else it only tints that."""
        box = _touched(mask)
        mine = self.colour[box]
        mine += (np.broadcast_to(floats(colour), self.colour.shape)[box] - mine) * mask[box][..., None]
        if cover:
            np.maximum(self.cover[box], mask[box], out=self.cover[box])

    def light(self, mask: np.ndarray, gain: float | np.ndarray) -> None:
        """Multiply the colours by a gain where the mask is 1."""
        box = _touched(mask)
        self.colour[box] *= (1.0 + ((gain[box] if isinstance(gain, np.ndarray) else gain) - 1.0) * mask[box])[..., None]


def _touched(mask: np.ndarray) -> tuple[slice, slice]:
    """The smallest box that holds all of a mask; most masks are small, and a canvas is large."""
    x, y, width, height = cv2.boundingRect((mask > 0).view(np.uint8))
    return slice(y, y + height), slice(x, x + width)
