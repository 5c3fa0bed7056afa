"""How the camera moved between two frames, from the parts of the room that are seen in both.

Corners are followed by Lucas-Kanade, forwards and back, and the simplest motion that explains them is taken: none, a
shift, a similarity, a homography. A simpler motion has fewer numbers to get wrong, and none at all costs no resampling.
A homography is exact for a camera that turns or zooms, or a flat room; what a travelling camera sees of near and far
does not fit any.
"""

from __future__ import annotations

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Masks, MaskSource, Size, as_uint8, check_lengths
from escalier.progress import Progress

from . import pictures

MOST_CORNERS = 600
LEAST_CORNERS = 12
THERE_AND_BACK_PX = 0.3
"""A corner whose way back misses its start by more has been lost."""
INLIER_PX = 1.0
STILL_PX = 0.05
"""A shift smaller than this is none."""
WORSE_PX = 0.02
"""A simpler motion may miss the corners by so much more."""
BLOCKED = 0.05
"""Coverage of a mask above which a pixel does not show the room."""


def blocked(mask: np.ndarray, picture: np.ndarray, grow_px: int) -> np.ndarray:
    """Where the subject, grown by so many pixels, hides the room: bool (H, W)."""
    hidden = pictures.coverage(mask, picture) > BLOCKED
    if grow_px:
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * grow_px + 1,) * 2)
        hidden = cv2.dilate(hidden.view(np.uint8), disc).view(np.bool_)
    return hidden


@checked
def camera_motion(
    film: Film, masks: MaskSource, *, grow_px: int = 6, progress: Progress | None = None
) -> list[np.ndarray]:
    """Where the room of each frame lies in the first one: homographies float64 (3, 3), one for each frame.

    Parameters
    ----------
    film, masks
        The shot, and masks of what moves in it.
    grow_px
        How far around the masks nothing is trusted.
    progress
        Called as progress(done, total) after each frame.

    A frame without enough to follow is taken to stand still to the one before.

    >>> from escalier.film import ArrayFrames
    >>> noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    >>> room = cv2.GaussianBlur(noise, (0, 0), 2)
    >>> pan = ArrayFrames(np.stack([np.roll(room, -3 * i, axis=1) for i in range(3)]))
    >>> to_first = camera_motion(pan, np.zeros((1, 96, 128)))
    >>> float(to_first[2][0, 2].round(1))
    6.0
    """
    check_lengths(len(film), mask=masks)
    masks = Masks.of(masks)
    to_first = [np.eye(3)]
    before = film.frame(0)
    hidden_before = blocked(masks.at(0), before, grow_px)
    for i in range(1, len(film)):
        here = film.frame(i)
        hidden = blocked(masks.at(i), here, grow_px)
        step = align(grey(here), ~hidden, grey(before), ~hidden_before)
        to_first.append(to_first[-1] @ (np.eye(3) if step is None else step))
        before, hidden_before = here, hidden
        if progress is not None:
            progress(i + 1, len(film))
    return to_first


def grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(as_uint8(picture), cv2.COLOR_RGB2GRAY)


def align(
    here: np.ndarray, here_seen: np.ndarray, there: np.ndarray, there_seen: np.ndarray, guess: np.ndarray | None = None
) -> np.ndarray | None:
    """Where points of one grey frame lie in another, as a homography (3, 3); None where too few can be followed.

    here_seen and there_seen are bool (H, W): where the room is seen. guess is a first homography to start from.
    """
    corners = cv2.goodFeaturesToTrack(here, MOST_CORNERS, 0.01, 7, mask=here_seen.astype(np.uint8))
    if corners is None or len(corners) < LEAST_CORNERS:
        return None
    start = cv2.perspectiveTransform(corners, np.eye(3) if guess is None else guess).astype(np.float32)
    found, ok = _followed(here, there, corners, start)
    back, ok_back = _followed(there, here, found, corners)
    corners, found, back = corners[:, 0], found[:, 0], back[:, 0]
    kept = (ok[:, 0] > 0) & (ok_back[:, 0] > 0) & (np.linalg.norm(back - corners, axis=1) < THERE_AND_BACK_PX)
    kept &= _seen_at(found, there_seen)
    if kept.sum() < LEAST_CORNERS:
        return None
    return simplest_motion(corners[kept].astype(np.float64), found[kept].astype(np.float64))


def _followed(
    here: np.ndarray, there: np.ndarray, points: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    until = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 40, 1e-3)
    found, ok, _ = cv2.calcOpticalFlowPyrLK(
        here, there, points, start.copy(), None, None, (21, 21), 3, until, cv2.OPTFLOW_USE_INITIAL_FLOW
    )
    return found, ok


def simplest_motion(here: np.ndarray, there: np.ndarray) -> np.ndarray | None:
    """The simplest motion that takes points (n, 2), (x, y), to others: a homography (3, 3), or None if none does."""
    homography, inliers = cv2.findHomography(here, there, cv2.RANSAC, INLIER_PX)
    if homography is None:
        return None
    inside = inliers[:, 0] > 0
    if inside.sum() < LEAST_CORNERS:
        return None
    here, there = here[inside], there[inside]
    goal = _median_error(homography, here, there) + WORSE_PX
    shift = np.eye(3)
    shift[:2, 2] = np.median(there - here, axis=0)
    candidates = [np.eye(3)] if np.abs(shift[:2, 2]).max() < STILL_PX else []
    candidates.append(shift)
    similarity, _ = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=INLIER_PX)
    if similarity is not None:
        candidates.append(np.vstack([similarity, [0, 0, 1]]))
    return next((motion for motion in candidates if _median_error(motion, here, there) <= goal), homography)


def _median_error(motion: np.ndarray, here: np.ndarray, there: np.ndarray) -> float:
    moved = cv2.perspectiveTransform(here[:, None], motion)[:, 0]
    return float(np.median(np.linalg.norm(moved - there, axis=1)))


def _seen_at(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    size = Size.of(seen)
    x, y = np.rint(points).astype(int).T
    within = (x >= 0) & (y >= 0) & (x < size.width) & (y < size.height)
    return within & seen[np.clip(y, 0, size.height - 1), np.clip(x, 0, size.width - 1)]
