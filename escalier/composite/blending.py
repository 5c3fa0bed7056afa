"""How a Poisson blend is made, and on what it is worked out: values."""

from __future__ import annotations

from dataclasses import dataclass

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import Refusal

GRADIENTS = ("import", "mixed", "average", "monochrome")
"""The guidance fields. import: the gradients of the source. mixed: along each edge and in each channel the stronger of
the source's and the target's, the source's where they are equal. average: the mean of both. monochrome: the gradients
of the source's luminance."""
LEAST_SCREENING = 1e-5
"""A weaker one, that fades over more than 300 pixels, would be lost in float32."""
_SCREENING = f"be >= {LEAST_SCREENING:g} 1/px^2", "use 0 for none at all"


@checked
@dataclass(frozen=True)
class Blending(Dials):
    """How the source is put into the target: whose gradients it keeps, and how it meets the target's colours.

    >>> Blending(strength=1.5)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Blending: strength must be in 0..1, got 1.5; use a screening for a correction that ...
    """

    gradients: str = dial(
        "import",
        "'import' keeps the source's drawing. 'mixed' lets stronger lines of the target show through, 'average' takes "
        "half of each, 'monochrome' gives the source the target's hue.",
        choices=GRADIENTS,
    )
    strength: float = dial(
        1.0,
        "How much of the correction is added. 1 meets the target's colours at the edge; 0 pastes the source as it is.",
        least=0,
        most=1,
        step=0.05,
        remedy="use a screening for a correction that fades inside",
    )
    screening: float = dial(
        8.0**-2,
        "The correction fades from the rim inwards over about 1 / sqrt(screening) pixels, which keeps the source's own "
        "colours deep inside: 8 pixels by default. 0 is the equation of Poisson editing itself, which carries the "
        "rim's colours everywhere: in a brighter or darker room it burns a body white or black.",
        least=0,
        unit="1/px^2",
        rule=_SCREENING[0],
        remedy=_SCREENING[1],
    )
    rim_blur_px: float = dial(
        0.0,
        "Smooths along the edge what the two pictures differ by. A few pixels calm streaks and flicker; more lets fine "
        "lines that cross the edge break.",
        least=0,
        offered=(0, 200),
        step=0.5,
        unit="px",
        remedy="0 means none",
    )
    solver: str = dial(
        "multigrid",
        "'multigrid' is fast and exact to a tenth of a level. 'conjugate_gradient' is the method's classic, far "
        "slower, for comparison.",
        choices=("multigrid", "conjugate_gradient"),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.screening < LEAST_SCREENING:
            raise Refusal("screening", _SCREENING[0], f"{self.screening:g}", _SCREENING[1])


@checked
@dataclass(frozen=True)
class Machine(Dials):
    """On what a blend is worked out. No picture depends on it, but for a hundredth of a level between the backends.

    >>> Machine("cpu").threads is None
    True
    """

    backend: str = dial(
        "auto",
        "'cpu' is the processor, 'torch' a device of torch. 'auto' takes torch where it is loaded and has a graphics "
        "card, else the processor. Both give the same picture.",
        choices=("auto", "cpu", "torch"),
    )
    device: str | None = dial(
        None, "The device for 'torch', such as 'cuda:0'. {none} takes its graphics card, else the processor."
    )
    threads: int | None = dial(
        None,
        "Processor cores to use. {none} uses all. The film does not depend on it.",
        least=1,
        offered=(1, 256),
        remedy="leave it out for one thread a core",
    )
    memory_mb: float = dial(
        2000.0,
        "Memory for the frames in hand, in MB. More blends more frames at once; where it is not there, the number is "
        "halved until they fit.",
        least=1,
        offered=(1, 1_000_000),
        step=100,
        unit="MB",
        remedy="give the frames some memory",
    )
