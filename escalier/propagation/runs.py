"""Every keyframe carried through the film both ways, up to its neighbours or to the ends of its shot."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from escalier.arguments import checked
from escalier.counts import check_seed, thread_count
from escalier.film import (
    Film,
    Footage,
    MaskFootage,
    Masks,
    MaskSource,
    Motion,
    Size,
    array_digest,
    as_uint8,
    find_cuts,
    known_cuts,
    working_size,
)
from escalier.keyframes import Keyframes, fits_film, same_shape
from escalier.progress import Progress
from escalier.refusals import Refusal
from escalier.scratch import check_room, in_use, open_scratch, read_back

from .chains import Chain, chains_of, check_shots
from .film_matching import FilmMatching
from .guides import GuideFilm, Guides, check_guides
from .make_run import Crew, make_run
from .run import Run, open_run, run_bytes
from .side_by_side import runs_at_a_time, side_by_side
from .sources import Source, Sources
from .unfinished import CHECKPOINT_SECONDS, checkpoint_bytes, unfinished_place
from .work import Work

FORMAT = 6
"""Raised when a change of code makes old runs wrong; part of their fingerprint."""


@dataclass(frozen=True)
class Runs:
    """All runs of a film: for each keyframe one forward and one backward, where there is anywhere to go.

    Attributes
    ----------
    keyframes
        The painted pictures and their places.
    size, rate
        The size of the keyframes, which may be larger than the film's, and the rate of the film.
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


@checked
def propagate(
    film: Film,
    keyframes: Keyframes,
    *,
    folder: str | Path,
    motion: Motion | None = None,
    masks: MaskSource | None = None,
    guides: Guides | None = None,
    matching: FilmMatching | None = None,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    threads: int | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    progress: Progress | None = None,
) -> Runs:
    """Carry every keyframe through the film, forwards and backwards, to its neighbours or to the ends of its shot.

    The runs do not depend on each other. Each is one chain of syntheses in which a frame starts from the matches of the
    frame before it, carried along by the optical flow.

    Runs are kept in `folder`. A run that lies there complete, made from the same film, keyframe, guides and settings,
    is not made again, and one that was stopped goes on from the frames that it has: after a crash or a cancel the same
    call gives the same bits as if nothing had happened. When one keyframe is painted anew only its runs are
    made. Delete the folder to free the space.

    Parameters
    ----------
    film
        The source film. It is read once, see `Footage`, as the films of named guides are.
    keyframes
        The painted pictures, as large as the film; or larger by one factor, and then the runs have their size: frames
        are matched at the film's and painted from the large keyframes.
    folder
        Scratch. Room needed for each frame: its pixels x 3 bytes for each run (two between keyframes), x 2 bytes more
        for the run's guide error, x 3 bytes once if the film is not in memory, and 4 MB of optical flow. While a run is
        made its checkpoints take 62 bytes for each pixel that it matches, 120 with masks.
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
    checkpoint_seconds
        What a run loses at most when the process is killed, on a disk that is not slow. After a stop that is told here,
        as by what `progress` raises, only the frame at work is made again. Less keeps more, up to 2 % of a run's time.
    progress
        Called in this thread as `progress(done, total, picture)`, in seconds of work on one core as far as they can be
        foretold: after each frame read, pair of frames whose flow is known, and frame stylised, then with its picture.
        The total changes once, when the cuts are known. What it raises stops all threads at once and leaves nothing
        half-written.

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
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 3))
    >>> painted = Keyframes([0], [255 - film.frame(0)], length=3)
    >>> runs = propagate(film, painted, folder=tempfile.mkdtemp(), threads=1)
    >>> len(runs.forward[0]), bool((runs.forward[0].frame(0) == painted.pictures[0]).all())
    (3, True)
    """
    guides, matching = guides or Guides(), matching or FilmMatching()
    if checkpoint_seconds < 0:
        raise Refusal("checkpoint_seconds", "be >= 0", checkpoint_seconds, "10 loses ten seconds at most")
    check_seed(seed)
    cores = thread_count(threads)
    _check_arguments(film, keyframes, motion, guides)
    fitting = None if masks is None else Masks.fitting(masks, film)
    folder = open_scratch(folder)
    with in_use(folder):
        job = _Job(film, keyframes, folder, motion, fitting, guides, matching, seed, progress)
        cuts = job.cuts(cuts, cores)
        places = job.places(cuts)
        runs = job.kept_runs(places)
        missing = [chain for chain in places if chain not in runs]
        if missing:
            job.work.plan(_paintings(missing))
            runs |= _made(missing, places, job, cores, checkpoint_seconds)
    forward = {chain.start: runs[chain] for chain in places if chain.direction > 0}
    backward = {chain.start: runs[chain] for chain in places if chain.direction < 0}
    return Runs(keyframes, keyframes.size, film.rate, forward, backward, cuts)


class _Job:
    """One call of `propagate`: what its runs are made from, and where in the folder it all lies."""

    def __init__(
        self,
        film: Film,
        keyframes: Keyframes,
        folder: Path,
        motion: Motion | None,
        masks: Masks | None,
        guides: Guides,
        matching: FilmMatching,
        seed: int,
        progress: Progress | None,
    ) -> None:
        self.keyframes, self.folder, self.matching, self.seed = keyframes, folder, matching, seed
        self.matched_size = matching.size_for(film.size)
        paintings = _paintings(chains_of(keyframes))
        sizes = film.size, working_size(film.size), self.matched_size, keyframes.size
        self.work = Work(progress, len(film), paintings, *sizes)
        self._film = Footage.of(film, folder)
        self._guide_films = [Footage.of(guide.film, folder) for guide in guides.named]
        named = zip(guides.named, self._guide_films, strict=True)
        self._guides = replace(guides, named=tuple(replace(guide, film=film) for guide, film in named))
        self._masks = None if masks is None else MaskFootage(masks, film.size, folder)
        # What no file and no memory tells apart is named by reading it.
        self._read(footage for footage in (self._film, *self._guide_films) if not footage.is_named)
        self.motion = motion or Motion(self._film, folder)

    def cuts(self, given: Sequence[int] | None, cores: int) -> tuple[int, ...]:
        """The cuts as they are given, kept or found; before they are looked for, whether there is room for all."""
        known = known_cuts(self._film, self.motion) if given is None else tuple(int(c) for c in given)
        if known is not None:
            check_shots(self.keyframes, known)
        self._check_room(self.places(known or ()), cores)
        if known is None:
            self._read([self._film])
            known = find_cuts(self._film, self.motion, progress=self.work.searched)
            check_shots(self.keyframes, known)
        return known

    def places(self, cuts: Sequence[int]) -> dict[Chain, Path]:
        """Every run with its folder, which is named after all that the run depends on."""
        common, places = self._fingerprint(), {}
        for chain in chains_of(self.keyframes, cuts):
            picture = array_digest(as_uint8(self.keyframes.pictures[chain.order]))
            own = common + picture + f"{chain.start} {chain.stop}".encode()
            places[chain] = self.folder / f"run_{chain.name}_{hashlib.blake2b(own, digest_size=8).hexdigest()}"
        return places

    def _fingerprint(self) -> bytes:
        """What all runs of a film depend on."""
        facts = {
            "format": FORMAT,
            "film": self._film.fingerprint,
            "flow": [self.motion.fingerprint, self.motion.preset],
            "guides": self._guides.fingerprint(),
            "matching": asdict(self.matching),
            "seed": self.seed,
            "masks": None if self._masks is None else self._masks.fingerprint,
        }
        return json.dumps(facts, sort_keys=True).encode()

    def opened(self, place: Path, chain: Chain) -> Run | None:
        """A run, if it lies there whole."""
        return open_run(place, chain, self.keyframes.size, self.matched_size)

    def kept_runs(self, places: dict[Chain, Path]) -> dict[Chain, Run]:
        """All runs that lie there whole."""
        runs = {}
        for chain, place in places.items():
            run = self.opened(place, chain)
            if run is not None:
                runs[chain] = run
                self.work.wait()
        return runs

    def guide_film(self, cores: int) -> GuideFilm:
        """All that the runs ask of the film: read, its flow measured."""
        masks = None if self._masks is None else self._masks.read(self.work.wait)
        self._read([self._film, *self._guide_films])
        self.motion.prepare(cores, self.work.matched)
        self.work.matched(len(self._film) - 1)
        return GuideFilm(self._guides, self._film, masks)

    def _read(self, footages: Iterable[Footage]) -> None:
        for footage in footages:
            footage.read(self.work.read if footage is self._film else lambda *_: self.work.wait())

    def _check_room(self, places: dict[Chain, Path], cores: int) -> None:
        """Refuse a propagation whose missing files would fill the disk. What lies there already is not counted."""
        missing = {chain: place for chain, place in places.items() if not os.path.isdir(place)}
        if not missing:
            return
        # A film that is its own guide lies there once.
        films = {footage.fingerprint: footage.missing_bytes() for footage in (self._film, *self._guide_films)}
        needed = sum(films.values()) + self.motion.missing_bytes()
        needed += 0 if self._masks is None else self._masks.kept.missing_bytes()
        needed += sum(run_bytes(chain, self.keyframes.size, self.matched_size) for chain in missing)
        at_once = min(runs_at_a_time(self.matched_size, cores), len(places))
        needed += at_once * checkpoint_bytes(self.matched_size, self._masks is not None)
        begun = (file for place in missing.values() for file in unfinished_place(place).glob("*.npy"))
        needed -= sum(file.lstat().st_size for file in begun)
        check_room(self.folder, needed, f"the film, its flow and {len(missing)} runs")


def _made(chains: list[Chain], places: dict[Chain, Path], job: _Job, cores: int, every: float) -> dict[Chain, Run]:
    """The runs that are missing; those that another job has made by the time it is their turn are taken from it."""
    guide_film = job.guide_film(cores)
    sources = Sources(lambda chain: Source(job.keyframes.pictures[chain.order], chain, guide_film, job.matching, cores))

    def take_or_make(chain: Chain, crew: Crew) -> Run:
        place = places[chain]
        run = job.opened(place, chain)
        if run is None:
            with sources.of(chain) as source:
                make_run(chain, source, job.motion, place, crew, seed=job.seed, checkpoint_seconds=every)
            return read_back(job.opened(place, chain), place)
        for picture in run.frames[1:]:
            crew.each_frame(picture)
        return run

    places = {chain: places[chain] for chain in chains}
    return side_by_side(places, take_or_make, runs_at_a_time(job.matched_size, cores), cores, job.work)


def _paintings(chains: list[Chain]) -> int:
    """Frames that the runs have to paint; the first of each is the keyframe."""
    return sum(chain.length - 1 for chain in chains)


def _check_arguments(film: Film, keyframes: Keyframes, motion: Motion | None, guides: Guides) -> None:
    if keyframes.length != len(film):
        got, remedy = f"keyframes of a film of {keyframes.length}", "choose them from the same clip, with the same trim"
        raise Refusal("keyframes", f"belong to a film of {len(film)} frames like this one", got, remedy)
    if not fits_film(keyframes.size, film.size):
        rule = f"be {film.size} like the film, or larger by one factor"
        raise Refusal("keyframes", rule, keyframes.size, _remedy(keyframes.size, film.size))
    for index, picture in keyframes:
        if not np.isfinite(picture).all():
            raise Refusal(
                f"keyframe at frame {index}", "hold finite numbers", "NaN or infinity", "check the node that painted it"
            )
    if motion is not None and (len(motion) != len(film) or motion.size != film.size):
        rule = f"be that of a film of {len(film)} frames of {film.size}"
        raise Refusal("motion", rule, f"one of {len(motion)} frames of {motion.size}", "compute it from this film")
    check_guides(guides, film, len(keyframes))


def _remedy(painted: Size, filmed: Size) -> str:
    if same_shape(painted, filmed):
        return "scale them to the film's size"
    return "they have another shape: crop or pad them to the film's, then scale them to its size"
