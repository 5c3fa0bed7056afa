"""What a propagation writes to its scratch folder, counted before any work: film, masks, flow, runs, checkpoints."""

from collections.abc import Iterable, Sequence

import numpy as np

from escalier.film import Film, Size, footage_bytes, pair_bytes
from escalier.scratch import array_bytes

from .chains import Chain
from .run import run_bytes
from .unfinished import checkpoint_bytes


def scratch_bytes(
    film: Film,
    chains: Iterable[Chain],
    *,
    masks: int = 0,
    guides: Sequence[Film] = (),
    size: Size | None = None,
    matched_size: Size | None = None,
    at_once: int = 1,
) -> int:
    """The room that `propagate` takes from nothing, in bytes, the checkpoints of runs in the making included.

    Parameters
    ----------
    film
        The source film. One in memory is not written.
    chains
        The runs to make, see `chains_of`. Counted without cuts, which only make runs shorter, it is the most.
    masks
        How many there are: 0, 1 or as many as frames.
    guides
        The films of named guides.
    size
        That of the keyframes; the film's by default.
    matched_size
        See `Matching.size_for`; the film's by default.
    at_once
        How many runs are made side by side, see `runs_at_a_time`.

    >>> from .chains import chains_of
    >>> from escalier.keyframes import Keyframes
    >>> from escalier.film import ArrayFrames
    >>> minute = ArrayFrames(np.broadcast_to(np.uint8(0), (1440, 1080, 1920, 3)))
    >>> keyframes = Keyframes([0, 720], [np.broadcast_to(np.uint8(0), (1080, 1920, 3))] * 2, 1440)
    >>> round(scratch_bytes(minute, chains_of(keyframes)) / 1e9, 1)
    28.5
    """
    filmed, chains = film.size, list(chains)
    return (
        sum(footage_bytes(shown) for shown in (film, *guides))
        + (len(film) - 1) * pair_bytes(filmed)
        + (array_bytes((masks, filmed.height, filmed.width), np.uint8) if masks else 0)
        + sum(run_bytes(chain, size or filmed, matched_size or filmed) for chain in chains)
        + min(at_once, len(chains)) * checkpoint_bytes(matched_size or filmed, masks > 0)
    )
