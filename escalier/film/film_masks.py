"""Masks that lie in files: a film of black and white pictures, read one at a time."""

from pathlib import Path

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.log import log
from escalier.refusals import Refusal

from .film import Film
from .frames import FolderFrames, frame_numbers
from .masks import Masks
from .picture_reading import read_stored, to_8_bits
from .pictures import Size
from .video import open_film

GREY_TOLERANCE = 24
"""Levels by which the channels of a mask may differ: video codecs tint black and white a little."""

SAMPLED_FRAMES = 8
LOSSY_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jpx")


class FilmMasks(Masks):
    """A film of masks as masks[i], uint8 (H, W): 255 where the subject is.

    In picture files a mask may also lie in the alpha channel, and profiles and curves are left out, since its levels
    are no colours. What level is white is told by all masks together: programs write 0 and 1, or 0 and 255 into 16
    bits.

    Parameters
    ----------
    film
        Black and white pictures, one for each frame of the clip, or one for all.

    Raises
    ------
    ValueError
        When a picture is in colour: it is then no mask, but perhaps a segmentation map; when both its colours and its
        alpha could be the mask; when nothing tells a faint mask from noise.

    >>> from escalier.film import ArrayFrames
    >>> masks = FilmMasks(ArrayFrames(np.full((2, 4, 6, 3), 255, np.uint8)))
    >>> len(masks), masks[1].shape
    (2, (4, 6))
    """

    def __init__(self, film: Film) -> None:
        self._film = film
        self._whites: dict[np.dtype, int] = {}
        self._told_of_alpha = False

    def fingerprint_parts(self) -> tuple[Film, ...]:
        """What the masks depend on, for `masks_fingerprint`."""
        return (self._film,)

    def __len__(self) -> int:
        return len(self._film)

    @property
    def size(self) -> Size:
        return self._film.size

    def _mask(self, index: int) -> np.ndarray:
        mask = self._levels(index)
        if mask.dtype == np.float32:
            return to_8_bits(mask, f"mask at frame {index}")
        if mask.dtype not in self._whites:
            self._whites[mask.dtype] = self._white(mask.dtype)
        white = self._whites[mask.dtype]
        if white == 1:
            return np.where(mask > 0, np.uint8(255), np.uint8(0))
        return to_8_bits(mask, f"mask at frame {index}") if white > 255 else mask.astype(np.uint8)

    def _only_ones(self) -> bool:
        return False  # what is white is told by all the film, see `_white`

    def _levels(self, index: int) -> np.ndarray:
        """The mask of a frame as it is stored, one channel."""
        if not isinstance(self._film, FolderFrames):
            return _grey(self._film.frame(index), index)
        file = self._film.files[index]
        _, colour, alpha = read_stored(file)
        if alpha is None or alpha.min() == _full(alpha.dtype):
            return _grey(colour, index)
        if not self._told_of_alpha:
            self._told_of_alpha = True
            log.warning("%s: transparent pixels are taken as outside the mask", file.name)
        return _by_alpha(colour, alpha, file.name)

    def _white(self, dtype: np.dtype) -> int:
        """The level of white: that of the type, unless no mask of the whole film comes near it."""
        count = len(self._film)
        sampled = sorted({round(i) for i in np.linspace(0, count - 1, min(count, SAMPLED_FRAMES))})
        brightest, solid = 0, True
        for index in [*sampled, *(index for index in range(count) if index not in sampled)]:
            mask = self._levels(index)
            if mask.dtype != dtype:
                continue
            brightest = max(brightest, int(mask.max()))
            if brightest > (255 if dtype == np.uint16 else 1):
                return int(_full(dtype))
            solid = solid and _is_solid(mask)
        files = self._film.files if isinstance(self._film, FolderFrames) else ()
        lossless = bool(files) and not any(file.suffix.lower() in LOSSY_SUFFIXES for file in files)
        if brightest == 1 and not (solid or lossless):
            got = "0 and scattered 1 in a lossy film, which may be noise"
            raise Refusal("masks", "hold white", got, "export them with 0 and 255, as PNG", who="FilmMasks")
        if brightest == 0:
            return int(_full(dtype))
        white = 1 if brightest == 1 else 255
        log.warning("The masks hold levels of 0 to %d of %d; %d is taken as white", brightest, _full(dtype), white)
        return white


def _full(dtype: np.dtype) -> float:
    return 1.0 if dtype == np.float32 else np.iinfo(dtype).max


def _grey(picture: np.ndarray, index: int) -> np.ndarray:
    """One channel of a picture whose channels are nearly the same."""
    if picture.ndim == 2:
        return picture
    spread = picture.max(axis=2).astype(np.float32) - picture.min(axis=2)
    if spread.max() > GREY_TOLERANCE / 255 * _full(picture.dtype):
        raise Refusal(
            f"mask at frame {index}",
            "be black and white",
            "a picture in colour",
            "export the mask itself, not the picture it was made from",
            who="FilmMasks",
        )
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def _by_alpha(colour: np.ndarray, alpha: np.ndarray, name: str) -> np.ndarray:
    """The alpha channel as the mask, unless what it shows is a mask itself, another one."""
    shown = alpha > 0
    spread = np.ptp(colour[shown], axis=-1).max(initial=0) if colour.ndim == 3 else 0
    in_colour = float(spread) > GREY_TOLERANCE / 255 * _full(colour.dtype)
    grey = colour if colour.ndim == 2 else colour[..., 1]
    plain = not shown.any() or np.ptp(grey[shown]) == 0
    if not (in_colour or plain or np.array_equal(grey, alpha)):
        rule = "hold its mask either as black and white or as transparency"
        raise Refusal(name, rule, "both", "flatten it, or fill its colours with white", who="FilmMasks")
    return alpha


def _is_solid(mask: np.ndarray) -> bool:
    """Whether most of what is marked lies in areas: noise does not."""
    marked = (mask > 0).astype(np.uint8)
    return 2 * int(cv2.erode(marked, np.ones((3, 3), np.uint8)).sum()) >= int(marked.sum())


@checked
def open_masks(path: str | Path, film: Film, first: int | None = None) -> FilmMasks:
    """The masks of a film from a video, a folder or one picture that stands for all.

    Masks lie over frames in their order, whatever their numbers: numbers that contradict it are refused, and what may
    be doubtful is said in the log.

    Parameters
    ----------
    path
        Black and white, the subject in white.
    film
        The film that they belong to.
    first
        The number that people give to the film's first frame, see `frame_numbers`.

    Raises
    ------
    ValueError
        Where their number, size or content does not fit the film, or all are black.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames, write_film
    >>> folder = tempfile.mkdtemp() + "/masks"
    >>> white = ArrayFrames(np.full((3, 8, 8, 3), 255, np.uint8))
    >>> _ = write_film(folder + "/#.png", white, rate=24)
    >>> len(open_masks(folder, white))
    3
    """
    shown = open_film(path, film.rate if Path(path).is_dir() else None)
    masks = FilmMasks(shown)
    masks.fitting(masks, film).check_marked()
    if len(masks) > 1:
        _check_in_step(Path(path), shown, film, frame_numbers(film, first)[0])
    return masks


def _check_in_step(path: Path, masks: Film, film: Film, first: int) -> None:
    """Masks lie over frames in their order; refuse numbers that contradict it, and say what may be doubtful."""
    if isinstance(masks, FolderFrames):
        own = masks.numbers[0]
        if own not in (first, 0, 1) and abs(own - first) < len(film):
            rule = f"be numbered from {first} like the film, or from 0 or 1"
            counted = f"say --first {own} if the film's frames are counted from there too"
            raise Refusal(f"{path}", rule, own, f"number the masks like the frames, or {counted}")
        if own != first:
            text = "%s: the masks are numbered from %d and the film from %d; %s is taken for its first frame"
            log.warning(text, path, own, first, masks.files[0].name)
    elif masks.rate != film.rate:
        text = "%s: %g frames a second where the clip has %g; the masks are taken frame for frame"
        log.warning(text, path, float(masks.rate), float(film.rate))
