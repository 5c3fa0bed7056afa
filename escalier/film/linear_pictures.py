"""Pictures that hold linear light: OpenEXR and Radiance."""

import re
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import numpy as np

from escalier.refusals import PackageRefusal, Refusal

from .picture_colour import SRGB_PRIMARIES, Encoding, by_encoding, srgb_from_light
from .pictures import MAX_PIXELS, MAX_SIDE_PX, Size, tell


def exr_size(path: Path) -> Size:
    """The size of an EXR file's display window, from its header."""
    header = _header(path)
    low, high = header["displayWindow"]
    (left, top), (right, bottom) = ([int(place) for place in corner] for corner in header["dataWindow"])
    if max(right - left, bottom - top) >= MAX_SIDE_PX or (right - left + 1) * (bottom - top + 1) > MAX_PIXELS:
        raise ValueError("more data than any picture has")
    return Size(*(int(side) for side in high - low + 1))


def read_exr(path: Path) -> tuple[np.ndarray, np.ndarray | None, Encoding]:
    """The light of an EXR file, float32, grey (H, W) or RGB, its alpha channel, and the primaries of the light.

    What lies outside the display window is cut off, what is missing inside it is refused.
    """
    module = _module()
    with module.File(str(path), separate_channels=True) as file:
        if len(file.parts) != 1:
            rule = "be whole and have one part"
            raise Refusal(path.name, rule, f"{len(file.parts)} that can be read", "render or copy it again")
        header = dict(file.header())  # copied: OpenEXR empties its own when the file is closed
        planes = {name: np.array(channel.pixels) for name, channel in file.channels().items()}
    names = _colour_channels(planes, path.name)
    if any(planes[name].ndim != 2 or planes[name].shape != planes[names[0]].shape for name in names):
        raise Refusal(path.name, "be whole and have channels of one size", remedy="render it again")
    layers = [_in_display(planes[name].astype(np.float32), header, path.name) for name in names]
    alpha = layers.pop() if len(layers) in (2, 4) else None
    light = layers[0] if len(layers) == 1 else np.dstack(layers)
    stated = header.get("chromaticities")
    primaries = SRGB_PRIMARIES if stated is None else tuple(float(value) for value in np.ravel(stated))
    return light, alpha, Encoding(1.0, primaries)


def srgb_from_scene(light: np.ndarray, name: str, encoding: Encoding | None = None) -> np.ndarray:
    """Linear light, 1 being white, as sRGB uint8: from other primaries, and clipped above white with a notice."""
    if not np.isfinite(light).all():
        raise Refusal(name, "hold finite numbers", "NaN or infinity", "render it again")
    if light.max() > 1.001:
        share = float((light > 1.001).mean())
        tell("%s: light up to %.3g is clipped at 1, which is white (%.1f %%)", name, light.max(), 100 * share)
    return srgb_from_light(light) if encoding is None else by_encoding(light, encoding)


def radiance_size(file: BinaryIO) -> Size:
    """The size of a Radiance picture, from its header."""
    match = re.search(rb"\n[-+]Y (\d+) [-+]X (\d+)\n", file.read(4096))
    if match is None:
        raise ValueError("no size")
    return Size(int(match[2]), int(match[1]))


def _module() -> ModuleType:
    try:
        import OpenEXR
    except ImportError as error:
        raise PackageRefusal("EXR", "be read with OpenEXR", "none", 'run: pip install "OpenEXR>=3.3"') from error
    return OpenEXR


def _header(path: Path) -> dict:
    try:
        with _module().File(str(path), header_only=True) as file:
            return dict(file.header())
    except RuntimeError as error:
        raise ValueError(str(error)) from error


def _colour_channels(planes: dict[str, np.ndarray], name: str) -> list[str]:
    """The channels of the picture, alpha last: R, G, B, or Y, plain or of one layer such as Combined."""
    dots = {channel.rpartition(".")[0] + "." * ("." in channel) for channel in planes}
    choices = [
        [dot + colour for colour in [*colours, "A"] if dot + colour in planes]
        for dot in sorted(dots)
        for colours in ("RGB", "Y")
        if all(dot + colour in planes for colour in colours) and dot + "RY" not in planes
    ]
    plain = [choice for choice in choices if "." not in choice[0]]
    if len(plain or choices) != 1:
        rule = "have one picture of channels R, G, B or Y"
        raise Refusal(name, rule, ", ".join(sorted(planes)) or "none", "save only the picture")
    return (plain or choices)[0]


def _in_display(plane: np.ndarray, header: dict, name: str) -> np.ndarray:
    (left, top), (right, bottom) = header["displayWindow"]
    (data_left, data_top), (data_right, data_bottom) = header["dataWindow"]
    if data_left > left or data_top > top or data_right < right or data_bottom < bottom:
        raise Refusal(name, "fill its display window", remedy="render it without a crop")
    return plane[top - data_top : bottom - data_top + 1, left - data_left : right - data_left + 1]
