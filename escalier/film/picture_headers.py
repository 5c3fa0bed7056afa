"""What a picture file says of itself before anything is decoded: format, size, orientation, profile, pages."""

import io
import stat
import struct
import threading
import warnings
from pathlib import Path
from typing import BinaryIO, NamedTuple

from PIL import ExifTags, Image, TiffImagePlugin

from escalier.refusals import FileRefusal, MissingFile, Refusal

from . import linear_pictures
from .picture_colour import ADOBE_GAMMA, ADOBE_PRIMARIES, Encoding
from .pictures import MAX_PIXELS, MAX_SIDE_PX, Size, tell

BAD_FILE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, MemoryError),
    *(SyntaxError, OSError, EOFError, RuntimeError, struct.error),
)
"""What decoders raise for files that are damaged or no pictures."""

BROKEN_OFF = "be a whole picture, but the file breaks off; save or copy it again"

_ONE_AT_A_TIME = threading.Lock()  # for filters of warnings, which all threads share

# What Pillow reads for us, told by content. TGA has no mark and goes by its name.
_PILLOW_FORMATS = ("BMP", "DIB", "GIF", "JPEG2000", "PPM", "WEBP", "JPEG", "MPO", "PNG", "TIFF", "AVIF", "HEIF")
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_TEXTS_WITH_ORIENTATION = (b"XML:com.adobe.xmp\0", b"Raw profile type ")


class Refused(ValueError):
    """What a picture must be, as the end of a sentence that begins with its name."""


class Header(NamedTuple):
    """What a file says of its picture."""

    kind: str
    stored: Size
    by_opencv: bool = False
    orientation: int = 1
    profile: bytes | None = None
    encoding: Encoding | None = None
    cut_short: bool = False
    white_is_zero: bool = False
    cmyk: bool = False
    clear_grey: int | None = None  # the level of grey that is transparent, at 8 or 16 bits

    @property
    def size(self) -> Size:
        """The size of the upright picture."""
        return Size(self.stored.height, self.stored.width) if self.orientation >= 5 else self.stored


def read_header(path: Path) -> Header:
    """The header of a picture file; whatever can be refused by it is refused."""
    length = check_file(path)
    with path.open("rb") as file:
        return header_in(file, path, length, whole=False)


def check_file(path: Path) -> int:
    """The length of an ordinary file in bytes; a folder, a pipe, a device or an empty file is refused unopened."""
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise MissingFile(f"no picture at {path}", remedy="check the path") from error
    if not stat.S_ISREG(status.st_mode):
        what = "folder" if stat.S_ISDIR(status.st_mode) else "pipe or device"
        raise FileRefusal(path.name, "be a picture file", f"a {what}", "name a file")
    if not status.st_size:
        raise Refusal(path.name, "be a picture file", "an empty one", "save it again")
    return status.st_size


def header_in(file: BinaryIO, path: Path, length: int, *, whole: bool) -> Header:
    """The header in an opened file or its bytes.

    Behind the pixels of a PNG an orientation may stand: it is looked for where `whole` says that all bytes are at hand.
    """
    try:
        header = _header(file, path, length, whole)
    except Image.DecompressionBombError as error:
        raise Refusal(
            path.name, f"have at most {MAX_PIXELS // 10**6} million pixels", "more", "scale it down"
        ) from error
    except Refused as error:
        raise Refusal(path.name, f"{error}") from error
    except PermissionError:
        raise
    except BAD_FILE as error:
        raise Refusal(path.name, "be a picture file, but it cannot be decoded", remedy="save it again") from error
    width, height = header.stored
    if not (1 <= width <= MAX_SIDE_PX and 1 <= height <= MAX_SIDE_PX and width * height <= MAX_PIXELS):
        rule = f"have 1 to {MAX_SIDE_PX} pixels a side and at most {MAX_PIXELS // 10**6} million in all"
        raise Refusal(path.name, rule, header.stored, "scale it")
    if header.cut_short:
        raise Refusal(path.name, BROKEN_OFF)
    return header


def open_with_pillow(file: BinaryIO, formats: tuple[str, ...] = _PILLOW_FORMATS) -> Image.Image:
    """An image whose pixels are not decoded yet."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of large pictures, for which there is a limit of our own, and of odd tags
        Image.init()
        return Image.open(file, formats=[name for name in formats if name in Image.OPEN])


def _header(file: BinaryIO, path: Path, length: int, whole: bool) -> Header:
    head = file.read(16)
    file.seek(0)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png(file, path.name, length, whole)
    if head.startswith(b"\x76\x2f\x31\x01"):
        return Header("exr", linear_pictures.exr_size(path))
    if head.startswith((b"#?RADIANCE", b"#?RGBE")):
        return Header("hdr", linear_pictures.radiance_size(file), by_opencv=True)
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return _tiff(file, length)
    Image.init()
    if head[4:8] == b"ftyp" and ("AVIF" if head[8:12] in (b"avif", b"avis") else "HEIF") not in Image.OPEN:
        raise Refused("be in a format that this Python can read, got HEIC or AVIF; save it as PNG or JPEG")
    if head.startswith(b"\xff\xd8") and (plain := _plain_jpeg(file.read(4096))) is not None:
        return plain
    file.seek(0)
    formats: tuple[str, ...] = ("TGA",) if path.suffix.lower() == ".tga" else _PILLOW_FORMATS
    formats = ("JPEG", "MPO") if head.startswith(b"\xff\xd8") else formats
    with open_with_pillow(file, formats) as image:
        header = _pillow(image, path.name)
        if header.kind in ("jpeg", "mpo"):  # the second picture of an MPO is a depth or gain map
            return header._replace(kind="jpeg", by_opencv=image.mode in ("L", "RGB"))
        if (count := getattr(image, "n_frames", 1)) > 1:
            raise Refused(f"be a single picture, got an animation of {count} frames; save the one that is meant")
        if header.kind == "webp":
            return header._replace(by_opencv=True, cut_short=struct.unpack("<I", head[4:8])[0] + 8 > length)
        return header


def _plain_jpeg(data: bytes) -> Header | None:
    """The header of a JPEG of 8 bits that has neither EXIF nor a profile, as programs write frames of films."""
    place, header = 2, None
    while place + 10 <= len(data) and data[place] == 0xFF and data[place + 1] not in (0xE1, 0xE2, 0xFF):
        mark, length = struct.unpack_from(">xBH", data, place)
        if mark == 0xDA:
            return header
        if mark in (0xC0, 0xC1, 0xC2):
            depth, height, width, channels = struct.unpack_from(">BHHB", data, place + 4)
            header = Header("jpeg", Size(width, height), by_opencv=True) if depth == 8 and channels in (1, 3) else None
        place += 2 + length
    return None


def _pillow(image: Image.Image, name: str) -> Header:
    orientation, encoding = _by_exif(image, name)
    profile = image.info.get("icc_profile") or None
    return Header(
        str(image.format).lower(),
        Size(*image.size),
        orientation=orientation,
        profile=profile,
        encoding=None if profile else encoding,
        cmyk=image.mode == "CMYK",
    )


def _by_exif(image: Image.Image, name: str) -> tuple[int, Encoding | None]:
    """The orientation that EXIF states, and Adobe RGB, which cameras mark there by the index R03 without a profile."""
    orientation, mark = 1, None
    if image.format == "JPEG" and not image.info.keys() & {"exif", "xmp"}:
        return orientation, None
    with _ONE_AT_A_TIME, warnings.catch_warnings(record=True) as damage:
        warnings.simplefilter("always")
        try:
            Image.Exif().load(image.info.get("exif") or b"")  # a JPEG's was parsed, and its damage told, on opening
            exif = image.getexif()
            orientation = _one_to_eight(exif.get(ExifTags.Base.Orientation, 1))
            if ExifTags.IFD.Interop in exif.get_ifd(ExifTags.IFD.Exif):
                mark = exif.get_ifd(ExifTags.IFD.Interop).get(1)
        except BAD_FILE:
            warnings.warn("unreadable", stacklevel=2)
    if damage:
        tell("%s: its EXIF block is damaged; its orientation and colours may be missed", name)
    return orientation, Encoding(ADOBE_GAMMA, ADOBE_PRIMARIES) if str(mark).rstrip("\0") == "R03" else None


def _one_to_eight(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _png(file: BinaryIO, name: str, length: int, whole: bool) -> Header:
    chunks, end = _png_chunks(file, whole)
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    frames = struct.unpack(">I", chunks[b"acTL"][:4])[0] if b"acTL" in chunks else 1
    if frames > 1:
        raise Refused(f"be a single picture, got an animation of {frames} frames; save the one that is meant")
    header = Header(
        "png",
        Size(width, height),
        by_opencv=colour != 3 and depth >= 8 and not (chunks.keys() & {b"tRNS", b"iCCP"} and depth == 8),
        clear_grey=_clear_grey(chunks[b"tRNS"], depth) if colour == 0 and b"tRNS" in chunks else None,
        cut_short=b"IEND" not in chunks or end > length,
    )
    if not header.cut_short and chunks.keys() & {b"iCCP", b"eXIf", *_TEXTS}:
        file.seek(0)
        with open_with_pillow(file, ("PNG",)) as image:  # reads the profile and whatever may hold an orientation
            turns = chunks.keys() & {b"eXIf", *_TEXTS}
            header = header._replace(orientation=_by_exif(image, name)[0] if turns else 1)
            header = header._replace(profile=image.info.get("icc_profile") or None)
    if header.profile is None and b"sRGB" not in chunks:
        header = header._replace(encoding=_png_encoding(chunks, name))
    return header


def _clear_grey(chunk: bytes, depth: int) -> int:
    """The transparent level, which decoders lose at other depths than 8, spread over 8 or 16 bits."""
    level = struct.unpack(">H", chunk[:2])[0]
    return level if depth >= 8 else level * 255 // (2**depth - 1)


def _png_chunks(file: BinaryIO, whole: bool) -> tuple[dict[bytes, bytes], int]:
    """The chunks of a PNG by name and the place of their end. Pixels and remarks of the painter are skipped.

    A large PNG is thousands of chunks: where it need not be `whole` and ends as it should, they are not walked through.
    """
    chunks: dict[bytes, bytes] = {}
    end = file.seek(0, io.SEEK_END)
    file.seek(max(end - 12, 0))
    ends_well = file.read(8) == b"\0\0\0\0IEND"
    place = 8
    while True:
        file.seek(place)
        head = file.read(8)
        if len(head) < 8:
            return chunks, place
        size, name = struct.unpack(">I4s", head)
        place += 12 + size
        content = file.read(min(size, 64))
        if name not in _TEXTS or content.startswith(_TEXTS_WITH_ORIENTATION):
            chunks.setdefault(name, content)
        if name == b"IDAT" and ends_well and not whole:
            return {**chunks, b"IEND": b""}, end
        if name == b"IEND":
            return chunks, place


def _png_encoding(chunks: dict[bytes, bytes], name: str) -> Encoding | None:
    if b"cICP" in chunks:
        primaries, transfer = chunks[b"cICP"][:2]
        if (primaries, transfer) != (1, 13):
            raise Refused(f"be in sRGB or bring an ICC profile, got cICP colours ({primaries}, {transfer}); convert it")
        return None
    if not chunks.keys() & {b"gAMA", b"cHRM"}:
        return None
    gamma = struct.unpack(">I", chunks[b"gAMA"])[0] / 100_000 if b"gAMA" in chunks else 0
    encoding = Encoding(1 / gamma if gamma else 0.0)
    if b"cHRM" in chunks:
        points = [value / 100_000 for value in struct.unpack(">8I", chunks[b"cHRM"])]
        encoding = encoding._replace(primaries=(*points[2:], *points[:2]))
    if not encoding.is_possible:
        tell("%s: its gAMA or cHRM is broken; read as sRGB", name)
        return None
    return None if encoding.is_srgb else encoding


def _tiff(file: BinaryIO, length: int) -> Header:
    pages = _tiff_pages(file)
    whole = [page for page in pages if not int(page.get(254, 0)) & 5]  # thumbnails and masks are no pages
    if len(whole) > 1:
        raise Refused(f"be a single picture, got {len(whole)} pages; save the one that is meant")
    if not whole or whole[0] is not pages[0]:
        raise Refused("begin with the picture itself, got a preview or a mask; save it as PNG")
    page = pages[0]
    bits, form = max(_tuple(page.get(258, 1))), _tuple(page.get(339, 1))[0]
    if not ((form in (1, 4) and bits <= 16) or (form == 3 and bits in (32, 64))):
        raise Refused(
            f"hold whole numbers of up to 16 bits or floats of 32, got sample format {form} of {bits} bits; save it as "
            "a 16-bit TIFF or PNG"
        )
    photometric, deep = int(page.get(262, 1)), bits >= 16
    if deep and photometric > 2:
        raise Refused("be grey or RGB at more than 8 bits, got other colours; save it as RGB")
    starts, counts = page.get(273) or page.get(324) or (), page.get(279) or page.get(325) or ()
    ends = [start + count for start, count in zip(_tuple(starts), _tuple(counts), strict=False)]
    profile = page.get(34675)
    return Header(
        "tiff",
        Size(int(page[256]), int(page[257])),
        by_opencv=deep and (int(page.get(277, 1)) > 1 or form == 3 or photometric == 0),  # Pillow lacks these
        orientation=_one_to_eight(page.get(274, 1)),
        profile=bytes(profile) if profile else None,
        cmyk=photometric == 5,
        cut_short=max(ends, default=0) > length,
        white_is_zero=deep and photometric == 0,
    )


def _tiff_pages(file: BinaryIO) -> list[TiffImagePlugin.ImageFileDirectory_v2]:
    head = file.read(16)
    head = head if 0x2B in head[2:4] else head[:8]
    place = TiffImagePlugin.ImageFileDirectory_v2(head).next
    pages: list[TiffImagePlugin.ImageFileDirectory_v2] = []
    seen: set[int] = set()
    while place and place not in seen and len(seen) < 1000:
        seen.add(place)
        page = TiffImagePlugin.ImageFileDirectory_v2(head)
        file.seek(place)
        with _ONE_AT_A_TIME, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            page.load(file)
        pages.append(page)
        place = page.next
    if not pages:
        raise ValueError("no page")
    return pages


def _tuple(value: object) -> tuple:
    return value if isinstance(value, tuple) else (value,)


def tiff_with_orientation_1(data: bytes) -> bytes:
    """A TIFF that says upright: decoders turn some kinds of TIFF by themselves and others not."""
    order = "<" if data[:2] == b"II" else ">"
    big = 0x2B in data[2:4]
    place = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), data, place)[0]
    turned, step = bytearray(data), 20 if big else 12
    for entry in range(count):
        at = place + (8 if big else 2) + entry * step
        if struct.unpack_from(order + "H", data, at)[0] == ExifTags.Base.Orientation:
            struct.pack_into(order + "H", turned, at + (12 if big else 8), 1)
    return bytes(turned)
