"""The time left of a whole job is honest, held against timings of real jobs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from escalier.headless.time_left import Job

# Seconds of one frame after another as they were measured on two busy cores (512x512, 2026-11-28): other programs run
# beside, so that some frames take three times as long as others.
PAINTED_S = [0.81, 0.93, 1.42, 0.88, 0.79, 2.31, 1.05, 0.83, 0.97, 1.61, 0.85, 0.9, 1.18, 0.8, 0.84, 1.95]
READ_S, MATCHED_S, WRITTEN_S, MEASURED_S = 0.009, 0.07, 0.06, 0.11
WEIGHTS = {"read": 0.0075, "match": 0.086, "paint": 0.73}  # what `Work` says of this size
FRAMES, PAINTED, CORES = 60, 110, 2


@dataclass
class Recording:
    """A job as it was: how fast its machine paints, and what happens once before the first painting."""

    slower: float = 1.0
    compiling: float = 0.0
    kept: bool = False
    honest_from: float = 0.1

    def events(self) -> Iterator[tuple[float, str, float, float, bool]]:
        """(seconds since the start, part, done, total, whether there is a picture)."""
        now, total = 0.0, FRAMES * (WEIGHTS["read"] + WEIGHTS["match"]) + PAINTED * WEIGHTS["paint"]
        if not self.kept:
            done = 0.0
            for kind, seconds in (("read", READ_S), ("match", MATCHED_S)):
                for _ in range(FRAMES):
                    now, done = now + seconds * min(max(self.slower, 1.0), 2.0), done + WEIGHTS[kind]
                    yield now, "painting", done / CORES, total / CORES, False
            for held in range(int(self.compiling / 0.1)):
                yield now + 0.1 * held, "compiling", done / CORES, total / CORES, False
            now += self.compiling
            for seconds in itertools.islice(itertools.cycle(PAINTED_S), PAINTED):
                for _ in range(4):  # told again and again without news, as `propagate` does
                    now += seconds * self.slower / CORES / 4
                    yield now, "painting", done / CORES, total / CORES, False
                done += WEIGHTS["paint"]
                yield now, "painting", done / CORES, total / CORES, True
        for part, seconds in (("writing", WRITTEN_S), ("measuring", MEASURED_S)):
            for index in range(FRAMES):
                now += seconds * min(max(self.slower, 1.0), 2.0)
                yield now, part, index + 1, FRAMES, True


RECORDINGS = {
    "as foretold": Recording(),
    "a machine four times slower": Recording(slower=4),
    "a card ten times faster": Recording(slower=0.1, honest_from=0.4),  # nobody knows before it paints
    "brushes are compiled first": Recording(compiling=25),
    "all runs are there": Recording(kept=True),
}


@pytest.mark.parametrize("recording", RECORDINGS.values(), ids=RECORDINGS.keys())
def test_the_time_left_is_right_within_a_factor_of_two_after_a_tenth_of_it(recording: Recording) -> None:
    events = list(recording.events())
    end, now, compiles = events[-1][0], 0.0, False
    job = Job({"painting": 0.0, "writing": 3.0, "measuring": 5.0}, clock=lambda: now)
    shares = [0.0]
    for now, part, done, total, picture in events:
        if part == "compiling" and not compiles:
            compiles = True
            job.once(15.0)
        job.tell(part.replace("compiling", "painting"), done, total, object() if picture else None)
        shares.append(job.share())
        if recording.honest_from * end <= now <= 0.95 * end:
            assert 0.5 < job.left() / (end - now) < 2, f"after {now:.1f} of {end:.1f} s"
        if now >= recording.honest_from * end:
            assert abs(job.share() - now / end) < 0.25
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1.0)


def test_parts_that_never_tell_anything_are_over_when_a_later_one_begins() -> None:
    now = 0.0
    job = Job({"painting": 100.0, "writing": 10.0, "measuring": 10.0}, clock=lambda: now)
    assert (job.part, job.left()) == ("painting", 120.0)
    now = 1.0
    job.tell("writing", 1, 10)
    assert job.part == "writing" and 15 < job.left() < 21


def test_a_total_that_shrinks_or_is_nothing_does_no_harm() -> None:
    now = 0.0
    job = Job({"painting": 0.0}, clock=lambda: now)
    for done, total in ((5, 10), (5, 20), (0, 0)):
        now += 1.0
        job.tell("painting", done, total)
        assert 0 <= job.share() <= 1 and job.left() >= 0
    assert job.share() == 1.0
