"""A painterly picture filter: stands in for the artist's brush in the demo, the benchmarks and the tests."""

from dataclasses import dataclass

import cv2
import numpy as np

from escalier.film import as_uint8
from escalier.refusals import Refusal
from escalier.smoothstep import smoothstep


@dataclass(frozen=True)
class Look:
    """One way to paint. Lengths are for a picture 540 pixels high and grow with it."""

    hue_turn: float  # degrees
    saturation: float  # gain
    levels: int  # steps of lightness that remain
    hardness: float  # of those steps: 0 smooth, 1 flat areas
    lines: float  # darkness of the ink lines, 0..1
    stroke_px: float  # how far paint is drawn along the forms
    relief: float  # light on the ridges of the brush, in 8-bit levels
    grain: float  # of the canvas, in 8-bit levels
    tint: tuple[float, float, float] = (0.0, 0.0, 0.0)  # added to Lab at the end


LOOKS = {
    "gouache": Look(-6, 1.5, 7, 0.75, 0.55, 9.0, 11.0, 3.0),
    "woodcut": Look(-24, 1.25, 5, 0.92, 0.92, 4.0, 0.0, 0.0),
    "dusk": Look(-30, 0.95, 8, 0.70, 0.55, 12.0, 9.0, 3.0, tint=(-7.0, 13.0, -30.0)),
    "poster": Look(25, 1.45, 10, 1.0, 0.40, 0.0, 0.0, 0.0),
}


def paint_picture(picture: np.ndarray, look: str = "gouache", *, seed: int = 0) -> np.ndarray:
    """Restyle a picture as if it had been painted by hand.

    Edges are kept and the inside of the forms smoothed (OpenCV's edge-preserving filter), paint is drawn along the
    forms (line integral convolution along the tangent of the structure tensor), lightness falls into steps, the hue
    turns, and dark lines follow the edges. "gouache" and "dusk" add the relief of the brush and the canvas, which come
    from `seed` and stay with the paper; "woodcut" and "poster" depend on the picture alone, so painting every frame of
    a film gives a fair truth to compare propagated frames with.

    Parameters
    ----------
    picture : ndarray (H, W, 3)
        RGB, uint8 0..255 or float32 0..1.
    look : str
        One of `LOOKS`.
    seed : int
        Changes brush and canvas.

    Returns
    -------
    ndarray (H, W, 3) uint8
        The same for the same arguments.

    Raises
    ------
    ValueError
        For an unknown look or a picture that is not RGB.

    >>> paint_picture(np.full((40, 60, 3), 128, np.uint8)).shape
    (40, 60, 3)
    """
    if look not in LOOKS:
        raise Refusal("look", f"be one of {', '.join(LOOKS)}", f"{look!r}", "choose one of these", who="paint_picture")
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise Refusal(
            "picture", "be RGB (height, width, 3)", picture.shape, "convert it to RGB first", who="paint_picture"
        )
    brush = LOOKS[look]
    scale = max(picture.shape[0] / 540, 0.35)
    drawn = as_uint8(picture)
    smooth = cv2.edgePreservingFilter(drawn, flags=cv2.RECURS_FILTER, sigma_s=25 * scale, sigma_r=0.24)
    tangent = _tangent(smooth, 2.5 * scale)
    painted = smooth.astype(np.float32)
    if brush.stroke_px:
        painted = _drag(painted, tangent, brush.stroke_px * scale)
    painted = _turn_colours(painted, brush)
    painted *= (1 - brush.lines * _ink(smooth, scale))[..., None]
    if brush.relief or brush.grain:
        painted += _surface(painted.shape[:2], tangent, brush, scale, seed)[..., None]
    return np.rint(np.clip(painted, 0, 255)).astype(np.uint8)


def _tangent(picture: np.ndarray, radius_px: float) -> np.ndarray:
    """The direction along the forms, (H, W, 2) float32 of unit length: least change of the structure tensor."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across, down = cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    products = np.stack([across * across, down * down, across * down], -1)
    xx, yy, xy = cv2.split(cv2.GaussianBlur(products, (0, 0), 2.0 * radius_px))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def _drag(picture: np.ndarray, tangent: np.ndarray, length_px: float) -> np.ndarray:
    """Average the picture along the tangent, `length_px` each way: line integral convolution in steps of 1.5 px."""
    height, width = picture.shape[:2]
    x0, y0 = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    total, steps = picture.astype(np.float32), max(round(length_px / 1.5), 1)
    for way in (1.5, -1.5):
        x, y, heading = x0, y0, tangent * np.float32(way)
        for _ in range(steps):
            x, y = x + heading[..., 0], y + heading[..., 1]
            total += cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(picture.shape)
            here = cv2.remap(tangent, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
            same_way = np.where((here * heading).sum(-1, keepdims=True) < 0, -abs(way), abs(way))
            heading = here * same_way.astype(np.float32)
    return total / (2 * steps + 1)


def _turn_colours(picture: np.ndarray, brush: Look) -> np.ndarray:
    """Turn the hue, raise the saturation and let lightness fall into steps, in Lab."""
    lab = cv2.cvtColor(np.clip(picture / 255, 0, 1).astype(np.float32), cv2.COLOR_RGB2LAB)
    cosine, sine = np.cos(np.radians(brush.hue_turn)), np.sin(np.radians(brush.hue_turn))
    a, b = lab[..., 1] * brush.saturation, lab[..., 2] * brush.saturation
    lab[..., 1], lab[..., 2] = cosine * a - sine * b, sine * a + cosine * b
    steps = np.clip(lab[..., 0] * 1.12 + 3, 0, 100) * (brush.levels / 100)
    part = steps - np.floor(steps)
    sharp = 0.5 + 0.5 * np.tanh((part - 0.5) * 9) / np.tanh(4.5)
    lab[..., 0] = (np.floor(steps) + part + brush.hardness * (sharp - part)) * (100 / brush.levels)
    lab += np.array(brush.tint, np.float32)
    return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB) * np.float32(255)


def _ink(picture: np.ndarray, scale: float) -> np.ndarray:
    """Where dark lines go: (H, W) float32 0..1, a soft threshold on a difference of Gaussians (Winnemoeller's XDoG)."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = cv2.GaussianBlur(grey, (0, 0), 1.1 * scale + 0.2)
    coarse = cv2.GaussianBlur(grey, (0, 0), 2.6 * scale + 0.4)
    line = np.clip((coarse - fine - 1.2) / 7.0, 0, 1)
    return smoothstep(line)


def _surface(shape: tuple[int, ...], tangent: np.ndarray, brush: Look, scale: float, seed: int) -> np.ndarray:
    """The relief of the bristles along the strokes and the weave of the canvas, (H, W) float32 in levels."""
    rng = np.random.default_rng(seed)
    height, width = shape
    bristles = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), 0.9 * scale + 0.3)
    strokes = _drag(bristles, tangent, 14 * scale)
    lit = cv2.Sobel(strokes, cv2.CV_32F, 1, 1, scale=1.0)
    ridge = 0.75 * strokes / max(float(strokes.std()), 1e-6) + 0.25 * lit / max(float(lit.std()), 1e-6)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    weave = np.sin(x * np.float32(2.1 / scale)) * np.sin(y * np.float32(2.1 / scale))
    return brush.relief * np.clip(ridge, -2, 2) * 0.5 + brush.grain * weave
