"""The door of the room: guided patch synthesis by whichever engine is chosen."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from .counts import thread_count
from .problem import Problem, Progress, Synthesis

logger = logging.getLogger("escalier")

Engine = Callable[[Problem, int, "Progress | None"], Synthesis]


def _cpu() -> Engine:
    from .cpu import synthesise_cpu

    return synthesise_cpu


def _card() -> Engine:
    from .card import synthesise_card

    return synthesise_card


def _original() -> Engine:
    from .original import synthesise_original

    return synthesise_original


BACKENDS: dict[str, Callable[[], Engine]] = {"cpu": _cpu, "card": _card, "original": _original}
"""Every engine by name, loaded when it is first used. A new engine is a new entry."""


def synthesise(
    style: np.ndarray,
    source_guides: Sequence[np.ndarray],
    target_guides: Sequence[np.ndarray],
    *,
    weights: Sequence[float] | None = None,
    style_weight: float = 1.0,
    modulation: Sequence[np.ndarray | None] | None = None,
    uniformity: float = 3500.0,
    patch_size: int = 5,
    pyramid_levels: int | None = None,
    search_vote_iterations: int | None = None,
    patchmatch_iterations: int | None = None,
    stop_threshold: float | None = None,
    search_radius: int | None = None,
    voting: str = "plain",
    extra_pass_3x3: bool = False,
    initial_nnf: np.ndarray | None = None,
    warm_levels: int = 1,
    source_mask: np.ndarray | None = None,
    target_mask: np.ndarray | None = None,
    seed: int = 0,
    threads: int | None = None,
    backend: str = "auto",
    progress: Progress | None = None,
) -> Synthesis:
    """Paint a target in the style of a source, led by guides: EbSynth's guided patch synthesis.

    Every target pixel p is matched to a source pixel s so that the sum, over the patch round them, of the weighted
    squared differences of style and guides, plus `uniformity` times how much that part of the source is used, is as
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
    style_weight
        > 0, shared by the style's channels. The larger, the more neighbouring patches must agree with each other.
    modulation
        For each guide None or a picture of the target's size, uint8 0..255 or float32 0..1, with 1 channel or the
        guide's: multiplies the guide's weight at this target pixel.
    uniformity
        >= 0. The larger, the more evenly all parts of the style are used; 0 lets one spot be repeated at will.
    patch_size
        3, 5 or 7 px. The larger, the larger the strokes that stay whole, the slower.
    pyramid_levels
        From 1 to as many as keep the coarsest side at 2 * patch_size + 1 px, the default. Fewer keep more to detail.
    search_vote_iterations, patchmatch_iterations
        Turns of search and vote on each level, and sweeps of the search in each turn. By default the engine's own: cpu
        and card 12 and 2 (4 in the first turn of a cold start), original 6 and 4. The more, the lower the energy and
        the slower.
    stop_threshold
        >= 0, in 8-bit levels: pixels rest when no style channel near them changes by as much; by default half the
        patch size. The larger, the faster and coarser.
    search_radius
        In px: the largest radius of random search, by default the whole source. Smaller keeps matches near.
    voting
        "plain" (mean) or "weighted" (by 1 / (1 + error): sharper).
    extra_pass_3x3
        Polish the finest level with 3x3 patches and without uniformity. `error` then is of 3x3 patches.
    initial_nnf
        int (H, W, 2), (row, column) in the source for every target pixel: where the search starts. Negative numbers
        mark pixels that start cold, from the coarse levels. Patches at the rim are moved inside.
    warm_levels
        >= 1: how many of the finest levels are searched when there is an `initial_nnf`. 1 stays closest to it.
    source_mask
        (Hs, Ws), bool, uint8 or float32: pixels below the middle are never copied.
    target_mask
        (H, W), as above: pixels below the middle are not painted, and are 0 in the image.
    seed
        Same seed, same bits, on any number of threads.
    threads
        By default one for each processor this process may use.
    backend
        "cpu", "card" (an NVIDIA card through Warp, see `escalier.pyebsynth.card_device`), "original" (an installed
        ebsynth library, see `escalier.pyebsynth.original`), or "auto": the card where there is one, else cpu.
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
        If backend is "original" and no ebsynth library is installed.
    ImportError, escalier.pyebsynth.card_device.CardNotFound
        If backend is "card" and Warp is not installed, or finds no card.

    References
    ----------
    Jamriška et al., "Stylizing Video by Example", SIGGRAPH 2019. Fišer et al., "StyLit", SIGGRAPH 2016 (equation 2 and
    uniformity). Barnes et al., "PatchMatch", SIGGRAPH 2009. PatchMatch is covered by US patent 8,861,869.

    Examples
    --------
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
        style_weight=style_weight,
        modulation=modulation,
        uniformity=uniformity,
        patch_size=patch_size,
        pyramid_levels=pyramid_levels,
        search_vote_iterations=search_vote_iterations,
        patchmatch_iterations=patchmatch_iterations,
        stop_threshold=stop_threshold,
        search_radius=search_radius,
        voting=voting,
        extra_pass_3x3=extra_pass_3x3,
        initial_nnf=initial_nnf,
        warm_levels=warm_levels,
        source_mask=source_mask,
        target_mask=target_mask,
        seed=seed,
    )
    name = choose_backend(backend)
    logger.debug("synthesise: engine %s", name)
    result = BACKENDS[name]()(problem, thread_count(threads, "synthesise"), progress)
    return result if style.ndim == 3 else result._replace(image=result.image[..., 0])


def choose_backend(backend: str) -> str:
    """The name of the engine that runs."""
    if backend == "auto":
        from .card_device import card_is_there

        backend = "card" if card_is_there() else "cpu"
        _announce(backend)
    if backend not in BACKENDS:
        raise ValueError(f"synthesise: backend must be one of auto, {', '.join(BACKENDS)}, got {backend!r}")
    return backend


@cache  # once for each engine: a film is hundreds of syntheses
def _announce(name: str) -> None:
    logger.debug("backend auto takes %s", {"card": "the graphics card", "cpu": "the processor"}[name])
