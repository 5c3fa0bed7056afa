"""EbSynth's own dials: how patches are matched and laid over each other."""

from dataclasses import dataclass
from typing import Any

from escalier.arguments import checked
from escalier.dials import Dials, dial

BACKENDS = ("auto", "cpu", "card", "original")


def _engines_own(sentence: str, **facts: Any) -> Any:
    """A dial of 1 or more that nobody need turn: None is the engine's own choice."""
    return dial(None, sentence, least=1, remedy="leave it out for the engine's default", **facts)


@checked
@dataclass(frozen=True)
class Matching(Dials):
    """How patches are matched. None leaves a dial at the engine's own choice.

    By default the engines choose: cpu and card 12 turns of search and vote with 2 sweeps each (4 in the first turn of a
    cold start), original 6 and 4; a stop threshold of half the patch size; as many levels as keep the coarsest side at
    2 * patch_size + 1 px.

    >>> Matching(uniformity=0).patch_size
    5
    >>> Matching(patch_size=4)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Matching: patch_size must be 3, 5 or 7, got 4; 5 is EbSynth's own
    """

    uniformity: float = dial(
        3500.0,
        "How evenly all parts of the painting are used. 3500 as in EbSynth. Lower repeats the best-fitting strokes, "
        "higher brings in strokes that fit less well.",
        least=0,
        offered=(0, 20000),
        step=100,
        remedy="use 0 to switch it off",
    )
    patch_size: int = dial(
        5,
        "Side of the pieces that the painting is cut into, in pixels. 5 as in EbSynth. 3 follows fine forms, 7 keeps "
        "larger strokes whole.",
        choices=(3, 5, 7),
        unit="px",
        rule="be 3, 5 or 7",
        remedy="5 is EbSynth's own",
    )
    voting: str = dial(
        "plain",
        "How overlapping pieces are mixed. 'plain' averages them; 'weighted' trusts those that fit best, which is "
        "crisper and can flicker.",
        choices=("plain", "weighted"),
    )
    extra_pass_3x3: bool = dial(
        False, "A last pass with pieces of 3 pixels: sharper detail for about a quarter more time."
    )
    style_weight: float = dial(
        1.0,
        "How much neighbouring pieces must agree with each other, beside the guides.",
        above=0,
        remedy="lower it or raise the guides' weights",
    )
    pyramid_levels: int | None = _engines_own(
        "On how many sizes of the picture pieces are matched, each half of the one before. {none} takes as many as "
        "the picture allows. Fewer keep more to detail."
    )
    search_vote_iterations: int | None = _engines_own(
        "Rounds of matching and painting on every size of the picture. {none} takes the engine's own choice. More is "
        "slower and hardly better.",
        offered=(1, 50),
    )
    patchmatch_iterations: int | None = _engines_own(
        "Search steps in each round. {none} takes the engine's own choice. More finds better pieces, slower.",
        offered=(1, 50),
    )
    stop_threshold: float | None = dial(
        None,
        "A pixel rests when nothing near it changes by so many 8-bit levels. {none} takes the engine's own choice. "
        "More is faster and coarser.",
        least=0,
        remedy="use 0 to switch it off",
    )
    search_radius: int | None = _engines_own(
        "How far random search goes, in pixels. {none} searches the whole painting. Less keeps matches near.",
        unit="px",
        rule="be >= 1",
    )
    warm_levels: int = dial(
        1,
        "How many of the finest sizes of the picture are searched again where matches to start from are given. 1 stays "
        "closest to them.",
        least=1,
        remedy="leave it out for the engine's default",
    )
    backend: str = dial(
        "auto",
        "The engine. 'auto' takes the best one that is here. 'card' is an NVIDIA card, with the package warp-lang; "
        "'original' is the first EbSynth program, where its library is installed.",
        choices=BACKENDS,
    )

    @property
    def weighted(self) -> bool:
        return self.voting == "weighted"
