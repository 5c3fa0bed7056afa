"""No keyframe is carried across a cut, and a shot without one is refused before any work is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Size, make_clip
from escalier.keyframes import Keyframes
from escalier.propagation import Runs, Staircase, chains_of, propagate

CUT, LENGTH = 6, 11


@pytest.fixture(scope="module")
def film() -> ArrayFrames:
    """Six frames of an actor, then five of another, in other colours."""
    one, other = make_clip(Size(96, 64), CUT), make_clip(Size(96, 64), LENGTH - CUT, seed=5)
    second = [255 - other.frame(i)[::-1] for i in range(LENGTH - CUT)]
    return ArrayFrames(np.stack([one.frame(i) for i in range(CUT)] + second))


@pytest.fixture(scope="module")
def keyframes(film: ArrayFrames) -> Keyframes:
    return Keyframes([2, 8], [np.roll(film.frame(i), 1, axis=2) for i in (2, 8)], LENGTH)


@pytest.fixture(scope="module")
def runs(film: ArrayFrames, keyframes: Keyframes, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return propagate(film, keyframes, folder=tmp_path_factory.mktemp("runs"), threads=2)


@pytest.mark.slow
def test_runs_end_at_the_cut(runs: Runs) -> None:
    assert runs.cuts == (CUT,)
    assert {key: len(run) for key, run in runs.forward.items()} == {2: 4, 8: 3}
    assert {key: len(run) for key, run in runs.backward.items()} == {2: 3, 8: 3}


def test_each_frame_is_shown_by_runs_of_its_own_shot_alone(runs: Runs) -> None:
    for index in range(LENGTH):
        shown_by = {run.start for run in runs.at(index)}
        assert shown_by == (set() if index in (2, 8) else {2} if index < CUT else {8})


def test_the_staircase_is_cut_where_the_film_is(runs: Runs, film: ArrayFrames) -> None:
    staircase = Staircase(runs)
    for index in (CUT - 1, CUT):
        painted = np.roll(film.frame(index), 1, axis=2).astype(int)
        assert np.abs(staircase.frame(index) - painted).mean() < 25
    assert np.isfinite(runs.confidence()).all()


def test_a_keyframe_on_either_side_of_a_cut_has_a_run_of_itself() -> None:
    keyframes = Keyframes([5, 6], [np.zeros((8, 8, 3), np.uint8)] * 2, LENGTH)
    assert [chain.length for chain in chains_of(keyframes, [6])] == [1, 6, 5, 1]


def test_cuts_are_kept_with_the_runs(film, keyframes, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("escalier.film.cuts.news_between", lambda *_, **__: pytest.fail("looked for cuts again"))
    folder = runs.forward[2].folder.parent
    assert propagate(film, keyframes, folder=folder, threads=1).cuts == (CUT,)


@pytest.mark.parametrize(
    ("index", "match"),
    [
        (2, "got none in frames 6 to 10: the film is cut there, .* paint a keyframe in each"),
        (8, "got none in frames 0 to 5: the film is cut there"),
    ],
)
def test_a_shot_without_a_keyframe_is_refused_by_its_frames(film, tmp_path: Path, index: int, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        propagate(film, Keyframes([index], [film.frame(index)], LENGTH), folder=tmp_path)
    assert not list(tmp_path.glob("run_*"))


def test_hard_cuts_everywhere_are_refused_in_one_sentence(tmp_path: Path) -> None:
    film = ArrayFrames(np.random.default_rng(0).integers(0, 256, (9, 40, 48, 3), np.uint8))
    with pytest.raises(
        ValueError, match=r"none in frames 1 to 1 and .* and in frames 3 to 3 and 5 more shots: the film"
    ):
        propagate(film, Keyframes([0], [film.frame(0)], 9), folder=tmp_path)


def test_a_film_that_is_told_to_have_no_cuts_is_painted_through(film, tmp_path: Path) -> None:
    runs = propagate(film, Keyframes([2], [film.frame(2)], LENGTH), folder=tmp_path, cuts=(), threads=2)
    assert runs.cuts == () and len(runs.forward[2]) == LENGTH - 2


def test_cuts_may_be_told(film, keyframes, tmp_path: Path) -> None:
    runs = propagate(film, keyframes, folder=tmp_path, cuts=[5], threads=2)
    assert (len(runs.forward[2]), len(runs.backward[8])) == (3, 4)
    with pytest.raises(ValueError, match=r"propagate: cuts must be frame numbers in 1\.\.10, rising, got \[11\]"):
        propagate(film, keyframes, folder=tmp_path, cuts=[11])
