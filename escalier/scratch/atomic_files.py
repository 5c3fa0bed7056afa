"""Files and folders that are whole or not there: written aside under another name, flushed, then renamed."""

import contextlib
import errno
import functools
import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from escalier.refusals import FileRefusal, file_refusal

from .draft_owner import give_up, is_abandoned, is_draft_of, new_draft

RENAME_SECONDS = 2.0
"""How long a rename is tried on Windows, where a virus scanner or an indexer holds new files open for a moment."""
FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}
OF_STORAGE = FULL | {errno.EROFS, errno.EIO}
"""Errors that a write gives without naming its file."""


@contextlib.contextmanager
def draft_of(path: str | Path) -> Iterator[Path]:
    """A name to write a file or a folder under; it stands at `path` once the block has ended well, and never half.

    The draft lies beside the target, hidden, under a name that no other thread or process uses. At the end it is
    flushed to the disk and renamed, so that neither a crash nor a power cut leaves half of it under the target's name.
    If the block raises, Cancel included, it is removed. What a process that was killed has left of the same target is
    removed too.

    Parameters
    ----------
    path
        Where the file or folder shall stand. An older one there is replaced.

    Yields
    ------
    Path
        The draft, which does not exist yet. It ends in `.part`.

    Raises
    ------
    OSError
        In a sentence with the file and folder, where the disk is full or read-only, the folder is missing or locked, or
        a name is too long. Errors of other files that are read in the block pass through.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with draft_of(target) as draft:
    ...     _ = draft.write_text("done")
    >>> target.read_text(), [file.name for file in target.parent.iterdir()]
    ('done', ['note.txt'])
    """
    path = Path(path)
    draft = new_draft(path)
    try:
        remove_leftovers(path.parent, path)
        yield draft
        put_in_place(draft, path)
    except OSError as error:
        raise storage_error(path, error, draft) from error
    finally:
        remove_quietly(draft)
        give_up(draft)


def write_whole(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file aside, then rename it, so that no reader and no crash ever meets half of it.

    Parameters
    ----------
    path
        Where the file shall stand. An older file there is replaced.
    write
        Called once with the open file; whatever it raises passes through, and nothing stays on disk.

    Raises
    ------
    OSError
        As for `draft_of`.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_whole(target, lambda file: file.write(b"done"))
    >>> target.read_bytes()
    b'done'
    """
    with draft_of(path) as draft, open(draft, "wb") as file:
        write(file)


def put_in_place(draft: Path, path: Path) -> None:
    """Flush a file or a folder that is complete to the disk, then rename it; an older one there is replaced.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "run"
    >>> draft = new_draft(path)
    >>> draft.mkdir()
    >>> put_in_place(draft, path)
    >>> path.is_dir(), draft.exists()
    (True, False)
    """
    _flush_tree(draft)
    _rename(draft, path)
    _flush_folder(path.parent)


def storage_error(path: Path, error: OSError, draft: Path | None = None) -> OSError:
    """An error of the disk as a sentence about the file that was to be written; any other error as it is.

    The type and `errno` stay as they were.

    >>> print(storage_error(Path("out/film.npy"), OSError(errno.ENOSPC, "No space left on device")))
    write: film.npy must fit into out, but the disk is full (No space left on device); free some space there or ...
    """
    named = error.filename
    own = draft is not None and isinstance(named, str | os.PathLike) and str(draft) in os.fspath(named)
    beside = isinstance(named, str | os.PathLike) and Path(named) in (path, path.parent)
    if error.errno is None or not (own or beside or (named is None and error.errno in OF_STORAGE)):
        return error
    told = _refusal(path, error)
    told.errno = error.errno
    return told


def remove_leftovers(folder: Path, path: Path | None = None) -> None:
    """Remove the drafts that dead processes have left in a folder: of one target, or of all.

    >>> import tempfile
    >>> draft = new_draft(Path(tempfile.mkdtemp()) / "film.npy")
    >>> draft.touch()
    >>> give_up(draft)
    >>> remove_leftovers(draft.parent)
    >>> draft.exists()
    False
    """
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return  # a missing folder is refused where it is written into
    for entry in entries:
        hidden = entry.name.startswith(".")  # asked first: there may be thousands of others
        if hidden and (path is None or is_draft_of(entry.name, path)) and is_abandoned(Path(entry.path)):
            remove_quietly(Path(entry.path))


def remove_quietly(path: Path) -> None:
    """Remove a file or a folder where it can be; a link is removed, not what it leads to.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> remove_quietly(folder)
    >>> remove_quietly(folder)  # nothing there, nothing said
    >>> folder.exists()
    False
    """
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(path.lstat().st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _refusal(path: Path, error: OSError) -> FileRefusal:
    name, folder, why = path.name, path.parent, error.strerror or str(error)
    refusal = functools.partial(file_refusal(error), who="write")
    if error.errno in FULL:
        remedy = "free some space there or choose another folder"
        return refusal(name, f"fit into {folder}, but the disk is full ({why})", remedy=remedy)
    if error.errno == errno.EROFS:
        return refusal(f"{folder}", "be a folder that can be written to", f"a read-only disk ({why})", "choose another")
    if error.errno in (errno.EACCES, errno.EPERM):
        rule = f"be a folder that you may write to, but {name} could not be written ({why})"
        remedy = "change its permissions, close the programs that use the file, or choose another folder"
        return refusal(f"{folder}", rule, remedy=remedy)
    if error.errno == errno.ENAMETOOLONG:
        return refusal("a file name", "be short enough for its disk", f"{name} ({why})", "choose a shorter one")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        rule = f"be a folder, but {name} could not be written there ({why})"
        return refusal(f"{folder}", rule, remedy="make the folder first")
    if error.errno in (errno.EISDIR, errno.ENOTEMPTY, errno.EEXIST):
        rule = f"be a file, but there is a folder of this name in {folder}"
        return refusal(name, rule, remedy="choose another name")
    rule = f"be written to {folder}, but that failed ({why})"
    return refusal(name, rule, remedy="check the disk or choose another folder")


def _rename(draft: Path, path: Path) -> None:
    """Put the draft in place of what stands there. For a folder that is moved aside first: none can be replaced."""
    if not (draft.is_dir() and os.path.lexists(path)):
        _replace(draft, path)
        return
    old = new_draft(path)
    _replace(path, old)
    try:
        _replace(draft, path)
    except OSError:
        _replace(old, path)
        raise
    finally:
        remove_quietly(old)
        give_up(old)


def _replace(source: Path, target: Path) -> None:
    deadline = time.monotonic() + RENAME_SECONDS
    while True:
        try:
            os.replace(source, target)
        except PermissionError:  # noqa: PERF203 (it is the loop's purpose)
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _flush_tree(draft: Path) -> None:
    """Have a file, or a folder with all that is in it, on the disk and not only in the system's memory."""
    if draft.is_dir():
        for folder, _, files in os.walk(draft):
            for name in files:
                _flush_file(Path(folder, name))
            _flush_folder(Path(folder))
    else:
        _flush_file(draft)


def _flush_file(path: Path) -> None:
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """A rename lasts once its folder is on the disk. Windows has no such call, some network disks refuse it."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
