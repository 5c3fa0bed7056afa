"""The shot that all pictures are made from: the clip made by code, its paintings, its runs, made when asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from escalier.composite import CleanPlate, PlateSearch, make_clean_plate
from escalier.film import ArrayFrames, Film, Motion, MovingClip, Size, make_clip
from escalier.keyframes import Keyframes, Variation, paint_picture, vary_keyframes
from escalier.propagation import FilmMatching, Guides, Runs, Staircase, propagate

LENGTH = 49
KEYS = (0, 24, 48)
LOOK, OTHER_LOOK = "gouache", "dusk"


class Shot:
    """A man crosses a room, 49 frames of 640x360, with its exact mattes, and all that is made of it.

    Parameters
    ----------
    scratch
        An empty folder; what lies there is used again.
    """

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch

    @cached_property
    def clip(self) -> MovingClip:
        return make_clip(Size(640, 360), LENGTH, seed=0)

    @cached_property
    def curtained(self) -> MovingClip:
        """The same room with a curtain that opens on somebody looking in."""
        return make_clip(Size(640, 360), 73, seed=3, uncover_at=55)

    @cached_property
    def tousled(self) -> MovingClip:
        """The same man with his hair on end, under an open shutter."""
        return make_clip(Size(640, 360), LENGTH, seed=0, hair=150, shutter=0.5)

    @cached_property
    def mattes(self) -> np.ndarray:
        """How much of each pixel he covers, float32 (N, H, W)."""
        return np.stack([self.clip.matte(index) for index in range(LENGTH)])

    @cached_property
    def motion(self) -> Motion:
        return Motion(self.clip, self.scratch)

    @cached_property
    def room(self) -> CleanPlate:
        """The room without him, as the middle frame sees it."""
        return make_clean_plate(self.clip, self.mattes, 24, PlateSearch(fill="telea"))

    @cached_property
    def keyframes(self) -> Keyframes:
        return self.painted(dict.fromkeys(KEYS, LOOK))

    @cached_property
    def runs(self) -> Runs:
        return self.propagated(self.keyframes)

    @cached_property
    def film(self) -> Staircase:
        """The restyled film."""
        return Staircase(self.runs)

    @cached_property
    def two_looks(self) -> Runs:
        """One gap of 24 frames between two keyframes painted in different colours, so that the fade is seen."""
        return self.propagated(self.painted({0: LOOK, 24: OTHER_LOOK}), stop=25)

    @cached_property
    def repainted(self) -> Film:
        """The film painted anew on every frame by another hand, as a model redraws it: what flickers."""
        frames = []
        for index in range(LENGTH):
            painted = Keyframes([index], [paint_picture(self.clip.frame(index), LOOK, seed=1000 + index)], LENGTH)
            drawn = vary_keyframes(painted, 1, Variation(seed=index))[0].pictures[0]
            light = np.random.default_rng(index).normal(1.0, 0.04, 3)
            frames.append(np.clip(np.rint(drawn * light), 0, 255).astype(np.uint8))
        return ArrayFrames(np.stack(frames))

    def painted(self, looks: dict[int, str]) -> Keyframes:
        """Frames of the clip painted in one look each, by a new brush every time."""
        pictures = [paint_picture(self.clip.frame(index), look, seed=index) for index, look in looks.items()]
        return Keyframes(list(looks), pictures, LENGTH)

    def part(self, start: int, stop: int) -> Film:
        return ArrayFrames(np.stack([self.clip.frame(index) for index in range(start, stop)]), self.clip.rate)

    def propagated(
        self,
        keyframes: Keyframes,
        *,
        start: int = 0,
        stop: int = LENGTH,
        guides: Guides | None = None,
        matching: FilmMatching | None = None,
        masked: bool = True,
    ) -> Runs:
        """Runs of a part of the clip, on the processor, whose bits do not depend on the machine's cores."""
        inside = [(i - start, p) for i, p in keyframes if start <= i < stop]
        return propagate(
            self.part(start, stop),
            Keyframes([i for i, _ in inside], [p for _, p in inside], stop - start),
            folder=self.scratch,
            masks=self.mattes[start:stop] if masked else None,
            guides=guides,
            matching=matching or FilmMatching(backend="cpu"),
            cuts=(),
            threads=1,
        )
