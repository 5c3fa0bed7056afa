"""Every keyframe carried through the film both ways, up to its neighbours or to the ends of its shot."""

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
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
from escalier.refusals import MissingFile, Refusal
from escalier.scratch import check_room, in_use, open_scratch, read_back

from .chains import Chain, chains_of, check_shots
from .film_matching import FilmMatching
from .guides import GuideFilm, Guides, check_guides
from .make_run import Crew, make_run
from .run import Run, open_run, run_bytes
from .runs import Runs
from .side_by_side import runs_at_a_time, side_by_side
from .sources import Source, Sources
from .unfinished import CHECKPOINT_SECONDS, checkpoint_bytes, unfinished_place
from .work import Work

FORMAT = 6
"""Raised when a change of code makes old runs wrong; part of their fingerprint."""


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
    if checkpoint_seconds < 0:
        raise Refusal("checkpoint_seconds", "be >= 0", checkpoint_seconds, "10 loses ten seconds at most")
    job = Propagation(
        film,
        keyframes,
        folder=folder,
        motion=motion,
        masks=masks,
        guides=guides,
        matching=matching,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    with in_use(job.folder):
        job.find_runs(cuts)
        job.make(checkpoint_seconds=checkpoint_seconds)
        return job.runs()


class Propagation:
    """A propagation taken apart: which runs it calls for, and each of them made by itself, by any process in any order.

    Processes on several machines may share the folder: each run is made by one of them, whole or not at all, and its
    bits do not depend on who makes it. `propagate` is all of it in one call; see there for what is given and refused.

    >>> import tempfile
    >>> from escalier.film import ArrayFrames
    >>> film = ArrayFrames(np.stack([np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8)] * 5))
    >>> painted = Keyframes([1], [255 - film.frame(1)], length=5)
    >>> job = Propagation(film, painted, folder=tempfile.mkdtemp(), threads=1)
    >>> job.find_runs(cuts=())
    >>> forward, backward = job.places
    >>> made = job.make([backward])
    >>> len(made[backward]), [chain.name for chain in job.places if chain not in job.kept()]
    (2, ['000001_forward'])
    """

    def __init__(
        self,
        film: Film,
        keyframes: Keyframes,
        *,
        folder: str | Path,
        motion: Motion | None = None,
        masks: MaskSource | None = None,
        guides: Guides | None = None,
        matching: FilmMatching | None = None,
        seed: int = 0,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        guides = guides or Guides()
        self.keyframes, self.matching, self.seed = keyframes, matching or FilmMatching(), seed
        check_seed(seed)
        self.cores = thread_count(threads)
        _check_arguments(film, keyframes, motion, guides)
        fitting = None if masks is None else Masks.fitting(masks, film)
        self.folder = folder = open_scratch(folder)
        self.matched_size = self.matching.size_for(film.size)
        self.cuts: tuple[int, ...] = ()
        """The first frame of every shot but the first, once `find_runs` has been called."""
        self.places: dict[Chain, Path] = {}
        """Every run with its folder, which is named after all that the run depends on."""
        sizes = film.size, working_size(film.size), self.matched_size, keyframes.size
        self._work = Work(progress, len(film), _paintings(chains_of(keyframes)), *sizes)
        self._film = Footage.of(film, folder)
        self._guide_films = [Footage.of(guide.film, folder) for guide in guides.named]
        named = zip(guides.named, self._guide_films, strict=True)
        self._guides = replace(guides, named=tuple(replace(guide, film=film) for guide, film in named))
        self._masks = None if fitting is None else MaskFootage(fitting, film.size, folder)
        # What no file and no memory tells apart is named by reading it.
        self._read(footage for footage in (self._film, *self._guide_films) if not footage.is_named)
        self.motion = motion or Motion(self._film, folder)

    def find_runs(self, cuts: Sequence[int] | None = None) -> None:
        """Look for the film's cuts, where they are neither given nor kept, and count the runs: see `places`.

        Raises
        ------
        ValueError
            If a shot has no keyframe.
        OSError
            If the folder has not enough room for all that is missing.
        """
        known = known_cuts(self._film, self.motion) if cuts is None else tuple(int(cut) for cut in cuts)
        if known is not None:
            check_shots(self.keyframes, known)
        self.places = self._placed(known or ())
        self._check_room()
        if known is None:
            self._read([self._film])
            known = find_cuts(self._film, self.motion, progress=self._work.searched)
            check_shots(self.keyframes, known)
            self.places = self._placed(known)
        self.cuts = known

    def kept(self, chains: Iterable[Chain] | None = None) -> dict[Chain, Run]:
        """Those of some runs, or of all, that lie in the folder whole, every frame of them verified."""
        runs = {}
        for chain in self.places if chains is None else chains:
            run = self._opened(self.places[chain], chain)
            if run is not None:
                runs[chain] = run
                self._work.wait()
        return runs

    def make(
        self, chains: Iterable[Chain] | None = None, *, checkpoint_seconds: float = CHECKPOINT_SECONDS
    ) -> dict[Chain, Run]:
        """Make some of the runs, or all that are missing. One that another process has made meanwhile is taken from it.

        For some alone, only their own frames of the film are read and matched; for all, the film is read once into the
        folder.
        """
        wanted = list(self.places if chains is None else chains)
        kept = self.kept(wanted)
        missing = [chain for chain in wanted if chain not in kept]
        if missing:
            # A frame of a run is painted from the one before: as many pairs as there are frames to paint.
            self._work.plan(_paintings(missing), None if chains is None else _paintings(missing))
            kept |= self._made(missing, self._guide_film(None if chains is None else missing), checkpoint_seconds)
        return {chain: kept[chain] for chain in wanted}

    def runs(self) -> Runs:
        """All of them, to be faded into one film.

        Raises
        ------
        FileNotFoundError
            If one has yet to be made.
        """
        runs = self.kept()
        missing = [f"{chain.name.replace('_', ' ')} from keyframe" for chain in self.places if chain not in runs]
        if missing:
            rule = f"hold all {len(self.places)} runs"
            got = f"{len(runs)}; the first that lacks is {missing[0]}"
            raise MissingFile(f"{self.folder}", rule, got, "make the others first", who="Propagation")
        forward = {chain.start: run for chain, run in runs.items() if chain.direction > 0}
        backward = {chain.start: run for chain, run in runs.items() if chain.direction < 0}
        return Runs(self.keyframes, self.keyframes.size, self._film.rate, forward, backward, self.cuts)

    def _placed(self, cuts: Sequence[int]) -> dict[Chain, Path]:
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

    def _opened(self, place: Path, chain: Chain) -> Run | None:
        return open_run(place, chain, self.keyframes.size, self.matched_size)

    def _guide_film(self, chains: list[Chain] | None) -> GuideFilm:
        """All that these runs ask of the film; for None, which is all of them, it is read into the folder."""
        masks = None if self._masks is None else self._masks.read(self._work.wait)
        if chains is None:
            self._read([self._film, *self._guide_films])
            self.motion.prepare(self.cores, self._work.matched)
        else:
            for number, chain in enumerate(chains):
                self.motion.prepare(self.cores, self._after(_paintings(chains[:number])), frames=chain.frames)
        self._work.matched(len(self._film) - 1)
        return GuideFilm(self._guides, self._film, masks)

    def _after(self, pairs: int) -> Progress:
        """Hears how many pairs are known behind those of the runs before."""
        return lambda done, _: self._work.matched(pairs + done)

    def _made(self, chains: list[Chain], guide_film: GuideFilm, every: float) -> dict[Chain, Run]:
        pictures, cores = self.keyframes.pictures, self.cores
        sources = Sources(lambda chain: Source(pictures[chain.order], chain, guide_film, self.matching, cores))

        def take_or_make(chain: Chain, crew: Crew) -> Run:
            place = self.places[chain]
            run = self._opened(place, chain)
            if run is None:
                with sources.of(chain) as source:
                    make_run(chain, source, self.motion, place, crew, seed=self.seed, checkpoint_seconds=every)
                return read_back(self._opened(place, chain), place)
            for picture in run.frames[1:]:
                crew.each_frame(picture)
            return run

        places = {chain: self.places[chain] for chain in chains}
        return side_by_side(places, take_or_make, runs_at_a_time(self.matched_size, cores), cores, self._work)

    def _read(self, footages: Iterable[Footage]) -> None:
        for footage in footages:
            footage.read(self._work.read if footage is self._film else lambda *_: self._work.wait())

    def _check_room(self) -> None:
        """Refuse a propagation whose missing files would fill the disk. What lies there already is not counted."""
        missing = {chain: place for chain, place in self.places.items() if not os.path.isdir(place)}
        if not missing:
            return
        # A film that is its own guide lies there once.
        films = {footage.fingerprint: footage.missing_bytes() for footage in (self._film, *self._guide_films)}
        needed = sum(films.values()) + self.motion.missing_bytes()
        needed += 0 if self._masks is None else self._masks.kept.missing_bytes()
        needed += sum(run_bytes(chain, self.keyframes.size, self.matched_size) for chain in missing)
        at_once = min(runs_at_a_time(self.matched_size, self.cores), len(self.places))
        needed += at_once * checkpoint_bytes(self.matched_size, self._masks is not None)
        begun = (file for place in missing.values() for file in unfinished_place(place).glob("*.npy"))
        needed -= sum(file.lstat().st_size for file in begun)
        check_room(self.folder, needed, f"the film, its flow and {len(missing)} runs")


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
