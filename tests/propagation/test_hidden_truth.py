"""Against a truth that it was not shown, the chain of frames is calmer than frames made one by one, and no worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest

from escalier.coherence import followed_pixels, visible_change
from escalier.film import ArrayFrames, Motion, Size, make_clip
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import Guides, Matching, Plate, edge_guide, position_guide, propagate, still_positions
from escalier.pyebsynth import measure_energy, plain_problem
from escalier.pyebsynth.energy import Energy

FRAMES = 7


class Judgement(NamedTuple):
    psnr: float
    """Mean over the frames, in dB, to the painting of every frame."""
    flicker: float
    """The change against the motion, in Delta E."""
    sharpness: float
    """The variance of the Laplacian over the truth's."""


def sharpness(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def filmed() -> ArrayFrames:
    clip = make_clip(Size(256, 144), 2 * FRAMES)
    return ArrayFrames(np.stack([clip.frame(2 * index) for index in range(FRAMES)]))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judgement]:
    film = filmed()
    truth = [paint_picture(film.frame(index), "poster") for index in range(FRAMES)]
    folder = tmp_path_factory.mktemp("runs")
    motion = Motion(film, folder)

    def judge(guides: Guides, matching: Matching) -> Judgement:
        keyframes = Keyframes([0], [truth[0]], FRAMES)
        chosen = {"guides": guides, "matching": matching, "threads": 1, "cuts": ()}
        run = propagate(film, keyframes, folder=folder, motion=motion, **chosen).forward[0]
        errors = [np.square(run.frame(i).astype(np.float32) - truth[i]).mean() for i in range(1, FRAMES)]
        changes = []
        for i in range(FRAMES - 1):
            flow, valid = motion.flow(i, i + 1), motion.valid(i, i + 1)
            counted = followed_pixels(film.frame(i), film.frame(i + 1), flow, valid)
            changes.append(visible_change(run.frame(i), run.frame(i + 1), flow, counted))
        sharp = [sharpness(run.frame(i)) / sharpness(truth[i]) for i in range(1, FRAMES)]
        psnr = 10 * np.log10(255**2 / np.array(errors))
        return Judgement(float(psnr.mean()), float(np.mean(changes)), float(np.mean(sharp)))

    return {
        "chain": judge(Guides(), Matching()),
        "chain of whole pixels": judge(Guides(), Matching(sub_pixel=False)),
        "one by one": judge(Guides(temporal=0), Matching(warm_levels=0, sub_pixel=False)),
    }


@pytest.mark.slow
def test_a_chain_flickers_less_than_frames_made_one_by_one(made: dict) -> None:
    assert made["chain of whole pixels"].flicker < 0.9 * made["one by one"].flicker


@pytest.mark.slow
def test_a_chain_comes_no_less_near_to_the_truth(made: dict) -> None:
    assert made["chain of whole pixels"].psnr > made["one by one"].psnr - 0.1


@pytest.mark.slow
def test_between_pixels_the_energy_is_no_higher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is shown, at its own places, against the whole pixels that it was made from."""
    film = filmed()
    key = paint_picture(film.frame(0), "poster")
    shown: list[Energy] = []
    whole: list[Energy] = []
    plate_paint = Plate.paint
    still = position_guide(still_positions(film.size))

    def overhear(plate: Plate, frame: np.ndarray, *rest: Any) -> None:
        guides = [frame, edge_guide(frame), plate._positions]
        plate_paint(plate, frame, *rest)
        weights = [Guides().colour, Guides().edge, Guides().position]
        sources = [film.frame(0), edge_guide(film.frame(0)), still]
        problem = plain_problem(key, sources, guides, weights=weights)
        shown.append(measure_energy(problem, plate.picture, plate.places[..., ::-1]))
        whole.append(measure_energy(problem, plate.whole_picture, np.asarray(plate.nnf)))

    monkeypatch.setattr(Plate, "paint", overhear)
    propagate(film, Keyframes([0], [key], FRAMES), folder=tmp_path, threads=1, cuts=())
    assert len(shown) == FRAMES - 1
    assert np.mean([energy.total for energy in shown]) < np.mean([energy.total for energy in whole])


def test_between_pixels_it_comes_nearer_is_as_sharp_and_as_calm(made: dict) -> None:
    fine, whole = made["chain"], made["chain of whole pixels"]
    assert fine.psnr > whole.psnr + 0.5
    assert fine.sharpness > 0.97 * whole.sharpness
    assert fine.flicker < 1.02 * whole.flicker
