"""A film and its masks unpacked to disk, so that many threads may read them in any order."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from escalier.film import (
    ArrayFrames,
    Film,
    Masks,
    MaskSource,
    Size,
    as_uint8,
    film_fingerprint,
    masks_fingerprint,
)
from escalier.refusals import Refusal
from escalier.scratch import ArrayFile, open_array, open_or_make, touch


class EightBitFilm:
    """A film whose frames are handed over as uint8. As many threads may read it as may read the film it wraps."""

    def __init__(self, film: Film) -> None:
        self._film = film

    @property
    def size(self) -> Size:
        return self._film.size

    @property
    def rate(self) -> Fraction:
        return self._film.rate

    def __len__(self) -> int:
        return len(self._film)

    def fingerprint_parts(self) -> tuple[Film, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return (self._film,)

    def frame(self, index: int) -> np.ndarray:
        return as_uint8(self._film.frame(index))


class CheckedFilm(EightBitFilm):
    """A film whose frames are checked, see `check_frame`, before they are handed over as uint8."""

    def __init__(self, film: Film) -> None:
        super().__init__(film)

    def frame(self, index: int) -> np.ndarray:
        frame = self._film.frame(index)
        check_frame(frame, index, self.size)
        return as_uint8(frame)


def unpack_film(
    film: Film,
    folder: Path,
    each_frame: Callable[[int], object] = lambda index: None,
    *,
    fingerprint: str | None = None,
    waiting: Callable[[], object] = lambda: None,
) -> EightBitFilm:
    """The film in a form that threads can read backwards: a video decoder can be read by one, and only forwards.

    A film that lies in memory already is used where it is; any other is written to `folder` once, as 8-bit frames. On
    the way every frame is checked.

    Parameters
    ----------
    film
        Any film.
    folder
        Where the frames go; a film unpacked there before is used again, once it is verified.
    each_frame
        Called with the index of each frame as it is done. What it raises passes through and leaves no file.
    fingerprint
        The film's, where it is known.
    waiting
        Called while another job unpacks the same film. What it raises passes through.

    Raises
    ------
    ValueError
        For a frame that is not RGB, has another size than the film, or holds NaN.

    >>> import tempfile
    >>> film = ArrayFrames(np.full((3, 4, 6, 3), 0.5, np.float32))
    >>> unpack_film(film, Path(tempfile.mkdtemp())).frame(2)[0, 0].tolist()
    [128, 128, 128]
    """
    if isinstance(film, ArrayFrames):
        for index in range(len(film)):
            check_frame(film.frame(index), index, film.size)
            each_frame(index)
        return EightBitFilm(film)
    fingerprint = fingerprint or film_fingerprint(film)
    path, shape = film_path(folder, fingerprint), (len(film), film.size.height, film.size.width, 3)
    what = f"film {fingerprint}"

    def make() -> None:
        with ArrayFile(path, shape, np.uint8, what) as file:
            for index in range(len(film)):
                frame = film.frame(index)
                check_frame(frame, index, film.size)
                file.append(as_uint8(frame))
                each_frame(index)

    frames = open_or_make(path, lambda: open_array(path, shape, np.uint8, what), make, waiting)
    touch(path)
    return EightBitFilm(ArrayFrames(frames, film.rate))


def unpack_masks(
    masks: MaskSource,
    film: Film,
    folder: Path,
    *,
    fingerprint: str | None = None,
    waiting: Callable[[], object] = lambda: None,
) -> np.ndarray:
    """Masks in a form that threads can read: uint8 (1 or N, H, W), from `folder`, where they are kept once checked.

    Raises
    ------
    ValueError
        If their number or size does not fit the film, or no mask marks anything.

    >>> import tempfile
    >>> film = ArrayFrames(np.zeros((2, 4, 6, 3), np.uint8))
    >>> int(unpack_masks([np.ones((4, 6), np.float32)], film, Path(tempfile.mkdtemp())).max())
    255
    """
    masks = Masks.fitting(masks, film)
    width, height = film.size
    fingerprint = fingerprint or masks_fingerprint(masks)
    path, shape, what = masks_path(folder, fingerprint), (len(masks), height, width), f"masks {fingerprint}"

    def make() -> None:
        marked = False
        with ArrayFile(path, shape, np.uint8, what) as file:
            for index in range(len(masks)):
                mask = as_uint8(masks[index])
                if mask.shape != (height, width):
                    raise Refusal(
                        f"mask at frame {index}",
                        f"be a single channel of {film.size}",
                        f"an array of shape {mask.shape}",
                        "scale it to the film first",
                    )
                marked |= bool(mask.any())
                file.append(mask)
                waiting()
            if not marked:
                raise masks.nothing_marked()

    kept = open_or_make(path, lambda: open_array(path, shape, np.uint8, what), make, waiting)
    touch(path)
    return kept


def film_path(folder: Path, fingerprint: str) -> Path:
    """Where a film of this fingerprint lies unpacked."""
    return folder / f"film_{fingerprint[:16]}.npy"


def masks_path(folder: Path, fingerprint: str) -> Path:
    """Where masks of this fingerprint lie unpacked."""
    return folder / f"masks_{fingerprint[:16]}.npy"


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
