"""The coherence meter: how steady a restyled film is, frame by frame, held against its source."""

import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Footage, Masks, MaskSource, Motion, Size, frame_numbers
from escalier.keyframes import Keyframes, check_indices, fits_film
from escalier.progress import Progress
from escalier.propagation import Runs, Staircase
from escalier.refusals import Refusal

from .colour_steps import mean_step
from .compared_frames import at_size, carried_change, enough, lab, lengths, mean_over, region_at
from .double_exposure import doubled_patches
from .fade_middle import middle_of_fade
from .figures import Measured, PaintedSharpness, RawRegion, summarise
from .ghosting import high_pass_contrast, kept_within, side_contrast
from .measurement import INSIDE, OUTSIDE, WHOLE, Measurement
from .seam import confirmed, followed_pixels
from .sharpness import measure_sharpness
from .warp_error import find_long_lag, squared_error

CURVES = (
    "warp_error",
    "warp_error_long",
    "source_warp_error",
    "source_warp_error_long",
    "visible_change",
    "source_visible_change",
    "motion_error",
    "ghosting_kept",
    "double_exposure",
    "sharpness",
    "source_sharpness",
)


@checked
def measure_film(
    source: Film,
    restyled: Film,
    *,
    motion: Motion | None = None,
    keyframes: Keyframes | Sequence[int] | None = None,
    masks: MaskSource | None = None,
    runs: Runs | None = None,
    lag: int | None = None,
    first: int | None = None,
    progress: Progress | None = None,
) -> Measurement:
    """Every figure of the coherence meter, for the whole picture and for the two sides of a mask.

    Frames larger than 960x540 in area are measured scaled down to that area. The flow is that of the source, made once
    for each pair of frames and kept by `motion`; only `motion_error` looks at the restyled film's own. A pair of frames
    of which less than 5 % can be followed (`followed_pixels`), such as the two sides of a cut, is left out. Memory:
    twice `lag` frames at the measured size.

    Parameters
    ----------
    source, restyled
        The filmed clip and the film made from it, of one length and shape; the restyled film may be larger. A
        `Staircase` brings its keyframes and runs along.
    motion
        How the source moves. Made here and forgotten where it is not given.
    keyframes
        The painted keyframes, by which sharpness is judged; or only their indices, and then by the restyled film's own
        frames there; or nothing, and then by the source.
    masks
        White where the subject is, one for each frame or one for all. Its two sides are measured apart.
    runs
        The runs that the restyled film was faded from, for the two figures that judge a fade. How far each fade has
        gone is then read off the pictures; a `Staircase` knows it.
    lag
        The long lag in frames, see `long_lag`.
    first
        The number that people give to the source's first frame, for report, table and plot, see `frame_numbers`.
    progress
        Called as `progress(done, total, picture)`. What it raises passes through.

    Returns
    -------
    Measurement
        The figures are those of `warp_error` (mean in time, at lag 1 and at the long lag), `flicker` (warp error over
        the source's own), `colour_step` and `colour_drift` (maximum), `pop`, `motion_error`, `ghosting_kept` and
        `double_exposure` (mean over the middle of all fades) and `sharpness` (mean).

    Raises
    ------
    ValueError
        Where films, masks, keyframes, runs or motion do not belong together.

    >>> from escalier.film import ArrayFrames
    >>> picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    >>> film = ArrayFrames(np.repeat(picture[None], 4, axis=0))
    >>> found = measure_film(film, film)
    >>> found.figures["motion_error"], found.figures["ghosting_kept"]
    (0.0, None)
    """
    staircase = restyled if isinstance(restyled, Staircase) else None
    runs = staircase.runs if staircase is not None and runs is None else runs
    keyframes = runs.keyframes if keyframes is None and runs is not None else keyframes
    _check(source, restyled, motion, keyframes, masks, runs)
    indices = _indices(keyframes)
    lag = _checked_lag(lag, len(source), indices)
    with tempfile.TemporaryDirectory(prefix="escalier-") as scratch:
        if motion is None:
            source = Footage.of(source, scratch)
            motion = Motion(source, scratch)
        meter = _Meter(source, restyled, motion, masks, staircase, runs, lag)
        meter.measure(progress)
        painted = None
        if isinstance(keyframes, Keyframes):
            painted = PaintedSharpness.of(keyframes, motion.working_size, meter.regions_at)
    of = Measured(
        length=len(source),
        size=motion.working_size,
        lag=lag,
        keyframes=indices,
        painted=painted,
        runs_known=runs is not None,
        first=frame_numbers(source, first)[0],
    )
    return summarise(meter.raw, of)


@dataclass(frozen=True)
class _Look:
    """A frame of both films at the measured size, and the regions in it."""

    index: int
    source: np.ndarray
    restyled: np.ndarray
    regions: dict[str, np.ndarray]


class _Meter:
    """One pass over both films, which fills the curves. Every map is made once and read in each region."""

    def __init__(
        self,
        source: Film,
        restyled: Film,
        motion: Motion,
        masks: MaskSource | None,
        staircase: Staircase | None,
        runs: Runs | None,
        lag: int | None,
    ) -> None:
        self._source, self._restyled, self._motion = source, restyled, motion
        self._masks = None if masks is None else Masks.of(masks)
        self._staircase, self._runs, self._lag = staircase, runs, lag
        self._size = motion.working_size
        names = (WHOLE,) if masks is None else (WHOLE, INSIDE, OUTSIDE)
        length = len(source)
        self.raw = {name: RawRegion({curve: np.full(length, np.nan) for curve in CURVES}) for name in names}
        self._labs: tuple[np.ndarray, np.ndarray] | None = None

    def measure(self, progress: Progress | None) -> None:
        length = len(self._source)
        lags = [lag for lag in (1, self._lag) if lag is not None and lag < length]
        pairs = sum(length - lag for lag in lags)
        total = pairs + length
        self._motion.prepare(lags=lags, progress=progress and (lambda done, _: progress(done, total)))
        past: deque[_Look] = deque(maxlen=max(lags, default=1))
        for index in range(length):
            look = self._look(index)
            self._frame(look)
            if past:
                self._neighbours(past[-1], look)
            if self._lag is not None and len(past) == self._lag:
                self._far_apart(past[0], look)
            past.append(look)
            if progress is not None:
                progress(pairs + index + 1, total, look.restyled)

    def regions_at(self, index: int) -> dict[str, np.ndarray]:
        """The regions of a frame, bool (H, W) at the measured size."""
        everywhere = np.ones((self._size.height, self._size.width), bool)
        if self._masks is None:
            return {WHOLE: everywhere}
        inside = region_at(self._masks.at(index), self._size)
        return {WHOLE: everywhere, INSIDE: inside, OUTSIDE: ~inside}

    def _look(self, index: int) -> _Look:
        source, restyled = (at_size(film.frame(index), self._size) for film in (self._source, self._restyled))
        return _Look(index, source, restyled, self.regions_at(index))

    def _frame(self, look: _Look) -> None:
        for name, region in look.regions.items():
            if region.any():
                self.raw[name].curves["sharpness"][look.index] = measure_sharpness(look.restyled, region)
                self.raw[name].curves["source_sharpness"][look.index] = measure_sharpness(look.source, region)
        self._fade(look)

    def _fade(self, look: _Look) -> None:
        faded = self._staircase or self._runs
        middle = None if faded is None else middle_of_fade(faded, look.index, look.restyled, self._size)
        if middle is None:
            return
        contrast, expected = high_pass_contrast(look.restyled), side_contrast(*middle)
        centres, doubled = doubled_patches(look.restyled, middle.earlier, middle.later)
        for name, region in look.regions.items():
            if region.any():
                self.raw[name].curves["ghosting_kept"][look.index] = kept_within(contrast, expected, region)
            within = doubled[region[centres[:, 0], centres[:, 1]]]
            if within.size:
                self.raw[name].curves["double_exposure"][look.index] = within.mean()

    def _neighbours(self, before: _Look, after: _Look) -> None:
        (source_before, restyled_before), labs = self._labs or self._labs_of(before), self._labs_of(after)
        self._labs = labs
        motion, i, j = self._motion, before.index, after.index
        flow, valid = motion.flow(i, j, self._size), motion.valid(i, j, self._size)
        source_change = carried_change(source_before, labs[0], flow)
        change = carried_change(restyled_before, labs[1], flow)
        followed = confirmed(source_change, valid)
        visible = {"visible_change": lengths(change), "source_visible_change": lengths(source_change)}
        apart = lengths(motion.match(before.restyled, after.restyled) - flow)
        valid_maps = {"motion_error": apart} | self._warp_maps(before, after, flow)
        for name, region in before.regions.items():
            # By what is followed and not by what is valid: flow across a cut agrees with the flow back here and there.
            judged = enough(followed & region, region)
            self.raw[name].steps.append(mean_step(change, valid & region) if judged else None)
            self.raw[name].source_steps.append(mean_step(source_change, valid & region) if judged else None)
            if judged:
                self._store(name, i, valid_maps, valid & region)
                self._store(name, i, visible, followed & region)

    @staticmethod
    def _labs_of(look: _Look) -> tuple[np.ndarray, np.ndarray]:
        return lab(look.source), lab(look.restyled)

    def _far_apart(self, before: _Look, after: _Look) -> None:
        i, j = before.index, after.index
        flow, valid = self._motion.flow(i, j, self._size), self._motion.valid(i, j, self._size)
        followed = followed_pixels(before.source, after.source, flow, valid)
        maps = {f"{name}_long": values for name, values in self._warp_maps(before, after, flow).items()}
        for name, region in before.regions.items():
            if enough(followed & region, region):
                self._store(name, i, maps, valid & region)

    def _warp_maps(self, before: _Look, after: _Look, flow: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "warp_error": squared_error(before.restyled, after.restyled, flow),
            "source_warp_error": squared_error(before.source, after.source, flow),
        }

    def _store(self, region: str, index: int, maps: dict[str, np.ndarray], counted: np.ndarray) -> None:
        for name, values in maps.items():
            mean = mean_over(values, counted)
            if mean is not None:
                self.raw[region].curves[name][index] = mean


def _indices(keyframes: Keyframes | Sequence[int] | None) -> tuple[int, ...]:
    if keyframes is None:
        return ()
    return keyframes.indices if isinstance(keyframes, Keyframes) else tuple(int(index) for index in keyframes)


def _checked_lag(lag: int | None, length: int, keyframes: Sequence[int]) -> int | None:
    if lag is None:
        return find_long_lag(length, keyframes)
    if not 2 <= lag < length:
        raise Refusal(
            "lag", f"lie in 2..{length - 1}", lag, f"the film has {length} frames, and lag 1 is always measured"
        )
    return lag


def _check(
    source: Film,
    restyled: Film,
    motion: Motion | None,
    keyframes: Keyframes | Sequence[int] | None,
    masks: MaskSource | None,
    runs: Runs | None,
) -> None:
    _check_alike("restyled", len(restyled), restyled.size, source)
    if motion is not None:
        _check_alike("motion", len(motion), motion.size, source)
    if runs is not None:
        _check_alike("runs", len(runs), runs.size, source)
    if keyframes is not None:
        check_indices(_indices(keyframes), len(source))
    if isinstance(keyframes, Keyframes):
        _check_alike("keyframes", keyframes.length, keyframes.size, source)
    if masks is not None:
        Masks.fitting(masks, source)


def _check_alike(name: str, length: int, size: Size, source: Film) -> None:
    if length != len(source):
        remedy = (
            "use the clip that the film was made from, with the same trim (a copy with another frame rate drops or "
            "repeats frames)"
        )
        raise Refusal(name, f"have the source's {len(source)} frames", length, remedy)
    if not fits_film(size, source.size):
        raise Refusal(
            name, f"have the source's size {source.size}, or be larger by one factor", size, "scale one of them first"
        )
