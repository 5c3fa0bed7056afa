"""The dials of matching that only a film has: what a frame takes from the one before, its plates, its size."""

from dataclasses import dataclass

from escalier.arguments import checked
from escalier.dials import dial
from escalier.film import Size
from escalier.pyebsynth import Matching


@checked
@dataclass(frozen=True)
class FilmMatching(Matching):
    """How the frames of a film are matched: EbSynth's own dials, and those of films.

    >>> FilmMatching(match_side=20)
    Traceback (most recent call last):
    escalier.refusals.Refusal: FilmMatching: match_side must be at least 64 px, got 20; 960 is enough ...
    """

    warm_levels: int = dial(
        2,
        "How many of the finest sizes of the picture are searched again when a frame starts from the matches of the "
        "one before. 0 forgets them and starts every frame cold, which boils; 1 is the stickiest and the fastest; more "
        "lets a frame find its way out of old errors.",
        least=0,
        remedy="use 0 to start every frame cold",
    )
    apart: bool = dial(
        True,
        "With a mask, subject and set are painted as two plates that cannot copy from each other, and are joined by "
        "the mask's own edge. Off, the mask is only one guide among others.",
    )
    match_side: int | None = dial(
        None,
        "For large films: the longer side, in pixels, at which frames are matched. 960 makes 4K cost twice 540p; the "
        "film is still painted from the full-size keyframes. {none} matches at the film's own size, which is finest "
        "and slowest.",
        least=64,
        offered=(64, 8192),
        step=64,
        unit="px",
        rule="be at least 64 px",
        remedy="960 is enough for a 4K film, None matches at the film's own size",
    )
    sub_pixel: bool = dial(
        True,
        "Strokes follow the film by parts of a pixel. Off, every stroke is copied pixel for pixel, as EbSynth does: "
        "for halftone and pixel art. Slow motion then goes in steps.",
    )

    def size_for(self, size: Size) -> Size:
        """The size at which frames of a film are matched.

        >>> str(FilmMatching(match_side=960).size_for(Size(3840, 2160))), str(FilmMatching().size_for(Size(3840, 2160)))
        ('960x540', '3840x2160')
        """
        longer = max(size)
        if self.match_side is None or longer <= self.match_side:
            return size
        return Size(*(max(1, round(side * self.match_side / longer)) for side in size))
