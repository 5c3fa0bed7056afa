"""The keyframe advisor: where one more painted frame would help most, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from tempfile import TemporaryDirectory

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Footage, Motion, ShotMotion, find_cuts, frame_numbers, shots
from escalier.keyframes import Keyframes, Paths, best_together, check_indices, spread_evenly
from escalier.progress import Progress
from escalier.propagation import Runs
from escalier.refusals import Refusal

from .measurement import Measurement
from .run_trouble import RunTrouble, measured_trouble, run_trouble

COUNT = 3
UNSEEN = 64
"""Of 255: what a keyframe sees less well than this is as good as not seen by it."""
CANDIDATES_PER_KEYFRAME, CANDIDATES = 9, 60
LEAST_GAIN_FRAMES = 0.5
SUDDEN, SETTLED, WORTH = 0.08, 0.01, 0.45
"""A moment of uncovering loses 8 % of the picture in one frame and is over when it loses less than 1 % a frame. It is
preferred to the best frame if it adds at least 45 % as much. Fast motion loses about 5 % a frame, again and again."""
NAMED_UNSEEN, NAMED_DISAGREEMENT, NAMED_DOUBT, NAMED_CHANGE = 0.05, 0.1, 0.25, 2.0
SHORTEST_GAP, LONGEST_GAP_S = 4, 0.5


@dataclass(frozen=True)
class Suggestion:
    """One frame to paint.

    Attributes
    ----------
    frame
        Its number, counted from 0.
    gain
        The share of the whole film that it adds to what the keyframes hold, 0..1.
    reason
        A clause: "31 % of the picture is newly uncovered".
    """

    frame: int
    gain: float
    reason: str


@dataclass(frozen=True)
class Advice:
    """What `advise_keyframes` found.

    Attributes
    ----------
    suggestions
        The most helpful first; each reckons with those before it. Empty where one more would hardly help.
    keyframes
        Those there are.
    missing, missing_after
        float32 (N,), 0..1: how much of each frame the keyframes do not hold, now and with all suggestions.
    cuts
        The first frame of every shot but the first.
    bare_shots
        Shots that would still be without a keyframe, as (first, last) frame.
    first
        The number that people give to the first frame. What is said and drawn counts from it; all frames here count
        from 0.
    """

    suggestions: tuple[Suggestion, ...]
    keyframes: tuple[int, ...]
    missing: np.ndarray = field(repr=False)
    missing_after: np.ndarray = field(repr=False)
    cuts: tuple[int, ...]
    bare_shots: tuple[tuple[int, int], ...]
    first: int = 0

    def __len__(self) -> int:
        """Number of frames in the film."""
        return len(self.missing)

    @property
    def frames(self) -> tuple[int, ...]:
        """The suggested frames in the film's order."""
        return tuple(sorted(suggestion.frame for suggestion in self.suggestions))

    @property
    def all_frames(self) -> tuple[int, ...]:
        """The keyframes there are and the suggested ones, in the film's order."""
        return tuple(sorted({*self.keyframes, *self.frames}))

    def __str__(self) -> str:
        held, after = 1 - float(self.missing.mean()), 1 - float(self.missing_after.mean())
        lines = [_said(place, suggestion, self.first) for place, suggestion in enumerate(self.suggestions)]
        if lines:
            lines.append(f"the keyframes would then hold {_percent(after)} of the film instead of {_percent(held)}")
        else:
            lines.append(f"the keyframes hold {_percent(held)} of the film; one more would hardly help")
        if self.cuts:
            cuts = ", ".join(str(cut + self.first) for cut in self.cuts)
            lines.append(f"the film is cut before frame{'s' * (len(self.cuts) > 1)} {cuts}")
        if self.bare_shots:
            named = ", ".join(f"{a + self.first} to {b + self.first}" for a, b in self.bare_shots)
            lines.append(f"still without a keyframe: the shots of frames {named}; ask for more suggestions")
        return "\n".join(lines)


@checked
def advise_keyframes(
    film: Film,
    *,
    motion: Motion | None = None,
    keyframes: Keyframes | Sequence[int] | None = None,
    runs: Runs | None = None,
    measurement: Measurement | None = None,
    count: int = COUNT,
    progress: Progress | None = None,
) -> Advice:
    """Say where more keyframes would help most, from the source alone or after a draft.

    What the keyframes show is followed through the film, both ways, see `most_coverage`: what is newly uncovered is
    held by none of them, and what is far from them is held weakly. With runs, what the two runs of a gap paint
    differently, and frames of low confidence, count as held less; with a measurement, frames that jump. A suggestion
    is the frame that adds most to what is held; the next reckons with it. Where much is uncovered all at once on the
    way to it, the suggestion moves there: what follows is then painted from the moment at which it is first seen.
    Shots without a keyframe come first, the longest before the others, because nothing is propagated across a cut.
    Where there is no keyframe at all, the suggestions are those that see the most together.

    Report and picture number the frames as people do: by the measurement's `first`, else see `frame_numbers`.
    Memory as `most_coverage`. Two flows are read for every pair of frames; runs are read once.

    Parameters
    ----------
    film
        The filmed clip.
    motion
        How it moves; measured here, and forgotten, where it is not given.
    keyframes
        The keyframes there are, or only their frame numbers. Those of the runs by default; none is an answer too.
    runs
        What `propagate` or `draft` made of this film, or of a part of it, at any size.
    measurement
        What `measure_film` said of the restyled film.
    count
        Suggestions at most.
    progress
        Called as `progress(done, total)`. What it raises passes through.

    Returns
    -------
    Advice

    Raises
    ------
    ValueError
        If `count` is out of range, or keyframes, runs, motion or measurement belong to another film.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)] * 30))
    >>> advice = advise_keyframes(film, keyframes=[0], count=1)
    >>> advice.frames
    (19,)
    """
    indices = _known_keyframes(keyframes, runs)
    _check(film, motion, keyframes, indices, runs, measurement, count)
    length = len(film)
    told = _Told(progress, 2 * length - 1 + (0 if runs is None else len(runs)))
    with TemporaryDirectory(prefix="escalier-") as scratch:
        if motion is None:
            film = Footage.of(film, scratch)
            motion = Motion(film, scratch)
        known_cuts = runs.cuts if runs is not None and len(runs) == length else None
        cuts = find_cuts(film, motion, progress=told.part(length)) if known_cuts is None else known_cuts
        spacing = length / min(length, len(indices) + count)
        paths = Paths(ShotMotion(motion, cuts), length, spacing, told.part(length - 1))
    trouble = RunTrouble.none(length, paths.shape)
    if runs is not None:
        trouble = run_trouble(runs, length, paths.shape, told.part(len(runs)))
    if measurement is not None:
        trouble = replace(trouble, change=measured_trouble(measurement))
    first = frame_numbers(film)[0] if measurement is None else measurement.first
    gap = _least_gap(film, len(indices) + count)
    advisor = _Advisor(paths, indices, shots(length, cuts), trouble, gap, first)
    if not indices:
        advisor.prefer(best_together(paths, count))
    before = advisor.missing()
    suggestions: list[Suggestion] = []
    while len(suggestions) < count and (suggestion := advisor.suggest()) is not None:
        suggestions.append(suggestion)
    bare = tuple((shot.start, shot.stop - 1) for shot in advisor.bare_shots())
    return Advice(tuple(suggestions), indices, before, advisor.missing(), tuple(cuts), bare, first)


class _Advisor:
    """What the keyframes hold of every thumbnail pixel, and the search for what would add to it."""

    def __init__(
        self, paths: Paths, keyframes: Sequence[int], shots: list[range], trouble: RunTrouble, gap: int, first: int
    ) -> None:
        self._paths, self._shots, self._trouble, self._gap, self._first = paths, shots, trouble, gap, first
        self._pixels = paths.shape[0] * paths.shape[1]
        self._taken = list(keyframes)
        self._preferred: frozenset[int] = frozenset()
        self._known = paths.seen_from(sorted(keyframes)).together(range(len(keyframes)))
        self._held = np.rint(self._known * (1 - trouble.doubt())).astype(np.uint8)
        wanted = max(CANDIDATES, CANDIDATES_PER_KEYFRAME * (len(keyframes) + 1))
        coarse = {*spread_evenly(paths.length, min(paths.length, wanted)), *(s[len(s) // 2] for s in shots)}
        self._candidates = sorted(coarse)
        self._stride = -(-paths.length // wanted)
        self._seen = paths.seen_from(self._candidates)

    def prefer(self, frames: Sequence[int]) -> None:
        """Suggest these before any other: a whole set chosen together sees more than one frame after the other."""
        self._preferred = frozenset(frames)
        self._candidates = sorted({*self._candidates, *frames})
        self._seen = self._paths.seen_from(self._candidates)

    def missing(self) -> np.ndarray:
        """How much of each frame is not held, float32 (N,)."""
        return (1 - self._held.mean(axis=1) / 255).astype(np.float32)

    def bare_shots(self) -> list[range]:
        """Shots without a keyframe, the longest first."""
        bare = [shot for shot in self._shots if not any(frame in shot for frame in self._taken)]
        return sorted(bare, key=len, reverse=True)

    def suggest(self) -> Suggestion | None:
        """The next frame to paint, now counted as painted; None where none would help."""
        bare = self.bare_shots()
        allowed = set(bare[0]) if bare else {f for f in range(self._paths.length) if self._is_free(f)}
        allowed = allowed & self._preferred or allowed
        coarse = {self._candidates[k]: self._gain(k) for k in range(len(self._candidates))}
        coarse = {frame: gain for frame, gain in coarse.items() if frame in allowed}
        if not coarse or (not bare and max(coarse.values()) < LEAST_GAIN_FRAMES):
            return None
        best = max(coarse, key=lambda frame: coarse[frame])
        near = [f for f in range(best - self._stride, best + self._stride + 1) if f in allowed]
        frame, gain = self._best_of(near)
        if not bare:
            frame, gain = self._moved_to_where_it_is_uncovered(frame, gain, allowed)
        suggestion = Suggestion(frame, gain / self._paths.length, self._reason(frame, bare))
        self._take(frame)
        return suggestion

    def _is_free(self, frame: int) -> bool:
        return all(abs(frame - taken) >= self._gap for taken in self._taken)

    def _gain(self, k: int) -> float:
        """What candidate k adds, in whole frames."""
        return self._seen.gain(k, self._held) / (255 * self._pixels)

    def _best_of(self, frames: Sequence[int]) -> tuple[int, float]:
        seen = self._paths.seen_from(frames)
        gains = [seen.gain(k, self._held) / (255 * self._pixels) for k in range(len(frames))]
        k = int(np.argmax(gains))
        return frames[k], gains[k]

    def _moved_to_where_it_is_uncovered(self, best: int, gain: float, allowed: set[int]) -> tuple[int, float]:
        """The frame at which much appears at once on the way from a keyframe to the best frame, if it is worth it."""
        shot = next(shot for shot in self._shots if best in shot)
        found: list[tuple[float, int]] = []
        for towards in (1, -1):
            beyond = [t for t in self._taken if t in shot and (best - t) * towards > 0]
            if beyond:
                start = min(beyond, key=lambda taken: abs(best - taken))
                found.append(self._uncovering(start, best, towards))
        rise, moment = max(found, default=(0.0, best))
        if rise < SUDDEN or moment not in allowed:
            return best, gain
        _, worth = self._best_of([moment])
        return (moment, worth) if worth >= WORTH * gain else (best, gain)

    def _uncovering(self, start: int, best: int, towards: int) -> tuple[float, int]:
        """The largest share of the picture lost from one frame to the next, and the frame at which that has settled."""
        unseen = self._unseen()
        rises = {t: float(unseen[t] - unseen[t - towards]) for t in range(start + towards, best + towards, towards)}
        moment = max(rises, key=lambda t: rises[t])
        rise = rises[moment]
        while moment != best and rises[moment + towards] >= SETTLED:
            moment += towards
        return rise, moment

    def _unseen(self) -> np.ndarray:
        """Share of each frame that no keyframe sees, whatever became of it in the runs."""
        return (self._known < UNSEEN).mean(axis=1)

    def _take(self, frame: int) -> None:
        seen = self._paths.seen_from([frame])
        for held in (self._known, self._held):
            np.maximum(held[seen.window(0)], seen.values[0], out=held[seen.window(0)])
        self._taken.append(frame)

    def _reason(self, frame: int, bare: list[range]) -> str:
        if not self._taken and len(self._shots) == 1:
            return "there is none yet"
        if bare:
            shot = bare[0].start + self._first, bare[0].stop - 1 + self._first
            return "the shot of frames {} to {} has no keyframe".format(*shot)
        trouble = self._trouble
        unseen, apart = float(self._unseen()[frame]), float(trouble.apart[frame])
        doubt, change = 1 - float(trouble.confidence[frame]), float(trouble.change[frame])
        reasons = [
            (unseen, unseen >= NAMED_UNSEEN, f"{_percent(unseen)} of the picture is newly uncovered"),
            (apart, apart >= NAMED_DISAGREEMENT, f"the two runs disagree over {_percent(apart)} of the picture"),
            (doubt / 2, doubt >= NAMED_DOUBT, f"confidence fell to {1 - doubt:.2f} of 1"),
            (0.0, change >= NAMED_CHANGE, f"the picture changes {change:.1f} times as much as usual there"),
        ]
        named = [text for _, is_named, text in sorted(reasons, key=lambda reason: -reason[0]) if is_named]
        if named:
            return " and ".join(named[:2])
        distance = min(abs(frame - taken) for taken in self._taken)
        return f"the nearest one is {distance} frames away"


class _Told:
    """One progress over several parts."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._begun = progress, total, 0

    def part(self, units: int) -> Callable[..., object]:
        """The progress of the next part, which has so many units."""
        begun, self._begun = self._begun, self._begun + units

        def progress(done: int, *_: object) -> None:
            if self._progress is not None:
                self._progress(begun + done, self._total)

        return progress


def _said(place: int, suggestion: Suggestion, first: int) -> str:
    named = "a keyframe at frame {} would help most" if place == 0 else "then one at frame {}"
    return f"{named.format(suggestion.frame + first)}, because {suggestion.reason}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _least_gap(film: Film, keyframes: int) -> int:
    """Frames between keyframes, at least: a quarter of the even spacing, half a second at most.

    Four frames where the film has room for them: in half of the even spacing.
    """
    usual = min(len(film) // (4 * keyframes), round(film.rate * LONGEST_GAP_S))
    return max(1, usual, min(SHORTEST_GAP, len(film) // (2 * keyframes)))


def _known_keyframes(keyframes: Keyframes | Sequence[int] | None, runs: Runs | None) -> tuple[int, ...]:
    if isinstance(keyframes, Keyframes):
        return keyframes.indices
    if keyframes is not None:
        return tuple(int(index) for index in keyframes)
    return () if runs is None else tuple(runs.first + index for index in runs.keyframes.indices)


def _check(
    film: Film,
    motion: Motion | None,
    keyframes: Keyframes | Sequence[int] | None,
    indices: tuple[int, ...],
    runs: Runs | None,
    measurement: Measurement | None,
    count: int,
) -> None:
    length = len(film)
    if not 1 <= count <= length:
        raise Refusal("count", f"lie in 1..{length}, the film's length", count, "ask for fewer keyframes")
    if isinstance(keyframes, Keyframes) and keyframes.length != length:
        rule, got = f"belong to a film of {length} frames", f"keyframes of one of {keyframes.length}"
        raise Refusal("keyframes", rule, got, "choose them from the same clip, with the same trim")
    if indices:
        check_indices(indices, length)
    if motion is not None and len(motion) != length:
        raise Refusal(
            "motion", f"be that of a film of {length} frames", f"one of {len(motion)}", "measure it on this film"
        )
    if runs is not None and (runs.whole or len(runs)) != length:
        rule, got = f"be those of a film of {length} frames", f"runs of one of {runs.whole or len(runs)}"
        raise Refusal("runs", rule, got, "connect the film that they were made from")
    if measurement is not None and measurement.length != length:
        rule = f"be that of a film of {length} frames"
        raise Refusal("measurement", rule, f"one of {measurement.length}", "measure the whole film, or unplug it")
