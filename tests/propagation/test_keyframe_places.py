"""Which runs a set of keyframes calls for, float pictures, one mask for all frames, and what a crash leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Size, make_clip
from escalier.keyframes import Keyframes
from escalier.propagation import Runs, Staircase, make_run, propagate

LENGTH = 7


@pytest.fixture(scope="module")
def film() -> ArrayFrames:
    clip = make_clip(Size(64, 48), LENGTH)
    return ArrayFrames(np.stack([clip.frame(i) for i in range(LENGTH)]))


def inverted(film: ArrayFrames, *places: int) -> Keyframes:
    return Keyframes(places, [255 - film.frame(i) for i in places], len(film))


def same(one: Runs, other: Runs) -> bool:
    pairs = [(one.forward[k], other.forward[k]) for k in one.forward]
    pairs += [(one.backward[k], other.backward[k]) for k in one.backward]
    return all((a.frames == b.frames).all() and (a.guide_error == b.guide_error).all() for a, b in pairs)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each frame that is synthesised."""
    made: list[int] = []
    synthesise = make_run.synthesise

    def counted(*arguments, **settings):
        made.append(1)
        return synthesise(*arguments, **settings)

    monkeypatch.setattr(make_run, "synthesise", counted)
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("places", "forward", "backward"),
    [
        ((3,), {3: 4}, {3: 4}),
        ((0,), {0: 7}, {0: 1}),
        ((6,), {6: 1}, {6: 7}),
        ((0, 6), {0: 6, 6: 1}, {0: 1, 6: 6}),
        ((2, 3), {2: 1, 3: 4}, {2: 3, 3: 1}),
        ((0, 1, 6), {0: 1, 1: 5, 6: 1}, {0: 1, 1: 1, 6: 5}),
        ((1, 3, 5), {1: 2, 3: 2, 5: 2}, {1: 2, 3: 2, 5: 2}),
    ],
    ids=["middle", "first", "last", "both ends", "neighbours", "ends and neighbours", "three"],
)
def test_runs_reach_from_each_keyframe_to_its_neighbours(
    film, tmp_path: Path, calls, places, forward, backward
) -> None:
    keyframes = inverted(film, *places)
    runs = propagate(film, keyframes, folder=tmp_path, threads=1)
    assert {k: len(r) for k, r in runs.forward.items()} == forward
    assert {k: len(r) for k, r in runs.backward.items()} == backward
    assert all(r.direction == 1 for r in runs.forward.values()) and all(
        r.direction == -1 for r in runs.backward.values()
    )
    assert len(calls) == sum(n - 1 for n in [*forward.values(), *backward.values()])
    staircase = Staircase(runs)
    for index, picture in keyframes:
        assert (staircase.frame(index) == picture).all()
        assert all((side[index].frame(index) == picture).all() for side in (runs.forward, runs.backward))
    assert all(staircase.frame(i).shape == (48, 64, 3) for i in range(LENGTH))


@pytest.mark.slow
def test_float_pictures_and_a_float_film_give_the_same_bits_as_8_bit_ones(film, tmp_path: Path) -> None:
    keyframes = inverted(film, 0, 6)
    floats = ArrayFrames(np.stack([film.frame(i) for i in range(LENGTH)]).astype(np.float32) / 255)
    painted = keyframes.with_pictures([p.astype(np.float32) / 255 for p in keyframes.pictures])
    runs = propagate(floats, painted, folder=tmp_path / "float", threads=1)
    assert same(runs, propagate(film, keyframes, folder=tmp_path / "uint8", threads=1))
    assert (Staircase(runs).frame(6) == keyframes.pictures[1]).all()


@pytest.mark.slow
def test_one_mask_for_all_frames_is_the_same_mask_in_each(film, tmp_path: Path) -> None:
    keyframes, mask = inverted(film, 3), np.zeros((48, 64), np.float32)
    mask[10:40, 20:44] = 1
    one = propagate(film, keyframes, folder=tmp_path / "one", masks=[mask], threads=1)
    assert same(one, propagate(film, keyframes, folder=tmp_path / "all", masks=[mask] * LENGTH, threads=1))


@pytest.mark.slow
def test_threads_do_not_change_a_bit(film, tmp_path: Path) -> None:
    keyframes = inverted(film, 1, 5)
    one, two, four = (propagate(film, keyframes, folder=tmp_path / str(n), threads=n) for n in (1, 2, 4))
    assert same(one, two) and same(one, four)


@pytest.mark.slow
def test_a_second_call_makes_nothing_and_a_repainted_keyframe_only_its_own_runs(film, tmp_path: Path, calls) -> None:
    keyframes = inverted(film, 1, 5)
    first = propagate(film, keyframes, folder=tmp_path, threads=1)
    assert len(calls) == 1 + 3 + 3 + 1
    calls.clear()
    assert same(first, propagate(film, keyframes, folder=tmp_path, threads=1))
    assert calls == []
    repainted = keyframes.with_pictures([keyframes.pictures[0], film.frame(5)])
    second = propagate(film, repainted, folder=tmp_path, threads=1)
    assert len(calls) == 3 + 1
    assert (second.forward[1].frames == first.forward[1].frames).all()
    assert (second.backward[5].frames[0] == film.frame(5)).all()


@pytest.mark.slow
@pytest.mark.parametrize("keep", [2, 4], ids=["within the first run", "within the second run"])
def test_what_was_made_before_a_crash_is_not_made_again(film, tmp_path: Path, monkeypatch, keep: int) -> None:
    keyframes = inverted(film, 3)
    synthesise, made = make_run.synthesise, []

    def crashing(*arguments, **settings):
        made.append(1)
        if len(made) == keep + 1:
            raise MemoryError("simulated")
        return synthesise(*arguments, **settings)

    monkeypatch.setattr(make_run, "synthesise", crashing)
    with pytest.raises(MemoryError, match="simulated"):
        propagate(film, keyframes, folder=tmp_path, threads=1)
    assert not [path for path in tmp_path.rglob("*") if "part" in path.name]
    made[:] = [1] * 100
    again = propagate(film, keyframes, folder=tmp_path, threads=1)
    assert len(made) - 100 == 6 - keep, "two runs of 3 frames; each frame that was made is kept"
    assert same(again, propagate(film, keyframes, folder=tmp_path / "fresh", threads=1))


def test_confidence_falls_away_from_the_keyframe(film, tmp_path: Path) -> None:
    runs = propagate(film, inverted(film, 0), folder=tmp_path, threads=1)
    confidence = runs.confidence()
    assert confidence[0] == 1
    assert (confidence[1:] < 1).all() and (confidence > 0).all()
    assert confidence[1] > confidence[3] > confidence[6]
