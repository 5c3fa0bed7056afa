"""How pictures are painted by a pipeline: a value."""

import math
from dataclasses import dataclass

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import Refusal

MOST_CONTROL = 2.0


def _guidance(default: float, sentence: str, most_offered: float) -> float:
    offered, rule, remedy = (1, most_offered), "lie in 1..100", "take the default"
    return dial(default, sentence, least=1, most=100, offered=offered, step=0.1, rule=rule, remedy=remedy)


@checked
@dataclass(frozen=True)
class Painting(Dials):
    """How pictures are painted anew.

    Attributes
    ----------
    control_strengths
        How firmly each ControlNet holds, 0..2; None is 1 for all, 0 has no effect.

    >>> Painting(strength=2)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Painting: strength must be above 0 and at most 1, got 2; 0.6 is a good value
    """

    negative_prompt: str = dial("", "What not to paint.")
    strength: float = dial(
        0.6,
        "How far the painting may leave the picture. 0.6 restyles and keeps the drawing; 1 starts from nothing. "
        "InstructPix2Pix does not look at it.",
        above=0,
        most=1,
        offered=(0.01, 1.0),
        step=0.01,
        rule="be above 0 and at most 1",
        remedy="0.6 is a good value",
    )
    steps: int = dial(
        20, "Steps of denoising. More is finer.", least=1, offered=(1, 1000), rule="be at least 1", remedy="raise it"
    )
    guidance: float = _guidance(7.5, "How literally the prompt is taken. 7.5 is usual; more is harsher.", 30)
    image_guidance: float = _guidance(
        1.5, "InstructPix2Pix alone: how much of the picture is kept. More keeps more.", 10
    )
    seed: int = dial(
        0,
        "Another seed, another painting; the same one, the same bits.",
        least=0,
        most=2**63 - 1,
        rule=f"lie in 0..{2**63 - 1}",
        remedy="take a smaller one",
    )
    batch: int = dial(
        1,
        "Pictures painted at once. More is faster on a large card; halved where memory is short.",
        least=1,
        offered=(1, 64),
        rule="be at least 1",
        remedy="raise it",
    )
    control_strengths: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for one in self.control_strengths or ():
            if not 0 <= one <= MOST_CONTROL:
                raise Refusal(
                    "control_strengths", f"lie in 0..{MOST_CONTROL:g}", f"{one:g}", "1 holds firmly, 0 not at all"
                )

    def check_for(self, task: str) -> None:
        """Refuse what no pipeline for this task could use; "auto" is a task that is not known yet."""
        if task not in ("pix2pix", "auto") and int(self.steps * self.strength) < 1:
            rule = f"leave one at least at a strength of {self.strength:g}"
            raise Refusal("steps", rule, self.steps, f"take {math.ceil(1 / self.strength)} or more")
