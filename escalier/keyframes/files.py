"""Keyframes as picture files: written for the painter under names that say where they belong, read back painted."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Size, as_uint8, frame_numbers
from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import FileInTheWay, Refusal
from escalier.scratch import write_whole

from .keyframes import Keyframes, check_indices
from .listing import Place, list_in

MOST_FRAMES = 2**31


@checked
def read_keyframes(
    place: Place, film_or_length: Film | int, *, first: int | None = None, size: Size | None = None
) -> Keyframes:
    """Read painted keyframes; `list_keyframes` says which belongs where, and with what doubts.

    Parameters
    ----------
    place
        A folder that holds one picture for each keyframe, one picture, or a list of pictures; what can be read says
        `escalier.film.read_picture`.
    film_or_length
        The film that they belong to, or its number of frames.
    first
        The number that the files give to the film's first frame. None goes by the plates' own numbers for a folder
        film, and by 0 for any other.
    size
        The size of the film, where only its length is given. Keyframes have that size, or are larger and of the same
        shape, as they are then returned. None accepts any, the same for all.

    Returns
    -------
    Keyframes
        uint8 RGB pictures.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `place`, or no picture in it.
    ValueError
        Naming the file whose name has no number that can be a frame, a frame claimed twice, a number outside the film,
        another size, transparent pixels, or a file that cannot be read.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> keyframes = Keyframes([0, 50], [np.zeros((27, 48, 3), np.uint8)] * 2, length=100)
    >>> [file.name for file in write_keyframes(folder, keyframes)]
    ['keyframe_000000.png', 'keyframe_000050.png']
    >>> read_keyframes(folder, 100).indices
    (0, 50)
    """
    if isinstance(film_or_length, (int, np.integer)):
        film, length = None, int(film_or_length)
    else:
        film, length, size = film_or_length, len(film_or_length), size or film_or_length.size
    listing = list_in(place, length, size, film, first)
    for doubt in listing.doubts:
        log.warning("%s", doubt)
    return listing.read()


@checked
def write_keyframes(
    folder: str | Path,
    film: Film | Keyframes,
    indices: Sequence[int] | None = None,
    *,
    first: int | None = None,
    like: Film | None = None,
    name: str = "keyframe",
    overwrite: bool = False,
    progress: Progress | None = None,
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
        The number that names the film's first frame, such as 0 or 1. None takes the numbers of a folder film's plates,
        and counts from 0 in any other.
    like
        The film by whose numbers keyframes are named; a film that is written names its own frames.
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
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.zeros((24, 4, 4, 3), np.uint8))
    >>> [file.name for file in write_keyframes(tempfile.mkdtemp(), film, [0, 12], first=1)]
    ['keyframe_000001.png', 'keyframe_000013.png']
    """
    if first is not None and first < 0:
        raise Refusal("first", "be at least 0", first, "0 and 1 are usual")
    if not name or Path(name).name != name or name.startswith("."):
        raise Refusal("name", "be a plain file name", f"{name!r}", "'keyframe' is a good one")
    places = tuple(int(i) for i in _places(film, indices))
    folder = Path(folder)
    named_by = like if like is not None else film
    numbers = range(first or 0, MOST_FRAMES) if isinstance(named_by, Keyframes) else frame_numbers(named_by, first)
    files = [folder / f"{name}_{numbers[index]:06d}.png" for index in places]
    standing = [file.name for file in files if file.exists()]
    if standing and not overwrite:
        rule = "not hold these keyframes yet"
        got = f"{standing[0]}{f' and {len(standing) - 1} more' if len(standing) > 1 else ''}"
        raise FileInTheWay(f"{folder}", rule, got, "choose another folder, or allow overwriting")
    folder.mkdir(parents=True, exist_ok=True)
    picture_at = dict(film).__getitem__ if isinstance(film, Keyframes) else film.frame
    for done, (file, index) in enumerate(zip(files, places, strict=True), start=1):
        write_png(file, as_uint8(picture_at(index)))
        if progress is not None:
            progress(done, len(files))
    return files


def _places(film: Film | Keyframes, indices: Sequence[int] | None) -> Sequence[int]:
    if not isinstance(film, Keyframes):
        check_indices(() if indices is None else indices, len(film))
        return indices or ()
    if indices is None:
        return film.indices
    check_indices(indices, film.length)
    missing = sorted(set(indices) - set(film.indices))
    if missing:
        raise Refusal(
            "indices", "be those of keyframes", missing[0], f"choose among {', '.join(map(str, film.indices))}"
        )
    return indices


def write_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture, RGB (H, W, 3) uint8, as a PNG file that stands there whole or not at all.

    >>> import tempfile
    >>> write_png(Path(tempfile.mkdtemp()) / "black.png", np.zeros((2, 3, 3), np.uint8))
    """
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    write_whole(path, lambda file: file.write(data.tobytes()))
