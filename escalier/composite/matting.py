"""Soft mattes of hair, blur and thin things: from a mask, the picture, and the room without the subject.

In a band around the mask's outline every pixel is I = alpha F + (1 - alpha) B. B is the empty room under the light that
falls on it now, F the subject's colours carried out from inside the band by pymatting's multi-level method. The alpha
that explains I best along the line from B to F is known the better the further F and B are apart; where they are alike,
the matting Laplacian of the picture (A. Levin, D. Lischinski, Y. Weiss, "A Closed-Form Solution to Natural Image
Matting", PAMI 2008, as in pymatting) carries it over from beside.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import Film, Masks, MaskSource, check_lengths, frame_at
from escalier.mask import box_around
from escalier.progress import Progress

from . import pictures
from .foreground_colours import unit

ROUNDS = 3
"""How often colours, light and alpha are worked out in turn."""
LIGHT_PX = 12.0
"""How far the light on the old room is taken from, the sigma of a Gaussian."""
NOISE, ALIKE = 0.02, 0.1
"""Colours that differ by less than this tell nothing, or little, of alpha. Shares of white."""
UNEXPLAINED = 0.08
"""A colour that is further than this from every mixture is one that was not looked for."""
KEPT = 0.2
"""The weight of alpha by colours in the matting equations."""
LEAST = np.float32(0.03)
"""Alpha nearer to 0 or 1 than this is grain."""
TOLERANCE, MOST_STEPS = 1e-3, 500


@checked
@dataclass(frozen=True)
class SoftBand(Dials):
    """How far around a mask's outline soft pixels are looked for.

    >>> SoftBand(inside_px=0)
    Traceback (most recent call last):
    escalier.refusals.Refusal: SoftBand: inside_px must be >= 1 px, got 0; the outline itself is never sure
    """

    inside_px: float = dial(
        5.0,
        "How far inside the mask's outline a pixel may still be soft. Half the width of the blur, and what the mask "
        "may be off by; more makes holes where she has the room's colours.",
        least=1,
        offered=(1, 100),
        step=0.5,
        unit="px",
        remedy="the outline itself is never sure",
    )
    outside_px: float = dial(
        20.0,
        "How far outside the mask's outline hair and blur may reach. Longer hair needs more; more takes longer, and "
        "finds things in the room that moved.",
        least=1,
        offered=(1, 200),
        step=1,
        unit="px",
        remedy="the outline itself is never sure",
    )


@checked
def soft_matte(picture: np.ndarray, mask: np.ndarray, old_room: np.ndarray, band: SoftBand | None = None) -> np.ndarray:
    """How much of each pixel the subject covers, soft in hair and blur.

    Parameters
    ----------
    picture, old_room
        RGB (H, W, 3) of one size, uint8 or float32 0..1: the frame, and the same view without the subject, such as a
        clean plate. A shadow that she casts on it may be missing in it.
    mask
        (H, W) bool, uint8 or float 0..1: where she is, cut at one half.
    band
        How far around its outline soft pixels are looked for, see `SoftBand`.

    Returns
    -------
    float32 (H, W), 0..1. Deeper inside the mask than the band it is 1, further outside 0.

    Raises
    ------
    ValueError, TypeError
        When sizes differ, or a picture is not RGB.

    >>> old_room, mask = np.zeros((48, 48, 3), np.float32), np.zeros((48, 48), bool)
    >>> mask[:, 24:] = True
    >>> truth = np.clip((np.arange(48, dtype=np.float32) - 20) / 8, 0, 1)  # a blurred edge, white over black
    >>> shown = np.tile(truth[None, :, None], (48, 1, 3))
    >>> bool(np.abs(soft_matte(shown, mask, old_room) - truth).max() < 0.05)
    True
    """
    band = band or SoftBand()
    pictures.check_picture(picture, "picture")
    pictures.check_picture(old_room, "old_room")
    pictures.check_same_size(picture, "picture", old_room, "old_room")
    inside = pictures.inside(mask, picture)
    out = inside.astype(np.float32)
    if not inside.any():
        return out
    box = box_around(inside, int(band.outside_px + 3 * LIGHT_PX))
    inner, outer = (
        cv2.distanceTransform(side.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for side in (inside[box], ~inside[box])
    )
    # A mask that fills its box has no outside: nothing is soft there.
    soft = (inner <= band.inside_px) & (outer <= band.outside_px) if not inside.all() else np.zeros_like(inside[box])
    sure = inside[box] & ~soft
    if not soft.any() or not sure.any():
        return out
    shown, room = (np.ascontiguousarray(unit(part[box])) for part in (picture, old_room))
    alpha, known = _alpha_by_colours(shown, room, sure, soft, inside[box])
    alpha = _carried_over(shown, alpha, known, soft)
    out[box] = np.clip((alpha - LEAST) / (1 - 2 * LEAST), 0, 1)
    return out


@checked
def soft_mattes(
    film: Film, masks: MaskSource, old_room: Film, band: SoftBand | None = None, *, progress: Progress | None = None
) -> Iterator[np.ndarray]:
    """The soft matte of every frame, in their order, by `soft_matte`.

    Parameters
    ----------
    film, masks, old_room
        The film, its masks and the room without the subject; masks and room may have a single frame for all.
    band
        As in `soft_matte`.
    progress
        Called as progress(done, total) after each frame; what it raises ends the work.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.full((2, 32, 32, 3), 90, np.uint8))
    >>> [float(matte.max()) for matte in soft_mattes(film, np.zeros((1, 32, 32)), film)]
    [0.0, 0.0]
    """
    check_lengths(len(film), mask=masks, old_room=old_room)
    return _each(film, Masks.of(masks), old_room, band or SoftBand(), progress)


def _each(film: Film, masks: Masks, old_room: Film, band: SoftBand, progress: Progress | None) -> Iterator[np.ndarray]:
    for i in range(len(film)):
        matte = soft_matte(film.frame(i), masks.at(i), frame_at(old_room, i), band)
        if progress is not None:
            progress(i + 1, len(film))
        yield matte


def _alpha_by_colours(
    shown: np.ndarray, room: np.ndarray, sure: np.ndarray, soft: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Alpha by the picture, the room and the subject's colours, and 0..1 how well those two are told apart."""
    from pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml

    alpha = sure.astype(np.float32)
    colours = estimate_foreground_ml(shown, alpha)
    empty = (~(sure | soft)).astype(np.float32)
    for left in reversed(range(ROUNDS)):
        behind = room * _light(shown, room, empty)
        apart = colours - behind
        square = (apart**2).sum(axis=2)
        found = ((shown - behind) * apart).sum(axis=2) / (square + np.float32(NOISE**2))
        found = np.clip(found, 0, 1)
        # What no mixture of the two explains is cloth of another colour where the mask has it for hers.
        left_over = ((shown - behind - found[..., None] * apart) ** 2).sum(axis=2)
        found = np.where(inside, 1 + (found - 1) * np.exp(-left_over / np.float32(UNEXPLAINED**2)), found)
        alpha = np.where(soft, found, sure).astype(np.float32)
        empty = np.where(sure, np.float32(0), (1 - alpha) ** 4)
        if left:
            rest = (1 - alpha)[..., None]
            colours = estimate_foreground_ml(np.where(rest < 1, shown - rest * behind, 0), alpha)
    return alpha, square / (square + np.float32(ALIKE**2))


def _light(shown: np.ndarray, room: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The light on the room in the picture over that in `room`, where and as far as it is seen empty."""
    weight = empty[..., None]
    planes = np.concatenate([shown * room * weight, room * room * weight], axis=2)
    means = cv2.GaussianBlur(planes, (0, 0), LIGHT_PX) + np.float32(1e-4)
    return means[..., :3] / means[..., 3:]


def _carried_over(shown: np.ndarray, alpha: np.ndarray, known: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Alpha in the band by the matting Laplacian, near what the colours say as far as they know."""
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
