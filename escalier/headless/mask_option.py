"""What `--mask` names, as masks that fit the film."""

from __future__ import annotations

from pathlib import Path

from escalier.film import FrameSource, check_masks, open_film
from escalier.film.masks import FilmMasks, check_marked


def masks_for(path: Path | None, film: FrameSource) -> FilmMasks | None:
    """Masks from a video, a folder or one picture; refused where their number, size or content does not fit."""
    if path is None:
        return None
    masks = FilmMasks(open_film(path, film.rate if path.is_dir() else None))
    check_masks(masks, film, "--mask")
    check_marked(masks, "--mask")
    return masks
