"""A smaller film and a part of a film show what the film shows."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.film import ArrayFrames, FrameRange, FrameSource, ScaledFilm, Size, draft_size


@pytest.fixture
def film() -> ArrayFrames:
    return ArrayFrames(np.random.default_rng(0).integers(0, 256, (6, 40, 60, 3), np.uint8), rate=25)


def test_a_scaled_film_averages_whole_blocks(film: ArrayFrames) -> None:
    small = ScaledFilm(film, Size(15, 10))
    blocks = film.frame(3).reshape(10, 4, 15, 4, 3).mean(axis=(1, 3))
    assert isinstance(small, FrameSource) and (len(small), small.rate, small.size) == (6, 25, (15, 10))
    assert np.abs(small.frame(3) - blocks).max() <= 0.5


def test_a_film_at_its_own_size_is_itself(film: ArrayFrames) -> None:
    assert (ScaledFilm(film, film.size).frame(2) == film.frame(2)).all()


def test_a_float_film_becomes_8_bit() -> None:
    film = ArrayFrames(np.full((1, 4, 4, 3), 0.5, np.float32))
    assert ScaledFilm(film, Size(2, 2)).frame(0).tolist() == [[[128] * 3] * 2] * 2


def test_a_part_shows_its_frames_and_no_others(film: ArrayFrames) -> None:
    part = FrameRange(film, 2, 5)
    assert isinstance(part, FrameSource) and (len(part), part.size, part.rate) == (3, film.size, film.rate)
    assert all((part.frame(i) == film.frame(2 + i)).all() for i in range(3))
    with pytest.raises(IndexError, match=r"index must lie in 0\.\.2, got 3"):
        part.frame(3)


@pytest.mark.parametrize(("start", "stop"), [(-1, 3), (3, 3), (4, 3), (0, 7)])
def test_a_part_outside_the_film_is_refused(film: ArrayFrames, start: int, stop: int) -> None:
    with pytest.raises(ValueError, match=rf"frames 0\.\.5, got {start} to {stop - 1}; choose them inside"):
        FrameRange(film, start, stop)


def test_a_ramp_enlarged_stays_a_ramp_at_its_place() -> None:
    ramp = np.repeat(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(40, axis=0)
    large = ScaledFilm(ArrayFrames(ramp[None]), Size(180, 120)).frame(0)[60, 6:-6, 0]
    expected = 4 * ((np.arange(180) + 0.5) / 3 - 0.5)[6:-6]
    assert np.abs(large - expected).max() <= 1


def test_a_film_of_no_size_is_refused(film: ArrayFrames) -> None:
    with pytest.raises(ValueError, match="size must be at least 1x1 px, got 0x40"):
        ScaledFilm(film, Size(0, 40))


@pytest.mark.parametrize("size", [Size(1920, 1080), Size(1080, 1921), Size(853, 481), Size(48, 20), Size(7, 9)])
def test_draft_sizes_are_even_where_they_can_be_and_never_larger_than_the_film(size: Size) -> None:
    small = draft_size(size, 0.25)
    for side, whole in zip(small, size, strict=True):
        assert side <= whole
        assert side == whole or (side % 2 == 0 and side >= 32)
