"""Where the room of one frame lies in another, from corners that are seen in both.

Corners are followed by Lucas-Kanade, forwards and back, and the simplest motion that explains them is taken: none, a
shift, a similarity, a homography. A simpler motion has fewer numbers to get wrong, and none at all costs no resampling.
A homography is exact for a camera that turns or zooms, or a flat room; what a travelling camera sees of near and far
does not fit any.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from escalier.film import Size, as_uint8

from . import pictures

CELLS = 8
"""Corners are taken from a grid of so many cells each way: one thing full of corners does not outvote a room."""
CORNERS_A_CELL = 12
CORNER_SHARE = 1e-3
"""Of the best corner's strength; weaker ones are taken for grain."""
APART_PX = 5
LEAST_CORNERS = 12
THERE_AND_BACK_PX = 0.3
"""A corner whose way back misses its start by more has been lost."""
INLIER_PX = 1.0
INLIERS = 0.25
"""The share of followed corners that must move alike; between two unlike pictures fewer do, by chance."""
SURE = 0.01
"""How far two halves of the corners may tell a homography apart, as a share of what they span."""
SAME_EXPOSURE = 0.02
"""A gain between two frames that is nearer to 1 is none."""
STILL_PX = 0.05
"""A shift smaller than this is none."""
WORSE_PX, WORSE = 0.01, 1.1
"""A simpler motion may miss the corners by so much more, and by so many times as much."""
BLOCKED = 0.05
"""Coverage of a mask above which a pixel does not show the room."""
WINDOW_PX = 21
COARSER = 4
"""How many times smaller the paint over the subject is made than the picture."""
MOST = 0.9
"""The share of corners by whose distance an alignment is judged: the worst tenth may be lost or move by itself."""


class Alignment(NamedTuple):
    """Where points of one frame lie in another: a homography float64 (3, 3), and what it leaves unexplained.

    left_px is the distance within which nine of ten followed corners come to lie; share that of all corners which it
    takes to within a pixel.
    """

    motion: np.ndarray
    left_px: float
    share: float


def blocked(mask: np.ndarray, picture: np.ndarray, grow_px: int) -> np.ndarray:
    """Where the subject, grown by so many pixels, hides the room: bool (H, W)."""
    return grown(pictures.coverage(mask, picture) > BLOCKED, grow_px)


def grown(region: np.ndarray, grow_px: int) -> np.ndarray:
    """A region, bool (H, W), and all within so many pixels of it."""
    if not grow_px:
        return region
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow_px + 1,) * 2)
    return cv2.dilate(region.view(np.uint8), disc).view(np.bool_)


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(as_uint8(picture), cv2.COLOR_RGB2GRAY)


def room_alone(picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """A picture as grey, uint8 (H, W), with what is not seen of the room painted over softly from around it.

    Corners are followed at coarse sizes first, where a subject that is not painted over would pull at all of them.
    """
    picture = grey(picture)
    if seen.all():
        return picture
    size = Size.of(picture)
    small = (max(1, size.width // COARSER), max(1, size.height // COARSER))
    weight = cv2.resize(seen.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    paint = cv2.resize(picture * seen.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    around = np.full(paint.shape, paint.sum() / max(float(weight.sum()), 1.0), np.float32)
    for sigma in (16, 4, 1):  # the nearer the room, the finer
        near = cv2.GaussianBlur(weight, (0, 0), sigma)
        local = cv2.GaussianBlur(paint, (0, 0), sigma) / np.maximum(near, 1e-6)
        sure = np.clip(near / 0.05, 0, 1)
        around = around * (1 - sure) + local * sure
    filled = np.where(seen, picture, cv2.resize(around, tuple(size), interpolation=cv2.INTER_LINEAR))
    return np.rint(filled).astype(np.uint8)


class Followed(NamedTuple):
    """Corners float64 (n, 2), (x, y), of one frame, where they lie in another, and how many there were to follow."""

    here: np.ndarray
    there: np.ndarray
    corners: int


def follow(
    here: np.ndarray,
    here_seen: np.ndarray,
    there: np.ndarray,
    there_seen: np.ndarray,
    guess: np.ndarray,
    far: bool = True,
) -> Followed:
    """The corners of one frame that are found in another, both by `room_alone`.

    here_seen and there_seen are bool (H, W), where the room is seen; the two frames may differ in size. guess is a
    first homography: the other frame is brought into this one's view by it, so that zoom and roll are no obstacle.
    Without `far` the guess is known to be good to a few pixels.
    """
    corners = _corners(here, here_seen)
    if len(corners) < LEAST_CORNERS:
        return Followed(np.empty((0, 2)), np.empty((0, 2)), len(corners))
    if not np.array_equal(guess, np.eye(3)):
        there, there_seen = into_view(there, there_seen, guess, Size.of(here))
    both = here_seen & there_seen if here.shape == there.shape else np.zeros(0, bool)
    if both.any():  # corners are followed by their brightness, which a change of exposure must not pass for
        gain = float(np.median((here[both] + np.float32(1)) / (there[both] + np.float32(1))))
        if abs(gain - 1) > SAME_EXPOSURE:
            there = cv2.convertScaleAbs(there, alpha=gain)
    levels = 3 if far else 1
    found, ok = _followed(here, there, corners, corners, levels)
    back, ok_back = _followed(there, here, found, corners, levels)
    kept = ok & ok_back & (np.linalg.norm(back - corners, axis=1) < THERE_AND_BACK_PX) & _seen_at(found, there_seen)
    here_at, there_at = corners[kept].astype(np.float64), found[kept].astype(np.float64)
    return Followed(here_at, moved_points(guess, there_at) if len(there_at) else there_at, len(corners))


def explain(followed: Followed) -> Alignment | None:
    """The simplest motion of followed corners; None where too few move alike."""
    here, there, corners = followed
    motion = simplest_motion(here, there) if len(here) >= LEAST_CORNERS else None
    if motion is None:
        return None
    apart = _distances(motion, here, there)
    return Alignment(motion, float(np.quantile(apart, MOST)), float((apart < INLIER_PX).sum() / corners))


def into_view(
    there: np.ndarray, seen: np.ndarray, motion: np.ndarray, size: Size, interpolation: int = cv2.INTER_CUBIC
) -> tuple[np.ndarray, np.ndarray]:
    """A frame as the view of another sees it, motion being where that view's points lie in it; and what is seen."""
    flags = cv2.WARP_INVERSE_MAP
    moved = cv2.warpPerspective(
        there, motion, tuple(size), flags=flags | interpolation, borderMode=cv2.BORDER_REPLICATE
    )
    whole = cv2.warpPerspective(seen.view(np.uint8) * 255, motion, tuple(size), flags=flags | cv2.INTER_LINEAR) == 255
    return moved, whole


def _corners(here: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The best corners of each cell where the room is seen: float32 (n, 2), (x, y)."""
    strength = cv2.cornerMinEigenVal(here, 3)
    strength[~seen] = 0
    peak = (strength == cv2.dilate(strength, np.ones((2 * APART_PX + 1,) * 2, np.uint8))) & (
        strength > CORNER_SHARE * strength.max()
    )
    y, x = np.nonzero(peak)
    if not len(x):
        return np.empty((0, 2), np.float32)
    height, width = here.shape
    cell = (y * CELLS // height) * CELLS + x * CELLS // width
    order = np.lexsort((-strength[y, x], cell))
    cell, x, y = cell[order], x[order], y[order]
    first = np.searchsorted(cell, cell)  # where this corner's cell begins
    best = np.arange(len(cell)) - first < CORNERS_A_CELL
    return np.stack([x, y], axis=1)[best].astype(np.float32)


def _followed(
    here: np.ndarray, there: np.ndarray, points: np.ndarray, start: np.ndarray, levels: int
) -> tuple[np.ndarray, np.ndarray]:
    until = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 40, 1e-3)
    window = (WINDOW_PX, WINDOW_PX)
    found, ok, _ = cv2.calcOpticalFlowPyrLK(
        here, there, points, start.copy(), None, None, window, levels, until, cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    return found, ok[:, 0] > 0


def simplest_motion(here: np.ndarray, there: np.ndarray) -> np.ndarray | None:
    """The simplest motion that takes points (n, 2), (x, y), to others: a homography (3, 3), or None if none does."""
    homography, inliers = cv2.findHomography(here, there, cv2.RANSAC, INLIER_PX)
    if homography is None:
        return None
    inside = inliers[:, 0] > 0
    if inside.sum() < max(LEAST_CORNERS, INLIERS * len(here)):
        return None
    here, there = here[inside], there[inside]
    goal = WORSE * _median_error(homography, here, there) + WORSE_PX
    shift = np.eye(3)
    shift[:2, 2] = np.median(there - here, axis=0)
    candidates = [np.eye(3)] if np.abs(shift[:2, 2]).max() < STILL_PX else []
    candidates.append(shift)
    similarity, _ = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=INLIER_PX)
    if similarity is not None:
        candidates.append(np.vstack([similarity, [0, 0, 1]]))
    simple = next((motion for motion in candidates if _median_error(motion, here, there) <= goal), None)
    if simple is not None:
        return simple
    return homography if _halves_agree(here, there) else candidates[-1]


def _halves_agree(here: np.ndarray, there: np.ndarray) -> bool:
    """Whether two halves of the points tell the same homography: few of them, badly spread, tell any."""
    halves = [cv2.findHomography(here[k::2], there[k::2], 0)[0] for k in (0, 1)]
    if any(half is None for half in halves):
        return False
    least, most = here.min(axis=0), here.max(axis=0)
    corners = np.array([least, (most[0], least[1]), most, (least[0], most[1])])
    apart = np.linalg.norm(moved_points(halves[0], corners) - moved_points(halves[1], corners), axis=1).max()
    return bool(apart <= SURE * np.linalg.norm(most - least))


def moved_points(motion: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points (n, 2), (x, y), taken elsewhere by a homography."""
    return cv2.perspectiveTransform(np.asarray(points, np.float64)[:, None], motion)[:, 0]


def _distances(motion: np.ndarray, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    return np.linalg.norm(moved_points(motion, here) - there, axis=1)


def _median_error(motion: np.ndarray, here: np.ndarray, there: np.ndarray) -> float:
    return float(np.median(_distances(motion, here, there)))


def _seen_at(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    size = Size.of(seen)
    x, y = np.rint(points).astype(int).T
    within = (x >= 0) & (y >= 0) & (x < size.width) & (y < size.height)
    return within & seen[np.clip(y, 0, size.height - 1), np.clip(x, 0, size.width - 1)]
