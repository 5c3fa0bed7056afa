"""Files that are whole or not there: written aside under another name, then renamed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np


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
        With the folder named, where the disk is full or read-only.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> write_whole(target, lambda file: file.write(b"done"))
    >>> target.read_bytes()
    b'done'
    """
    path = Path(path)
    # Process and thread in the name: two writers of the same file must not share the draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with open(draft, "wb") as file:
            write(file)
        os.replace(draft, path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        draft.unlink(missing_ok=True)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write one array as a .npy file, whole or not at all; `numpy.load(path, mmap_mode="r")` reads it."""
    write_whole(path, lambda file: np.save(file, array, allow_pickle=False))


class ArrayFile:
    """A .npy file written piece by piece along its first axis, in plain writes.

    A memory map would be shorter, but a full disk kills a process that writes into one; here it is an OSError.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "film.npy"
    >>> with ArrayFile(path, (2, 4, 4, 3), np.uint8) as file:
    ...     for grey in (10, 20):
    ...         file.append(np.full((4, 4, 3), grey, np.uint8))
    >>> np.load(path, mmap_mode="r")[:, 0, 0, 0].tolist()
    [10, 20]
    """

    def __init__(self, path: str | Path, shape: tuple[int, ...], dtype: type | np.dtype) -> None:
        self.path = Path(path)
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._count = 0
        self._file: BinaryIO | None = None

    def __enter__(self) -> ArrayFile:
        try:
            self._file = open(self.path, "wb")
            header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
            np.lib.format.write_array_header_1_0(self._file, header)
        except OSError as error:
            raise _refused(self.path, error) from error
        return self

    def append(self, piece: np.ndarray) -> None:
        """Write the next entry of the first axis."""
        if self._file is None or piece.shape != self.shape[1:] or self._count >= self.shape[0]:
            raise ValueError(
                f"ArrayFile: piece must be one of {self.shape[0]} of shape {self.shape[1:]}, got number "
                f"{self._count + 1} of shape {piece.shape}; open the file for the shape it will have"
            )
        try:
            self._file.write(np.ascontiguousarray(piece, self.dtype).data)
        except OSError as error:
            raise _refused(self.path, error) from error
        self._count += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if self._file is not None:
                self._file.close()
        except OSError as error:
            if kind is None:
                raise _refused(self.path, error) from error
        finally:
            if kind is not None or self._count < self.shape[0]:
                self.path.unlink(missing_ok=True)


def _refused(path: Path, error: OSError) -> OSError:
    return OSError(
        f"write: {path.name} must fit into {path.parent}, but it could not be written ({error.strerror or error}); "
        "free some space there or choose another folder"
    )
