"""A film at the size of its motion: averaged down, read once, and never more than 32 frames in memory."""

from __future__ import annotations

import numpy as np
from known_motion import KnownMotion

from escalier.film import ArrayFrames, Size
from escalier.tracking.small_frames import KEPT, SmallFrames


class CountedFilm(ArrayFrames):
    """Forty frames of 24x16 of rising brightness, striped; knows which were read."""

    def __init__(self) -> None:
        stripes = np.arange(40, dtype=np.uint8)[:, None, None, None] + np.zeros((40, 16, 24, 3), np.uint8)
        stripes[:, :, ::2] += 100
        super().__init__(stripes)
        self.read: list[int] = []

    def frame(self, index: int) -> np.ndarray:
        self.read.append(index)
        return super().frame(index)


def small(film: ArrayFrames, size: Size) -> tuple[SmallFrames, KnownMotion]:
    motion = KnownMotion(size, lambda i, j: np.full((size.height, size.width, 2), j - i, np.float32))
    return SmallFrames(film, motion), motion  # type: ignore[arg-type]


def test_frames_are_averaged_down_to_the_size_of_the_motion() -> None:
    frames, _ = small(CountedFilm(), Size(12, 8))
    assert (len(frames), frames.size) == (40, Size(12, 8))
    assert frames[7].shape == (8, 12, 3) and frames[7].dtype == np.uint8
    assert (frames[7] == 57).all()  # the mean of 7 and 107: no stripe is picked out


def test_a_frame_of_the_right_size_keeps_its_bits_and_floats_become_levels() -> None:
    film = CountedFilm()
    assert np.array_equal(small(film, film.size)[0][3], film.frame(3))
    floats = ArrayFrames(np.full((2, 16, 24, 3), 0.5, np.float32))
    assert (small(floats, Size(24, 16))[0][1] == 128).all()


def test_a_frame_is_read_once_while_it_is_kept_and_the_oldest_is_forgotten_first() -> None:
    film = CountedFilm()
    frames, _ = small(film, Size(12, 8))
    for index in (*range(KEPT), *range(KEPT)):
        frames[index]
    assert film.read == list(range(KEPT))
    frames[KEPT], frames[1], frames[0]
    assert film.read[KEPT:] == [KEPT, 0]


def test_flow_is_that_between_the_frames_at_this_size() -> None:
    frames, motion = small(CountedFilm(), Size(12, 8))
    assert (frames.flow(5, 8) == 3).all()
    assert motion.asked == [(5, 8, Size(12, 8))]
