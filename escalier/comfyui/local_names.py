"""Names from elsewhere as names of files here: on no system do they leave the folder, hide, or mean a device."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath

LONGEST_BYTES = 150
"""File systems allow 255; a draft's name is longer than its target's."""
LONGEST_SUFFIX = 20
DEEPEST = 16

SEPARATORS = re.compile(r"[\\/]")
# What Windows forbids, and letters that look like a separator or become one when a system normalises names.
FORBIDDEN = re.compile(r'[<>:"|?*\u2044\u2215\u29f8\u29f5\u29f9\ufe68\uff0f\uff3c\uff1a\u2024\ufe52\uff0e]')
DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)


def local_path(folder: str, name: str) -> PurePosixPath | None:
    r"""Where a file goes that is called `name` in `folder` elsewhere, as a path that stays below a folder here.

    Steps upwards, roots and drive letters are left out; whatever else no system could keep as it stands is replaced
    by an underscore, dots at the beginning included. None where nothing of the name is left.

    >>> local_path("sets/blue", "a.png"), local_path("../C:\\x", "/etc/.bashrc"), local_path("", "con.png")
    (PurePosixPath('sets/blue/a.png'), PurePosixPath('x/_bashrc'), PurePosixPath('_con.png'))
    >>> local_path("a", "..") is None
    True
    """
    file = [*parts_of(name)][-1:]
    if not file or SEPARATORS.split(name)[-1].strip(" .") == "":
        return None
    folders = [local_name(part) for part in parts_of(folder)]
    if len(folders) > DEEPEST:
        folders = [*folders[: DEEPEST - 1], local_name("_".join(folders[DEEPEST - 1 :]))]
    return PurePosixPath(*folders, local_name(file[0]))


def parts_of(path: str) -> Iterable[str]:
    """The parts of a path in either spelling that name something: no steps, no roots, no drives."""
    for part in SEPARATORS.split(path):
        if part.strip(" .") and not re.fullmatch(r"[A-Za-z]:", part):
            yield part


def local_name(name: str) -> str:
    """One part of a path, as every system can keep it, and none hides it.

    >>> local_name("NUL"), local_name(".git"), local_name("a\\x1b[2J.png"), local_name("été. ")
    ('_NUL', '_git', 'a_[2J.png', 'été')
    """
    # Composed, as Windows and Linux keep names; a Mac takes both spellings for one name.
    text = unicodedata.normalize("NFC", name)
    text = "".join("_" if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text)
    text = FORBIDDEN.sub("_", SEPARATORS.sub("_", text)).strip(" ").rstrip(". ")
    if text.startswith("."):
        text = "_" + text.lstrip(".")
    if DEVICE.fullmatch(text.partition(".")[0].rstrip(" ")):
        text = "_" + text
    return _shortened(text) or "_"


def _shortened(name: str) -> str:
    """A name of bearable length; the sum of what was cut keeps two long names apart."""
    if len(name.encode("utf-8")) <= LONGEST_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or len(suffix.encode("utf-8")) > LONGEST_SUFFIX:
        stem, suffix = name, ""
    mark = "~" + hashlib.sha256(name.encode("utf-8")).hexdigest()[:8]
    room = LONGEST_BYTES - len(mark) - LONGEST_SUFFIX - 1
    kept = stem.encode("utf-8")[:room].decode("utf-8", "ignore")
    return kept + mark + (f".{suffix}" if suffix else "")
