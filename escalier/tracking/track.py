"""Masks over time: from one or a few prompted frames to a soft mask for every frame of a film.

From each prompted frame the mask is carried to its neighbours in both directions (`carry`), what the motion leaves
uncertain is decided by colours and edges (`resolve_uncertain`), and between two prompted frames both directions become
one mask by how well each pixel was traced, with the staircase's fade (`merge_directions`). At last each mask is held
against its neighbours (`steady`). No trained model is needed; one can be asked, frame by frame, through `refine`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Motion, find_cuts, scale_film
from escalier.mask import soft_overlap
from escalier.progress import Progress
from escalier.refusals import Refusal

from .background_memory import Camera
from .carry import Carrier
from .fades import share_of
from .mask_state import MaskState, distance_to_outline
from .merge_directions import merge_directions
from .prompted_masks import check_prompted
from .resolve_uncertain import resolve_uncertain
from .small_frames import SmallFrames
from .steady import steady_masks
from .tracked_masks import TrackedMasks

RIM_PX = 8.0
"""The frame's confidence is that of the subject and of what lies this close to it."""
AGREEMENT = 0.7
"""Overlap with the carried mask under which a model's answer is refused."""
BELIEVED_PX = 14.0
"""A model may move the outline by this much where the carried mask is sure."""
CONFIRMED_TRUST = np.float32(0.8)


@runtime_checkable
class Refine(Protocol):
    """A model that is asked for each frame's mask."""

    def __call__(self, index: int, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """The mask of frame `index`, float32 (H, W) 0..1, like the carried one that is handed over, but better.

        `picture` is the frame, uint8 or float32 (H, W, 3).
        """
        ...


@checked
def track_masks(
    film: Film,
    prompted: Mapping[int, np.ndarray],
    *,
    motion: Motion,
    refine: Refine | None = None,
    fade: str = "smoothstep",
    progress: Progress | None = None,
) -> TrackedMasks:
    """Carry masks given at a few frames to every frame of a film.

    A part that goes behind something leaves the mask and comes back on the other side, taken from the direction that
    has seen it there. A subject that nobody sees for a while needs a prompted frame before and after. Nothing is
    carried over a cut: a shot without a prompted frame has empty masks, of confidence 0.

    Parameters
    ----------
    film
        The clip.
    prompted
        Frame index -> mask (H, W), uint8 0..255 or float 0..1, in the film's size. One is enough; both ends are much
        better where anything is hidden.
    motion
        The film's optical flow. Masks are carried at its working size, 960x540 at most.
    refine
        A model that improves each mask, such as `SamRefine`. Its answer is refused where it departs too far from
        what was carried.
    fade
        One of `TRACKING_FADES`: how weight passes from a prompted frame to the next.
    progress
        Called as `progress(done, total)` after each frame in each direction. What it raises stops the work.

    Returns
    -------
    A soft mask and a confidence for every frame. Prompted frames keep their masks exactly.

    Raises
    ------
    ValueError
        When no frame is prompted, a mask is empty, of another size or not finite, or a frame lies outside the film.

    Examples
    --------
    >>> import cv2, tempfile
    >>> from escalier.film import ArrayFrames
    >>> noise = np.random.default_rng(0).integers(0, 256, (72, 96, 3), np.uint8)
    >>> picture = cv2.GaussianBlur(noise, (0, 0), 3)
    >>> picture[20:50, 30:60] = (230, 120, 40)
    >>> film = ArrayFrames(np.stack([picture] * 4))
    >>> mask = np.zeros((72, 96), np.float32)
    >>> mask[20:50, 30:60] = 1
    >>> tracked = track_masks(film, {0: mask}, motion=Motion(film, tempfile.mkdtemp()))
    >>> tracked.masks.shape, bool(((tracked.masks[3] > 0.5) == (mask > 0.5)).mean() > 0.99)
    ((4, 72, 96), True)
    """
    given = check_prompted(prompted, film)
    share = share_of(fade)
    if (motion.size, len(motion)) != (film.size, len(film)):
        raise Refusal(
            "motion",
            f"be that of the film, {len(film)} frames of {film.size}",
            f"{len(motion)} frames of {motion.size}",
            "measure the motion of this clip",
        )
    return _Tracking(film, given, motion, refine, share, progress).run()


class _Tracking:
    """One call of `track_masks`."""

    def __init__(
        self,
        film: Film,
        prompted: dict[int, np.ndarray],
        motion: Motion,
        refine: Refine | None,
        share: Callable[[float], float],
        progress: Progress | None,
    ) -> None:
        self._film, self._prompted = film, prompted
        self._motion = motion
        self._refine, self._share, self._progress = refine, share, progress
        self._frames = SmallFrames(film, motion)
        self._camera = Camera(self._frames)
        self._cuts = find_cuts(film, motion, progress=self._searched)
        self._ends = [(min(prompted), -1), (max(prompted), len(film))]
        self._gaps = list(itertools.pairwise(prompted))
        ways = [*self._ends, *self._gaps, *((after, before) for before, after in self._gaps)]
        self._done, self._total = 0, sum(len(self._path(*way)) for way in ways)
        self._masks = np.zeros((len(film), film.size.height, film.size.width), np.float32)
        self._confidence = np.zeros(len(film), np.float32)

    def _searched(self, *_: int) -> None:
        """Looking for cuts reads the whole film once: it counts for nothing, but can be stopped."""
        if self._progress is not None:
            self._progress(0, len(self._film))

    def run(self) -> TrackedMasks:
        for index, mask in self._prompted.items():
            self._masks[index], self._confidence[index] = mask, 1
        for way in self._ends:
            for index, state in self._carried(*way):
                self._keep(index, state)
        for gap in self._gaps:
            self._bridge(*gap)
        tracked = TrackedMasks(self._masks, self._confidence)
        return steady_masks(tracked, self._motion, given=self._prompted.keys(), cuts=self._cuts)

    def _bridge(self, before: int, after: int) -> None:
        """Fill the frames between two prompted ones."""
        forward = {index: _packed(state) for index, state in self._carried(before, after)}
        for index, backward in self._carried(after, before):
            if index in forward:
                share = self._share((index - before) / (after - before))
                merged = merge_directions(_unpacked(forward.pop(index)), backward, share)
                self._keep(index, resolve_uncertain(self._frames[index], merged))
            else:
                self._keep(index, backward)
        for index, packed in forward.items():
            self._keep(index, _unpacked(packed))

    def _path(self, start: int, stop: int) -> range:
        """The frames from `start` to `stop`, both left out, as far as the shot goes."""
        if stop > start:
            return range(start + 1, min([stop, *(cut for cut in self._cuts if cut > start)]))
        return range(start - 1, max([stop, *(cut - 1 for cut in self._cuts if cut <= start)]), -1)

    def _carried(self, start: int, stop: int) -> Iterator[tuple[int, MaskState]]:
        """Carry the mask at frame `start` towards frame `stop`, see `_path`."""
        path = self._path(start, stop)
        if not path:
            return
        mask = scale_film(self._prompted[start], self._frames.size)
        asked = None if self._refine is None else partial(self._ask, self._refine)
        carrier = Carrier(self._frames, self._camera, mask, start, path.step, asked)
        for index in path:
            yield index, carrier.advance()
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._total)

    def _ask(self, refine: Refine, index: int, carried: MaskState) -> MaskState:
        """Have the model improve a frame's mask; take its answer only where it does not contradict what was carried."""
        mask = self._full_size(carried.label)
        answer = refine(index, self._film.frame(index), mask)
        if answer.shape != mask.shape or not np.isfinite(answer).all():
            raise Refusal(
                "refine",
                f"give a finite mask of {self._film.size}",
                f"shape {answer.shape} at frame {index}",
                "check the model",
            )
        if soft_overlap(mask, answer) < AGREEMENT:
            return carried
        label = 2 * scale_film(answer, self._frames.size) - 1
        believed = (distance_to_outline(carried.label) < BELIEVED_PX) | (carried.trust < 0.5)
        confirmed = believed & (label * carried.label > 0)
        return MaskState(
            np.where(believed, label, carried.label),
            np.where(confirmed, np.maximum(carried.trust, CONFIRMED_TRUST), carried.trust),
            carried.traced,
        )

    def _keep(self, index: int, state: MaskState) -> None:
        self._masks[index] = self._full_size(state.label)
        near = (state.label > 0) | (distance_to_outline(state.label) < RIM_PX)
        self._confidence[index] = state.trust[near].mean() if (state.label > 0).any() else 0.0

    def _full_size(self, label: np.ndarray) -> np.ndarray:
        """The soft mask. A label that is half sure is taken as whole: doubt is not transparency."""
        return scale_film(np.clip(label + np.float32(0.5), 0, 1), self._film.size)


def _packed(state: MaskState) -> tuple[np.ndarray, ...]:
    """A state in 8 bits a value: one direction is kept for a whole gap while the other is carried."""
    label = np.rint(state.label * 127).astype(np.int8)
    return (label, *(np.rint(np.clip(part, 0, 1) * 255).astype(np.uint8) for part in (state.trust, state.traced)))


def _unpacked(parts: tuple[np.ndarray, ...]) -> MaskState:
    label, trust, traced = (part.astype(np.float32) for part in parts)
    return MaskState(label / 127, trust / 255, traced / 255)
