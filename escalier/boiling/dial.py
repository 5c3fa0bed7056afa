"""The indetermination dial: one number from the propagated film, which holds still, to one redrawn on every frame."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

import numpy as np

from escalier.arguments import checked
from escalier.composite import Layering, blend_layers
from escalier.film import Film, FilmBase, Masks, MaskSource, Motion, as_uint8
from escalier.propagation import Fade
from escalier.refusals import Refusal

from .curve import Curve
from .redraws import carry_redraw

LONGEST = 12
ROUNDING = 1e-9
"""So that ten tenths make a whole redraw."""


@checked
class Dial(FilmBase):
    """A film between still and redrawn. Itself a film: each frame is made when it is asked for.

    The amount says what share of the frames is redrawn. At amount a, a redrawn frame is seen whole every n = 1 / a
    frames. Each redraw is held, carried along by the motion (`carry_redraw`), and faded into the next by one of the
    staircase's own fades. A fade changes as much in all as a cut from one redraw to the next does, spread over n
    frames; so the change from frame to frame, and with it the lag-1 warp error, rises with the amount.

    - 0: the still film, bit for bit.
    - under 1 / longest: a redraw every `longest` frames, mixed with the still film at opacity a x longest.
    - from there up: a redraw every 1 / a frames, on average, where that is no whole number.
    - 1: the redrawn film, bit for bit.

    An amount that changes over time is summed up: a redraw is due whenever the sum of all amounts so far, each at least
    1 / longest, passes a whole number. A mask has no part in this timing; it limits where the redraws are seen.

    Parameters
    ----------
    still
        The propagated film.
    redrawn
        The same shot, redrawn on every frame, for instance by img2img.
    amount
        0..1, or a `Curve` of it over time.
    motion
        How the shot moves, from the filmed clip.
    masks
        Where the film may be redrawn: one mask for each frame, or one for all. Where a mask is 0, the still film is
        seen, bit for bit. Between 0 and 1 the two are mixed: a feather outwards makes an aura around the subject.
    fade
        How one redraw passes into the next. Its length is from redraw to redraw by default; a shorter fade holds each
        redraw first, and 0 jumps from one to the next. Only full-length fades change evenly from frame to frame.
    longest
        Frames from one redraw to the next at most. More lets a small amount drift slowly in place of flashing faintly,
        and costs memory.

    Raises
    ------
    ValueError
        When the films, the motion or the masks do not belong together, or a number is out of its range.

    Notes
    -----
    Kept in memory: one step from redraw to redraw, ten bytes a pixel for each of its frames, 250 MB for 12 at 1080p.
    The figure rises with the amount where the redraws differ in their strokes, as they do when every frame is painted
    anew. A second film that is itself as steady as the first has no more flicker at 1 than at 0.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> still = ArrayFrames(np.full((9, 40, 48, 3), 100, np.uint8))
    >>> redrawn = ArrayFrames(np.random.default_rng(0).integers(0, 256, (9, 40, 48, 3), np.uint8))
    >>> dial = Dial(still, redrawn, 0.25, motion=Motion(still, tempfile.mkdtemp()))
    >>> dial.redraws
    (0, 4, 8)
    >>> bool((dial.frame(4) == redrawn.frame(4)).all())
    True
    """

    def __init__(
        self,
        still: Film,
        redrawn: Film,
        amount: float | Curve,
        *,
        motion: Motion,
        masks: MaskSource | None = None,
        fade: Fade | None = None,
        longest: int = LONGEST,
    ) -> None:
        _check_films(still, redrawn, motion)
        self.masks = None if masks is None else Masks.fitting(masks, still)
        if longest < 1:
            raise Refusal("longest", "be at least 1 frame", longest, f"{LONGEST} is half a second")
        super().__init__(still.size, still.rate, len(still))
        self.still = still
        self.redrawn = redrawn
        self.amount = amount if isinstance(amount, Curve) else Curve(((0, float(amount)),))
        self.motion = motion
        self.fade = fade or Fade()
        self.longest = longest
        self.redraws = redraw_frames(self.amount, len(still), longest)
        self._step: tuple[int, Callable[[int], np.ndarray]] | None = None
        self._lock = threading.Lock()

    def _frame(self, index: int) -> np.ndarray:
        """In the type of the still film's frames."""
        still = self.still.frame(index)
        opacity = self.opacity(index)
        if opacity == 0:
            return still
        boiling = self._boiling(index)
        if self.masks is None and opacity == 1:
            return _in_type_of(still, boiling)
        everywhere = np.ones((self.size.height, self.size.width), bool)
        mask = everywhere if self.masks is None else self.masks.at(index)
        return blend_layers(still, boiling, mask, Layering(opacity=opacity))

    def opacity(self, index: int) -> float:
        """How much of the redraws is seen at frame `index`, 0..1, inside the mask."""
        return min(1.0, self.amount.at(index) * self.longest)

    def describe(self) -> str:
        """How many frames are redrawn, in words."""
        shown = [index for index in self.redraws if self.opacity(index) > 0]
        if not shown:
            return f"amount 0: none of the {len(self)} frames is redrawn"
        listed = ", ".join(map(str, shown[:8])) + (" ..." if len(shown) > 8 else "")
        return f"{len(shown)} of {len(self)} frames are redrawn, one in {len(self) / len(shown):.1f}: {listed}"

    def _boiling(self, index: int) -> np.ndarray:
        """Frame `index` of the redraws and their fades, without the still film."""
        place = int(np.searchsorted(self.redraws, index, side="right")) - 1
        if index == self.redraws[place]:
            return self.redrawn.frame(index)
        with self._lock:
            if self._step is None or self._step[0] != place:
                self._step = None  # freed before the next one is made
                self._step = (place, self._made_step(place))
            step = self._step[1]
        return step(index)

    def _made_step(self, place: int) -> Callable[[int], np.ndarray]:
        """The frames from one redraw to the next; after the last redraw there is no later one."""
        before, last = self.redraws[place], place + 1 == len(self.redraws)
        after = len(self) if last else self.redraws[place + 1]
        earlier = carry_redraw(self.still, self.redrawn, self.motion, before, after)
        if last:
            return earlier.frame
        later = carry_redraw(self.still, self.redrawn, self.motion, after, before)
        weights = self.fade.plan(earlier, later)
        return lambda index: self.fade.mix(earlier.frame(index), later.frame(index), weights(index))


def redraw_frames(amount: Curve, length: int, longest: int = LONGEST) -> tuple[int, ...]:
    """The frames at which a redraw is due, the first one always; see `Dial`.

    >>> redraw_frames(Curve(((0, 0.5),)), 7), redraw_frames(Curve(((0, 0.4),)), 11)
    ((0, 2, 4, 6), (0, 3, 5, 8, 10))
    >>> redraw_frames(Curve(((0, 0.0), (8, 1.0))), 12, longest=4)
    (0, 4, 5, 7, 8, 9, 10, 11)
    """
    due = [0]
    total = 0.0
    for index in range(1, length):
        before, total = total, total + max(amount.at(index), 1 / longest)
        if math.floor(total + ROUNDING) > math.floor(before + ROUNDING):
            due.append(index)
    return tuple(due)


def _in_type_of(still: np.ndarray, picture: np.ndarray) -> np.ndarray:
    if picture.dtype == still.dtype:
        return picture
    return as_uint8(picture) if still.dtype == np.uint8 else picture.astype(np.float32) / np.float32(255)


def _check_films(still: Film, redrawn: Film, motion: Motion) -> None:
    for name, other, what in (("redrawn film", redrawn, "film"), ("motion", motion, "motion")):
        if len(other) != len(still) or other.size != still.size:
            rule = f"have {len(still)} frames of {still.size} like the still film"
            raise Refusal(name, rule, f"{len(other)} frames of {other.size}", f"make the {what} from the same clip")
