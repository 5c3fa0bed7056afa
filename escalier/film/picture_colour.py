"""The colours of a picture file brought to sRGB: by its ICC profile, or by its primaries and transfer curve."""

import io
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

from .pictures import tell

# x, y of red, green, blue and white.
SRGB_PRIMARIES = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
ADOBE_PRIMARIES = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)
ADOBE_GAMMA = 563 / 256

_MODES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


class Encoding(NamedTuple):
    """What numbers mean where no profile says it: light = number ** gamma, 0 standing for the curve of sRGB."""

    gamma: float
    primaries: tuple[float, ...] = SRGB_PRIMARIES

    @property
    def is_possible(self) -> bool:
        """Whether these are colours at all: a usual curve, and a red, green and blue that span a triangle."""
        points = np.array(self.primaries).reshape(4, 2)
        (ax, ay), (bx, by) = points[1] - points[0], points[2] - points[0]
        spans = abs(ax * by - ay * bx) > 0.01 and bool((points[:, 1] > 0.001).all() and (points < 2).all())
        return spans and (self.gamma == 0 or 0.2 <= self.gamma <= 5)

    @property
    def is_srgb(self) -> bool:
        """Whether it is sRGB as far as eyes can tell; 2.2 is how PNG says sRGB."""
        near = np.allclose(self.primaries, SRGB_PRIMARIES, atol=0.002)
        return near and (self.gamma == 0 or abs(self.gamma / 2.2 - 1) < 0.02)


def by_profile(image: Image.Image, profile: bytes, name: str) -> Image.Image:
    """An image of mode L, RGB or CMYK as its ICC profile means it: RGB in sRGB, or itself where that changes nothing.

    A profile that cannot be used is named in the log; the picture is then read as sRGB.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip(), "")
        if mode == "RGB" and image.mode == "L":
            image = image.convert("RGB")
        if mode != image.mode:
            tell("%s: its ICC profile is for other colours than the picture's; read as sRGB", name)
            return image
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ValueError, ImageCms.PyCMSError):
        tell("%s: its ICC profile is broken; read as sRGB", name)
        return image
    if mode == "CMYK" or not _changes_nothing(transform, mode):
        converted = ImageCms.applyTransform(image, transform)
        return image if converted is None else converted
    return image


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether a profile is sRGB itself: such pictures stay bit-exact."""
    steps = np.linspace(0, 255, 256 if mode == "L" else 18).round().astype(np.uint8)
    lattice = steps[None] if mode == "L" else np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(lattice), transform), np.int16)
    return int(np.abs(shown - (lattice[..., None] if mode == "L" else lattice)).max()) <= 1


def by_encoding(picture: np.ndarray, encoding: Encoding) -> np.ndarray:
    """A picture (H, W) or (H, W, 3), integers or floats, from its encoding to sRGB, as uint8."""
    if np.issubdtype(picture.dtype, np.integer):
        levels = np.arange(np.iinfo(picture.dtype).max + 1, dtype=np.float32) / np.iinfo(picture.dtype).max
        light = _light(levels, encoding.gamma)[picture]
    else:
        light = _light(picture, encoding.gamma)
    if light.ndim == 3 and not np.allclose(encoding.primaries, SRGB_PRIMARIES, atol=0.002):
        light = light @ (np.linalg.inv(_to_xyz(SRGB_PRIMARIES)) @ _to_xyz(encoding.primaries)).T.astype(np.float32)
    return srgb_from_light(light)


def srgb_from_light(light: np.ndarray) -> np.ndarray:
    """Linear light 0..1 through the curve of sRGB (IEC 61966-2-1), as uint8; clipped at black and white.

    >>> srgb_from_light(np.float32([0.0, 0.18, 1.0]))
    array([  0, 118, 255], dtype=uint8)
    """
    light = np.clip(light, 0, 1)
    curved = np.where(light <= 0.0031308, light * 12.92, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return np.rint(curved * 255).astype(np.uint8)


def linear_light(picture: np.ndarray) -> np.ndarray:
    """The linear light of an sRGB picture (IEC 61966-2-1), float32: uint8 by a table, float by the formula.

    >>> linear_light(np.uint8([0, 128, 255])).round(3).astype(float).round(3).tolist()
    [0.0, 0.216, 1.0]
    """
    if picture.dtype == np.uint8:
        return _linear_table()[picture]
    signal = np.asarray(picture, np.float32)
    size = np.abs(signal)
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.copysign(light, signal).astype(np.float32)


@lru_cache(maxsize=1)
def _linear_table() -> np.ndarray:
    return linear_light(np.arange(256, dtype=np.float32) / 255)


def _light(numbers: np.ndarray, gamma: float) -> np.ndarray:
    if gamma:
        return np.power(np.clip(numbers, 0, None), np.float32(gamma)) if gamma != 1 else numbers
    return linear_light(numbers)


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """The matrix from RGB light to XYZ, its white adapted to that of sRGB (Bradford)."""
    points = np.array(primaries, np.float64).reshape(4, 2)
    xyz = np.column_stack([points[:, 0], points[:, 1], 1 - points.sum(axis=1)]) / points[:, 1:]
    matrix = xyz[:3].T * np.linalg.solve(xyz[:3].T, xyz[3])
    white = np.array(
        [SRGB_PRIMARIES[6] / SRGB_PRIMARIES[7], 1.0, 1 / SRGB_PRIMARIES[7] - SRGB_PRIMARIES[6] / SRGB_PRIMARIES[7] - 1]
    )
    gains = (_BRADFORD @ white) / (_BRADFORD @ xyz[3])
    return np.linalg.solve(_BRADFORD, gains[:, None] * _BRADFORD) @ matrix
