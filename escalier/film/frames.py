"""A film is anything that can hand over frame i: an array, a memory map, a folder of pictures, a video file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

import cv2
import numpy as np

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


class Size(NamedTuple):
    """The size of a picture in pixels, in the order artists say it: width x height.

    >>> str(Size(960, 540))
    '960x540'
    """

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @classmethod
    def of(cls, picture: np.ndarray) -> Size:
        """The size of an (H, W) or (H, W, C) array."""
        return cls(int(picture.shape[1]), int(picture.shape[0]))


@runtime_checkable
class FrameSource(Protocol):
    """A film. No stage of the pack holds a whole film in memory; it asks for one frame at a time.

    `frame(index)` gives an RGB picture (H, W, 3), uint8 0..255 or float32 0..1, with H and W as in `size`. The caller
    must not write into it. Reading frames in rising order is fast for every source; any order works.
    """

    @property
    def size(self) -> Size: ...

    @property
    def rate(self) -> Fraction:
        """Frames per second."""
        ...

    def __len__(self) -> int: ...

    def frame(self, index: int) -> np.ndarray: ...


MaskSource = np.ndarray | Sequence[np.ndarray]
"""Masks over time: masks[i] is (H, W), uint8 0..255 or float 0..1. Length 1 stands for the whole film."""


class ArrayFrames:
    """A film held in an array (N, H, W, 3), uint8 or float32 0..1; a memory map serves as well.

    >>> film = ArrayFrames(np.zeros((24, 270, 480, 3), np.uint8), rate=24)
    >>> len(film), str(film.size)
    (24, '480x270')
    """

    def __init__(self, frames: np.ndarray, rate: Fraction | float = 24) -> None:
        if frames.ndim != 4 or frames.shape[-1] != 3:
            raise ValueError(
                f"ArrayFrames: frames must have the shape (N, height, width, 3), got {frames.shape}; "
                "convert grey or RGBA pictures to RGB first"
            )
        if len(frames) == 0:
            raise ValueError("ArrayFrames: frames must hold at least one frame, got 0; check the clip")
        if frames.dtype not in (np.uint8, np.float32):
            raise TypeError(f"ArrayFrames: frames must be uint8 or float32, got {frames.dtype}; convert them first")
        self._frames = frames
        self._rate = Fraction(rate).limit_denominator(100_000)

    @property
    def size(self) -> Size:
        return Size(self._frames.shape[2], self._frames.shape[1])

    @property
    def rate(self) -> Fraction:
        return self._rate

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> np.ndarray:
        return self._frames[index]


class FolderFrames:
    """A film kept as a folder of pictures, one file a frame, in the order of the last number in each name."""

    def __init__(self, folder: str | Path, rate: Fraction | float = 24) -> None:
        self.folder = Path(folder)
        self._files = sorted_pictures(self.folder)
        self._rate = Fraction(rate).limit_denominator(100_000)
        self._size = Size.of(read_picture(self._files[0]))

    @property
    def size(self) -> Size:
        return self._size

    @property
    def rate(self) -> Fraction:
        return self._rate

    def __len__(self) -> int:
        return len(self._files)

    def fingerprint_parts(self) -> tuple[Path, ...]:
        """What its frames depend on, for `film_fingerprint`: the bytes of its pictures, in order."""
        return tuple(self._files)

    def frame(self, index: int) -> np.ndarray:
        picture = read_picture(self._files[index])
        if Size.of(picture) != self._size:
            raise ValueError(
                f"FolderFrames: every picture in {self.folder} must be {self._size}, "
                f"got {Size.of(picture)} in {self._files[index].name}; export the frames at one size"
            )
        return picture


def last_number(name: str) -> int | None:
    """The last number in a file name, without its suffix: the place of a picture in its film.

    >>> last_number("shot_02_key_0137.png")
    137
    """
    numbers = re.findall(r"\d+", Path(name).stem)
    return int(numbers[-1]) if numbers else None


def sorted_pictures(folder: Path) -> list[Path]:
    """The picture files of a folder, sorted by their last number, then by name."""
    if not folder.is_dir():
        raise FileNotFoundError(f"sorted_pictures: no folder at {folder}; check the path")
    files = [f for f in folder.iterdir() if f.suffix.lower() in PICTURE_SUFFIXES and not f.name.startswith(".")]
    if not files:
        raise FileNotFoundError(
            f"sorted_pictures: {folder} must hold pictures ({', '.join(PICTURE_SUFFIXES)}), got none; check the folder"
        )

    def place(file: Path) -> tuple[int, str]:
        number = last_number(file.name)
        return (-1 if number is None else number, file.name)

    return sorted(files, key=place)


def read_picture(path: str | Path) -> np.ndarray:
    """Read a picture file as RGB uint8 (H, W, 3), whatever its name.

    Grey is spread over three channels, 16 bits are brought down to 8, an alpha channel that hides something is refused.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "red.png"
    >>> path.write_bytes(cv2.imencode(".png", np.full((2, 3, 3), (0, 0, 255), np.uint8))[1].tobytes()) > 0
    True
    >>> read_picture(path)[0, 0].tolist()
    [255, 0, 0]
    """
    data = np.fromfile(path, np.uint8)  # np.fromfile, since cv2.imread cannot open non-ASCII paths on Windows
    picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if picture is None:
        raise ValueError(
            f"read_picture: {Path(path).name} must be a picture file, but it cannot be decoded; save it again"
        )
    if picture.dtype != np.uint8:
        picture = cv2.convertScaleAbs(picture, alpha=255 / np.iinfo(np.uint16).max)
    if picture.ndim == 2:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    if picture.shape[2] == 4:
        if (picture[..., 3] != 255).any():
            raise ValueError(
                f"read_picture: {Path(path).name} must be opaque, got an alpha channel with transparent pixels; "
                "flatten it onto the frame and save it as RGB"
            )
        return cv2.cvtColor(picture, cv2.COLOR_BGRA2RGB)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def as_uint8(picture: np.ndarray) -> np.ndarray:
    """A picture as uint8: itself where it is, else float 0..1 rounded to the nearest of 256 levels.

    >>> as_uint8(np.float32([[0.0, 0.5, 1.0]]))
    array([[  0, 128, 255]], dtype=uint8)
    """
    if picture.dtype == np.uint8:
        return picture
    return np.rint(np.clip(picture, 0.0, 1.0) * 255.0).astype(np.uint8)


def check_masks(masks: MaskSource, film: FrameSource, caller: str) -> None:
    """Refuse masks whose number or size does not fit the film.

    >>> check_masks(np.zeros((3, 8, 8)), ArrayFrames(np.zeros((4, 8, 8, 3), np.uint8)), "matte")
    Traceback (most recent call last):
    ValueError: matte: mask must hold 1 or 4 masks, one for each frame, got 3; make the mask from the same clip, ...
    """
    if len(masks) not in (1, len(film)):
        raise ValueError(
            f"{caller}: mask must hold 1 or {len(film)} masks, one for each frame, got {len(masks)}; "
            "make the mask from the same clip, with the same trim"
        )
    first = np.asarray(masks[0])
    if first.ndim != 2 or Size.of(first) != film.size:
        shape = Size.of(first) if first.ndim >= 2 else first.shape
        raise ValueError(
            f"{caller}: mask must be a single channel of {film.size}, got {shape}; scale it to the film first"
        )
