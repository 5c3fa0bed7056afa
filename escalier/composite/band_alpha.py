"""How much of each pixel in the band around a mask's outline is the subject's, by its colours and by her outline.

Two witnesses are weighed by how sure they are:

- The colours. I = alpha F + (1 - alpha) B, with B the empty room under the light that falls on it now, and F the
  subject's colours carried out from inside the band. Their variance of alpha follows from how far F and B are apart,
  how even her clothes are where F comes from, how well the room is known around, and what no mixture explains.
- Her outline: the mask, smeared by her motion. Its variance is how far, and how much further than theirs, the colours
  lie from it nearby: little along a body, much in hair. Where colours tell nothing, it stands.

The matting Laplacian of the picture (A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image
Matting", PAMI 2008, as in pymatting) carries both over to what lies beside.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from . import pictures

ROUNDS = 3
"""How often colours, light and alpha are worked out in turn."""
LIGHT_PX = 12.0
"""How far the light on the old room is taken from, the sigma of a Gaussian."""
CLOTH_PX = 2.5
"""Over how much of her clothes it is seen how even they are, the sigma of a Gaussian."""
NOISE = 0.02
"""Grain and rounding, as a share of white."""
SHADE = 0.03
"""By which share the light on the room may be off: shadows have edges."""
OUTLINE = 0.1
"""How far alpha of a good outline is off."""
NEAR_PX = 6.0
"""Over how much of the band an outline is judged, the sigma of a Gaussian."""
SURE = 0.2
"""The deviation of alpha from which on colours tell less than half."""
LEAST_TOLD = 0.01
"""Where colours tell less than so much of the band nearby, the outline is taken for good."""
UNKNOWN = 1e6
"""The variance of alpha where the room is not known."""
KEPT, EVEN = 0.2, 0.1
"""The weight of what is known in the matting equations, and the deviation at which it is halved."""
ALIKE, LEAST_APART = 0.15, 0.01
"""Colours nearer than the one are alike: the nearer, the more the picture is distrusted. Shares of white."""
TOLERANCE, MOST_STEPS = 1e-3, 500


class Band(NamedTuple):
    """Parts of one frame, cut to a box: where her outline is, and what is known around it.

    inside bool, the mask; soft bool, the band; sure bool, hers beyond doubt; outline float32, her mask as motion blurs
    it; unseen bool, where the old room is not known.
    """

    inside: np.ndarray
    soft: np.ndarray
    outline: np.ndarray
    unseen: np.ndarray

    @property
    def sure(self) -> np.ndarray:
        return self.inside & ~self.soft


class BandAlpha(NamedTuple):
    """What is found in a band: float32 (H, W) each, and the subject's colours float32 (H, W, 3).

    alpha and its variance by both witnesses; told and its variance by the colours alone.
    """

    alpha: np.ndarray
    variance: np.ndarray
    told: np.ndarray
    told_variance: np.ndarray
    colours: np.ndarray


def band_alpha(shown: np.ndarray, room: np.ndarray, band: Band) -> BandAlpha:
    """Alpha in the band by colours and outline, from the frame and the room without her, float32 (H, W, 3) 0..1."""
    from pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml

    sure = band.sure
    alpha = sure.astype(np.float32)
    colours, uneven = estimate_foreground_ml(shown, alpha), _unevenness(shown, sure)
    empty = (~(band.inside | band.soft | band.unseen)).astype(np.float32)
    for left in reversed(range(ROUNDS)):
        behind = room * _light(shown, room, empty)
        told, told_variance = _by_colours(shown, colours, behind, uneven, _doubt(shown - behind, empty))
        told_variance = np.where(band.unseen, np.float32(UNKNOWN), told_variance)
        alpha, variance = _weighed(told, told_variance, band)
        alpha = np.where(band.soft, alpha, sure).astype(np.float32)
        empty = np.where(sure | band.unseen, np.float32(0), (1 - alpha) ** 4)
        if left:
            rest = (1 - alpha)[..., None]
            seen = (rest < 1) & ~band.unseen[..., None]
            colours = estimate_foreground_ml(
                np.where(seen, shown - rest * behind, 0), np.where(band.unseen & band.soft, np.float32(0), alpha)
            )
    known = 1 / (1 + variance / np.float32(EVEN**2))
    # Where she looks like the room, so does the picture across her outline: nothing in it carries alpha over.
    apart = np.where(band.unseen, np.float32(1), ((colours - behind) ** 2).sum(axis=2))
    known *= 1 + np.float32(ALIKE**2) / np.maximum(apart, np.float32(LEAST_APART**2))
    alpha = np.clip(_carried_over(shown, alpha, known, band.soft), 0, 1)
    return BandAlpha(alpha, np.where(band.soft, variance, np.float32(0)), told, told_variance, colours)


def _by_colours(
    shown: np.ndarray, colours: np.ndarray, behind: np.ndarray, uneven: np.ndarray, doubt: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Alpha by the line from the room's colour to hers, and its variance."""
    apart = colours - behind
    square = (apart**2).sum(axis=2) + np.float32(1e-6)
    alpha = np.clip(((shown - behind) * apart).sum(axis=2) / (square + np.float32(NOISE**2)), 0, 1)
    unexplained = ((shown - behind - alpha[..., None] * apart) ** 2).sum(axis=2)
    shade = np.square(np.float32(SHADE) * (behind * apart).sum(axis=2)) / square
    hers, rooms = alpha**2 * _along(uneven, apart) / square, (1 - alpha) ** 2 * (shade + doubt)
    return alpha, (hers + rooms + unexplained + np.float32(NOISE**2)) / square


def _weighed(told: np.ndarray, variance: np.ndarray, band: Band) -> tuple[np.ndarray, np.ndarray]:
    """Alpha and its variance by colours and outline, each as sure as it is."""
    weight = band.soft / (1 + variance / np.float32(SURE**2))
    beyond = np.maximum(np.square(told - band.outline) - variance, 0)
    means = cv2.GaussianBlur(np.dstack([beyond * weight, weight]).astype(np.float32), (0, 0), NEAR_PX)
    of_outline = np.float32(OUTLINE**2) + means[..., 0] / (means[..., 1] + np.float32(LEAST_TOLD))
    share = of_outline / (of_outline + variance)
    return share * told + (1 - share) * band.outline, share * variance


def _unevenness(shown: np.ndarray, sure: np.ndarray) -> np.ndarray:
    """The covariance of her colours near the nearest pixel that is surely hers: float32 (H, W, 6)."""
    weight = sure.astype(np.float32)[..., None]
    means, squares, near = (
        cv2.GaussianBlur(np.ascontiguousarray(planes), (0, 0), CLOTH_PX)
        for planes in (shown * weight, _products(shown, shown) * weight, weight)
    )
    near = np.maximum(near, np.float32(1e-4))[..., None]
    means = means / near
    covariance = squares / near - _products(means, means)
    _, labels = cv2.distanceTransformWithLabels((~sure).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.intp)
    nearest[labels[sure]] = np.flatnonzero(sure)
    return covariance.reshape(-1, 6)[nearest[labels]]


def _products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The six different products of the channels of two pictures: rr, gg, bb, rg, rb, gb."""
    first, second = [0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]
    return one[..., first] * other[..., second]


def _along(covariance: np.ndarray, line: np.ndarray) -> np.ndarray:
    """A covariance, six planes, along a line: line' C line."""
    return (covariance * _products(line, line) * np.array([1, 1, 1, 2, 2, 2], np.float32)).sum(axis=2)


def _light(shown: np.ndarray, room: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The light on the room in the picture over that in `room`, where and as far as it is seen empty."""
    weight = room * empty[..., None]
    seen, there = (pictures.broad_means(one * weight, LIGHT_PX) + np.float32(1e-4) for one in (shown, room))
    return seen / there


def _doubt(wrong: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The variance of the room's colours, by how far they are off where it is seen empty."""
    planes = np.dstack([(wrong**2).mean(axis=2) * empty, empty])
    means = pictures.broad_means(planes, LIGHT_PX)
    return means[..., 0] / np.maximum(means[..., 1], np.float32(1e-3))


def _carried_over(shown: np.ndarray, alpha: np.ndarray, known: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Alpha in the band by the matting Laplacian, near what is known as far as it is known."""
    import scipy.sparse
    from pymatting.laplacian.cf_laplacian import cf_laplacian
    from scipy.sparse.linalg import cg

    rows = np.flatnonzero(soft)
    laplacian = cf_laplacian(shown.astype(np.float64), is_known=~soft).tocsr()[rows]
    weight = KEPT * known.ravel()[rows].astype(np.float64)
    own = alpha.ravel().astype(np.float64)
    fixed = np.where(soft.ravel(), 0, own)
    right = weight * own[rows] - laplacian @ fixed
    system = (laplacian[:, rows] + scipy.sparse.diags(weight)).tocsc()
    by_diagonal = scipy.sparse.diags(1 / (system.diagonal() + 1e-9))
    solved, _ = cg(system, right, x0=own[rows], rtol=TOLERANCE, maxiter=MOST_STEPS, M=by_diagonal)
    out = own.astype(np.float32)
    out[rows] = solved
    return out.reshape(alpha.shape)
