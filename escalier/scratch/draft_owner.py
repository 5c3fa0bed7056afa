"""Who is writing a draft: read from its name, so that a draft whose writer has died can be told from one in work."""

import contextlib
import ctypes
import hashlib
import os
import platform
import re
import secrets
import sys
import threading
import time
from pathlib import Path

SUFFIX = ".part"
FOREIGN_DAYS = 7.0
"""Age of a draft from another machine, whose processes cannot be seen from here, at which it counts as left behind."""
LONGEST_STEM_BYTES = 100
"""File systems allow 255 bytes; beside the target's name a draft's name holds its writer."""

_DRAFT = re.compile(r"\.(?P<stem>.+)\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{12}\.part")
_own: set[str] = set()
_own_lock = threading.Lock()


def new_draft(path: Path) -> Path:
    """A name beside `path` that no other thread, process or machine uses, hidden, and with its writer in it.

    >>> new_draft(Path("film")).name
    '.film....part'
    """
    start = _start_of(os.getpid())
    name = f".{_stem(path.name)}.{_host()}-{os.getpid()}-{start}-{secrets.token_hex(6)}{SUFFIX}"
    with _own_lock:
        _own.add(name)
    return path.with_name(name)


def give_up(draft: Path) -> None:
    """Say that this process no longer writes a draft.

    >>> draft = new_draft(Path("film.npy"))
    >>> is_abandoned(draft), give_up(draft), is_abandoned(draft)
    (False, None, True)
    """
    with _own_lock:
        _own.discard(draft.name)


def is_draft(name: str) -> bool:
    """Whether a file or folder of this name is a draft of ours.

    >>> is_draft(new_draft(Path("film.npy")).name), is_draft("film.npy.part")
    (True, False)
    """
    return _DRAFT.fullmatch(name) is not None


def is_draft_of(name: str, path: Path) -> bool:
    """Whether a name is that of a draft of one target.

    >>> is_draft_of(new_draft(Path("a.npy")).name, Path("a.npy")), is_draft_of(new_draft(Path("a")).name, Path("b"))
    (True, False)
    """
    found = _DRAFT.fullmatch(name)
    return found is not None and found["stem"] == _stem(path.name)


def is_abandoned(draft: Path) -> bool:
    """Whether nobody writes a draft any more: its process is gone, or has another start than the one in its name."""
    found = _DRAFT.fullmatch(draft.name)
    if found is None:
        return False
    with _own_lock:
        if draft.name in _own:
            return False
    if found["host"] != _host():
        try:
            return time.time() - draft.lstat().st_mtime > FOREIGN_DAYS * 86400
        except OSError:
            return False
    pid = int(found["pid"])
    if pid == os.getpid():  # its number is ours, yet we do not write it: an earlier process had the number
        return True
    return not _is_running(pid) or _start_of(pid) != int(found["start"])


def _stem(name: str) -> str:
    data = name.encode("utf-8", "surrogateescape")
    if len(data) <= LONGEST_STEM_BYTES:
        return name
    return f"{name[:16]}~{hashlib.blake2b(data, digest_size=8).hexdigest()}"


def _host() -> str:
    """This machine; on Linux also this container, which counts its processes anew."""
    space = ""
    with contextlib.suppress(OSError):
        space = os.readlink("/proc/self/ns/pid") if sys.platform == "linux" else ""
    return hashlib.blake2b(f"{platform.node()} {space}".encode(), digest_size=4).hexdigest()


def _start_of(pid: int) -> int:
    """When a process started, in the kernel's ticks; 0 where the system does not say. Numbers are used again."""
    if sys.platform != "linux":
        return 0
    try:
        facts = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return 0
    # Counted behind the program's name, which may hold spaces and brackets.
    return int(facts.rpartition(b")")[2].split()[19])


def _is_running(pid: int) -> bool:
    if sys.platform == "win32":  # there os.kill would end the process
        query_limited_information, still_active = 0x1000, 259
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return False
        code = ctypes.c_ulong()
        known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return not known or code.value == still_active
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, but is not ours
        return True
    return True
