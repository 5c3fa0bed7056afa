"""Colour profiles and PNG chunks made by code, for files that no painter's program is needed to write."""

from __future__ import annotations

import io
import itertools
import struct
import zlib

import numpy as np
from PIL import Image

# What ICC.1:2001 writes for the colorants of these spaces, adapted to D50.
COLORANTS = {
    "Display P3": [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)],
    "Adobe RGB": [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)],
}
D50 = (0.9642, 1.0, 0.8249)


def profile(kind: str, gamma: float = 2.2) -> bytes:
    """An ICC profile: "Display P3", "Adobe RGB", "grey" or "CMYK". A gamma of 0 stands for the curve of sRGB."""
    numbers = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    srgb = b"para" + bytes(4) + struct.pack(">Hxx5i", 3, *[round(number * 65536) for number in numbers])
    curve = b"curv" + bytes(4) + struct.pack(">IHxx", 1, round(gamma * 256)) if gamma else srgb
    text = b"test\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + text,
        b"wtpt": _xyz(D50),
    }
    space, pcs, device = b"RGB ", b"XYZ ", b"mntr"
    if kind == "grey":
        space, tags[b"kTRC"] = b"GRAY", curve
    elif kind == "CMYK":
        space, pcs, device, tags[b"A2B0"] = b"CMYK", b"Lab ", b"prtr", _cmyk_to_lab()
    else:
        for name, colorant in zip((b"r", b"g", b"b"), COLORANTS[kind], strict=True):
            tags[name + b"XYZ"], tags[name + b"TRC"] = _xyz(colorant), curve
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), bytes(4), 0x02100000, device, space, pcs)
    head += struct.pack(">6H", 2026, 11, 28, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def png(picture: np.ndarray, *chunks: tuple[bytes, bytes], behind: bool = False) -> bytes:
    """A PNG of 8 or 16 bits, grey to RGBA, with further chunks before or behind its pixels."""
    height, width = picture.shape[:2]
    channels = 1 if picture.ndim == 2 else picture.shape[2]
    rows = picture.reshape(height, -1).astype(">u2" if picture.dtype == np.uint16 else np.uint8)
    pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    depth, colour = 8 * picture.dtype.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)), (b"IDAT", pixels)]
    parts[2 if behind else 1 : 2 if behind else 1] = chunks
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in [*parts, (b"IEND", b"")])


def grey_png(levels: np.ndarray, depth: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A grey PNG of 1, 2, 4 or 16 bits, as wide as fills whole bytes."""
    if depth == 16:
        return png(levels.astype(np.uint16), *chunks)
    bits = levels[..., None] >> np.arange(depth)[::-1] & 1
    rows = np.packbits(bits.reshape(len(levels), -1).astype(np.uint8), axis=1)
    head = struct.pack(">IIBBBBB", levels.shape[1], levels.shape[0], depth, 0, 0, 0, 0)
    pixels = (b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
    parts = [(b"IHDR", head), *chunks, pixels, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def exif(orientation: int, *, adobe: bool = False) -> bytes:
    """An EXIF block with an orientation, and the mark by which cameras say Adobe RGB."""
    block = Image.Exif()
    block[274] = orientation
    if adobe:
        block.get_ifd(0x8769)[0xA001] = 0xFFFF
        block.get_ifd(0x8769)[0xA005] = {1: "R03"}
    return block.tobytes()


def encoded(picture: np.ndarray | Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file of Pillow's."""
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind, **options)
    return file.getvalue()


def tiff(picture: np.ndarray, orientation: int = 1, *, white_is_zero: bool = False) -> bytes:
    """An uncompressed TIFF of any depth, big-endian: uint8, uint16, float32 or float64, grey or RGB."""
    height, width = picture.shape[:2]
    channels, bits = 1 if picture.ndim == 2 else picture.shape[2], 8 * picture.dtype.itemsize
    form, photometric = (3 if picture.dtype.kind == "f" else 1), (2 if channels > 1 else 0 if white_is_zero else 1)
    data = picture.astype(picture.dtype.newbyteorder(">")).tobytes()
    outside = struct.pack(f">{channels}H", *[bits] * channels) + struct.pack(f">{channels}H", *[form] * channels)
    first = 8 + len(data) + len(outside)
    one = channels == 1
    at = 8 + len(data)
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, bits << 16 if one else at), (259, 3, 1, 1 << 16),
        (262, 3, 1, photometric << 16), (273, 4, 1, 8), (274, 3, 1, orientation << 16), (277, 3, 1, channels << 16),
        (278, 4, 1, height), (279, 4, 1, len(data)),
        (339, 3, channels, form << 16 if one else at + 2 * channels),
    ]  # fmt: skip
    table = struct.pack(">H", len(entries)) + b"".join(struct.pack(">HHII", *entry) for entry in entries) + bytes(4)
    return b"MM\0*" + struct.pack(">I", first) + data + outside + table


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *[round(value * 65536) for value in values])


def _cmyk_to_lab() -> bytes:
    """A table of two steps an ink: lightness falls with every ink, cyan is bluish, magenta reddish, yellow yellow."""
    even = bytes(range(256))
    table = (
        b"mft1" + bytes(4) + struct.pack(">4B", 4, 3, 2, 0) + struct.pack(">9i", *np.eye(3, dtype=int).ravel() * 65536)
    )
    table += even * 4
    for cyan, magenta, yellow, black in itertools.product((0, 1), repeat=4):
        light = (255 - 60 * cyan - 70 * magenta - 15 * yellow) * (1 - 0.9 * black)
        a, b = 128 + (50 * magenta - 30 * cyan) * (1 - black), 128 + (60 * yellow - 35 * cyan) * (1 - black)
        table += bytes([round(light), round(a), round(b)])
    return table + even * 3
