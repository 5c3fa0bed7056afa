"""Films of any size, length, clock and kind come back as they were, read by PyAV, Pillow and OpenCV alone."""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from escalier.film import Encoding, write_film

VIDEOS = (".mp4", ".mov", ".mkv", ".webm")
rates = st.one_of(
    st.sampled_from([Fraction(24000, 1001), 24, 25, Fraction(30000, 1001), 50, Fraction(60000, 1001), 120, 12.5]),
    st.fractions(Fraction(1, 10), 400, max_denominator=1001),
)
# Whole milliseconds, rising: what every container can count in.
clocks = st.lists(st.integers(1, 3000), min_size=0, max_size=7).map(lambda steps: np.cumsum([0, *steps]).tolist())


def film_of(count: int, width: int, height: int) -> np.ndarray:
    """Grey frames, each lighter than the one before."""
    levels = np.linspace(20, 235, count).round().astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3))


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(VIDEOS), st.integers(2, 50), st.integers(2, 50), clocks, st.one_of(st.none(), rates))
def test_video_files(suffix: str, width: int, height: int, clock: list[int], rate) -> None:
    times = [Fraction(moment, 1000) for moment in clock]
    film = film_of(len(times), width, height)
    with tempfile.TemporaryDirectory() as folder:
        given = {"times": times} if rate is None else {"rate": rate}
        with av.open(str(write_film(Path(folder) / f"film{suffix}", film, **given))) as written:
            frames = list(written.decode(video=0))
    even = suffix == ".mp4"
    assert {(frame.width, frame.height) for frame in frames} == {(width + width % 2 * even, height + height % 2 * even)}
    stamps = [frame.pts * frame.time_base for frame in frames]
    expected = times if rate is None else [index / Fraction(rate) for index in range(len(film))]
    tolerance = Fraction(1, 90_000) if suffix in (".mp4", ".mov") else Fraction(1, 1999)
    assert len(stamps) == len(expected)
    assert all(abs(stamp - stamps[0] - time) <= tolerance for stamp, time in zip(stamps, expected, strict=True))
    for frame, picture in zip(frames, film, strict=True):
        luma = np.frombuffer(frame.planes[0], np.uint8)
        if frame.format.components[0].bits == 8 and not frame.format.is_rgb:
            row = luma.reshape(frame.planes[0].height, -1)[:, : frame.planes[0].width]
            assert abs(row.mean() - (16 + picture[0, 0, 0] / 255 * 219)) <= 3


@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(["png", "tif"]), st.integers(1, 40), st.integers(1, 40), st.integers(1, 6), st.integers(0, 2000))
def test_picture_sequences(suffix: str, width: int, height: int, count: int, first: int) -> None:
    film = np.random.default_rng(width * height).integers(0, 256, (count, height, width, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        written = write_film(Path(folder) / "new" / f"a_##.{suffix}", film, encoding=Encoding(first=first), rate=24)
        names = sorted(path.name for path in written.iterdir())
        assert names == sorted(f"a_{first + index:02d}.{suffix}" for index in range(count))
        for index, picture in enumerate(film):
            read = cv2.imread(str(written / f"a_{first + index:02d}.{suffix}"), cv2.IMREAD_COLOR)
            assert np.array_equal(read[..., ::-1], picture)
