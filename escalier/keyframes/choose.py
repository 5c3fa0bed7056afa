"""Which frames to paint: every n frames, evenly, so many a second, where motion uncovers the most, or by number."""

import math
import re
from collections.abc import Sequence
from fractions import Fraction

from escalier.arguments import checked
from escalier.film import Film, ShotMotion, find_cuts, frame_numbers
from escalier.progress import Progress
from escalier.refusals import Refusal

from .coverage import NeighbourMotion, most_coverage, spread_evenly
from .keyframes import check_indices

MODES = ("per second", "count", "every n", "motion", "list")
PER_SECOND = 0.5


@checked
def choose_keyframes(
    film: Film,
    mode: str = "per second",
    *,
    per_second: float = PER_SECOND,
    count: int | None = None,
    n: int | None = None,
    motion: NeighbourMotion | None = None,
    minimum_gap: int | None = None,
    frames: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> tuple[int, ...]:
    """Choose the frames of a film that are to be painted.

    Parameters
    ----------
    film
        Its length and rate are read; by "motion", every frame once, to find its cuts.
    mode
        "per second": as many as `per_second` gives, spread as by "count". "count": spread evenly, see `evenly`.
        "every n": frames 0, n, 2n and so on. "motion": `count` of them (by default as many as `per_second` gives),
        where together they see the most of the film, see `most_coverage`; nothing is seen across a cut. "list": those
        that `frames` names.
    per_second
        More keyframes hold the look better and cost more painting; over 2, fades get too short and look like jump
        cuts. 0.5 by default: one every two seconds gives fades long enough to go unnoticed.
    count
        How many, at most the film's length. "motion" may choose fewer where `minimum_gap` leaves no room.
    n
        Frames from one keyframe to the next.
    motion
        How the film moves; needed by "motion" alone.
    minimum_gap
        Frames from one keyframe to the next, at least; "motion" alone. A quarter of the even spacing by default.
    frames
        Frame numbers, rising; needed by "list" alone.
    progress
        Called as `progress(done, total)` while "motion" reads the film, then its motion.

    Returns
    -------
    tuple of int
        Frame numbers, counted from 0, rising. Never empty, and never more than asked.

    Raises
    ------
    ValueError
        If the mode is unknown, the mode's own argument is missing or out of range.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.zeros((240, 4, 4, 3), np.uint8), rate=24)
    >>> choose_keyframes(film), choose_keyframes(film, "every n", n=100)
    ((24, 72, 120, 168, 216), (0, 100, 200))
    """
    length = len(film)
    if mode not in MODES:
        raise Refusal("mode", f"be one of {', '.join(MODES)}", f"{mode!r}", "choose one of them")
    if mode == "list":
        if not frames:
            raise Refusal("frames", "be given for mode 'list'", "none", "name them, as 0, 24, 48")
        check_indices(frames, length)
        return tuple(int(frame) for frame in frames)
    if mode == "every n":
        return every_n(length, _given("n", n, mode))
    if mode == "count":
        return evenly(length, _given("count", count, mode))
    if count is None or mode == "per second":
        count = count_per_second(length, film.rate, per_second)
    if mode == "per second":
        return evenly(length, count)
    if motion is None:
        raise Refusal("motion", "be given for mode 'motion'", "none", "connect the film's motion")
    _check_count(length, count)
    one_shot = ShotMotion(motion, find_cuts(film, motion, progress=progress))
    return most_coverage(one_shot, length, count, minimum_gap=minimum_gap, progress=progress)


def every_n(length: int, n: int) -> tuple[int, ...]:
    """Frames 0, n, 2n and so on: where an artist looks for them who counts frames.

    The frames after the last one are painted from one side only; `evenly` keeps that stretch as short as can be.

    >>> every_n(100, 30)
    (0, 30, 60, 90)
    """
    if n < 1:
        raise Refusal("n", "be at least 1 frame", n, "48 is one keyframe every two seconds at 24 fps", who="every_n")
    return tuple(range(0, length, n))


def evenly(length: int, count: int) -> tuple[int, ...]:
    """`count` frames, each in the middle of its share of the film.

    So no frame is further than half a share from a keyframe, and nothing is better for one keyframe than the middle.
    Before the first and after the last keyframe there is no second side to fade with; those two stretches are half as
    long as the fades between keyframes, because a keyframe decays with distance. Keyframes on the very ends of the
    film would leave longer gaps for the same number of pictures.

    >>> evenly(100, 1), evenly(100, 4), evenly(3, 3)
    ((50,), (12, 37, 62, 87), (0, 1, 2))
    """
    _check_count(length, count)
    return spread_evenly(length, count)


def count_per_second(length: int, rate: Fraction | float, per_second: float = PER_SECOND) -> int:
    """How many keyframes a film gets at so many a second: rounded, at least 1, at most one for each frame.

    >>> count_per_second(353, 25), count_per_second(10, 25)
    (7, 1)
    """
    if not 0 < per_second < math.inf:
        raise Refusal("per_second", "be > 0 and finite", per_second, "0.5 is a good value", who="count_per_second")
    if not rate > 0:
        raise Refusal("rate", "be > 0 frames per second", rate, "check the clip", who="count_per_second")
    return min(length, max(1, round(float(length / Fraction(rate)) * per_second)))


@checked
def parse_indices(text: str, length: int) -> list[int]:
    """Frame numbers from text: "0, 24, 48", "0 24 48" or "[0, 24, 48]", rising and inside the film.

    Parameters
    ----------
    text
        Whole numbers from 0, separated by commas, semicolons, spaces or line ends, with or without brackets.
    length
        Number of frames in the film.

    Raises
    ------
    ValueError
        Naming the part of the text that is no frame number, or the number that is out of order or out of the film.

    >>> parse_indices("0, 24 48", length=49)
    [0, 24, 48]
    """
    inner = text.strip()
    if inner.startswith("[") and inner.endswith("]"):
        inner = inner[1:-1]
    indices = []
    for part in re.split(r"[\s,;]+", inner.strip(" ,;\n\t\r")):
        if part and not re.fullmatch(r"[+-]?[0-9]+", part):
            raise Refusal("indices", "be whole frame numbers such as '0, 24, 48'", f"{part!r}", "remove or replace it")
        indices += [int(part)] if part else []
    check_indices(indices, length)
    return indices


@checked
def parse_frames(text: str, film: Film, first: int | None = None) -> list[int]:
    """Indices of frames from text that gives their numbers, as `parse_indices` reads it.

    Parameters
    ----------
    text
        Frame numbers as people give them, such as those of a folder film's plates.
    film
        The film that they belong to.
    first
        The number of the film's first frame. None goes by the plates' own numbers, else by 0.

    >>> from escalier.film import ArrayFrames
    >>> parse_frames("1, 3", ArrayFrames(np.zeros((3, 4, 4, 3), np.uint8)), first=1)
    [0, 2]
    """
    numbers = frame_numbers(film, first)
    typed = parse_indices(text, numbers[-1] + 1)
    for number in typed:
        if number not in numbers:
            rule = f"be numbers of the film, {numbers[0]} to {numbers[-1]}"
            raise Refusal("frames", rule, number, f"it has {len(numbers)} frames")
    return [numbers.index(number) for number in typed]


@checked
def format_indices(indices: Sequence[int]) -> str:
    """Frame numbers as text that `parse_indices` reads.

    >>> format_indices((0, 24, 48))
    '0, 24, 48'
    """
    return ", ".join(str(int(index)) for index in indices)


def _given(name: str, value: int | None, mode: str) -> int:
    if value is None:
        raise Refusal(name, f"be given for mode {mode!r}", "none", f"set {name}")
    return value


def _check_count(length: int, count: int) -> None:
    if count < 1:
        raise Refusal("count", "be at least 1", count, "ask for one keyframe or more")
    if count > length:
        raise Refusal("count", f"be at most the film's {length} frame{'s' * (length > 1)}", count, "ask for fewer")
