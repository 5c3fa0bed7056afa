"""How the camera moved through a film: where the room of each frame lies in the first.

Steps from frame to frame add up their errors, so every frame is aligned straight to one of few frames that are kept:
the earliest of them that still shows enough of the same room, with the frame before as the first guess. A frame that
none of them shows enough of is kept itself. See `alignment` for how two frames are aligned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, overload

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Masks, MaskSource, Size, check_lengths, find_cuts
from escalier.progress import Progress
from escalier.refusals import Refusal

from .alignment import Alignment, Followed, blocked, explain, follow, grown, moved_points, room_alone

ENOUGH_SHARED = 0.5
"""Share of a frame's room that a kept frame must show to be aligned to."""
LEAST_SHARED, MOST_KEPT = 0.15, 3
"""Kept frames that show so much, so many of them, are asked together."""
DOUBTFUL_SHARE, SAID_SHARE, LOST_SHARE = 0.5, 1 / 3, 0.1
"""Share of a frame's corners that follow its camera: below the first another guess is tried, below the second that is
said, below the third none is believed."""
LEAP = 0.15
"""Of the picture's width: where few corners follow, a leap from the guess is not the camera's but a thing's."""
BESIDE_PX = 8
"""Corners nearer to the subject are left out: what is compared around them would show her."""
LEAVES_PX = 1.5
"""Corners that the camera's motion leaves so far off do not belong to a room that one plate can be."""
PROBES = (24, 14)


@dataclass(frozen=True)
class CameraMotion(Sequence[np.ndarray]):
    """How the camera moved: camera[i] takes points (x, y) of frame i to where they lie in the first frame.

    Made by `camera_motion`; `CameraMotion.still` is a tripod.

    Attributes
    ----------
    to_first
        Homographies float64 (N, 3, 3), one for each frame.
    size, rate
        Of the film.
    left_px
        float64 (N,): how far nine of ten corners of the room lie at most from where this motion takes them, in pixels.
        Where it is large, near and far move apart (parallax) or something moves that no mask covers.
    lost
        Frames that show too little of the room to be followed: they are taken to move on as those before them.
    doubtful
        Frames of whose corners less than a third follow the camera.

    >>> str(CameraMotion.still(Size(64, 48), 3))
    'the camera stands still'
    """

    to_first: np.ndarray
    size: Size
    rate: Fraction
    left_px: np.ndarray
    lost: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()

    @classmethod
    def still(cls, size: Size, length: int, rate: Fraction = Fraction(24)) -> CameraMotion:
        """A tripod's: nothing is measured, and nothing can be misjudged."""
        return cls(np.tile(np.eye(3), (length, 1, 1)), size, rate, np.zeros(length))

    def __len__(self) -> int:
        return len(self.to_first)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[np.ndarray]: ...

    def __getitem__(self, index: int | slice) -> np.ndarray | Sequence[np.ndarray]:
        return self.to_first[index]

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.to_first)

    def between(self, index: int, other: int) -> np.ndarray:
        """Where points of one frame lie in another: a homography float64 (3, 3)."""
        return np.linalg.inv(self.to_first[other]) @ self.to_first[index]

    @property
    def travel_px(self) -> float:
        """How far the room moves across the picture at most, at its corners and its middle, against the first frame."""
        width, height = self.size
        points = np.array([(0, 0), (width, 0), (width, height), (0, height), (width / 2, height / 2)], np.float64)
        return max(float(np.linalg.norm(moved_points(one, points) - points, axis=1).max()) for one in self)

    def __str__(self) -> str:
        travel = self.travel_px
        parts = ["the camera stands still" if travel == 0 else f"the camera moves the room by up to {travel:.1f} px"]
        apart = np.flatnonzero(self.left_px > LEAVES_PX)
        if len(apart):
            parts.append(
                f"{frames_said(apart)} leave up to {self.left_px.max():.1f} px unexplained: near and far move apart "
                "there (parallax), or something moves outside the mask; a still plate slides by as much"
            )
        elif travel:
            parts.append(f"nine of ten points of the room follow it within {max(self.left_px.max(), 0.05):.2f} px")
        if self.lost:
            parts.append(
                f"{frames_said(self.lost)} show too little of the room to be followed, and are taken to move on as "
                "those before them"
            )
        if self.doubtful:
            parts.append(f"in {frames_said(self.doubtful)} less than a third of the corners follow it: look there")
        return "; ".join(parts)


class _Kept(NamedTuple):
    """A frame that others are aligned to."""

    picture: np.ndarray
    seen: np.ndarray
    to_first: np.ndarray


@checked
def camera_motion(film: Film, masks: MaskSource, *, grow_px: int = 6, progress: Progress | None = None) -> CameraMotion:
    """How the camera moved, from the room around what moves in the film.

    Parameters
    ----------
    film, masks
        The shot, and masks of what moves in it. Whatever else moves is left out as long as it covers less than the
        room does.
    grow_px
        How far around the masks nothing is trusted.
    progress
        Called as progress(done, total) after each frame.

    Raises
    ------
    ValueError
        When the masks do not fit the film, or there is a cut in it.

    >>> import cv2
    >>> from escalier.film import ArrayFrames
    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    >>> room = cv2.GaussianBlur(noise, (0, 0), 2)
    >>> pan = ArrayFrames(np.stack([np.roll(room, -3 * i, axis=1) for i in range(3)]))
    >>> camera = camera_motion(pan, np.zeros((1, 96, 128)))
    >>> float(camera[2][0, 2].round(1))
    6.0
    """
    check_lengths(len(film), mask=masks)
    masks = Masks.of(masks)
    kept: list[_Kept] = []
    to_first, left, lost, doubtful = [np.eye(3)], [0.0], [], []
    step = np.eye(3)
    for i in range(len(film)):
        picture = film.frame(i)
        seen = ~blocked(masks.at(i), picture, grow_px)
        here = room_alone(picture, seen)
        clear = ~grown(~seen, BESIDE_PX)
        if i:
            found = _aligned(here, clear, kept, to_first[-1] @ step)  # a camera moves on as it did
            if found is None or found.share < DOUBTFUL_SHARE:
                other = _aligned(here, clear, kept, to_first[-1])
                found = max((one for one in (found, other) if one), key=lambda one: one.share, default=None)
            if found is None or found.share < LOST_SHARE:
                found = None
                lost.append(i)
            elif found.share < SAID_SHARE:
                doubtful.append(i)
            step = step if found is None else np.linalg.inv(to_first[-1]) @ found.motion
            to_first.append(to_first[-1] @ step if found is None else found.motion)
            left.append(left[-1] if found is None else found.left_px)
        if not kept or (found is not None and max(_shared(seen, to_first[-1], k) for k in kept) < ENOUGH_SHARED):
            kept.append(_Kept(here, seen, to_first[-1]))
        if progress is not None:
            progress(i + 1, len(film))
    if lost and lost[-1] == len(film) - 1:  # nothing of the end was ever seen before: another shot, or a close-up
        begins = next(i for i in reversed(lost) if i - 1 not in lost)
        if begins in find_cuts(film):
            raise Refusal("film", "be one shot", f"a cut at frame {begins}", "split it there: each shot has its camera")
    return CameraMotion(np.stack(to_first), film.size, film.rate, np.array(left), tuple(lost), tuple(doubtful))


def _aligned(here: np.ndarray, clear: np.ndarray, kept: list[_Kept], guess: np.ndarray) -> Alignment | None:
    """Where a frame's points lie in the first, by the kept frames, and what is left unexplained."""
    shares = [_shared(clear, guess, one) for one in kept]
    enough = [k for k, share in enumerate(shares) if share >= ENOUGH_SHARED]
    for k in dict.fromkeys((*enough[:1], int(np.argmax(shares)))):
        found = explain(_by(kept[k], here, clear, guess, far=False))
        if found is None or found.share < DOUBTFUL_SHARE:
            other = explain(_by(kept[k], here, clear, guess, far=True))
            found = max((one for one in (found, other) if one), key=lambda one: one.share, default=None)
        if found is not None:
            break
    else:
        return None
    # Again from there, so that what is followed hardly moves, and by several kept frames, which together fill the view.
    best = sorted(range(len(kept)), key=lambda k: (k not in enough[:1], -shares[k]))[:MOST_KEPT]
    near = [_by(kept[k], here, clear, found.motion, far=False) for k in best if shares[k] >= LEAST_SHARED]
    if not near:
        return found
    here_all, there_all = (np.concatenate([getattr(one, side) for one in near]) for side in ("here", "there"))
    together = Followed(here_all, there_all, max(one.corners for one in near))
    again = explain(together)
    found = found if again is None else again._replace(share=found.share)
    width, height = here.shape[::-1]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    leap = np.linalg.norm(moved_points(np.linalg.inv(guess) @ found.motion, corners) - corners, axis=1).max()
    return None if found.share < DOUBTFUL_SHARE and leap > LEAP * width else found


def _by(kept: _Kept, here: np.ndarray, clear: np.ndarray, to_first: np.ndarray, far: bool) -> Followed:
    """Corners of a frame that a kept one shows too, with their places in the first."""
    found = follow(here, clear, kept.picture, kept.seen, np.linalg.inv(kept.to_first) @ to_first, far)
    there = moved_points(kept.to_first, found.there) if len(found.there) else found.there
    return found._replace(there=there)


def _shared(seen: np.ndarray, to_first: np.ndarray, kept: _Kept) -> float:
    """The share of a frame's visible room that a kept frame shows too."""
    height, width = seen.shape
    x, y = (np.linspace(0, side - 1, count) for side, count in zip((width, height), PROBES, strict=True))
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    points = points[seen[tuple(np.rint(points[:, ::-1]).astype(int).T)]]
    if not len(points):
        return 0.0
    there = np.rint(moved_points(np.linalg.inv(kept.to_first) @ to_first, points)).astype(int)
    within = ((there >= 0) & (there < (width, height))).all(axis=1)
    there = there[within]
    return float(kept.seen[there[:, 1], there[:, 0]].sum() / len(points))


def frames_said(indices: Sequence[int] | np.ndarray) -> str:
    """Frame numbers as artists read them: runs as "frames 3 to 7", more than three runs by the first and the last.

    >>> frames_said([3, 4, 5, 9]), frames_said([2])
    ('frames 3 to 5 and 9', 'frame 2')
    """
    indices = np.asarray(indices)
    runs = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
    if len(runs) > 3:
        return f"{len(indices)} frames between {indices[0]} and {indices[-1]}"
    said = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    plural = "s" if len(indices) > 1 else ""
    return f"frame{plural} " + (" and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0])
