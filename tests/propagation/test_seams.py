"""Seams between two runs: contrast that a mix keeps, edges that are taken out, and the switch of least error."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve

from escalier.coherence import ghosting_kept
from escalier.propagation import mix
from escalier.propagation.error_choice import best_switch
from escalier.propagation.seams import keep_contrast, remove_seams

HEIGHT, WIDTH = 40, 56


def drawing(seed: int, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    noise = np.random.default_rng(seed).uniform(0, 255, (height, width, 3)).astype(np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 1.2), None, 20, 235, cv2.NORM_MINMAX)


def difference_operator(n: int) -> sparse.csr_matrix:
    return sparse.diags([-np.ones(n - 1), np.ones(n - 1)], [0, 1], shape=(n - 1, n)).tocsr()


@pytest.mark.parametrize("strength", [0.5, 0.9, 0.99])
def test_seam_removal_is_the_least_squares_solution(strength: float) -> None:
    earlier, later = drawing(0), drawing(1)
    weight = np.zeros((HEIGHT, WIDTH), np.float32)
    weight[10:30, 15:44] = 1
    mixed = np.where(weight[..., None] > 0, later, earlier)
    down = sparse.kron(difference_operator(HEIGHT), sparse.eye(WIDTH))
    across = sparse.kron(sparse.eye(HEIGHT), difference_operator(WIDTH))
    gradient = sparse.vstack([down, across]).tocsr()
    share = abs(gradient) @ weight.ravel() / 2
    system = strength * gradient.T @ gradient + (1 - strength) * sparse.eye(HEIGHT * WIDTH)
    result = remove_seams(mixed, earlier, later, weight, strength)
    for c in range(3):
        one, other = (gradient @ side[..., c].ravel().astype(float) for side in (earlier, later))
        wanted = np.where(share >= 0.5, other, one)
        right = strength * gradient.T @ wanted + (1 - strength) * mixed[..., c].ravel()
        exact = spsolve(system.tocsc(), right).reshape(HEIGHT, WIDTH).clip(0, 255)
        assert np.abs(result[..., c] - exact).max() < 0.02


def test_seam_removal_takes_out_a_change_of_exposure() -> None:
    earlier = drawing(0)
    later = (earlier * 0.8).astype(np.float32)
    weight = np.zeros((HEIGHT, WIDTH), np.float32)
    weight[:, WIDTH // 2 :] = 1
    cut = np.where(weight[..., None] > 0, later, earlier)
    joined = remove_seams(cut, earlier, later, weight, 0.97)
    edge = np.s_[:, WIDTH // 2 - 1 : WIDTH // 2 + 1]
    step = [np.abs(np.diff(p[edge] - earlier[edge], axis=1)).mean() for p in (cut, joined)]
    assert step[1] < 0.15 * step[0]


def test_seam_removal_leaves_one_and_the_same_picture_alone() -> None:
    picture = drawing(2)
    weight = np.random.default_rng(0).random((HEIGHT, WIDTH), np.float32)
    assert np.abs(remove_seams(picture, picture, picture, weight, 0.9) - picture).max() < 0.01


@pytest.mark.parametrize("strength", [-0.1, 1.0])
def test_seam_removal_refuses_a_strength_without_a_solution(strength: float) -> None:
    picture = drawing(0)
    with pytest.raises(ValueError, match=r"remove_seams: strength must lie in 0..1, 1 left out, got"):
        remove_seams(picture, picture, picture, np.ones((HEIGHT, WIDTH), np.float32), strength)


def test_kept_contrast_gives_a_mix_the_drawing_of_its_sides() -> None:
    earlier, later = (drawing(seed, 96, 128).astype(np.uint8) for seed in (0, 1))
    plain, kept = (mix(earlier, later, np.float32(0.5), contrast=contrast) for contrast in (False, True))
    assert ghosting_kept(plain, earlier, later, 0.5) < 0.8
    assert 0.93 < ghosting_kept(kept, earlier, later, 0.5) < 1.07


def test_kept_contrast_changes_nothing_where_one_side_has_all_the_weight() -> None:
    earlier, later = drawing(0), drawing(1)
    assert np.abs(keep_contrast(earlier, earlier, later, np.float32(0)) - earlier).max() < 0.01


def test_flat_pictures_stay_flat() -> None:
    one, other = (np.full((HEIGHT, WIDTH, 3), level, np.float32) for level in (40, 90))
    kept = keep_contrast((one + other) / 2, one, other, np.float32(0.5))
    assert np.abs(kept - 65).max() < 1e-3


def test_best_switch_has_the_least_sum_of_errors_of_all_switches() -> None:
    random = np.random.default_rng(0)
    earlier, later = random.random((2, 9, HEIGHT, WIDTH)).astype(np.float32)
    frames = range(5, 14)
    when = best_switch(lambda t: (earlier[t - 5], later[t - 5]), frames, (WIDTH, HEIGHT), 0.0)
    sums = np.stack([earlier[:k].sum(axis=0) + later[k:].sum(axis=0) for k in range(10)])
    chosen = np.take_along_axis(sums, np.rint(when - 4.5).astype(int)[None], axis=0)[0]
    assert np.allclose(chosen, sums.min(axis=0), atol=1e-5)


def test_best_switch_follows_a_region_that_one_run_draws_better() -> None:
    good, bad = np.full((HEIGHT, WIDTH), 2.0), np.full((HEIGHT, WIDTH), 9.0)
    left = np.where(np.arange(WIDTH) < WIDTH // 2, good, bad)
    when = best_switch(lambda t: (left, left[:, ::-1]), range(1, 11), (WIDTH, HEIGHT), 2.0)
    assert (when[:, : WIDTH // 2 - 4] == 10.5).all() and (when[:, WIDTH // 2 + 4 :] == 0.5).all()
