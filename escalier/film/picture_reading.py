"""Reading one picture file: whatever a painter, a phone or a renderer writes, as upright RGB in sRGB."""

import io
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from escalier.arguments import checked
from escalier.refusals import Refusal

from . import linear_pictures
from .picture_colour import by_encoding, by_profile
from .picture_headers import (
    BAD_FILE,
    BROKEN_OFF,
    Header,
    Refused,
    check_file,
    header_in,
    open_with_pillow,
    read_header,
    tiff_with_orientation_1,
)
from .pictures import Size, tell

LARGE_FILE_BYTES = 64 * 1024**2


@checked
def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture file as RGB uint8 (H, W, 3), as an artist sees it.

    The content says what a file is, not its name. Plain 8-bit pictures come back bit for bit. Besides that:

    - the orientation that a camera stored (EXIF, all eight) is applied, in every format that can carry one;
    - colours are converted to sRGB by the embedded ICC profile (perceptual intent), for grey and CMYK too; without one
      by a PNG's gAMA and cHRM, which its iCCP or sRGB overrule, or by EXIF's mark of Adobe RGB. A profile that is
      broken or does not fit is passed over with a notice in the log;
    - grey is spread over three channels, 16 bits are rounded to 8, floats of a TIFF are 0..1 as they are displayed;
      EXR and Radiance are linear light, brought to sRGB, and clipped at white with a notice;
    - an alpha channel, a transparent colour or palette entry is refused where it hides something.

    Parameters
    ----------
    path : str or Path
        PNG, JPEG, WebP, TIFF, BMP, GIF, TGA, JPEG 2000, PPM, Radiance; EXR with the package OpenEXR; AVIF and HEIC
        where the installed Pillow can.

    Returns
    -------
    ndarray (H, W, 3) uint8

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file, or it is no ordinary file (a folder, a pipe, a device).
    ImportError
        If a package is missing for this format.
    ValueError
        If it is no picture, cut short, animated, transparent, larger than 32768 pixels a side or 178 million in all, or
        holds NaN, infinity, or numbers whose range nothing tells.

    >>> import cv2, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "red.png"
    >>> path.write_bytes(cv2.imencode(".png", np.full((2, 3, 3), (0, 0, 255), np.uint8))[1].tobytes()) > 0
    True
    >>> read_picture(path)[0, 0].tolist()
    [255, 0, 0]
    """
    path = Path(path)
    header, colour, alpha = read_stored(path)
    if header.kind in ("exr", "hdr"):
        colour = linear_pictures.srgb_from_scene(colour, path.name, header.encoding)
    elif header.encoding is not None and colour.dtype != np.float32:
        colour = by_encoding(colour, header.encoding)
    colour = to_8_bits(colour, path.name)
    if header.profile is not None and not header.cmyk:
        colour = np.asarray(by_profile(Image.fromarray(colour), header.profile, path.name))
    if alpha is not None and not alpha.min() >= (0.999 if alpha.dtype == np.float32 else np.iinfo(alpha.dtype).max):
        to_8_bits(alpha, path.name)  # refuses numbers that are no coverage at all
        raise Refusal(
            path.name,
            "be opaque",
            "an alpha channel with transparent pixels",
            "flatten it onto the frame and save it as RGB",
        )
    return colour if colour.ndim == 3 else np.repeat(colour[..., None], 3, axis=2)


@checked
def picture_size(path: str | Path) -> Size:
    """The size of a picture file, upright, from its header alone.

    Raises the errors of `read_picture` that a header can show.

    >>> import cv2, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "red.png"
    >>> path.write_bytes(cv2.imencode(".png", np.zeros((2, 3, 3), np.uint8))[1].tobytes()) > 0
    True
    >>> picture_size(path)
    Size(width=3, height=2)
    """
    return read_header(Path(path)).size


def read_stored(path: Path) -> tuple[Header, np.ndarray, np.ndarray | None]:
    """The numbers of a picture as they are stored, upright: uint8, uint16 or float32, grey (H, W) or RGB (H, W, 3).

    The last is its alpha channel, None where there is none. CMYK comes as sRGB.
    """
    if check_file(path) > LARGE_FILE_BYTES:
        read_header(path)  # refuses before the whole file is read
    data = path.read_bytes()
    header = header_in(io.BytesIO(data), path, len(data), whole=True)
    try:
        if header.kind == "exr":
            colour, alpha, light = linear_pictures.read_exr(path)
            header = header._replace(encoding=light)
        else:
            data = tiff_with_orientation_1(data) if header.kind == "tiff" else data
            colour, alpha = _by_opencv(data, header) if header.by_opencv else _by_pillow(data, header, path)
    except Refused as error:
        raise Refusal(path.name, f"{error}") from error
    except Refusal:
        raise
    except (*BAD_FILE, cv2.error, Image.DecompressionBombError) as error:
        raise Refusal(path.name, "be a picture file, but it cannot be decoded", remedy="save it again") from error
    if header.clear_grey is not None:
        alpha = np.where(colour == header.clear_grey, 0, np.iinfo(colour.dtype).max).astype(colour.dtype)
    if header.white_is_zero:
        colour = 1 - colour if colour.dtype == np.float32 else np.iinfo(colour.dtype).max - colour
    return header, _upright(colour, header.orientation), None if alpha is None else _upright(alpha, header.orientation)


def to_8_bits(numbers: np.ndarray, name: str) -> np.ndarray:
    """uint8 as it is, uint16 rounded, floats as 0..1."""
    if numbers.dtype == np.uint8:
        return numbers
    if numbers.dtype == np.uint16:
        return cv2.convertScaleAbs(numbers, alpha=255 / 65535).reshape(numbers.shape)
    if not np.isfinite(numbers).all():
        raise Refusal(name, "hold finite numbers", "NaN or infinity", "render it again")
    low, high = float(numbers.min()), float(numbers.max())
    if low < -0.5 or high > 1.5:
        rule = "hold floats from 0 to 1"
        raise Refusal(name, rule, f"{low:.4g} to {high:.4g}", "scale them to 0..1, or save linear light as EXR")
    if high > 1.001:
        tell("%s: floats up to %.3g are clipped at 1, which is white", name, high)
    return np.rint(np.clip(numbers, 0, 1) * 255).astype(np.uint8)


def _upright(picture: np.ndarray, orientation: int) -> np.ndarray:
    """A stored picture turned and mirrored as EXIF's orientation 1..8 asks for."""
    if orientation == 1:
        return picture
    if orientation >= 5:
        picture = picture.swapaxes(0, 1)
    rows = -1 if orientation in (3, 4, 7, 8) else 1
    columns = -1 if orientation in (2, 3, 6, 7) else 1
    return np.ascontiguousarray(picture[::rows, ::columns])


def _by_opencv(data: bytes, header: Header) -> tuple[np.ndarray, np.ndarray | None]:
    if header.kind == "jpeg" and not _ends_behind_its_scan(data):
        raise Refused(BROKEN_OFF)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise ValueError("damaged")
    if picture.dtype == np.float64:
        picture = picture.astype(np.float32)
    if picture.dtype not in (np.uint8, np.uint16, np.float32):
        raise Refused(f"hold 8 or 16 bits or floats, got {picture.dtype}; save it as PNG")
    if (picture.shape[1], picture.shape[0]) != header.stored:
        raise ValueError("another size than its header")
    if picture.ndim == 2:
        return picture, None
    if picture.shape[2] == 2:
        return picture[..., 0], np.ascontiguousarray(picture[..., 1])
    if picture.shape[2] == 3:
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), None
    return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB), np.ascontiguousarray(picture[..., 3])


def _ends_behind_its_scan(data: bytes) -> bool:
    """Whether a JPEG has an end behind its first scan; one inside a thumbnail does not count."""
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        mark = data[place + 1]
        if mark == 0xDA:
            return data.rfind(b"\xff\xd9", place) >= 0
        if mark == 0xFF:
            place += 1
        elif mark == 0x01 or 0xD0 <= mark <= 0xD8:
            place += 2
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False


def _by_pillow(data: bytes, header: Header, path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    formats = {"formats": ("TGA",)} if header.kind == "tga" else {}
    with open_with_pillow(io.BytesIO(data), **formats) as image:
        image.load()
        mode = image.mode
        if mode.startswith("I;16"):
            return np.asarray(image).astype(np.uint16), None
        if mode == "F":
            return np.asarray(image).astype(np.float32), None
        if mode == "I" and header.kind == "ppm":  # 16 bits
            return np.asarray(image).astype(np.uint16), None
        if header.clear_grey is not None:
            return np.asarray(image.convert("L")), None
        if mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            layers = np.asarray(image.convert("RGBA"))
            return np.ascontiguousarray(layers[..., :3]), np.ascontiguousarray(layers[..., 3])
        if mode == "CMYK":
            shown = by_profile(image, header.profile, path.name) if header.profile else image
            if shown.mode == "CMYK":
                tell("%s: CMYK without a profile that fits; its colours are a guess", path.name)
            return np.asarray(shown.convert("RGB")), None
        if mode in ("1", "L"):
            return np.asarray(image.convert("L")), None
        if mode in ("RGB", "RGBX", "P", "YCbCr"):
            return np.asarray(image.convert("RGB")), None
        raise Refused(f"be grey, RGB or CMYK of 8 or 16 bits, got Pillow's mode {mode}; save it as RGB")
