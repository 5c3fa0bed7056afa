"""Pixels that a carried mask is not sure of, decided by colours, evidence and edges of pictures made here."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.mask import Box
from escalier.tracking.colour_model import ColourSample
from escalier.tracking.mask_state import MaskState
from escalier.tracking.resolve_uncertain import GUESS, firmness, resolve_uncertain

SHAPE = (60, 160)
GREY, ORANGE = (90, 90, 90), (220, 120, 40)
EDGE = 80


def picture(edge: int = EDGE) -> np.ndarray:
    seen = np.full((*SHAPE, 3), GREY, np.uint8)
    seen[:, edge:] = ORANGE
    return seen


def state(outline: int, unsure: slice, trust: float = 0.0) -> MaskState:
    """The subject to the right of `outline`; nothing is known in the columns `unsure`."""
    label = np.where(np.arange(SHAPE[1]) < outline, -1, 1) * np.ones(SHAPE, np.float32)
    sure = np.ones(SHAPE, np.float32)
    sure[:, unsure] = trust
    return MaskState(label, sure, sure.copy())


@pytest.mark.parametrize("outline", [EDGE - 7, EDGE, EDGE + 7])
def test_an_outline_that_is_unsure_goes_to_the_edge_in_the_picture(outline: int) -> None:
    resolved = resolve_uncertain(picture(), state(outline, slice(EDGE - 12, EDGE + 12)))
    assert (resolved.label[:, : EDGE - 1] < 0).all() and (resolved.label[:, EDGE + 1 :] > 0).all()


def test_what_is_sure_and_far_from_the_outline_stays_whatever_its_colour() -> None:
    seen = picture()
    seen[20:40, 120:140] = GREY  # a grey badge on the subject
    resolved = resolve_uncertain(seen, state(EDGE, slice(EDGE - 6, EDGE + 6)))
    assert (resolved.label[20:40, 120:140] > 0.5).all()


def test_a_label_that_flips_is_trusted_less_than_one_that_stays() -> None:
    before = state(EDGE + 8, slice(EDGE - 12, EDGE + 16), trust=0.45)
    resolved = resolve_uncertain(picture(), before)
    flipped = resolved.trust[:, EDGE + 3 : EDGE + 7]
    assert (resolved.label[:, EDGE + 3 : EDGE + 7] > 0).all()
    assert flipped.max() <= GUESS + 1e-6 < resolved.trust[:, 140:].min()
    assert np.array_equal(resolved.traced, before.traced)


def test_evidence_decides_where_colours_cannot() -> None:
    plain = np.full((*SHAPE, 3), GREY, np.uint8)
    unsure = slice(60, 100)

    def towards(sign: int) -> np.ndarray:
        def evidence(region: Box, known: np.ndarray) -> np.ndarray:
            return np.full(known.shape, 3.0 * sign, np.float32)

        return resolve_uncertain(plain, state(EDGE, unsure), evidence).label[30, 68:92]

    assert (towards(1) > 0).all() and (towards(-1) < 0).all()


def test_colours_of_frames_before_help_a_part_that_is_not_known_now() -> None:
    unsure = slice(40, 160)
    seen = picture()
    now = MaskState(np.full(SHAPE, -0.4, np.float32), *np.zeros((2, *SHAPE), np.float32))
    now.trust[:, :40] = now.traced[:, :40] = 1
    past = [ColourSample.of(seen, np.where(np.arange(SHAPE[1]) < EDGE, -1, 1) * np.ones(SHAPE, np.float32))]
    alone, helped = resolve_uncertain(seen, now), resolve_uncertain(seen, now, past=past)
    assert (alone.label[:, unsure][:, 50:] <= 0).all() and (helped.label[:, EDGE + 4 :] > 0).all()


def test_a_mask_in_which_nothing_can_be_the_subject_is_left_alone() -> None:
    empty = MaskState(np.full(SHAPE, -1, np.float32), *np.zeros((2, *SHAPE), np.float32))
    assert resolve_uncertain(picture(), empty) is empty


def test_trust_falls_towards_the_outline() -> None:
    firm = firmness(state(EDGE, slice(0, 0)))[30]
    assert firm[EDGE] < firm[EDGE + 1] < firm[EDGE + 3] == 1 and firm[EDGE - 1] == firm[EDGE]
