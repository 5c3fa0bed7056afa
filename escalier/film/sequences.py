"""Names and numbers of picture sequences: which frame a file is, and how sure that is."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from escalier.refusals import MissingFile, NotAFolder

from .pictures import PICTURE_SUFFIXES

# Our own tools write keyframe_000024.png; whatever others put around it, the number stays the frame.
_OURS = re.compile(r"keyframe_(\d{6,})(?!\d)", re.IGNORECASE)
_NAMED = re.compile(r"(?<![^\W\d_])(?:key[ _-]?frame|key|kf|frame|frm)[ _.#-]{0,3}(\d+)", re.IGNORECASE)
# What programs and people append to a copy. COUNTER may be all the number that a name has; VERSION never is one.
_COUNTER = r"""[ _]*\((?P<bracketed>\d+)\)
             | _(?P<comfyui>\d{5})_
             | [ _.-]+ (?:edit(?:ed)?|final|painted|fixed|new|retouch(?:ed)?|rev|wip|alt)(?P<attached>\d{0,3})"""
_VERSION = r"""[ _-]+ (?:copy|kopie|copie|copia) (?:[ _]*\(?\d+\)?)?
             | (?:[ _.-]+|(?<![^\W\d_])) v(?:er(?:sion)?)?[ _.]?\d{1,3}(?:\.\d+)*
             | @\d+x
             | [ _.-]+ \d+(?:\.\d+)?x"""
_COPY_MARK = re.compile(f"(?:(?P<version>{_VERSION})|{_COUNTER})$", re.IGNORECASE | re.VERBOSE)
# Numbers that mean something else: sizes, dates, times, rates.
_OTHER_NUMBERS = re.compile(
    r"""(?<!\d)(?: \d{2,5}\s?[x×]\s?\d{2,5}
          | (?:19|20)\d\d[-_.](?:0[1-9]|1[0-2])[-_.](?:0[1-9]|[12]\d|3[01])(?:[T _-]+\d\d[-_.:h]\d\d(?:[-_.:m]\d\d)?)?
          | (?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[T_-]\d{6})?
          | \d+(?:[.,]\d+)?\s?(?:fps|p|k|hz|px|dpi|bit|mm)(?![^\W\d_])
        )(?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_SILENT = {".txt", ".md", ".json", ".xml", ".csv", ".yaml", ".yml", ".log", ".xmp", ".db", ".ini", ".wav", ".mp3"}


class Numbered(NamedTuple):
    """The number in a file's name, None where nothing decides, and what is doubtful about it.

    `counted` says that it is only the counter that ComfyUI's Save Image appends: the place in a sequence, but no frame.
    """

    number: int | None
    doubt: str | None = None
    counted: bool = False


def number_files(names: Sequence[str], allowed: Collection[int] | None = None) -> list[Numbered]:
    """Which number each of a folder's files bears.

    1. `keyframe_000024`, as our own tools write it, wins wherever it stands in the name.
    2. Marks of copies (` (1)`, ` copy 2`, `_v2`, `@2x`, `-edited`, `_final3`, ComfyUI's `_00001_`), sizes, dates
       and rates do not count.
    3. A number that the name itself calls frame or key wins: `frame24`, `shot_02_key_0137`.
    4. A single number that is left is the frame.
    5. Of several, the one that differs between the files of a family (equal but for their numbers) is the frame.
    6. Else the one that is padded with zeros, or inside the film alone, or the last, and that is doubtful.

    Parameters
    ----------
    names
        File names, with or without their suffix.
    allowed
        The numbers that the film's frames have, where that is known.

    Returns
    -------
    list of Numbered
        One for each name.

    >>> names = ["keyframe_000024_00001_.png", "shot_02_key_0137.png", "24 - Copy (2).png", "1920x1080.png"]
    >>> [found.number for found in number_files(names)]
    [24, 137, 24, None]
    >>> [found.number for found in number_files(["a02_0010.png", "a02_0020.png"])]
    [10, 20]
    """
    found: list[Numbered | None] = [_said(Path(name).stem) for name in names]
    families: dict[str, list[int]] = defaultdict(list)
    fields = {place: _fields(Path(name).stem) for place, name in enumerate(names) if found[place] is None}
    for place in fields:
        families[re.sub(r"\d+", "#", plain_stem(names[place]))].append(place)
    for members in families.values():
        varying = _varying([fields[place] for place in members])
        for place in members:
            found[place] = _decided(names[place], fields[place], varying, len(members), allowed)
    return [one or Numbered(None) for one in found]


def plain_stem(name: str) -> str:
    """A file's name without its suffix and without marks of copies, in one spelling, to compare names by.

    >>> plain_stem("Shot_0024 (1).PNG") == plain_stem("shot_0024-edited.tif")
    True
    """
    return _without_marks(stem_of(name))


def stem_of(name: str) -> str:
    """A file's name without its suffix, in one spelling.

    >>> stem_of("painted/Key_0012.PNG")
    'key_0012'
    """
    return unicodedata.normalize("NFC", Path(name).stem).casefold()


def list_pictures(folder: Path) -> tuple[list[Path], list[str]]:
    """The picture files of a folder by name, and the names of other files that somebody may have meant as pictures.

    Hidden files and texts beside the pictures are left out.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.png", "a.png", "c.psd", "notes.txt"):
    ...     (folder / name).touch()
    >>> pictures, others = list_pictures(folder)
    >>> [file.name for file in pictures], others
    (['a.png', 'b.png'], ['c.psd'])
    """
    if not folder.exists():
        raise MissingFile(f"no folder at {folder}", remedy="check the path")
    if not folder.is_dir():
        raise NotAFolder(f"{folder}", "be a folder", "a file", "check the path")
    files = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    pictures = [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
    known = _SILENT | set(PICTURE_SUFFIXES)
    others = [file.name for file in files if file.suffix.lower() not in known and file.is_file()]
    if not pictures:
        rule = f"hold pictures ({', '.join(PICTURE_SUFFIXES)})"
        raise MissingFile(f"{folder}", rule, f"only {others[0]}" if others else "none", "check the folder")
    return pictures, others


def _said(stem: str) -> Numbered | None:
    """The number that a name itself calls a frame; None where it does not."""
    if ours := sorted({int(number) for number in _OURS.findall(stem)}):
        return Numbered(ours[0]) if len(ours) == 1 else _contradiction(ours)
    text = _OTHER_NUMBERS.sub(" ", _without_marks(stem))
    named = _NAMED.findall(text)
    if not named:
        return None
    if len({int(field) for field in named}) > 1:
        return _contradiction([int(field) for field in named])
    wider = [field for field in re.findall(r"\d+", text) if len(field) > len(named[0])]
    return _doubtful(named[0], wider) if wider else Numbered(int(named[0]))


def _contradiction(numbers: list[int]) -> Numbered:
    return Numbered(None, f"its name says frame {' and '.join(map(str, numbers))}")


def _without_marks(stem: str) -> str:
    while (match := _COPY_MARK.search(stem)) and re.search(r"\d", stem[: match.start()]):
        stem = stem[: match.start()]
    return stem


def _fields(stem: str) -> list[str]:
    """The runs of digits that may be a frame; none where the only ones belong to the mark of a copy."""
    stem = _without_marks(stem)
    return [] if _COPY_MARK.search(stem) else re.findall(r"\d+", _OTHER_NUMBERS.sub(" ", stem))


def _varying(rows: list[list[str]]) -> set[int]:
    """The columns that differ between the files of a family."""
    if len(rows) < 2 or len({len(row) for row in rows}) != 1:
        return set()
    return {column for column in range(len(rows[0])) if len({int(row[column]) for row in rows}) > 1}


def _decided(
    name: str, fields: list[str], varying: set[int], members: int, allowed: Collection[int] | None
) -> Numbered:
    if not fields:
        return _by_mark(Path(name).stem)
    if len(fields) == 1:
        return Numbered(int(fields[0]))
    if len(varying) == 1:
        chosen = fields[next(iter(varying))]
        wider = [field for field in fields if len(field) > len(chosen)]
        if wider and members == 2:  # two takes of one frame, or two frames of one take
            return Numbered(None, f"it may be {chosen} or {wider[-1]}")
        return _doubtful(chosen, wider) if wider else Numbered(int(chosen))
    choices = [fields[column] for column in sorted(varying)] or fields
    padded = [field for field in choices if len(field) >= 3 and (field[0] == "0" or len(field) >= 4)]
    inside = [field for field in choices if allowed is None or int(field) in allowed]
    both = [field for field in padded if field in inside]
    chosen = next((some[0] for some in (both, inside, padded) if len(some) == 1), (inside or choices)[-1])
    return _doubtful(chosen, [field for field in fields if field != chosen])


def _doubtful(chosen: str, others: list[str]) -> Numbered:
    others = [field for field in others if int(field) != int(chosen)]
    doubt = f"{int(chosen)} by its name, which also says {', '.join(others)}" if others else None
    return Numbered(int(chosen), doubt)


def _by_mark(stem: str) -> Numbered:
    """A name that has no number but the mark of a copy: a counter may be meant as the frame."""
    mark = _COPY_MARK.search(_without_marks(stem))
    counter = next(filter(None, mark.group("bracketed", "comfyui", "attached")), None) if mark else None
    if counter is None:
        return Numbered(None)
    doubt = f"{int(counter)} is a counter that a program appended, perhaps no frame"
    return Numbered(int(counter), doubt, counted=bool(mark and mark.group("comfyui")))
