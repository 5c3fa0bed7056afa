"""Films that lie in an array or a memory map, and films that are a folder of pictures."""

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from escalier.arguments import checked
from escalier.log import log
from escalier.refusals import Refusal, TypeRefusal

from .film import Film, FilmBase
from .picture_reading import picture_size, read_picture
from .pictures import Size, telling_once
from .sequences import list_pictures, number_files, stem_of

PICTURES_PER_SECOND = 24


@checked
class ArrayFrames(FilmBase):
    """A film held in an array (N, H, W, 3), uint8 or float32 0..1; a memory map serves as well.

    >>> film = ArrayFrames(np.zeros((24, 270, 480, 3), np.uint8), rate=24)
    >>> len(film), str(film.size)
    (24, '480x270')
    """

    def __init__(self, frames: np.ndarray, rate: Fraction | float = 24) -> None:
        if frames.ndim != 4 or frames.shape[-1] != 3:
            rule = "have the shape (N, height, width, 3)"
            raise Refusal("frames", rule, frames.shape, "convert grey or RGBA pictures to RGB first")
        if len(frames) == 0:
            raise Refusal("frames", "hold at least one frame", "0", "check the clip")
        if frames.dtype not in (np.uint8, np.float32):
            raise TypeRefusal("frames", "be uint8 or float32", frames.dtype, "convert them first")
        super().__init__(Size(frames.shape[2], frames.shape[1]), _exact_rate(rate), len(frames))
        self._frames = frames

    def _frame(self, index: int) -> np.ndarray:
        return self._frames[index]


@checked
class FolderFrames(FilmBase):
    """A film kept as a folder of pictures, one file a frame, in the order of the numbers in their names.

    The pictures may be numbered from anything, 0, 1, 1001 or 86400, but no number may lack or come twice: a keyframe
    finds its plate by name or number (`numbers`, `escalier.keyframes.list_keyframes`). Files are found once, at the
    start, and their sizes are read from their headers.

    Parameters
    ----------
    folder : str, Path, or list of these
        A folder, or the pictures themselves.
    rate : Fraction or float, optional
        Frames per second. Pictures bring none: without it, 24, with a notice in the log.

    Raises
    ------
    FileNotFoundError
        If there is no such folder or no picture in it.
    ValueError
        Naming missing numbers, two pictures for one number, a picture of another size or one that cannot be read, or a
        rate that is not positive.

    >>> import cv2, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for number in (1001, 1002):
    ...     data = cv2.imencode(".png", np.zeros((6, 9, 3), np.uint8))[1]
    ...     (folder / f"plate_{number}.png").write_bytes(data.tobytes()) > 0
    True
    True
    >>> film = FolderFrames(folder, rate=25)
    >>> len(film), str(film.size), film.numbers
    (2, '9x6', (1001, 1002))
    """

    def __init__(self, folder: str | Path | Sequence[str | Path], rate: Fraction | float | None = None) -> None:
        if isinstance(folder, (str, Path)):
            self.folder: Path | None = Path(folder)
            found, others = list_pictures(self.folder)
            if others:
                log.warning("%s: passed over, since they cannot be read: %s", self.folder, shortened(others))
        else:
            self.folder, found = None, [Path(file) for file in folder]
        self._told: set[str] = set()
        plates = _in_order(found)
        self.numbers: tuple[int, ...] = tuple(plates)
        self.files: tuple[Path, ...] = tuple(plates.values())
        exact = _rate(rate, self.folder or self.files[0])
        with telling_once(self._told):
            super().__init__(picture_size(self.files[0]), exact, len(self.files))
            for file in self.files[1:]:
                self._check_size(picture_size(file), file)

    def fingerprint_parts(self) -> tuple[Path, ...]:
        """What its frames depend on, for `film_fingerprint`: the bytes of its pictures, in order."""
        return tuple(self.files)

    def _frame(self, index: int) -> np.ndarray:
        with telling_once(self._told):
            picture = read_picture(self.files[index])
        self._check_size(Size.of(picture), self.files[index])
        return picture

    def plates(self) -> dict[str, int]:
        """The frame of each picture by the stem of its name, in one spelling."""
        return {stem_of(file.name): index for index, file in enumerate(self.files)}

    def _check_size(self, size: Size, file: Path) -> None:
        if size != self.size:
            raise Refusal(
                "every picture",
                f"be {self.size}, the size of {self.files[0].name}",
                f"{size} in {file.name}",
                "export the frames at one size",
            )


@checked
def frame_numbers(film: Film, first: int | None = None) -> Sequence[int]:
    """The number that people give to each frame of a film.

    It is counted from `first`; where that is None, from 0, or by the plates' own numbers in a folder film.

    >>> list(frame_numbers(ArrayFrames(np.zeros((3, 4, 4, 3), np.uint8)), first=1))
    [1, 2, 3]
    """
    numbers = getattr(film, "numbers", None)
    if first is None and numbers is not None:
        return numbers
    return range(first or 0, (first or 0) + len(film))


def _in_order(files: Sequence[Path]) -> dict[int, Path]:
    """The pictures of a film by number, rising, without gaps."""
    plates: dict[int, Path] = {}
    if not files:
        raise Refusal("folder", "name at least one picture", "none", "check the list")
    for file, (number, doubt, _) in zip(files, number_files([file.name for file in files]), strict=True):
        if number is None and len(files) == 1:
            number = 0
        if number is None:
            got, remedy = f"none{f' ({doubt})' if doubt else ''}", "rename it, or take it out of the folder"
            raise Refusal(file.name, "have its frame number in its name", got, remedy)
        if number in plates:
            raise Refusal(
                "each frame",
                "have one picture",
                f"{plates[number].name} and {file.name} for frame {number}",
                "remove one of them",
            )
        plates[number] = file
    numbers = sorted(plates)
    missing = numbers[-1] + 1 - numbers[0] - len(numbers)
    if missing:
        absent = (number for number in range(numbers[0], numbers[-1]) if number not in plates)
        named = [str(number) for number in itertools.islice(absent, 4)]
        more = f" and {missing - 3} more" if missing > 4 else ""
        listed = ", ".join(named[:3] if more else named)
        raise Refusal(
            "pictures",
            "be numbered without gaps",
            f"{len(numbers)} from {numbers[0]} to {numbers[-1]} without {listed}{more}",
            "export the missing ones, or number them anew",
        )
    return {number: plates[number] for number in numbers}


def _rate(rate: Fraction | float | None, place: Path) -> Fraction:
    if rate is None:
        log.warning("%s: %d frames a second, since pictures bring none", place, PICTURES_PER_SECOND)
        return Fraction(PICTURES_PER_SECOND)
    return _exact_rate(rate)


def _exact_rate(rate: Fraction | float) -> Fraction:
    exact = Fraction(rate).limit_denominator(100_000)
    if exact <= 0:
        raise Refusal("rate", "be over 0 frames a second", rate, "film has 24 or 25")
    return exact


def shortened(names: Sequence[str]) -> str:
    """The first names of a list, and how many more there are.

    >>> shortened(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    rest = len(names) - 3
    return ", ".join(names[:3]) + (f" and {rest} more" if rest > 1 else "".join(f", {name}" for name in names[3:]))
