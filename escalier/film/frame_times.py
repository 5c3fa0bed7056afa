"""Times of frames that a file got wrong: each is mended by itself, and the others stay what they are."""

import bisect
import itertools
from collections.abc import Sequence
from fractions import Fraction
from statistics import median_low
from typing import NamedTuple

LONGEST_STILL = 60  # seconds that one frame may be shown; beyond, the clock was set anew
FINEST = 1024  # parts into which a tick may be cut to make room for a mended time
SHUFFLED = 0.2  # part of the times that do not rise; beyond, they are not wrong but in another order
FARTHEST = 16  # places that a frame then stands from its own


class MendedTimes(NamedTuple):
    """Rising times in ticks of `time_base`, and how many of them are not the file's own."""

    times: list[int]
    time_base: Fraction
    mended: int


def mend_times(stamps: Sequence[int | None], time_base: Fraction, step: int) -> MendedTimes:
    """Make the times of frames rise, changing as few as possible.

    `stamps` are in the order in which the frames are shown, in ticks of `time_base` seconds; a frame lasts `step` ticks
    when nothing else is known. A time that is missing, doubled, runs back or leaps ahead is put evenly between its
    neighbours. Where the clock is set anew and goes on from there, all that follows is moved to where it would have
    gone on.

    >>> mend_times([0, 40, 40, 120, 160], Fraction(1, 1000), 40)
    MendedTimes(times=[0, 40, 80, 120, 160], time_base=Fraction(1, 1000), mended=1)
    >>> mend_times([None, None, None], Fraction(1, 1000), 40).times
    [0, 40, 80]
    """
    limit = LONGEST_STILL / time_base
    known = [stamp for stamp in stamps if stamp is not None]
    if known == list(stamps) and all(0 < b - a <= limit for a, b in itertools.pairwise(known)):
        return MendedTimes(known, time_base, 0)
    usual = _usual_step(known, step, limit)
    if _shuffled(stamps, known):
        stamps = sorted(known)
    kept = _believable(_continued(_exchanged(stamps), usual, limit), limit)
    exact = _between(kept, usual)
    parts = next(
        (parts for parts in (1, 2, 4, 16, 64, FINEST) if _fits([t * parts for t in exact], exact, parts)), FINEST
    )
    times = [round(time * parts) for time in exact]
    mended = sum(stamp is None or time != stamp for stamp, time in zip(stamps, exact, strict=True))
    return MendedTimes(times, time_base / parts, mended)


def _usual_step(known: list[int], step: int, limit: Fraction) -> int:
    steps = [b - a for a, b in itertools.pairwise(known) if 0 < b - a <= limit]
    return median_low(steps) if steps else max(step, 1)


def _shuffled(stamps: Sequence[int | None], known: list[int]) -> bool:
    """Whether times are only in another order: old containers stamp frames in the order in which they are stored."""
    if len(set(known)) < len(stamps) or sum(b < a for a, b in itertools.pairwise(known)) <= SHUFFLED * len(known):
        return False
    order = sorted(range(len(known)), key=known.__getitem__)
    steps = [known[b] - known[a] for a, b in itertools.pairwise(order)]
    even = max(steps) <= 4 * median_low(steps)
    return even and max(abs(rank - place) for rank, place in enumerate(order)) <= FARTHEST


def _exchanged(stamps: Sequence[int | None]) -> list[int | None]:
    """The stamps, with neighbours that only changed places put right."""
    right = list(stamps)
    for place in range(len(right) - 1):
        before, first, second, after = (right[i] if 0 <= i < len(right) else None for i in range(place - 1, place + 3))
        if first is None or second is None or not second < first:
            continue
        if (before is None or before < second) and (after is None or first < after) and (before, after) != (None, None):
            right[place], right[place + 1] = second, first
    return right


def _continued(stamps: Sequence[int | None], usual: int, limit: Fraction) -> list[int | None]:
    """The stamps, moved where the clock is set anew for good: back, or ahead by more than a still picture lasts."""
    moved: list[int | None] = []
    line: list[int] = []  # places of the stamps that go on from one another
    shift = 0
    for place, stamp in enumerate(stamps):
        moved.append(None if stamp is None else stamp + shift)
        if stamp is None:
            continue
        last = moved[line[-1]] if line else None
        if last is None or 0 < stamp + shift - last <= limit:
            line.append(place)
        elif _goes_on([one for one in stamps[place : place + 4] if one is not None], last - shift, limit):
            if len(line) <= 2:  # a false start: what follows is the clock
                for early in line:
                    moved[early] = None
            else:
                shift = last + usual - stamp
                moved[place] = stamp + shift
            line = [place]
    return moved


def _goes_on(stamps: list[int], last: int, limit: Fraction) -> bool:
    """Whether these stamps rise from the first of them and do not return to the clock that stood at `last`."""
    rises = len(stamps) > 2 and all(0 < b - a <= limit for a, b in itertools.pairwise(stamps))
    return rises and not 0 < stamps[1] - last <= limit


def _believable(stamps: list[int | None], limit: Fraction) -> list[int | None]:
    """The stamps of a longest rising row; of two frames at one time the one that leaves the evener steps stays."""
    kept: list[int | None] = [None] * len(stamps)
    row = [(place, stamp) for place, stamp in enumerate(stamps) if stamp is not None]
    chosen = [row[i] for i in _longest_rise([stamp for _, stamp in row], limit)]
    for place, stamp in chosen:
        kept[place] = stamp
    for before, (place, stamp), after in zip([None, *chosen], chosen, [*chosen[1:], None], strict=False):
        # Frames place and place + 1 say the same: the wider gap is where one of them belongs.
        doubled = place + 1 < len(stamps) and stamps[place + 1] == stamp and kept[place + 1] is None
        if doubled and before is not None and after is not None and stamp - before[1] > 1.5 * (after[1] - stamp):
            kept[place], kept[place + 1] = None, stamp
    return kept


def _longest_rise(stamps: list[int], limit: Fraction) -> list[int]:
    """Places of a longest strictly rising row, the earliest of equals, without leaps of more than `limit`."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = [-1] * len(stamps)
    for place, stamp in enumerate(stamps):
        at = bisect.bisect_left(tails, stamp)
        before[place] = places[at - 1] if at else -1
        if at == len(tails):
            tails.append(stamp)
            places.append(place)
        elif tails[at] != stamp:
            tails[at], places[at] = stamp, place
    row = []
    place = places[-1] if places else -1
    while place >= 0:
        row.append(place)
        place = before[place]
    row.reverse()
    # What is left of leaps ahead breaks the row: the longest piece is believed.
    breaks = [i for i in range(1, len(row)) if stamps[row[i]] - stamps[row[i - 1]] > limit]
    pieces = [row[a:b] for a, b in itertools.pairwise([0, *breaks, len(row)])]
    return max(pieces, key=len)


def _between(kept: list[int | None], usual: int) -> list[Fraction]:
    """Every time: what is missing stands evenly between its neighbours, or a usual step from the only one."""
    known = [place for place, stamp in enumerate(kept) if stamp is not None]
    if not known:
        return [Fraction(i * usual) for i in range(len(kept))]
    times: list[Fraction] = []
    for place, stamp in enumerate(kept):
        if stamp is not None:
            times.append(Fraction(stamp))
            continue
        following = bisect.bisect_right(known, place)
        after = known[following] if following < len(known) else None
        if after is None:
            times.append(times[-1] + usual)
        elif not times:
            times.append(Fraction(kept[after] or 0) - (after - place) * usual)
        else:
            times.append(times[-1] + (Fraction(kept[after] or 0) - times[-1]) / (after - place + 1))
    return times


def _fits(ticks: list[Fraction], exact: list[Fraction], parts: int) -> bool:
    """Whether times in whole ticks still rise and stay within a tenth of a step of what they should be."""
    whole = [round(tick) for tick in ticks]
    smallest = min((b - a for a, b in itertools.pairwise(exact)), default=Fraction(1))
    near = all(abs(a - b) <= smallest * parts / 10 for a, b in zip(whole, ticks, strict=True))
    return near and all(b > a for a, b in itertools.pairwise(whole))
