"""Room on disk for what is too large for memory: in ComfyUI's temporary folder, which is emptied when it starts."""

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

import folder_paths

from escalier.scratch import is_in_use, open_scratch, remove_quietly

FREE_SHARE = 0.2
ENOUGH_FREE_BYTES = 20 * 10**9
"""On a large disk a fifth is more than any job needs."""


@contextlib.contextmanager
def scratch_folder(kind: str) -> Iterator[Path]:
    """A new folder, under a name that no concurrent prompt has; gone again if the work in it fails."""
    folder = Path(tempfile.mkdtemp(prefix=f"{kind}_", dir=_escalier_folder()))
    try:
        yield folder
    except BaseException:  # Cancel is not an Exception
        shutil.rmtree(folder, ignore_errors=True)
        raise


def remove_with(owner: object, folder: Path) -> None:
    """Remove a scratch folder when ComfyUI's cache forgets the object that reads it, or at exit."""
    weakref.finalize(owner, shutil.rmtree, folder, ignore_errors=True)


def lasting_folder(kind: str) -> Path:
    """A folder whose contents are named after what they were made from, so that a later job can go on with them.

    What was used longest ago goes first while less than a fifth of the disk, and less than 20 GB, is free, and no job,
    of this server or of another one, is writing there. Files that a node still reads stay readable until it is done.
    """
    folder = open_scratch(_escalier_folder() / kind)
    for entry in sorted((entry for entry in folder.iterdir() if not entry.name.startswith(".")), key=_last_used):
        disk = shutil.disk_usage(folder)
        if disk.free >= min(FREE_SHARE * disk.total, ENOUGH_FREE_BYTES) or is_in_use(folder):
            break
        remove_quietly(entry)
    return folder


def _last_used(entry: Path) -> float:
    with contextlib.suppress(OSError):  # another server removes what is old as well
        return entry.lstat().st_mtime
    return 0.0


def _escalier_folder() -> Path:
    folder = Path(folder_paths.get_temp_directory()) / "escalier"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
