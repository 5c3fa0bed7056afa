"""Footage: a film, or its masks, after the one pass: checked and laid on the disk in 8 bits, never decoded again.

film ─► Footage.read: each frame is decoded, checked, hashed where the film has no name yet, written as uint8
Footage.fingerprint ─► names the file and all that is made of it: cuts, flow, runs
find_cuts(footage) ─► reads the file once, the result is kept beside it
Motion(footage) ─► reads the file once, the flow of each pair is kept
runs, meter, tracker ─► read the file in any order
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from escalier.arguments import checked, on_behalf
from escalier.progress import Progress
from escalier.refusals import Refusal
from escalier.scratch import ArrayFile, KeptArray, array_bytes, check_room, open_scratch, put_in_place, remove_quietly

from .film import Film, FilmBase
from .film_part import FilmPart
from .fingerprint import FilmDigest, Fingerprinted, film_fingerprint, is_named, masks_fingerprint
from .frames import ArrayFrames, frame_numbers
from .masks import Masks
from .pictures import Size, as_uint8
from .video import VideoFrames


@checked
class Footage(FilmBase, Fingerprinted):
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
    >>> from escalier.film import Size, find_cuts, make_clip
    >>> footage = Footage(make_clip(Size(64, 36), length=3), tempfile.mkdtemp())
    >>> footage.read()
    >>> footage.missing_bytes(), footage.frame(2).shape, find_cuts(footage)
    (0, (36, 64, 3), ())
    """

    def __init__(self, film: Film, folder: str | Path) -> None:
        super().__init__(film.size, film.rate, len(film))
        self.film, self.folder = film, Path(folder)
        self._lock = threading.Lock()
        self._read: Film | None = None
        self._fingerprint = ""

    @classmethod
    def of(cls, film: Film, folder: str | Path) -> Footage:
        """A film as footage: itself where it is that already, wherever it lies."""
        return film if isinstance(film, Footage) else cls(film, folder)

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers that people give to its frames, see `frame_numbers`."""
        return frame_numbers(self.film)

    @property
    def is_named(self) -> bool:
        """Whether its fingerprint is known, or costs less than a look at all frames."""
        return bool(self._fingerprint) or is_named(self.film)

    @property
    def fingerprint(self) -> str:
        """The film's, see `film_fingerprint`; taken when it is first asked for.

        A film that cannot say what it is is read for that, if it has not been.
        """
        if not self.is_named:
            self.read()
        self._fingerprint = self._fingerprint or film_fingerprint(self.film)
        return self._fingerprint

    @property
    def kept(self) -> KeptArray:
        """Its frames on the disk, once it is read: uint8 (N, H, W, 3). One in memory has none."""
        name = self.fingerprint
        return KeptArray(self.folder / f"film_{name[:16]}.npy", self._shape, f"film {name}")

    def missing_bytes(self) -> int:
        """What `read` would write, in bytes: 0 for a film in memory, and for one that lies there already."""
        whole = 0 if self._read is not None else footage_bytes(self.film)
        return self.kept.missing_bytes() if whole and self.is_named else whole

    @on_behalf
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
            If the folder cannot be written into, or has not enough room.
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
                return
            check_room(self.folder, self.missing_bytes(), "the film")
            open_scratch(self.folder)
            if self.is_named:
                frames = self.kept.opened(lambda: self._write(self.kept.path, tell), lambda: tell(0))
            else:
                frames = self._named_on_the_way(tell)
            self._read = ArrayFrames(frames, self.rate)
            if isinstance(self.film, (VideoFrames, FilmPart)):
                self.film.close()  # which keeps decoded frames at hand

    def _frame(self, index: int) -> np.ndarray:
        if self._read is not None:
            return as_uint8(self._read.frame(index))
        return self._checked(self.film.frame(index), index)

    def _checked(self, frame: np.ndarray, index: int) -> np.ndarray:
        check_frame(frame, index, self.size)
        return as_uint8(frame)

    def _write(self, path: Path, tell: Callable[[int], None], digest: FilmDigest | None = None) -> None:
        """Read the film into a file, whole or not at all. Where it has no name yet, a digest finds one on the way."""
        with ArrayFile(path, self._shape, np.uint8) as file:
            for index in range(len(self)):
                frame = self.film.frame(index)
                file.append(self._checked(frame, index))
                if digest is not None:
                    digest.add(frame)
                tell(index + 1)
            if digest is not None:
                self._fingerprint = digest.fingerprint()
            file.what = self.kept.what

    def _named_on_the_way(self, tell: Callable[[int], None]) -> np.ndarray:
        """The frames of a film of which only all together tell what it is: the file is named after them in the end."""
        nameless = self.folder / f"film_{secrets.token_hex(8)}.npy"
        try:
            self._write(nameless, tell, FilmDigest(self.film))
            return self.kept.opened(lambda: put_in_place(nameless, self.kept.path), lambda: tell(0))
        finally:
            remove_quietly(nameless)

    @property
    def _shape(self) -> tuple[int, ...]:
        return (len(self), self.size.height, self.size.width, 3)


@checked
class MaskFootage:
    """The masks of a film, checked and laid on the disk in the same way: uint8 (1 or N, H, W).

    Parameters
    ----------
    masks
        They fit the film, see `Masks.fitting`.
    size
        The film's.
    folder
        As for `Footage`.

    >>> import tempfile
    >>> masks = MaskFootage(Masks([np.ones((4, 6), np.float32)]), Size(6, 4), tempfile.mkdtemp())
    >>> int(masks.read().max())
    255
    """

    def __init__(self, masks: Masks, size: Size, folder: str | Path) -> None:
        self.fingerprint = masks_fingerprint(masks)
        path, shape = Path(folder) / f"masks_{self.fingerprint[:16]}.npy", (len(masks), size.height, size.width)
        self.kept = KeptArray(path, shape, f"masks {self.fingerprint}")
        self._masks, self._size = masks, size

    @on_behalf
    def read(self, waiting: Callable[[], object] = lambda: None) -> np.ndarray:
        """All of them, from the disk. `waiting` is called after each that is read; what it raises passes through.

        Raises
        ------
        ValueError
            If one has another size, or no mask marks anything.
        """
        return self.kept.opened(lambda: self._write(waiting), waiting)

    def _write(self, waiting: Callable[[], object]) -> None:
        marked = False
        with ArrayFile(*self.kept[:2], np.uint8, self.kept.what) as file:
            for index, mask in enumerate(map(as_uint8, self._masks)):
                if mask.shape != self.kept.shape[1:]:
                    rule, got = f"be a single channel of {self._size}", f"an array of shape {mask.shape}"
                    raise Refusal(f"mask at frame {index}", rule, got, "scale it to the film first")
                marked |= bool(mask.any())
                file.append(mask)
                waiting()
            if not marked:
                raise self._masks.nothing_marked()


@checked
def footage_bytes(film: Film) -> int:
    """What `Footage.read` writes of a film, in bytes; 0 for one that lies in memory.

    >>> footage_bytes(ArrayFrames(np.zeros((2, 4, 6, 3), np.uint8)))
    0
    """
    film = film.film if isinstance(film, Footage) else film
    return 0 if isinstance(film, ArrayFrames) else array_bytes((len(film), *film.size[::-1], 3), np.uint8)


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
