"""A body's motion carried on over its outline, and what is told by it: in a film whose motion is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from known_motion import KnownMotion

from escalier.film import ArrayFrames, Size
from escalier.tracking.nearest_flow import FEWEST_SEEDS, flow_of_nearest, which_motion
from escalier.tracking.small_frames import SmallFrames

HEIGHT, WIDTH, FRAMES, STEP = 70, 140, 3, 4
BODY = slice(15, 55), slice(40, 90)  # in the middle frame


def test_every_pixel_takes_the_flow_of_its_nearest_seed() -> None:
    flow = np.zeros((40, 100, 2), np.float32)
    flow[:, :50], flow[:, 50:] = (3, 1), (-2, 0)
    seeds = np.zeros((40, 100), bool)
    seeds[:, :10] = seeds[:, 90:] = True
    found = flow_of_nearest(flow, seeds)
    assert found is not None
    assert np.allclose(found[:, :40], (3, 1)) and np.allclose(found[:, 60:], (-2, 0))


@pytest.mark.parametrize(("count", "tells"), [(FEWEST_SEEDS - 1, False), (FEWEST_SEEDS, True)])
def test_too_few_seeds_tell_nothing(count: int, tells: bool) -> None:
    seeds = np.zeros((10, 10), bool)
    seeds.flat[:count] = True
    assert (flow_of_nearest(np.ones((10, 10, 2), np.float32), seeds) is not None) == tells


def moved_body(grey: bool = False) -> SmallFrames:
    """A body that moves to the right by 4 px a frame before a set that stands still; both textured, of one colour."""
    random = np.random.default_rng(0)
    room, cloth = (cv2.GaussianBlur(random.standard_normal((HEIGHT, WIDTH, 3)), (0, 0), 1.5) for _ in range(2))
    pictures = []
    for i in range(FRAMES):
        picture = 128 + 40 * room / room.std()
        shift = STEP * (i - 1)
        picture[BODY[0], BODY[1].start + shift : BODY[1].stop + shift] = (128 + 40 * cloth / cloth.std())[BODY]
        pictures.append(np.full_like(picture, 128) if grey else picture)
    film = ArrayFrames(np.clip(np.stack(pictures), 0, 255).astype(np.uint8))

    def flow_of(i: int, j: int) -> np.ndarray:
        flow = np.zeros((HEIGHT, WIDTH, 2), np.float32)
        shift = STEP * (i - 1)
        flow[BODY[0], BODY[1].start + shift : BODY[1].stop + shift] = (STEP * (j - i), 0)
        return flow

    return SmallFrames(film, KnownMotion(Size(WIDTH, HEIGHT), flow_of))  # type: ignore[arg-type]


REGION = slice(5, 65), slice(20, 120)


def state() -> tuple[np.ndarray, np.ndarray]:
    """Label and how sure it is, in the region: known are the left half of the body and what is far off."""
    label, known = np.full((HEIGHT, WIDTH), -1, np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    label[BODY[0], 40:65], known[:, 100:], known[:, :65] = 1, 1, 1
    return label[REGION], known[REGION]


def odds_of(frames: SmallFrames, index: int = 1) -> np.ndarray:
    odds = np.zeros((HEIGHT, WIDTH), np.float32)
    odds[REGION] = which_motion(frames, index, REGION, *state())
    return odds


def test_what_moves_with_the_subject_is_told_from_what_stands_still_though_both_look_alike() -> None:
    odds = odds_of(moved_body())
    unsure = slice(70, 86)
    assert odds[22:48, unsure].mean() > 0.7 and (odds[22:48, unsure] > 0).mean() > 0.97
    beside = odds[22:48, 96:112]
    assert beside.mean() < -0.7 and (beside < 0).mean() > 0.97


def test_where_nothing_has_a_texture_nothing_is_said() -> None:
    assert np.abs(odds_of(moved_body(grey=True))).max() < 1e-6


def test_where_neither_motion_finds_a_pixel_again_nothing_is_said() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    body = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    body[BODY] = (STEP, 0)
    still = KnownMotion(Size(WIDTH, HEIGHT), lambda i, j: body * (j - i))
    odds = odds_of(SmallFrames(ArrayFrames(noise), still))  # type: ignore[arg-type]
    assert np.abs(odds).max() < 0.05


def test_without_anybody_known_nothing_is_said() -> None:
    label, known = state()
    assert not which_motion(moved_body(), 1, REGION, label, 0 * known).any()
    assert not which_motion(moved_body(), 1, REGION, -np.abs(label), known).any()
