"""The staircase end to end on a clip made by code: the sibling of the check on real footage.

The camera stands on a tripod here. Under a slow drift each run of a picture only 240 pixels wide is off by its own
tenths of a pixel, and pop, 1.35 then, measures those too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from escalier.coherence import FadeReport, measure_fades
from escalier.film import ArrayFrames, Motion, Size, make_clip
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import Runs, Staircase, propagate

LENGTH = 36
PLACES = (0, 17, 35)


@dataclass(frozen=True)
class Scene:
    film: ArrayFrames
    keyframes: Keyframes
    motion: Motion
    runs: Runs

    def measure(self, **settings) -> FadeReport:
        return measure_fades(Staircase(self.runs, **settings), self.film, self.motion)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    clip = make_clip(Size(240, 136), LENGTH, drift=0)
    film = ArrayFrames(np.stack([clip.frame(i) for i in range(LENGTH)]))
    keyframes = Keyframes(PLACES, [paint_picture(film.frame(i), "poster") for i in PLACES], LENGTH)
    folder = tmp_path_factory.mktemp("clip")
    motion = Motion(film, folder)
    return Scene(film, keyframes, motion, propagate(film, keyframes, folder=folder, motion=motion, threads=2))


@pytest.mark.slow
def test_the_default_fade_keeps_the_drawing_and_nothing_jumps(scene: Scene) -> None:
    report = scene.measure()
    assert report.ghosting is not None and report.ghosting >= 0.94
    assert report.pop is not None and report.pop <= 1.3


@pytest.mark.slow
def test_a_linear_fade_keeps_less_of_the_drawing(scene: Scene) -> None:
    assert scene.measure(mode="linear").ghosting < scene.measure().ghosting - 0.01


@pytest.mark.slow
def test_a_cut_jumps(scene: Scene) -> None:
    report = scene.measure(fade_frames=0)
    assert report.pop is not None and report.pop > 2
    assert report.pop_frame in (8, 9, 25, 26)


@pytest.mark.parametrize("mode", ["staggered", "linear", "smoothstep"])
def test_keyframes_are_seen_bit_for_bit(scene: Scene, mode: str) -> None:
    staircase = Staircase(scene.runs, mode=mode)
    for index, picture in scene.keyframes:
        assert (staircase.frame(index) == picture).all()


def test_every_frame_looks_more_like_itself_painted_than_the_nearest_keyframe_does(scene: Scene) -> None:
    staircase = Staircase(scene.runs)
    for index in (5, 12, 22, 30):
        painted = paint_picture(scene.film.frame(index), "poster").astype(int)
        nearest = min(PLACES, key=lambda place: abs(place - index))
        still = scene.keyframes.pictures[PLACES.index(nearest)]
        assert np.abs(staircase.frame(index) - painted).mean() < 0.9 * np.abs(still - painted).mean()
