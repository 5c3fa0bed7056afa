"""A shot in its folder: planned once, its runs made by whoever comes, and put together at the end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from escalier.film import (
    Encoding,
    Film,
    FilmMasks,
    check_output,
    film_fingerprint,
    frame_numbers,
    open_film,
    open_masks,
    working_size,
    write_film,
)
from escalier.keyframes import KeyframeListing, Keyframes, list_keyframes
from escalier.progress import Progress
from escalier.propagation import (
    Fade,
    FilmMatching,
    Guides,
    Propagation,
    Run,
    Staircase,
    checkpoint_bytes,
    painting_seconds,
    preparing_seconds,
    run_bytes,
)
from escalier.refusals import Refusal
from escalier.scratch import in_use

from .plan import PlannedRun, ShotPlan, Source

PROCESS_BYTES = 280_000_000
BYTES_PER_PIXEL, BYTES_OF_MASKS = 215, 90
"""What a run takes of the memory: a process with its packages, and so much for each pixel that is matched. Measured on
one thread: 261, 368 and 682 MiB at 480x270, 960x540 and 1920x1080, with masks 283 and 410 at the first two."""


class Shot:
    """A shot with its plan, its film and its paintings, as they lie on this machine.

    Attributes
    ----------
    folder, plan
        Where everything of it is kept, and what is to be done.
    """

    def __init__(self, folder: Path, plan: ShotPlan, film: Film, keyframes: Keyframes, masks: FilmMasks | None) -> None:
        self.folder, self.plan = folder, plan
        self._film, self._keyframes, self._masks = film, keyframes, masks

    @property
    def output(self) -> str:
        """The film that it is to become, where it belongs on this machine."""
        return str(self.plan.output.place(self.folder))

    def inputs(self) -> list[Path]:
        """The files and folders that it is made from, as they lie on this machine."""
        sources = [self.plan.clip, *(source for _, source in self.plan.keyframes), self.plan.masks]
        return [source.found(self.folder, "input") for source in sources if source is not None]

    def missing(self) -> list[int]:
        """The numbers of the runs that have yet to be made. Each that is there is verified, frame by frame."""
        kept = {run.folder.name for run in self._job(None, None).kept().values()}
        return [run.number for run in self.plan.runs if run.folder not in kept]

    def make(self, number: int, *, threads: int | None = None, progress: Progress | None = None) -> Run:
        """Make one run, from 1 to as many as the plan has; it is taken as it is where it is there.

        Where another process is making it, that is waited for. A run that was stopped goes on from what it has.

        Parameters
        ----------
        threads
            Cores to use, all by default. The bits do not depend on it.
        progress
            Called as `progress(done, total, picture)` in seconds of work. What it raises passes through.
        """
        if not 1 <= number <= len(self.plan.runs):
            raise Refusal("run", f"be in 1..{len(self.plan.runs)}", number, "the plan counts them", who="Shot")
        job = self._job(threads, progress)
        chain = list(job.places)[number - 1]
        with in_use(self.folder):
            return job.make([chain])[chain]

    def make_all(self, *, threads: int | None = None, progress: Progress | None = None) -> None:
        """Make every run that is missing, as `escalier.stylise` does."""
        with in_use(self.folder):
            self._job(threads, progress).make()

    def staircase(self) -> Staircase:
        """The restyled film, once all runs are there; FileNotFoundError names the first that lacks."""
        return Staircase(self._job(None, None).runs(), self.plan.fade)

    def assemble(self, output: str | Path | None = None, *, progress: Progress | None = None) -> Path:
        """Fade the runs into one another and write the film with its sound, to the plan's own place by default."""
        target = output or self.output
        first = frame_numbers(self._film, self.plan.first)[0]
        encoding = Encoding(sound=self.plan.sound, first=first)
        with in_use(self.folder):
            return write_film(target, self.staircase(), like=self._film, encoding=encoding, progress=progress)

    def _job(self, threads: int | None, progress: Progress | None) -> Propagation:
        """The propagation with the plan's runs; refused where this machine would make others."""
        plan = self.plan
        job = Propagation(
            self._film,
            self._keyframes,
            folder=self.folder,
            masks=self._masks,
            guides=plan.guides,
            matching=plan.matching,
            seed=plan.seed,
            threads=threads,
            progress=progress,
        )
        job.find_runs(plan.cuts)
        planned = {run.folder for run in plan.runs}
        others = [chain for chain, place in job.places.items() if place.name not in planned]
        remedy = "plan the shot again: only runs that differ are made anew"
        if len(plan.runs) != len(job.places):
            raise Refusal("the plan", f"count the shot's {len(job.places)} runs", len(plan.runs), remedy, who="Shot")
        if others:
            # A painting has two runs; what all of them depend on is the clip and the masks.
            what = "the clip with its masks" if len(others) == len(job.places) else f"keyframe {others[0].start}"
            raise Refusal(what, "be as when the shot was planned", "otherwise", remedy, who="Shot")
        return job


@dataclass(frozen=True)
class Making:
    """How a shot is made from its clip and paintings.

    Attributes
    ----------
    masks
        A file or folder, see `escalier.film.open_masks`.
    rate, first
        Frames a second of a clip that is a folder, and the number that people give to its first frame.
    guides, matching, fade, cuts, seed
        As for `escalier.stylise`.
    sound
        Whether the film takes the clip's.

    >>> Making(seed=7).fade.mode
    'staggered'
    """

    masks: str | Path | None = None
    rate: float | None = None
    first: int | None = None
    guides: Guides = field(default_factory=Guides)
    matching: FilmMatching = field(default_factory=FilmMatching)
    fade: Fade = field(default_factory=Fade)
    cuts: tuple[int, ...] | None = None
    seed: int = 0
    sound: bool = True


def plan_shot(
    clip: str | Path,
    keyframes: str | Path | Sequence[str | Path],
    folder: str | Path,
    output: str | Path,
    making: Making | None = None,
    *,
    progress: Progress | None = None,
) -> Shot:
    """Plan a shot: look at everything that it is made from, and write down which runs there are to make.

    Parameters
    ----------
    clip, keyframes
        Files and folders, as for `escalier.stylise`. They stay where they are; the plan says where, and whoever makes a
        run must see them.
    folder
        The shot's own. The plan is written into it as plan.json, and runs will be.
    output
        The film to write at the end.
    making
        Everything else. Cuts that are not given are looked for now, which reads the clip once.
    progress
        Called as `progress(done, total)` in seconds of work, while cuts are looked for.

    Raises
    ------
    ValueError, OSError
        In a sentence, for all that `escalier.stylise` would refuse.

    >>> import tempfile
    >>> import numpy as np
    >>> from escalier.film import Size, make_clip, write_film
    >>> place = Path(tempfile.mkdtemp())
    >>> clip = write_film(place / "clip.mp4", make_clip(Size(64, 48), length=5))
    >>> painted = write_film(place / "painted" / "#.png", [np.zeros((48, 64, 3), np.uint8)], rate=24)
    >>> shot = plan_shot(clip, place / "painted", place / "shot", place / "film.mp4", Making(cuts=()))
    >>> [str(run) for run in shot.plan.runs]
    ['0 to 4', '0 to 0']
    """
    making = making or Making()
    film, place, first = open_film(clip, making.rate), Path(folder), making.first
    listing = list_keyframes(keyframes, film, first=first)
    masks = None if making.masks is None else open_masks(making.masks, film, first)
    check_output(output, listing.size, like=film, encoding=Encoding(sound=making.sound))
    job = Propagation(
        film,
        listing.read(),
        folder=place,
        masks=masks,
        guides=making.guides,
        matching=making.matching,
        seed=making.seed,
        progress=progress,
    )
    job.find_runs(making.cuts)
    plan = ShotPlan(
        clip=Source.of(Path(clip), place),
        clip_fingerprint=film_fingerprint(film),
        keyframes=_sources(listing, place),
        masks=None if making.masks is None else Source.of(Path(making.masks), place),
        rate=making.rate,
        first=first,
        output=Source.of(Path(output), place),
        sound=making.sound,
        guides=making.guides,
        matching=making.matching,
        fade=making.fade,
        seed=making.seed,
        cuts=job.cuts,
        length=len(film),
        size=listing.size,
        runs=tuple(_planned(job, film, masks is not None)),
    )
    plan.write(place)
    return Shot(place, plan, film, job.keyframes, masks)


def open_shot(folder: str | Path) -> Shot:
    """A shot that was planned, on this machine.

    Raises
    ------
    FileNotFoundError
        If there is no plan, or this machine does not see what the plan names.
    ValueError
        If the plan is of another version of Escalier, or the clip has changed since.

    >>> open_shot("no such folder")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: Shot: no such folder must be a shot's folder, got no plan.json; make one with ...
    """
    place = Path(folder)
    plan = ShotPlan.read(place)
    film = open_film(plan.clip.found(place, "clip"), plan.rate)
    if film_fingerprint(film) != plan.clip_fingerprint:
        remedy = "plan the shot again: what does not depend on the change is kept"
        raise Refusal("the clip", "be the one that was planned", "another, or a changed one", remedy, who="Shot")
    files = [source.found(place, f"keyframe of frame {frame}") for frame, source in plan.keyframes]
    keyframes = list_keyframes(files, film, first=plan.first).read()
    masks = None if plan.masks is None else open_masks(plan.masks.found(place, "mask"), film, plan.first)
    return Shot(place, plan, film, keyframes, masks)


def _sources(listing: KeyframeListing, folder: Path) -> tuple[tuple[int, Source], ...]:
    return tuple((entry.frame, Source.of(entry.file, folder)) for entry in listing.entries)


def _planned(job: Propagation, film: Film, masked: bool) -> Iterable[PlannedRun]:
    painted = job.keyframes.size
    each = painting_seconds(job.matched_size, painted) + preparing_seconds(film.size, working_size(film.size))
    each_pixel = BYTES_PER_PIXEL + (BYTES_OF_MASKS if masked else 0)
    memory = PROCESS_BYTES + each_pixel * job.matched_size.width * job.matched_size.height
    for number, (chain, place) in enumerate(job.places.items(), start=1):
        disk = run_bytes(chain, painted, job.matched_size) + checkpoint_bytes(job.matched_size, masked)
        yield PlannedRun(
            number=number,
            keyframe=chain.start,
            last=chain.stop - chain.direction,
            folder=place.name,
            seconds=round((chain.length - 1) * each, 2),
            memory_bytes=memory,
            disk_bytes=disk,
        )
