"""Name paintings whose structure belongs to another frame than their own: swapped, shifted or turned ones."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, as_uint8
from escalier.progress import Progress

from .keyframes import Keyframes
from .listing import KeyframeListing

SIDE_PX = 160  # of the small pictures that are compared
CLOSER = 0.2  # how far beyond the middle between two frames a painting must lie, on a scale from -0.5 to 0.5
LEAST_FIT = 0.2  # correlation that a painting must have with a frame to say anything; unrelated ones reach 0.17
LEAST_GAIN = 0.03  # of correlation; between frames that are more alike than that, a wrong place harms little
DISTANCES = (1, 4, 16)  # of the neighbours that are tried, in frames
BORDER_PX = 12  # over which edges are measured against their surroundings

TURNS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mirrored left to right": lambda picture: picture[:, ::-1],
    "mirrored top to bottom": lambda picture: picture[::-1],
    "turned upside down": lambda picture: picture[::-1, ::-1],
}


class Misplaced(NamedTuple):
    """A painting at `frame` that fits `fits` better, or its own frame better when it is `turned`."""

    frame: int
    fits: int
    turned: str | None
    own_fit: float
    better_fit: float

    def __str__(self) -> str:
        return self.said()

    def said(self, first: int = 0) -> str:
        """In words, with frames counted from `first`."""
        what = f"its own frame {self.turned}" if self.turned else f"frame {self.fits + first}"
        return f"the painting seems to belong to {what} (fit {self.better_fit:.2f}, here {self.own_fit:.2f})"


@checked
def find_misplaced(keyframes: Keyframes, film: Film, *, progress: Progress | None = None) -> list[Misplaced]:
    """Find paintings that fit another frame clearly better than the one they stand at.

    What survives a change of look is where edges run and which way: pictures are compared by their orientation tensors,
    edges of either sign alike and measured against their surroundings, at 160 pixels. The painting P of a frame k, with
    tensors T, lies between T(k) and T(j) of another frame at q = <P - a (T(k) + T(j)) / 2, T(j) - T(k)> / (a |T(j) -
    T(k)|^2), which is -0.5 for a painting of k and 0.5 for one of j, however alike the two frames are. The frames of
    all keyframes, neighbours 1, 4 and 16 frames away, and its own frame mirrored and turned are tried. A painting that
    has too little in common with any frame to tell is passed.

    Parameters
    ----------
    keyframes
        Paintings, of any size of the film's shape.
    film
        The film that they stand in. Up to seven frames are read for each keyframe.
    progress
        Called as `progress(done, total)` after each frame.

    Returns
    -------
    list of Misplaced
        In the order of the film; empty where all is well.

    >>> from escalier.film import Size, make_clip
    >>> film = make_clip(Size(320, 180), length=41, rate=24)
    >>> pictures = [255 - film.frame(index) for index in (40, 0)]
    >>> [(one.frame, one.fits) for one in find_misplaced(Keyframes([0, 40], pictures, 41), film)]
    [(0, 40), (40, 0)]
    """
    near = {index: _neighbours(index, keyframes, len(film)) for index in keyframes.indices}
    wanted = sorted({*keyframes.indices, *(other for others in near.values() for other in others)})
    frames: dict[int, np.ndarray] = {}
    turned: dict[int, dict[str, np.ndarray]] = {}
    for done, index in enumerate(wanted, start=1):
        small = _small(film.frame(index))
        frames[index] = _orientations(small)
        if index in near:
            turned[index] = {name: _orientations(np.ascontiguousarray(turn(small))) for name, turn in TURNS.items()}
        if progress is not None:
            progress(done, len(wanted))
    found = []
    for index, picture in keyframes:
        painting = _orientations(_small(picture))
        own = frames[index]
        others: list[tuple[int, str | None, np.ndarray]] = [
            (other, None, frames[other]) for other in {*near[index], *keyframes.indices} - {index}
        ]
        others += [(index, name, tensors) for name, tensors in turned[index].items()]
        fits = [
            (_fit(painting, tensors), other, name)
            for other, name, tensors in others
            if _is_closer(painting, own, tensors)
        ]
        if fits:
            better, other, name = max(fits, key=lambda one: one[0])
            found.append(Misplaced(index, other, name, _fit(painting, own), better))
    return found


@checked
def remark_misplaced(
    listing: KeyframeListing, keyframes: Keyframes, film: Film, *, progress: Progress | None = None
) -> KeyframeListing:
    """A listing of keyframes that says, besides, which of them `find_misplaced` finds at a wrong frame.

    >>> import tempfile
    >>> from escalier.film import Size, make_clip
    >>> from escalier.keyframes import list_keyframes, write_keyframes
    >>> film = make_clip(Size(320, 180), length=41, rate=24)
    >>> folder = tempfile.mkdtemp()
    >>> _ = write_keyframes(folder, Keyframes([0], [film.frame(16)], 41))
    >>> listing = list_keyframes(folder, film)
    >>> remark_misplaced(listing, listing.read(), film).doubts
    ('keyframe_000000.png: the painting seems to belong to frame 16 (fit 1.00, here 0.61)',)
    """
    found = find_misplaced(keyframes, film, progress=progress)
    return listing.with_doubts({one.frame: one.said(listing.first) for one in found})


def _neighbours(index: int, keyframes: Keyframes, length: int) -> list[int]:
    """Frames around a keyframe that are nearer than the next keyframe, whose own is tried as well."""
    others = [abs(other - index) for other in keyframes.indices if other != index]
    reach = min(others, default=length)
    steps = [sign * step for step in DISTANCES for sign in (-1, 1) if step < max(reach, 2)]
    return [index + step for step in steps if 0 <= index + step < length]


def _small(picture: np.ndarray) -> np.ndarray:
    """A picture at 160 pixels in Lab, float32."""
    height, width = picture.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    return cv2.cvtColor(cv2.resize(as_uint8(picture), size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2LAB).astype(
        np.float32
    )


def _orientations(lab: np.ndarray) -> np.ndarray:
    """Where edges run: (H, W, 2) float32, the doubled angle of the gradient, as long as the edge stands out."""
    soft = cv2.GaussianBlur(lab, (0, 0), 1.0)
    tensors = np.zeros((*lab.shape[:2], 2), np.float32)
    for channel, share in enumerate((1.0, 0.5, 0.5)):
        plane = np.ascontiguousarray(soft[..., channel])
        across, down = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
        tensors += share * np.stack([across * across - down * down, 2 * across * down], -1)
    tensors = cv2.GaussianBlur(tensors, (0, 0), 1.5)
    length = np.linalg.norm(tensors, axis=-1)
    around = cv2.GaussianBlur(length, (0, 0), BORDER_PX)
    return tensors / np.sqrt(length * (length + around + around.mean()) + 1e-6)[..., None]


def _fit(painting: np.ndarray, frame: np.ndarray) -> float:
    """The correlation of two fields of tensors, 1 where they are alike, 0 where they have nothing in common."""
    both = float((painting * painting).sum()) * float((frame * frame).sum())
    return float((painting * frame).sum()) / max(np.sqrt(both), 1e-9)


def _is_closer(painting: np.ndarray, own: np.ndarray, other: np.ndarray) -> bool:
    """Whether a painting is clearly one of the other frame."""
    fit = _fit(painting, other)
    if fit < max(LEAST_FIT, _fit(painting, own) + LEAST_GAIN):
        return False
    step, middle = other - own, (other + own) / 2
    likeness = float((painting * middle).sum()) / max(float((middle * middle).sum()), 1e-9)
    if likeness <= 0:
        return False
    return float(((painting - likeness * middle) * step).sum()) > CLOSER * likeness * float((step * step).sum())
