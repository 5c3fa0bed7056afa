"""Every command that looks at a film more than once decodes each of its frames once."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from decoded import decodes

from escalier.commands import main
from escalier.film import ArrayFrames, Encoding, Size, make_clip, write_film
from escalier.propagation import Staircase

LENGTH = 20
CONSTANT = 4
"""Frames decoded besides: those that tell size, orientation and which film it is."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(
        tmp_path_factory.mktemp("shot") / "shot.mp4", make_clip(Size(96, 64), LENGTH), encoding=Encoding(crf=10)
    )


def test_stylise_decodes_its_clip_once_and_mixes_its_film_once(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    painted = tmp_path / "painted"
    assert main(["keyframes", str(clip), "--output", str(painted), "--at", "4,14"]) == 0
    for file in painted.glob("*.png"):
        cv2.imwrite(str(file), 255 - cv2.imread(str(file)))
    mixed: list[int] = []
    mix = Staircase._frame
    monkeypatch.setattr(Staircase, "_frame", lambda self, index: mixed.append(index) or mix(self, index))
    mask = write_film(tmp_path / "mask.mp4", ArrayFrames(np.full((LENGTH, 64, 96, 3), 255, np.uint8)))
    arguments = ["stylise", str(clip), "--keyframes", str(painted), "--output", str(tmp_path / "film.mp4")]
    arguments += ["--mask", str(mask)]
    with decodes() as decoded:
        assert main([*arguments, "--threads", "1", "--match-side", "64"]) == 0
    assert all(LENGTH <= decoded[name] <= LENGTH + CONSTANT for name in ("shot.mp4", "mask.mp4"))
    assert mixed == list(range(LENGTH))
    with decodes() as decoded:
        assert main([*arguments, "--threads", "1", "--match-side", "64", "--overwrite"]) == 0
    assert decoded["shot.mp4"] <= CONSTANT, "what lies in scratch is not decoded again"


def test_keyframes_by_motion_are_chosen_in_one_pass(clip: Path, tmp_path: Path) -> None:
    with decodes() as decoded:
        assert main(["keyframes", str(clip), "--output", str(tmp_path / "out"), "--by-motion", "1"]) == 0
    assert LENGTH <= decoded["shot.mp4"] <= LENGTH + CONSTANT


def test_measuring_decodes_both_films_once(clip: Path, tmp_path: Path) -> None:
    restyled = write_film(tmp_path / "restyled.mp4", make_clip(Size(96, 64), LENGTH, seed=3))
    with decodes() as decoded:
        assert main(["measure", str(clip), str(restyled), "--output", str(tmp_path / "report")]) == 0
    assert all(LENGTH <= decoded[name] <= LENGTH + CONSTANT for name in ("shot.mp4", "restyled.mp4"))
