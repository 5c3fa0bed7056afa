"""The two figures that judge a fade: how much of the drawing it keeps, and whether anything jumps.

One definition for the whole project. Every part of the pack that reports ghosting or pop calls this file.

*Ghosting kept* is the high-pass contrast of a blend over that of the mix of its two sides. 1 is no loss; two unrelated
drawings mixed half and half keep 1/sqrt(2) = .71. It cannot see two crisp drawings lying side by side.

*Pop* is the maximum over the median, in time, of the lag-1 warp error. 1 is perfectly even; a cut between two runs has
4 and more; at most 1.3 passes unnoticed. It cannot see a slow drift, and blur lowers the error it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from escalier.film.frames import FrameSource, Size, as_uint8
from escalier.film.motion import Motion, warp
from escalier.propagation.staircase import Staircase

HIGH_PASS_PX = 2.0
"""Standard deviation of the blur that is subtracted: detail finer than this counts as drawing."""
LOCAL_PX = 12.0
"""Standard deviation of the window in which contrast is measured."""
FADE_CORE = (0.2, 0.8)
"""Weights between which a frame counts as the middle of a fade."""
FOLLOWED_PX = 2.0
FOLLOWED_DELTA_E = 1.0
SMALLEST_MEDIAN_DELTA_E = 0.05
"""Less than 8 bits can show. A perfectly still film is not divided by less."""


def high_pass_contrast(picture: np.ndarray) -> np.ndarray:
    """The local contrast of a picture's drawing: float32 (H, W), of the unit 0..1.

    With Y the brightness and G(s) a Gaussian blur of standard deviation s px: sqrt(G(12) * (Y - G(2) * Y)^2).

    Parameters
    ----------
    picture
        RGB (H, W, 3), uint8 0..255 or float32 0..1.

    >>> round(float(high_pass_contrast(np.full((32, 32, 3), 90, np.uint8)).max()), 6)
    0.0
    """
    grey = cv2.cvtColor(_unit(picture), cv2.COLOR_RGB2GRAY)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), HIGH_PASS_PX)
    return np.sqrt(cv2.GaussianBlur(np.square(detail), (0, 0), LOCAL_PX))


def ghosting_kept(blend: np.ndarray, earlier: np.ndarray, later: np.ndarray, weight: float | np.ndarray) -> float:
    """How much of its two sides' drawing a blend keeps: 1 is all, .71 what half and half of unrelated drawings keep.

    mean(c(blend)) / mean((1 - weight) c(earlier) + weight c(later)), with c the `high_pass_contrast`; Jamriska et al.,
    "Stylizing Video by Example" (2019), section 4, name the loss that this measures. 1 where neither side has any
    drawing to lose.

    Parameters
    ----------
    blend, earlier, later
        RGB (H, W, 3), uint8 0..255 or float32 0..1: the frame that is seen, and its two sides.
    weight
        Of the later side, 0..1: one number, or (H, W).

    >>> noise = np.random.default_rng(0).random((2, 96, 96, 3), np.float32)
    >>> round(ghosting_kept(noise.mean(axis=0), *noise, 0.5), 2), ghosting_kept(noise[0], noise[0], noise[0], 0.5)
    (0.71, 1.0)
    """
    sides = (1 - weight) * high_pass_contrast(earlier) + weight * high_pass_contrast(later)
    expected = float(sides.mean())
    return float(high_pass_contrast(blend).mean()) / expected if expected > 0 else 1.0


def warp_error(before: np.ndarray, after: np.ndarray, flow: np.ndarray, counted: np.ndarray) -> float | None:
    """The mean colour difference between a frame and the next one carried back onto it: Delta E*ab (CIE 1976).

    mean over the counted pixels p of |Lab(after)(p + flow(p)) - Lab(before)(p)|, Lab of sRGB under D65. None where no
    pixel counts.

    Parameters
    ----------
    before, after
        Neighbouring frames of the stylised film, RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow
        From `before` to `after`, float32 (H, W, 2), (dx, dy) in pixels; always that of the source film.
    counted
        bool (H, W), see `followed_pixels`.

    References
    ----------
    Lai et al., "Learning Blind Video Temporal Consistency" (ECCV 2018), equation 11, there in RGB and squared.

    >>> grey, lighter = np.full((2, 8, 8, 3), 0.5, np.float32) + np.float32([0, 0.1])[:, None, None, None]
    >>> still = np.zeros((8, 8, 2), np.float32)
    >>> round(warp_error(grey, lighter, still, np.ones((8, 8), bool)), 1)
    9.8
    """
    if not counted.any():
        return None
    return float(np.linalg.norm(_lab_change(before, after, flow), axis=-1)[counted].mean())


def followed_pixels(before: np.ndarray, after: np.ndarray, flow: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Pixels on which the flow is known to follow the source film, so that a restyled film may be judged there.

    A pixel counts when it passes the published test for occlusion and motion boundaries (`Motion.valid`) and the source
    itself, carried along, keeps its colour: |G(2) * (Lab(after)(p + flow) - Lab(before))(p)| < 1 Delta E*ab. Without
    the second condition a burst of fast motion, where the flow fails, would be called a pop: the unchanged film of a
    calm speaker who moves his hands has a pop of 2.4. Smoothing the signed difference lets camera noise through.

    Parameters
    ----------
    before, after
        Neighbouring frames of the source film, RGB (H, W, 3), uint8 0..255 or float32 0..1.
    flow
        From `before` to `after`, float32 (H, W, 2).
    valid
        bool (H, W).

    >>> grey = np.full((8, 8, 3), 128, np.uint8)
    >>> bool(followed_pixels(grey, grey, np.zeros((8, 8, 2), np.float32), np.ones((8, 8), bool)).all())
    True
    """
    change = cv2.GaussianBlur(_lab_change(before, after, flow), (0, 0), FOLLOWED_PX)
    return valid & (np.linalg.norm(change, axis=-1) < FOLLOWED_DELTA_E)


def pop(warp_errors: Sequence[float] | np.ndarray) -> float:
    """How far the worst step of a film stands out: the maximum over the median of its lag-1 warp errors. 1 is even.

    Parameters
    ----------
    warp_errors
        `warp_error` of every pair of neighbouring frames, in Delta E*ab.

    >>> pop([1.0, 1.0, 1.2, 1.0, 6.0])
    6.0
    """
    errors = np.asarray(warp_errors, np.float64)
    if errors.size == 0 or not np.isfinite(errors).all():
        raise ValueError(
            f"pop: warp_errors must be finite numbers, at least one, got {errors.size} of which "
            f"{int((~np.isfinite(errors)).sum())} are not; measure a film of two frames or more"
        )
    return float(errors.max() / max(float(np.median(errors)), SMALLEST_MEDIAN_DELTA_E))


@dataclass(frozen=True)
class FadeReport:
    """What `measure_fades` found.

    Attributes
    ----------
    ghosting
        Mean of `ghosting_kept` over the frames in the middle of a fade (mean weight between .2 and .8), or None where
        there is no such frame: one keyframe, or fades too short to have a middle.
    pop
        See `pop`; None for a film of one frame.
    pop_frame
        The frame after which the largest step lies, or None.
    ghosting_frames, ghosting_curve
        Which frames, int (M,), and `ghosting_kept` at each, float32 (M,).
    warp_frames, warp_curve
        The first frame of each pair, int (M,), and `warp_error` there, float32 (M,). A pair without one followed pixel,
        such as a cut in the source, is left out.
    """

    ghosting: float | None
    pop: float | None
    pop_frame: int | None
    ghosting_frames: np.ndarray = field(repr=False)
    ghosting_curve: np.ndarray = field(repr=False)
    warp_frames: np.ndarray = field(repr=False)
    warp_curve: np.ndarray = field(repr=False)

    def __str__(self) -> str:
        kept = "no fade has a middle" if self.ghosting is None else f"{self.ghosting:.3f}"
        popped = "the film has one frame" if self.pop is None else f"{self.pop:.2f} after frame {self.pop_frame}"
        return f"ghosting kept: {kept}; pop: {popped}"


def measure_fades(
    staircase: Staircase,
    film: FrameSource,
    motion: Motion,
    progress: Callable[..., object] | None = None,
) -> FadeReport:
    """Ghosting kept and pop of a whole staircase, against the source film it was made from.

    Frames larger than 960x540 in area are measured scaled down to that area. Memory: a few such frames.

    Parameters
    ----------
    staircase
        The faded film.
    film, motion
        The source and how it moves.
    progress
        Called as `progress(done, total, picture)` after each frame. What it raises passes through.

    >>> import tempfile
    >>> from escalier.film.frames import ArrayFrames
    >>> from escalier.keyframes import Keyframes
    >>> from escalier.propagation import propagate
    >>> film = ArrayFrames(np.random.default_rng(0).integers(0, 256, (3, 40, 48, 3), np.uint8))
    >>> folder = tempfile.mkdtemp()
    >>> staircase = Staircase(propagate(film, Keyframes([0], [film.frame(0)], 3), folder=folder, threads=1))
    >>> measure_fades(staircase, film, Motion(film, folder)).ghosting is None
    True
    """
    size = motion.working_size
    ghosting: dict[int, float] = {}
    errors: dict[int, float] = {}
    source, stylised = _at(film.frame(0), size), _at(staircase.frame(0), size)
    for index in range(len(staircase)):
        kept = _ghosting_at(staircase, index, stylised, size)
        if kept is not None:
            ghosting[index] = kept
        if index + 1 < len(staircase):
            next_source, next_stylised = _at(film.frame(index + 1), size), _at(staircase.frame(index + 1), size)
            flow = motion.flow(index, index + 1, size)
            counted = followed_pixels(source, next_source, flow, motion.valid(index, index + 1, size))
            error = warp_error(stylised, next_stylised, flow, counted)
            if error is not None:
                errors[index] = error
            source, stylised = next_source, next_stylised
        if progress is not None:
            progress(index + 1, len(staircase), stylised)
    return FadeReport(
        ghosting=float(np.mean(list(ghosting.values()))) if ghosting else None,
        pop=pop(list(errors.values())) if errors else None,
        pop_frame=max(errors, key=lambda index: errors[index]) if errors else None,
        ghosting_frames=np.array(list(ghosting), np.int64),
        ghosting_curve=np.array(list(ghosting.values()), np.float32),
        warp_frames=np.array(list(errors), np.int64),
        warp_curve=np.array(list(errors.values()), np.float32),
    )


def _ghosting_at(staircase: Staircase, index: int, blend: np.ndarray, size: Size) -> float | None:
    """Ghosting kept at a frame in the middle of a fade, else None."""
    runs = staircase.runs.at(index)
    if len(runs) < 2:
        return None
    # One number for the whole picture, so that modes with and without a switch map are judged by the same measure.
    weight = float(np.mean(staircase.weight(index)))
    if not FADE_CORE[0] < weight < FADE_CORE[1]:
        return None
    earlier, later = (_at(run.frame(index), size) for run in runs)
    return ghosting_kept(blend, earlier, later, weight)


def _at(frame: np.ndarray, size: Size) -> np.ndarray:
    picture = as_uint8(frame)
    return picture if Size.of(picture) == size else cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _unit(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) / 255 if picture.dtype == np.uint8 else picture


def _lab_change(before: np.ndarray, after: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Lab of the next frame, carried back, minus that of this one: float32 (H, W, 3)."""
    lab_before, lab_after = (cv2.cvtColor(_unit(picture), cv2.COLOR_RGB2Lab) for picture in (before, after))
    return warp(lab_after, flow) - lab_before
