"""The door of the room: guided patch synthesis by whichever engine is chosen."""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from escalier.counts import thread_count
from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import named

from .matching import Matching
from .problem import Problem, Synthesis

Engine = Callable[[Problem, int, "Progress | None"], Synthesis]


def load_engine(name: str) -> Engine:
    """An engine by its name, imported when it is first used."""
    if name == "card":
        from .card import synthesise_card

        return synthesise_card
    if name == "original":
        from .original import synthesise_original

        return synthesise_original
    from .cpu import synthesise_cpu

    return synthesise_cpu


@named("synthesise")
def synthesise(
    style: np.ndarray,
    source_guides: Sequence[np.ndarray],
    target_guides: Sequence[np.ndarray],
    *,
    weights: Sequence[float] | None = None,
    modulation: Sequence[np.ndarray | None] | None = None,
    matching: Matching | None = None,
    initial_nnf: np.ndarray | None = None,
    source_mask: np.ndarray | None = None,
    target_mask: np.ndarray | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Synthesis:
    """Paint a target in the style of a source, led by guides: EbSynth's guided patch synthesis.

    Every target pixel p is matched to a source pixel s so that the sum, over the patch round them, of the weighted
    squared differences of style and guides, plus the uniformity times how much that part of the source is used, is as
    small as can be; the picture is what the matched patches, laid over each other, paint on average.

    Parameters
    ----------
    style
        (Hs, Ws) or (Hs, Ws, 1 to 4), uint8 0..255 or float32 0..1: the painted keyframe. Alpha counts as a channel.
    source_guides, target_guides
        For each guide a picture of the style's size and one of the target's size, (H, W) or (H, W, C), uint8 or float32
        0..1 (kept finer than 8 bits). Both of a guide have the same number of channels.
    weights
        One for each guide, >= 0; by default 1 / number of guides. A guide's channels share its weight. The larger, the
        closer the target follows this guide.
    modulation
        For each guide None or a picture of the target's size, uint8 0..255 or float32 0..1, with 1 channel or the
        guide's: multiplies the guide's weight at this target pixel.
    matching
        EbSynth's dials and which engine runs.
    initial_nnf
        int (H, W, 2), (row, column) in the source for every target pixel: where the search starts. Negative numbers
        mark pixels that start cold, from the coarse levels. Patches at the rim are moved inside. Only the finest levels
        are searched then, see `Matching.warm_levels`.
    source_mask
        (Hs, Ws), bool, uint8 or float32: pixels below the middle are never copied.
    target_mask
        (H, W), as above: pixels below the middle are not painted, and are 0 in the image.
    seed
        Same seed, same bits, on any number of threads.
    threads
        By default one for each processor this process may use.
    progress
        Called as progress(done, total) after every turn; what it raises ends the synthesis.

    Returns
    -------
    Synthesis
        image, nnf, error, guide_error.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the sentence names it and the remedy.
    escalier.pyebsynth.original.OriginalNotFound
        If the backend is "original" and no ebsynth library is installed.
    ImportError, escalier.pyebsynth.card_device.CardNotFound
        If the backend is "card" and Warp is not installed, or finds no card.

    References
    ----------
    Jamriška et al., "Stylizing Video by Example", SIGGRAPH 2019. Fišer et al., "StyLit", SIGGRAPH 2016 (equation 2 and
    uniformity). Barnes et al., "PatchMatch", SIGGRAPH 2009. PatchMatch is covered by US patent 8,861,869.

    With the same guide on both sides the style comes back (near the rim patches have nothing beyond it to hold on to):

    >>> style, guide = np.random.default_rng(0).integers(0, 256, (2, 32, 40, 3), np.uint8)
    >>> result = synthesise(style, [guide], [guide], weights=[4.0])
    >>> bool((result.image == style)[6:-6, 6:-6].all()), float(result.error[6:-6, 6:-6].max())
    (True, 0.0)
    """
    from .arguments import build_problem  # brings numba, which importing the pack must not

    problem = build_problem(
        style,
        source_guides,
        target_guides,
        weights=weights,
        modulation=modulation,
        matching=matching,
        initial_nnf=initial_nnf,
        source_mask=source_mask,
        target_mask=target_mask,
        seed=seed,
    )
    name = choose_backend(problem.matching.backend)
    log.debug("synthesise: engine %s", name)
    result = load_engine(name)(problem, thread_count(threads), progress)
    return result if style.ndim == 3 else result._replace(image=result.image[..., 0])


def choose_backend(backend: str) -> str:
    """The name of the engine that runs."""
    if backend == "auto":
        from .card_device import card_is_there

        backend = "card" if card_is_there() else "cpu"
        _announce(backend)
    return backend


@cache  # once for each engine: a film is hundreds of syntheses
def _announce(name: str) -> None:
    log.debug("backend auto takes %s", {"card": "the graphics card", "cpu": "the processor"}[name])
