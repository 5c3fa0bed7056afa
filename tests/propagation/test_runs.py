"""Runs: the keyframe itself, the same bits for the same seed, cancel, crash and resume, and what is refused."""

from __future__ import annotations

import itertools
import subprocess
import sys
import textwrap
import threading
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion, Size
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import FilmMatching, Guides, chains_of, propagate


class ForwardOnlyFilm:
    """A film that is not an array, read by one thread at a time, like a video decoder."""

    def __init__(self, frames: np.ndarray) -> None:
        self._frames = frames
        self.reads: list[tuple[int, int]] = []

    @property
    def size(self) -> Size:
        return Size(self._frames.shape[2], self._frames.shape[1])

    @property
    def rate(self) -> Fraction:
        return Fraction(25)

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> np.ndarray:
        self.reads.append((index, threading.get_ident()))
        return self._frames[index]


def bits(runs) -> list[np.ndarray]:
    return [np.array(run.frames) for side in (runs.forward, runs.backward) for _, run in sorted(side.items())]


def same(one, other) -> bool:
    return all((a == b).all() for a, b in zip(bits(one), bits(other), strict=True))


def short(shot, length: int = 4, place: int = 1) -> tuple[ArrayFrames, Keyframes]:
    film = ArrayFrames(np.stack([shot.film.frame(i) for i in range(length)]))
    return film, Keyframes([place], [paint_picture(film.frame(place), "poster")], length=length)


def test_every_keyframe_goes_both_ways_to_its_neighbours_and_to_the_ends(shot) -> None:
    assert [(c.start, c.stop) for c in chains_of(shot.keyframes)] == [(2, 10), (2, -1), (10, 13), (10, 2)]
    runs = shot.runs
    assert {key: len(run) for key, run in runs.forward.items()} == {2: 8, 10: 3}
    assert {key: len(run) for key, run in runs.backward.items()} == {2: 3, 10: 8}


def test_the_keyframe_is_in_its_runs_bit_for_bit(shot) -> None:
    for index, picture in shot.keyframes:
        assert (shot.runs.forward[index].frame(index) == picture).all()
        assert (shot.runs.backward[index].frame(index) == picture).all()


def test_stylised_frames_resemble_the_film_painted_frame_by_frame(shot) -> None:
    for index in (4, 7):
        truth = paint_picture(shot.film.frame(index), "poster").astype(int)
        still = np.abs(truth - shot.keyframes.pictures[0]).mean()
        made = np.abs(truth - shot.runs.forward[2].frame(index)).mean()
        assert made < 0.7 * still


def test_confidence_is_one_at_keyframes_and_lower_far_from_them(shot) -> None:
    confidence = shot.runs.confidence()
    assert confidence[[2, 10]].tolist() == [1, 1]
    assert ((confidence > 0) & (confidence <= 1)).all()
    own = shot.runs.forward[2].confidence
    assert own[-1] < own[1] < own[0]


def test_the_guide_error_is_kept_for_every_frame_and_nothing_at_the_keyframe(shot) -> None:
    run = shot.runs.backward[10]
    assert run.guide_error.shape == run.frames.shape[:3]
    assert (run.error(10) == 0).all()
    assert float(run.error(6).mean()) > 0


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 4])
def test_same_seed_same_bits_on_any_number_of_threads(shot, tmp_path: Path, threads: int) -> None:
    again = propagate(shot.film, shot.keyframes, folder=tmp_path, threads=threads)
    assert same(again, shot.runs)


def test_another_seed_gives_other_bits(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot)
    one, other = (propagate(film, keyframes, folder=tmp_path, threads=1, seed=seed) for seed in (0, 1))
    assert not same(one, other)


def test_a_film_that_reads_forwards_only_is_read_so_and_gives_the_same_bits(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot)
    decoder = ForwardOnlyFilm(np.stack([film.frame(i) for i in range(4)]))
    runs = propagate(decoder, keyframes, folder=tmp_path / "a", motion=Motion(film, tmp_path), threads=2)
    indices = [index for index, _ in decoder.reads]
    assert all(b >= a or b == 0 for a, b in itertools.pairwise(indices))
    assert len({thread for _, thread in decoder.reads}) == 1
    assert same(runs, propagate(film, keyframes, folder=tmp_path / "b", threads=2))


def test_runs_that_are_there_are_not_made_again(shot) -> None:
    told: list[int] = []
    again = propagate(
        shot.film,
        shot.keyframes,
        folder=shot.folder,
        motion=shot.motion,
        progress=lambda done, total, picture=None: told.append(done),
    )
    assert set(told) == {0}, "told only so that a cancel is heard"
    assert same(again, shot.runs)


def test_a_keyframe_painted_anew_makes_only_its_own_runs_anew(shot) -> None:
    stylised: list[np.ndarray] = []
    keyframes = shot.keyframes.with_pictures([shot.keyframes.pictures[0], 255 - shot.keyframes.pictures[1]])
    propagate(
        shot.film,
        keyframes,
        folder=shot.folder,
        motion=shot.motion,
        threads=2,
        progress=lambda done, total, picture=None: stylised.append(picture) if picture is not None else None,
    )
    assert len(stylised) == 2 + 7


@pytest.mark.slow
@pytest.mark.parametrize("change", ["weights", "matching", "film"])
def test_runs_of_other_settings_are_not_taken_for_these(shot, tmp_path: Path, change: str) -> None:
    film, keyframes = short(shot)
    propagate(film, keyframes, folder=tmp_path, threads=1)
    before = set(tmp_path.glob("run_*"))
    arguments = {
        "weights": {"guides": Guides(colour=5)},
        "matching": {"matching": FilmMatching(patch_size=3)},
        "film": {},
    }
    if change == "film":
        film = ArrayFrames(np.stack([film.frame(i) for i in range(3)] + [film.frame(2)]))
    propagate(film, keyframes, folder=tmp_path, threads=1, **arguments[change])
    assert len(set(tmp_path.glob("run_*")) - before) == 2


def test_progress_is_told_only_by_the_calling_thread_and_ends_at_its_total(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot)
    told: list[tuple[float, float]] = []
    tellers: set[int] = set()

    def progress(done: float, total: float, picture: np.ndarray | None = None) -> None:
        told.append((done, total))
        tellers.add(threading.get_ident())

    propagate(film, keyframes, folder=tmp_path, threads=2, progress=progress)
    assert tellers == {threading.get_ident()}
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


@pytest.mark.slow
@pytest.mark.parametrize("when", [1, 5, 9, None], ids=["reading", "searching", "flow", "stylising"])
def test_a_cancel_leaves_nothing_half_written_and_no_thread_behind(shot, tmp_path: Path, when: int | None) -> None:
    film, keyframes = short(shot, length=4)
    calls = itertools.count(1)

    def cancel(done: float, total: float, picture: np.ndarray | None = None) -> None:
        if picture is not None or next(calls) == when:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        propagate(film, keyframes, folder=tmp_path, threads=2, progress=cancel)
    assert not [path for path in tmp_path.rglob("*") if "part" in path.name]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("escalier-run")]
    propagate(film, keyframes, folder=tmp_path, threads=1)


@pytest.mark.slow
def test_a_killed_job_goes_on_where_it_stopped(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot, length=5)
    np.save(tmp_path / "film.npy", np.stack([film.frame(i) for i in range(5)]))
    np.save(tmp_path / "key.npy", keyframes.pictures[0])
    code = f"""
        import os, numpy as np
        from pathlib import Path
        from escalier.film.frames import ArrayFrames
        from escalier.keyframes import Keyframes
        from escalier.propagation import propagate
        film = ArrayFrames(np.load({str(tmp_path / "film.npy")!r}))
        keyframes = Keyframes([1], [np.load({str(tmp_path / "key.npy")!r})], 5)
        def die(done, total, picture=None):
            if [m for m in Path({str(tmp_path / "runs")!r}).glob("run_*/run.json") if ".part" not in m.parent.name]:
                os._exit(9)
        propagate(film, keyframes, folder={str(tmp_path / "runs")!r}, threads=1, progress=die)
    """
    killed = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert killed.returncode == 9, killed.stderr
    stylised: list[np.ndarray] = []
    runs = propagate(
        film,
        keyframes,
        folder=tmp_path / "runs",
        threads=1,
        progress=lambda done, total, picture=None: stylised.append(picture) if picture is not None else None,
    )
    assert len(stylised) <= 1, "the forward run was complete when the job died"
    assert same(runs, propagate(film, keyframes, folder=tmp_path / "fresh", threads=1))


def test_an_error_in_a_run_is_raised_here_and_stops_the_others(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot)
    with pytest.raises(ValueError, match="patch_size"):
        propagate(film, keyframes, folder=tmp_path, threads=2, matching=FilmMatching(patch_size=4))
    assert not list(tmp_path.glob("run_*"))


def test_a_clip_of_one_frame_is_its_keyframe(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot, length=1, place=0)
    runs = propagate(film, keyframes, folder=tmp_path)
    assert len(runs) == 1
    assert runs.confidence().tolist() == [1]


@pytest.mark.parametrize(
    ("size", "match"),
    [
        ((40, 56), "keyframes must be 112x80 like the film, .* got 56x40; scale them to the film's size"),
        ((81, 113), "keyframes must be 112x80 like the film, or larger by one factor, got 113x81"),
        ((80, 80), "keyframes must be 112x80 like the film, .* got 80x80; they have another shape"),
    ],
    ids=["smaller", "a pixel larger", "another shape"],
)
def test_keyframes_of_another_size_or_shape_are_refused(shot, tmp_path: Path, size, match: str) -> None:
    keyframes = Keyframes([2], [np.zeros((*size, 3), np.uint8)], length=13)
    with pytest.raises(ValueError, match=match):
        propagate(shot.film, keyframes, folder=tmp_path)


def test_keyframes_of_another_film_are_refused(shot, tmp_path: Path) -> None:
    keyframes = Keyframes([2], [shot.keyframes.pictures[0]], length=40)
    with pytest.raises(ValueError, match="a film of 13 frames like this one, got keyframes of a film of 40"):
        propagate(shot.film, keyframes, folder=tmp_path)


@pytest.mark.parametrize(
    ("masks", "match"),
    [
        (np.ones((5, 80, 112), np.uint8), "mask must hold 1 or 13 masks, one for each frame, got 5"),
        (np.ones((13, 40, 56), np.uint8), "mask must be a single channel of 112x80, got 56x40"),
        (np.zeros((13, 80, 112), np.float32), "mask must mark the subject in at least one frame, got black in all 13"),
    ],
    ids=["length", "size", "empty"],
)
def test_masks_that_do_not_fit_or_mark_nothing_are_refused(shot, tmp_path: Path, masks, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        propagate(shot.film, shot.keyframes, folder=tmp_path, masks=masks)


def test_frames_that_hold_nan_are_refused_by_their_number(shot, tmp_path: Path) -> None:
    frames = np.stack([shot.film.frame(i) for i in range(13)]).astype(np.float32) / 255
    frames[7, 3, 3] = np.nan
    with pytest.raises(ValueError, match="frame 7 must hold finite numbers, got NaN"):
        propagate(ArrayFrames(frames), shot.keyframes, folder=tmp_path)


@pytest.mark.parametrize("channels", [1, 4], ids=["grey", "RGBA"])
def test_frames_that_are_not_rgb_are_refused(shot, tmp_path: Path, channels: int) -> None:
    film = ForwardOnlyFilm(np.zeros((13, 80, 112, channels), np.uint8))
    with pytest.raises(ValueError, match="frame 0 must be RGB"):
        propagate(film, shot.keyframes, folder=tmp_path, motion=shot.motion)


def test_a_motion_of_another_film_is_refused(shot, tmp_path: Path) -> None:
    film, keyframes = short(shot)
    with pytest.raises(ValueError, match="motion must be that of a film of 4 frames of 112x80, got one of 13"):
        propagate(film, keyframes, folder=tmp_path, motion=shot.motion)
