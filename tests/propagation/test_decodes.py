"""A job decodes each frame of its film once, and mixes each frame of the staircase once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from decoded import decodes

from escalier.coherence import MeasuredStaircase, advise_keyframes, measure_fades, measure_film
from escalier.film import (
    ArrayFrames,
    FilmMasks,
    Footage,
    Motion,
    Size,
    VideoFrames,
    make_clip,
    open_film,
    write_film,
)
from escalier.keyframes import Keyframes
from escalier.propagation import DraftPart, Guides, Staircase, make_draft, propagate

LENGTH = 8
SIZE = Size(96, 64)
CONSTANT = 4
"""Frames decoded besides: those that tell size, orientation and which film it is."""


class Counted:
    """A film of which only its frames tell what it is, asked for one after the other like any decoder."""

    rate = Fraction(24)

    def __init__(self, frames: list[np.ndarray]) -> None:
        self._frames, self.size = frames, Size.of(frames[0])
        self.reads: list[int] = []

    def __len__(self) -> int:
        return len(self._frames)

    def frame(self, index: int) -> np.ndarray:
        self.reads.append(index)
        return self._frames[index]


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    clip = make_clip(SIZE, LENGTH)
    return [clip.frame(index) for index in range(LENGTH)]


@pytest.fixture(scope="module")
def keyframes(frames: list[np.ndarray]) -> Keyframes:
    return Keyframes([1, 6], [255 - frames[index] for index in (1, 6)], LENGTH)


@pytest.fixture(scope="module")
def video(frames: list[np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("clip") / "clip.mp4", Counted(frames), crf=10)


def test_a_film_is_asked_for_each_frame_once_from_its_keyframes_to_the_written_film(
    frames, keyframes: Keyframes, tmp_path: Path
) -> None:
    film, guide, masks = Counted(frames), Counted(frames[::-1]), Counted([np.full_like(frames[0], 255)] * LENGTH)
    guides = Guides().with_guide("depth", guide, 1.0)
    runs = propagate(film, keyframes, folder=tmp_path, guides=guides, masks=FilmMasks(masks), threads=1)
    write_film(tmp_path / "film.mp4", Staircase(runs), like=film)
    assert film.reads == guide.reads == list(range(LENGTH))
    assert len(masks.reads) <= 3 * LENGTH, "to tell them apart, to tell what is white, and to read them"


def test_a_video_is_decoded_once_through_painting_writing_and_measuring(
    video: Path, keyframes: Keyframes, tmp_path: Path
) -> None:
    with decodes() as decoded:
        film = Footage(open_film(video), tmp_path)
        motion = Motion(film, tmp_path)
        runs = propagate(film, keyframes, folder=tmp_path, motion=motion, threads=1)
        measured = MeasuredStaircase(Staircase(runs), film, motion)
        write_film(tmp_path / "film.mkv", measured, like=film.film)
        measured.report()
    assert LENGTH <= decoded["clip.mp4"] <= LENGTH + CONSTANT


def test_a_job_that_is_done_again_decodes_nothing_but_what_tells_the_film(
    video: Path, keyframes: Keyframes, tmp_path: Path
) -> None:
    propagate(VideoFrames(video), keyframes, folder=tmp_path, threads=1)
    with decodes() as decoded:
        propagate(VideoFrames(video), keyframes, folder=tmp_path, threads=1)
        propagate(VideoFrames(video), keyframes, folder=tmp_path, threads=1, seed=1)
    assert decoded["clip.mp4"] <= 2 * CONSTANT


def test_a_draft_reads_its_part_of_the_film_once(frames, keyframes: Keyframes, tmp_path: Path) -> None:
    film = Counted(frames)
    make_draft(film, keyframes, folder=tmp_path, part=DraftPart(0.5, 1, 7), threads=1)
    assert film.reads == list(range(1, 7))


def test_a_frame_of_the_staircase_is_mixed_once_to_be_written_and_measured(
    frames, keyframes: Keyframes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = Footage(Counted(frames), tmp_path)
    motion = Motion(film, tmp_path)
    staircase = Staircase(propagate(film, keyframes, folder=tmp_path, motion=motion, threads=1))
    apart = measure_fades(staircase, film, motion)
    mixed: list[int] = []
    mix = Staircase._frame
    monkeypatch.setattr(Staircase, "_frame", lambda self, index: mixed.append(index) or mix(self, index))
    measured = MeasuredStaircase(staircase, film, motion)
    write_film(tmp_path / "film.mkv", measured)
    report = measured.report()
    assert mixed == list(range(LENGTH))
    assert str(report) == str(apart) and np.array_equal(report.change_curve, apart.change_curve)
    assert np.array_equal(report.ghosting_curve, apart.ghosting_curve)


def test_frames_that_nobody_asked_for_are_measured_in_the_end(frames, keyframes: Keyframes, tmp_path: Path) -> None:
    film = Footage(Counted(frames), tmp_path)
    motion = Motion(film, tmp_path)
    staircase = Staircase(propagate(film, keyframes, folder=tmp_path, motion=motion, threads=1))
    measured = MeasuredStaircase(staircase, film, motion)
    for index in (0, 5, 1, 1, 3):
        assert np.array_equal(measured.frame(index), staircase.frame(index))
    assert str(measured.report()) == str(measure_fades(staircase, film, motion))


def test_the_meter_and_the_advisor_read_a_film_once_that_they_are_given_alone(video: Path, frames) -> None:
    restyled = ArrayFrames(255 - np.stack(frames))
    for judge in (lambda film: measure_film(film, restyled), lambda film: advise_keyframes(film, count=1)):
        with decodes() as decoded:
            judge(open_film(video))
        assert LENGTH <= decoded["clip.mp4"] <= LENGTH + CONSTANT
