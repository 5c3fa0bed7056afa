"""Footage: a film after its one pass, checked and laid on the disk in 8 bits, so that nothing is decoded twice."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xxhash

from escalier.progress import Progress
from escalier.refusals import Refusal
from escalier.scratch import (
    ArrayFile,
    array_bytes,
    open_array,
    open_or_make,
    put_in_place,
    read_facts,
    remove_quietly,
    touch,
    write_facts,
)

from .cuts import find_cuts
from .film import Film, FilmBase
from .fingerprint import FilmDigest, SaysWhatItIs, film_fingerprint
from .frames import ArrayFrames
from .motion import Motion
from .pictures import Size, as_uint8
from .video import VideoFrames

CUTS_FORMAT = 2
"""Raised when cuts come to be found in other places."""


class Footage(FilmBase):
    """A film that is read once, and whose frames can then be had in any order, by any number of threads, as uint8.

    A decoder can be read by one, and mostly forwards. So `read` takes the film frame by frame, checks each and writes
    it to a scratch folder; from then on frames come from there. A film that lies in memory is only checked, and used
    where it is. Before `read` a frame comes from the film itself, checked: whoever needs a few does not wait for all.

    Parameters
    ----------
    film
        Any film.
    folder
        Scratch. A film that was read into it by an earlier job, or by one at the same time, is not read again, once it
        is verified. It need not exist before `read`.

    Raises
    ------
    ValueError
        From `read` and `frame`, for a frame that is not RGB, has another size than the film, or holds NaN.

    >>> import tempfile
    >>> from escalier.film import Size, make_clip
    >>> footage = Footage(make_clip(Size(64, 36), length=3), tempfile.mkdtemp())
    >>> footage.read()
    >>> footage.missing_bytes(), footage.frame(2).shape, footage.cuts()
    (0, (36, 64, 3), ())
    """

    def __init__(self, film: Film, folder: str | Path) -> None:
        super().__init__(film.size, film.rate, len(film))
        self.film = film
        self.folder = Path(folder)
        self._lock = threading.Lock()
        self._read: Film | None = None
        self._fingerprint: str | None = None

    @classmethod
    def of(cls, film: Film, folder: str | Path) -> Footage:
        """A film as footage: itself where it is that already, wherever it lies."""
        return film if isinstance(film, Footage) else cls(film, folder)

    @property
    def is_read(self) -> bool:
        """Whether the pass is done, and frames cost next to nothing."""
        return self._read is not None

    @property
    def fingerprint(self) -> str:
        """The film's, see `film_fingerprint`; taken when it is first asked for.

        A film that cannot say what it is has every frame made for that: `read` it first, which tells as well.
        """
        if self._fingerprint is None:
            self._fingerprint = film_fingerprint(self.film)
        return self._fingerprint

    @property
    def path(self) -> Path:
        """Where the frames lie, or will lie: uint8 (N, H, W, 3)."""
        return self.folder / f"film_{self.fingerprint[:16]}.npy"

    def read(self, progress: Progress | None = None) -> None:
        """The one pass over the film; does nothing where that has been done.

        Parameters
        ----------
        progress
            Called as `progress(done, total)` after each frame, and while another job reads the same film. What it
            raises passes through and leaves no file.

        Raises
        ------
        ValueError
            See above.
        OSError
            If the folder cannot be written into, or the disk is full.
        """
        with self._lock:
            if self._read is not None:
                return

            def tell(done: int) -> None:
                if progress is not None:
                    progress(done, len(self))

            if isinstance(self.film, ArrayFrames):
                for index in range(len(self)):
                    self._checked(self.film.frame(index), index)
                    tell(index + 1)
                self._read = self.film
            elif self._fingerprint is None and not isinstance(self.film, SaysWhatItIs):
                self._read = self._kept_before_it_has_a_name(tell)
            else:
                self._read = self._kept(lambda: self._write(self.path, tell), tell)
            if isinstance(self.film, VideoFrames):
                self.film.close()  # which keeps decoded frames at hand

    def missing_bytes(self) -> int:
        """What `read` would write, in bytes: 0 for a film in memory, and for one that lies there already."""
        whole = 0 if self._read is not None else footage_bytes(self.film)
        if not whole:
            return 0
        try:
            # A damaged one is removed before it is made anew.
            return 0 if self.path.lstat().st_size == whole else whole
        except OSError:
            return whole

    def known_cuts(self, motion: Motion | None = None) -> tuple[int, ...] | None:
        """The cuts that lie in the folder, verified; None where they have yet to be found."""
        cuts = read_facts(*self._cuts_place(motion))
        return None if cuts is None else tuple(cuts)

    def cuts(self, motion: Motion | None = None, progress: Progress | None = None) -> tuple[int, ...]:
        """The first frame of every shot but the first, see `find_cuts`: looked for once, and kept beside the frames."""
        cuts = self.known_cuts(motion)
        if cuts is None:
            cuts = find_cuts(self, motion, progress=progress)
            path, what = self._cuts_place(motion)
            write_facts(path, list(cuts), what)
        return cuts

    def _frame(self, index: int) -> np.ndarray:
        if self._read is not None:
            return as_uint8(self._read.frame(index))
        return self._checked(self.film.frame(index), index)

    def _checked(self, frame: np.ndarray, index: int) -> np.ndarray:
        check_frame(frame, index, self.size)
        return as_uint8(frame)

    def _write(self, path: Path, tell: Callable[[int], None], seen: FilmDigest | None = None) -> None:
        """Read the film into a file, whole or not at all. Where it has no name yet, `seen` finds one on the way."""
        with ArrayFile(path, self._shape, np.uint8, "" if seen else self._what) as file:
            for index in range(len(self)):
                frame = self.film.frame(index)
                file.append(self._checked(frame, index))
                if seen is not None:
                    seen.add(frame)
                tell(index + 1)
            if seen is not None:
                self._fingerprint = seen.fingerprint()
                file.what = self._what

    def _kept(self, make: Callable[[], object], tell: Callable[[int], None]) -> Film:
        """The frames in the folder, made first where they are missing or damaged, and by one job at a time."""
        frames = open_or_make(self.path, self._opened, make, lambda: tell(0))
        touch(self.path)
        return ArrayFrames(frames, self.rate)

    def _kept_before_it_has_a_name(self, tell: Callable[[int], None]) -> Film:
        """The same for a film of which only all its frames tell what it is: it is named after them in the end."""
        nameless = self.folder / f"film_{secrets.token_hex(8)}.npy"
        try:
            self._write(nameless, tell, FilmDigest(self.film))
            return self._kept(lambda: put_in_place(nameless, self.path), tell)
        finally:
            remove_quietly(nameless)

    def _opened(self) -> np.ndarray | None:
        return open_array(self.path, self._shape, np.uint8, self._what)

    @property
    def _shape(self) -> tuple[int, int, int, int]:
        return (len(self), self.size.height, self.size.width, 3)

    @property
    def _what(self) -> str:
        return f"film {self.fingerprint}"

    def _cuts_place(self, motion: Motion | None) -> tuple[Path, str]:
        followed = "" if motion is None else f" {motion.fingerprint} {motion.preset}"
        what = f"cuts {CUTS_FORMAT} {self.fingerprint}{followed}"
        return self.folder / f"cuts_{xxhash.xxh3_64_hexdigest(what.encode())}.json", what


def footage_bytes(film: Film) -> int:
    """What `Footage.read` writes of a film, in bytes; 0 for one that lies in memory.

    >>> footage_bytes(ArrayFrames(np.zeros((2, 4, 6, 3), np.uint8)))
    0
    """
    film = film.film if isinstance(film, Footage) else film
    if isinstance(film, ArrayFrames):
        return 0
    return array_bytes((len(film), film.size.height, film.size.width, 3), np.uint8)


def check_frame(frame: np.ndarray, index: int, size: Size) -> None:
    """Refuse a frame that is not a finite RGB picture of the film's size."""
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise Refusal(
            f"frame {index}", "be RGB", f"an array of shape {frame.shape}", "convert grey or RGBA pictures to RGB first"
        )
    if Size.of(frame) != size:
        raise Refusal(f"frame {index}", f"be {size} like the film", Size.of(frame), "export the film at one size")
    if frame.dtype != np.uint8 and not np.isfinite(frame).all():
        raise Refusal(f"frame {index}", "hold finite numbers", "NaN or infinity", "check the node that made it")
