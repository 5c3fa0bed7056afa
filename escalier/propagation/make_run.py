"""One run made: frame after frame, each from the one before; what a stopped job made of it is taken up again."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from escalier.film import Motion, Size, warp
from escalier.heap import trim_heap
from escalier.pyebsynth import Synthesis, synthesise

from .chains import Chain
from .guides import GuideFilm
from .plates import Plate, join, joint_error, plates_of
from .sources import Source
from .unfinished import Unfinished


@dataclass(frozen=True)
class Crew:
    """Whom a run works for: who lends it threads, hears of its frames, and stops it by what it raises.

    The frames made until then are kept beside the run's folder, see `Unfinished`.
    """

    threads: Callable[[], int]
    """Tells how many threads the engine may use for the next frame. The result does not depend on it."""
    each_frame: Callable[[np.ndarray], None]
    """Called with every stylised frame as it is done."""
    each_step: Callable[[int, int], None]
    """Called while a frame is being made, as the engine's progress."""
    taken_over: Callable[[int], None]
    """Called once with the number of frames that an earlier job made, if there are any."""


def make_run(
    chain: Chain, source: Source, motion: Motion, folder: Path, crew: Crew, *, seed: int, checkpoint_seconds: float
) -> None:
    """Propagate one keyframe and keep the result in `folder`, which appears only when it is complete: see `open_run`.

    `chain` says how far, and `checkpoint_seconds` how much of its work a killed job may lose.
    """
    steps = _Steps(chain, source, motion)
    size, matched_size = Size.of(source.keyframe), Size.of(steps.reliable)
    with Unfinished(chain, folder, size, matched_size, checkpoint_seconds) as made:
        if made.state is not None:
            steps.go_on_from(made.state)
            made.state = None
            crew.taken_over(made.frames - 1)
        else:
            made.append(source.keyframe, np.zeros(steps.reliable.shape, np.float16), 1.0)
        for d in range(made.frames, chain.length):
            error = steps.advance(d, seed, crew)
            made.append(steps.stylised, error, frame_confidence(error, steps.reliable, source.contrast), steps.state())
            crew.each_frame(steps.stylised)
            trim_heap()


class _Steps:
    """The state that one frame hands to the next: the plates, and how far they can be trusted.

    Frames are matched at `size`. Where that is smaller than the keyframe, the plates' fields are enlarged and the frame
    is painted from the keyframe at its full size.
    """

    def __init__(self, chain: Chain, source: Source, motion: Motion) -> None:
        self.chain = chain
        self.stylised = source.keyframe
        self.size = source.size
        self._source = source
        self._full_film = source.guide_film.at(Size.of(source.keyframe))
        self._film = source.guide_film.at(self.size)
        self._motion = motion
        self._matching = source.matching
        mask = self._mask(self._film, chain.start)
        self._plates = plates_of(source.picture, mask, source.matching.patch_size, source.painter)
        self.reliable = np.ones((self.size.height, self.size.width), np.float32)

    def advance(self, d: int, seed: int, crew: Crew) -> np.ndarray:
        """Make the frame d steps from the keyframe; return its guide error at the matched size, float32 (H, W)."""
        index = self.chain.start + d * self.chain.direction
        before = index - self.chain.direction
        flow = self._motion.flow(index, before, self.size)
        visible = self._motion.visible(index, before, self.size)
        self.reliable = warp(self.reliable, flow) * visible
        weights = self._film.weights(self._film.explained(index, before, flow, visible))
        mask = self._mask(self._film, index)
        for plate in self._plates:
            plate.carry(flow, visible, mask)
        del flow, visible  # as large as a plane of the engine, which needs the room now

        def synthesis(positions: np.ndarray, carried: np.ndarray, **options: Any) -> Synthesis:
            return synthesise(
                self._source.picture,
                self._source.guides,
                self._film.of_frame(index, positions, carried),
                weights=weights,
                matching=self._matching,
                seed=seed + index,
                threads=crew.threads(),
                progress=crew.each_step,
                **options,
            )

        for plate in self._plates:
            plate.paint(self._film.frame(index), mask, self._matching.warm_levels > 0, synthesis)
        self.stylised = join(
            [self._picture(plate, index) for plate in self._plates], self._mask(self._full_film, index)
        )
        # From a sum over the patch to a root mean square.
        error = joint_error(self._plates, mask)
        return np.sqrt(np.maximum(error, 0) / (self._matching.patch_size**2 * sum(weights)))

    def state(self) -> dict[str, np.ndarray]:
        """All that the next frame needs, each array (h, w) or (h, w, C); none of them is written into later."""
        state = {"reliable": self.reliable}
        for number, plate in enumerate(self._plates):
            state |= {f"{number} {name}": array for name, array in plate.state().items()}
        return state

    def go_on_from(self, state: dict[str, np.ndarray]) -> None:
        """Take up what `state` gave in an earlier job."""
        self.reliable = state["reliable"]
        for number, plate in enumerate(self._plates):
            plate.go_on_from(
                {name.partition(" ")[2]: array for name, array in state.items() if name.startswith(f"{number} ")}
            )

    def _picture(self, plate: Plate, index: int) -> np.ndarray:
        """What a plate shows, at the keyframe's full size."""
        if self._film.size == self._full_film.size:
            return plate.picture
        if plate.nnf is None:  # never seen since the keyframe: nothing of it shows
            return self._source.keyframe
        from escalier.pyebsynth import render_full_size  # brings numba, which importing the pack must not

        return render_full_size(
            self._source.keyframe,
            plate.places,
            (self.size.height, self.size.width),
            self._full_film.frame(self.chain.start),
            self._full_film.frame(index),
            between_pixels=self._source.painter is not None,
        )

    def _mask(self, film: GuideFilm, index: int) -> np.ndarray | None:
        # The original program knows no masks; there only the mask guide keeps the sides apart.
        apart = self._matching.apart and self._matching.backend != "original"
        return film.mask(index) if apart else None


def frame_confidence(error: np.ndarray, reliable: np.ndarray, contrast: float) -> float:
    """How far a stylised frame can be trusted, 0..1."""
    quality = 1 - min(1.0, float(error.mean()) / max(contrast, 1e-6))
    return float(reliable.mean()) * quality
