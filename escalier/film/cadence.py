"""Cadence: how often the picture changes, apart from how often a frame is shown. On twos, on threes; and back again.

Either a kept frame is held until the next one (`Cadence`), or the kept frames go to an interpolator, and what it makes
of them is laid back on the film's own clock (`pick_frames`, `RestoredCadence`). Both keep the film's number of frames,
so that its sound, its times and its duration stay as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from escalier.arguments import checked

from .frames import FrameSource
from .pictures import Size


@checked
class Cadence:
    """A film of which one frame in every few is kept and held. Itself a film, of the same length.

    Parameters
    ----------
    film
        Any film; frames are asked of it when they are asked for here.
    every
        Frames from one kept frame to the next: 2 is "on twos". 1 changes nothing; more is calmer and choppier.
    phase
        The first kept frame, 0 to every - 1. Frames before it hold frame 0.

    Raises
    ------
    ValueError
        When `every` is under 1 or `phase` outside 0 to every - 1.

    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8))
    >>> on_threes = Cadence(film, every=3)
    >>> [int(on_threes.frame(i)[0, 0, 0]) for i in range(len(on_threes))]
    [0, 0, 0, 3, 3, 3, 6]
    """

    def __init__(self, film: FrameSource, every: int = 2, phase: int = 0) -> None:
        _check_every(every, "Cadence")
        if not 0 <= phase < every:
            raise ValueError(
                f"Cadence: phase must be 0 to {every - 1} frames, got {phase}; it says where the first kept frame lies"
            )
        self.film = film
        self.every = every
        self.phase = phase

    @property
    def size(self) -> Size:
        return self.film.size

    @property
    def rate(self) -> Fraction:
        return self.film.rate

    def __len__(self) -> int:
        return len(self.film)

    def fingerprint_parts(self) -> tuple[FrameSource | str, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return self.film, f"every {self.every} from {self.phase}"

    def kept(self, index: int) -> int:
        """The frame of the film that is seen at frame `index`."""
        _check_index(index, len(self), "Cadence")
        return max(0, index - (index - self.phase) % self.every)

    def frame(self, index: int) -> np.ndarray:
        """Frame `index`, as the film gives it."""
        return self.film.frame(self.kept(index))


@checked
def pick_frames(length: int, every: int = 2) -> tuple[int, ...]:
    """The frames to keep for an interpolator: one in `every`, and the last one, so that no end is left open.

    Parameters
    ----------
    length
        Number of frames in the film.
    every
        Frames from one kept frame to the next, at least 1. Only the last step may be shorter.

    Raises
    ------
    ValueError
        When the film is empty or `every` is under 1.

    >>> pick_frames(9, 4), pick_frames(12, 4), pick_frames(1, 4)
    ((0, 4, 8), (0, 4, 8, 11), (0,))
    """
    _check_every(every, "pick_frames")
    if length < 1:
        raise ValueError(f"pick_frames: length must be at least 1 frame, got {length}; check the clip")
    last = length - 1
    return (*range(0, last, every), last)


@checked
class RestoredCadence:
    """Interpolated pictures, laid back on a film's own clock. Itself a film, of that film's exact length.

    An interpolator cuts each step between two kept frames into equal parts. Here each frame of the film takes the
    picture that lies nearest to its time, counted within its step. At a constant rate, with as many parts as a step has
    frames, that is the one made for it; at a variable rate, and in a shorter last step, it is at most half a part away.
    At a kept frame it is always the kept picture itself.

    Parameters
    ----------
    pictures
        What the interpolator made: (K - 1) x parts + 1 pictures for K kept frames.
    kept
        The kept frames, as `pick_frames` gives them.
    length
        Number of frames in the film.
    rate
        Frames per second of the film.
    times
        When each frame is shown, in seconds, rising; by default at a constant rate.

    Raises
    ------
    ValueError
        When the kept frames do not begin and end with the film, their number does not fit the pictures, or the times do
        not fit the film.

    >>> from escalier.film.frames import ArrayFrames
    >>> doubled = ArrayFrames(np.arange(0, 90, 10, dtype=np.uint8)[:, None, None, None] * np.ones((4, 4, 3), np.uint8))
    >>> restored = RestoredCadence(doubled, kept=(0, 2, 4, 6, 7), length=8, rate=24)
    >>> [restored.picture_at(i) for i in range(8)]
    [0, 1, 2, 3, 4, 5, 6, 8]
    """

    def __init__(
        self,
        pictures: FrameSource,
        kept: Sequence[int],
        length: int,
        *,
        rate: Fraction | float,
        times: Sequence[Fraction | float] | None = None,
    ) -> None:
        parts = _parts(len(pictures), kept, length)
        when = np.arange(length, dtype=np.float64) if times is None else np.array([float(time) for time in times])
        if len(when) != length or (np.diff(when) <= 0).any():
            raise ValueError(
                f"RestoredCadence: times must rise, one for each of the film's {length} frames, got {len(when)}; "
                "take them from the film itself"
            )
        # Each step between two kept frames counts as `parts`, whatever time it takes.
        places = np.interp(when, when[list(kept)], parts * np.arange(len(kept)))
        self._pictures = pictures
        self._places = np.rint(places).astype(int)
        self._rate = Fraction(rate).limit_denominator(100_000)

    @property
    def size(self) -> Size:
        return self._pictures.size

    @property
    def rate(self) -> Fraction:
        return self._rate

    def __len__(self) -> int:
        return len(self._places)

    def fingerprint_parts(self) -> tuple[FrameSource | str, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return self._pictures, f"places {self._places.tolist()}"

    def picture_at(self, index: int) -> int:
        """Which of the interpolated pictures is seen at frame `index`."""
        _check_index(index, len(self), "RestoredCadence")
        return int(self._places[index])

    def frame(self, index: int) -> np.ndarray:
        """Frame `index`, as the interpolator gave it."""
        return self._pictures.frame(self.picture_at(index))


def _parts(pictures: int, kept: Sequence[int], length: int) -> int:
    """Into how many parts the interpolator cut each step; refuses what is no whole number."""
    steps = len(kept) - 1
    rising = all(before < after for before, after in itertools.pairwise(kept))
    if not kept or kept[0] != 0 or kept[-1] != length - 1 or not rising:
        got = ", ".join(map(str, kept)) or "none"
        raise ValueError(
            f"RestoredCadence: kept frames must rise from 0 to the film's last, {length - 1}, got {got}; "
            "pick them from this very film"
        )
    parts, over = divmod(pictures - 1, steps) if steps else (1, pictures - 1)
    if over or parts < 1:
        raise ValueError(
            f"RestoredCadence: pictures must be {steps} times the multiplier, and 1 more, for {len(kept)} kept frames, "
            f"got {pictures}; interpolate the picked frames, all of them and nothing else"
        )
    return parts


def _check_every(every: int, caller: str) -> None:
    if every < 1:
        raise ValueError(f"{caller}: every must be at least 1 frame, got {every}; 2 keeps every second one")


def _check_index(index: int, length: int, caller: str) -> None:
    if not 0 <= index < length:
        raise IndexError(f"{caller}: index must lie in 0..{length - 1}, got {index}; count from 0")
