"""Films as .gif: colours, clock, loop."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import Size, make_clip, write_film

Image = pytest.importorskip("PIL.Image")


def delays(path: Path) -> list[int]:
    """Milliseconds for which each frame is shown, as Pillow reads them."""
    with Image.open(path) as gif:
        return [(gif.seek(index), gif.info["duration"])[1] for index in range(gif.n_frames)]


def moving(count: int) -> np.ndarray:
    film = make_clip(Size(96, 64), length=count)
    return np.stack([film.frame(i) for i in range(count)])


def test_colours_are_near_and_it_plays_for_ever(tmp_path: Path) -> None:
    film = moving(5)
    path = write_film(tmp_path / "film.gif", film, rate=10)
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0 and gif.n_frames == 5
        for index in range(5):
            gif.seek(index)
            off = np.asarray(gif.convert("RGB")).astype(int) - film[index]
            assert np.abs(off).mean() < 6 and np.abs(off.mean(axis=(0, 1))).max() < 1.5


@pytest.mark.slow
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(25), Fraction(10), Fraction(48)])
def test_the_clock_of_hundredths_keeps_the_length_of_the_film(tmp_path: Path, rate: Fraction) -> None:
    shown = delays(write_film(tmp_path / "film.gif", moving(31), rate=rate))
    starts = np.cumsum([0, *shown])[:-1] / 1000
    assert len(shown) == 31
    assert np.abs(starts - np.arange(31) / float(rate)).max() <= 0.0051
    assert sum(shown) / 1000 == pytest.approx(31 / float(rate), abs=0.011)


def test_a_variable_rate_stays(tmp_path: Path) -> None:
    times = [0, 0.1, 0.15, 0.4, 0.5]
    assert delays(write_film(tmp_path / "film.gif", moving(5), times=times))[:4] == [100, 50, 250, 100]


def test_frames_too_fast_for_a_gif_are_left_out_with_a_notice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="escalier"):
        shown = delays(write_film(tmp_path / "film.gif", moving(60), rate=60))
    assert min(shown) >= 20 and sum(shown) / 1000 == pytest.approx(1, abs=0.03)
    assert f"at most 50 frames a second: {60 - len(shown)} of 60 frames are left out" in caplog.text


def test_one_frame_and_odd_sizes_are_written(tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.gif", np.full((1, 7, 5, 3), 90, np.uint8), rate=1)
    with av.open(str(path)) as film:
        frame = next(film.decode(video=0))
    assert (frame.width, frame.height) == (5, 7) and delays(path) == [1000]
