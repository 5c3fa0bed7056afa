"""Files that are kept from one job to the next: verified when they are opened, put aside where they are damaged.

An array lies in a .npy file, which any program opens, with checksums behind its data: one for each piece along the
first axis, and one over the header, those checksums and a text that says what the array is, so that another film's file
under this one's name is found out as well. The checksums are xxh3 (Collet), which runs as fast as memory is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import xxhash

from escalier.log import log
from escalier.refusals import Refusal

from .atomic_files import draft_of, remove_quietly, write_whole

MARK = b"escalier"
PIECE_BYTES = 8
LARGEST_FACTS = 16 * 2**20


class Damage(Exception):
    """Why a kept file cannot be believed. Never leaves the functions that open one."""


class ArrayFile:
    """A .npy file written piece by piece along its first axis, in plain writes, whole or not at all.

    A memory map would be shorter, but a full disk kills a process that writes into one; here it is an OSError.

    Parameters
    ----------
    path, shape, dtype
        Of the array. The file is not there until the last piece is, and then all at once; see `draft_of`.
    what
        What the array is, such as "film 83a2"; `open_array` asks for the same text. It may be set until the end.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "film.npy"
    >>> with ArrayFile(path, (2, 4, 4, 3), np.uint8) as file:
    ...     for grey in (10, 20):
    ...         file.append(np.full((4, 4, 3), grey, np.uint8))
    >>> np.load(path, mmap_mode="r")[:, 0, 0, 0].tolist()
    [10, 20]
    """

    def __init__(self, path: str | Path, shape: tuple[int, ...], dtype: type | np.dtype, what: str = "") -> None:
        self.path = Path(path)
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self._header = _header(shape, self.dtype)
        self.what = what
        self._checksums: list[bytes] = []
        self._file: BinaryIO | None = None

    def __enter__(self) -> ArrayFile:
        with contextlib.ExitStack() as stack:
            draft = stack.enter_context(draft_of(self.path))
            self._file = stack.enter_context(open(draft, "wb"))
            self._file.write(self._header)
            self._closing = stack.pop_all()
        return self

    def append(self, piece: np.ndarray) -> None:
        """Write the next entry of the first axis."""
        if self._file is None or piece.shape != self.shape[1:] or len(self._checksums) >= self.shape[0]:
            rule = f"be one of {self.shape[0]} of shape {self.shape[1:]}"
            got = f"number {len(self._checksums) + 1} of shape {piece.shape}"
            raise Refusal("piece", rule, got, "open the file for the shape it will have", who="ArrayFile")
        data = np.ascontiguousarray(piece, self.dtype)
        self._file.write(data.data)
        self._checksums.append(xxhash.xxh3_64_digest(data.data))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if kind is not None:
            self._closing.__exit__(kind, error, trace)
        elif self._file is None or len(self._checksums) < self.shape[0]:
            self._closing.__exit__(Damage, Damage("pieces are missing"), None)
        else:
            with self._closing:
                self._file.write(_trailer(self.what, self._header, self._checksums))


class GrowingArrayFile(ArrayFile):
    """An array file that outlives a stop: it lies under its own name from the first piece on, without its checksums.

    They are written behind the last piece; until then `open_array` does not take it for whole. Whoever goes on with it
    says which pieces he knows of; each is verified, and what lies behind them is cut off.

    Parameters
    ----------
    path, shape, dtype, what
        As for `ArrayFile`.
    checksums
        Those of the pieces that are there, as `flushed` gave them; none begins anew.

    Raises
    ------
    Damage
        From the `with`, if one of these pieces is not there as it was written.
    """

    def __init__(
        self, path: Path, shape: tuple[int, ...], dtype: type | np.dtype, what: str, checksums: Sequence[str] = ()
    ) -> None:
        super().__init__(path, shape, dtype, what)
        self._checksums = [bytes.fromhex(checksum) for checksum in checksums]

    def __enter__(self) -> GrowingArrayFile:
        with contextlib.ExitStack() as stack:
            if self._checksums:
                self._file = stack.enter_context(open_kept(self.path, writing=True))
                if self._file.read(len(self._header)) != self._header:
                    raise Damage(f"its header must be that of {self.dtype} {self.shape}, got another")
                _check_pieces(self._file, self.shape, self.dtype, self._checksums)
                self._file.truncate()
            else:
                self._file = stack.enter_context(open(self.path, "xb"))
                self._file.write(self._header)
            self._closing = stack.pop_all()
        return self

    def flushed(self) -> list[str]:
        """Have all pieces on the disk; returns their checksums."""
        if self._file is not None:
            self._file.flush()
            os.fsync(self._file.fileno())
        return [checksum.hex() for checksum in self._checksums]

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        with self._closing:
            if kind is None and self._file is not None and len(self._checksums) == self.shape[0]:
                self._file.write(_trailer(self.what, self._header, self._checksums))


def write_array(path: str | Path, array: np.ndarray, what: str = "") -> None:
    """Write one array of one or more pieces as `ArrayFile` does; `open_array` or `numpy.load` reads it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npy"
    >>> write_array(path, np.arange(6).reshape(2, 3), "numbers")
    >>> np.load(path)[1].tolist()
    [3, 4, 5]
    """
    with ArrayFile(path, array.shape, array.dtype, what) as file:
        for piece in array:
            file.append(piece)


def open_array(path: Path, shape: Sequence[int], dtype: type | np.dtype, what: str) -> np.ndarray | None:
    """The array that lies in a file, every piece of it verified: a read-only memory map. None where there is none.

    What is damaged, in whatever way, is named in a warning and put aside, so that it is made anew: another length,
    shape, type, content or meaning than was written, a folder, a link or a pipe in its place, or no right to read it.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npy"
    >>> write_array(path, np.arange(6).reshape(2, 3), "numbers")
    >>> open_array(path, (2, 3), np.int64, "numbers")[1].tolist()
    [3, 4, 5]
    >>> open_array(path, (2, 3), np.int64, "letters") is None, path.exists()
    (True, False)
    """
    return _opened(path, lambda file: _verified(file, tuple(shape), np.dtype(dtype), what))


def array_bytes(shape: Sequence[int], dtype: type | np.dtype) -> int:
    """The size of the file that `ArrayFile` writes, or of what a damaged one lacks.

    >>> array_bytes((2, 4, 6), np.uint8)
    216
    """
    shape, dtype = tuple(shape), np.dtype(dtype)
    return len(_header(shape, dtype)) + int(np.prod(shape, dtype=np.int64)) * dtype.itemsize + _trailer_bytes(shape)


def write_facts(path: Path, facts: Any, what: str) -> None:
    """Keep what JSON can hold, with a checksum, for `read_facts`.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cuts.json"
    >>> write_facts(path, [12, 40], "cuts")
    >>> read_facts(path, "cuts"), read_facts(path, "shots")
    ([12, 40], None)
    """
    kept = {"facts": facts, "xxh3": _facts_checksum(facts, what)}
    write_whole(path, lambda file: file.write(json.dumps(kept).encode()))


def read_facts(path: Path, what: str) -> Any:
    """What `write_facts` has kept, or None where nothing lies there or it is damaged, see `open_array`.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "cuts.json"
    >>> write_facts(path, [12, 40], "cuts")
    >>> read_facts(path, "cuts")
    [12, 40]
    """
    return _opened(path, lambda file: _believed(file.read(LARGEST_FACTS), what))


def _opened(path: Path, read: Callable[[BinaryIO], Any]) -> Any:
    try:
        with open_kept(path) as file:
            return read(file)
    except FileNotFoundError:
        return None
    except (Damage, OSError) as error:
        put_aside(path, error)
        return None


@contextlib.contextmanager
def open_kept(path: Path, writing: bool = False) -> Iterator[BinaryIO]:
    """Open an ordinary file and nothing else, to read or to go on with: no link is followed, no pipe waited for."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise Damage("it is not an ordinary file")
    flags = (
        (os.O_RDWR if writing else os.O_RDONLY)
        | getattr(os, "O_BINARY", 0)
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_NONBLOCK", 0)
    )
    with open(os.open(path, flags), "r+b" if writing else "rb") as file:
        yield file


def put_aside(path: Path, reason: object) -> None:
    """Clear the place of something damaged and say so. A file is removed, a folder renamed: it may be precious.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "film.npy"
    >>> path.touch()
    >>> put_aside(path, "it is empty")
    >>> path.exists()
    False
    """
    why = reason.strerror or reason if isinstance(reason, OSError) else reason
    log.warning("%s is damaged (%s); it is put aside and made anew", path, why)
    if os.path.isdir(path) and not os.path.islink(path):
        with contextlib.suppress(OSError):  # what cannot be moved is refused where it is in the way
            os.replace(path, path.with_name(f"{path.name}.damaged-{secrets.token_hex(4)}"))
    else:
        remove_quietly(path)


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    data = io.BytesIO()
    np.lib.format.write_array_header_1_0(data, {"descr": dtype.str, "fortran_order": False, "shape": shape})
    return data.getvalue()


def _trailer(what: str, header: bytes, checksums: Sequence[bytes]) -> bytes:
    pieces = b"".join(checksums)
    return pieces + xxhash.xxh3_128_digest(what.encode() + b"\n" + header + pieces) + MARK


def _trailer_bytes(shape: tuple[int, ...]) -> int:
    return PIECE_BYTES * shape[0] + 16 + len(MARK)


def _verified(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, what: str) -> np.ndarray:
    size, expected = os.fstat(file.fileno()).st_size, array_bytes(shape, dtype)
    if size != expected:
        raise Damage(f"it must have {expected} bytes, got {size}")
    header = _header(shape, dtype)
    if file.read(len(header)) != header:
        raise Damage(f"its header must be that of {dtype} {shape}, got another")
    file.seek(size - _trailer_bytes(shape))
    trailer = file.read()
    checksums = [trailer[PIECE_BYTES * i : PIECE_BYTES * (i + 1)] for i in range(shape[0])]
    if trailer != _trailer(what, header, checksums):
        raise Damage("its checksums must be those of this film, got others")
    # Read, not mapped: a disk that fails gives an error then, and a file that is being cut short does not kill us.
    file.seek(len(header))
    _check_pieces(file, shape, dtype, checksums)
    return np.memmap(file, dtype, "r", len(header), shape)


def _check_pieces(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype, checksums: Sequence[bytes]) -> None:
    """Read on from the first piece to behind the last of these checksums."""
    piece = bytearray(int(np.prod(shape[1:], dtype=np.int64)) * dtype.itemsize)
    for number, checksum in enumerate(checksums):
        if file.readinto(piece) != len(piece) or xxhash.xxh3_64_digest(piece) != checksum:  # type: ignore[attr-defined]
            raise Damage(f"part {number} of {shape[0]} has changed since it was written")


def _facts_checksum(facts: Any, what: str) -> str:
    return xxhash.xxh3_128_hexdigest(f"{what}\n{json.dumps(facts, sort_keys=True)}".encode())


def _believed(data: bytes, what: str) -> Any:
    try:
        kept = json.loads(data)
        facts, checksum = kept["facts"], kept["xxh3"]
        good = checksum == _facts_checksum(facts, what)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise Damage("it is not what was written there") from error
    if not good:
        raise Damage("its checksum does not fit")
    return facts
