"""One small clip, painted and propagated, shared by the tests of the room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion, Size, make_clip
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import Runs, propagate

LENGTH = 13
PLACES = (2, 10)


@dataclass(frozen=True)
class Shot:
    film: ArrayFrames
    masks: np.ndarray
    keyframes: Keyframes
    motion: Motion
    folder: Path
    runs: Runs


def as_painted(film: ArrayFrames, places: tuple[int, ...]) -> Keyframes:
    return Keyframes(places, [paint_picture(film.frame(i), "poster") for i in places], length=len(film))


@pytest.fixture(scope="session")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    clip = make_clip(Size(112, 80), length=LENGTH)
    film = ArrayFrames(np.stack([clip.frame(i) for i in range(LENGTH)]))
    masks = np.stack([clip.matte(i) for i in range(LENGTH)])
    folder = tmp_path_factory.mktemp("runs")
    keyframes = as_painted(film, PLACES)
    motion = Motion(film, folder)
    runs = propagate(film, keyframes, folder=folder, motion=motion, threads=2)
    return Shot(film, masks, keyframes, motion, folder, runs)
