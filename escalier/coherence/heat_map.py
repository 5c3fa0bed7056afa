"""The heat map: a film that shows where a restyled film changes on its own."""

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, FilmBase, Motion, Size
from escalier.keyframes import fits_film
from escalier.refusals import Refusal

from .compared_frames import at_size
from .warp_error import squared_error

FULL_SCALE = 0.2
"""The root mean square of the channels' change, RGB 0..1, that is shown brightest: 51 of 255 levels."""
DIMMED = 0.25
"""The picture itself, grey, is shown this bright, so that one sees where one is."""
NOT_JUDGED = np.array((0, 0, 60), np.uint8)
"""A touch of blue where the flow cannot follow the source: newly uncovered, or a boundary between motions."""


@checked
class HeatMap(FilmBase):
    """The square root of the warp error at every pixel as a film: dark is steady, then violet, orange and yellow.

    Made frame by frame when asked for, at the size of the flow, cut to even sides. The last `lag` frames are held
    against the ones before them, all others against the ones after.

    Parameters
    ----------
    restyled
        The film that was measured, of its source's size or larger, see `fits_film`.
    motion
        How its source moves.
    lag
        In frames: 1 shows flicker, a long lag what drifts.

    Raises
    ------
    ValueError
        Where film and motion do not belong together.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.random.default_rng(0).integers(0, 256, (3, 48, 64, 3), np.uint8))
    >>> heat = HeatMap(film, Motion(film, tempfile.mkdtemp()))
    >>> len(heat), heat.frame(2).shape
    (3, (48, 64, 3))
    """

    def __init__(self, restyled: Film, motion: Motion, *, lag: int = 1) -> None:
        if len(restyled) != len(motion) or not fits_film(restyled.size, motion.size):
            rule = f"have {len(motion)} frames of {motion.size} as the source has, or larger ones of its shape"
            raise Refusal("restyled", rule, f"{len(restyled)} of {restyled.size}", "use the clip that it was made from")
        if lag < 1:
            raise Refusal("lag", "be >= 1 frame", lag, "1 shows flicker")
        self._restyled, self._motion, self._lag = restyled, motion, lag
        self._measured = motion.working_size
        size = Size(*(max(1, side - side % 2) for side in self._measured))
        super().__init__(size, restyled.rate, len(restyled))

    def _frame(self, index: int) -> np.ndarray:
        picture = at_size(self._restyled.frame(index), self._measured)
        other = index + self._lag if index + self._lag < len(self) else index - self._lag
        if other < 0:
            heat = _dimmed(picture)
        else:
            flow = self._motion.flow(index, other, self._measured)
            valid = self._motion.valid(index, other, self._measured)
            after = at_size(self._restyled.frame(other), self._measured)
            heat = _shown(picture, np.sqrt(squared_error(picture, after, flow)), valid)
        return heat[: self.size.height, : self.size.width]


def _shown(picture: np.ndarray, error: np.ndarray, valid: np.ndarray) -> np.ndarray:
    level = np.rint(np.minimum(error / FULL_SCALE, 1) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    # The brighter of the two, so that a small error does not vanish against the picture.
    heat = np.maximum(_dimmed(picture), colours)
    heat[~valid] = cv2.add(_dimmed(picture), np.broadcast_to(NOT_JUDGED, picture.shape).copy())[~valid]
    return heat


def _dimmed(picture: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return cv2.cvtColor(cv2.convertScaleAbs(grey, alpha=DIMMED), cv2.COLOR_GRAY2RGB)
