"""The staircase: neighbouring runs faded one into the next, step after step, as one film."""

from __future__ import annotations

import threading
from collections import OrderedDict
from fractions import Fraction

import numpy as np

from escalier.arguments import checked
from escalier.film import Size, as_uint8

from .fades import FADES, Gap, Weights, check_fade, window
from .runs import Runs
from .seams import keep_contrast, remove_seams

PLANS_KEPT = 2


@checked
class Staircase:
    """Runs faded into one film. Itself a film: each frame is mixed when it is asked for, and none is kept.

    At a keyframe's index the keyframe itself is seen, bit for bit; before the first and after the last keyframe the
    single run that reaches there. Any number of threads may ask. Memory: about 2 MB for the plans of two gaps, and what
    mixing one frame takes.

    Parameters
    ----------
    runs
        What `propagate` made.
    mode
        One of `FADES`: "staggered" (each pixel switches at its own time, evenly), "linear", "smoothstep" or "by_error"
        (each pixel switches once, where its errors are least).
    fade_frames
        Length of each fade, in the middle of its gap. None, the default, is as long as each gap allows; a gap shorter
        than `fade_frames` is faded over all of it. Shorter fades show less of a double image and more of a jump.
    ramp_frames
        How long one pixel takes to switch in staggered and by_error mode. More softens the moving seam and blurs what
        it crosses.
    seed
        Another seed places the staggered fade's slow noise elsewhere.
    keep_contrast
        Where both runs show, strengthen the mix to the contrast that they have: see `keep_contrast` in `seams`.
    seam_removal
        0..1, 1 left out: take edges between the two runs out of the picture, see `remove_seams` in `seams`. 0 is off.

    >>> import tempfile
    >>> from escalier.film.frames import ArrayFrames
    >>> from escalier.keyframes import Keyframes
    >>> from escalier.propagation import propagate
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 5))
    >>> painted = Keyframes([0, 4], [255 - film.frame(0), 255 - film.frame(4)], length=5)
    >>> staircase = Staircase(propagate(film, painted, folder=tempfile.mkdtemp(), threads=1))
    >>> len(staircase), bool((staircase.frame(4) == painted.pictures[1]).all())
    (5, True)
    """

    def __init__(
        self,
        runs: Runs,
        *,
        mode: str = "staggered",
        fade_frames: int | None = None,
        ramp_frames: float = 3.0,
        seed: int = 0,
        keep_contrast: bool = False,
        seam_removal: float = 0.0,
    ) -> None:
        check_fade("Staircase", mode, fade_frames, ramp_frames, seam_removal)
        self.keep_contrast = keep_contrast
        self.seam_removal = seam_removal
        self.runs = runs
        self.mode = mode
        self.fade_frames = fade_frames
        self.ramp_frames = ramp_frames
        self.seed = seed
        self._plans: OrderedDict[int, Weights] = OrderedDict()
        self._lock = threading.Lock()
        self._pictures = dict(runs.keyframes)

    @property
    def size(self) -> Size:
        return self.runs.size

    @property
    def rate(self) -> Fraction:
        return self.runs.rate

    def __len__(self) -> int:
        return len(self.runs)

    def frame(self, index: int) -> np.ndarray:
        """Frame `index`, uint8 (H, W, 3)."""
        if not 0 <= index < len(self):
            raise IndexError(f"Staircase: index must lie in 0..{len(self) - 1}, got {index}; count from 0")
        if index in self._pictures:
            return as_uint8(self._pictures[index])
        runs = self.runs.at(index)
        if len(runs) == 1:
            return runs[0].frame(index)
        return mix(
            runs[0].frame(index),
            runs[1].frame(index),
            self.weight(index),
            contrast=self.keep_contrast,
            seam_removal=self.seam_removal,
        )

    def weight(self, index: int) -> np.ndarray | np.float32:
        """Weight of the later of the two runs at frame `index`, float32 (H, W) or one number; the earlier has the rest.

        0 at the keyframe before a gap and 1 at the one after it.
        """
        keys = self.runs.keyframes.indices
        if index in keys:
            return np.float32(1.0)
        runs = self.runs.at(index)
        if len(runs) == 1:
            return np.float32(runs[0].direction < 0)
        return self._plan(runs[0].start)(index)

    def gap(self, before: int) -> Gap:
        """The gap after the keyframe at frame `before`."""
        after = min(key for key in self.runs.keyframes.indices if key > before)
        start, stop = window(before, after, self.fade_frames)
        return Gap(self.runs.forward[before], self.runs.backward[after], start, stop, self.ramp_frames, self.seed)

    def _plan(self, before: int) -> Weights:
        with self._lock:
            plan = self._plans.get(before)
            if plan is None:
                plan = self._plans[before] = FADES[self.mode](self.gap(before))
            self._plans.move_to_end(before)
            while len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
            return plan


def mix(
    earlier: np.ndarray,
    later: np.ndarray,
    weight: np.ndarray | np.float32,
    *,
    contrast: bool = False,
    seam_removal: float = 0.0,
) -> np.ndarray:
    """The two sides of a fade in one picture: (1 - weight) earlier + weight later, uint8 (H, W, 3).

    Fractions of a level are spread by a fixed dither. Rounded instead, a large area in which the two sides differ by
    one level would turn as a whole in the frame where the weight passes one half.

    >>> black, white = np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)
    >>> float(mix(black, white, np.float32(0.3)).mean().round(1)), int(mix(black, white, np.float32(1)).min())
    (76.5, 255)
    """
    weight = np.asarray(weight, np.float32)[..., None]
    mixed = earlier + weight * (later.astype(np.float32) - earlier)
    if contrast or seam_removal > 0:
        sides = earlier.astype(np.float32), later.astype(np.float32)
        if contrast:
            mixed = keep_contrast(mixed, *sides, weight)
        if seam_removal > 0:
            everywhere = np.broadcast_to(weight[..., 0], mixed.shape[:2])
            mixed = remove_seams(mixed, *sides, everywhere, seam_removal)
    return np.floor(mixed + dither(*earlier.shape[:2])[..., None]).astype(np.uint8)


def dither(height: int, width: int) -> np.ndarray:
    """An even pattern of thresholds without a visible grid: float32 (H, W), 0 <= d < 1.

    Interleaved gradient noise: Jimenez, "Next Generation Post Processing in Call of Duty: Advanced Warfare" (2014).
    """
    x = np.arange(width, dtype=np.float64)
    y = np.arange(height, dtype=np.float64)[:, None]
    pattern = np.mod(52.9829189 * np.mod(0.06711056 * x + 0.00583715 * y, 1.0), 1.0)
    return np.minimum(pattern, 1 - 2.0**-12).astype(np.float32)
