"""Reading one picture file: whatever a painter, a phone or a renderer writes, as upright RGB in sRGB."""

from pathlib import Path

import numpy as np

from escalier.arguments import checked
from escalier.refusals import Refusal

from .picture_headers import read_header
from .picture_pixels import read_layers
from .pictures import Size


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
    colour, alpha = read_layers(Path(path))
    if alpha is not None:
        raise Refusal(
            f"{Path(path).name}",
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
