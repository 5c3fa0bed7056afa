"""Where one shot ends and the next begins: hard cuts, found without trained weights."""

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np
import xxhash

from escalier.arguments import checked
from escalier.progress import Progress
from escalier.refusals import Refusal
from escalier.scratch import read_facts, write_facts

from .film import Film
from .footage import Footage
from .motion import Motion, sampling_positions
from .pictures import Size, as_uint8

CUTS_FORMAT = 2
"""Raised when cuts come to be found in other places."""
THUMBNAIL_SIDE = 48
BLOCK = 6
NEWS, CLEAR_NEWS = 8.0, 16.0
"""Delta E that two frames are apart, over the best places, to be a cut: beside calmer neighbours, and in any case.
Measured: 5 within the footage of the README, 6.5 on a pan by half the picture a frame, 17 to 32 between two films."""
CALMER = 2.5
NEIGHBOURS = 5
FOLLOWED, FOLLOWED_DELTA_E = 0.5, 15.0
FLASH_FRAMES = 3


@runtime_checkable
class PairMotion(Protocol):
    """How a film moves from a frame to its neighbour, as `escalier.film.motion.Motion` knows it."""

    def flow(self, i: int, j: int) -> np.ndarray: ...

    def visible(self, i: int, j: int) -> np.ndarray: ...


@checked
def find_cuts(film: Film, motion: PairMotion | None = None, *, progress: Progress | None = None) -> tuple[int, ...]:
    """The first frame of every shot but the first.

    Two frames lie on different shots if little of the one is found anywhere in the other. Every block of a thumbnail is
    looked for over the whole of the other thumbnail, both ways, so that a fast pan or a subject that jumps across the
    picture is no cut: what they show has only moved. The news of a pair is the mean colour difference at the best
    places. It is a cut at 16 Delta E; from 8 on it is one if it is 2.5 times the median of the pairs around it; and
    with `motion` only if the flow fails as well, that is if less than half of the picture can be followed forwards and
    back and looks the same there. A flash, after which the picture comes back within 3 frames, is no cut. Dissolves and
    fades to black are not found: nothing in them is sudden.

    The film is read once, in order. Memory: 4 kB a frame.

    Parameters
    ----------
    film
        The filmed clip. The cuts of `Footage` are looked for once and kept beside its frames.
    motion
        How it moves; asked only about the few pairs in doubt.
    progress
        Called as `progress(done, total)` after each frame. What it raises passes through.

    Returns
    -------
    tuple of int
        Frame numbers, rising; empty for a film of one shot. A film in which every frame is another picture gives every
        frame but the first.

    >>> from escalier.film import ArrayFrames
    >>> rng = np.random.default_rng(0)
    >>> scenes = [cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (64, 48)) for _ in range(2)]
    >>> film = ArrayFrames(np.stack([scenes[0]] * 5 + [scenes[1]] * 4))
    >>> find_cuts(film)
    (5,)
    """
    if not isinstance(film, Footage):
        return _search(film, motion, progress)
    film.read(progress and (lambda *_: progress(0, len(film))))
    cuts = known_cuts(film, motion)
    if cuts is None:
        cuts = _search(film, motion, progress)
        if motion is None or isinstance(motion, Motion):
            path, what = _kept_at(film, motion)
            write_facts(path, list(cuts), what)
    return cuts


@checked
def known_cuts(footage: Footage, motion: PairMotion | None) -> tuple[int, ...] | None:
    """The cuts that lie beside the frames of a film, verified; None where they have yet to be found.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> footage = Footage(ArrayFrames(np.zeros((3, 48, 64, 3), np.uint8)), tempfile.mkdtemp())
    >>> known_cuts(footage, None), find_cuts(footage), known_cuts(footage, None)
    (None, (), ())
    """
    if not (motion is None or isinstance(motion, Motion)):
        return None
    cuts = read_facts(*_kept_at(footage, motion))
    return None if cuts is None else tuple(cuts)


def _kept_at(footage: Footage, motion: Motion | None) -> tuple[Path, str]:
    followed = "" if motion is None else f" {motion.fingerprint} {motion.preset}"
    what = f"cuts {CUTS_FORMAT} {footage.fingerprint}{followed}"
    return footage.folder / f"cuts_{xxhash.xxh3_64_hexdigest(what.encode())}.json", what


def _search(film: Film, motion: PairMotion | None, progress: Progress | None) -> tuple[int, ...]:
    length = len(film)
    thumbnails: list[np.ndarray] = []
    news = np.zeros(max(length - 1, 0))
    before: np.ndarray | None = None
    for index in range(length):
        frame = as_uint8(film.frame(index))
        thumbnails.append(_thumbnail(frame))
        if before is not None:
            pair = news_between(_lab(thumbnails[-2]), _lab(thumbnails[-1]))
            if pair >= NEWS and motion is not None and _is_followed(before, frame, motion, index - 1):
                pair = 0.0
            news[index - 1] = pair
        before = frame
        if progress is not None:
            progress(index + 1, length)
    return tuple(
        index + 1
        for index in range(length - 1)
        if _stands_out(news, index) and not _is_flash(thumbnails, float(news[index]), index)
    )


def news_between(one: np.ndarray, other: np.ndarray) -> float:
    """How far two thumbnails are from showing the same things, wherever they stand: mean Delta E of the worse way.

    Both are Lab, float32 (h, w, 3), of one size.
    """
    # The place where a block stands is one of those it is looked for in: no search can make a small difference larger.
    if float(np.linalg.norm(one - other, axis=-1).mean()) < NEWS / 2:
        return 0.0
    return max(_news(one, other), _news(other, one))


def shots(length: int, cuts: Sequence[int]) -> list[range]:
    """The frames of every shot.

    >>> shots(10, [4])
    [range(0, 4), range(4, 10)]
    """
    edges = [0, *cuts, length]
    return [range(first, last) for first, last in itertools.pairwise(edges)]


class ShotMotion:
    """A film's motion across whose cuts nothing is visible.

    Optical flow always finds something, and between two shots some of it agrees by chance.
    """

    def __init__(self, motion: PairMotion, cuts: Sequence[int]) -> None:
        self._motion = motion
        self._cuts = frozenset(cuts)

    def flow(self, i: int, j: int) -> np.ndarray:
        """Where each pixel of frame i lies in its neighbour j; still across a cut."""
        flow = self._motion.flow(i, j)
        return np.zeros_like(flow) if max(i, j) in self._cuts else flow

    def visible(self, i: int, j: int) -> np.ndarray:
        """Whether each pixel of frame i is seen in its neighbour j; nowhere across a cut."""
        visible = self._motion.visible(i, j)
        return np.zeros_like(visible) if max(i, j) in self._cuts else visible


def check_cuts(cuts: Sequence[int], length: int) -> None:
    """Refuse cuts out of order or outside the film.

    >>> check_cuts([12, 60], length=60)
    Traceback (most recent call last):
    escalier.refusals.Refusal: cuts must be frame numbers in 1..59, rising, got [12, 60]; name the first frame of ...
    """
    if list(cuts) != sorted(set(cuts)) or (cuts and not 0 < min(cuts) <= max(cuts) < length):
        rule = f"be frame numbers in 1..{length - 1}, rising"
        raise Refusal("cuts", rule, list(cuts), "name the first frame of every shot but the first")


def _thumbnail(frame: np.ndarray) -> np.ndarray:
    scale = min(1.0, THUMBNAIL_SIDE / max(frame.shape[:2]))
    small = Size(*(max(BLOCK, round(side * scale)) for side in Size.of(frame)))
    return cv2.resize(frame, small, interpolation=cv2.INTER_AREA)


def _lab(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _news(known: np.ndarray, new: np.ndarray) -> float:
    """Mean distance of the blocks of one thumbnail from their best places in another, in Delta E."""
    height, width = new.shape[:2]
    distances = []
    for y in range(0, height - BLOCK + 1, BLOCK):
        for x in range(0, width - BLOCK + 1, BLOCK):
            block = new[y : y + BLOCK, x : x + BLOCK]
            best = float(cv2.matchTemplate(known, block, cv2.TM_SQDIFF).min())
            distances.append(np.sqrt(max(best, 0.0) / BLOCK**2))
    return float(np.mean(distances))


def _is_followed(before: np.ndarray, after: np.ndarray, motion: PairMotion, index: int) -> bool:
    """Whether the flow carries most of a frame to its neighbour, forwards and back, onto the same colours."""
    flow, visible = motion.flow(index, index + 1), motion.visible(index, index + 1)
    carried = cv2.remap(after, *sampling_positions(flow), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    apart = np.linalg.norm(_lab(carried) - _lab(before), axis=-1)
    return float((visible & (apart < FOLLOWED_DELTA_E)).mean()) >= FOLLOWED


def _stands_out(news: np.ndarray, index: int) -> bool:
    if news[index] < NEWS:
        return False
    around = np.delete(news, index)[max(0, index - NEIGHBOURS) : index + NEIGHBOURS]
    return bool(news[index] >= CLEAR_NEWS or not len(around) or news[index] >= CALMER * np.median(around))


def _is_flash(thumbnails: Sequence[np.ndarray], news: float, index: int) -> bool:
    """Whether a sudden change is the beginning or the end of a flash: the picture comes back, or has come back."""
    last_before, first_after = _lab(thumbnails[index]), _lab(thumbnails[index + 1])
    later = thumbnails[index + 2 : index + 2 + FLASH_FRAMES]
    earlier = thumbnails[max(0, index - FLASH_FRAMES) : index]
    pairs = [(last_before, picture) for picture in later] + [(first_after, picture) for picture in earlier]
    return any(news_between(one, _lab(other)) < news / 2 for one, other in pairs)
