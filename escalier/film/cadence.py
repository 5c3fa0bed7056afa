"""Cadence: how often the picture changes, apart from how often a frame is shown. On twos, on threes; and back again.

Either a kept frame is held until the next one (`HeldFilm`), or the kept frames go to an interpolator, and what it makes
of them is laid back on the film's own clock (`pick_frames`, `RestoredCadence`). Both keep the film's number of frames,
so that its sound, its times and its duration stay as they are.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial, dials_of
from escalier.refusals import Refusal

from .film import Film, FilmBase


@checked
@dataclass(frozen=True)
class Cadence(Dials):
    """Which frames of a film are kept, each held until the next.

    >>> Cadence(every=3, phase=3)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Cadence: phase must be 0 to 2 frames, got 3; it says where the first kept frame lies
    """

    every: int = dial(
        2,
        "Frames from one kept frame to the next. 2 is on twos, as most drawn animation is; 3 and 4 look like puppets; "
        "1 changes nothing.",
        least=1,
        offered=(1, 999),
        unit="frames",
        rule="be at least 1 frame",
        remedy="2 keeps every second one",
    )
    phase: int = dial(
        0,
        "The first kept frame, less than every. 0 keeps the first frame of the film; another one moves the steps, to "
        "meet a beat or a keyframe.",
        offered=(0, 998),
        remedy="it says where the first kept frame lies",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.phase < self.every:
            remedy = "it says where the first kept frame lies"
            raise Refusal("phase", f"be 0 to {self.every - 1} frames", self.phase, remedy)

    def kept(self, index: int) -> int:
        """The frame that is seen at frame `index`; before the first kept one, frame 0.

        >>> [Cadence(3, phase=1).kept(index) for index in range(7)]
        [0, 1, 1, 1, 4, 4, 4]
        """
        return max(0, index - (index - self.phase) % self.every)


@checked
class HeldFilm(FilmBase):
    """A film of which one frame in every few is kept and held. Itself a film, of the same length.

    Parameters
    ----------
    film
        Any film; frames are asked of it when they are asked for here.
    cadence
        Which frames are kept; by default every second one.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8))
    >>> on_threes = HeldFilm(film, Cadence(3))
    >>> [int(on_threes.frame(i)[0, 0, 0]) for i in range(len(on_threes))]
    [0, 0, 0, 3, 3, 3, 6]
    """

    def __init__(self, film: Film, cadence: Cadence | None = None) -> None:
        super().__init__(film.size, film.rate, len(film))
        self.film = film
        self.cadence = cadence or Cadence()

    def fingerprint_parts(self) -> tuple[Film | str, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return self.film, f"every {self.cadence.every} from {self.cadence.phase}"

    def _frame(self, index: int) -> np.ndarray:
        return self.film.frame(self.cadence.kept(index))


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
    dials_of(Cadence)["every"].check(every, "pick_frames")
    if length < 1:
        raise Refusal("length", "be at least 1 frame", length, "check the clip")
    last = length - 1
    return (*range(0, last, every), last)


@checked
class RestoredCadence(FilmBase):
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

    >>> from escalier.film import ArrayFrames
    >>> doubled = ArrayFrames(np.arange(0, 90, 10, dtype=np.uint8)[:, None, None, None] * np.ones((4, 4, 3), np.uint8))
    >>> restored = RestoredCadence(doubled, kept=(0, 2, 4, 6, 7), length=8, rate=24)
    >>> [restored.picture_at(i) for i in range(8)]
    [0, 1, 2, 3, 4, 5, 6, 8]
    """

    def __init__(
        self,
        pictures: Film,
        kept: Sequence[int],
        length: int,
        *,
        rate: Fraction | float,
        times: Sequence[Fraction | float] | None = None,
    ) -> None:
        parts = _parts(len(pictures), kept, length)
        when = np.arange(length, dtype=np.float64) if times is None else np.array([float(time) for time in times])
        if len(when) != length or (np.diff(when) <= 0).any():
            rule = f"rise, one for each of the film's {length} frames"
            raise Refusal("times", rule, len(when), "take them from the film itself")
        # Each step between two kept frames counts as `parts`, whatever time it takes.
        places = np.interp(when, when[list(kept)], parts * np.arange(len(kept)))
        super().__init__(pictures.size, Fraction(rate).limit_denominator(100_000), length)
        self._pictures = pictures
        self._places = np.rint(places).astype(int)

    def fingerprint_parts(self) -> tuple[Film | str, ...]:
        """What its frames depend on, for `film_fingerprint`."""
        return self._pictures, f"places {self._places.tolist()}"

    def picture_at(self, index: int) -> int:
        """Which of the interpolated pictures is seen at frame `index`."""
        self.check_index(index)
        return int(self._places[index])

    def _frame(self, index: int) -> np.ndarray:
        return self._pictures.frame(self.picture_at(index))


def _parts(pictures: int, kept: Sequence[int], length: int) -> int:
    """Into how many parts the interpolator cut each step; refuses what is no whole number."""
    steps = len(kept) - 1
    rising = all(before < after for before, after in itertools.pairwise(kept))
    if not kept or kept[0] != 0 or kept[-1] != length - 1 or not rising:
        got = ", ".join(map(str, kept)) or "none"
        raise Refusal(
            "kept frames", f"rise from 0 to the film's last, {length - 1}", got, "pick them from this very film"
        )
    parts, over = divmod(pictures - 1, steps) if steps else (1, pictures - 1)
    if over or parts < 1:
        rule = f"be {steps} times the multiplier, and 1 more, for {len(kept)} kept frames"
        raise Refusal("pictures", rule, pictures, "interpolate the picked frames, all of them and nothing else")
    return parts
