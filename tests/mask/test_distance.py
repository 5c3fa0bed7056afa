"""The distance transform, against distances computed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.mask import signed_distance


def all_distances(inside: np.ndarray) -> np.ndarray:
    places = np.argwhere(inside)
    grid = np.stack(np.mgrid[: inside.shape[0], : inside.shape[1]], axis=-1)
    return np.linalg.norm(grid[:, :, None] - places[None, None], axis=-1).min(axis=2)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.002, 0.05, 0.5])
def test_distances_are_exact(share: float) -> None:
    inside = np.random.default_rng(4).random((47, 68)) < share
    inside[20, 30] = True
    truth = np.where(inside, all_distances(~inside) - 0.5, 0.5 - all_distances(inside))
    assert np.abs(signed_distance(inside, 1000, 1000) - truth).max() < 1e-4


def test_distances_end_at_the_most_asked_for() -> None:
    inside = np.zeros((30, 50), bool)
    inside[3, 4] = True
    truth = np.maximum(0.5 - all_distances(inside), -9.25)
    assert np.abs(signed_distance(inside, 9.25, 3) - truth)[~inside].max() < 1e-5


@pytest.mark.parametrize("inside", [np.zeros((5, 6), bool), np.ones((5, 6), bool)], ids=["empty", "full"])
def test_mask_without_an_edge_is_as_far_as_asked_for(inside: np.ndarray) -> None:
    assert (signed_distance(inside, 7, 4) == (4 if inside.all() else -7)).all()


def test_sign_is_positive_inside_and_the_edge_lies_between_pixels() -> None:
    inside = np.zeros((9, 9), bool)
    inside[3:6, 3:6] = True
    signed = signed_distance(inside, 20, 20)
    assert ((signed > 0) == inside).all()
    assert signed[4, 3:6].tolist() == [0.5, 1.5, 0.5]
    assert signed[4, 2] == -0.5
    assert signed[2, 2] == pytest.approx(0.5 - np.sqrt(2))
