"""Blank areas against known motion: what lies still gets none, and what moves keeps its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion, Size, make_clip, visibility
from escalier.film.blank_areas import settle_blank_areas
from escalier.film.camera_motion import camera_motion, similarity_flow

HEIGHT, WIDTH = 270, 480
STILL = (0.0, 0.0)


class Scene(NamedTuple):
    """Two frames in grey levels, the true flow between them, and what is judged."""

    frames: tuple[np.ndarray, np.ndarray]
    flow: np.ndarray
    judged: np.ndarray


def textured(seed: int, width: int = WIDTH) -> np.ndarray:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).standard_normal((HEIGHT, width)), (0, 0), 2.5)
    return 128 + 50 * noise / noise.std()


def grain(seed: int, levels: float = 1.0) -> np.ndarray:
    return np.random.default_rng(100 + seed).standard_normal((HEIGHT, WIDTH)) * levels


def flow_of(step: tuple[float, float], inside: np.ndarray | None = None, within=STILL) -> np.ndarray:
    flow = np.full((HEIGHT, WIDTH, 2), step, np.float32)
    if inside is not None:
        flow[inside] = within
    return flow


def disc(x: float, y: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.hypot(columns - x, rows - y) < radius


def table() -> np.ndarray:
    """A wall with a pattern behind a table without any."""
    picture = textured(5)
    picture[90:] = 200
    return picture


def passed_by(set_: np.ndarray, thing: np.ndarray, step: tuple[int, int] = (10, 4)) -> Scene:
    before, after = disc(210, 180, 45), disc(210 + step[0], 180 + step[1], 45)
    moved = np.roll(thing, step[::-1], axis=(0, 1))
    frames = np.where(before, thing, set_) + grain(1), np.where(after, moved, set_) + grain(2)
    # The rim of a few pixels that DIS itself blurs is nobody's.
    return Scene(frames, flow_of(STILL, before, step), ~disc(210 + step[0] / 2, 180 + step[1] / 2, 45 + 18))


def shadow_creeps() -> Scene:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    shades = [1 - 0.12 * np.exp(-((columns - x) ** 2 + (rows - 190) ** 2) / 4000) for x in (220, 228)]
    return Scene(tuple(table() * s + grain(i) for i, s in enumerate(shades)), flow_of(STILL), everywhere())


def everywhere() -> np.ndarray:
    return np.pad(np.ones((HEIGHT - 20, WIDTH - 20), bool), 10)


def pan(step: int = 6) -> Scene:
    wall = textured(3, WIDTH + 40)
    wall[:, 140:400] = 180
    frames = wall[:, 20 : 20 + WIDTH] + grain(1), wall[:, 20 - step : 20 - step + WIDTH] + grain(2)
    return Scene(frames, flow_of((step, 0)), everywhere())


def zoom() -> Scene:
    wall = textured(3)
    wall[50:220, 90:390] = 180
    motion = np.array([[1.02, 0.01, -4], [-0.01, 1.02, 0]])
    later = cv2.warpAffine(wall, motion, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return Scene((wall + grain(1), later + grain(2)), similarity_flow(motion, HEIGHT, WIDTH), everywhere())


def brighter(scene: Scene, gain: float) -> Scene:
    return scene._replace(frames=(scene.frames[0], scene.frames[1] * gain))


def still_with_grain(picture: np.ndarray, levels: float) -> Scene:
    return Scene((picture + grain(1, levels), picture + grain(2, levels)), flow_of(STILL), everywhere())


SCENES: dict[str, Callable[[], Scene]] = {
    "a patterned thing over a blank table": lambda: passed_by(table(), textured(9)),
    "a plain thing over a blank table": lambda: passed_by(table(), np.full((HEIGHT, WIDTH), 60.0)),
    "a patterned thing before nothing else": lambda: passed_by(np.full((HEIGHT, WIDTH), 190.0), textured(9)),
    "a shadow creeps over the table": shadow_creeps,
    "the camera pans over a blank wall": pan,
    "the camera turns and zooms on a blank wall": zoom,
    "grain on a still table": lambda: still_with_grain(table(), 6),
    "grain on nothing": lambda: still_with_grain(np.full((HEIGHT, WIDTH), 128.0), 4),
    "exposure drifts on a still table": lambda: brighter(still_with_grain(table(), 1), 1.08),
    "exposure drifts while a thing passes": lambda: brighter(passed_by(table(), textured(9)), 1.05),
    "exposure drifts in a pan": lambda: brighter(pan(), 0.94),
}


def measured(scene: Scene, folder: Path) -> Motion:
    frames = np.clip(np.rint(np.stack(scene.frames)), 0, 255).astype(np.uint8)
    return Motion(ArrayFrames(np.repeat(frames[..., None], 3, axis=-1)), folder)


def off(motion: Motion, scene: Scene) -> np.ndarray:
    return np.linalg.norm(motion.flow(0, 1) - scene.flow, axis=-1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
def test_a_blank_area_moves_as_it_does_and_is_called_visible(name: str, tmp_path: Path) -> None:
    scene = SCENES[name]()
    motion = measured(scene, tmp_path)
    wrong, visible = off(motion, scene)[scene.judged], motion.visible(0, 1)[scene.judged]
    assert wrong.mean() < 0.2
    assert ((wrong > 2) & visible).mean() < 0.01
    assert visible.mean() > 0.97


def test_the_table_that_a_thing_will_cover_is_not_visible(tmp_path: Path) -> None:
    step = (16, 0)
    scene = passed_by(table(), textured(9), step)
    covered = disc(210 + 16, 180, 45 - 4) & ~disc(210, 180, 45 + 4)
    assert measured(scene, tmp_path).visible(0, 1)[covered].mean() < 0.3


def untouched(scene: Scene) -> None:
    one, other = (np.clip(np.rint(frame), 0, 255).astype(np.uint8) for frame in scene.frames)
    settled, _ = settle_blank_areas(scene.flow, -scene.flow, one, other)
    apart = np.linalg.norm(settled - scene.flow, axis=-1)
    assert (apart[scene.judged] > 0.5).mean() < 0.01


def test_a_plain_thing_that_takes_its_edges_along_keeps_its_motion() -> None:
    untouched(passed_by(textured(5), np.full((HEIGHT, WIDTH), 60.0))._replace(judged=disc(210, 180, 45)))


def test_a_plain_shirt_that_the_frame_cuts_off_keeps_its_motion() -> None:
    shirts = np.zeros((2, HEIGHT, WIDTH), bool)
    shirts[0, 70:, 140:340] = shirts[1, 70:, 146:346] = True
    frames = tuple(np.where(shirt, 90, textured(5)) + grain(i) for i, shirt in enumerate(shirts))
    untouched(Scene(frames, flow_of(STILL, shirts[0], (6, 0)), shirts[0]))


def test_a_cheek_that_moves_slowly_keeps_its_motion() -> None:
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    balls = [
        120 + 90 * np.sqrt(np.clip(1 - ((columns - x) ** 2 + (rows - 135) ** 2) / 110**2, 0, 1)) for x in (240, 242)
    ]
    faces = [disc(240, 135, 110), disc(242, 135, 110)]
    frames = tuple(np.where(faces[i], balls[i], textured(5)) + grain(i) for i in range(2))
    untouched(Scene(frames, flow_of(STILL, faces[0], (2, 0)), faces[0]))


def test_a_pattern_that_repeats_keeps_its_motion() -> None:
    stripes = [128 + 80 * np.sin((np.arange(WIDTH) - shift) * np.pi / 8) for shift in (0, 16)]
    frames = tuple(np.tile(row, (HEIGHT, 1)) + grain(i) for i, row in enumerate(stripes))
    untouched(Scene(frames, flow_of((16, 0)), everywhere()))


def test_real_motion_is_found_no_worse_than_by_the_flow_alone() -> None:
    clip = make_clip(Size(480, 270), 24, drift=2.0)
    one, other = (cv2.cvtColor(clip.frame(i), cv2.COLOR_RGB2GRAY) for i in (4, 5))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow, back = dis.calc(one, other, None), dis.calc(other, one, None)
    settled, _ = settle_blank_areas(flow, back, one, other)
    seen, subject = clip.visible(4, 5), clip.matte(4) > 0.5
    before, after = (np.linalg.norm(f - clip.flow(4, 5), axis=-1) for f in (flow, settled))
    assert after[seen].mean() < before[seen].mean()
    assert after[seen & subject].mean() < before[seen & subject].mean() + 0.02


def test_a_subject_that_moves_as_one_is_not_taken_for_the_camera() -> None:
    thing = disc(240, 150, 60)
    assert camera_motion(flow_of(STILL, thing, (5, 0)), thing) is None
    assert camera_motion(flow_of((5, 0)), np.ones((HEIGHT, WIDTH), bool)) is not None


@pytest.mark.parametrize("shape", [(1, 1), (15, 40), (16, 16), (17, 93)])
def test_tiny_frames_pass(shape: tuple[int, int]) -> None:
    blank = np.full(shape, 90, np.uint8)
    still = np.zeros((*shape, 2), np.float32)
    for settled in settle_blank_areas(still, still, blank, blank):
        assert settled.shape == (*shape, 2) and settled.dtype == np.float32 and not settled.any()


def test_the_flow_that_is_given_is_left_as_it_was() -> None:
    picture = np.clip(table(), 0, 255).astype(np.uint8)
    flow = flow_of(STILL, np.roll(table() == 200, 20, axis=0), (5, 0))
    kept = flow.copy()
    assert not np.array_equal(settle_blank_areas(flow, -flow, picture, picture)[0], flow)
    assert np.array_equal(flow, kept)


def test_the_two_directions_are_treated_alike() -> None:
    clip = make_clip(Size(480, 270), 24, drift=2.0)
    one, other = (cv2.cvtColor(clip.frame(i), cv2.COLOR_RGB2GRAY) for i in (4, 5))
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow, back = dis.calc(one, other, None), dis.calc(other, one, None)
    there, again = settle_blank_areas(flow, back, one, other), settle_blank_areas(back, flow, other, one)
    assert np.array_equal(there[0], again[1]) and np.array_equal(there[1], again[0])
    assert visibility(*there).mean() > visibility(flow, back).mean() - 0.005
