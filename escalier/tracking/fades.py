"""How weight passes from one prompted frame to the next: the curves of the staircase's fades."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from escalier.refusals import Refusal
from escalier.smoothstep import smoothstep

Share = Callable[[float], float]

TRACKING_FADES: MappingProxyType[str, Share] = MappingProxyType({"smoothstep": smoothstep, "linear": float})
"""Each makes of a place between two prompted frames, 0..1, the weight of the later one. The first is the default."""


def share_of(fade: str) -> Share:
    """The curve of a name, refused where there is none.

    >>> share_of("smoothstep")(0.25)
    0.15625
    """
    if fade not in TRACKING_FADES:
        raise Refusal("fade", f"be one of {', '.join(TRACKING_FADES)}", fade, "choose one of them")
    return TRACKING_FADES[fade]
