"""Against a truth that it was not shown, the chain of frames is calmer than frames made one by one, and no worse."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.coherence import followed_pixels, visible_change
from escalier.film.frames import ArrayFrames, Size
from escalier.film.motion import Motion
from escalier.film.moving_clip import make_clip
from escalier.keyframes import Keyframes
from escalier.keyframes.paint import paint
from escalier.propagation import Guides, Matching, propagate

FRAMES = 7


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[float, float]]:
    """Mean PSNR (dB) to the painting of every frame, and the change against the motion, in Delta E."""
    clip = make_clip(Size(256, 144), 2 * FRAMES)
    film = ArrayFrames(np.stack([clip.frame(2 * index) for index in range(FRAMES)]))
    truth = [paint(film.frame(index), "poster") for index in range(FRAMES)]
    folder = tmp_path_factory.mktemp("runs")
    motion = Motion(film, folder)

    def judge(guides: Guides, matching: Matching) -> tuple[float, float]:
        keyframes = Keyframes([0], [truth[0]], FRAMES)
        chosen = {"guides": guides, "matching": matching, "threads": 1, "cuts": ()}
        run = propagate(film, keyframes, folder=folder, motion=motion, **chosen).forward[0]
        errors = [np.square(run.frame(i).astype(np.float32) - truth[i]).mean() for i in range(1, FRAMES)]
        changes = []
        for i in range(FRAMES - 1):
            flow, valid = motion.flow(i, i + 1), motion.valid(i, i + 1)
            counted = followed_pixels(film.frame(i), film.frame(i + 1), flow, valid)
            changes.append(visible_change(run.frame(i), run.frame(i + 1), flow, counted))
        return float(np.mean(10 * np.log10(255**2 / np.array(errors)))), float(np.mean(changes))

    return {
        "chain": judge(Guides(), Matching()),
        "one by one": judge(Guides(temporal=0), Matching(warm_levels=0)),
    }


def test_a_chain_flickers_less_than_frames_made_one_by_one(made: dict) -> None:
    assert made["chain"][1] < 0.9 * made["one by one"][1]


def test_a_chain_comes_no_less_near_to_the_truth(made: dict) -> None:
    assert made["chain"][0] > made["one by one"][0] - 0.1
