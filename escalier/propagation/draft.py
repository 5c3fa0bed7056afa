"""A draft: the same propagation at a fraction of the size, to look at before the long run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from escalier.arguments import checked
from escalier.film import (
    ArrayFrames,
    FrameRange,
    FrameSource,
    MaskSource,
    ScaledFilm,
    Size,
    as_uint8,
    check_masks,
    draft_size,
    film_fingerprint,
    scale_film,
)
from escalier.keyframes import Keyframes, fits_film
from escalier.scratch import ArrayFile, open_array, open_or_make, open_scratch, touch

from .guides import Guides, NamedGuide, check_guides
from .run import Matching
from .runs import Runs, propagate
from .unpacked import CheckedFilm

SCALE = 0.25


@checked
def make_draft(
    film: FrameSource,
    keyframes: Keyframes,
    *,
    folder: str | Path,
    scale: float = SCALE,
    start: int = 0,
    stop: int | None = None,
    masks: MaskSource | None = None,
    guides: Guides | None = None,
    matching: Matching | None = None,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Callable[..., object] | None = None,
) -> Runs:
    """Propagate keyframes through a film, or a part of it, at a fraction of its size.

    The result is what `propagate` gives, so that everything that works on runs works on a draft: the staircase, the
    meter (against `draft_film`) and the advisor (against the film itself). It shows the timing of the fades, what is
    uncovered and where the runs disagree. It does not show brush strokes: they are a quarter as wide in the film.

    Parameters
    ----------
    film
        The filmed clip at its full size.
    keyframes
        The painted pictures of the whole film, at its full size. Those outside the part are left out.
    folder
        Scratch, as for `propagate`; the flow is measured anew at the small size, in a few milliseconds a frame.
    scale
        Share of the film's width and height, above 0 to 1. Half of it is four times as fast. Neither side gets
        smaller than 32 pixels.
    start, stop
        The part of the film: frames `start` to `stop` - 1. The whole film by default. For the fade between keyframes
        24 and 72 it is 24 and 73.
    masks, guides, matching, seed, threads, progress
        As for `propagate`; masks and named guides at the film's size.
    cuts
        As for `propagate`, counted in the whole film.

    Returns
    -------
    Runs
        Of the part, counted from 0; `first` and `whole` tell where it lies in the film.

    Raises
    ------
    ValueError
        If the part does not lie in the film or holds no keyframe, the scale is out of range, or `propagate` refuses.

    >>> import tempfile
    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (128, 160, 3), np.uint8)] * 9))
    >>> painted = Keyframes([2, 6], [255 - film.frame(i) for i in (2, 6)], length=9)
    >>> runs = make_draft(film, painted, folder=tempfile.mkdtemp(), start=2, stop=7, threads=1)
    >>> len(runs), str(runs.size), runs.first
    (5, '40x32', 2)
    """
    stop = len(film) if stop is None else stop
    size = _checked_size(film, keyframes, scale, start, stop)
    if masks is not None:
        check_masks(masks, film, "make_draft")
        masks = [scale_film(np.asarray(masks[i]), size) for i in (range(start, stop) if len(masks) > 1 else (0,))]
    if guides is not None:
        check_guides(guides, film, len(keyframes), "make_draft")
        inside = [order for order, index in enumerate(keyframes.indices) if start <= index < stop]
        guides = replace(guides, named=tuple(_part_of_guide(g, scale, start, stop, inside) for g in guides.named))
    folder = open_scratch(folder)
    runs = propagate(
        _unpacked_draft(film, scale, start, stop, folder, progress),
        _part_of(keyframes, size, start, stop),
        folder=folder,
        masks=masks,
        guides=guides,
        matching=matching,
        cuts=None if cuts is None else [cut - start for cut in cuts if start < cut < stop],
        seed=seed,
        threads=threads,
        progress=progress,
    )
    return replace(runs, first=start, whole=len(film))


@checked
def draft_film(film: FrameSource, scale: float = SCALE, start: int = 0, stop: int | None = None) -> FrameSource:
    """The film as a draft sees it: the source against which its staircase can be measured.

    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.zeros((30, 540, 960, 3), np.uint8))
    >>> small = draft_film(film, start=10)
    >>> len(small), str(small.size)
    (20, '240x136')
    """
    return ScaledFilm(FrameRange(film, start, len(film) if stop is None else stop), draft_size(film.size, scale))


def _unpacked_draft(
    film: FrameSource, scale: float, start: int, stop: int, folder: Path, progress: Callable[..., object] | None
) -> ArrayFrames:
    """The small film in a file: what follows reads it several times, and decoding the clip is the dearer part."""
    small = draft_film(CheckedFilm(film, "make_draft"), scale, start, stop)
    fingerprint = film_fingerprint(small)
    path, what = folder / f"draft_{fingerprint[:16]}.npy", f"draft {fingerprint}"
    shape = (len(small), small.size.height, small.size.width, 3)

    def still_at_zero() -> None:
        if progress is not None:
            progress(0, len(small), None)

    def make() -> None:
        with ArrayFile(path, shape, np.uint8, what) as file:
            for index in range(len(small)):
                file.append(small.frame(index))
                still_at_zero()

    frames = open_or_make(path, lambda: open_array(path, shape, np.uint8, what), make, still_at_zero)
    touch(path)
    return ArrayFrames(frames, small.rate)


def _part_of(keyframes: Keyframes, size: Size, start: int, stop: int) -> Keyframes:
    inside = [(index, picture) for index, picture in keyframes if start <= index < stop]
    pictures = [scale_film(as_uint8(picture), size) for _, picture in inside]
    return Keyframes([index - start for index, _ in inside], pictures, stop - start)


def _part_of_guide(guide: NamedGuide, scale: float, start: int, stop: int, inside: Sequence[int]) -> NamedGuide:
    """A guide of the artist's own, with what it shows at the keyframes that lie in the part."""
    film = draft_film(guide.film, scale, start, stop)
    if guide.keyframes is None:
        return replace(guide, film=film)
    pictures = tuple(scale_film(as_uint8(guide.keyframes[order]), film.size) for order in inside)
    return replace(guide, film=film, keyframes=pictures)


def _checked_size(film: FrameSource, keyframes: Keyframes, scale: float, start: int, stop: int) -> Size:
    if not 0 < scale <= 1:
        raise ValueError(
            f"make_draft: scale must lie above 0 and at most at 1, got {scale}; 0.25 is a quarter of the size"
        )
    if not 0 <= start < stop <= len(film):
        raise ValueError(
            f"make_draft: the part must lie in the film's frames 0..{len(film) - 1}, got {start} to {stop - 1}; choose "
            "a first frame and a number of frames inside the film"
        )
    if keyframes.length != len(film) or not fits_film(keyframes.size, film.size):
        raise ValueError(
            f"make_draft: keyframes must belong to a film of {len(film)} frames of {film.size} like this one, got "
            f"keyframes of one of {keyframes.length} frames of {keyframes.size}; choose them from the same clip, at "
            "its size"
        )
    if not any(start <= index < stop for index in keyframes.indices):
        raise ValueError(
            f"make_draft: the part must hold a keyframe, got none in frames {start} to {stop - 1}; the keyframes "
            f"stand at {', '.join(map(str, keyframes.indices))}: let the part begin or end at one of them"
        )
    return draft_size(film.size, scale)
