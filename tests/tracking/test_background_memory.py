"""What lies behind the subject, in films whose set, camera and subject were made here."""

from __future__ import annotations

import cv2
import numpy as np
from known_motion import KnownMotion

from escalier.film import ArrayFrames, Size
from escalier.tracking.background_memory import BackgroundMemory, Camera, just_uncovered
from escalier.tracking.picture_match import without_grain
from escalier.tracking.small_frames import SmallFrames

HEIGHT, WIDTH, FRAMES, SIDE = 60, 160, 16, 24
STEP = 6
FAR = np.ones((HEIGHT, WIDTH), bool)
WHOLE = slice(0, HEIGHT), slice(0, WIDTH)


def texture(seed: int, colour: tuple[int, int, int], width: int = WIDTH) -> np.ndarray:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((HEIGHT, width, 3)), (0, 0), 2)
    return np.clip(colour + 25 * noise / noise.std(), 0, 255).astype(np.uint8)


ROOM, CLOTH = texture(0, (110, 120, 130), WIDTH + 60), texture(1, (190, 90, 50))


def frames(pan: int = 0, flow: tuple[float, float] | None = None) -> SmallFrames:
    """A square that moves to the right by 6 px a frame, in a set that the camera pans over; the flow as it is told."""
    pictures = []
    for i in range(FRAMES):
        picture = ROOM[:, pan * i : pan * i + WIDTH].copy()
        picture[place(i)] = CLOTH[:SIDE, :SIDE]
        pictures.append(picture)
    step = np.float32((-pan, 0) if flow is None else flow)
    motion = KnownMotion(Size(WIDTH, HEIGHT), lambda i, j: np.tile(step * (j - i), (HEIGHT, WIDTH, 1)))
    return SmallFrames(ArrayFrames(np.stack(pictures)), motion)  # type: ignore[arg-type]


def place(i: int) -> tuple[slice, slice]:
    return slice(18, 18 + SIDE), slice(20 + STEP * i, 20 + STEP * i + SIDE)


def label_of(i: int) -> np.ndarray:
    label = np.full((HEIGHT, WIDTH), -1, np.float32)
    label[place(i)] = 1
    return label


def test_a_camera_that_stands_still_asks_for_no_resampling() -> None:
    assert Camera(frames(flow=(0.02, 0))).flow(0, 3, FAR) is None


def test_a_panning_camera_is_followed_over_several_frames_and_both_ways() -> None:
    camera = Camera(frames(pan=2))
    ahead, back = camera.flow(4, 7, FAR), camera.flow(4, 2, FAR)
    assert ahead is not None and np.allclose(ahead, (-6, 0), atol=1e-3)
    assert back is not None and np.allclose(back, (4, 0), atol=1e-3)


def test_the_cameras_step_is_measured_once_and_beside_the_subject() -> None:
    flow = np.where(label_of(0)[..., None] > 0, 9, 3) * np.ones(2, np.float32)
    moving = KnownMotion(Size(WIDTH, HEIGHT), lambda i, j: flow)
    film = ArrayFrames(np.zeros((FRAMES, HEIGHT, WIDTH, 3), np.uint8))
    camera = Camera(SmallFrames(film, moving))  # type: ignore[arg-type]
    for _ in range(2):
        found = camera.flow(0, 1, label_of(0) < 0)
        assert found is not None and np.allclose(found, 3, atol=1e-3)
    assert len(moving.asked) == 1


def test_what_was_seen_is_recognised_and_what_the_subject_hid_is_not() -> None:
    film = frames()
    memory = BackgroundMemory(film[0], label_of(0), np.ones((HEIGHT, WIDTH), np.float32))
    known = memory.recognises(without_grain(film[0]), 1.0, 10.0)
    assert known[:, 80:].min() > 0.99
    assert known[place(0)].max() == 0  # nobody knows what lies behind
    other = memory.recognises(without_grain(255 - film[0]), 1.0, 10.0)
    assert other.max() < 0.5


def test_what_the_subject_leaves_behind_is_learnt() -> None:
    film = frames()
    memory = BackgroundMemory(film[0], label_of(0), np.ones((HEIGHT, WIDTH), np.float32))
    behind = slice(24, 36), slice(26, 38)
    look = without_grain(film[8])
    assert memory.recognises(look, 1.0, 10.0)[behind].max() == 0
    memory.learn(look, label_of(8), np.ones((HEIGHT, WIDTH), np.float32))
    assert memory.recognises(look, 1.0, 10.0)[behind].min() > 0.99


def test_the_memory_moves_with_the_camera() -> None:
    film = frames(pan=2)
    memory = BackgroundMemory(film[0], label_of(0), np.ones((HEIGHT, WIDTH), np.float32))
    look, beside = without_grain(film[1]), (slice(0, 7), slice(16, WIDTH - 16))
    assert memory.recognises(look, 1.0, 4.0)[beside].mean() < 0.6
    memory.move(Camera(film).flow(1, 0, FAR))
    assert memory.recognises(look, 1.0, 4.0)[beside].min() > 0.99


def test_the_memory_follows_light_that_changes_slowly() -> None:
    film = frames()
    sure = np.ones((HEIGHT, WIDTH), np.float32)
    memory = BackgroundMemory(film[0], label_of(0), sure)
    brighter = without_grain(film[0]) + 20
    misses = []
    for _ in range(3):
        misses.append(float(1 - memory.recognises(brighter, 1.0, 10.0)[:, 80:].mean()))
        memory.learn(brighter, label_of(0), sure)
    assert misses[0] > 0.9 > misses[1] > misses[2]


def test_what_the_subject_uncovers_is_told_from_the_subject_and_from_what_never_changed() -> None:
    film = frames()
    found, still = just_uncovered(film, Camera(film), 4, 1, label_of(4) < 0, WHOLE)
    rows = slice(24, 36)
    assert found[rows, 28:38].min() > 0.8  # it stood there one to three frames ago
    assert found[place(4)][6:-6, 6:-6].max() < 0.2
    assert found[:, 110:].max() < 0.01 and found[:10].max() < 0.01
    assert (
        still[:10].min() > 0.99 and still[place(4)][6:-6, 6:-6].max() < 0.2
    )  # a textured cloth that moves is not still


def test_a_region_gives_its_own_part_of_the_answer() -> None:
    film = frames()
    region = slice(10, 50), slice(12, 90)
    whole, _ = just_uncovered(film, Camera(film), 4, 1, label_of(4) < 0, WHOLE)
    part, _ = just_uncovered(film, Camera(film), 4, 1, label_of(4) < 0, region)
    assert np.abs(part - whole[region])[8:-8, 8:-8].max() < 1e-3


def test_at_the_ends_of_the_film_nothing_is_said_to_be_uncovered() -> None:
    film = frames()
    for index, towards in ((FRAMES - 1, 1), (0, -1), (0, 1)):
        assert not np.any(just_uncovered(film, Camera(film), index, towards, label_of(index) < 0, WHOLE))
