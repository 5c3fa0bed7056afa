"""Frames held on twos and threes, and interpolated frames laid back: exact counts, exact times, nothing invented."""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from escalier.film import ArrayFrames, Cadence, HeldFilm, RestoredCadence, VideoFrames, pick_frames, write_film


def numbered_film(count: int) -> ArrayFrames:
    return ArrayFrames(np.arange(count, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 10, 3), np.uint8))


def seen(film: object) -> list[int]:
    return [int(film.frame(index)[0, 0, 0]) for index in range(len(film))]  # type: ignore[attr-defined, arg-type]


def interpolated(film: ArrayFrames, kept: tuple[int, ...], multiplier: int) -> ArrayFrames:
    """What ComfyUI's interpolation makes of the kept frames: (K - 1) x multiplier + 1 pictures, here by mixing."""
    pictures = [film.frame(index).astype(np.float32) / 255 for index in kept]
    made = [
        before + (after - before) * np.float32(part / multiplier)
        for before, after in itertools.pairwise(pictures)
        for part in range(multiplier)
    ]
    return ArrayFrames(np.stack([*made, pictures[-1]]))


def test_frames_are_kept_and_held() -> None:
    assert seen(HeldFilm(numbered_film(8), Cadence(every=3))) == [0, 0, 0, 3, 3, 3, 6, 6]


def test_phase_moves_the_steps_and_the_first_frames_hold_the_first() -> None:
    assert seen(HeldFilm(numbered_film(8), Cadence(every=3, phase=2))) == [0, 0, 2, 2, 2, 5, 5, 5]


def test_every_one_changes_nothing() -> None:
    assert seen(HeldFilm(numbered_film(5), Cadence(every=1))) == [0, 1, 2, 3, 4]


def test_a_film_of_one_frame_is_held() -> None:
    assert seen(HeldFilm(numbered_film(1), Cadence(every=4))) == [0]


def test_cadence_can_be_repeated() -> None:
    film = numbered_film(11)
    on_twos = HeldFilm(film, Cadence(every=2))
    assert seen(HeldFilm(on_twos, Cadence(every=2))) == seen(on_twos)
    assert seen(HeldFilm(on_twos, Cadence(every=4))) == seen(HeldFilm(film, Cadence(every=4)))


@pytest.mark.parametrize(("every", "phase"), [(2, 0), (3, 0), (3, 1)])
def test_sound_times_and_duration_of_a_phone_clip_are_untouched(
    clips: SimpleNamespace, tmp_path: Path, every: int, phase: int
) -> None:
    ticks = [0, 40, 75, 130, 160, 200, 260, 300, 330, 380]
    path = clips.make(tmp_path / "phone.mp4", 10, ticks=ticks, tick=Fraction(1, 1000), sound_from=0.0)
    clip = VideoFrames(path)
    held = HeldFilm(clip, Cadence(every, phase))
    made = VideoFrames(write_film(tmp_path / "held.mp4", held, like=clip))
    same = VideoFrames(write_film(tmp_path / "same.mp4", clip, like=clip))
    assert (made.times, made.size) == (clip.times, clip.size)
    assert (made.duration, made.audio) == (same.duration, same.audio)
    assert [track.codec for track in made.audio] == [track.codec for track in clip.audio] == ["aac"]
    assert [clips.number_of(made.frame(i)) for i in range(10)] == [held.cadence.kept(i) for i in range(10)]


def test_sound_and_times_of_a_phone_clip_are_untouched_by_interpolation(clips: SimpleNamespace, tmp_path: Path) -> None:
    ticks = [0, 40, 75, 130, 160, 200, 260, 300, 330, 380]
    clip = VideoFrames(clips.make(tmp_path / "phone.mp4", 10, ticks=ticks, tick=Fraction(1, 1000), sound_from=0.0))
    kept = pick_frames(10, 2)
    pictures = ArrayFrames(np.repeat([clip.frame(index) for index in kept], 2, axis=0)[:-1])
    restored = RestoredCadence(pictures, kept, 10, rate=clip.rate, times=clip.times)
    made = VideoFrames(write_film(tmp_path / "restored.mp4", restored, like=clip))
    same = VideoFrames(write_film(tmp_path / "same.mp4", clip, like=clip))
    assert (made.times, made.duration, made.audio) == (clip.times, same.duration, same.audio)
    assert [clips.number_of(made.frame(index)) for index in kept] == list(kept)


@pytest.mark.parametrize(
    ("every", "phase", "message"),
    [
        (0, 0, "Cadence: every must be at least 1 frame, got 0; 2 keeps"),
        (2, 2, "Cadence: phase must be 0 to 1 frames, got 2; it says"),
        (2, -1, "Cadence: phase must be 0 to 1 frames, got -1"),
    ],
)
def test_a_cadence_that_cannot_be_is_refused(every: int, phase: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HeldFilm(numbered_film(5), Cadence(every, phase))


@pytest.mark.parametrize("film", [HeldFilm(numbered_film(3)), RestoredCadence(numbered_film(3), (0, 2), 3, rate=24)])
@pytest.mark.parametrize("index", [-1, 3])
def test_a_frame_outside_the_film_is_refused(film: object, index: int) -> None:
    with pytest.raises(IndexError, match=r"index must lie in 0\.\.2"):
        film.frame(index)  # type: ignore[attr-defined]


@pytest.mark.parametrize("every", [1, 2, 3, 5, 16])
@pytest.mark.parametrize("length", [1, 2, 7, 12, 33])
def test_interpolation_comes_back_to_the_exact_count_with_the_kept_frames_unchanged(length: int, every: int) -> None:
    film = numbered_film(length)
    kept = pick_frames(length, every)
    assert kept[0] == 0 and kept[-1] == length - 1
    pictures = interpolated(film, kept, multiplier=every)
    restored = RestoredCadence(pictures, kept, length, rate=film.rate)
    assert (len(restored), restored.rate, restored.size) == (length, film.rate, film.size)
    for index in kept:
        assert (restored.frame(index) == film.frame(index).astype(np.float32) / np.float32(255)).all()


def test_every_frame_takes_the_picture_made_for_its_time() -> None:
    film = numbered_film(13)
    kept = pick_frames(13, 4)
    restored = RestoredCadence(interpolated(film, kept, 4), kept, 13, rate=24)
    assert np.allclose([restored.frame(i)[0, 0, 0] * 255 for i in range(13)], range(13), atol=1e-4)


def test_a_shorter_last_step_is_at_most_half_a_part_away() -> None:
    kept = pick_frames(8, 5)
    restored = RestoredCadence(interpolated(numbered_film(8), kept, 5), kept, 8, rate=24)
    shown = [float(restored.frame(i)[0, 0, 0] * 255) for i in range(8)]
    assert np.abs(np.array(shown) - np.arange(8)).max() <= 2 / 5 / 2 + 1e-4


def test_a_variable_rate_takes_the_picture_nearest_to_the_frames_own_time() -> None:
    # The second frame is shown at a quarter of the way to the third, not at half.
    kept = (0, 2)
    restored = RestoredCadence(numbered_film(5), kept, 3, rate=24, times=[0, Fraction(1, 40), Fraction(1, 10)])
    assert [restored.picture_at(i) for i in range(3)] == [0, 1, 4]


@pytest.mark.parametrize(
    ("pictures", "kept", "length", "times", "message"),
    [
        (8, (0, 2, 4), 5, None, "pictures must be 2 times the multiplier, and 1 more, for 3 kept frames, got 8"),
        (1, (0, 2, 4), 5, None, "pictures must be 2 times the multiplier"),
        (5, (0, 2, 4), 9, None, "kept frames must rise from 0 to the film's last, 8, got 0, 2, 4; pick them"),
        (5, (1, 2, 4), 5, None, "kept frames must rise from 0"),
        (5, (0, 4, 2, 4), 5, None, "kept frames must rise"),
        (5, (), 5, None, "got none; pick them from this very film"),
        (5, (0, 2, 4), 5, [0, 1, 2], "times must rise, one for each of the film's 5 frames, got 3"),
        (5, (0, 2, 4), 5, [0, 1, 1, 2, 3], "times must rise"),
    ],
)
def test_pictures_that_do_not_belong_to_the_film_are_refused(
    pictures: int, kept: tuple, length: int, times: list | None, message: str
) -> None:
    with pytest.raises(ValueError, match=f"RestoredCadence: .*{re.escape(message)}"):
        RestoredCadence(numbered_film(pictures), kept, length, rate=24, times=times)


@pytest.mark.parametrize(("length", "every", "message"), [(0, 2, "length must be at least 1"), (5, 0, "every must be")])
def test_nothing_to_pick_is_refused(length: int, every: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"pick_frames: {message}"):
        pick_frames(length, every)
