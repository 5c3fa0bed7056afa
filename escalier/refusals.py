"""What a person reads when something is refused: one plain sentence, safe to print, from whatever error it was."""

import errno
import os
import socket
import unicodedata
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# What the system's own refusals mean to somebody who only named a file. {file} is its name, or "a file".
_OF_THE_SYSTEM = {
    errno.ENOSPC: "the disk that holds {file} must have room, but it is full; free some space and start again",
    errno.EDQUOT: "the disk that holds {file} must have room, but your share of it is full; free some space and start "
    "again",
    errno.EFBIG: "{file} grew larger than its disk allows; choose a folder on another disk",
    errno.EROFS: "{file} must lie where files may be written, but that disk can only be read; choose another folder",
    errno.EACCES: "{file} must be yours to open, but permission is denied; choose another place or change its "
    "permissions",
    errno.EPERM: "{file} must be yours to change, but permission is denied; choose another place or change its "
    "permissions",
    errno.ENOENT: "{file} must be there, but it is not; check the path",
    errno.ENOTDIR: "{file} must lie in a folder, but a part of its path is a file; check the path",
    errno.EISDIR: "{file} must be a file, but it is a folder; name a file in it",
    errno.EEXIST: "{file} must not be there yet; choose another name",
    errno.ENOTEMPTY: "{file} must be an empty folder, but it holds files; choose another one",
    errno.ENAMETOOLONG: "{file} must have a shorter name; shorten it",
    errno.EMFILE: "too many files are open at once to open {file}; close other programs, or raise the limit",
    errno.EIO: "{file} could not be read or written, because its disk reports a fault; copy it to another disk",
    errno.ENOMEM: "the memory ran out; close other programs, or use smaller or fewer frames",
}
_NO_MEMORY = "the memory ran out; close other programs, or use smaller or fewer frames"


class Refusal(ValueError):
    """Something that its reader can mend: who refuses what, by which rule, what was given instead, what helps.

    It is told as "who: what must rule, got value; remedy", each part left out where it is not said.

    Parameters
    ----------
    what
        The argument, file or thing at fault, as it is said: "radius", or a file's name. Without a rule the whole
        finding: "no folder at shots/3".
    rule
        What goes behind "must": "be at least 0 px", "hold one frame".
    got
        What was given instead. `None` is said; left out, nothing is.
    remedy
        What its reader can do about it.
    who
        The function, class or option that refuses. Where it is left out, `escalier.arguments.checked` puts in the
        innermost public function that the refusal passes through, and `named` what a command names.

    >>> refusal = Refusal("radius", "be at least 0 px", -2, "use choke to shrink a mask", who="feather_mask")
    >>> print(refusal)
    feather_mask: radius must be at least 0 px, got -2; use choke to shrink a mask
    >>> refusal.sentence
    'radius must be at least 0 px, got -2; use choke to shrink a mask'
    """

    def __init__(self, what: str, rule: str = "", got: object = ..., remedy: str = "", *, who: str = "") -> None:
        super().__init__(what, rule, got, remedy)
        self.what, self.rule, self.got, self.remedy, self.who = what, rule, got, remedy, who

    def __reduce__(self) -> tuple[Any, ...]:
        """How it travels between processes. Said outright: tblib, which Dask brings, else makes a base class anew."""
        return type(self), (self.what, self.rule, self.got, self.remedy), self.__dict__

    @property
    def sentence(self) -> str:
        """The refusal for somebody who knows no functions. An option that refuses, `--set`, is named."""
        finding = f"{self.what} must {self.rule}".lstrip() if self.rule else self.what
        got = "" if self.got is ... else f", got {self.got}"
        option = f"{self.who}: " if self.who.startswith("-") else ""
        return printable(f"{option}{finding}{got}{self.remedy and '; '}{self.remedy}", lines=True)

    def __str__(self) -> str:
        return self.sentence if not self.who or self.who.startswith("-") else f"{self.who}: {self.sentence}"


class TypeRefusal(Refusal, TypeError):
    """A value of another type than the one that is needed."""


class IndexRefusal(Refusal, IndexError):
    """A frame, sheet or the like of a number that there is not."""


class MemoryRefusal(Refusal, MemoryError):
    """A piece of work that the memory does not hold."""


class PackageRefusal(Refusal, ImportError):
    """A Python package that is not installed, or too old; the remedy is a pip command."""


class FileRefusal(Refusal, OSError):
    """A file, folder or disk that cannot be used."""


class MissingFile(FileRefusal, FileNotFoundError):
    """A file or folder that is not there."""


class FileInTheWay(FileRefusal, FileExistsError):
    """A file or folder that is there already, where none may be."""


class ForbiddenFile(FileRefusal, PermissionError):
    """A file or folder that its reader may not open or write."""


class NotAFolder(FileRefusal, NotADirectoryError):
    """A file where a folder should be."""


class NotAFile(FileRefusal, IsADirectoryError):
    """A folder where a file should be."""


def file_refusal(error: OSError) -> type[FileRefusal]:
    """The kind of refusal that says of a file what the system's own error says."""
    kinds = (MissingFile, FileInTheWay, ForbiddenFile, NotAFolder, NotAFile)
    return next((kind for kind in kinds if isinstance(error, kind.__bases__[1])), FileRefusal)


@contextmanager
def named(who: str) -> Iterator[None]:
    """Say who refuses, in every refusal of this block that does not say it yet.

    >>> with named("--seed"):
    ...     raise Refusal("seed", "be at least 0", -1)
    Traceback (most recent call last):
    escalier.refusals.Refusal: --seed: seed must be at least 0, got -1
    """
    try:
        yield
    except Refusal as refusal:
        refusal.who = refusal.who or who
        raise


def is_refusal(error: BaseException) -> bool:
    """Whether an error is something that its reader can mend, in words for people; anything else is a fault of ours.

    Files, packages and memory that fail are such errors always; of values and types only those that we refuse
    ourselves.

    >>> is_refusal(Refusal("indices", "rise", 3)), is_refusal(ValueError("math domain error"))
    (True, False)
    """
    return isinstance(error, (Refusal, OSError, ImportError, MemoryError))


def sentence(error: BaseException) -> str:
    """The message of an error for somebody who knows no functions and no error numbers.

    Our own refusals are told without the function that refuses. What the system says of a file becomes a sentence with
    a remedy. Control characters are made harmless, see `printable`.

    >>> sentence(Refusal("a.png", "have its frame number in its name", "none", who="read_keyframes"))
    'a.png must have its frame number in its name, got none'
    >>> sentence(PermissionError(errno.EACCES, "Permission denied", "film.mp4"))
    'film.mp4 must be yours to open, but permission is denied; choose another place or change its permissions'
    """
    return error.sentence if isinstance(error, Refusal) else printable(_plain(error), lines=True)


def printable(text: str, *, lines: bool = False) -> str:
    r"""Text from outside, such as a file's name, without anything that a terminal or a log would obey.

    Escape codes, other control characters, marks that turn the direction of writing, and bytes of names that are no
    text are shown as `\x1b` and the like. Everything that can be seen stays as it is, accents and emoji too.

    Parameters
    ----------
    text
        Any text.
    lines
        Whether line breaks and tabs are meant, as in a message of several lines. In a name they never are.

    >>> printable("film\x1b[2J.mp4"), printable("été.mp4"), printable("a\nb"), printable("a\nb", lines=True)
    ('film\\x1b[2J.mp4', 'été.mp4', 'a\\nb', 'a\nb')
    """
    kept = "\n\t" if lines else ""
    return "".join(letter if letter in kept or _is_seen(letter) else _shown(letter) for letter in text)


def _is_seen(letter: str) -> bool:
    # C: control, format (direction marks; but the joiner that emoji and several scripts need), surrogate, private,
    # unassigned. Zl, Zp: line and paragraph separators.
    category = unicodedata.category(letter)
    return letter in "\u200d\u200c" or category not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _shown(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # a byte of a file name that is not text
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")


def _plain(error: BaseException) -> str:
    if isinstance(error, MemoryError) and not str(error):
        return _NO_MEMORY
    if isinstance(error, urllib.error.URLError):
        return _plain(error.reason) if isinstance(error.reason, OSError) else str(error.reason)
    if isinstance(error, OSError) and error.errno is not None and error.strerror is not None:
        return _system_sentence(error)
    return str(error)


def _system_sentence(error: OSError) -> str:
    if isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)):
        return f"the connection must hold, but it failed ({error.strerror}); check the network and the address"
    name = error.filename2 if error.filename2 is not None else error.filename
    file = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else "a file"
    known = _OF_THE_SYSTEM.get(error.errno or 0)
    if known is not None:
        return known.format(file=file)
    return f"{file} could not be used ({error.strerror or type(error).__name__}); check the path and the disk"
