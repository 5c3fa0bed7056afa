"""The nodes of one workflow that get the same VIDEO decode each of its frames once, all of them together."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from decoded import decodes

from escalier.film import ArrayFrames, Encoding, write_film
from escalier.keyframes import Keyframes

CONSTANT = 4
"""Frames decoded besides: those that tell size, orientation and which film it is."""
FADE = {"mode": "staggered", "fade_frames": 0, "ramp_frames": 3.0, "seed": 0}


@pytest.fixture
def dials(pack: SimpleNamespace, fresh_folders: SimpleNamespace) -> dict:
    inputs = pack.EscalierPropagate.GET_SCHEMA().inputs
    return {dial.id: dial.default for dial in inputs if hasattr(dial, "default")} | {"threads": 1}


@pytest.fixture
def keyframes(clip: np.ndarray) -> Keyframes:
    return Keyframes([1, 4], [255 - clip[1], 255 - clip[4]], length=len(clip))


@pytest.fixture
def clip_file(clip: np.ndarray, tmp_path: Path) -> Path:
    return write_film(tmp_path / "clip.mp4", ArrayFrames(clip, 12), encoding=Encoding(crf=10))


@pytest.mark.parametrize("trim", [False, True], ids=["whole", "trimmed"])
def test_motion_propagation_staircase_and_meter_decode_a_clip_once(
    pack: SimpleNamespace, comfyui: SimpleNamespace, dials: dict, keyframes: Keyframes, clip_file: Path, trim: bool
) -> None:
    video = comfyui.v0_0_2.InputImpl.VideoFromFile(str(clip_file))
    video = video.as_trimmed(0, 10, strict_duration=False) if trim else video
    with decodes() as decoded:
        (motion,) = pack.EscalierMotion.execute(video, "ultrafast").args
        chosen = pack.EscalierChooseKeyframes.execute(
            film=video, mode="motion", per_second=0.5, count=1, n=1, minimum_gap=0, motion=motion
        )
        runs = pack.EscalierPropagate.execute(film=video, keyframes=keyframes, **dials, motion=motion).args[0]
        staircase, _ = pack.EscalierStaircase.execute(runs=runs, film=video, **FADE, motion=motion).args
        pack.EscalierMeasureCoherence.execute(video, staircase, "flicker", 0, motion=motion)
        pack.EscalierAdviseKeyframes.execute(film=video, count=1, motion=motion, runs=runs)
    assert len(chosen.args[0]) == 1
    assert 6 <= decoded["clip.mp4"] <= 6 + CONSTANT


def test_nodes_without_a_measured_motion_decode_a_clip_once_too(
    pack: SimpleNamespace, comfyui: SimpleNamespace, dials: dict, keyframes: Keyframes, clip_file: Path
) -> None:
    video = comfyui.v0_0_2.InputImpl.VideoFromFile(str(clip_file))
    with decodes() as decoded:
        runs = pack.EscalierPropagate.execute(film=video, keyframes=keyframes, **dials).args[0]
        staircase, _ = pack.EscalierStaircase.execute(runs=runs, film=video, **FADE).args
        pack.EscalierMeasureCoherence.execute(video, staircase, "flicker", 0)
    assert 6 <= decoded["clip.mp4"] <= 6 + CONSTANT


def test_a_film_made_by_a_node_is_made_once_for_the_nodes_behind_it(
    pack: SimpleNamespace, dials: dict, keyframes: Keyframes, clip: np.ndarray
) -> None:
    reads: list[int] = []

    class Lazy:
        size, rate = ArrayFrames(clip).size, ArrayFrames(clip).rate

        def __len__(self) -> int:
            return len(clip)

        def frame(self, index: int) -> np.ndarray:
            reads.append(index)
            return clip[index]

    video = pack.module("video").FilmVideo(Lazy())
    (motion,) = pack.EscalierMotion.execute(video, "ultrafast").args
    runs = pack.EscalierPropagate.execute(film=video, keyframes=keyframes, **dials, motion=motion).args[0]
    staircase, _ = pack.EscalierStaircase.execute(runs=runs, film=video, **FADE, motion=motion).args
    pack.EscalierMeasureCoherence.execute(video, staircase, "flicker", 0, motion=motion)
    assert reads == list(range(6))


def test_a_clip_is_forgotten_with_its_video(
    pack: SimpleNamespace, comfyui: SimpleNamespace, fresh_folders: SimpleNamespace, clip_file: Path
) -> None:
    videos = pack.module("video")
    video = comfyui.v0_0_2.InputImpl.VideoFromFile(str(clip_file))
    assert videos.film_from_input(video) is videos.footage_from_input(video)
    assert videos.clip_from_input(video) is videos.film_from_input(video).film
    before = len(videos._known)
    del video
    assert len(videos._known) == before - 1
