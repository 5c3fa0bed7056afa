"""One run: a keyframe carried through the film in one direction, each frame starting from the one before."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.scratch import array_bytes, clear_folder, open_array, put_aside, read_facts, touch

MANIFEST = "run.json"
OF_FILMS = ("warm_levels", "apart", "match_side", "sub_pixel")
"""Parameters of `Matching` that the engine does not know."""
SMALLEST_MATCH_SIDE = 64

log = logging.getLogger("escalier")


@checked
@dataclass(frozen=True)
class Matching:
    """How each frame is matched: EbSynth's own parameters, see `escalier.pyebsynth.choose_engine`.

    None leaves a parameter at the engine's default. `warm_levels` belongs to films: how many of the finest pyramid
    levels are searched again when a frame starts from the matches of the one before. 0 forgets them and starts every
    frame cold, which boils; 1 is the stickiest and the fastest; more lets a frame find its way out of old errors.
    `apart` is for films with masks: subject and set are two plates that cannot copy from each other. `match_side` is
    the longer side, in px, at which frames are matched; larger films are painted from the full-size keyframes by the
    enlarged matches. None matches at the film's own size. `sub_pixel` copies patches from between the pixels of the
    keyframe, where the film has moved by a part of one; without it every patch is copied as it was painted, and slow
    motion goes in steps.
    """

    uniformity: float = 3500.0
    patch_size: int = 5
    pyramid_levels: int | None = None
    search_vote_iterations: int | None = None
    patchmatch_iterations: int | None = None
    stop_threshold: float | None = None
    voting: str = "plain"
    extra_pass_3x3: bool = False
    backend: str = "auto"
    warm_levels: int = 2
    apart: bool = True
    match_side: int | None = None
    sub_pixel: bool = True

    def __post_init__(self) -> None:
        if self.match_side is not None and self.match_side < SMALLEST_MATCH_SIDE:
            raise ValueError(
                f"Matching: match_side must be at least {SMALLEST_MATCH_SIDE} px, got {self.match_side}; 960 is enough "
                "for a 4K film, None matches at the film's own size"
            )

    def size_for(self, size: Size) -> Size:
        """The size at which frames of a film are matched.

        >>> str(Matching(match_side=960).size_for(Size(3840, 2160))), str(Matching().size_for(Size(3840, 2160)))
        ('960x540', '3840x2160')
        """
        longer = max(size)
        if self.match_side is None or longer <= self.match_side:
            return size
        return Size(*(max(1, round(side * self.match_side / longer)) for side in size))

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for `synthesise`."""
        return {name: value for name, value in asdict(self).items() if value is not None and name not in OF_FILMS}


@dataclass(frozen=True)
class Chain:
    """What one run has to do: from the keyframe at `start` towards `stop`, which it does not reach.

    `order` is the keyframe's place among the keyframes, `direction` is 1 (forward) or -1 (backward).
    """

    start: int
    stop: int
    order: int

    @property
    def direction(self) -> int:
        return 1 if self.stop > self.start else -1

    @property
    def length(self) -> int:
        """Frames of the run, its keyframe included."""
        return abs(self.stop - self.start)

    @property
    def name(self) -> str:
        return f"{self.start:06d}_{'forward' if self.direction > 0 else 'backward'}"


@dataclass(frozen=True)
class Run:
    """A finished run. Entry d of each array belongs to the frame d steps from the keyframe; entry 0 is the keyframe.

    Attributes
    ----------
    start
        Index of the keyframe in the film.
    direction
        1 forward, -1 backward.
    frames
        uint8 (D, H, W, 3), a read-only memory map. frames[0] is the keyframe bit for bit, as 8-bit.
    guide_error
        float16 (D, h, w), at the size of matching, a read-only memory map: how badly the guides match at each pixel,
        as a root mean square in 8-bit levels over the patch and the weighted channels. 0 at the keyframe.
    confidence
        float32 (D,), 1 at the keyframe, see `frame_confidence`.
    folder
        Where the run lies.
    """

    start: int
    direction: int
    frames: np.ndarray = field(repr=False)
    guide_error: np.ndarray = field(repr=False)
    confidence: np.ndarray = field(repr=False)
    folder: Path

    def __len__(self) -> int:
        return len(self.frames)

    def offset(self, index: int) -> int:
        """The entry that belongs to frame `index` of the film."""
        steps = (index - self.start) * self.direction
        if not 0 <= steps < len(self.frames):
            raise IndexError(f"Run: frame must lie in the run of keyframe {self.start}, got {index}; ask another run")
        return steps

    def frame(self, index: int) -> np.ndarray:
        """The stylised frame `index` of the film, uint8 (H, W, 3)."""
        return self.frames[self.offset(index)]

    def error(self, index: int) -> np.ndarray:
        """The guide error of frame `index` of the film, float16 (H, W)."""
        return self.guide_error[self.offset(index)]

    def trust(self, index: int) -> float:
        """The confidence of frame `index` of the film, 0..1."""
        return float(self.confidence[self.offset(index)])


def open_run(folder: Path, chain: Chain, size: Size, matched_size: Size) -> Run | None:
    """The run that lies complete in a folder, every frame of it verified, or None.

    One that is damaged, lacks a part or is another run under this name is named in a warning and cleared away.

    Parameters
    ----------
    folder
        The run's own, named after all that it depends on.
    chain
        Which run it must be.
    size, matched_size
        Those of its frames, and of its guide errors.
    """
    if not os.path.lexists(folder):
        return None
    if not os.path.isdir(folder) or os.path.islink(folder):
        put_aside(folder, "it is not a folder")
        return None
    parts = part_shapes(chain, size, matched_size)
    complete = read_facts(folder / MANIFEST, folder.name) == manifest_of(chain)
    arrays: dict[str, np.ndarray] = {}
    for name, (shape, dtype) in parts.items() if complete else ():
        array = open_array(folder / f"{name}.npy", shape, dtype, f"{folder.name} {name}")
        if array is None:
            break
        arrays[name] = array
    if len(arrays) < len(parts):
        arrays.clear()
        log.warning("%s lacks a part or is damaged; this run is made anew", folder)
        clear_folder(folder)
        return None
    touch(folder)
    return Run(
        start=chain.start,
        direction=chain.direction,
        frames=arrays["frames"],
        guide_error=arrays["guide_error"],
        confidence=np.array(arrays["confidence"][0]),
        folder=folder,
    )


def run_bytes(chain: Chain, size: Size, matched_size: Size) -> int:
    """What a run takes on the disk."""
    return sum(array_bytes(shape, dtype) for shape, dtype in part_shapes(chain, size, matched_size).values())


def part_shapes(chain: Chain, size: Size, matched_size: Size) -> dict[str, tuple[tuple[int, ...], type]]:
    return {
        "frames": ((chain.length, size.height, size.width, 3), np.uint8),
        "guide_error": ((chain.length, matched_size.height, matched_size.width), np.float16),
        "confidence": ((1, chain.length), np.float32),
    }


def manifest_of(chain: Chain) -> dict[str, int]:
    return {"start": chain.start, "direction": chain.direction, "frames": chain.length}
