"""The staircase: neighbouring runs faded one into the next, step after step, as one film."""

import threading
from collections import OrderedDict

import numpy as np

from escalier.arguments import checked
from escalier.film import FilmBase, as_uint8

from .fades import Fade, Weights
from .runs import Runs

PLANS_KEPT = 2


@checked
class Staircase(FilmBase):
    """Runs faded into one film. Itself a film: each frame is mixed when it is asked for, and none is kept.

    At a keyframe's index the keyframe itself is seen, bit for bit; before the first and after the last keyframe the
    single run that reaches there. Any number of threads may ask. Memory: about 2 MB for the plans of two gaps, and what
    mixing one frame takes.

    Parameters
    ----------
    runs
        What `propagate` made.
    fade
        How they pass into one another. Where both show, its `keep_contrast` and `seam_removal` do what the functions
        `keep_contrast` and `remove_seams` in `seams` say.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> from escalier.keyframes import Keyframes
    >>> from escalier.propagation import propagate
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 5))
    >>> painted = Keyframes([0, 4], [255 - film.frame(0), 255 - film.frame(4)], length=5)
    >>> staircase = Staircase(propagate(film, painted, folder=tempfile.mkdtemp(), threads=1))
    >>> len(staircase), bool((staircase.frame(4) == painted.pictures[1]).all())
    (5, True)
    """

    def __init__(self, runs: Runs, fade: Fade | None = None) -> None:
        super().__init__(runs.size, runs.rate, len(runs))
        self.runs = runs
        self.fade = fade or Fade()
        self._plans: OrderedDict[int, Weights] = OrderedDict()
        self._lock = threading.Lock()
        self._pictures = dict(runs.keyframes)

    def _frame(self, index: int) -> np.ndarray:
        if index in self._pictures:
            return as_uint8(self._pictures[index])
        runs = self.runs.at(index)
        if len(runs) == 1:
            return runs[0].frame(index)
        return self.fade.mix(runs[0].frame(index), runs[1].frame(index), self.weight(index))

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

    def _plan(self, before: int) -> Weights:
        with self._lock:
            plan = self._plans.get(before)
            if plan is None:
                after = min(key for key in self.runs.keyframes.indices if key > before)
                plan = self.fade.plan(self.runs.forward[before], self.runs.backward[after])
                self._plans[before] = plan
            self._plans.move_to_end(before)
            while len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
            return plan
