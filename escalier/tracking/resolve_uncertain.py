"""Decide the pixels that a carried mask is not sure of: by their colours, other evidence, and the picture's edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from escalier.mask import Box, box_around

from .colour_model import ColourSample, LocalColours
from .edge_aware import smooth_along_edges
from .mask_state import MaskState, distance_to_outline

MARGIN_PX = 64
SURE = 0.9
"""Pixels surer than this are left as they are."""
OUTLINE_PX, OUTLINE_TRUST = 3.0, 0.2
"""Trust falls towards the outline, over this distance and to this share: there, edges decide."""
COLOUR_ODDS = 2.0
"""The colours alone say no more than this, in log odds."""
GUESSED_SHARE = np.float32(0.05)
"""Weight of what was guessed, beside what was traced, in the colour model."""
GUESS, BEST_GUESS, CONFIRMED = np.float32(0.4), np.float32(0.7), np.float32(0.05)
"""Trust in a guess: at first, at most, and what it gains in every frame that confirms it."""
CLEAR_LABEL = 0.3
STEEPNESS = np.float32(1.6)

Evidence = Callable[[Box, np.ndarray], np.ndarray]
"""Region and how sure its pixels are -> log odds for the subject, of the region's shape."""


def resolve_uncertain(
    picture: np.ndarray, state: MaskState, evidence: Evidence | None = None, past: Sequence[ColourSample] = ()
) -> MaskState:
    """Give every pixel a label that fits its neighbours, up to the edges of the picture.

    Parameters
    ----------
    picture
        The frame, uint8 (H, W, 3).
    state
        Labels, of which some are sure.
    evidence
        More log odds for the pixels that are not.
    past
        What is known of frames before this one: their colours count as this one's do.

    Returns
    -------
    Labels and trust anew; `traced` as it was.

    >>> picture = np.zeros((40, 80, 3), np.uint8)
    >>> picture[:, 40:] = (200, 90, 30)
    >>> label = np.full((40, 80), -1, np.float32)
    >>> label[:, 44:] = 1
    >>> trust = np.ones_like(label)
    >>> trust[:, 30:50] = 0
    >>> resolved = resolve_uncertain(picture, MaskState(label, trust, trust))
    >>> (resolved.label[20, 38:42] > 0).tolist()
    [False, False, True, True]
    """
    perhaps = state.label > -0.5
    if not perhaps.any():
        return state
    region = box_around(perhaps, MARGIN_PX)
    label, trust, traced = (part[region] for part in (state.label, state.trust, state.traced))
    firm = firmness(state)[region]
    opinion = _opinion(np.ascontiguousarray(picture[region]), region, label, firm, traced, evidence, past)
    strength = (1 - firm) * np.abs(opinion)
    total = firm + strength + np.float32(1e-3)
    spread, arrived = smooth_along_edges(
        (firm * label + strength * opinion) / total, total, np.ascontiguousarray(picture[region])
    )
    new_label = np.clip(STEEPNESS * spread, -1, 1).astype(np.float32)
    result = MaskState(state.label.copy(), state.trust.copy(), state.traced)
    result.label[region] = new_label
    result.trust[region] = _new_trust(label, new_label, trust, firm, opinion, arrived)
    return result


def firmness(state: MaskState) -> np.ndarray:
    """Trust, less close to the outline: float32 (H, W)."""
    edge = np.clip(distance_to_outline(state.label) / OUTLINE_PX, OUTLINE_TRUST, 1)
    return (state.trust * edge).astype(np.float32)


def _opinion(
    picture: np.ndarray,
    region: Box,
    label: np.ndarray,
    firm: np.ndarray,
    traced: np.ndarray,
    evidence: Evidence | None,
    past: Sequence[ColourSample],
) -> np.ndarray:
    """What colours and other evidence say about the unsure pixels, -1..1; 0 elsewhere."""
    unsure = firm < SURE
    known = np.minimum(firm, traced) + GUESSED_SHARE * firm
    here = ColourSample.of(picture, known * label)
    colours = LocalColours([here, *(sample.part(region) for sample in past)])
    odds = np.zeros_like(label)
    odds[unsure] = np.clip(colours.log_odds(here.lab, unsure), -COLOUR_ODDS, COLOUR_ODDS)
    if evidence is not None:
        odds += np.where(unsure, evidence(region, known), 0)
    return np.tanh(odds / 2)


def _new_trust(
    label: np.ndarray,
    new_label: np.ndarray,
    trust: np.ndarray,
    firm: np.ndarray,
    opinion: np.ndarray,
    arrived: np.ndarray,
) -> np.ndarray:
    """Trust stays where the label did, falls where it flipped, and starts low where it was guessed."""
    kept = new_label * label > 0
    new = np.where(firm > GUESS, np.where(kept, firm, firm / 2), 0)
    new = np.maximum(new, GUESS * np.abs(new_label) * np.minimum(1, 1.5 * arrived))
    confirmed = kept & (firm >= GUESS / 2) & (firm < BEST_GUESS) & (opinion * new_label > 0.5)
    new = np.where(confirmed, np.minimum(new + CONFIRMED, BEST_GUESS), new)
    clear = kept & (np.abs(new_label) > CLEAR_LABEL)
    return np.where(clear, np.maximum(trust, new), new).astype(np.float32)
