"""What PyAV has no way to ask of a Matroska file: the shape of its pixels, and whether its end is there."""

import contextlib
import math
import os
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

SEGMENT, TRACKS, TRACK, VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
WIDTH, HEIGHT, DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT = 0xB0, 0xBA, 0x54B0, 0x54BA, 0x54B2
TRACK_UID, CHECKSUM, VOID = 0x73C5, 0xBF, 0xEC
HEADER_BYTES = 1 << 20


def set_pixel_aspect(file: Any, aspect: Fraction) -> None:
    """Write the size at which a finished Matroska or WebM file is to be shown into its header.

    `file` is open for reading and writing, `aspect` the width of a pixel over its height. The header keeps its length:
    FFmpeg writes lengths in eight bytes where one would do, and the room is used.
    """
    file.seek(0)
    header = file.read(HEADER_BYTES)
    place = 0
    while place < len(header):
        number, body, end = _element(header, place)
        if number == TRACKS:
            file.seek(body)
            file.write(_with_aspect(header[body:end], aspect))
            return
        place = body if number == SEGMENT else end  # into the one element that holds all others


def is_cut_short(path: Path) -> bool:
    """Whether a Matroska or WebM file ends before the end that its header states; one written live states none."""
    with open(path, "rb") as file:
        header = file.read(HEADER_BYTES)
        length = file.seek(0, os.SEEK_END)
    with contextlib.suppress(IndexError):  # a header that ends within a number
        _, _, place = _element(header, 0)
        number, body, end = _element(header, place)
        unknown = (1 << 7 * (9 - header[place + len(_number(number))].bit_length())) - 1
        return number == SEGMENT and end - body != unknown and end > length
    return True


def _with_aspect(tracks: bytes, aspect: Fraction) -> bytes:
    """The contents of Tracks, as long as before, with the size to show written into each picture track."""
    elements = [
        (number, _track_with_aspect(data, aspect) if number == TRACK else data)
        for number, data in _elements(tracks)
        if number not in (CHECKSUM, VOID)
    ]
    checksum_bytes = 6 if tracks[0] == CHECKSUM else 0
    contents = b"".join(_packed(*element) for element in elements)
    room = len(tracks) - checksum_bytes - len(contents)
    if room == 1:  # nothing is that short: the last size takes one byte more
        *others, (number, data) = elements
        size_bytes = len(_packed(number, data)) - len(_number(number)) - len(data) + 1
        contents, room = b"".join(_packed(*element) for element in others) + _packed(number, data, size_bytes), 0
    contents += _padding(room)
    if checksum_bytes:
        contents = _packed(CHECKSUM, zlib.crc32(contents).to_bytes(4, "little")) + contents
    return contents


def _track_with_aspect(track: bytes, aspect: Fraction) -> bytes:
    parts = []
    for number, data in _elements(track):
        if number == VIDEO:
            data = _shown_at(data, aspect)
        elif number == TRACK_UID:  # a number in eight bytes, zeros most of them
            data = data.lstrip(b"\0") or b"\0"
        if number != VOID:
            parts.append(_packed(number, data))
    return b"".join(parts)


def _shown_at(video: bytes, aspect: Fraction) -> bytes:
    elements = [one for one in _elements(video) if one[0] not in (DISPLAY_WIDTH, DISPLAY_HEIGHT, DISPLAY_UNIT)]
    sides = dict(elements)
    width, height = (int.from_bytes(sides[side], "big") for side in (WIDTH, HEIGHT))
    shape = Fraction(width, height) * aspect
    # The exact shape (within two bytes a number), in whole numbers as near to the pixels as can be.
    while max(shape.numerator, shape.denominator) >= 1 << 16:
        shape = shape.limit_denominator(shape.denominator // 2 or 1)
    scale = max(round(height / shape.denominator), 1)
    shown = ((DISPLAY_WIDTH, shape.numerator * scale), (DISPLAY_HEIGHT, shape.denominator * scale))
    elements += [(number, _number(value)) for number, value in shown]
    return b"".join(_packed(*one) for one in elements)


def _number(value: int) -> bytes:
    return value.to_bytes(math.ceil(value.bit_length() / 8), "big")


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    found, place = [], 0
    while place < len(data):
        number, body, end = _element(data, place)
        found.append((number, data[body:end]))
        place = end
    return found


def _element(data: bytes, place: int) -> tuple[int, int, int]:
    """Number of the element that begins at `place`, where its contents begin, and where it ends (EBML, RFC 8794)."""
    length = 9 - data[place].bit_length()
    number = int.from_bytes(data[place : place + length], "big")
    place += length
    length = 9 - data[place].bit_length()
    size = int.from_bytes(data[place : place + length], "big") & ((1 << 7 * length) - 1)
    return number, place + length, place + length + size


def _packed(number: int, data: bytes, size_bytes: int = 0) -> bytes:
    """An element with its number and size in front, the size in as few bytes as can be or in so many."""
    size_bytes = size_bytes or next(n for n in range(1, 9) if len(data) < (1 << 7 * n) - 1)
    return _number(number) + (len(data) | 1 << 7 * size_bytes).to_bytes(size_bytes, "big") + data


def _padding(room: int) -> bytes:
    """Elements without meaning that fill so many bytes: two or more, or none."""
    if room == 0:
        return b""
    size_bytes = next(n for n in range(1, 9) if room - 1 - n < (1 << 7 * n) - 1)
    return _packed(VOID, bytes(room - 1 - size_bytes), size_bytes)
