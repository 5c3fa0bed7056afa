"""Shadows found, moved, dropped and made, in scenes whose shadows are known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.composite import Shadows, find_cast_shadow, shadow_room
from escalier.film import ArrayFrames
from escalier.refusals import Refusal

SIZE = (120, 160)
FRAMES = 5


class Scene:
    """A figure stands up and walks to the right, with a soft shadow beside her on a patterned floor, in grain."""

    def __init__(self, depth: float = 0.45) -> None:
        rng = np.random.default_rng(3)
        room = np.ones((*SIZE, 3), np.float32) * np.float32((150, 130, 110))
        for cells, amplitude in ((6, 22), (30, 12)):
            patches = rng.standard_normal((cells, cells, 3)).astype(np.float32)
            room += amplitude * cv2.resize(patches, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        self.room = np.rint(np.clip(room, 0, 255)).astype(np.uint8)
        still, shade = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
        cv2.ellipse(still, (50, 60), (10, 36), 0, 0, 360, 255, -1)
        cv2.ellipse(shade, (74, 92), (30, 7), -8, 0, 360, 255, -1)
        soft = depth * cv2.GaussianBlur(shade.astype(np.float32) / 255, (0, 0), 3)
        self.masks = np.stack([np.roll(still, 5 * i, axis=1) for i in range(FRAMES)])
        self.truth = np.stack([np.roll(soft, 5 * i, axis=1) for i in range(FRAMES)])
        frames = []
        for mask, taken in zip(self.masks, self.truth, strict=True):
            light = (self.room / np.float32(255)) ** 2.2 * (1 - taken[..., None])
            frame = 255 * light ** (1 / 2.2) + 2 * rng.standard_normal((*SIZE, 3))
            frames.append(np.where(mask[..., None] > 0, (90, 40, 150), frame))
        self.frames = np.rint(np.clip(frames, 0, 255)).astype(np.uint8)

    def found(self, frames: np.ndarray | None = None) -> np.ndarray:
        film = ArrayFrames(self.frames if frames is None else frames)
        return np.stack([*find_cast_shadow(film, ArrayFrames(self.room[None]), self.masks)])

    def beside(self) -> np.ndarray:
        """Where the room is seen, a little off her edge."""
        return np.stack([cv2.dilate(mask, np.ones((13, 13))) == 0 for mask in self.masks])


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def test_cast_shadow_is_found_as_deep_and_soft_as_it_is(scene: Scene) -> None:
    error = np.abs(scene.found() - scene.truth)[2:3]  # in the middle, where as many frames lie before as after
    beside = scene.beside()[2:3]
    shaded = beside & (scene.truth[2:3] > 0.02)
    assert error[shaded].mean() < 0.06
    assert error[beside & (scene.truth[2:3] == 0)].mean() < 0.01


def test_still_shadow_is_found_closely_and_steadily(scene: Scene) -> None:
    still = Scene()
    still.frames, still.masks = np.stack([scene.frames[0]] * 5), scene.masks[:1]
    found = np.stack([*find_cast_shadow(ArrayFrames(still.frames), ArrayFrames(scene.room[None]), still.masks)])
    shaded = (cv2.dilate(scene.masks[0], np.ones((13, 13))) == 0) & (scene.truth[0] > 0.02)
    assert np.abs(found - scene.truth[0])[:, shaded].mean() < 0.03
    assert np.abs(np.diff(found, axis=0)).max() < 1e-6


def test_room_without_a_shadow_has_none_whatever_its_exposure() -> None:
    plain = Scene(depth=0)
    assert plain.found().mean() < 1e-3
    darker = np.rint(plain.frames * 0.9).astype(np.uint8)
    assert plain.found(darker).mean() < 1e-3


def test_what_turned_another_colour_is_no_shadow(scene: Scene) -> None:
    plain = Scene(depth=0)
    plain.frames[:, 80:100, 75:110] = plain.frames[:, 80:100, 75:110] * (1.0, 0.4, 0.3)
    assert plain.found()[2].max() < 0.1


def test_shadow_that_is_taken_along_darkens_the_room_as_it_did(scene: Scene) -> None:
    wall = np.full((1, *SIZE, 3), 160, np.uint8)
    alone = Shadows(contact=0)
    frames = np.stack([*shadow_room(ArrayFrames(wall), scene.masks, alone, cast=scene.truth)])
    expected = 160 * (1 - scene.truth) ** (1 / 2.2)
    assert np.abs(frames[..., 0] - expected).max() <= 0.51
    assert (frames[scene.truth == 0] == 160).all()
    dropped = [*shadow_room(ArrayFrames(wall), scene.masks, Shadows(cast=0, contact=0), cast=scene.truth)]
    assert (np.stack(dropped) == 160).all()
    moved = np.stack(
        [*shadow_room(ArrayFrames(wall), scene.masks, Shadows(contact=0, across_px=6, down_px=4), cast=scene.truth)]
    )
    assert (moved[:, 4:, 6:] == frames[:, :-4, :-6]).all()
    softer = np.stack(
        [*shadow_room(ArrayFrames(wall), scene.masks, Shadows(contact=0, cast_softness_px=5), cast=scene.truth)]
    )
    assert softer.min() > frames.min()


def test_contact_shadow_lies_under_the_foot_on_the_ground_alone() -> None:
    mask = np.zeros((1, 100, 120), np.uint8)
    mask[0, 10:80, 40:50] = mask[0, 10:60, 70:80] = 255  # the second leg is lifted
    room = np.full((1, 100, 120, 3), 200, np.uint8)
    (frame,) = shadow_room(ArrayFrames(room), mask, Shadows(contact=0.5, contact_softness_px=4))
    assert frame[81, 45, 0] < 190
    assert (frame[58:70, 72:80] == 200).all()
    assert (frame[:60] == 200).all()
    (none,) = shadow_room(ArrayFrames(room), mask, Shadows(contact=0))
    assert (none == room[0]).all()


def test_who_jumps_or_is_cut_by_the_frame_casts_no_contact_shadow() -> None:
    masks = np.zeros((3, 100, 120), np.uint8)
    for index, top in enumerate((20, 5, 20)):
        masks[index, top : top + 60, 50:60] = 255
    room = np.full((1, 100, 120, 3), 200, np.uint8)
    stands, jumps, _ = shadow_room(ArrayFrames(room), masks)
    assert stands.min() < 190
    assert jumps.min() == 200
    masks[:, 20:, 50:60] = 255
    assert all(frame.min() == 200 for frame in shadow_room(ArrayFrames(room), masks))


def test_films_that_do_not_fit_are_refused(scene: Scene) -> None:
    film = ArrayFrames(scene.frames)
    with pytest.raises(Refusal, match="find_cast_shadow: plate must have 1 or 5 frames, got 2"):
        find_cast_shadow(film, ArrayFrames(scene.frames[:2]), scene.masks)
    with pytest.raises(Refusal, match="plate must be 160x120 like the film, got 80x120"):
        next(find_cast_shadow(film, ArrayFrames(scene.frames[:1, :, :80].copy()), scene.masks))
    with pytest.raises(Refusal, match="shadow_room: cast must have 1 or 5 frames, got 3"):
        shadow_room(film, scene.masks, cast=scene.truth[:3])
