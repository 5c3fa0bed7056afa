"""Soft mattes of hair and blur, against clips whose every strand is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.composite import Placing, SoftBand, place_subject_film, soft_matte, soft_mattes
from escalier.film import ArrayFrames, Motion, MovingClip, Size, make_clip
from escalier.refusals import Refusal

SIZE = Size(480, 270)
FRAMES = range(8, 11)


@pytest.fixture(scope="module")
def clip() -> MovingClip:
    return make_clip(SIZE, 24, hair=150, shutter=0.5)


@pytest.fixture(scope="module")
def mattes(clip: MovingClip) -> list[np.ndarray]:
    return [soft_matte(clip.frame(i), clip.matte(i) >= 0.5, clip.room(i)) for i in FRAMES]


def soft(matte: np.ndarray) -> np.ndarray:
    return (matte > 0.02) & (matte < 0.98)


def test_alpha_in_hair_and_blur_is_nearer_to_the_truth_than_a_cut(clip: MovingClip, mattes: list[np.ndarray]) -> None:
    for i, matte in zip(FRAMES, mattes, strict=True):
        truth = clip.matte(i)
        band = soft(truth)
        cut = np.abs((truth >= 0.5) - truth)[band].mean()
        assert np.abs(matte - truth)[band].mean() < 0.5 * cut


def test_room_behind_her_is_not_taken_for_her(clip: MovingClip, mattes: list[np.ndarray]) -> None:
    """Her shadow falls on it, which the old room does not show."""
    for i, matte in zip(FRAMES, mattes, strict=True):
        truth = clip.matte(i)
        assert matte[truth == 0].sum() < 0.1 * truth[soft(truth)].sum()


def test_film_in_a_foreign_room_is_half_as_wrong_as_a_cut_out_one(clip: MovingClip, tmp_path: Path) -> None:
    film, old_room = (ArrayFrames(np.stack([of(i) for i in FRAMES])) for of in (clip.frame, clip.room))
    new = np.broadcast_to(np.float32((0.15, 0.25, 0.75)), (SIZE.height, SIZE.width, 3)).copy()
    truths = [clip.matte(i) for i in FRAMES]
    cuts = np.stack([truth >= 0.5 for truth in truths])
    mattes = np.stack([*soft_mattes(film, cuts, old_room)])
    motion = Motion(film, tmp_path)
    placed = place_subject_film(
        film, ArrayFrames(new[None]), mattes, Placing(light=0), old_room=old_room, motion=motion
    )
    errors = np.zeros(2)
    for i, truth, cut, made in zip(FRAMES, truths, cuts, placed, strict=True):
        share = truth[..., None]
        right = share * clip.own_colours(i) + (1 - share) * new
        today = np.where(cut[..., None], clip.frame(i) / np.float32(255), new)
        errors += [np.abs(picture - right)[soft(truth)].mean() for picture in (made, today)]
    assert errors[0] < 0.5 * errors[1]


def test_nothing_changes_away_from_the_outline(clip: MovingClip) -> None:
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[40:100, 60:150] = True
    matte = soft_matte(clip.frame(0), mask, clip.room(0), SoftBand(inside_px=4, outside_px=6))
    assert (matte[46:94, 66:144] == 1).all()
    assert (matte[:33] == 0).all() and (matte[107:] == 0).all()


@pytest.mark.parametrize("fill", [False, True], ids=["empty", "full"])
def test_mask_without_an_outline_stays(clip: MovingClip, fill: bool) -> None:
    mask = np.full((SIZE.height, SIZE.width), fill)
    assert (soft_matte(clip.frame(0), mask, clip.room(0)) == mask).all()


def test_mask_thinner_than_the_band_keeps_its_middle(clip: MovingClip) -> None:
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[60, 60:150] = True
    assert soft_matte(clip.frame(0), mask, clip.room(0)).max() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"old_room": np.zeros((60, 80, 3), np.uint8)}, "old_room must be 480x270 like the picture, got 80x60"),
        ({"mask": np.zeros((60, 80))}, "mask must be 480x270 like the picture, got 80x60"),
        ({"picture": np.zeros((270, 480, 4), np.uint8)}, "picture must be an RGB picture|picture must be .*RGBA"),
    ],
    ids=["old room", "mask", "RGBA"],
)
def test_what_does_not_fit_is_refused(clip: MovingClip, change: dict, words: str) -> None:
    given = {"picture": clip.frame(0), "mask": clip.matte(0), "old_room": clip.room(0)} | change
    with pytest.raises(Refusal, match=f"^soft_matte: ({words})"):
        soft_matte(**given)


def test_films_of_other_lengths_are_refused(clip: MovingClip) -> None:
    frames = np.zeros((3, SIZE.height, SIZE.width, 3), np.uint8)
    with pytest.raises(Refusal, match="old_room must have 1 or 3 frames, got 2"):
        soft_mattes(ArrayFrames(frames), np.zeros((1, SIZE.height, SIZE.width)), ArrayFrames(frames[:2]))
