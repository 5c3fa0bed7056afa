"""A scratch folder: what jobs keep from one another, shared by those that run at a time, and cleaned when it is old."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from escalier.refusals import FileInTheWay, FileRefusal, Refusal, file_refusal

from .atomic_files import remove_leftovers, remove_quietly, storage_error, write_whole
from .draft_owner import is_abandoned, is_draft
from .kept_files import put_aside

MARKER = ".escalier-scratch"
LOCKS = ".escalier-locks"
KEPT_DAYS = 14
"""How long finished work that nobody asked for again is kept."""
POLL_SECONDS = 0.1
RESERVE_BYTES = 10**9
RESERVE_SHARE = 0.02
"""What a job leaves free: a gigabyte, on small disks a fiftieth."""

_NOTE = (
    b"Escalier keeps here what it can use again. Delete the folder when no job is running, or let Escalier clean it.\n"
)
_OURS = re.compile(
    r"(film|masks|draft)_[0-9a-f]{16}\.npy|(cuts|finished)_[0-9a-f]{16}\.json|motion_[0-9a-f]{16}_\w+"
    r"|(run|unfinished)_\d{6,}_(forward|backward)_[0-9a-f]{16}"
)
_INSIDE = re.compile(
    r"flow_\d{6,}(_to_\d{6,})?\.npy|(frames|guide_error|confidence|state_[01])\.npy|(run|checkpoint)\.json"
)

log = logging.getLogger("escalier")
Made = TypeVar("Made")


@dataclass(frozen=True)
class ScratchFacts:
    """What a scratch folder holds of ours: its bytes, how many things, and the days since the oldest was last used."""

    bytes: int
    things: int
    oldest_days: float

    def __str__(self) -> str:
        return f"{self.things} things, {said_bytes(self.bytes)}, the oldest last used {self.oldest_days:.0f} days ago"


def open_scratch(folder: str | Path) -> Path:
    """Make a folder ready for scratch: it is there and can be written to, and what dead jobs left in it is gone.

    A folder that holds other files may serve; they are never touched. A marker file tells `clean_scratch` that
    the folder is ours.

    Raises
    ------
    OSError
        In a sentence, where the folder cannot be made or written to.

    >>> import tempfile
    >>> folder = open_scratch(Path(tempfile.mkdtemp()) / "scratch")
    >>> [file.name for file in folder.iterdir()]
    ['.escalier-scratch']
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    except FileExistsError as error:
        raise FileInTheWay(
            f"{folder}",
            "be a folder for scratch, but a file of this name is there",
            remedy="choose another",
            who="open_scratch",
        ) from error
    except OSError as error:
        raise file_refusal(error)(
            f"{folder}",
            f"be a folder for scratch that can be written to, but it cannot ({error.strerror or error})",
            remedy="choose another folder",
        ) from error
    if not _is_marked(folder):
        put_away_stranger(folder / MARKER)
        write_whole(folder / MARKER, lambda file: file.write(_NOTE))
    remove_leftovers(folder)
    return folder


def own_folder(path: Path) -> Path:
    """A folder inside scratch, made where it is missing. A link, a file or a locked folder there is put aside.

    >>> import tempfile
    >>> own_folder(Path(tempfile.mkdtemp()) / "motion").is_dir()
    True
    """
    for _ in range(2):
        try:
            path.mkdir(exist_ok=True)
        except FileExistsError:
            put_aside(path, "it is not a folder")
            continue
        except OSError as error:
            raise storage_error(path, error) from error
        if os.path.islink(path):
            put_aside(path, "it is a link")
        elif not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            put_aside(path, "it may not be opened")
        else:
            return path
    raise FileInTheWay(f"{path}", "be a folder, but something else is there", remedy="remove it", who="own_folder")


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Say that a job works in a scratch folder, so that no other cleans it. Ends with the process at the latest.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with in_use(folder):
    ...     is_in_use(folder)
    True
    """
    mine = f"job-{secrets.token_hex(6)}"
    with contextlib.ExitStack() as stack:
        with _held(folder, "clean", lambda: None):
            stack.enter_context(_held(folder, mine, lambda: None))
        try:
            yield
        finally:
            stack.close()
            remove_quietly(folder / LOCKS / f"{mine}.lock")


@contextlib.contextmanager
def try_lock(folder: Path, name: str) -> Iterator[bool]:
    """Whether this job may make the thing of this name: False while another job, thread or process, is at it.

    The system frees the lock of a process that dies. Where a disk knows no locks the answer is True: two jobs
    then make the same thing twice, which costs time and no more, since whole files replace each other.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with try_lock(folder, "film") as mine, try_lock(folder, "film") as other:
    ...     mine, other
    (True, False)
    """
    lock = FileLock(_lock_file(folder, name), thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    except (NotImplementedError, OSError) as error:
        log.debug("no lock for %s in %s: %s", name, folder, error)
        yield True
        return
    try:
        yield True
    finally:
        lock.release()


def open_or_make(
    path: Path, opened: Callable[[], Made | None], make: Callable[[], object], waiting: Callable[[], object]
) -> Made:
    """What lies at `path`, made first where it is missing or damaged, and by one job at a time.

    Parameters
    ----------
    path
        A file or folder inside scratch.
    opened
        Opens and verifies it; None where there is none.
    make
        Makes it, whole or not at all.
    waiting
        Called ten times a second while another job makes it. What it raises ends the wait.

    Raises
    ------
    OSError
        If what was just made cannot be read back.

    >>> import tempfile
    >>> note = Path(tempfile.mkdtemp()) / "note"
    >>> opened = lambda: note.read_text() if note.exists() else None
    >>> open_or_make(note, opened, lambda: note.write_text("made"), lambda: None)
    'made'
    """
    found = opened()
    if found is not None:
        return found
    with _held(path.parent, path.name, waiting):
        found = opened()
        if found is None:
            make()
            found = opened()
    return read_back(found, path)


def read_back(found: Made | None, path: Path) -> Made:
    """What was just made, as it was opened again; refused where it could not be.

    >>> read_back("film", Path("scratch/film.npy"))
    'film'
    """
    if found is None:
        raise FileRefusal(
            path.name,
            f"read back from {path.parent} as it was written, but it does not",
            remedy="check the disk, or choose another folder for scratch",
            who="read_back",
        )
    return found


def check_room(folder: Path, needed: int, what: str) -> None:
    """Refuse a job that would fill the disk, before any work is spent on it; a reserve stays free.

    Parameters
    ----------
    folder
        Where it will write. It need not exist.
    needed
        Bytes, without what lies there already.
    what
        For the message: what the room is for.

    >>> check_room(Path("."), 10**18, "the film and 4 runs")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    escalier.refusals.FileRefusal: the disk of . must have 1000000000.0 GB free for the film and 4 runs and ...
    """
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    disk = shutil.disk_usage(there)
    reserve = min(RESERVE_BYTES, int(RESERVE_SHARE * disk.total))
    if needed and needed + reserve > disk.free:
        lacking = said_bytes(needed + reserve - disk.free)
        raise FileRefusal(
            f"the disk of {folder}",
            f"have {said_bytes(needed)} free for {what} and {said_bytes(reserve)} to spare",
            said_bytes(disk.free),
            f"free {lacking} there or choose another folder for scratch",
        )


def said_bytes(count: int) -> str:
    """
    >>> said_bytes(44_800_000_000), said_bytes(1_250_000), said_bytes(900)
    ('44.8 GB', '1.2 MB', '900 bytes')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


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
    if not _is_marked(folder):
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


def touch(path: Path) -> None:
    """Note that something kept was used, which is what its age is counted from.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp())
    >>> os.utime(path, (0, 0))
    >>> touch(path)
    >>> time.time() - path.stat().st_mtime < 60
    True
    """
    with contextlib.suppress(OSError):
        os.utime(path)


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


def _is_marked(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISREG((folder / MARKER).lstat().st_mode)
    return False


def put_away_stranger(path: Path) -> None:
    """Make room for one of our hidden files where something that is no file stands."""
    if os.path.lexists(path):
        put_aside(path, "it is not an ordinary file")


def _lock_file(folder: Path, name: str) -> str:
    path = own_folder(folder / LOCKS) / f"{name}.lock"
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        put_away_stranger(path)  # a link would have what it leads to emptied
    return str(path)


@contextlib.contextmanager
def _held(folder: Path, name: str, waiting: Callable[[], object]) -> Iterator[None]:
    while True:
        with try_lock(folder, name) as mine:
            if mine:
                yield
                return
        waiting()
        time.sleep(POLL_SECONDS)


def is_in_use(folder: Path) -> bool:
    """Whether any job works in a scratch folder. The locks of jobs that died are removed on the way.

    >>> import tempfile
    >>> is_in_use(open_scratch(tempfile.mkdtemp()))
    False
    """
    for path in (folder / LOCKS).glob("job-*.lock"):
        with try_lock(folder, path.stem) as free:
            if not free:
                return True
        remove_quietly(path)
    return False
