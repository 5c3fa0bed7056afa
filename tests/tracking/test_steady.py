"""The last step of every way to track: neighbouring masks mend one another, along the motion."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion
from escalier.tracking import TrackedMasks, area_jitter, steady_masks

FRAMES, HEIGHT, WIDTH, STEP = 7, 72, 120, 5


@pytest.fixture(scope="module")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Motion:
    """A textured patch that moves five pixels a frame over a textured wall."""
    noise = [cv2.GaussianBlur(np.random.default_rng(k).standard_normal((HEIGHT, WIDTH, 3)), (0, 0), 2) for k in (0, 1)]
    wall, cloth = (np.clip(128 + 40 * part / part.std(), 0, 255).astype(np.uint8) for part in noise)
    pictures = [np.where(truth()[i][..., None] > 0, np.roll(cloth, STEP * i, axis=1), wall) for i in range(FRAMES)]
    film = ArrayFrames(np.stack(pictures).astype(np.uint8))
    return Motion(film, tmp_path_factory.mktemp("motion"))


def truth() -> np.ndarray:
    masks = np.zeros((FRAMES, HEIGHT, WIDTH), np.float32)
    for i, mask in enumerate(masks):
        mask[16:56, 20 + STEP * i : 60 + STEP * i] = 1
    return masks


def tracked(masks: np.ndarray) -> TrackedMasks:
    return TrackedMasks(masks, np.linspace(0, 1, FRAMES, dtype=np.float32))


def test_what_one_frame_alone_has_lost_comes_back_where_it_moved_to(motion: Motion) -> None:
    masks = truth()
    hole = slice(28, 44), slice(20 + STEP * 3 + 12, 20 + STEP * 3 + 28)
    masks[3][hole] = 0
    steady = steady_masks(tracked(masks), motion)
    assert steady.masks[3][hole].min() > 0.9
    assert np.array_equal(steady.confidence, tracked(masks).confidence)


def test_what_one_frame_alone_has_taken_in_goes(motion: Motion) -> None:
    masks = truth()
    masks[3, 24:40, 100:114] = 1
    assert steady_masks(tracked(masks), motion).masks[3, 24:40, 100:114].max() < 0.1


def test_a_trembling_area_trembles_less_and_nothing_lags_behind(motion: Motion) -> None:
    masks = truth()
    for i in range(1, FRAMES, 2):
        masks[i] = cv2.erode(masks[i], np.ones((3, 3)))
    steady = steady_masks(tracked(masks), motion).masks
    assert area_jitter(steady[1:-1]) < 0.6 * area_jitter(masks[1:-1])
    columns = np.arange(WIDTH)
    for i in range(2, FRAMES - 2):
        middle = (steady[i] * columns).sum() / steady[i].sum()
        assert middle == pytest.approx(20 + STEP * i + 19.5, abs=0.5)  # a lag of a frame would be 5


def test_given_masks_and_both_ends_keep_every_bit(motion: Motion) -> None:
    masks = truth()
    masks[[0, 2, 6], 30:40] = 0
    steady = steady_masks(tracked(masks), motion, given=[2]).masks
    for i in (0, 2, 6):
        assert np.array_equal(steady[i], masks[i])


def test_nothing_passes_over_a_cut(motion: Motion) -> None:
    masks = truth()
    masks[3:] = 0
    steady = steady_masks(tracked(masks), motion, cuts=[3]).masks
    assert np.array_equal(steady[2:4], masks[2:4])


def test_the_motion_of_another_film_is_refused(motion: Motion) -> None:
    with pytest.raises(ValueError, match="steady_masks: motion must be that of the 6 masks of 120x72, got 7 frames of"):
        steady_masks(TrackedMasks(truth()[:6], np.ones(6, np.float32)), motion)


def test_empty_masks_stay_empty(motion: Motion) -> None:
    assert not steady_masks(tracked(np.zeros_like(truth())), motion).masks.any()
