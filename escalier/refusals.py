"""What a person reads when something is refused: one plain sentence, safe to print, from whatever error it was."""

from __future__ import annotations

import errno
import os
import re
import socket
import unicodedata

# How our own messages begin: the function, class or option at fault, then a colon. Messages of other packages seldom
# do. Of dotted names only `Class.method` and `escalier.room`: `clip.mp4: ...` speaks of a file, which must stay.
_FUNCTION = re.compile(r"(?:[A-Za-z_]\w*|[A-Z]\w*\.[a-z_]\w*|escalier(?:\.\w+)+): ")
_OPTION = re.compile(r"--[a-z][\w-]*:? ")
_NUMBER = re.compile(r"\[(?:Errno|WinError) -?\d+\] ")
_WRAPPED = re.compile(r"^<urlopen error (.*)>$", re.DOTALL)

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


def is_refusal(error: BaseException) -> bool:
    """Whether an error is something that its reader can mend, in words for people; anything else is a fault of ours.

    Files, packages and memory that fail are such errors always; of values and types only those that we refuse
    ourselves: their messages begin with what is at fault and a colon.

    >>> is_refusal(ValueError("Keyframes: indices must rise, got 3")), is_refusal(ValueError("math domain error"))
    (True, False)
    """
    if isinstance(error, (OSError, ImportError, MemoryError)):
        return True
    return isinstance(error, (TypeError, ValueError)) and _is_ours(str(error))


def sentence(error: BaseException) -> str:
    """The message of an error for somebody who knows no functions and no error numbers.

    Our own messages lose the name of the function: "check_indices: indices must rise" becomes "indices must rise". An
    option that is named, `--set`, stays. What the system says of a file becomes a sentence with a remedy. Control
    characters are made harmless, see `printable`.

    >>> sentence(ValueError("read_keyframes: a.png must have its frame number in its name, got none"))
    'a.png must have its frame number in its name, got none'
    >>> sentence(PermissionError(errno.EACCES, "Permission denied", "film.mp4"))
    'film.mp4 must be yours to open, but permission is denied; choose another place or change its permissions'
    """
    return printable(_plain(error), lines=True)


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


def _is_ours(text: str) -> bool:
    return bool(_FUNCTION.match(text) or _OPTION.match(text))


def _plain(error: BaseException) -> str:
    if isinstance(error, MemoryError) and not _is_ours(str(error)):
        return _NO_MEMORY
    if isinstance(error, OSError) and _is_of_the_system(error):
        return _system_sentence(error)
    text = _WRAPPED.sub(r"\1", _NUMBER.sub("", str(error)))
    return text[match.end() :] if (match := _FUNCTION.match(text)) else text


def _is_of_the_system(error: OSError) -> bool:
    """Whether the system wrote the message, and not we: it has a number and the system's own words for it."""
    return error.errno is not None and error.strerror is not None and not _is_ours(error.strerror)


def _system_sentence(error: OSError) -> str:
    if isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)):
        return f"the connection must hold, but it failed ({error.strerror}); check the network and the address"
    name = error.filename2 if error.filename2 is not None else error.filename
    file = os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else "a file"
    known = _OF_THE_SYSTEM.get(error.errno or 0)
    if known is not None:
        return known.format(file=file)
    return f"{file} could not be used ({error.strerror or type(error).__name__}); check the path and the disk"
