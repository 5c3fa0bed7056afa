"""How long a job of several parts will still take: guessed at first, then by what has been measured."""

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping

LEAST_PRIOR_S, MOST_PRIOR_S, PRIOR_SHARE = 1.0, 10.0, 0.05
"""A guess counts as much as so many seconds of measuring: this share of itself, within limits."""
SAMPLES = 512
FIRST_PICTURE_S = 3.0
"""The first picture may come so much later than the others: what makes them is loaded."""
MOST_SLOWER = 2.0
"""A part that is slower than guessed says that the machine is, so far; a faster one may only have a card."""
CALM_SHARE, MOST_CALM_S = 0.1, 4.0
"""What is shown follows the estimate within about this share of itself, in seconds, and at most this many."""


class Job:
    """The progress of a whole job, as a share of its time.

    Each part has a guess of its seconds and tells how much of it is done. What is left of the part at hand goes by its
    pace over the later half of the time that it has taken so far, mixed at first with the guess; what comes after goes
    by the guesses. What happens once, such as compiling, counts as time but not for the pace, see `once`.

    Parameters
    ----------
    parts
        The guessed seconds of each part by its name, in order. 0 where a part does not know yet: the first total that
        it tells is then its guess.
    clock
        Seconds; another one for tests.

    >>> now = iter([0.0, 10.0, 10.0])
    >>> job = Job({"painting": 20.0, "writing": 5.0}, clock=lambda: next(now))
    >>> job.tell("painting", 50, 100)
    >>> round(job.left()), round(job.share(), 1)
    (15, 0.4)
    """

    def __init__(self, parts: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._guesses = dict(parts)
        self._clock = clock
        self._began = self._told = clock()
        self._part: _Part | None = None
        self._ended: set[str] = set()
        self._share = 0.0
        self._shown: tuple[float, float] | None = None  # when, and how long was said to be left

    @property
    def part(self) -> str:
        """The part at hand, or the first one."""
        return next(iter(self._guesses)) if self._part is None else self._part.name

    def tell(self, part: str, done: float, total: float, picture: object = None) -> None:
        """A part has come so far. A later part begins when it first tells anything; those before it have ended then."""
        now = self._clock()
        if self._part is None or self._part.name != part:
            names = list(self._guesses)
            self._ended = set(names[: names.index(part)])
            self._part = _Part(part, self._guesses[part] or total, self._told)
        self._told = now
        self._part.tell(now, done / total if total > 0 else 1.0, picture is not None)
        self._follow(now)

    def once(self, seconds: float) -> None:
        """The part at hand is held up by something that happens once and takes about so many seconds."""
        if self._part is not None:
            self._part.once(seconds)

    def left(self) -> float:
        """Seconds that are still to come, without a sudden jump."""
        now = self._clock()
        if self._shown is None:
            return sum(self._guesses.values())
        then, shown = self._shown
        return max(0.0, shown - (now - then))

    def share(self) -> float:
        """How much of the job's whole time has gone, 0..1; it never falls."""
        return self._share

    def _follow(self, now: float) -> None:
        """Bring what is shown nearer to the estimate."""
        estimate = self._estimate(now)
        if self._shown is not None:
            then, shown = self._shown
            calm = max(1e-3, min(MOST_CALM_S, CALM_SHARE * estimate))
            weight = 1 - math.exp(-(now - then) / calm)
            expected = max(0.0, shown - (now - then))
            self._shown = now, expected + weight * (estimate - expected)
        else:
            self._shown = now, estimate
        gone = now - self._began
        if gone + estimate > 0:
            self._share = max(self._share, gone / (gone + estimate))

    def _estimate(self, now: float) -> float:
        if self._part is None:
            return sum(self._guesses.values())
        later = [name for name in self._guesses if name not in self._ended and name != self._part.name]
        left, slower = self._part.left(now)
        return left + sum(self._guesses[name] for name in later) * min(MOST_SLOWER, max(1.0, slower))


class _Part:
    """One part of a job: what it has told, by its own clock, which stands still for what happens once."""

    def __init__(self, name: str, guess: float, began: float) -> None:
        self.name, self._guess = name, max(guess, 1e-3)
        self._began = self._told = began
        self._held_up: float | None = None  # how long the hold-up at hand will take, while there is one
        self._skipped, self._pictures = 0.0, False
        self._times, self._shares = [0.0], [0.0]

    def once(self, seconds: float) -> None:
        self._held_up = seconds

    def tell(self, now: float, share: float, has_picture: bool) -> None:
        if share <= self._shares[-1]:
            return
        gap = now - self._told
        if self._held_up is not None:
            self._skipped += gap
        elif has_picture and not self._pictures:
            self._skipped += min(gap, FIRST_PICTURE_S)
        self._held_up, self._told = None, now
        self._pictures |= has_picture
        self._times.append(now - self._began - self._skipped)
        self._shares.append(min(1.0, share))
        if len(self._times) > SAMPLES:
            self._times, self._shares = self._times[::2], self._shares[::2]

    def left(self, now: float) -> tuple[float, float]:
        """Seconds still to come, and how much slower than guessed the part is."""
        waited = now - self._told
        middle = max(0, bisect_left(self._times, self._times[-1] / 2) - 1)
        seconds, done = self._times[-1] - self._times[middle], self._shares[-1] - self._shares[middle]
        prior = min(MOST_PRIOR_S, max(LEAST_PRIOR_S, PRIOR_SHARE * self._guess))
        rest = 1 - self._shares[-1]
        if self._held_up is not None:
            pace = (prior + seconds) / (prior / self._guess + done)
            return rest * pace + max(0.0, self._held_up - waited), pace / self._guess
        # One more frame is on its way. What it has taken already is not left any more; where it takes longer than the
        # others, they may well, too.
        frame = done / max(1, len(self._times) - 1 - middle)
        pace = (prior + seconds) / (prior / self._guess + done)
        late = max(0.0, waited - frame * pace - (0.0 if self._pictures else FIRST_PICTURE_S))
        pace = (prior + seconds + late) / (prior / self._guess + done)
        return max(0.0, rest * pace - min(waited, frame * pace)), pace / self._guess
