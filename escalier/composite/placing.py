"""How a subject is lit by the room that she is set into: a value."""

from __future__ import annotations

from dataclasses import dataclass

from escalier.arguments import checked
from escalier.dials import Dials, dial


@checked
@dataclass(frozen=True)
class Placing(Dials):
    """How a subject is lit by the room that she is set into.

    >>> Placing(light=2)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Placing: light must be in 0..1, got 2; 0 keeps her own light, 1 is Poisson blending
    """

    light: float = dial(
        0.5,
        "How much of the room's light falls on the subject. 0 keeps her own; up to 0.5 the room's grows, while skin "
        "and cloth stay what they are; beyond it Poisson blending comes in, all there is at 1, and can repaint her.",
        least=0,
        most=1,
        step=0.05,
        remedy="0 keeps her own light, 1 is Poisson blending",
    )
    most_delta_e: float = dial(
        4.0,
        "How far the room's light may move her colours, on average over her body: 1 is hardly seen, 4 is seen side by "
        "side, beyond 10 cloth looks dyed. Poisson blending is not held by it.",
        least=0,
        offered=(0, 30),
        step=0.5,
        unit="Delta E",
        remedy="0 lets none of the light in",
    )
    steady_frames: float = dial(
        12.0,
        "How slowly the light follows the room, in frames. More is calmer; 0 takes each frame for itself and flickers.",
        least=0,
        offered=(0, 240),
        step=1,
        unit="frames",
        remedy="0 takes every frame for itself",
    )
