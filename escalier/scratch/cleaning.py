"""What a scratch folder holds of ours: told, and removed when it is old or too much. What is not ours stays."""

import contextlib
import os
import re
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from escalier.log import log
from escalier.refusals import Refusal

from .atomic_files import remove_quietly
from .draft_owner import is_abandoned, is_draft
from .folder import LOCKS, is_in_use, is_marked, said_bytes, try_lock

KEPT_DAYS = 14
"""How long finished work that nobody asked for again is kept."""
_OURS = re.compile(
    r"(film|masks|draft)_[0-9a-f]{16}\.npy|(cuts|finished)_[0-9a-f]{16}\.json|motion_[0-9a-f]{16}_\w+"
    r"|(run|unfinished)_\d{6,}_(forward|backward)_[0-9a-f]{16}"
)
_INSIDE = re.compile(
    r"flow_\d{6,}(_to_\d{6,})?\.npy|(frames|guide_error|confidence|state_[01])\.npy|(run|checkpoint)\.json"
)


@dataclass(frozen=True)
class ScratchFacts:
    """What a scratch folder holds of ours: its bytes, how many things, and the days since the oldest was last used."""

    bytes: int
    things: int
    oldest_days: float

    def __str__(self) -> str:
        return f"{self.things} things, {said_bytes(self.bytes)}, the oldest last used {self.oldest_days:.0f} days ago"


def scratch_facts(folder: str | Path) -> ScratchFacts:
    """How much a scratch folder holds of ours, and how long the oldest of it has not been used.

    Other files in it do not count.

    >>> import tempfile
    >>> str(scratch_facts(tempfile.mkdtemp()))
    '0 things, 0 bytes, the oldest last used 0 days ago'
    """
    things = _things(Path(folder))
    oldest = max((time.time() - thing.used for thing in things), default=0.0)
    return ScratchFacts(sum(thing.bytes for thing in things), len(things), max(0.0, oldest) / 86400)


def clean_scratch(folder: str | Path, *, older_than_days: float | None = None, keep_bytes: int | None = None) -> int:
    """Remove what was kept in a scratch folder and is old, or too much; returns the bytes that were freed.

    Only what Escalier made is removed, by its full name, out of a folder that bears the marker of `open_scratch`; other
    files and folders, and links, stay. Nothing is removed while a job works there.

    Parameters
    ----------
    folder
        A scratch folder. One that does not exist, or was never used as scratch, has nothing to clean.
    older_than_days
        Remove what has not been used for so long; 0 removes all.
    keep_bytes
        Remove what was used longest ago until no more than this is left.

    Raises
    ------
    ValueError
        If neither bound is given, or one is negative.

    >>> import tempfile
    >>> from escalier.scratch import open_scratch
    >>> folder = open_scratch(tempfile.mkdtemp())
    >>> clean_scratch(folder, older_than_days=30)
    0
    """
    if older_than_days is None and keep_bytes is None:
        raise Refusal("older_than_days or keep_bytes", "be given", "neither", "0 days removes all", who="clean_scratch")
    for name, bound in (("older_than_days", older_than_days), ("keep_bytes", keep_bytes)):
        if bound is not None and not bound >= 0:
            raise Refusal(name, "be >= 0", bound, "0 removes all", who="clean_scratch")
    folder = Path(folder)
    if not is_marked(folder):
        return 0
    freed = 0
    with try_lock(folder, "clean") as alone:
        if not alone or is_in_use(folder):
            log.info("%s is in use; nothing in it is cleaned", folder)
            return 0
        things = sorted(_things(folder), key=lambda thing: thing.used)
        left = sum(thing.bytes for thing in things)
        for thing in things:
            old = older_than_days is not None and time.time() - thing.used >= older_than_days * 86400
            if old or (keep_bytes is not None and left > keep_bytes):
                _remove(thing.path)
                if not os.path.lexists(thing.path):
                    freed += thing.bytes
                    left -= thing.bytes
        for lock in (folder / LOCKS).glob("*.lock"):
            if lock.stem != "clean" and not os.path.lexists(folder / lock.stem):
                remove_quietly(lock)
    return freed


def clear_folder(path: Path) -> None:
    """Remove one of our folders with the files that we put there; if it holds anything else, it is renamed instead.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "run"
    >>> for name in ("frames.npy", "mine.txt"):
    ...     folder.mkdir()
    ...     (folder / name).touch()
    ...     clear_folder(folder)
    >>> [path.name for path in folder.parent.iterdir()]
    ['run.damaged-...']
    """
    _remove(path)
    if os.path.lexists(path):
        with contextlib.suppress(OSError):
            os.replace(path, path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}"))


@dataclass(frozen=True)
class _Thing:
    path: Path
    bytes: int
    used: float


def _things(folder: Path) -> list[_Thing]:
    """What is ours at the top of a scratch folder. Links are nobody's."""
    things = []
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for entry in os.scandir(folder):
            ours = _OURS.fullmatch(entry.name) is not None
            if (ours or is_draft(entry.name)) and not entry.is_symlink():
                path = Path(entry.path)
                if ours or is_abandoned(path):
                    with contextlib.suppress(OSError):
                        things.append(_thing(path))
    return things


def _thing(path: Path) -> _Thing:
    facts = path.lstat()
    if not stat.S_ISDIR(facts.st_mode):
        return _Thing(path, facts.st_size, facts.st_mtime)
    inside = [entry.stat(follow_symlinks=False) for entry in os.scandir(path)]
    used = max([facts.st_mtime, *(file.st_mtime for file in inside)])
    return _Thing(path, sum(file.st_size for file in inside), used)


def _remove(path: Path) -> None:
    """Remove a thing of ours. Of a folder, only the files that we put there: with anything else in it, it stays."""
    if is_draft(path.name) or not os.path.isdir(path) or os.path.islink(path):
        remove_quietly(path)
        return
    with contextlib.suppress(OSError):
        for entry in os.scandir(path):
            if _INSIDE.fullmatch(entry.name) or (is_draft(entry.name) and is_abandoned(Path(entry.path))):
                remove_quietly(Path(entry.path))
        path.rmdir()
