"""A mask on its way: what is sure at the prompt, how far pixels are from the outline, and how unsteady areas are."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.tracking import TRACKING_FADES, area_jitter
from escalier.tracking.mask_state import FARTHEST_PX, MaskState, distance_to_outline


def test_at_the_prompt_everything_is_sure_and_the_outline_is_neither_side() -> None:
    state = MaskState.prompted(np.float32([[0, 0.5, 1]]))
    assert state.label.tolist() == [[-1, 0, 1]]
    assert (state.trust == 1).all() and (state.traced == 1).all() and state.label.dtype == np.float32


def test_distances_grow_on_both_sides_of_the_outline_and_end_at_sixty() -> None:
    label = np.where(np.arange(200) < 100, 1, -1) * np.ones((5, 200), np.float32)
    row = distance_to_outline(label)[2]
    assert row[99] == row[100] == pytest.approx(1, abs=0.1)
    assert row[80] == pytest.approx(20, rel=0.05) and row[119] == pytest.approx(20, rel=0.05)
    assert row[0] == row[199] == FARTHEST_PX


def test_areas_that_alternate_tremble_and_areas_that_grow_do_not() -> None:
    def masks(*areas: float) -> np.ndarray:
        return np.float32(areas)[:, None, None] * np.ones((len(areas), 4, 4), np.float32)

    assert area_jitter(masks(0.99, 1.01, 0.99, 1.01)) == pytest.approx(0.04, rel=1e-3)
    assert area_jitter(masks(0.1, 0.3, 0.5, 0.7)) == pytest.approx(0, abs=1e-6)
    assert area_jitter(masks(0.5, 0.6)) == area_jitter(masks(0, 0, 0)) == 0


def test_each_fade_has_its_own_curve() -> None:
    assert {name: fade(0.25) for name, fade in TRACKING_FADES.items()} == {"smoothstep": 0.15625, "linear": 0.25}


@pytest.mark.parametrize("name", TRACKING_FADES)
def test_fades_begin_at_nothing_end_at_all_and_are_even_in_time(name: str) -> None:
    fade = TRACKING_FADES[name]
    assert (fade(0.0), fade(0.5), fade(1.0)) == (0, 0.5, 1)
    assert fade(0.2) + fade(0.8) == pytest.approx(1)
