"""The time left of a whole job is honest, held against a recorded job and against invented ones of other kinds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from escalier.commands.time_left import Job

# What one real job told: 48 frames of 480x270 with 3 keyframes on two cores of an AMD EPYC with other programs beside,
# 2026-11-28. Seconds since its start and how much was done, with a star where there was a picture. Left out: moments at
# which nothing was new, and most of those while the film was read, written and measured.
TOTALS = {"painting": 17.252848, "writing": 48, "measuring": 48}
GUESSED = {"painting": 0.0, "writing": 1.48416, "measuring": 2.10624}
RECORDED = {
    "painting": """
        0.01 0.00, 0.02 0.01, 0.03 0.02, 0.04 0.03, 0.05 0.04, 0.05 0.05, 0.06 0.05, 0.07 0.06, 0.08 0.07, 0.09
        0.09, 0.10 0.10, 0.11 0.11, 0.11 0.12, 0.12 0.14, 0.12 0.15, 0.13 0.16, 0.23 0.19, 0.38 0.32, 0.53 0.45,
        0.65 0.59, 0.80 0.72, 0.95 0.85, 1.08 0.98, 1.23 1.11, 2.73 1.39*, 2.73 1.58*, 2.98 1.77*, 2.99 1.97*, 3.23
        2.16*, 3.25 2.35*, 3.48 2.55*, 3.49 2.74*, 3.75 2.94*, 3.79 3.13*, 4.04 3.32*, 4.11 3.52*, 4.41 3.71*, 4.42
        3.90*, 4.66 4.10*, 4.69 4.29*, 4.93 4.48*, 4.93 4.68*, 5.19 4.87*, 5.19 5.06*, 5.45 5.26*, 5.46 5.45*, 5.69
        5.64*, 5.71 5.84*, 5.97 6.03*, 6.02 6.22*, 6.25 6.42*, 6.34 6.61*, 6.53 6.80*, 6.60 7.00*, 6.86 7.19*, 6.88
        7.39*, 7.13 7.58*, 7.15 7.77*, 7.39 7.97*, 7.40 8.16*, 7.65 8.35*, 7.67 8.55*, 7.95 8.74*, 7.96 8.93*, 8.15
        9.13*, 8.18 9.32*, 8.40 9.51*, 8.48 9.71*, 8.60 9.90*, 8.75 10.09*, 8.81 10.29*, 9.05 10.48*, 9.08 10.67*,
        9.25 10.87*, 9.26 11.06*, 9.42 11.25*, 9.47 11.45*, 9.60 11.64*, 9.73 11.84*, 9.82 12.03*, 10.01 12.22*,
        10.07 12.42*, 10.24 12.61*, 10.30 12.80*, 10.49 13.00*, 10.53 13.19*, 10.75 13.38*, 10.78 13.58*, 11.02
        13.77*, 11.03 13.96*, 11.31 14.16*, 11.37 14.35*, 11.61 14.54*, 11.63 14.74*, 11.88 14.93*, 11.90 15.12*,
        12.14 15.32*, 12.17 15.51*, 12.48 15.71*, 12.48 15.90*, 12.73 16.09*, 12.84 16.29*, 12.98 16.48*, 13.13
        16.67*, 13.26 16.87*, 13.46 17.06*, 13.80 17.25*
    """,
    "writing": """
        13.91 1.00*, 13.91 4.00*, 14.03 8.00*, 14.11 12.00*, 14.19 16.00*, 14.28 20.00*, 14.37 24.00*, 14.51 28.00*,
        14.59 32.00*, 14.67 36.00*, 14.76 40.00*, 14.92 44.00*, 14.99 48.00*
    """,
    "measuring": """
        15.42 1.00*, 15.47 4.00*, 15.65 8.00*, 15.92 12.00*, 16.18 16.00*, 16.46 20.00*, 16.63 24.00*, 16.81 28.00*,
        17.07 32.00*, 17.39 36.00*, 17.71 40.00*, 17.90 44.00*, 17.95 48.00*
    """,
}

# Invented jobs besides, of kinds that one recording cannot hold. Some frames take three times as long as others, as
# they do where other programs run.
PAINTED_S = [0.81, 0.93, 1.42, 0.88, 0.79, 2.31, 1.05, 0.83, 0.97, 1.61, 0.85, 0.9, 1.18, 0.8, 0.84, 1.95]
READ_S, MATCHED_S, WRITTEN_S, MEASURED_S = 0.009, 0.07, 0.06, 0.11
WEIGHTS = {"read": 0.0075, "match": 0.086, "paint": 0.73}  # what `Work` says of this size
FRAMES, PAINTED, CORES = 60, 110, 2


@dataclass
class Invented:
    """A job as it may be: how fast its machine paints, and what happens once before the first painting."""

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


INVENTED = {
    "as foretold": Invented(),
    "a machine four times slower": Invented(slower=4),
    "a card ten times faster": Invented(slower=0.1, honest_from=0.4),  # nobody knows before it paints
    "brushes are compiled first": Invented(compiling=25),
    "all runs are there": Invented(kept=True),
}


def test_the_time_left_of_a_real_job_was_right_within_two_fifths_from_its_start_on() -> None:
    events = [
        (float(moment), part, float(done.rstrip("*")), done.endswith("*"))
        for part, text in RECORDED.items()
        for moment, done in (entry.split() for entry in text.split(","))
    ]
    end, now = events[-1][0], 0.0
    job = Job(GUESSED, clock=lambda: now)
    for now, part, done, picture in events:
        job.tell(part, done, TOTALS[part], object() if picture else None)
        if now <= 0.95 * end:
            assert 0.6 < job.left() / (end - now) < 1.6, f"after {now:.1f} of {end:.1f} s"
        assert abs(job.share() - now / end) < 0.1
    assert job.share() == pytest.approx(1.0)


@pytest.mark.parametrize("invented", INVENTED.values(), ids=INVENTED.keys())
def test_the_time_left_is_right_within_a_factor_of_two_after_a_tenth_of_it(invented: Invented) -> None:
    events = list(invented.events())
    end, now, compiles = events[-1][0], 0.0, False
    job = Job({"painting": 0.0, "writing": 3.0, "measuring": 5.0}, clock=lambda: now)
    shares = [0.0]
    for now, part, done, total, picture in events:
        if part == "compiling" and not compiles:
            compiles = True
            job.once(15.0)
        job.tell(part.replace("compiling", "painting"), done, total, object() if picture else None)
        shares.append(job.share())
        if invented.honest_from * end <= now <= 0.95 * end:
            assert 0.5 < job.left() / (end - now) < 2, f"after {now:.1f} of {end:.1f} s"
        if now >= invented.honest_from * end:
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
