"""A draft: the same propagation at a fraction of the size, to look at before the long run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.film import (
    Film,
    Footage,
    FrameRange,
    Masks,
    MaskSource,
    ScaledFilm,
    Size,
    as_uint8,
    draft_size,
    scale_film,
)
from escalier.keyframes import Keyframes, fits_film
from escalier.progress import Progress
from escalier.refusals import Refusal

from .film_matching import FilmMatching
from .guides import Guides, NamedGuide, check_guides
from .propagation import propagate
from .runs import Runs


@checked
@dataclass(frozen=True)
class DraftPart(Dials):
    """What of a film is drafted: frames `start` to `stop` - 1, by default all, at a share of the film's size.

    For the fade between keyframes 24 and 72 `start` and `stop` are 24 and 73. Neither side of the draft gets smaller
    than 32 pixels.

    >>> DraftPart(start=10).frames(30)
    range(10, 30)
    """

    scale: float = dial(
        0.25,
        "Size of the draft, as a share of the film's width and height. 0.25 shows timing, fades and what is uncovered; "
        "brush strokes are not to be judged by it. Half of it is four times as fast.",
        above=0,
        most=1,
        offered=(0.05, 1),
        step=0.05,
        rule="lie above 0 and at most at 1",
        remedy="0.25 is a quarter of the size",
    )
    start: int = 0
    stop: int | None = None

    def frames(self, length: int) -> range:
        """The part's frames in a film of this length."""
        return range(self.start, length if self.stop is None else self.stop)


@checked
def make_draft(
    film: Film,
    keyframes: Keyframes,
    *,
    folder: str | Path,
    part: DraftPart | None = None,
    masks: MaskSource | None = None,
    guides: Guides | None = None,
    matching: FilmMatching | None = None,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
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
    part
        Which frames, and at which size.
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
        If the part does not lie in the film or holds no keyframe, or `propagate` refuses.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (128, 160, 3), np.uint8)] * 9))
    >>> painted = Keyframes([2, 6], [255 - film.frame(i) for i in (2, 6)], length=9)
    >>> runs = make_draft(film, painted, folder=tempfile.mkdtemp(), part=DraftPart(start=2, stop=7), threads=1)
    >>> len(runs), str(runs.size), runs.first
    (5, '40x32', 2)
    """
    part = part or DraftPart()
    _check_part(film, keyframes, part)
    frames, size = part.frames(len(film)), draft_size(film.size, part.scale)
    if masks is not None:
        scaled = Masks.fitting(masks, film).scaled(size)
        masks = scaled[frames.start : frames.stop] if len(scaled) > 1 else scaled[:]
    if guides is not None:
        check_guides(guides, film, len(keyframes))
        inside = [order for order, index in enumerate(keyframes.indices) if index in frames]
        guides = replace(guides, named=tuple(_part_of_guide(guide, part, inside) for guide in guides.named))
    filmed = Footage.of(film, folder)
    runs = propagate(
        Footage(draft_film(filmed, part), folder),
        _part_of(keyframes, size, frames),
        folder=folder,
        masks=masks,
        guides=guides,
        matching=matching,
        cuts=None if cuts is None else [cut - part.start for cut in cuts if cut in frames[1:]],
        seed=seed,
        threads=threads,
        progress=progress,
    )
    return replace(runs, first=part.start, whole=len(film))


@checked
def draft_film(film: Film, part: DraftPart | None = None) -> Film:
    """The film as a draft sees it: the source against which its staircase can be measured.

    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.zeros((30, 540, 960, 3), np.uint8))
    >>> small = draft_film(film, DraftPart(start=10))
    >>> len(small), str(small.size)
    (20, '240x136')
    """
    part = part or DraftPart()
    frames = part.frames(len(film))
    return ScaledFilm(FrameRange(film, frames.start, frames.stop), draft_size(film.size, part.scale))


def _part_of(keyframes: Keyframes, size: Size, frames: range) -> Keyframes:
    inside = [(index, picture) for index, picture in keyframes if index in frames]
    pictures = [scale_film(as_uint8(picture), size) for _, picture in inside]
    return Keyframes([index - frames.start for index, _ in inside], pictures, len(frames))


def _part_of_guide(guide: NamedGuide, part: DraftPart, inside: Sequence[int]) -> NamedGuide:
    """A guide of the artist's own, with what it shows at the keyframes that lie in the part."""
    film = draft_film(guide.film, part)
    if guide.keyframes is None:
        return replace(guide, film=film)
    pictures = tuple(scale_film(as_uint8(guide.keyframes[order]), film.size) for order in inside)
    return replace(guide, film=film, keyframes=pictures)


def _check_part(film: Film, keyframes: Keyframes, part: DraftPart) -> None:
    frames = part.frames(len(film))
    start, stop = frames.start, frames.stop
    if not 0 <= start < stop <= len(film):
        remedy = "choose a first frame and a number of frames inside the film"
        raise Refusal("the part", f"lie in the film's frames 0..{len(film) - 1}", f"{start} to {stop - 1}", remedy)
    if keyframes.length != len(film) or not fits_film(keyframes.size, film.size):
        rule = f"belong to a film of {len(film)} frames of {film.size} like this one"
        got = f"keyframes of one of {keyframes.length} frames of {keyframes.size}"
        raise Refusal("keyframes", rule, got, "choose them from the same clip, at its size")
    if not any(index in frames for index in keyframes.indices):
        there = ", ".join(map(str, keyframes.indices))
        remedy = f"the keyframes stand at {there}: let the part begin or end at one of them"
        raise Refusal("the part", "hold a keyframe", f"none in frames {start} to {stop - 1}", remedy)
