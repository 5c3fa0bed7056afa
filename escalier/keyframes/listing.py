"""Which painting belongs to which frame, said before any work is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escalier.arguments import checked
from escalier.film import (
    Film,
    FolderFrames,
    Numbered,
    Size,
    frame_numbers,
    list_pictures,
    number_files,
    picture_size,
    plain_stem,
    read_picture,
    shortened,
    stem_of,
)
from escalier.refusals import MissingFile, Refusal, printable

from .keyframes import Keyframes, fits_film

Place = str | Path | Sequence[str | Path]
"""A folder of paintings, one painting, or a list of them."""

PASSED_OVER = "passed over, since they cannot be read as pictures: "


@dataclass(frozen=True)
class KeyframeEntry:
    """One painting: its file, its frame counted from 0, that frame's time in seconds, and what is to be remarked."""

    file: Path
    frame: int
    time: float | None
    plate: str | None = None
    doubt: str | None = None

    @property
    def remark(self) -> str:
        """What the table says of it: the plate it is painted over, and what is doubtful."""
        return "; ".join(part for part in (self.plate and f"plate {self.plate}", self.doubt) if part)


@dataclass(frozen=True)
class KeyframeListing:
    """The paintings of a film and where they belong, in the order of the film. `str()` is a table for people.

    Attributes
    ----------
    entries
        One for each painting.
    size
        The size of the paintings: the film's, or larger.
    length
        Number of frames in the film.
    passed_over
        Names of files that lie there too and cannot be read as pictures.
    first
        The number of the film's first frame in the files' names. The table counts from it, as the names do; `frame` of
        an entry counts from 0.
    """

    entries: tuple[KeyframeEntry, ...]
    size: Size
    length: int
    passed_over: tuple[str, ...] = ()
    first: int = 0

    @property
    def doubts(self) -> tuple[str, ...]:
        """What to warn of: doubtful names, and files that were passed over."""
        doubts = [f"{entry.file.name}: {entry.doubt}" for entry in self.entries if entry.doubt]
        if self.passed_over:
            doubts.append(PASSED_OVER + shortened(self.passed_over))
        return tuple(doubts)

    def with_doubts(self, doubts: dict[int, str]) -> KeyframeListing:
        """The same listing with further doubts, by frame."""
        entries = (
            replace(entry, doubt="; ".join(part for part in (entry.doubt, doubts.get(entry.frame)) if part) or None)
            for entry in self.entries
        )
        return replace(self, entries=tuple(entries))

    def read(self) -> Keyframes:
        """The paintings themselves, uint8."""
        pictures = [read_picture(entry.file) for entry in self.entries]
        return Keyframes([entry.frame for entry in self.entries], pictures, self.length)

    def __str__(self) -> str:
        rows = [("file", "frame", "time", "remark")]
        for entry in self.entries:
            time = "" if entry.time is None else f"{entry.time:.3f} s"
            rows.append((printable(entry.file.name), str(entry.frame + self.first), time, printable(entry.remark)))
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{a:<{wide[0]}}  {b:>{wide[1]}}  {c:>{wide[2]}}  {d}".rstrip() for a, b, c, d in rows]
        if self.first:
            lines.append(f"frames are counted from {self.first}, as in the names")
        if self.passed_over:
            lines.append(PASSED_OVER + printable(", ".join(self.passed_over)))
        return "\n".join(lines)


@checked
def list_keyframes(place: Place, film: Film, *, first: int | None = None) -> KeyframeListing:
    """Say which file of painted keyframes belongs to which frame, from names and headers alone.

    A painting that is called like a plate of a folder film (but for marks of copies) belongs to that plate. Else the
    number in its name decides (`escalier.film.sequences`): it is looked up among the numbers of a folder film's plates,
    and counted from `first` in other films. The counter of ComfyUI's Save Image alone is no frame number.

    Parameters
    ----------
    place
        A folder that holds one picture for each keyframe, one picture, or a list of pictures.
    film
        The film that they belong to: their size is the film's, or larger and of the same shape, one for all.
    first
        The number that the files give to the film's first frame. None goes by the plates' own numbers for a folder
        film, and by 0 for any other.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `place`, or no picture in it.
    ValueError
        Naming the file whose name has no number that can be a frame, a frame claimed twice, a number outside the film,
        another size, or a file whose header cannot be read.

    >>> import tempfile
    >>> import numpy as np
    >>> from escalier.film import ArrayFrames
    >>> from escalier.keyframes import write_keyframes
    >>> film = ArrayFrames(np.zeros((100, 27, 48, 3), np.uint8), rate=25)
    >>> folder = tempfile.mkdtemp()
    >>> _ = write_keyframes(folder, film, [0, 50])
    >>> print(list_keyframes(folder, film))
    file                 frame     time  remark
    keyframe_000000.png      0  0.000 s
    keyframe_000050.png     50  2.000 s
    """
    return list_in(place, len(film), film.size, film, first)


def list_in(place: Place, length: int, size: Size | None, film: Film | None, first: int | None) -> KeyframeListing:
    """The listing of `list_keyframes`, with or without a film."""
    files, others = _files(place)
    plates = film if isinstance(film, FolderFrames) else None
    if first is not None and first < 0:
        raise Refusal("first", "be at least 0", first, "it is the number of the film's first frame")
    numbers = range(first or 0, (first or 0) + length) if film is None else frame_numbers(film, first)
    sizes = {file: picture_size(file) for file in files}
    found = _frames(files, numbers, plates)
    _check_sizes(sizes, size)
    times = getattr(film, "times", None)
    entries = []
    for frame, file, plate, doubt in sorted(found, key=lambda one: one[0]):
        time = None if film is None else float(times[frame] if times is not None else frame / film.rate)
        entries.append(KeyframeEntry(file, frame, time, plate, doubt))
    return KeyframeListing(tuple(entries), sizes[entries[0].file], length, tuple(others), numbers[0])


def _files(place: Place) -> tuple[list[Path], list[str]]:
    if not isinstance(place, (str, Path)):
        files = [Path(file) for file in place]
        folder = next((file for file in files if file.is_dir()), None)
        if folder is not None:
            rule, got = "be one folder, or pictures", f"{len(files)} places with the folder {folder}"
            raise Refusal("keyframes", rule, got, "put all paintings into one folder, or name the pictures")
        if not files:
            raise Refusal("place", "name at least one picture", "none", "paint a keyframe")
        return files, []
    place = Path(place)
    if place.is_dir():
        return list_pictures(place)
    if not place.exists():
        raise MissingFile(f"no folder or picture at {place}", remedy="check the path")
    return [place], []


def _frames(
    files: list[Path], numbers: Sequence[int], plates: FolderFrames | None
) -> list[tuple[int, Path, str | None, str | None]]:
    """Frame, file, plate and doubt of each painting."""
    by_stem = plates.plates() if plates else {}
    by_number = {number: frame for frame, number in enumerate(numbers)}
    claimed: dict[int, Path] = {}
    found = []
    for file, numbered in zip(files, number_files([file.name for file in files], by_number), strict=True):
        frame = by_stem.get(stem_of(file.name), by_stem.get(plain_stem(file.name)))
        if frame is None:
            frame, doubt = _looked_up(file, numbered, by_number), numbered.doubt
        else:
            other = by_number.get(-1 if numbered.number is None else numbered.number, frame)
            doubt = None if other == frame else f"by its plate's name; counted from {numbers[0]} it would be {other}"
        if frame in claimed:
            got = f"{claimed[frame].name} and {file.name} for frame {numbers[frame]}"
            raise Refusal("each frame", "have one picture", got, "remove one of them")
        claimed[frame] = file
        found.append((frame, file, plates.files[frame].name if plates else None, doubt))
    return found


def _looked_up(file: Path, numbered: Numbered, by_number: dict[int, int]) -> int:
    if numbered.number is None or numbered.counted:
        why = f"got none that is sure: {numbered.doubt}" if numbered.doubt else "got none"
        raise Refusal(
            file.name,
            f"have its frame number in its name, {why}",
            remedy=f"call it for instance keyframe_000024{file.suffix}, or take it out of the folder",
        )
    if numbered.number in by_number:
        return by_number[numbered.number]
    first, last = min(by_number), max(by_number)
    remedy = "rename it, or check that it belongs to this film"
    other = _other_count(numbered.number, first, last)
    if other is not None:
        remedy = f"use first = {other} (--first {other}) if the numbers count from {other}"
    rule = f"lie in the film, whose {len(by_number)} frames are numbered {first}..{last}"
    raise Refusal(file.name, rule, numbered.number, remedy)


def _other_count(number: int, first: int, last: int) -> int | None:
    """From what people usually count, if a number outside the film lies in it then."""
    nearest = first - 1 if number < first else first + 1
    usual = [nearest, 0, 1, 1001, 1000, 86400]
    return next((start for start in usual if start >= 0 and start <= number <= start + last - first), None)


def _check_sizes(sizes: dict[Path, Size], wanted: Size | None) -> None:
    """Refuse paintings that are neither of the film's size nor larger and of its shape, or differ among themselves."""
    first, size = next(iter(sizes.items()))
    for file, other in sizes.items():
        if wanted is not None and not fits_film(other, wanted):
            remedy = f"scale it to {wanted} or {Size(2 * wanted.width, 2 * wanted.height)}, or export it again"
            raise Refusal(file.name, f"be {wanted}, the film's size, or larger and of the same shape", other, remedy)
        if other != size:
            rule = f"be {size}, the size of {first.name}"
            raise Refusal(file.name, rule, other, "scale one of them, so that all keyframes are of one size")
