"""One run: a keyframe carried through the film in one direction, each frame starting from the one before."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from escalier.film import Size
from escalier.log import log
from escalier.refusals import IndexRefusal
from escalier.scratch import array_bytes, clear_folder, open_array, put_aside, read_facts, touch

from .chains import Chain

MANIFEST = "run.json"


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
            raise IndexRefusal("frame", f"lie in the run of keyframe {self.start}", index, "ask another run", who="Run")
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

    One that is damaged, lacks a part or is another run than `chain` is named in a warning and cleared away. The sizes
    are those of its frames and of its guide errors.
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
    """What a run takes on the disk, in bytes: its frames at `size`, its guide errors at `matched_size`.

    >>> run_bytes(Chain(0, 24, 0), Size(1920, 1080), Size(1920, 1080)) // 24 // (1920 * 1080)  # a frame, a pixel
    5
    """
    return sum(array_bytes(shape, dtype) for shape, dtype in part_shapes(chain, size, matched_size).values())


def part_shapes(chain: Chain, size: Size, matched_size: Size) -> dict[str, tuple[tuple[int, ...], type]]:
    return {
        "frames": ((chain.length, size.height, size.width, 3), np.uint8),
        "guide_error": ((chain.length, matched_size.height, matched_size.width), np.float16),
        "confidence": ((1, chain.length), np.float32),
    }


def manifest_of(chain: Chain) -> dict[str, int]:
    return {"start": chain.start, "direction": chain.direction, "frames": chain.length}
