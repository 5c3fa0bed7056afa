"""How a film moves: dense optical flow between its frames, made once, checked and kept on disk."""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

import cv2
import numpy as np

from escalier.counts import processors
from escalier.progress import Progress
from escalier.refusals import Refusal
from escalier.scratch import array_bytes, open_array, open_scratch, own_folder, touch, write_array

from .blank_areas import settle_blank_areas
from .film import Film
from .fingerprint import film_fingerprint
from .footage import Footage
from .pictures import Size, as_uint8
from .scaled import scale_film

PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
FLOW_FORMAT = 3
"""Raised when a change of code makes kept flow wrong."""
WORKING_PIXELS = 960 * 540
DIS_SMALLEST_SIDE = 64
GREY_FRAMES_KEPT = 32
"""More than the longest lag that is measured and one for each thread, so that no frame is decoded twice."""


class Motion:
    """Optical flow of a film, forwards and backwards between neighbouring frames, or any two that are asked for.

    The flow is DIS (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) as OpenCV computes it,
    less what it invents on blank areas, see `settle_blank_areas`.
    Each pair of frames is matched once, when it is first asked for or by `prepare`, and kept as one float16 .npy file;
    a second process that opens the same film with the same folder finds it there. Any number of threads may ask.

    Frames larger than 960x540 in area are matched at a reduced size of that area, and the flow is scaled up when it is
    read. Memory: 32 grey frames at that size, 16 MB. Disk: 4 MB for each pair of frames of 960x540 or more.

    Parameters
    ----------
    film
        The source film, never the stylised one. `Footage` is read, see there, before its pairs are matched.
    folder
        Where the flow is kept. Films share it without harm: each has a sub-folder named after its fingerprint. What is
        found there is verified when it is read, and made anew where it is damaged.
    preset
        "ultrafast", "fast" or "medium". Measured at 960x540, one flow: 4, 8 and 35 to 47 ms; error on a moving
        background with known motion .39, .31 and .16 px. "medium" is a tenth of the cost of synthesising a frame.
    fingerprint
        The film's, see `film_fingerprint`, where it is known; taken here otherwise.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> noise = np.random.default_rng(0).integers(0, 256, (64, 80, 3), np.uint8)
    >>> scene = cv2.GaussianBlur(noise, (0, 0), 3)
    >>> film = ArrayFrames(np.stack([np.roll(scene, 2 * i, axis=1) for i in range(3)]))
    >>> motion = Motion(film, tempfile.mkdtemp())
    >>> float(np.median(motion.flow(0, 1)[..., 0]).round(1))
    2.0
    """

    def __init__(
        self, film: Film, folder: str | Path, *, preset: str = "medium", fingerprint: str | None = None
    ) -> None:
        if preset not in PRESETS:
            raise Refusal("preset", f"be one of {', '.join(PRESETS)}", preset, "choose one of them", who="Motion")
        self.size = film.size
        self.length = len(film)
        self.preset = self._dis_preset = preset
        self.working_size = working_size(film.size)
        self.fingerprint = fingerprint or film_fingerprint(film)
        self.folder = Path(folder) / self._folder_name()
        open_scratch(folder)
        touch(own_folder(self.folder))
        self._film = film
        self._film_lock = threading.Lock()
        self._grey: OrderedDict[int, np.ndarray] = OrderedDict()
        self._pair_locks: dict[tuple[int, int], threading.Lock] = {}
        # A DIS object keeps its buffers between calls, so each thread has its own.
        self._per_thread = threading.local()

    def __len__(self) -> int:
        """Number of frames in the film."""
        return self.length

    def flow(self, i: int, j: int, size: Size | None = None) -> np.ndarray:
        """Where each pixel of frame i lies in frame j: float32 (H, W, 2), (dx, dy) in pixels.

        Pixel (x, y) of frame i is seen at (x + dx, y + dy) in frame j: `warp(frame_j, flow(i, j))` looks like frame i.
        For frames scaled to another `size`, such as `working_size`, the flow is scaled with them. Frames further apart
        are matched with each other, not by the steps between them: see `accumulated` for those. What moved too far to
        be matched is not `valid`.
        """
        there, _ = self._working_flows(i, j)
        return scale_flow(there, size or self.size)

    def visible(self, i: int, j: int, size: Size | None = None) -> np.ndarray:
        """Whether each pixel of frame i is also seen in frame j: bool (H, W), see `visibility`."""
        there, back = self._working_flows(i, j)
        return _scale_mask(visibility(there, back), size or self.size)

    def valid(self, i: int, j: int, size: Size | None = None) -> np.ndarray:
        """Pixels on which a warp may be judged: visible, and not on a boundary between motions; bool (H, W)."""
        there, back = self._working_flows(i, j)
        return _scale_mask(visibility(there, back) & ~motion_boundary(there), size or self.size)

    def match(self, picture: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Flow from one picture to another, made as this film's own and at `working_size`: float32 (H, W, 2).

        For two frames of this film it is `flow` to the bit, so that another film's motion can be held against it.
        Nothing is kept.
        """
        return self._both_ways(self._as_grey(picture), self._as_grey(other))[0].astype(np.float32)

    def accumulated(self, i: int, j: int) -> np.ndarray:
        """Where each pixel of frame i lies in frame j, any other frame, by following the steps between them."""
        total = np.zeros((self.size.height, self.size.width, 2), np.float32)
        towards = 1 if j > i else -1
        for step in range(i, j, towards):
            total = chain(total, self.flow(step, step + towards))
        return total

    def missing_bytes(self) -> int:
        """What the flow between neighbours will take on the disk, without what is kept already."""
        return sum(pair_bytes(self.size) for i in range(self.length - 1) if not self._is_kept(i, i + 1))

    def prepare(
        self,
        threads: int | None = None,
        progress: Progress | None = None,
        *,
        lags: Sequence[int] = (1,),
        frames: range | None = None,
    ) -> None:
        """Match every pair of frames that is not on disk yet.

        Parameters
        ----------
        threads
            Pairs matched at a time; all cores by default. The flow is the same for any number.
        progress
            Called in this thread as `progress(done, total)` after each pair. What it raises stops the work; pairs
            that are already on disk stay and are used by the next call.
        lags
            How far apart the frames of a pair lie: 1, neighbours, by default. All in one pass over the film.
        frames
            Only pairs of these frames; then they alone are read, and the film is not laid on the disk.
        """
        # In the order of the later frame, which is the order of reading.
        wanted = range(self.length) if frames is None else frames
        pairs = [(j - lag, j) for j in wanted for lag in lags if j - lag in wanted]
        missing = [pair for pair in pairs if not self._is_kept(*pair)]
        total = len(pairs)
        if missing and frames is None and isinstance(self._film, Footage):
            self._film.read(progress and (lambda *_: progress(total - len(missing), total)))
        with ThreadPoolExecutor(max_workers=threads or processors()) as pool:
            futures: list[Future[np.ndarray]] = [pool.submit(self._pair, *pair) for pair in missing]
            try:
                for done, future in enumerate(as_completed(futures), start=total - len(missing) + 1):
                    future.result()
                    if progress is not None:
                        progress(done, total)
            finally:
                for future in futures:
                    future.cancel()

    def _file(self, first: int, last: int) -> Path:
        lag = "" if last == first + 1 else f"_to_{last:06d}"
        return self.folder / f"flow_{first:06d}{lag}.npy"

    def _folder_name(self) -> str:
        return f"motion_{self.fingerprint[:16]}_{self.preset}_{FLOW_FORMAT}"

    def _is_kept(self, first: int, last: int) -> bool:
        """Whether a pair's file has the right length, which costs nothing to know. Reading it verifies it."""
        try:
            return self._file(first, last).lstat().st_size == pair_bytes(self.size)
        except OSError:
            return False

    def _pair(self, first: int, last: int) -> np.ndarray:
        """Flow of two frames there and back, float16 (2, h, w, 2), verified; matched now if it is not kept."""
        path, what = self._file(first, last), f"flow {FLOW_FORMAT} {self.fingerprint} {self.preset} {first} {last}"
        with self._pair_locks.setdefault((first, last), threading.Lock()):
            pair = open_array(path, _pair_shape(self.size), np.float16, what)
            if pair is None:
                pair = self._matched(first, last)
                write_array(path, pair, what)
        return pair

    def _matched(self, first: int, last: int) -> np.ndarray:
        """Match two frames in both directions, float16 (2, h, w, 2)."""
        return self._both_ways(self._grey_frame(first), self._grey_frame(last))

    def _both_ways(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Flow of two grey pictures there and back, float16 (2, H, W, 2) as it is kept."""
        settled = settle_blank_areas(self._dis(one, other), self._dis(other, one), one, other)
        return np.stack(settled).astype(np.float16)

    def _dis(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Flow from one grey picture to another as DIS finds it, float32 (H, W, 2)."""
        dis = getattr(self._per_thread, "dis", None)
        if dis is None:
            dis = self._per_thread.dis = cv2.DISOpticalFlow.create(PRESETS[self._dis_preset])
        return dis_flow(dis, one, other)

    def _working_flows(self, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
        """Flow from i to j and from j to i at the working size, float32."""
        first, last = min(i, j), max(i, j)
        if first == last or first < 0 or last >= self.length:
            rule = f"be two different ones in 0..{self.length - 1}"
            raise Refusal("frames", rule, f"{i} and {j}", "the film is counted from 0", who="Motion")
        forward, backward = (np.asarray(flow, np.float32) for flow in self._pair(first, last))
        return (forward, backward) if i < j else (backward, forward)

    def _grey_frame(self, index: int) -> np.ndarray:
        """Frame `index` in grey at the working size. One thread reads at a time: a video decoder has one position."""
        with self._film_lock:
            grey = self._grey.get(index)
            if grey is None:
                grey = self._grey[index] = self._as_grey(self._film.frame(index))
                while len(self._grey) > GREY_FRAMES_KEPT:
                    self._grey.popitem(last=False)
            return grey

    def _as_grey(self, picture: np.ndarray) -> np.ndarray:
        # Reduced before it turns grey, so that a picture which somebody has reduced already gives the same bits.
        return cv2.cvtColor(scale_film(as_uint8(picture), self.working_size), cv2.COLOR_RGB2GRAY)


def dis_flow(dis: cv2.DISOpticalFlow, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Flow from one grey picture, uint8 (H, W), to another of its size by DIS: float32 (H, W, 2), (dx, dy) in px.

    >>> dis_flow(cv2.DISOpticalFlow.create(), *np.zeros((2, 8, 20), np.uint8)).shape
    (8, 20, 2)
    """
    height, width = one.shape
    below, right = max(0, DIS_SMALLEST_SIDE - height), max(0, DIS_SMALLEST_SIDE - width)
    if below or right:
        # OpenCV's DIS runs past its pyramid and crashes the process on pictures less than 32 px high (opencv#14554).
        one, other = (cv2.copyMakeBorder(p, 0, below, 0, right, cv2.BORDER_REPLICATE) for p in (one, other))
    # None, and not an empty field: DIS would start from what it is given.
    flow: np.ndarray = dis.calc(one, other, None)  # type: ignore[call-overload]
    return flow[:height, :width]


def working_size(size: Size) -> Size:
    """The size at which flow is computed: the film's own up to the area of 960x540, else its shape at that area.

    >>> str(working_size(Size(1920, 1080))), str(working_size(Size(540, 960)))
    ('960x540', '540x960')
    """
    scale = min(1.0, math.sqrt(WORKING_PIXELS / (size.width * size.height)))
    return Size(*(max(1, round(side * scale)) for side in size))


def pair_bytes(size: Size) -> int:
    """What the flow between two frames takes on the disk, there and back, for a film of this size.

    >>> pair_bytes(Size(1920, 1080)) == pair_bytes(Size(960, 540)) > 8 * 960 * 540
    True
    """
    return array_bytes(_pair_shape(size), np.float16)


def _pair_shape(size: Size) -> tuple[int, ...]:
    width, height = working_size(size)
    return (2, height, width, 2)


def warp(picture: np.ndarray, flow: np.ndarray, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Sample a picture where a flow points: the result at pixel p is the picture at p + flow(p).

    Parameters
    ----------
    picture
        (H, W) or (H, W, C), uint8, uint16 or float32. Beyond its edge the nearest pixel of the edge is used.
    flow
        float32 (H, W, 2), (dx, dy) in pixels.
    interpolation
        OpenCV's; linear by default.

    >>> ramp = np.tile(np.arange(5, dtype=np.float32), (3, 1))
    >>> warp(ramp, np.full((3, 5, 2), (1.5, 0), np.float32))[0].tolist()
    [1.5, 2.5, 3.5, 4.0, 4.0]
    """
    x, y = sampling_positions(flow)
    return cv2.remap(picture, x, y, interpolation, borderMode=cv2.BORDER_REPLICATE)


def sampling_positions(flow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """p + flow(p) as two float32 maps (H, W), columns first.

    >>> x, y = sampling_positions(np.full((2, 3, 2), 0.5, np.float32))
    >>> x[0].tolist(), y[:, 0].tolist()
    ([0.5, 1.5, 2.5], [0.5, 1.5])
    """
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return x, y


def chain(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The flow from a to c, from the flow a to b and the flow b to c; float32 (H, W, 2).

    >>> step = np.full((4, 4, 2), (1, 0), np.float32)
    >>> chain(step, step)[0, 0].tolist()
    [2.0, 0.0]
    """
    return first + warp(second, first)


def visibility(flow: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Pixels that a flow and the flow back agree on, which an uncovered or covered pixel does not; bool (H, W).

    |f(p) + b(p + f)|^2 <= 0.01 (|f(p)|^2 + |b(p + f)|^2) + 0.5, and p + f inside the frame: equation 5 of Sundaram,
    Brox and Keutzer, "Dense Point Trajectories by GPU-Accelerated Large Displacement Optical Flow" (ECCV 2010), with
    their constants, as used by Ruder (2016) and by Lai's warping error (2018).

    Parameters
    ----------
    flow, back
        float32 (H, W, 2) in pixels: frame a to b, and b to a.

    >>> there = np.full((4, 6, 2), (1, 0), np.float32)
    >>> visibility(there, -there)[0].tolist()
    [True, True, True, True, True, False]
    """
    returned = warp(back, flow)
    gap = _squared_length(flow + returned)
    length = _squared_length(flow) + _squared_length(returned)
    x, y = sampling_positions(flow)
    height, width = flow.shape[:2]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return (gap <= 0.01 * length + 0.5) & inside


def motion_boundary(flow: np.ndarray) -> np.ndarray:
    """Pixels where the flow changes too fast to be trusted, |grad f|^2 > 0.01 |f|^2 + 0.002; bool (H, W).

    Equation 6 of Sundaram, Brox and Keutzer (2010), forward differences.

    >>> flow = np.zeros((4, 6, 2), np.float32)
    >>> flow[:, 3:] = 5
    >>> motion_boundary(flow)[0].tolist()
    [False, False, True, False, False, False]
    """
    gradient = np.zeros(flow.shape[:2], np.float32)
    gradient[:, :-1] += _squared_length(np.diff(flow, axis=1))
    gradient[:-1] += _squared_length(np.diff(flow, axis=0))
    return gradient > 0.01 * _squared_length(flow) + 0.002


def scale_flow(flow: np.ndarray, size: Size) -> np.ndarray:
    old = Size.of(flow)
    if old == size:
        return flow
    ratio = np.array([size.width / old.width, size.height / old.height], np.float32)
    return cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR) * ratio


def _scale_mask(mask: np.ndarray, size: Size) -> np.ndarray:
    if Size.of(mask) == size:
        return mask
    return cv2.resize(mask.view(np.uint8), size, interpolation=cv2.INTER_NEAREST).view(bool)


def _squared_length(flow: np.ndarray) -> np.ndarray:
    return np.square(flow[..., 0]) + np.square(flow[..., 1])
