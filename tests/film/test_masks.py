"""Masks over time: one for each frame or one for all, read when they are asked for, refused where they do not fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from escalier.film import ArrayFrames, FilmMasks, Masks, Size, frame_at

SHAPE = (12, 16)
HARD = np.zeros(SHAPE, np.uint8)
HARD[3:9, 4:12] = 255


class Counted(Sequence[np.ndarray]):
    """Four masks of rising brightness, and which of them were read."""

    def __init__(self) -> None:
        self.read: list[int] = []

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        self.read.append(index)
        return np.full(SHAPE, 60 * index, np.uint8)


def test_one_mask_stands_for_every_frame_and_several_each_for_its_own() -> None:
    one, several = Masks(HARD[None]), Masks(Counted())
    assert all(np.array_equal(one.at(index), HARD) for index in (0, 7, 99))
    assert [int(several.at(index)[0, 0]) for index in (0, 3)] == [0, 180]
    with pytest.raises(IndexError):
        Masks(np.stack([HARD] * 4)).at(4)


def test_one_picture_stands_for_every_frame_of_a_film() -> None:
    wall = ArrayFrames(np.full((1, 4, 6, 3), 9, np.uint8))
    film = ArrayFrames(np.arange(3, dtype=np.uint8).repeat(72).reshape(3, 4, 6, 3))
    assert int(frame_at(wall, 5)[0, 0, 0]) == 9
    assert [int(frame_at(film, index)[0, 0, 0]) for index in range(3)] == [0, 1, 2]


def test_masks_are_read_when_they_are_asked_for_and_not_before() -> None:
    source = Counted()
    small = Masks(source).scaled(Size(8, 6))
    assert (source.read, small.size, len(small)) == ([], Size(8, 6), 4)
    assert small.at(2).shape == (6, 8) and source.read == [2]
    assert [mask.shape for mask in small[1:3]] == [(6, 8)] * 2 and source.read == [2, 1, 2]


def test_masks_made_into_masks_stay_what_they_are() -> None:
    film_masks = FilmMasks(ArrayFrames(np.stack([np.repeat(HARD[..., None], 3, axis=2)] * 2)))
    assert Masks.of(film_masks) is film_masks
    assert (film_masks.size, len(film_masks)) == (Size(16, 12), 2)
    assert np.array_equal(film_masks.scaled(Size(16, 12)).at(1), HARD)


def test_masks_that_mark_nothing_are_refused_and_read_no_further_than_the_first_that_does() -> None:
    source = Counted()
    Masks(source).check_marked()
    assert source.read == [0, 1]
    with pytest.raises(ValueError, match=r"mask must mark the subject in at least one frame, got black in all 3"):
        Masks(np.stack([HARD * 0] * 3)).check_marked()


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        pytest.param(np.zeros((3, 6, 9)), "1 or 4 masks, one for each frame, got 3", id="another length"),
        pytest.param(np.zeros((4, 6, 8)), "single channel of 9x6, got 8x6", id="another size"),
        pytest.param(np.zeros((1, 6, 9, 3)), "single channel of 9x6", id="three channels"),
    ],
)
def test_masks_that_do_not_fit_the_film_are_refused(masks: np.ndarray, message: str) -> None:
    film = ArrayFrames(np.zeros((4, 6, 9, 3), np.uint8))
    with pytest.raises(ValueError, match=f"mask must .*{message}"):
        Masks.fitting(masks, film)


@pytest.mark.parametrize("count", [1, 4])
def test_one_mask_or_one_for_each_frame_will_do(count: int) -> None:
    Masks.fitting(np.zeros((count, 6, 9)), ArrayFrames(np.zeros((4, 6, 9, 3), np.uint8)))


def test_arrays_of_zeros_and_ones_or_of_other_types_are_refused() -> None:
    film = ArrayFrames(np.zeros((2, *SHAPE, 3), np.uint8))
    Masks.fitting(np.stack([HARD, HARD]) > 0, film)
    with pytest.raises(ValueError, match=r"mask must be uint8 0..255 .*, got uint8 of 0 and 1; multiply it by 255"):
        Masks.fitting(np.stack([HARD * 0, HARD // 255]), film)
    with pytest.raises(TypeError, match=r"mask must be uint8 0..255 or float 0..1, got int64"):
        Masks.fitting(np.zeros((2, *SHAPE), np.int64), film)
