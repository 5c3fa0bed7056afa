"""Every keyframe carried through the film both ways, up to its neighbours or to the ends of its shot."""

from __future__ import annotations

import hashlib
import json
import queue
import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np

from escalier.film.cuts import shots
from escalier.film.fingerprint import array_digest
from escalier.film.frames import FrameSource, MaskSource, Size, as_uint8
from escalier.film.motion import Motion
from escalier.keyframes import Keyframes
from escalier.pyebsynth.counts import check_seed, thread_count

from .guides import GuideFilm, Guides, NamedGuide, check_guides
from .run import Chain, Matching, Run, make_run, open_run
from .shots import check_shots, kept_cuts
from .sources import Source, Sources
from .unpacked import unpack_film, unpack_masks
from .work import Progress, Work

FORMAT = 3
"""Raised when a change of code makes old runs wrong; part of their fingerprint."""

LARGE_PIXELS = 1_200_000
"""A run needs about 200 bytes for each pixel that it matches. Of larger frames no more runs are made at a time"""
MOST_PIXELS = 4_200_000
"""than match this many pixels together,"""
THREADS_OF_LARGE = 4
"""or than one for this many cores."""
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Runs:
    """All runs of a film: for each keyframe one forward and one backward, where there is anywhere to go.

    Attributes
    ----------
    keyframes
        The painted pictures and their places.
    size, rate
        Those of the film.
    forward, backward
        The runs by the index of their keyframe. A keyframe whose neighbour is the next frame has a run of length 1,
        itself; so has one on the last frame of a shot.
    cuts
        The first frame of every shot but the first. No run crosses one.
    first, whole
        For the draft of a part of a film: the number of its first frame in that film, and the number of frames there.

    The frames are memory maps: a `Runs` of any length costs next to no memory.
    """

    keyframes: Keyframes
    size: Size
    rate: Fraction
    forward: dict[int, Run] = field(repr=False)
    backward: dict[int, Run] = field(repr=False)
    cuts: tuple[int, ...] = ()
    first: int = 0
    whole: int | None = None

    def __len__(self) -> int:
        """Number of frames in the film."""
        return self.keyframes.length

    def at(self, index: int) -> list[Run]:
        """The runs that show frame `index`: none at a keyframe, one beyond the outer keyframes of a shot, else two.

        The run that comes from before the frame is the first.
        """
        keys = self.keyframes.indices
        if index in keys:
            return []
        before = max((k for k in keys if k < index), default=None)
        after = min((k for k in keys if k > index), default=None)
        runs = [] if before is None else [self.forward[before]]
        runs += [] if after is None else [self.backward[after]]
        return [run for run in runs if abs(index - run.start) < len(run)]

    def confidence(self) -> np.ndarray:
        """How far each frame can be trusted, float32 (N,) 0..1: that of the better run, 1 at the keyframes."""
        best = [max((run.trust(index) for run in self.at(index)), default=1.0) for index in range(len(self))]
        return np.array(best, np.float32)


def propagate(
    film: FrameSource,
    keyframes: Keyframes,
    *,
    folder: str | Path,
    motion: Motion | None = None,
    masks: MaskSource | None = None,
    guides: Guides | None = None,
    matching: Matching | None = None,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Runs:
    """Carry every keyframe through the film, forwards and backwards, to its neighbours or to the ends of its shot.

    The runs do not depend on each other. Each is one chain of syntheses in which a frame starts from the matches of the
    frame before it, carried along by the optical flow.

    Runs are kept in `folder`. A run that lies there complete, made from the same film, keyframe, guides and settings,
    is not made again: after a crash or a cancel the same call goes on where it stopped, and when one keyframe is
    painted anew only its runs are made. Delete the folder to free the space.

    Parameters
    ----------
    film
        The source film.
    keyframes
        The painted pictures, as large as the film.
    folder
        Scratch. Room needed for each frame: its pixels x 3 bytes for each run (two between keyframes), x 2 bytes more
        for the run's guide error, x 3 bytes once if the film is not in memory, and 4 MB of optical flow.
    motion
        How the film moves; computed here, into `folder`, where it is not given.
    masks
        The subject's masks, one for each frame or one for all. See `Guides.mask`.
    guides, matching
        The guides' weights and the engine's parameters.
    cuts
        The first frame of every shot but the first; found here, by `find_cuts`, where they are not given. No keyframe
        is carried across a cut, so every shot needs one of its own. () carries them through the whole film.
    seed
        Another seed gives other brush strokes of the same quality. The same seed gives the same bits.
    threads
        Cores to use, all by default. Runs are made side by side; left-over cores help inside each. The result does not
        depend on it. Memory grows with it: about 200 bytes for each pixel of a frame and run made at a time.
    progress
        Called in this thread as `progress(done, total, picture)`, in seconds of work on one core as far as they can be
        foretold: after each frame read, pair of frames whose flow is known, and frame stylised, then with its picture.
        The total changes once, when the cuts are known. What it raises stops all threads at once and leaves nothing
        half-written.

    Returns
    -------
    Runs

    Raises
    ------
    ValueError
        If keyframes, masks or guides do not fit the film, a picture holds NaN, or a shot has no keyframe.
    OSError
        If the folder has not enough room.

    References
    ----------
    Jamriska, Sochorova, Texler, Lukac, Fiser, Lu, Shechtman, Sykora: "Stylizing Video by Example", SIGGRAPH 2019.

    >>> import tempfile
    >>> from escalier.film.frames import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 3))
    >>> painted = Keyframes([0], [255 - film.frame(0)], length=3)
    >>> runs = propagate(film, painted, folder=tempfile.mkdtemp(), threads=1)
    >>> len(runs.forward[0]), bool((runs.forward[0].frame(0) == painted.pictures[0]).all())
    (3, True)
    """
    guides, matching = guides or Guides(), matching or Matching()
    check_seed(seed, "propagate")
    cores = thread_count(threads, "propagate")
    folder = Path(folder)
    _check_arguments(film, keyframes, motion, guides)
    folder.mkdir(parents=True, exist_ok=True)
    shown_masks = None if masks is None else unpack_masks(masks, film, folder, "propagate")
    motion = motion or Motion(film, folder)
    work = Work(
        progress,
        len(film),
        _paintings(chains_of(keyframes)),
        film.size,
        motion.working_size,
        matching.size_for(film.size),
    )
    cuts = kept_cuts(film, motion, folder, work.searched) if cuts is None else tuple(int(cut) for cut in cuts)
    check_shots(keyframes, cuts)
    chains = chains_of(keyframes, cuts)
    common = _fingerprint(motion, shown_masks, guides, matching, seed)
    places = {chain: folder / f"run_{chain.name}_{_run_fingerprint(common, chain, keyframes)}" for chain in chains}
    missing = [chain for chain in chains if open_run(places[chain]) is None]
    if missing:
        _check_room(folder, film, missing)
        work.plan(_paintings(missing))
        shown = unpack_film(film, folder, "propagate", each_frame=work.read)
        named = tuple(
            NamedGuide(g.name, unpack_film(g.film, folder, "propagate"), g.weight, g.keyframes) for g in guides.named
        )
        motion.prepare(cores, work.matched)
        work.matched(len(film) - 1)
        guide_film = GuideFilm(_with_named(guides, named), shown, shown_masks)
        _make_runs(missing, places, keyframes, guide_film, motion, matching, seed, cores, work)
    return _open_runs(film, keyframes, chains, places, cuts)


def chains_of(keyframes: Keyframes, cuts: Sequence[int] = ()) -> list[Chain]:
    """Every run that a set of keyframes calls for: two for each, up to its neighbours or to the ends of its shot.

    >>> painted = Keyframes([2, 5], [np.zeros((8, 8, 3), np.uint8)] * 2, length=10)
    >>> [(chain.start, chain.stop) for chain in chains_of(painted)]
    [(2, 5), (2, -1), (5, 10), (5, 2)]
    >>> [(chain.start, chain.stop) for chain in chains_of(painted, cuts=[4])]
    [(2, 4), (2, -1), (5, 10), (5, 3)]
    """
    stops = [-1, *keyframes.indices, keyframes.length]
    chains = []
    for order, index in enumerate(keyframes.indices):
        shot = next(shot for shot in shots(keyframes.length, cuts) if index in shot)
        forwards, backwards = min(stops[order + 2], shot.stop), max(stops[order], shot.start - 1)
        chains += [Chain(index, forwards, order), Chain(index, backwards, order)]
    return chains


def _paintings(chains: list[Chain]) -> int:
    """Frames that the runs have to paint; the first of each is the keyframe."""
    return sum(chain.length - 1 for chain in chains)


class _Stopped(Exception):
    """Raised inside worker threads to end them; never leaves this module."""


def _make_runs(
    chains: list[Chain],
    places: dict[Chain, Path],
    keyframes: Keyframes,
    guide_film: GuideFilm,
    motion: Motion,
    matching: Matching,
    seed: int,
    cores: int,
    work: Work,
) -> None:
    """Make runs side by side, the longest first, but a keyframe's two together, which share its source.

    This thread only waits and tells the progress.
    """
    size = matching.size_for(motion.size)
    pixels = size.width * size.height
    most = cores if pixels <= LARGE_PIXELS else max(1, MOST_PIXELS // pixels, cores // THREADS_OF_LARGE)
    workers = min(cores, most, len(chains))
    stop = threading.Event()
    finished: queue.SimpleQueue[np.ndarray] = queue.SimpleQueue()

    def go_on(*_: int) -> None:
        if stop.is_set():
            raise _Stopped

    def made(picture: np.ndarray) -> None:
        go_on()
        finished.put(picture)

    sources = Sources(lambda chain: Source(keyframes.pictures[chain.order], chain, guide_film, matching, cores))
    crew = _Crew(cores)

    def make(chain: Chain) -> None:
        go_on()
        with crew, sources.of(chain) as source:
            make_run(
                chain,
                source,
                guide_film,
                motion,
                places[chain],
                matching=matching,
                seed=seed,
                threads=crew.threads,
                each_frame=made,
                each_step=go_on,
            )

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="escalier-run") as pool:
        futures = [pool.submit(make, chain) for chain in _in_order(chains)]
        try:
            _wait(futures, finished, work)
        finally:
            stop.set()
            for future in futures:
                future.cancel()


class _Crew:
    """Shares the cores out to the runs that are being made just now: the last ones get more of them."""

    def __init__(self, cores: int) -> None:
        self._cores = cores
        self._lock = threading.Lock()
        self._runs = 0

    def __enter__(self) -> None:
        with self._lock:
            self._runs += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._runs -= 1

    def threads(self) -> int:
        """For each run."""
        return max(1, self._cores // max(1, self._runs))


def _in_order(chains: list[Chain]) -> list[Chain]:
    together: Counter[int] = Counter()
    for chain in chains:
        together[chain.start] += chain.length
    return sorted(chains, key=lambda chain: (-together[chain.start], chain.start, -chain.length))


def _wait(futures: list[Future[None]], finished: queue.SimpleQueue[np.ndarray], work: Work) -> None:
    """Tell the progress until every run is done; raise the first error of any."""
    while True:
        ended = all(future.done() for future in futures)
        for future in futures:
            if future.done():
                future.result()
        try:
            picture = finished.get(timeout=0 if ended else POLL_SECONDS)
        except queue.Empty:
            if ended:
                return
            work.wait()
        else:
            work.painted(picture)


def _open_runs(
    film: FrameSource, keyframes: Keyframes, chains: list[Chain], places: dict[Chain, Path], cuts: tuple[int, ...]
) -> Runs:
    forward: dict[int, Run] = {}
    backward: dict[int, Run] = {}
    for chain in chains:
        run = open_run(places[chain])
        if run is None:
            raise FileNotFoundError(f"propagate: run {places[chain]} must stay in place, but it is gone; run again")
        (forward if chain.direction > 0 else backward)[chain.start] = run
    return Runs(keyframes, film.size, film.rate, forward, backward, cuts)


def _with_named(guides: Guides, named: tuple[NamedGuide, ...]) -> Guides:
    own = {name: weight for name, weight in guides.weights().items() if name not in {g.name for g in named}}
    return Guides(**own, named=named)


def _check_arguments(film: FrameSource, keyframes: Keyframes, motion: Motion | None, guides: Guides) -> None:
    if keyframes.length != len(film):
        raise ValueError(
            f"propagate: keyframes must belong to a film of {len(film)} frames like this one, got keyframes of a film "
            f"of {keyframes.length}; choose them from the same clip, with the same trim"
        )
    if keyframes.size != film.size:
        raise ValueError(
            f"propagate: keyframes must be {film.size} like the film, got {keyframes.size}; "
            f"{_remedy(keyframes.size, film.size)}"
        )
    for index, picture in keyframes:
        if not np.isfinite(picture).all():
            raise ValueError(
                f"propagate: keyframe at frame {index} must hold finite numbers, got NaN or infinity; "
                "check the node that painted it"
            )
    if motion is not None and (len(motion) != len(film) or motion.size != film.size):
        raise ValueError(
            f"propagate: motion must be that of a film of {len(film)} frames of {film.size}, got one of {len(motion)} "
            f"frames of {motion.size}; compute it from this film"
        )
    check_guides(guides, film, len(keyframes), "propagate")


def _remedy(painted: Size, filmed: Size) -> str:
    if abs(painted.width * filmed.height - filmed.width * painted.height) <= max(filmed):
        return "scale them to the film's size"
    return "they have another shape: crop or pad them to the film's, then scale them to its size"


def _check_room(folder: Path, film: FrameSource, chains: list[Chain]) -> None:
    """Refuse a job that would fill the disk, before an hour is spent on it."""
    pixels = film.size.width * film.size.height
    needed = sum(chain.length for chain in chains) * pixels * 5
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            f"propagate: folder {folder} must have {needed / 1e9:.1f} GB free, got {free / 1e9:.1f} GB; "
            "free some space there or choose another folder"
        )


def _fingerprint(motion: Motion, masks: np.ndarray | None, guides: Guides, matching: Matching, seed: int) -> bytes:
    """What all runs of a film depend on."""
    facts = {
        "format": FORMAT,
        "film": motion.fingerprint,
        "flow": motion.preset,
        "guides": guides.fingerprint(),
        "matching": asdict(matching),
        "seed": seed,
        "masks": None if masks is None else array_digest(masks).hex(),
    }
    return json.dumps(facts, sort_keys=True).encode()


def _run_fingerprint(common: bytes, chain: Chain, keyframes: Keyframes) -> str:
    picture = array_digest(as_uint8(keyframes.pictures[chain.order]))
    return hashlib.blake2b(common + picture + f"{chain.start} {chain.stop}".encode(), digest_size=8).hexdigest()
