"""Guides: what they show, what they weigh, what they refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames, Size
from escalier.propagation import Guides, edge_guide, position_guide, propagate, still_positions
from escalier.propagation.guides import GuideFilm, explained_share
from escalier.propagation.make_run import frame_confidence
from escalier.propagation.plates import carry_nnf
from escalier.propagation.sources import guide_contrast


def test_positions_are_finer_than_eight_bits() -> None:
    guide = position_guide(still_positions(Size(960, 540)))
    assert len(np.unique(guide[..., 0])) == 960
    assert guide.min() == 0
    assert guide.max() < 1


def test_edges_do_not_depend_on_brightness() -> None:
    step = np.full((60, 60, 3), 60, np.uint8)
    step[:, 30:] = 120
    assert np.allclose(edge_guide(step), edge_guide(step + 100), atol=1e-6)
    assert np.ptp(edge_guide(step)[:, 20:40]) > 0.1


def test_a_blank_wall_explains_nothing_whatever_is_called_visible_on_it() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (80, 60, 1), np.uint8)
    frame = np.repeat(np.pad(noise, ((0, 0), (0, 60), (0, 0)), constant_values=200), 3, axis=2)
    visible = np.ones(frame.shape[:2], bool)
    visible[:40, :60] = False  # half of what the frame shows is lost
    still = np.zeros((*visible.shape, 2), np.float32)
    for wall_seen in (True, False):
        visible[:, 66:] = wall_seen
        assert explained_share(frame, frame, still, visible) == pytest.approx(0.5, abs=0.03)


@pytest.mark.slow
def test_a_guide_of_weight_zero_is_left_out(shot) -> None:
    kept = GuideFilm(Guides(edge=0, temporal=0), shot.film, None)
    assert kept.names() == ["colour", "position"]
    assert kept.weights() == [6.0, 2.0]


@pytest.mark.slow
def test_the_mask_counts_only_where_there_is_one(shot) -> None:
    assert "mask" not in GuideFilm(Guides(), shot.film, None).names()
    assert "mask" in GuideFilm(Guides(), shot.film, np.zeros((1, 80, 112), np.uint8)).names()


def test_a_guide_of_ones_own_is_matched_like_the_others(shot) -> None:
    depth = ArrayFrames(255 - np.stack([shot.film.frame(i) for i in range(len(shot.film))]))
    guides = Guides(edge=0, temporal=0, position=0).with_guide("depth", depth, 3.0)
    film = GuideFilm(guides, shot.film, None)
    assert film.names() == ["colour", "depth"]
    targets = film.of_frame(4, still_positions(shot.film.size), shot.film.frame(4))
    assert (targets[1] == depth.frame(4)).all()
    repainted = guides.with_guide("id", depth, 1.0, [np.zeros((80, 112, 3), np.uint8)])
    assert (GuideFilm(repainted, shot.film, None).of_keyframe(2, 0, shot.film.frame(2))[2] == 0).all()


@pytest.mark.slow
def test_a_run_looks_at_the_guide_of_ones_own(shot, tmp_path: Path) -> None:
    film = ArrayFrames(np.stack([shot.film.frame(i) for i in range(2, 5)]))
    keyframes = type(shot.keyframes)([0], [shot.keyframes.pictures[0]], length=3)
    flipped = ArrayFrames(np.stack([film.frame(i)[:, ::-1] if i else film.frame(i) for i in range(3)]))
    plain = propagate(film, keyframes, folder=tmp_path, threads=1)
    guided = propagate(film, keyframes, folder=tmp_path, threads=1, guides=Guides().with_guide("id", flipped, 40.0))
    assert (plain.forward[0].frame(1) != guided.forward[0].frame(1)).mean() > 0.2


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weights_that_are_no_weights_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match=r"colour must be a (weight >= 0|finite number)"):
        Guides(colour=weight)


def test_guides_that_lead_nowhere_are_refused() -> None:
    with pytest.raises(ValueError, match="nothing would tell a patch where to go"):
        Guides(colour=0, position=0)


def test_a_name_given_twice_is_refused(shot) -> None:
    with pytest.raises(ValueError, match="'edge' a second time"):
        Guides().with_guide("edge", shot.film, 1.0)


@pytest.mark.parametrize(
    ("frames", "match"),
    [
        (np.zeros((4, 80, 112, 3), np.uint8), "guide 'depth' must have 13 frames like the film, got 4"),
        (np.zeros((13, 40, 56, 3), np.uint8), "guide 'depth' must be 112x80 like the film, got 56x40"),
    ],
    ids=["length", "size"],
)
def test_guides_that_do_not_fit_the_film_are_refused(shot, tmp_path: Path, frames, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        guides = Guides().with_guide("depth", ArrayFrames(frames), 1.0)
        propagate(shot.film, shot.keyframes, folder=tmp_path, guides=guides)


def test_matches_are_carried_along_with_their_pixels() -> None:
    nnf = np.stack(np.mgrid[:6, :8], axis=-1).astype(np.int32)
    carried = carry_nnf(nnf, np.full((6, 8, 2), (2.4, -1.2), np.float32))
    assert carried[3, 2].tolist() == [2, 4]
    assert carried[0, 7].tolist() == [0, 7]


def test_contrast_is_the_error_of_random_matches() -> None:
    rng = np.random.default_rng(0)
    colour, depth = rng.integers(0, 256, (80, 80, 3), np.uint8), rng.random((80, 80), np.float32)
    shuffled = rng.permutation(6400)
    apart = 6 * np.mean((colour.reshape(-1, 3).astype(float) - colour.reshape(-1, 3)[shuffled]) ** 2)
    apart += 2 * np.mean((255 * (depth.ravel() - depth.ravel()[shuffled])) ** 2)
    assert guide_contrast([colour, depth], [6.0, 2.0]) == pytest.approx(np.sqrt(apart / 8), rel=0.02)


def test_confidence_falls_with_the_error_and_with_what_was_uncovered() -> None:
    good, bad, whole = np.full((4, 4), 2.0), np.full((4, 4), 20.0), np.ones((4, 4))
    half = whole * [[1, 1, 0, 0]]
    assert frame_confidence(good, whole, 40.0) == pytest.approx(0.95)
    assert frame_confidence(bad, whole, 40.0) < frame_confidence(good, whole, 40.0)
    assert frame_confidence(good, half, 40.0) < frame_confidence(good, whole, 40.0)
