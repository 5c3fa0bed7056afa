"""Keyframes as picture files: written for the painter under names that say where they belong, read back painted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2
import numpy as np

from escalier.film.frames import FrameSource, Size, as_uint8, last_number, read_picture, sorted_pictures
from escalier.film.whole_files import write_whole

from .keyframes import Keyframes, check_indices


def read_keyframes(folder: str | Path, length: int, *, first: int = 0, size: Size | None = None) -> Keyframes:
    """Read painted keyframes from a folder; the last number in a file's name is its frame.

    Parameters
    ----------
    folder
        Holds one picture for each keyframe and no other pictures: PNG, JPEG, WebP, TIFF or BMP, opaque.
    length
        Number of frames in the film.
    first
        The number that the files give to the film's first frame: 0, or 1 where they count from 1.
    size
        The size that the keyframes must have, for instance the film's. None accepts any, the same for all.

    Returns
    -------
    Keyframes
        uint8 RGB pictures.

    Raises
    ------
    FileNotFoundError
        If there is no such folder or no picture in it.
    ValueError
        Naming the file that has no number, a number used twice or outside the film, another size, transparent pixels
        or cannot be read.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> keyframes = Keyframes([0, 50], [np.zeros((27, 48, 3), np.uint8)] * 2, length=100)
    >>> [file.name for file in write_keyframes(folder, keyframes)]
    ['keyframe_000000.png', 'keyframe_000050.png']
    >>> read_keyframes(folder, length=100).indices
    (0, 50)
    """
    _check_first(first, "read_keyframes")
    files = _numbered(sorted_pictures(Path(folder)), length, first)
    pictures: list[np.ndarray] = []
    for file in files.values():
        picture = read_picture(file)
        wanted = size or (Size.of(pictures[0]) if pictures else Size.of(picture))
        if Size.of(picture) != wanted:
            whose = "the film's size" if size else f"the size of {next(iter(files.values())).name}"
            raise ValueError(
                f"read_keyframes: {file.name} must be {wanted}, {whose}, got {Size.of(picture)}; scale it, or export "
                "it again at that size"
            )
        pictures.append(picture)
    return Keyframes(list(files), pictures, length)


def write_keyframes(
    folder: str | Path,
    film: FrameSource | Keyframes,
    indices: Sequence[int] | None = None,
    *,
    first: int = 0,
    name: str = "keyframe",
    overwrite: bool = False,
    progress: Callable[..., object] | None = None,
) -> list[Path]:
    """Write keyframes as PNG files, `keyframe_000137.png` for frame 137, as `read_keyframes` reads them.

    Parameters
    ----------
    folder
        Made where it does not exist.
    film
        A film, of which the frames at `indices` are written, or keyframes. float32 is rounded to 256 levels.
    indices
        Frame numbers, rising. None writes all of the keyframes.
    first
        The number that names the film's first frame: 0 or 1.
    name
        What the file names begin with.
    overwrite
        Whether files of the same names may be replaced. They may be paintings, so not by default.
    progress
        Called as `progress(done, total)` after each file; what it raises passes through, files written so far stay.

    Returns
    -------
    list of Path
        The files, in the order of the indices.

    Raises
    ------
    FileExistsError
        If a file exists and `overwrite` is not set; nothing has been written then.
    ValueError
        If an index or the name is wrong.
    OSError
        If the folder cannot be written to.

    >>> import tempfile
    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.zeros((24, 4, 4, 3), np.uint8))
    >>> [file.name for file in write_keyframes(tempfile.mkdtemp(), film, [0, 12], first=1)]
    ['keyframe_000001.png', 'keyframe_000013.png']
    """
    _check_first(first, "write_keyframes")
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"write_keyframes: name must be a plain file name, got {name!r}; 'keyframe' is a good one")
    places = tuple(int(i) for i in _places(film, indices))
    folder = Path(folder)
    files = [folder / f"{name}_{index + first:06d}.png" for index in places]
    standing = [file.name for file in files if file.exists()]
    if standing and not overwrite:
        raise FileExistsError(
            f"write_keyframes: {folder} must not hold these keyframes yet, got {standing[0]}"
            f"{f' and {len(standing) - 1} more' if len(standing) > 1 else ''}; choose another folder, or allow "
            "overwriting"
        )
    folder.mkdir(parents=True, exist_ok=True)
    for done, (file, picture) in enumerate(zip(files, _pictures(film, places), strict=True), start=1):
        _write_png(file, as_uint8(picture))
        if progress is not None:
            progress(done, len(files))
    return files


def _check_first(first: int, caller: str) -> None:
    if first not in (0, 1):
        raise ValueError(f"{caller}: first must be 0 or 1, got {first}; it is the number of the film's first frame")


def _numbered(files: Iterable[Path], length: int, first: int) -> dict[int, Path]:
    """Picture files by frame, counted from 0, rising."""
    numbered: dict[int, Path] = {}
    for file in files:
        number = last_number(file.name)
        if number is None:
            raise ValueError(
                f"read_keyframes: {file.name} must have its frame number in its name, got none; call it for instance "
                f"{file.stem}_000024{file.suffix}, or take it out of the folder"
            )
        index = number - first
        if index in numbered:
            raise ValueError(
                f"read_keyframes: each frame must have one picture, got {numbered[index].name} and {file.name} for "
                f"frame {number}; remove one of them"
            )
        if not 0 <= index < length:
            raise ValueError(
                f"read_keyframes: {file.name} must lie in the film, whose {length} frames are numbered "
                f"{first}..{length - 1 + first}, got {number}; {_remedy(number, length, first)}"
            )
        numbered[index] = file
    return numbered


def _remedy(number: int, length: int, first: int) -> str:
    other = 1 - first
    if other <= number < length + other:
        return f"use first = {other} (--first {other}) if the numbers count from {other}"
    return "rename it, or check that it belongs to this film (--first 0 or 1 says from where its numbers count)"


def _places(film: FrameSource | Keyframes, indices: Sequence[int] | None) -> Sequence[int]:
    if not isinstance(film, Keyframes):
        check_indices(() if indices is None else indices, len(film), "write_keyframes")
        return indices or ()
    if indices is None:
        return film.indices
    check_indices(indices, film.length, "write_keyframes")
    missing = sorted(set(indices) - set(film.indices))
    if missing:
        raise ValueError(
            f"write_keyframes: indices must be those of keyframes, got {missing[0]}; choose among "
            f"{', '.join(map(str, film.indices))}"
        )
    return indices


def _pictures(film: FrameSource | Keyframes, places: Sequence[int]) -> Iterable[np.ndarray]:
    if isinstance(film, Keyframes):
        return (picture for index, picture in film if index in places)
    return (film.frame(index) for index in places)


def _write_png(path: Path, picture: np.ndarray) -> None:
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    write_whole(path, lambda file: file.write(data.tobytes()))
