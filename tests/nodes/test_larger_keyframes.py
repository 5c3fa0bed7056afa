"""Keyframes larger than the film go through every node that takes keyframes, and give a larger film."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from escalier.film import Size, read_picture

DRAFT = {"first_frame": 0, "frames": 0, "scale": 0.5, "colour": 6.0, "position": 2.0, "temporal": 0.5, "seed": 0}
FADE = {"mode": "staggered", "fade_frames": 0, "ramp_frames": 3.0, "seed": 0}


@pytest.mark.parametrize("size", [Size(128, 96), Size(96, 72), Size(83, 62)], ids=str)
def test_larger_keyframes_go_from_their_files_to_the_figures_of_a_larger_film(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, to_image: Callable, clip: np.ndarray, size: Size
) -> None:
    film = to_image(clip)
    (fresh_folders.input / "painted").mkdir()
    for index in (1, 4):
        painted = cv2.resize(255 - clip[index], size, interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(fresh_folders.input / "painted" / f"keyframe_{index:06d}.png"), painted[..., ::-1])
    (keyframes,) = pack.EscalierLoadKeyframes.execute(folder="painted", film=film, first=0).args
    assert keyframes.size == size
    inputs = pack.EscalierPropagate.GET_SCHEMA().inputs
    dials = {dial.id: dial.default for dial in inputs if hasattr(dial, "default")} | {"threads": 1}
    (runs,) = pack.EscalierPropagate.execute(film=film, keyframes=keyframes, **dials).args
    (motion,) = pack.EscalierMotion.execute(film, "ultrafast").args
    video, report = pack.EscalierStaircase.execute(runs=runs, film=film, **FADE, motion=motion).args
    assert video.get_dimensions() == tuple(size) and "pop" in report
    for index in (1, 4):
        own = read_picture(fresh_folders.input / "painted" / f"keyframe_{index:06d}.png")
        assert np.array_equal(video.film.frame(index), own)
    measured = pack.EscalierMeasureCoherence.execute(film, video, heat_map="flicker", lag=0).args
    assert json.loads(measured[5])["size"] == "64x48" and measured[3].figures["ghosting_kept"] is not None
    assert measured[2].get_dimensions() == (64, 48) and measured[2].film.frame(2).any()
    advised = pack.EscalierAdviseKeyframes.execute(film=film, count=1, runs=runs, measurement=measured[3]).args
    assert "of the film" in advised[2]
    drafted, shown, source = pack.EscalierDraft.execute(film=film, keyframes=keyframes, **DRAFT).args
    assert shown.get_dimensions() == source.get_dimensions()
    assert drafted.keyframes.indices == (1, 4)
    images, indices = pack.EscalierKeyframesToImages.execute(keyframes=keyframes).args
    assert images.shape[1:3] == (size.height, size.width) and indices == "1, 4"


@pytest.mark.parametrize("size", [Size(128, 100), Size(66, 48), Size(32, 24)], ids=str)
def test_keyframes_of_another_shape_are_refused_by_the_file(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, to_image: Callable, clip: np.ndarray, size: Size
) -> None:
    (fresh_folders.input / "painted").mkdir()
    cv2.imwrite(str(fresh_folders.input / "painted" / "keyframe_000001.png"), np.zeros((size.height, size.width, 3)))
    with pytest.raises(
        ValueError, match=rf"keyframe_000001.png must be 64x48, the film's size, or larger .*got {size}"
    ):
        pack.EscalierLoadKeyframes.execute(folder="painted", film=to_image(clip), first=0)
