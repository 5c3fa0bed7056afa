"""The motion that most of a flow field follows, found again from flows that were made from a known one."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.tracking.affine_motion import FEWEST_PIXELS, affine_flow, chain_affine, fit_affine

SHAPE = (60, 90)
EVERYWHERE = np.ones(SHAPE, bool)
ZOOM_AND_TURN = np.float64([[0.03, 0.02], [-0.02, 0.03], [1.5, -0.7]])
PAN = np.float64([[0, 0], [0, 0], [-4, 2]])


@pytest.mark.parametrize("motion", [ZOOM_AND_TURN, PAN], ids=["zoom and turn", "pan"])
def test_a_motion_is_found_again_from_its_flow(motion: np.ndarray) -> None:
    found = fit_affine(affine_flow(motion, SHAPE), EVERYWHERE)
    assert found is not None
    assert np.abs(affine_flow(found, SHAPE) - affine_flow(motion, SHAPE)).max() < 1e-3


def test_what_passes_by_on_a_quarter_of_the_picture_does_not_matter() -> None:
    flow = affine_flow(ZOOM_AND_TURN, SHAPE)
    truth = flow.copy()
    flow[10:50, 28:62] += (-7, 5)
    found = fit_affine(flow, EVERYWHERE)
    assert found is not None
    assert np.abs(affine_flow(found, SHAPE) - truth).max() < 0.1
    plain = np.linalg.lstsq(places(), flow.reshape(-1, 2), rcond=None)[0]
    assert np.abs(affine_flow(plain, SHAPE) - truth).max() > 1  # what least squares alone would give


def test_only_the_pixels_asked_for_count() -> None:
    flow = affine_flow(PAN, SHAPE)
    flow[:40] = 9
    below = np.arange(SHAPE[0])[:, None] >= np.full(SHAPE, 40)
    found = fit_affine(flow, below)
    assert found is not None and np.abs(found - PAN).max() < 1e-6


@pytest.mark.parametrize(("count", "tells"), [(FEWEST_PIXELS - 1, False), (FEWEST_PIXELS, True)])
def test_too_few_pixels_tell_no_motion(count: int, tells: bool) -> None:
    where = np.zeros(SHAPE, bool)
    where.flat[np.linspace(0, where.size - 1, count).round().astype(int)] = True
    assert (fit_affine(affine_flow(PAN, SHAPE), where) is not None) == tells


def test_the_same_field_gives_the_same_motion() -> None:
    noisy = affine_flow(PAN, (120, 160)) + np.random.default_rng(0).normal(0, 1, (120, 160, 2)).astype(np.float32)
    one, other = (fit_affine(noisy, np.ones((120, 160), bool)) for _ in range(2))
    assert one is not None and other is not None and np.array_equal(one, other)


def test_motions_are_chained_in_their_order() -> None:
    there = places() @ ZOOM_AND_TURN
    arrived = places()[:, :2] + there
    and_on = np.hstack([arrived, np.ones((len(arrived), 1))]) @ PAN
    assert np.allclose(places() @ chain_affine(ZOOM_AND_TURN, PAN), there + and_on)
    assert not np.allclose(chain_affine(ZOOM_AND_TURN, PAN), chain_affine(PAN, ZOOM_AND_TURN), atol=1e-3)


def places() -> np.ndarray:
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].reshape(2, -1)
    return np.stack([x, y, np.ones_like(x)], axis=1).astype(np.float64)
