"""How much work a propagation is and how far it has come, in seconds of one core, so that its progress is even."""

import numpy as np

from escalier.film import Size
from escalier.progress import Progress

# Seconds of one core of 2 GHz for a unit of each kind: a + b x megapixels. Only their ratios matter much: who shows a
# time goes by what he measures. On a card painting is ten times as fast and still most of the work.
SEARCH = (0.001, 0.015)
"""Looking for cuts, by the film's size."""
READ = (0.001, 0.025)
"""Reading, checking and keeping a frame, by the film's size."""
MATCH = (0.002, 0.32)
"""Optical flow of a pair of frames, both ways, by the size at which it is made."""
PAINT, ENLARGE = (0.05, 2.6), (0.0, 0.16)
"""A frame of a run, by the size of matching; where that is smaller than the keyframes, by theirs besides."""


class Work:
    """The progress of one propagation, told as `progress(done, total, picture)` from the thread that calls.

    Of a film of so many frames, and of so many to be painted as far as that is known before the cuts are; the sizes are
    those of the film, of its optical flow, of its matching and of the keyframes.

    >>> work = Work(print, 2, 1, *[Size(8, 8)] * 4)
    >>> work.plan(paintings=0)
    >>> work.read(1), work.read(2), work.matched(1)
    0.00... 0.00... None
    0.00... 0.00... None
    0.00... 0.00... None
    (None, None, None)
    """

    def __init__(
        self,
        progress: Progress | None,
        frames: int,
        paintings: int,
        size: Size,
        flow_size: Size,
        matched_size: Size,
        painted_size: Size,
    ) -> None:
        self._progress = progress
        self._seconds = {
            "search": _seconds(SEARCH, size),
            "read": _seconds(READ, size),
            "match": _seconds(MATCH, flow_size),
            "paint": painting_seconds(matched_size, painted_size),
        }
        self._units = {"search": frames, "read": frames, "match": frames - 1, "paint": paintings}
        self._done = dict.fromkeys(self._units, 0)

    def plan(self, paintings: int, pairs: int | None = None) -> None:
        """The cuts are known, and with them what there is to paint; of a part of the film also how many pairs."""
        self._units |= {"search": self._done["search"], "paint": paintings}
        if pairs is not None:
            self._units |= {"read": self._done["read"], "match": pairs}

    def searched(self, frames: int, _: int = 0) -> None:
        """So many frames of the film have been looked at for cuts."""
        self._reach("search", frames)

    def read(self, frames: int, _: int = 0) -> None:
        """So many frames of the film have been read."""
        self._reach("read", frames)

    def matched(self, pairs: int, _: int = 0) -> None:
        """The flow of so many pairs of frames is known; all have been read by then."""
        self._done["read"] = self._units["read"]
        self._reach("match", pairs)

    def painted(self, picture: np.ndarray) -> None:
        """One more frame of a run is there."""
        self._reach("paint", self._done["paint"] + 1, picture)

    def taken_over(self, frames: int) -> None:
        """So many frames of a run were there from an earlier job."""
        self._reach("paint", self._done["paint"] + frames)

    def wait(self) -> None:
        """Nothing is new; told again, so that a cancel need not wait for the next frame."""
        self._tell()

    def _reach(self, kind: str, done: int, picture: np.ndarray | None = None) -> None:
        self._done[kind] = max(self._done[kind], min(done, self._units[kind]))
        self._tell(picture)

    def _tell(self, picture: np.ndarray | None = None) -> None:
        if self._progress is not None:
            self._progress(self._sum(self._done), self._sum(self._units), picture)

    def _sum(self, units: dict[str, int]) -> float:
        return sum(units[kind] * seconds for kind, seconds in self._seconds.items())


def painting_seconds(matched_size: Size, painted_size: Size) -> float:
    """Guessed seconds of one core for a frame of a run, by the size of matching and the keyframes'.

    >>> round(painting_seconds(Size(960, 540), Size(960, 540)), 1)
    1.4
    """
    enlarging = _seconds(ENLARGE, painted_size) if matched_size != painted_size else 0.0
    return _seconds(PAINT, matched_size) + enlarging


def preparing_seconds(size: Size, flow_size: Size) -> float:
    """Guessed seconds of one core to read a frame and to match it with its neighbour.

    >>> round(preparing_seconds(Size(960, 540), Size(960, 540)), 2)
    0.18
    """
    return _seconds(READ, size) + _seconds(MATCH, flow_size)


def _seconds(cost: tuple[float, float], size: Size) -> float:
    fixed, per_megapixel = cost
    return fixed + per_megapixel * size.width * size.height / 1e6
