"""Masks over time against exact truth made here: a textured, bending subject that passes behind a pillar."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion
from escalier.tracking import TrackedMasks, area_jitter, track_masks

WIDTH, HEIGHT, FRAMES = 480, 270, 15
SHORT = 5
PILLAR = slice(228, 264)


class Scene(NamedTuple):
    film: ArrayFrames
    mattes: np.ndarray  # float32 (N, H, W), what is seen of the subject
    hidden: np.ndarray  # (N,), share of the subject behind the pillar
    motion: Motion


def texture(seed: int, colour: tuple[int, int, int], spread: float, width: int = WIDTH) -> np.ndarray:
    random = np.random.default_rng(seed)
    picture = np.zeros((HEIGHT, width, 3), np.float32) + np.float32(colour)
    for sigma in (3, 8, 18):
        noise = cv2.GaussianBlur(random.standard_normal(picture.shape).astype(np.float32), (0, 0), sigma)
        picture += spread * noise / noise.std()
    return np.clip(picture, 0, 255)


def make_scene(folder: Path, *, speed: float = 12.0, pan: float = 0.0, pillar: bool = True) -> Scene:
    """The subject moves to the right and bends; the camera may pan over a wider room; the pillar stands in the room."""
    room = texture(1, (120, 130, 140), 14, WIDTH + 120)
    clothes = texture(2, (180, 80, 50), 18)
    post = texture(3, (60, 90, 60), 10, WIDTH + 120)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    pictures, mattes, hidden = [], [], []
    for i in range(FRAMES):
        shift = round(pan * i)
        left = 162 + speed * i
        bend = 9 * np.sin(y / 38 + i / 4)
        u, v = x - left - bend, y - 142
        body = np.clip(42 - np.hypot(u, v / 1.7) + 0.5, 0, 1)
        worn = cv2.remap(clothes, u + 240, v + 142, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        covers = np.zeros((HEIGHT, WIDTH), np.float32)
        if pillar:
            covers[:, PILLAR.start - shift : PILLAR.stop - shift] = 1
        frame = room[:, shift : shift + WIDTH] * (1 - body[..., None]) + worn * body[..., None]
        frame = np.where(covers[..., None] > 0, post[:, shift : shift + WIDTH], frame)
        grain = np.random.default_rng(100 + i).normal(0, 2, frame.shape)
        pictures.append(np.clip(np.rint(frame + grain), 0, 255).astype(np.uint8))
        mattes.append((body * (1 - covers)).astype(np.float32))
        hidden.append(1 - mattes[-1].sum() / body.sum())
    film = ArrayFrames(np.stack(pictures))
    motion = Motion(film, folder)
    return Scene(film, np.stack(mattes), np.array(hidden), motion)


def beginning(scene: Scene) -> Scene:
    """The first frames alone, for what needs no pillar."""
    film = ArrayFrames(np.stack([scene.film.frame(i) for i in range(SHORT)]))
    return Scene(film, scene.mattes[:SHORT], scene.hidden[:SHORT], Motion(film, scene.motion.folder.parent))


@pytest.fixture(scope="module")
def short(scene: Scene) -> Scene:
    return beginning(scene)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def tracked(scene: Scene) -> TrackedMasks:
    return track_masks(scene.film, ends(scene), motion=scene.motion)


def ends(scene: Scene) -> dict[int, np.ndarray]:
    return {0: scene.mattes[0], len(scene.film) - 1: scene.mattes[-1]}


def overlaps(masks: np.ndarray, truth: np.ndarray) -> np.ndarray:
    found, true = masks > 0.5, truth > 0.5
    return (found & true).sum(axis=(1, 2)) / (found | true).sum(axis=(1, 2))


@pytest.mark.slow
def test_masks_hold_behind_a_pillar(scene: Scene, tracked: TrackedMasks) -> None:
    between = overlaps(tracked.masks, scene.mattes)[1:-1]
    assert 0.45 < scene.hidden.max() < 0.6
    assert between.mean() > 0.92
    assert between.min() > 0.8


@pytest.mark.slow
def test_what_is_hidden_leaves_the_mask_and_comes_back(scene: Scene, tracked: TrackedMasks) -> None:
    assert tracked.masks[:, :, PILLAR.start + 3 : PILLAR.stop - 3].max() < 0.5
    middle = int(scene.hidden.argmax())
    for side in (slice(0, PILLAR.start), slice(PILLAR.stop, None)):
        assert overlaps(tracked.masks[middle : middle + 1, :, side], scene.mattes[middle : middle + 1, :, side]) > 0.7


def test_there_is_one_soft_mask_for_every_frame(scene: Scene, tracked: TrackedMasks) -> None:
    assert tracked.masks.shape == (FRAMES, HEIGHT, WIDTH)
    assert tracked.masks.dtype == tracked.confidence.dtype == np.float32
    assert tracked.masks.min() >= 0
    assert tracked.masks.max() <= 1
    between = tracked.masks[FRAMES // 4]
    assert ((between > 0.1) & (between < 0.9)).any()


def test_given_masks_are_kept_to_the_bit(scene: Scene, tracked: TrackedMasks) -> None:
    for index, mask in ends(scene).items():
        assert np.array_equal(tracked.masks[index], mask)
        assert tracked.confidence[index] == 1


def test_confidence_is_lowest_where_most_is_hidden_or_longest_carried(scene: Scene, tracked: TrackedMasks) -> None:
    assert ((tracked.confidence >= 0) & (tracked.confidence <= 1)).all()
    assert tracked.confidence[1] > tracked.confidence[FRAMES // 2]
    assert tracked.confidence[-2] > tracked.confidence[FRAMES // 2]
    assert f"least sure at frame {tracked.confidence.argmin()}" in str(tracked)


def test_area_trembles_little(scene: Scene, tracked: TrackedMasks) -> None:
    assert area_jitter(tracked.masks) < area_jitter(scene.mattes) + 0.03


@pytest.mark.slow
def test_the_same_call_gives_the_same_bits(short: Scene) -> None:
    one, other = (track_masks(short.film, ends(short), motion=short.motion) for _ in range(2))
    assert np.array_equal(one.masks, other.masks)
    assert np.array_equal(one.confidence, other.confidence)


def test_one_mask_in_the_middle_is_carried_both_ways(short: Scene) -> None:
    tracked = track_masks(short.film, {2: short.mattes[2]}, motion=short.motion)
    assert overlaps(tracked.masks, short.mattes).min() > 0.9


@pytest.mark.slow
def test_a_panning_camera_changes_nothing(tmp_path: Path) -> None:
    panned = make_scene(tmp_path, pan=4.0)
    tracked = track_masks(panned.film, ends(panned), motion=panned.motion)
    found = overlaps(tracked.masks, panned.mattes)
    assert found.mean() > 0.92
    assert found.min() > 0.8


@pytest.mark.slow
def test_a_subject_that_stands_still_is_not_taken_for_the_room(tmp_path: Path) -> None:
    still = beginning(make_scene(tmp_path, speed=0.0, pillar=False))
    tracked = track_masks(still.film, {0: still.mattes[0]}, motion=still.motion)
    assert overlaps(tracked.masks, still.mattes).min() > 0.93


@pytest.mark.slow
def test_nothing_is_carried_over_a_cut(short: Scene, tmp_path: Path) -> None:
    shot = np.stack([short.film.frame(i) for i in range(3)])
    film = ArrayFrames(np.concatenate([shot, 255 - shot[[0, 1, 2, 1, 0]], shot]))
    motion = Motion(film, tmp_path)
    alone = track_masks(film, {0: short.mattes[0]}, motion=motion)
    assert overlaps(alone.masks[:3], short.mattes[:3]).min() > 0.9
    assert not alone.masks[3:].any()
    assert not alone.confidence[3:].any()
    steps = []
    both = track_masks(
        film, {0: short.mattes[0], 10: short.mattes[2]}, motion=motion, progress=lambda *at: steps.append(at)
    )
    assert overlaps(both.masks[8:], short.mattes[:3]).min() > 0.9
    assert both.confidence[[0, 10]].tolist() == [1, 1]
    assert not both.masks[3:8].any()
    assert [at for at in steps if at[0]] == [(i + 1, 4) for i in range(4)]


@pytest.mark.slow
def test_masks_of_8_bits_mean_the_same(short: Scene) -> None:
    hard = (short.mattes[0] > 0.5).astype(np.float32)
    results = [
        track_masks(short.film, {0: mask}, motion=short.motion).masks for mask in (hard, (hard * 255).astype(np.uint8))
    ]
    assert np.array_equal(*results)


@pytest.mark.slow
def test_a_helpful_model_is_believed_and_a_contrary_one_is_not(short: Scene) -> None:
    asked = []

    def knows(index: int, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
        asked.append(index)
        assert picture.shape == (HEIGHT, WIDTH, 3)
        assert mask.shape == (HEIGHT, WIDTH)
        return short.mattes[index]

    def contradicts(index: int, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return 1 - mask

    alone, helped, misled = (
        track_masks(short.film, ends(short), motion=short.motion, refine=model) for model in (None, knows, contradicts)
    )
    assert sorted(asked) == sorted(2 * list(range(1, SHORT - 1)))
    assert overlaps(helped.masks, short.mattes).mean() >= overlaps(alone.masks, short.mattes).mean()
    assert helped.confidence[1:-1].mean() > alone.confidence[1:-1].mean()
    assert np.array_equal(misled.masks, alone.masks)


def test_progress_counts_every_step_and_can_stop_the_work(short: Scene) -> None:
    seen = []
    given = {1: short.mattes[1], 3: short.mattes[3]}
    track_masks(short.film, given, motion=short.motion, progress=lambda *at: seen.append(at))
    steps = 1 + 2 * 1 + 1
    assert [at for at in seen if at[0]] == [(i + 1, steps) for i in range(steps)]
    for last in (0, 2):  # while cuts are looked for, and while masks are carried

        def cancel(done: int, total: int, last: int = last) -> None:
            if done == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            track_masks(short.film, given, motion=short.motion, progress=cancel)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompted": {}}, "mask must be given at one frame at least"),
        ({"prompted": {FRAMES: np.ones((HEIGHT, WIDTH))}}, rf"frames must be in 0\.\.{FRAMES - 1}, got {FRAMES}"),
        ({"prompted": {0: np.ones((HEIGHT, WIDTH - 2))}}, "mask must be a single channel of 480x270, got 478x270"),
        ({"prompted": {0: np.ones((HEIGHT, WIDTH, 4))}}, "mask must be a single channel"),
        ({"prompted": {0: np.full((HEIGHT, WIDTH), np.nan)}}, "mask must hold finite numbers"),
        ({"prompted": {2: np.zeros((HEIGHT, WIDTH))}}, "mask must hold the subject, got an empty one at frame 2"),
        ({"fade": "cubic"}, "fade must be one of smoothstep, linear, got cubic"),
        ({"refine": lambda *_: np.zeros((2, 2))}, "refine must give a finite mask of 480x270"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_input_is_refused_by_name(scene: Scene, change: dict, words: str) -> None:
    good = {"prompted": ends(scene), "motion": scene.motion}
    arguments = {**good, **change}
    with pytest.raises(ValueError, match=f"^track_masks: {words}"):
        track_masks(scene.film, arguments.pop("prompted"), **arguments)


def test_motion_of_another_clip_is_refused(scene: Scene, tmp_path: Path) -> None:
    other = ArrayFrames(np.zeros((4, HEIGHT, WIDTH, 3), np.uint8))
    with pytest.raises(ValueError, match=r"^track_masks: motion must be that of the film, 15 frames of 480x270, got 4"):
        track_masks(scene.film, ends(scene), motion=Motion(other, tmp_path))


def test_a_full_mask_stays_full(short: Scene) -> None:
    tracked = track_masks(short.film, {0: np.ones((HEIGHT, WIDTH), np.float32)}, motion=short.motion)
    assert (tracked.masks > 0.5).mean() > 0.95
