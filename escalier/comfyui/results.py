"""The folder that results go to: whole files under names of their own, never through a link, never over a dot file."""

import contextlib
import os
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from escalier.refusals import Refusal, named, printable
from escalier.scratch import draft_of

from .errors import ComfyUIError
from .local_names import local_path

JUNCTION = 0xA0000003
"""How Windows marks a folder that leads elsewhere."""


class ResultFolder:
    """Where one job's results go. Files of earlier jobs under the same names are replaced, those of this one never.

    >>> folder = ResultFolder(Path(tempfile.mkdtemp()))
    >>> names = [folder.claim("sets", "a.png"), folder.claim("sets", "A.png"), folder.claim("..", ".bashrc")]
    >>> [path.relative_to(folder.path).as_posix() for path in names]
    ['sets/a.png', 'sets/A_2.png', '_bashrc']
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._taken: set[str] = set()
        self._folders: set[str] = set()

    def claim(self, subfolder: str, name: str) -> Path:
        """The place of one result, whatever it is called elsewhere; two results never get the same.

        Raises
        ------
        ComfyUIError
            When nothing of the name is left that a file could bear.
        """
        place = local_path(subfolder, name)
        if place is None:
            raise ComfyUIError("name", "name a file", printable(repr(name)), who="ResultFolder")
        chosen, count = place, 1
        while _key(chosen) in self._taken or self._lies_in_a_file(chosen):
            count += 1
            chosen = self._numbered(place, count)
        self._taken.add(_key(chosen))
        self._folders |= {_key(parent) for parent in chosen.parents}
        return self.path.joinpath(*chosen.parts)

    @contextlib.contextmanager
    def writing(self, target: Path) -> Iterator[BinaryIO]:
        """A file to write a result into; it stands at `target` once the block ends well, and nothing does before.

        Raises
        ------
        ComfyUIError
            When a folder on the way is a link, or something else than a folder.
        OSError
            In a sentence, when it cannot be written.
        """
        with named("--output"):
            self._make_folders(target.parent)
            if target.is_dir() and not target.is_symlink():
                what = "be free for a result, but a folder is there"
                raise ComfyUIError(printable(str(target)), what, remedy="move it away")
        with draft_of(target) as draft, open(draft, "xb") as file:
            yield file

    def copy(self, source: Path, target: Path) -> None:
        """Bring a file of this machine."""
        with source.open("rb") as content, self.writing(target) as file:
            shutil.copyfileobj(content, file, 1 << 20)

    def _make_folders(self, folder: Path) -> None:
        """Make the folders of a result. The output folder may be a link, since the artist named it; none below may."""
        self.path.mkdir(parents=True, exist_ok=True)
        walked = self.path
        for part in folder.relative_to(self.path).parts:
            walked = walked / part
            if _is_link(walked):
                where = printable(os.path.realpath(walked))
                rule = f"be a folder, but it is a link to {where}, and results are never written through one"
            elif walked.exists() and not walked.is_dir():
                rule = "be a folder for results, but a file is there"
            else:
                walked.mkdir(exist_ok=True)
                continue
            raise ComfyUIError(printable(str(walked)), rule, remedy="move it away, or choose another folder")

    def _lies_in_a_file(self, place: PurePosixPath) -> bool:
        """Whether a result stands where this one needs a folder, or the other way round."""
        return _key(place) in self._folders or any(_key(parent) in self._taken for parent in place.parents)

    def _numbered(self, place: PurePosixPath, count: int) -> PurePosixPath:
        parents = [parent for parent in place.parents if parent.parts]
        blocking = next((parent for parent in reversed(parents) if _key(parent) in self._taken), None)
        if blocking is None:
            return place.with_name(f"{place.stem}_{count}{place.suffix}")
        return blocking.with_name(f"{blocking.name}_{count}") / place.relative_to(blocking)


def check_output(folder: Path) -> None:
    """Refuse, before the work, a folder that results cannot be written into; it need not be there yet.

    >>> check_output(Path(tempfile.gettempdir()) / "new" / "results")
    >>> check_output(Path(__file__))
    Traceback (most recent call last):
    escalier.refusals.Refusal: --output: folder must be a folder, got ...results.py is a file; choose another one
    """
    check_writable(folder, "--output: folder", "choose another one")


def check_writable(folder: Path, name: str, remedy: str) -> None:
    """Refuse a folder that is no folder, or in which no file can be made; one that is not there is not made."""
    nearest = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    shown = printable(str(folder))
    if not nearest.is_dir():
        what = "a broken link" if nearest.is_symlink() else "a file"
        raise Refusal(name, "be a folder", f"{shown}, where {printable(str(nearest))} is {what}", remedy)
    try:
        # Tried, not asked: an administrator may do all, and yet no file can be made on a read-only disk.
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise Refusal(name, "be writable", f"{shown} ({error.strerror or error})", remedy) from error


def _key(place: PurePosixPath) -> str:
    """What systems that do not tell large letters from small take for one name."""
    return unicodedata.normalize("NFC", place.as_posix()).casefold()


def _is_link(path: Path) -> bool:
    """Whether a path is a symbolic link, or a junction, which Windows does not call one."""
    with contextlib.suppress(OSError):
        facts = os.lstat(path)
        return stat.S_ISLNK(facts.st_mode) or getattr(facts, "st_reparse_tag", 0) == JUNCTION
    return False
