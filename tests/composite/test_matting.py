"""Soft mattes of hair and blur, against clips whose every strand is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.composite import Placing, SoftBand, place_subject_film, soft_matte, soft_mattes
from escalier.composite.motion_blur import Shutter, smeared
from escalier.composite.own_motion import OwnMotion, on_flat
from escalier.film import ArrayFrames, MovingClip, Size, make_clip
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


@pytest.fixture(scope="module")
def of_film(clip: MovingClip) -> list[np.ndarray]:
    film, rooms = (ArrayFrames(np.stack([of(i) for i in FRAMES])) for of in (clip.frame, clip.room))
    return [*soft_mattes(film, np.stack([clip.matte(i) >= 0.5 for i in FRAMES]), rooms)]


def test_film_in_a_foreign_room_is_at_most_four_tenths_as_wrong_as_a_cut_out_one(
    clip: MovingClip, of_film: list[np.ndarray]
) -> None:
    film, old_room = (ArrayFrames(np.stack([of(i) for i in FRAMES])) for of in (clip.frame, clip.room))
    new = np.broadcast_to(np.float32((0.15, 0.25, 0.75)), (SIZE.height, SIZE.width, 3)).copy()
    placed = place_subject_film(film, ArrayFrames(new[None]), np.stack(of_film), Placing(light=0), old_room=old_room)
    errors = np.zeros(2)
    for i, made in zip(FRAMES, placed, strict=True):
        truth = clip.matte(i)
        share = truth[..., None]
        right = share * clip.own_colours(i) + (1 - share) * new
        today = np.where(share >= 0.5, clip.frame(i) / np.float32(255), new)
        errors += [np.abs(picture - right)[soft(truth)].mean() for picture in (made, today)]
    assert errors[0] < 0.4 * errors[1]


def test_mattes_of_a_film_are_steadier_along_her_motion_than_those_of_its_frames(
    clip: MovingClip, mattes: list[np.ndarray], of_film: list[np.ndarray]
) -> None:
    own = OwnMotion()

    def jitter(mattes: list[np.ndarray]) -> float:
        total = 0.0
        for k, i in enumerate([*FRAMES][1:], start=1):
            flats = [on_flat(clip.own_colours(at), clip.matte(at)) for at in (i, i - 1)]
            y, x = np.mgrid[0 : SIZE.height, 0 : SIZE.width].astype(np.float32)
            flow = own.flow(*flats)
            before = cv2.remap(mattes[k - 1], x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR)
            total += float(np.abs(mattes[k] - before)[soft(clip.matte(i))].mean())
        return total

    truth, alone, steady = (jitter(found) for found in ([clip.matte(i) for i in FRAMES], mattes, of_film))
    assert steady < 1.5 * truth
    assert steady < 0.8 * alone


def test_band_is_as_wide_as_the_blur_and_the_shutter_is_read_from_the_film() -> None:
    """A plain square that moves 40 px a frame: its blur is twice as wide as the band around its outline."""
    size, step = (100, 330), 40
    for open_share in (0.0, 0.5, 1.0):
        x = np.arange(size[1], dtype=np.float32)[None]
        blur = np.float32(max(open_share * step, 1))
        truths = []
        for i in range(3):
            left, right = 60 + step * i, 180 + step * i
            ramp = np.clip((x - left) / blur + 0.5, 0, 1) * np.clip((right - x) / blur + 0.5, 0, 1)
            truths.append(np.where((np.arange(size[0]) // 33 == 1)[:, None], ramp, 0).astype(np.float32))
        noise = cv2.GaussianBlur(np.random.default_rng(2).standard_normal((*size, 3)).astype(np.float32), (0, 0), 3)
        room = np.clip(0.25 + 0.3 * noise, 0, 1)
        mixed = [truth[..., None] * np.float32((0.9, 0.85, 0.2)) + (1 - truth[..., None]) * room for truth in truths]
        film, masks = ArrayFrames(np.rint(255 * np.stack(mixed)).astype(np.uint8)), np.stack(truths) >= 0.5
        mattes = soft_mattes(film, masks, ArrayFrames(np.rint(255 * room).astype(np.uint8)[None]))
        assert max(np.abs(matte - truth).mean() for matte, truth in zip(mattes, truths, strict=True)) < 0.01


def test_shutter_is_told_by_the_blur_of_an_outline() -> None:
    mask = np.zeros((80, 160), np.float32)
    mask[20:60, 40:120] = 1
    flow = np.broadcast_to(np.float32((24, 3)), (80, 160, 2)).copy()
    assert Shutter().share == 0.5
    for share in (0.0, 0.25, 0.5, 1.0):
        shutter = Shutter()
        shutter.learn(mask, flow, smeared(mask, flow, share), np.ones_like(mask))
        assert shutter.share == share
    still = Shutter()
    still.learn(mask, flow * 0, mask, np.ones_like(mask))
    assert still.share == 0.5


@pytest.mark.parametrize("her", [(10, 10, 12), (128, 120, 110)], ids=["black on black", "grey on grey"])
def test_nothing_frays_where_she_looks_like_the_room(her: tuple[int, int, int]) -> None:
    rng, (height, width) = np.random.default_rng(3), (120, 160)
    y, x = np.mgrid[0:height, 0:width]
    truth = np.clip(38.5 - np.hypot(y - 60, x - 80), 0, 1).astype(np.float32)
    behind = np.float32(her) - 2
    shown = truth[..., None] * np.float32(her) + (1 - truth[..., None]) * behind
    frame, room = (
        np.clip(np.rint(part + rng.normal(0, 1.5, (height, width, 3))), 0, 255).astype(np.uint8)
        for part in (shown, behind)
    )
    wrong = np.abs(soft_matte(frame, truth >= 0.5, room) - truth)
    away = np.abs(np.hypot(y - 60, x - 80) - 38) > 2
    assert wrong[away].max() < 0.3
    assert np.quantile(wrong[away & (np.abs(np.hypot(y - 60, x - 80) - 38) < 8)], 0.99) < 0.12


def test_her_motion_is_found_although_the_room_shows_through_her() -> None:
    """Thin strands before a strong, still pattern: flow of the film follows the pattern."""
    rng, (height, width) = np.random.default_rng(4), (120, 160)
    strands = np.zeros((height, width), np.uint8)
    for start in range(30, 110, 6):
        cv2.line(strands, (start, 30), (int(start + rng.integers(-20, 20)), 90), 255, 1)
    mattes = [np.roll(strands, shift, axis=1).astype(np.float32) / 255 for shift in (0, 4)]
    colours = np.full((height, width, 3), 0.4, np.float32)
    flow = OwnMotion().flow(*(on_flat(colours, matte) for matte in mattes))
    assert np.abs(flow[35:85, 40:100] - (4, 0)).mean() < 0.5


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


def test_mask_that_is_nowhere_one_half_is_not_lost(clip: MovingClip) -> None:
    faint = clip.matte(0) * np.float32(0.4)
    assert (soft_matte(clip.frame(0), faint, clip.room(0)) == faint).all()


def test_frames_after_she_left_have_an_empty_matte(clip: MovingClip) -> None:
    film = ArrayFrames(np.stack([clip.frame(8), clip.room(8)]))
    masks = np.stack([clip.matte(8), np.zeros((SIZE.height, SIZE.width), np.float32)])
    here, gone = soft_mattes(film, masks, ArrayFrames(clip.room(8)[None]))
    assert here.max() == 1 and not gone.any()


def test_mask_thinner_than_the_band_keeps_its_middle(clip: MovingClip) -> None:
    mask = np.zeros((SIZE.height, SIZE.width), bool)
    mask[60, 60:150] = True
    assert soft_matte(clip.frame(0), mask, clip.room(0)).max() == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"old_room": np.zeros((60, 80, 3), np.uint8)}, "old_room must be 480x270 like the picture, got 80x60"),
        ({"mask": np.zeros((60, 80))}, "mask must be 480x270 like the picture, got 80x60"),
        ({"picture": np.zeros((270, 480, 4), np.uint8)}, "picture must be an RGB picture .*, got an RGBA picture"),
        ({"old_room": np.zeros((270, 480, 4), np.uint8)}, "old_room must be an RGB picture .*, got an RGBA picture"),
    ],
    ids=["old room", "mask", "RGBA", "RGBA old room"],
)
def test_what_does_not_fit_is_refused(clip: MovingClip, change: dict, words: str) -> None:
    given = {"picture": clip.frame(0), "mask": clip.matte(0), "old_room": clip.room(0)} | change
    with pytest.raises(Refusal, match=f"^soft_matte: ({words})"):
        soft_matte(**given)


def test_films_of_other_lengths_are_refused(clip: MovingClip) -> None:
    frames = np.zeros((3, SIZE.height, SIZE.width, 3), np.uint8)
    with pytest.raises(Refusal, match="old_room must have 1 or 3 frames, got 2"):
        soft_mattes(ArrayFrames(frames), np.zeros((1, SIZE.height, SIZE.width)), ArrayFrames(frames[:2]))
