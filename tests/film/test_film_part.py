"""A part of a clip as a film of its own."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from escalier.film import Film, FilmedClip, FilmPart, VideoFrames, film_fingerprint, write_film


@pytest.fixture
def clip(clips, tmp_path: Path) -> VideoFrames:
    """48 frames at 24 a second that begin at a tenth of a second."""
    ticks = [1000 + i * 10_000 // 24 for i in range(48)]
    return VideoFrames(clips.make(tmp_path / "a.mkv", 48, ticks=ticks, tick=Fraction(1, 10_000), options={"g": "12"}))


def test_a_part_is_a_film_and_a_filmed_clip(clips, clip: VideoFrames) -> None:
    part = FilmPart(clip, 0.6, 0.5)
    assert isinstance(part, Film) and isinstance(part, FilmedClip)
    assert [clips.number_of(part.frame(i)) for i in (11, 0, 5)] == [23, 12, 17]
    assert (len(part), part.times[0], part.rate) == (12, 0, 24) and part.start == pytest.approx(0.6, abs=0.001)
    assert part.sound_span == (part.start, part.start + part.duration)


def test_a_part_without_cuts_is_the_whole_clip(clip: VideoFrames) -> None:
    part = FilmPart(clip)
    assert (len(part), part.times, part.sound_span) == (48, clip.times, (None, None))


def test_two_parts_of_one_clip_are_told_apart(clip: VideoFrames) -> None:
    assert film_fingerprint(FilmPart(clip, 0.6, 0.5)) != film_fingerprint(FilmPart(clip, 0.9, 0.5))


@pytest.mark.parametrize(("start", "seconds"), [(9, 1), (0, 0.05), (1, -1)])
def test_a_part_in_which_nothing_is_shown_is_refused(clip: VideoFrames, start: float, seconds: float) -> None:
    with pytest.raises(
        ValueError, match=r"must hold at least one frame, got none from .*; the clip is shown from 0\.1"
    ):
        FilmPart(clip, start, seconds)


@pytest.mark.parametrize("index", [-1, 12])
def test_a_frame_outside_the_part_is_refused(clip: VideoFrames, index: int) -> None:
    with pytest.raises(IndexError, match=f"index must lie in 0..11, got {index}; the part ends there"):
        FilmPart(clip, 0.6, 0.5).frame(index)


def test_an_uneven_part_is_written_for_as_long_as_it_is_shown(clips, tmp_path: Path) -> None:
    ticks = np.cumsum([0, *np.random.default_rng(1).integers(10, 90, 39)]).tolist()
    clip = VideoFrames(clips.make(tmp_path / "phone.mov", 40, ticks=ticks, tick=Fraction(1, 1000)))
    for start, seconds in ((0.5, 0.7), (0.1, 0.4), (0.9, 0.5)):
        part = FilmPart(clip, start, seconds)
        film = VideoFrames(write_film(tmp_path / "part.mp4", part, like=part))
        assert (film.times, film.duration) == (part.times, part.duration)
