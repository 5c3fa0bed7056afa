"""Films as numbered pictures: PNG and TIFF, exact in 8 bits, and EXR, linear light in half floats."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from escalier.refusals import Refusal
from escalier.scratch import give_up, new_draft, remove_leftovers, remove_quietly, storage_error

from .picture_colour import SRGB_PRIMARIES, linear_light
from .pictures import as_uint8

USUAL_NAME, USUAL_DIGITS, USUAL_SUFFIX = "frame_", 6, ".png"
_PLACE = re.compile(r"#+|%(?:0?(\d+))?d")


class SequenceName(NamedTuple):
    """The names of a picture sequence: a folder, what stands before the number, its digits, what stands after it.

    >>> SequenceName.of("shot/plate_####.exr").file(7).name
    'plate_0007.exr'
    >>> SequenceName.in_folder("shot").file(7).name
    'frame_000007.png'
    """

    folder: Path
    before: str
    digits: int
    after: str

    @classmethod
    def in_folder(cls, folder: str | Path) -> SequenceName:
        """The usual names in a folder."""
        return cls(Path(folder), USUAL_NAME, USUAL_DIGITS, USUAL_SUFFIX)

    @classmethod
    def of(cls, path: str | Path) -> SequenceName:
        """Read the place of the number, `####` or `%06d`, out of a name."""
        file = Path(path)
        places = list(_PLACE.finditer(file.name))
        if len(places) != 1:
            example = f"{file.stem if not places else 'frame'}_####{file.suffix}"
            rule = "have one place for the number, #### or %06d"
            raise Refusal("the name of a picture sequence", rule, file.name, f"write {example}, or a folder")
        place = places[0]
        digits = len(place.group()) if place.group().startswith("#") else int(place.group(1) or 0)
        return cls(file.parent, file.name[: place.start()], digits, file.name[place.end() :])

    @property
    def example(self) -> str:
        """The name of the first picture, with its folder."""
        return self.file(0).as_posix()

    @property
    def suffix(self) -> str:
        return Path(f"0{self.after}").suffix.lower()

    def file(self, number: int) -> Path:
        return self.folder / f"{self.before}{number:0{self.digits}d}{self.after}"

    def number_of(self, name: str) -> int | None:
        """The number of a file of this sequence; None for any other file."""
        inside = name.startswith(self.before) and name.endswith(self.after)
        middle = name[len(self.before) : len(name) - len(self.after)] if inside else ""
        if not re.fullmatch(r"\d+", middle) or self.file(int(middle)).name != name:
            return None
        return int(middle)


class PictureFiles:
    """A film being written as numbered pictures; the whole sequence appears at its end or nothing does.

    The pictures are kept in a hidden folder inside the target folder and moved to their names once all are there.
    Pictures of an older sequence of the same name are replaced by then, those beyond the new film's length removed, so
    that no film is left that is half old and half new. Other files stay. `first` is the number of the first picture,
    `rate` and `pixel_aspect` are what EXR notes in each.
    """

    def __init__(self, name: SequenceName, first: int, rate: Fraction, pixel_aspect: Fraction) -> None:
        self._name, self._first, self._rate, self._pixel_aspect = name, first, rate, pixel_aspect
        self._save = _SAVERS[name.suffix]
        self._count = 0
        self._draft = new_draft(name.file(first))

    def __enter__(self) -> PictureFiles:
        remove_leftovers(self._name.folder, self._name.file(self._first))
        with self._storage_errors():
            self._draft.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        remove_quietly(self._draft)
        give_up(self._draft)

    def add(self, picture: np.ndarray) -> None:
        """Write the next picture, RGB uint8 or float 0..1."""
        file = self._draft / self._name.file(self._first + self._count).name
        with self._storage_errors():
            self._save(file, picture, self._rate, self._pixel_aspect)
        self._count += 1

    def finish(self) -> None:
        """Move all pictures to their names, and take away those of an older sequence that was longer."""
        numbers = range(self._first, self._first + self._count)
        with self._storage_errors():
            old = [(self._name.number_of(file.name), file) for file in self._name.folder.iterdir()]
            for number in numbers:
                file = self._name.file(number)
                os.replace(self._draft / file.name, file)
            for number_there, file in old:
                if number_there is not None and number_there not in numbers:
                    file.unlink()

    @contextlib.contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise storage_error(self._name.file(self._first + self._count), error, self._draft) from error


def _by_opencv(path: Path, picture: np.ndarray, *_: object) -> None:
    bgr = cv2.cvtColor(as_uint8(picture), cv2.COLOR_RGB2BGR)
    png = path.suffix.lower() == ".png"
    deflated = [cv2.IMWRITE_PNG_COMPRESSION, 3] if png else [cv2.IMWRITE_TIFF_COMPRESSION, 8]  # Adobe's
    path.write_bytes(cv2.imencode(path.suffix, bgr, deflated)[1].tobytes())


def _exr(path: Path, picture: np.ndarray, rate: Fraction, pixel_aspect: Fraction) -> None:
    """Linear light of sRGB in half floats, with the primaries that it has, the rate and the shape of its pixels."""
    import OpenEXR

    header: dict[str, Any] = {
        "compression": OpenEXR.ZIP_COMPRESSION,
        "type": OpenEXR.scanlineimage,
        "chromaticities": SRGB_PRIMARIES,
        "pixelAspectRatio": float(pixel_aspect),
        "framesPerSecond": Fraction(rate),
    }
    try:
        OpenEXR.File(header, {"RGB": linear_light(picture).astype(np.float16)}).write(str(path))
    except RuntimeError as error:  # what the package makes of every error, a full disk among them
        full = shutil.disk_usage(path.parent).free < picture.size * 2
        code = errno.ENOSPC if full else errno.EIO
        raise OSError(code, os.strerror(code), str(path)) from error


_SAVERS: dict[str, Callable[[Path, np.ndarray, Fraction, Fraction], None]] = {
    ".png": _by_opencv,
    ".tif": _by_opencv,
    ".tiff": _by_opencv,
    ".exr": _exr,
}
