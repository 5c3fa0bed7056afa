"""Ghosting: how much of its two sides' drawing a fade keeps.

*Ghosting kept* is the high-pass contrast of a blend over that of the mix of its two sides. 1 is no loss; two unrelated
drawings mixed half and half keep 1/sqrt(2) = .71. It cannot see two crisp drawings lying side by side: for those see
`double_exposure`.
"""

import cv2
import numpy as np

from escalier.arguments import Picture, Region, check_same_size, checked

from .compared_frames import unit

HIGH_PASS_PX = 2.0
"""Standard deviation of the blur that is subtracted: detail finer than this counts as drawing."""
LOCAL_PX = 12.0
"""Standard deviation of the window in which contrast is measured."""


@checked
def high_pass_contrast(picture: Picture) -> np.ndarray:
    """The local contrast of a picture's drawing: float32 (H, W), of the unit 0..1.

    With Y the brightness and G(s) a Gaussian blur of standard deviation s px: sqrt(G(12) * (Y - G(2) * Y)^2).

    Parameters
    ----------
    picture
        RGB (H, W, 3), uint8 0..255 or float32 0..1.

    >>> round(float(high_pass_contrast(np.full((32, 32, 3), 90, np.uint8)).max()), 6)
    0.0
    """
    return np.sqrt(cv2.GaussianBlur(np.square(high_pass(picture)), (0, 0), LOCAL_PX))


def high_pass(picture: np.ndarray) -> np.ndarray:
    """A picture's drawing without its areas: brightness minus its blur, float32 (H, W)."""
    grey = cv2.cvtColor(unit(picture), cv2.COLOR_RGB2GRAY)
    return grey - cv2.GaussianBlur(grey, (0, 0), HIGH_PASS_PX)


@checked
def ghosting_kept(
    blend: Picture, earlier: Picture, later: Picture, weight: float | np.ndarray, counted: Region | None = None
) -> float:
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
    counted
        bool (H, W): the region to measure in, with at least one pixel; the whole picture by default.

    >>> noise = np.random.default_rng(0).random((2, 96, 96, 3), np.float32)
    >>> round(ghosting_kept(noise.mean(axis=0), *noise, 0.5), 2), ghosting_kept(noise[0], noise[0], noise[0], 0.5)
    (0.71, 1.0)
    """
    check_same_size(blend=blend, earlier=earlier, later=later, counted=counted)
    return kept_within(high_pass_contrast(blend), side_contrast(earlier, later, weight), counted)


def side_contrast(earlier: np.ndarray, later: np.ndarray, weight: float | np.ndarray) -> np.ndarray:
    """The contrast that a blend would have if nothing were lost: float32 (H, W)."""
    return (1 - weight) * high_pass_contrast(earlier) + weight * high_pass_contrast(later)


def kept_within(contrast: np.ndarray, sides: np.ndarray, counted: np.ndarray | None) -> float:
    """Ghosting kept from the two maps of contrast, within a region."""
    within = slice(None) if counted is None else counted
    expected = float(sides[within].mean())
    return float(contrast[within].mean()) / expected if expected > 0 else 1.0


@checked
def fade_weight(blend: Picture, earlier: Picture, later: Picture) -> float:
    """How far a blend has gone from its earlier to its later side, 0..1, read off the pictures alone.

    The w for which (1 - w) earlier + w later lies nearest to the blend, by least squares over the whole picture. 0
    where the two sides are the same.

    Parameters
    ----------
    blend, earlier, later
        RGB (H, W, 3), uint8 0..255 or float32 0..1.

    >>> noise = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)
    >>> round(fade_weight(noise[0] + 0.25 * (noise[1] - noise[0]), *noise), 6)
    0.25
    """
    check_same_size(blend=blend, earlier=earlier, later=later)
    apart = unit(later) - unit(earlier)
    gone = unit(blend) - unit(earlier)
    length = float(np.vdot(apart, apart))
    return float(np.clip(np.vdot(gone, apart) / length, 0.0, 1.0)) if length > 0 else 0.0
