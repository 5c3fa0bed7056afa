"""Line boil: a few redraws of one film, shown in turn, so that the drawing lives while nothing else moves.

Animators on paper draw a still figure two or three times and loop the drawings, each held for two or three frames.
"""

from collections.abc import Sequence

import numpy as np

from escalier.arguments import checked
from escalier.composite import blend_layers
from escalier.film import Film, FilmBase, Masks, MaskSource, frame_at
from escalier.refusals import Refusal

MOST_HELD = 12


@checked
class Boil(FilmBase):
    """Redraws of one film shown in turn, each held for a few frames. Itself a film.

    Frame i shows frame i of redraw (i // hold) mod K. So the order of the redraws repeats exactly every K x hold
    frames, its `period`, and a film whose length is a multiple of that loops without a seam. Redraws that are single
    pictures make a film of one period: a loop, to the bit.

    Parameters
    ----------
    redraws
        Two or three films, more if need be: the same shot propagated from different redraws of its keyframes.
    hold
        How many frames each redraw is held: 1, 2 or 3, "on ones", "on twos", "on threes". More is calmer.
    masks
        Where the line boils: one mask for each frame, or one for all. Outside, where a mask is 0, the first redraw is
        seen, bit for bit. A soft mask mixes the two.

    Raises
    ------
    ValueError
        When there are fewer than two redraws, their lengths or sizes differ, or a mask does not fit.

    >>> from escalier.film import ArrayFrames
    >>> a, b, c = (ArrayFrames(np.full((1, 4, 4, 3), level, np.uint8)) for level in (10, 20, 30))
    >>> boil = Boil([a, b, c], hold=2)
    >>> [int(boil.frame(i)[0, 0, 0]) for i in range(len(boil))]
    [10, 10, 20, 20, 30, 30]
    """

    def __init__(self, redraws: Sequence[Film], hold: int = 2, *, masks: MaskSource | None = None) -> None:
        _check_redraws(redraws)
        if not 1 <= hold <= MOST_HELD:
            raise Refusal("hold", f"be 1 to {MOST_HELD} frames", hold, "2 is usual")
        self.redraws = tuple(redraws)
        self.hold = hold
        length = len(redraws[0])
        super().__init__(redraws[0].size, redraws[0].rate, length if length > 1 else self.period)
        self.masks = None if masks is None else Masks.fitting(masks, redraws[0])

    @property
    def period(self) -> int:
        """Frames after which the order of the redraws begins anew."""
        return len(self.redraws) * self.hold

    def redraw_at(self, index: int) -> int:
        """Which redraw is seen at frame `index`, counted from 0."""
        self.check_index(index)
        return index // self.hold % len(self.redraws)

    def _frame(self, index: int) -> np.ndarray:
        """In the type of the redraw seen, or of the first one where masks are given."""
        redraw = self.redraws[self.redraw_at(index)]
        seen = frame_at(redraw, index)
        if self.masks is None or redraw is self.redraws[0]:
            return seen
        first = frame_at(self.redraws[0], index)
        return blend_layers(first, seen, self.masks.at(index))

    def describe(self) -> str:
        """The cycle in words, and whether the film loops.

        >>> from escalier.film import ArrayFrames
        >>> film = ArrayFrames(np.zeros((50, 4, 4, 3), np.uint8))
        >>> Boil([film, film], hold=3).describe()
        '2 redraws, each held for 3 frames: a cycle of 6. The film ends 2 frames into a cycle; cut to 48 it loops.'
        """
        held = f"{self.hold} frame{'s' * (self.hold > 1)}"
        cycle = f"{len(self.redraws)} redraws, each held for {held}: a cycle of {self.period}."
        whole, over = divmod(len(self), self.period)
        if over == 0:
            return f"{cycle} The film is {whole} whole cycle{'s' * (whole > 1)} long: the boil loops without a seam."
        advice = f"; cut to {whole * self.period} it loops" if whole else ""
        return f"{cycle} The film ends {over} frame{'s' * (over > 1)} into a cycle{advice}."


def _check_redraws(redraws: Sequence[Film]) -> None:
    if len(redraws) < 2:
        raise Refusal("redraws", "be at least 2", len(redraws), "vary the keyframes and propagate again")
    first = redraws[0]
    for number, redraw in enumerate(redraws[1:], start=2):
        if len(redraw) != len(first) or redraw.size != first.size:
            this = f"{len(redraw)} frames of {redraw.size} for redraw {number}"
            got = f"{this} and {len(first)} of {first.size} for the first"
            raise Refusal("redraws", "be of one length and size", got, "make them from the same clip")
