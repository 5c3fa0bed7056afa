"""What a composite clips: pixels of the body driven to black or white that the source did not have there."""

from __future__ import annotations

import numpy as np

from escalier.arguments import Picture, Region, check_same_size, checked

SEEN = 0.01
"""More than this share of the body clipped is seen: folds and skin go flat."""


def newly_clipped(result: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Where a channel reached black or white, or went beyond, that the source had not there: bool (H, W)."""
    clipped = np.zeros(result.shape[:2], bool)
    for channel in range(3):
        clipped |= _at_end(result[..., channel]) & ~_at_end(source[..., channel])
    return clipped


@checked
class Clipping:
    """Counts what the composites of a film clip, frame by frame.

    A pixel of the body is clipped where a channel of the result is black or white, and that of the source is not: what
    was burnt when it was filmed does not count. It cannot see what is squeezed together just short of white.

    Attributes
    ----------
    shares
        The share of each frame's body that is clipped, 0..1, in the order in which frames were added.

    >>> from escalier.composite import Blending, poisson_blend
    >>> figure, wall = np.full((64, 64, 3), 200, np.uint8), np.full((64, 64, 3), 220, np.uint8)
    >>> figure[30:34, 30:34] = 245
    >>> mask = np.zeros((64, 64), bool)
    >>> mask[16:48, 16:48] = True
    >>> clipping = Clipping()
    >>> _ = poisson_blend(figure, wall, mask, Blending(screening=0.0), clipping=clipping)
    >>> print(clipping)
    clipped: 1.56 % of the body, black or white that the source has not, worst at frame 0 with 1.56 %, in 1 of 1 frames
    """

    def __init__(self) -> None:
        self.shares: list[float] = []

    def add(self, result: Picture, source: Picture, body: Region) -> None:
        """Count one more frame.

        Parameters
        ----------
        result, source
            The composite and the filmed body, RGB (H, W, 3), uint8 or float32 0..1.
        body
            bool (H, W): where the body is.
        """
        check_same_size(result=result, source=source, body=body)
        count = int(np.count_nonzero(body))
        clipped = np.count_nonzero(newly_clipped(result, source) & body) if count else 0
        self.shares.append(clipped / count if count else 0.0)

    @property
    def mean(self) -> float:
        """The share over all frames, 0..1."""
        return float(np.mean(self.shares)) if self.shares else 0.0

    @property
    def most(self) -> float:
        """The share of the worst frame, 0..1."""
        return max(self.shares, default=0.0)

    @property
    def is_seen(self) -> bool:
        """Whether any frame is clipped beyond what passes unnoticed, a hundredth of the body."""
        return self.most > SEEN

    def __str__(self) -> str:
        if not self.most:
            return f"clipped: nothing, in all {len(self.shares)} frames"
        frames = sum(share > 0 for share in self.shares)
        return (
            f"clipped: {100 * self.mean:.3g} % of the body, black or white that the source has not, worst at frame "
            f"{int(np.argmax(self.shares))} with {100 * self.most:.3g} %, in {frames} of {len(self.shares)} frames"
        )


def _at_end(values: np.ndarray) -> np.ndarray:
    return (values <= 0) | (values >= (255 if values.dtype == np.uint8 else 1))
