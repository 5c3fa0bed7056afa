"""The report on composites finds the faults that people see, each made by code, and finds none where there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.composite import Blending, Machine, measure_composite, poisson_blend
from escalier.film import ArrayFrames
from escalier.refusals import Refusal

SIZE = (120, 160)
FRAMES = 4
FIGURES = {"colour", "colour_region", "clipped", "rim", "flicker", "edges_lost"}


def textured(seed: int, colour: tuple[int, int, int], contrast: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    picture = np.ones((*SIZE, 3), np.float32) * np.float32(colour)
    for cells, amplitude in ((5, 1.0), (20, 0.7), (60, 0.4)):
        patches = rng.standard_normal((cells, cells)).astype(np.float32)
        fine = cv2.resize(patches, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
        picture += contrast * amplitude * fine[..., None]
    return np.clip(picture, 0, 255)


class Scene:
    """A body walks through a green room; `placed` is it in a bright one, by the true soft matte and its own colours."""

    def __init__(self) -> None:
        large = np.zeros((4 * SIZE[0], 4 * SIZE[1]), np.uint8)
        cv2.ellipse(large, (280, 110), (56, 64), 0, 0, 360, 255, -1)
        cv2.ellipse(large, (280, 290), (88, 150), 0, 0, 360, 255, -1)
        cover = cv2.resize(large, SIZE[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        own, old = textured(1, (170, 110, 90), 16), textured(2, (40, 130, 60), 10)
        self.room = np.rint(textured(3, (215, 210, 205), 8)).astype(np.uint8)
        self.mattes = np.stack([np.roll(cover, 4 * i, axis=1) for i in range(FRAMES)])
        self.bodies = [np.roll(own, 4 * i, axis=1) for i in range(FRAMES)]
        self.source = np.stack([self.over(body, m, old) for body, m in zip(self.bodies, self.mattes, strict=True)])
        self.placed = np.stack([self.over(b, m, self.room) for b, m in zip(self.bodies, self.mattes, strict=True)])

    @staticmethod
    def over(body: np.ndarray, matte: np.ndarray, room: np.ndarray) -> np.ndarray:
        share = matte[..., None]
        return np.rint(np.clip(share * body + (1 - share) * room, 0, 255)).astype(np.uint8)

    def inside(self, change: np.ndarray) -> np.ndarray:
        """The placed film with the body's pixels changed."""
        mixed = self.mattes[..., None] * change + (1 - self.mattes[..., None]) * self.placed
        return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)

    def check(self, result: np.ndarray, **poses):
        films = (ArrayFrames(frames) for frames in (result, self.source, self.room[None]))
        return measure_composite(*films, self.mattes, **poses)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


def burnt(scene: Scene) -> np.ndarray:
    return scene.inside(scene.placed.astype(np.float32) + 150)


def rimmed(scene: Scene) -> np.ndarray:
    """Cut out by a mask two pixels too wide."""
    wide = [cv2.dilate((matte > 0.5).view(np.uint8), np.ones((5, 5))) > 0 for matte in scene.mattes]
    return np.where(np.stack(wide)[..., None], scene.source, scene.room)


def flickering(scene: Scene) -> np.ndarray:
    gain = np.where(np.arange(FRAMES) % 2, 1.03, 1.0)[:, None, None, None]
    return scene.inside(scene.placed * gain)


def blurred(scene: Scene) -> np.ndarray:
    return scene.inside(np.stack([cv2.GaussianBlur(frame, (0, 0), 3) for frame in scene.placed]))


def dyed_head(scene: Scene) -> np.ndarray:
    frames = scene.placed.astype(np.float32)
    frames[:, 14:26] += np.float32((40, -30, 40))
    return scene.inside(frames)


FAULTS = {
    "burnt": (burnt, {"colour", "colour_region", "clipped", "edges_lost"}),
    "rim": (rimmed, {"rim"}),
    "flicker": (flickering, {"flicker"}),
    "blur": (blurred, {"edges_lost"}),
    "dyed head": (dyed_head, {"colour_region"}),
}


def test_clean_composite_reads_good(scene: Scene) -> None:
    check = scene.check(scene.placed)
    assert check.is_good, str(check)
    assert set(check.figures) == set(check.verdicts) == FIGURES
    assert check.figures["colour"] < 0.5
    assert str(check).startswith("4 frames: good\nbody's colour, mean: ")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_named(scene: Scene, fault: str) -> None:
    make, expected = FAULTS[fault]
    check = scene.check(make(scene))
    bad = {name for name, word in check.verdicts.items() if word == "bad"}
    assert expected <= bad, str(check)
    assert bad <= expected | ({"flicker"} if fault == "burnt" else set())
    assert not check.is_good


def test_body_that_poisson_blending_burns_is_bad_and_said_where(scene: Scene) -> None:
    room = np.full((*SIZE, 3), 250, np.uint8)
    frames = [
        poisson_blend(filmed, room, matte > 0.2, Blending(screening=0.0), machine=Machine("cpu", threads=1))
        for filmed, matte in zip(scene.source, scene.mattes, strict=True)
    ]
    check = scene.check(np.stack(frames))
    assert check.verdicts["colour"] == check.verdicts["clipped"] == "bad"
    heat, body = check.pictures["colour"], scene.mattes[check.frames["colour"]] == 1
    assert heat[body].mean() > 2 * heat[scene.mattes[check.frames["colour"]] == 0].mean()


def test_a_pose_judges_face_and_torso_apart(scene: Scene) -> None:
    points = np.zeros((18, 3))
    for number, place in {0: (70, 28), 2: (52, 50), 5: (88, 50), 8: (56, 96), 11: (84, 96)}.items():
        points[number] = (*place, 1)
    person = {"pose_keypoints_2d": points.ravel().tolist(), "face_keypoints_2d": None}
    stranger = {"pose_keypoints_2d": np.add(points, (80, 0, 0)).ravel().tolist()}
    pose = {"people": [stranger, person], "canvas_width": SIZE[1], "canvas_height": SIZE[0]}
    shares = {"people": [{"pose_keypoints_2d": (points / (SIZE[1], SIZE[0], 1)).ravel().tolist()}]}
    result = dyed_head(scene)
    for given in (pose, shares):
        parts = scene.check(result, poses=[given]).parts
        assert set(parts) == {"face", "torso"}
        assert parts["face"]["colour"] > 12
        assert parts["torso"]["colour"] < 1


def test_frames_without_a_body_are_left_out(scene: Scene) -> None:
    films = [ArrayFrames(frames) for frames in (scene.placed, scene.source, scene.room[None])]
    mattes = scene.mattes.copy()
    mattes[1] = 0
    check = measure_composite(*films, mattes)
    assert np.isnan([check.curves[name][1] for name in FIGURES]).all()
    assert np.isfinite(check.curves["flicker"]).tolist() == [False, False, False, True]
    nothing = measure_composite(*films, np.zeros((1, *SIZE)))
    assert set(nothing.figures.values()) == {None}
    assert "nothing to judge" in str(nothing)


def test_what_is_no_pose_or_of_another_length_is_refused(scene: Scene) -> None:
    with pytest.raises(Refusal, match="measure_composite: poses must hold one OpenPose object"):
        scene.check(scene.placed, poses=[{"points": []}])
    with pytest.raises(Refusal, match="measure_composite: poses must have 1 or 4 frames, got 2"):
        scene.check(scene.placed, poses=[{"people": []}] * 2)


def test_tiny_pictures_are_measured_too() -> None:
    film = ArrayFrames(np.full((3, 12, 20, 3), 120, np.uint8))
    mask = np.zeros((1, 12, 20))
    mask[0, 3:9, 5:15] = 1
    assert measure_composite(film, film, film, mask).is_good
