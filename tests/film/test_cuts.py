"""Cuts are found where they are, and nowhere else: on scenes, pans and flashes made by code."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion, ShotMotion, Size, check_cuts, find_cuts, make_clip, shots

WIDTH, HEIGHT = 160, 90


def scene(seed: int, width: int = WIDTH) -> np.ndarray:
    """A picture of soft coloured forms with fine texture on them."""
    rng = np.random.default_rng(seed)
    forms = cv2.resize(rng.integers(0, 256, (6, max(2, width // 16), 3), np.uint8), (width, HEIGHT))
    grain = cv2.GaussianBlur(rng.normal(0, 25, (HEIGHT, width, 3)).astype(np.float32), (0, 0), 1.5)
    return np.clip(forms + grain, 0, 255).astype(np.uint8)


def pan(step: int, frames: int = 8, seed: int = 3) -> np.ndarray:
    """A camera that turns by `step` pixels a frame, blurred as its shutter would."""
    wide = cv2.blur(scene(seed, WIDTH + step * frames), (max(1, step // 2), 1))
    return np.stack([wide[:, step * i : step * i + WIDTH] for i in range(frames)])


def acted(seed: int, frames: int = 12) -> np.ndarray:
    clip = make_clip(Size(WIDTH, HEIGHT), frames, seed=seed)
    return np.stack([clip.frame(i) for i in range(frames)])


def test_cuts_between_scenes_are_found_to_the_frame(tmp_path: Path) -> None:
    film = ArrayFrames(np.concatenate([acted(0), pan(6), np.stack([scene(9)] * 5)]))
    assert find_cuts(film) == (12, 20)
    assert find_cuts(film, Motion(film, tmp_path)) == (12, 20)


@pytest.mark.parametrize("step", [4, 16, 40, 80])
def test_a_fast_pan_is_no_cut(step: int, tmp_path: Path) -> None:
    film = ArrayFrames(pan(step))
    assert find_cuts(film) == ()
    assert find_cuts(film, Motion(film, tmp_path)) == ()


def test_a_pan_that_starts_at_full_speed_is_no_cut() -> None:
    moving = pan(40)
    film = ArrayFrames(np.concatenate([np.stack([moving[0]] * 6), moving, np.stack([moving[-1]] * 6)]))
    assert find_cuts(film) == ()


def test_a_cut_in_the_middle_of_a_fast_pan_is_found() -> None:
    film = ArrayFrames(np.concatenate([pan(40, seed=3), pan(40, seed=5)]))
    assert find_cuts(film) == (8,)


def test_an_actor_who_uncovers_a_face_is_no_cut() -> None:
    clip = make_clip(Size(WIDTH, HEIGHT), 30, uncover_at=15)
    assert find_cuts(ArrayFrames(np.stack([clip.frame(i) for i in range(30)]))) == ()


def test_hard_cuts_everywhere_are_all_found() -> None:
    film = ArrayFrames(np.stack([scene(seed) for seed in range(20, 30)]))
    assert find_cuts(film) == tuple(range(1, 10))


@pytest.mark.parametrize("frames", [1, 3])
def test_a_flash_is_no_cut(frames: int) -> None:
    film = acted(0).copy()
    film[5 : 5 + frames] = 255 - (255 - film[5 : 5 + frames]) // 8
    assert find_cuts(ArrayFrames(film)) == ()


def test_black_before_the_film_is_a_shot_of_its_own() -> None:
    film = ArrayFrames(np.concatenate([np.zeros((6, HEIGHT, WIDTH, 3), np.uint8), acted(0)]))
    assert find_cuts(film) == (6,)


@pytest.mark.parametrize("frames", [1, 2, 12])
def test_an_all_black_film_has_no_cut(frames: int, tmp_path: Path) -> None:
    film = ArrayFrames(np.zeros((frames, HEIGHT, WIDTH, 3), np.uint8))
    assert find_cuts(film, Motion(film, tmp_path)) == ()


def test_what_the_flow_follows_is_no_cut() -> None:
    """The flow has the last word on a pair in doubt."""

    class AllSeen:
        def flow(self, i: int, j: int) -> np.ndarray:
            return np.zeros((HEIGHT, WIDTH, 2), np.float32)

        def visible(self, i: int, j: int) -> np.ndarray:
            return np.ones((HEIGHT, WIDTH), bool)

    still = np.stack([scene(1)] * 6)
    changed = still.copy()
    changed[3:, :, : WIDTH // 3] = scene(2)[:, : WIDTH // 3]
    assert find_cuts(ArrayFrames(changed), AllSeen()) == ()
    changed[3:] = scene(2)
    assert find_cuts(ArrayFrames(changed), AllSeen()) == (3,)


def test_nothing_is_visible_across_a_cut_and_all_is_as_before_elsewhere(tmp_path: Path) -> None:
    film = ArrayFrames(np.concatenate([pan(2, 3), pan(2, 3, seed=5)]))
    motion = Motion(film, tmp_path)
    broken = ShotMotion(motion, [3])
    for pair in ((2, 3), (3, 2)):
        assert motion.visible(*pair).any() and not broken.visible(*pair).any()
        assert not broken.flow(*pair).any()
    assert (broken.visible(1, 2) == motion.visible(1, 2)).all()
    assert (broken.flow(4, 3) == motion.flow(4, 3)).all()


def test_the_film_is_read_once_in_order_with_progress() -> None:
    film = ArrayFrames(acted(0, 5))
    read: list[int] = []
    told: list[tuple[int, int]] = []

    class Watched(ArrayFrames):
        def frame(self, index: int) -> np.ndarray:
            read.append(index)
            return film.frame(index)

    find_cuts(Watched(np.zeros((5, HEIGHT, WIDTH, 3), np.uint8)), progress=lambda *done: told.append(done))
    assert read == list(range(5)) and told == [(k, 5) for k in range(1, 6)]


def test_shots_share_out_the_film() -> None:
    assert [list(shot) for shot in shots(5, [1, 4])] == [[0], [1, 2, 3], [4]]


@pytest.mark.parametrize("cuts", [[0], [5], [3, 2], [2, 2], [-1]])
def test_cuts_that_cannot_be_are_refused(cuts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"cuts must be frame numbers in 1\.\.4, rising, got"):
        check_cuts(cuts, 5)
