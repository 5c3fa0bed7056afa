"""Where both directions become one mask: who has traced a pixel better decides, else the fade."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.tracking.mask_state import MaskState
from escalier.tracking.merge_directions import merge_directions

SHAPE = (80, 80)


def flat(label: float, trust: float, traced: float | None = None) -> MaskState:
    values = (label, trust, trust if traced is None else traced)
    return MaskState(*(np.full(SHAPE, value, np.float32) for value in values))


def noisy(seed: int) -> MaskState:
    random = np.random.default_rng(seed)
    trust = random.uniform(0, 1, SHAPE).astype(np.float32)
    label = random.uniform(-1, 1, SHAPE).astype(np.float32)
    return MaskState(label, trust, trust * random.uniform(0, 1, SHAPE).astype(np.float32))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_direction_that_has_traced_a_pixel_better_is_taken_wherever_the_fade_is(share: float) -> None:
    assert merge_directions(flat(1, 0.9), flat(-1, 0.1), share).label.min() > 0.8
    assert merge_directions(flat(1, 0.1), flat(-1, 0.9), share).label.max() < -0.8


@pytest.mark.parametrize(("share", "label"), [(0.0, 0.97), (0.5, 0.7), (1.0, 0.43)])
def test_where_both_know_as_well_the_fade_decides_and_leaves_each_a_twentieth(share: float, label: float) -> None:
    merged = merge_directions(flat(1, 0.7), flat(0.4, 0.7), share)
    assert np.allclose(merged.label, label, atol=1e-3)


def test_a_subject_that_was_traced_outweighs_a_set_that_was_but_is_trusted_less_than_agreement() -> None:
    against = merge_directions(flat(1, 0.7), flat(-1, 0.7), 0.5)
    agreed = merge_directions(flat(1, 0.7), flat(1, 0.7), 0.5)
    assert 0 < against.label.min() <= against.label.max() < 0.8 < agreed.label.min()
    assert against.trust.max() < 0.75 * agreed.trust.min()


def test_what_only_one_direction_has_seen_is_kept_even_beside_the_other_prompt() -> None:
    assert merge_directions(flat(1, 0.9), flat(-1, 0.2), 1.0).label.min() > 0.5
    assert merge_directions(flat(-1, 0.2), flat(1, 0.9), 0.0).label.min() > 0.5


def test_turning_the_film_round_changes_nothing() -> None:
    one, other = noisy(0), noisy(1)
    there, back = merge_directions(one, other, 0.3), merge_directions(other, one, 0.7)
    for part in ("label", "trust", "traced"):
        assert np.allclose(getattr(there, part), getattr(back, part), atol=1e-5)


def test_guesses_count_near_traced_pixels_of_the_subject_and_nowhere_else() -> None:
    guesses, faintly_traced = flat(1, 0.9, traced=0), flat(-1, 0.3)
    assert merge_directions(guesses, faintly_traced, 0.5).label.max() < 0
    guesses.traced[:, :30] = 0.9
    beside = merge_directions(guesses, faintly_traced, 0.5).label[40]
    assert beside[32] > 0.5 and beside[70] < 0


def test_values_stay_in_their_ranges() -> None:
    merged = merge_directions(noisy(2), noisy(3), 0.4)
    assert np.abs(merged.label).max() <= 1
    for part in (merged.trust, merged.traced):
        assert part.min() >= 0 and part.max() <= 1
