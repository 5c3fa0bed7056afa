"""The body report: it says 0 where nothing was done, and how much where something was."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from escalier.composite import measure_untouched, measure_untouched_film, poisson_blend
from escalier.film import ArrayFrames

Pair = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def test_pasted_body_is_untouched(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    body, room = picture_pair(*dancer_mask.shape)
    pasted = np.where(dancer_mask[..., None], body, room)
    report = measure_untouched(pasted, body, room, dancer_mask)
    assert (report.gradient_change, report.colour_shift_mean, report.colour_shift_95, report.change_outside) == (0,) * 4


def test_room_that_shows_through_hair_and_blur_is_no_change_of_the_body(
    dancer_mask: np.ndarray, picture_pair: Pair
) -> None:
    body, room = picture_pair(*dancer_mask.shape)
    matte = cv2.blur(dancer_mask.astype(np.float32), (5, 5))[..., None]
    report = measure_untouched(matte * body + (1 - matte) * room, body, room, matte[..., 0])
    assert 0 < (matte >= 0.95).mean() < (matte >= 0.5).mean()
    assert report.colour_shift_95 < 0.06 * 255 and report.colour_shift_mean < 1


def test_body_that_is_nowhere_opaque_is_measured_all_the_same(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    body, room = picture_pair(*dancer_mask.shape)
    matte = np.float32(0.7) * dancer_mask
    assert measure_untouched(room, body, room, matte).colour_shift_mean > 10


def test_shift_of_colour_is_no_change_of_drawing(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    body, room = (np.rint(p * 200).astype(np.uint8) for p in picture_pair(*dancer_mask.shape))
    moved = np.where(dancer_mask[..., None], body + np.array([0, 7, 0], np.uint8), room).astype(np.uint8)
    report = measure_untouched(moved, body, room, dancer_mask)
    assert report.gradient_change == 0
    assert report.colour_shift_mean == report.colour_shift_95 == 7


def test_poisson_return_leaves_the_body_and_the_room(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    body, room = picture_pair(*dancer_mask.shape)
    report = measure_untouched(poisson_blend(body, room, dancer_mask), body, room, dancer_mask)
    redrawn = measure_untouched(room, body, room, dancer_mask)
    assert report.change_outside == 0
    assert report.gradient_change < 0.25 * redrawn.gradient_change


def test_change_outside_is_found_and_shown(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    body, room = (np.rint(p * 255).astype(np.uint8) for p in picture_pair(*dancer_mask.shape))
    result = np.where(dancer_mask[..., None], body, room)
    result[1, 2, 0] ^= 8
    report = measure_untouched(result, body, room, dancer_mask)
    assert report.change_outside == 8
    assert report.picture[1, 2, 2] > report.picture[1, 2, 0] + 50  # blue
    assert "outside 8 levels" in str(report)


def test_redrawn_part_of_the_body_is_shown_where_it_is(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    body, room = (np.rint(p * 255).astype(np.uint8) for p in picture_pair(*dancer_mask.shape))
    result = np.where(dancer_mask[..., None], body + np.uint8(0), room)
    checks = 40 - 80 * (np.indices((10, 10)).sum(axis=0) % 2)[..., None]
    result[40:50, 60:70] = np.clip(body[40:50, 60:70] + checks, 0, 255)
    red = measure_untouched(result, body, room, dancer_mask).picture.astype(int)
    redder = red[..., 0] - red[..., 2] > 60
    assert redder[41:49, 61:69].mean() > 0.8  # light pixels are cut at 255
    redder[39:51, 59:71] = False
    assert not redder.any()


def test_gradients_are_measured_away_from_the_rim() -> None:
    body, room = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20, 3), np.uint8)
    mask = np.zeros((20, 20), bool)
    mask[4:16, 4:16] = True
    result = body.copy()
    result[4, 4:16] = 90  # a bright rim and nothing else
    assert measure_untouched(result, body, room, mask, erode_px=2).gradient_change == 0
    assert measure_untouched(result, body, room, mask, erode_px=0).gradient_change > 0


@pytest.mark.parametrize("mask", [np.zeros((8, 9)), np.ones((8, 9))], ids=["empty", "full"])
def test_masks_without_an_inside_or_an_outside_report_nothing_there(mask: np.ndarray) -> None:
    picture = np.full((8, 9, 3), 50, np.uint8)
    report = measure_untouched(picture + 5, picture, picture, mask, erode_px=1)
    assert (report.colour_shift_mean, report.change_outside) == ((5, 0) if mask.any() else (0, 5))


def test_report_of_a_film_is_that_of_its_frames() -> None:
    rng = np.random.default_rng(0)
    result, body = (ArrayFrames(rng.integers(0, 255, (3, 8, 9, 3), np.uint8)) for _ in range(2))
    mask = rng.random((1, 8, 9)) < 0.5
    room = ArrayFrames(rng.integers(0, 255, (1, 8, 9, 3), np.uint8))
    told = []
    report = measure_untouched_film(result, body, room, mask, progress=lambda *what: told.append(what[:2]))
    frames = [measure_untouched(result.frame(i), body.frame(i), room.frame(0), mask[0]) for i in range(3)]
    for name in ("gradient_change", "colour_shift_mean", "colour_shift_95", "change_outside"):
        assert getattr(report, name).tolist() == [getattr(frame, name) for frame in frames]
    assert (report.picture == frames[report.frame].picture).all()
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_report_of_a_film_shows_the_frame_that_was_changed_outside() -> None:
    body = ArrayFrames(np.full((4, 20, 30, 3), 90, np.uint8))
    changed = np.full((4, 20, 30, 3), 90, np.uint8)
    changed[1, 8:12, 8:12] = np.random.default_rng(0).integers(0, 255, (4, 4, 3))  # redrawn, inside
    changed[2, 0, 0] = 93  # one pixel, outside
    mask = np.zeros((1, 20, 30))
    mask[:, 4:16, 4:16] = 1
    report = measure_untouched_film(ArrayFrames(changed), body, body, mask, erode_px=1)
    assert (report.frame, report.change_outside.tolist()) == (2, [0, 0, 3, 0])
    assert "CHANGED in 1 frames, by up to 3 levels at frame 2" in str(report)
    changed[2] = 90
    report = measure_untouched_film(ArrayFrames(changed), body, body, mask, erode_px=1)
    assert report.frame == 1
    assert str(report).startswith("changed outside the mask: nothing, in all 4 frames")


def test_films_of_different_lengths_are_refused() -> None:
    three, two = (ArrayFrames(np.zeros((length, 8, 9, 3), np.uint8)) for length in (3, 2))
    with pytest.raises(ValueError, match="measure_untouched_film: source must have 1 or 3 frames, got 2"):
        measure_untouched_film(three, two, three, np.ones((1, 8, 9)))


def test_pictures_that_do_not_fit_are_refused_by_name() -> None:
    picture = np.zeros((8, 9, 3), np.uint8)
    with pytest.raises(ValueError, match="target must be 9x8 like the result, got 8x8"):
        measure_untouched(picture, picture, picture[:, :8], np.ones((8, 9)))
    with pytest.raises(ValueError, match="erode_px must be >= 0 px, got -1"):
        measure_untouched(picture, picture, picture, np.ones((8, 9)), erode_px=-1)
