"""What the edge of a mask is to become, and how that of a film's masks is brought to rest: values, all in pixels."""

from dataclasses import dataclass

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import Refusal

MOST_PX = 2000.0
"""Where the sliders of distances end."""


def _distance(sentence: str, remedy: str) -> float:
    return dial(0.0, sentence, least=0.0, offered=(0.0, MOST_PX), step=0.5, unit="px", rule="be >= 0 px", remedy=remedy)


def _area(sentence: str, remedy: str) -> float:
    offered = (0.0, 100_000_000.0)
    return dial(
        0.0, sentence, least=0.0, offered=offered, unit="pixels of area", rule="be >= 0 pixels of area", remedy=remedy
    )


@checked
@dataclass(frozen=True)
class Edge(Dials):
    """What the edge of a mask is to become. Corners of what is spread are round.

    With feather_inside_px = 0 everything inside the edge stays at exactly 1: the feather goes outwards only. What
    touches the border of the picture is no hole.

    Raises
    ------
    ValueError
        When a dial is negative, both spread and choke are given, or there is no such profile.

    >>> Edge(spread_px=2, choke_px=1)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Edge: choke_px must be 0 while spread_px is 2, got 1; use only their difference
    """

    spread_px: float = _distance("Grows the mask by so many pixels, with round corners.", "use choke to shrink a mask")
    choke_px: float = _distance(
        "Shrinks the mask by so many pixels. Use either this or the spread.", "use spread to grow a mask"
    )
    feather_inside_px: float = _distance(
        "Width of the soft edge inside the mask, in pixels. At 0 all of the subject stays fully covered.",
        "use feather_outside_px to feather the other way",
    )
    feather_outside_px: float = _distance(
        "Width of the soft edge outside the mask, in pixels. It takes nothing away from the subject.",
        "use feather_inside_px to feather the other way",
    )
    profile: str = dial(
        "smoothstep",
        "How the soft edge fades: evenly, with soft ends, or as a blur does.",
        choices=("linear", "smoothstep", "gaussian"),
    )
    fill_holes_area: float = _area("Fills holes of at most so many pixels of area. 0 fills none.", "0 fills none")
    drop_islands_area: float = _area("Drops islands of at most so many pixels of area. 0 drops none.", "0 drops none")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.spread_px and self.choke_px:
            rule = f"be 0 while spread_px is {self.spread_px:g}"
            raise Refusal("choke_px", rule, f"{self.choke_px:g}", "use only their difference")

    @property
    def moves(self) -> bool:
        """Whether the edge itself changes, not only holes and islands."""
        return any((self.spread_px, self.choke_px, self.feather_inside_px, self.feather_outside_px))

    @property
    def ramp(self) -> tuple[float, float]:
        """The distances (negative outside) where the new mask leaves 0 and reaches 1."""
        # Less than a pixel of feather would alias.
        more = max(0.0, 1 - self.feather_inside_px - self.feather_outside_px) / 2
        move = self.choke_px - self.spread_px
        return move - self.feather_outside_px - more, move + self.feather_inside_px + more


@checked
@dataclass(frozen=True)
class Steadying(Dials):
    """How the edge of a film's masks is brought to rest.

    Edges are averaged as distance fields: one that trembles comes to its mean place, and one that moves evenly stays
    where it is. Averaged mattes would show both edges instead.
    """

    steady_frames: int = dial(
        0,
        "Calms an edge that trembles: it is averaged with so many frames before and after. 2 does for most masks; an "
        "edge that moves evenly keeps its place.",
        least=0,
        offered=(0, 50),
        rule="be >= 0",
        remedy="0 leaves every frame alone",
    )
    steady_limit_px: float = dial(
        2.0,
        "Steadying moves no edge by more than so many pixels, so that thin fast limbs stay. Raise it for coarse masks.",
        least=0.0,
        offered=(0.0, 100.0),
        step=0.5,
        unit="px",
        rule="be >= 0",
        remedy="0 leaves every frame alone",
    )
