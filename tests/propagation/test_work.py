"""The progress of a propagation is told in seconds of work: a frame read is not a frame painted."""

from __future__ import annotations

from escalier.film import Size
from escalier.propagation.work import Work


def told_by(size: Size, matched: Size, frames: int = 10, paintings: int = 18) -> list[tuple[float, float]]:
    """What a whole job tells."""
    told: list[tuple[float, float]] = []
    work = Work(lambda done, total, picture: told.append((done, total)), frames, paintings, size, size, matched, size)
    for index in range(frames):
        work.searched(index + 1, frames)
    work.plan(paintings)
    for index in range(frames):
        work.read(index)
    for index in range(frames - 1):
        work.matched(index + 1, frames - 1)
    for _ in range(paintings):
        work.painted(None)  # type: ignore[arg-type]
    return told


def test_painting_is_most_of_the_work_and_reading_next_to_none() -> None:
    told = told_by(Size(960, 540), Size(960, 540))
    done, total = told[2 * 10 + 9 - 1]  # searched, read and matched
    assert 0.02 < done / total < 0.2
    assert told[0][0] / total < 0.01


def test_matching_at_a_smaller_size_is_less_work_but_the_full_size_still_counts() -> None:
    full, small = (told_by(Size(1920, 1080), side)[-1][1] for side in (Size(1920, 1080), Size(480, 270)))
    assert 3 < full / small < 8
    assert told_by(Size(3840, 2160), Size(480, 270))[-1][1] > 1.5 * small


def test_the_end_is_the_total_and_nothing_goes_backwards() -> None:
    told = told_by(Size(640, 360), Size(640, 360))
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_frames_and_flow_that_are_kept_from_before_count_as_done() -> None:
    told: list[tuple[float, float]] = []
    size = Size(64, 64)
    work = Work(lambda done, total, picture: told.append((done, total)), 10, 4, size, size, size, size)
    work.plan(4)
    work.matched(9)
    for _ in range(4):
        work.painted(None)  # type: ignore[arg-type]
    assert told[-1][0] == told[-1][1]
