"""A scratch folder: what jobs keep from one another, shared by those that run at a time, and cleaned when it is old."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from filelock import FileLock, Timeout

from escalier.log import log
from escalier.refusals import FileInTheWay, FileRefusal, file_refusal

from .atomic_files import remove_leftovers, remove_quietly, storage_error, write_whole
from .kept_files import array_bytes, open_array, put_aside

MARKER = ".escalier-scratch"
LOCKS = ".escalier-locks"
POLL_SECONDS = 0.1
RESERVE_BYTES = 10**9
RESERVE_SHARE = 0.02
"""What a job leaves free: a gigabyte, on small disks a fiftieth."""

_NOTE = (
    b"Escalier keeps here what it can use again. Delete the folder when no job is running, or let Escalier clean it.\n"
)
Made = TypeVar("Made")


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
        rule = "be a folder for scratch, but a file of this name is there"
        raise FileInTheWay(f"{folder}", rule, remedy="choose another", who="open_scratch") from error
    except OSError as error:
        raise file_refusal(error)(
            f"{folder}",
            f"be a folder for scratch that can be written to, but it cannot ({error.strerror or error})",
            remedy="choose another folder",
        ) from error
    if not is_marked(folder):
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


class KeptArray(NamedTuple):
    """A .npy file that is made once, verified whenever it is opened, and made anew where it is damaged.

    >>> import tempfile
    >>> from escalier.scratch import write_array
    >>> kept = KeptArray(Path(tempfile.mkdtemp()) / "masks.npy", (2, 4, 6), "masks 83a2")
    >>> array = kept.opened(lambda: write_array(kept.path, np.ones(kept.shape, np.uint8), kept.what), lambda: None)
    >>> int(array.sum()), kept.missing_bytes()
    (48, 0)
    """

    path: Path
    """Of the file, which need not be there yet."""
    shape: tuple[int, ...]
    """Its pieces lie along the first axis; they are uint8."""
    what: str
    """What the array is, such as "film 83a2": another film's file under this name is no good."""

    def missing_bytes(self) -> int:
        """What is still to be written: nothing where a file of the right length lies, which costs nothing to know."""
        whole = array_bytes(self.shape, np.uint8)
        try:
            # A damaged one is removed before it is made anew.
            return 0 if self.path.lstat().st_size == whole else whole
        except OSError:
            return whole

    def opened(self, make: Callable[[], object], waiting: Callable[[], object]) -> np.ndarray:
        """The array as a read-only memory map; made first where it is missing or damaged, and by one job at a time.

        Parameters
        ----------
        make
            Writes the file, whole or not at all; see `ArrayFile`.
        waiting
            Called ten times a second while another job makes it. What it raises passes through.
        """
        array = open_or_make(self.path, lambda: open_array(self.path, self.shape, np.uint8, self.what), make, waiting)
        touch(self.path)
        return array


def read_back(found: Made | None, path: Path) -> Made:
    """What was just made, as it was opened again; refused where it could not be.

    >>> read_back("film", Path("scratch/film.npy"))
    'film'
    """
    if found is None:
        rule = f"read back from {path.parent} as it was written, but it does not"
        remedy = "check the disk, or choose another folder for scratch"
        raise FileRefusal(path.name, rule, remedy=remedy, who="read_back")
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
        rule = f"have {said_bytes(needed)} free for {what} and {said_bytes(reserve)} to spare"
        remedy = f"free {lacking} there or choose another folder for scratch"
        raise FileRefusal(f"the disk of {folder}", rule, said_bytes(disk.free), remedy)


def said_bytes(count: int) -> str:
    """
    >>> said_bytes(44_800_000_000), said_bytes(1_250_000), said_bytes(900)
    ('44.8 GB', '1.2 MB', '900 bytes')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


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


def is_marked(folder: Path) -> bool:
    """Whether a folder bears the marker of `open_scratch`."""
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
