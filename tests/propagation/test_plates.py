"""Subject and set apart: neither copies from the other, the set does not move along, edges are the mask's."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion
from escalier.keyframes import Keyframes
from escalier.propagation import Guides, Matching, Plate, propagate
from escalier.propagation.plates import SET, SUBJECT, join, joint_error
from escalier.pyebsynth import Synthesis

HEIGHT, WIDTH, LENGTH = 72, 128, 7
SIDE, STEP = 34, 8
PER_PX = 1.9  # levels for each pixel of a place


def cloud(seed: int, height: int, width: int, scale: float, level: float, contrast: float) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((height, width, 3)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), scale)
    return np.clip(level + blurred / blurred.std() * contrast, 0, 255)


class Scene:
    """A textured square that crosses a faint wall. The wall's painting says where each of its pixels was taken from."""

    def __init__(self) -> None:
        subject, wall = cloud(0, SIDE, SIDE, 1.5, 120, 28), cloud(1, HEIGHT, WIDTH, 4, 120, 6)
        y, x = np.mgrid[:HEIGHT, :WIDTH]
        places = np.stack([x * PER_PX, y * PER_PX, np.zeros_like(x)], axis=-1)
        frames, self.masks, self.painted = [], [], []
        for i in range(LENGTH):
            spot = np.s_[19 : 19 + SIDE, 12 + STEP * i : 12 + STEP * i + SIDE]
            frame, mask, picture = wall.copy(), np.zeros((HEIGHT, WIDTH), np.uint8), places.copy()
            frame[spot], mask[spot], picture[spot] = subject, 255, (0, 0, 255)
            frames.append(frame.astype(np.uint8))
            self.masks.append(mask)
            self.painted.append(picture.astype(np.uint8))
        self.film = ArrayFrames(np.stack(frames))
        self.keyframes = Keyframes([0], [self.painted[0]], LENGTH)

    def wall_moved(self, frame: np.ndarray, index: int) -> float:
        """How far from its place the wall next to the subject was taken, where it was seen before, in px."""
        near = cv2.dilate(self.masks[index], np.ones((25, 25))) > 0
        wall = (self.masks[index] == 0) & (cv2.dilate(self.masks[0], np.ones((5, 5))) == 0)
        away = (frame[..., :2].astype(float) - self.painted[index][..., :2]) / PER_PX
        return float(np.linalg.norm(away, axis=-1)[near & wall].mean())


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.mark.slow
def test_the_wall_next_to_a_moving_subject_moves_at_most_half_as_far_with_a_mask(scene: Scene, tmp_path: Path) -> None:
    motion = Motion(scene.film, tmp_path)
    moved = {}
    for name, masks in (("without", None), ("with", scene.masks)):
        run = propagate(scene.film, scene.keyframes, folder=tmp_path, motion=motion, masks=masks, threads=1).forward[0]
        moved[name] = np.mean([scene.wall_moved(run.frame(index), index) for index in range(3, LENGTH)])
    assert moved["without"] > 1, "the scene must be one in which the subject drags the wall along"
    assert moved["with"] <= 0.5 * moved["without"]


@pytest.mark.slow
def test_apart_neither_side_is_painted_with_the_other(tmp_path: Path) -> None:
    """Red subject, blue set, and a film in which both look the same: only the masks can tell."""
    grey = cloud(0, HEIGHT, WIDTH, 2, 120, 25).astype(np.uint8)
    masks = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    for i in range(3):
        masks[i, 20:52, 30 + 10 * i : 66 + 10 * i] = 255
    red, blue = (200, 20, 20), (20, 20, 200)
    painted = np.where(masks[0][..., None] > 0, np.uint8(red), np.uint8(blue))
    film, keyframes = ArrayFrames(np.stack([grey] * 3)), Keyframes([0], [painted], 3)
    weak = Guides(mask=0.0)
    run = propagate(film, keyframes, folder=tmp_path, masks=masks, guides=weak, threads=1, cuts=()).forward[0]
    assert (run.frame(2)[masks[2] > 0] == red).all()
    assert (run.frame(2)[masks[2] == 0] == blue).all()
    together = propagate(
        film, keyframes, folder=tmp_path, masks=masks, guides=weak, matching=Matching(apart=False), threads=1, cuts=()
    ).forward[0]
    assert (together.frame(2)[masks[2] > 0] != red).any()


def test_a_keyframe_without_the_subject_may_be_copied_from_anywhere(tmp_path: Path) -> None:
    grey = cloud(0, HEIGHT, WIDTH, 2, 120, 25).astype(np.uint8)
    masks = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    masks[1:, 20:52, 30:66] = 255
    painted = cloud(1, HEIGHT, WIDTH, 2, 120, 40).astype(np.uint8)
    film, keyframes = ArrayFrames(np.stack([grey] * 3)), Keyframes([0], [painted], 3)
    frame = propagate(film, keyframes, folder=tmp_path, masks=masks, threads=1, cuts=()).forward[0].frame(2)
    assert frame[masks[2] > 0].std() > 0.5 * painted.std()


def test_a_film_that_is_all_subject_is_painted_as_ever(tmp_path: Path) -> None:
    grey = cloud(0, HEIGHT, WIDTH, 2, 120, 25).astype(np.uint8)
    masks = np.full((1, HEIGHT, WIDTH), 255, np.uint8)
    painted = cloud(1, HEIGHT, WIDTH, 2, 120, 40).astype(np.uint8)
    film, keyframes = ArrayFrames(np.stack([grey] * 2)), Keyframes([0], [painted], 2)
    guides = Guides(mask=0.0)
    one = propagate(film, keyframes, folder=tmp_path, masks=masks, guides=guides, threads=1, cuts=()).forward[0]
    plain = propagate(film, keyframes, folder=tmp_path, guides=guides, threads=1, cuts=()).forward[0]
    assert np.abs(one.frame(1).astype(int) - plain.frame(1)).mean() < 1


def painted_as(level: int, shape: tuple[int, int]) -> Synthesis:
    flat = np.zeros(shape, np.float32)
    return Synthesis(np.full((*shape, 3), level, np.uint8), np.zeros((*shape, 2), np.int32), flat + level, flat + level)


def test_plates_meet_in_the_weight_of_the_mask() -> None:
    mask = np.tile(np.linspace(0, 1, 16, dtype=np.float32), (12, 1))
    keyframe = np.zeros((12, 16, 3), np.uint8)
    plates = [Plate(keyframe, side, mask, 5) for side in (SUBJECT, SET)]
    still = np.zeros((12, 16, 2), np.float32)
    for plate, level in zip(plates, (200, 100), strict=True):
        plate.carry(still, mask >= 0, mask)
        plate.paint(keyframe, mask, 2, lambda *_, level=level, **__: painted_as(level, (12, 16)))
    picture, error = join([plate.picture for plate in plates], mask), joint_error(plates, mask)
    assert np.abs(picture[..., 0] - (100 + 100 * mask)).max() <= 0.5
    assert ((error == 200) == (mask >= 0.5)).all()


def test_a_plate_remembers_what_is_hidden() -> None:
    keyframe = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    hidden = np.zeros((12, 16), np.float32)
    hidden[:, 6:12] = 1
    plate = Plate(keyframe, SET, np.zeros((12, 16), np.float32), 5)
    still, everywhere = np.zeros((12, 16, 2), np.float32), np.ones((12, 16), bool)
    plate.carry(still, everywhere, hidden)
    plate.paint(keyframe, hidden, 2, lambda *_, **__: painted_as(7, (12, 16)))
    assert (plate.picture[:, 8:10] == keyframe[:, 8:10]).all()
    assert (plate.picture[:, :4] == 7).all()
