"""What a propagation writes to its scratch folder, counted before any work: film, masks, flow and runs together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from escalier.film import ArrayFrames, FrameSource, Motion, Size, pair_bytes
from escalier.scratch import array_bytes, check_room

from .run import Chain, run_bytes


def scratch_bytes(
    film: FrameSource,
    chains: Iterable[Chain],
    *,
    masks: int = 0,
    guides: Sequence[FrameSource] = (),
    size: Size | None = None,
    matched_size: Size | None = None,
) -> int:
    """The room that `propagate` takes from nothing, in bytes.

    Parameters
    ----------
    film
        The source film. One in memory is not unpacked.
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

    >>> from .runs import chains_of
    >>> from escalier.keyframes import Keyframes
    >>> minute = ArrayFrames(np.broadcast_to(np.uint8(0), (1440, 1080, 1920, 3)))
    >>> keyframes = Keyframes([0, 720], [np.broadcast_to(np.uint8(0), (1080, 1920, 3))] * 2, 1440)
    >>> round(scratch_bytes(minute, chains_of(keyframes)) / 1e9, 1)
    28.4
    """
    filmed = film.size
    return (
        sum(_film_bytes(shown) for shown in (film, *guides))
        + (len(film) - 1) * pair_bytes(filmed)
        + (array_bytes((masks, filmed.height, filmed.width), np.uint8) if masks else 0)
        + sum(run_bytes(chain, size or filmed, matched_size or filmed) for chain in chains)
    )


def check_room_for(
    folder: Path,
    films: Mapping[Path, FrameSource],
    masks: tuple[Path, int] | None,
    motion: Motion,
    places: Mapping[Chain, Path],
    size: Size,
    matched_size: Size,
) -> None:
    """Refuse a propagation whose missing files would fill the disk. What lies there already is not counted.

    Parameters
    ----------
    folder
        Scratch.
    films
        The film and those of named guides, by the files in which they are unpacked.
    masks
        Their file, and how many there are.
    motion
        The flow to be made.
    places
        The folders of all runs.
    size, matched_size
        That of the keyframes, and the one at which frames are matched.
    """
    filmed = motion.size
    missing = [chain for chain, place in places.items() if not os.path.isdir(place)]
    runs = sum(run_bytes(chain, size, matched_size) for chain in missing)
    needed = runs + motion.missing_bytes()
    needed += sum(_lacking(path, _film_bytes(film)) for path, film in films.items())
    if masks is not None:
        needed += _lacking(masks[0], array_bytes((masks[1], filmed.height, filmed.width), np.uint8))
    if runs:
        check_room(folder, needed, "propagate", f"the film, its flow and {len(missing)} runs")


def _film_bytes(film: FrameSource) -> int:
    if isinstance(film, ArrayFrames):
        return 0
    return array_bytes((len(film), film.size.height, film.size.width, 3), np.uint8)


def _lacking(path: Path, size: int) -> int:
    """All of a file, unless it lies there: a damaged one is removed before it is made anew."""
    return 0 if os.path.isfile(path) and os.path.getsize(path) == size else size
