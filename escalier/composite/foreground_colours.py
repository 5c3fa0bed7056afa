"""The subject's own colours where the matte is soft: what hair and blur would show without the room behind them.

A picture is I = alpha F + (1 - alpha) B at every pixel. F comes from pymatting's multi-level method (T. Germer,
T. Uelwer, S. Conrad, S. Harmeling, "Fast Multi-Level Foreground Estimation", ICPR 2020), worked out around the matte
only. Where the empty room is known, its share is taken off the picture first, and F is estimated over black.
"""

from __future__ import annotations

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.mask import box_around

from . import pictures

MARGIN_PX = 64
"""How far around the matte the room's colours are looked at."""
ROOM_PX = 8.0
"""How far from the matte (sigma of a Gaussian) the old room's light is compared with the picture's."""


@checked
def estimate_foreground(
    picture: np.ndarray, matte: np.ndarray, old_room: np.ndarray | None = None, unseen: np.ndarray | None = None
) -> np.ndarray:
    """The colours of what the matte covers, without those of the room that shows through it.

    Parameters
    ----------
    picture
        RGB (H, W, 3), uint8 or float32 0..1.
    matte
        (H, W), how much of each pixel the subject covers: bool, uint8 0..255 or float 0..1.
    old_room
        The same view without the subject, such as a clean plate, like the picture. Its colours around the matte are
        brought to the picture's, for a shadow or another exposure. Estimated where it is not known.
    unseen
        bool (H, W): where the old room is not known, such as what a clean plate calls so.

    Returns
    -------
    float32 (H, W, 3), 0..1. Where the matte is 1 the picture itself, where it is 0 the picture too: nothing is known
    of the subject there.

    Raises
    ------
    ValueError, TypeError
        When a picture is not RGB, or the matte or the old room does not fit it.

    >>> matte = np.linspace(1, 0, 32, dtype=np.float32)[None].repeat(32, axis=0)
    >>> red, blue = np.float32((1, 0, 0)), np.float32((0, 0, 1))
    >>> shown = matte[..., None] * red + (1 - matte[..., None]) * blue
    >>> estimate_foreground(shown, matte)[16, 24].round(1).tolist()  # a quarter red, three quarters blue
    [1.0, 0.0, 0.0]
    """
    pictures.check_picture(picture, "picture")
    alpha = pictures.coverage(matte, picture)
    if old_room is not None:
        pictures.check_picture(old_room, "old_room")
        pictures.check_same_size(picture, "picture", old_room, "old_room")
    colours = unit(picture).copy()
    soft = (alpha > 0) & (alpha < 1)
    if not soft.any():
        return colours
    # pymatting compiles or loads a dozen kernels when it is imported, which only soft mattes are worth.
    from pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml

    box = box_around(alpha, MARGIN_PX)
    shown, share = colours[box], alpha[box]
    if old_room is None:
        estimated = estimate_foreground_ml(shown, share)
    else:
        hidden = np.zeros(share.shape, bool) if unseen is None else unseen[box]
        estimated = _over_black(shown, share, unit(old_room[box]), hidden)
        if (hidden & soft[box]).any():
            np.copyto(estimated, estimate_foreground_ml(shown, share), where=hidden[..., None])
    np.copyto(colours[box], estimated, where=soft[box][..., None])
    return colours


def unit(picture: np.ndarray) -> np.ndarray:
    """A picture as float32 0..1."""
    return picture / np.float32(255) if picture.dtype == np.uint8 else picture


def _over_black(shown: np.ndarray, share: np.ndarray, room: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """Her colours once the room's share is off; where that is hidden, they are carried there from beside."""
    from pymatting.foreground.estimate_foreground_ml import estimate_foreground_ml

    rest = (1 - share)[..., None]
    own = shown - rest * _lit_like(shown, room, (share == 0) & ~hidden)
    told = (rest < 1) & ~(hidden[..., None] & (rest > 0))
    return estimate_foreground_ml(np.where(told, own, 0), np.where(told[..., 0], share, np.float32(0)))


def _lit_like(picture: np.ndarray, old_room: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """The old room with what the picture differs from it by nearby, where the picture shows it empty."""
    seen = empty.astype(np.float32)[..., None]
    planes = np.concatenate([(picture - old_room) * seen, seen], axis=2)
    means = cv2.GaussianBlur(planes, (0, 0), ROOM_PX)
    return old_room + means[..., :3] / np.maximum(means[..., 3:], np.float32(1e-3))
