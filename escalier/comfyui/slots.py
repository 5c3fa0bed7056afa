"""A place on disk for each server: locked while it or its child lives, its finished work kept for the next one.

`slot-0` is the first server's, `slot-1` that of a second one beside it, and so on. A command that is run again after it
was stopped or killed gets the same slot, and so finds its scratch files, and its inputs under the same paths.
"""

import contextlib
import errno
import hashlib
import itertools
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from escalier.scratch import KEPT_DAYS, LOCKS, MARKER, remove_quietly

from .mount import unmount

KEPT_BYTES = 100 * 10**9
"""One minute of 1080p needs 45 GB."""
ALONE_SECONDS = 2 * 86400
"""How long a slot without a lock stands untouched before it counts as left behind."""
INPUTS = "escalier-"
# What nodes make for one run alone, as `tempfile.mkdtemp(prefix=f"{kind}_")` names it.
PASSING = re.compile(r".+_[a-z0-9_]{8}")
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}


class Slot:
    """A slot that is ours: `run` is new and goes when we leave, `kept` stays. A child may inherit `lock`."""

    def __init__(self, folder: Path, lock: int | None) -> None:
        self.folder = folder
        self.lock = lock
        self.kept = folder / "kept"
        self.kept.mkdir(exist_ok=True)
        self.run = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        self._inputs: Path | None = None

    def place(self, file: Path, inputs: Path) -> str:
        """Copy a file, or the plain files of a folder, into an input folder, below which this gives its name.

        The slot's own folder in there goes when we leave, or when the next one comes.
        """
        mark = hashlib.sha256(f"{platform.node()} {self.folder.absolute()}".encode()).hexdigest()[:8]
        own = inputs.absolute() / f"{INPUTS}{mark}"
        if own != self._inputs:
            # Noted first: whatever happens next, it will be found.
            (self.folder / "inputs").write_text(str(own), encoding="utf-8")
            remove_quietly(own)
            own.mkdir(parents=True)
            self._inputs = own
        # Two files from two folders may bear one name; the same file always gets the same.
        target = own / hashlib.sha256(os.fsencode(file.absolute())).hexdigest()[:12] / file.name
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            _copy(file, target)
        return target.relative_to(inputs.absolute()).as_posix()

    def leave(self) -> None:
        """Give the slot back, with nothing in it but what is kept."""
        _empty(self.folder)
        lock, self.lock = self.lock, None
        _give_back(self.folder, lock)


def take_slot(root: Path) -> Slot:
    """Take the first slot that nobody has, after clearing away what dead servers have left in all of them.

    Raises OSError when the folder cannot be written.
    """
    root.mkdir(parents=True, exist_ok=True)
    try:
        _clear(root)
        for number in itertools.count():
            folder = root / f"slot-{number}"
            if (lock := _try_lock(folder)) is not None:
                return Slot(folder, lock)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    # A disk that knows no locks, as some shared over a network: a slot that nobody else can find.
    return Slot(Path(tempfile.mkdtemp(prefix="alone-", dir=root)), None)


def clean_kept(kept: Path, now: float | None = None, most_bytes: int = KEPT_BYTES) -> None:
    """Remove from finished work what is old, what only one run could use, and the oldest while all is too much."""
    now = time.time() if now is None else now
    entries = []
    for kind in _entries(kept):
        if PASSING.fullmatch(kind.name):
            remove_quietly(kind)
            continue
        # Without its mark, the rest would not be believed.
        found = [entry for entry in _entries(kind) if entry.name not in (MARKER, LOCKS)]
        entries += [(*_facts(entry), entry) for entry in found]
        if not found:
            remove_quietly(kind)
    total = sum(size for _, size, _ in entries)
    for changed, size, entry in sorted(entries):
        if now - changed > KEPT_DAYS * 86400 or total > most_bytes:
            remove_quietly(entry)
            total -= size


def _clear(root: Path) -> None:
    for folder in root.glob("slot-*"):
        if (lock := _try_lock(folder)) is not None:
            _empty(folder)
            clean_kept(folder / "kept")
            _give_back(folder, lock)
    for folder in root.glob("alone-*"):
        if time.time() - _facts(folder)[0] > ALONE_SECONDS:
            _empty(folder)
            remove_quietly(folder)


def _empty(folder: Path) -> None:
    """Remove a slot's run, and its inputs from where it noted them."""
    for run in folder.glob("run-*"):
        unmount(run)
        remove_quietly(run)
    note = folder / "inputs"
    try:
        inputs = Path(note.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return
    if inputs.name.startswith(INPUTS) and not inputs.is_symlink():
        remove_quietly(inputs)
    note.unlink(missing_ok=True)


def _give_back(folder: Path, lock: int | None) -> None:
    """Let a slot go, and remove it where nothing is kept in it."""
    bare = not any(_entries(folder / "kept"))
    if bare and sys.platform != "win32":  # there an open file cannot be removed; nor can one that another has opened
        _remove_bare(folder)
    if lock is not None:
        os.close(lock)
    if bare and sys.platform == "win32":
        _remove_bare(folder)


def _remove_bare(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / "kept").rmdir()
        (folder / "lock").unlink(missing_ok=True)
        folder.rmdir()


def _try_lock(folder: Path) -> int | None:
    """The open and locked file of a slot, None where somebody has it. The system takes a lock from the dead."""
    while True:
        folder.mkdir(exist_ok=True)
        try:
            lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:  # its last owner has just removed the folder
            continue
        try:
            _lock(lock)
            if os.path.samestat(os.fstat(lock), os.stat(folder / "lock")):
                return lock
        except FileNotFoundError:
            pass  # the same, in between
        except (BlockingIOError, PermissionError):
            os.close(lock)
            return None
        except OSError:
            os.close(lock)
            raise
        os.close(lock)


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _copy(source: Path, target: Path) -> None:
    """Copy with the time of the last change, by which nodes know a file again."""
    if source.is_dir():
        target.mkdir()
        for entry in sorted(source.iterdir()):
            if entry.is_file() and not entry.name.startswith("."):
                _copy(entry, target / entry.name)
        return
    shutil.copyfile(source, target)
    facts = source.stat()
    os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _facts(entry: Path) -> tuple[float, int]:
    """When anything in it was last changed, and how large it is."""
    changed, size = 0.0, 0
    below = (Path(place, name) for place, folders, files in os.walk(entry) for name in (*folders, *files))
    for path in (entry, *below):
        with contextlib.suppress(OSError):
            facts = path.lstat()
            changed, size = max(changed, facts.st_mtime), size + facts.st_size
    return changed, size


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
