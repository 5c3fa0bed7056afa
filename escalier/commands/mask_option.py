"""What `--mask` names, as masks that fit the film."""

from __future__ import annotations

import logging
from pathlib import Path

from escalier.film import Film, FilmMasks, FolderFrames, frame_numbers, open_film
from escalier.refusals import Refusal, named

log = logging.getLogger("escalier")


def masks_for(path: Path | None, film: Film, first: int | None) -> FilmMasks | None:
    """Masks from a video, a folder or one picture; refused where their number, size or content does not fit.

    `first` is the number that people give to the film's first frame, see `frame_numbers`.
    """
    if path is None:
        return None
    shown = open_film(path, film.rate if path.is_dir() else None)
    masks = FilmMasks(shown)
    with named("--mask"):
        FilmMasks.fitting(masks, film).check_marked()
    if len(masks) > 1:
        _check_in_step(path, shown, film, frame_numbers(film, first)[0])
    return masks


def _check_in_step(path: Path, masks: Film, film: Film, first: int) -> None:
    """Masks lie over frames in their order; refuse numbers that contradict it, and say what may be doubtful."""
    if isinstance(masks, FolderFrames):
        own = masks.numbers[0]
        if own not in (first, 0, 1) and abs(own - first) < len(film):
            raise Refusal(
                f"{path}",
                f"be numbered from {first} like the film, or from 0 or 1",
                own,
                f"number the masks like the frames, or say --first {own} if the film's frames are counted from there "
                "too",
                who="--mask",
            )
        if own != first:
            log.warning(
                "%s: the masks are numbered from %d and the film from %d; %s is taken for its first frame",
                path,
                own,
                first,
                masks.files[0].name,
            )
    elif masks.rate != film.rate:
        log.warning(
            "%s: %g frames a second where the clip has %g; the masks are taken frame for frame",
            path,
            float(masks.rate),
            float(film.rate),
        )
