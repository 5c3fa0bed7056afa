"""The plan of a shot, as plan.json: what it is made from, how, and which runs there are to make."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import escalier
from escalier.film import Size
from escalier.propagation import Fade, FilmMatching, Guides
from escalier.refusals import MissingFile, Refusal
from escalier.scratch import write_whole

PLAN = "plan.json"
FORMAT = 1
"""Raised when plans come to be written otherwise."""


@dataclass(frozen=True)
class Source:
    """A file or folder that the shot is made from, as it is found from the shot's folder and on the planner's machine.

    >>> source = Source.of(Path("/shots/one/clip.mp4"), Path("/shots/one/work"))
    >>> source.absolute, source.relative
    ('/shots/one/clip.mp4', '../clip.mp4')
    """

    absolute: str
    relative: str | None

    @classmethod
    def of(cls, path: Path, folder: Path) -> Source:
        whole = os.path.abspath(path)
        try:
            relative = Path(os.path.relpath(whole, os.path.abspath(folder))).as_posix()
        except ValueError:  # on another drive of Windows
            relative = None
        return cls(whole, relative)

    def place(self, folder: Path) -> Path:
        """Where it belongs on this machine: from the shot's folder on, as it did where the shot was planned."""
        return (
            Path(self.absolute) if self.relative is None else Path(os.path.normpath(folder.absolute() / self.relative))
        )

    def found(self, folder: Path, what: str) -> Path:
        """Where it lies on this machine: beside the shot's folder as it did there, else at the planner's own path."""
        places = dict.fromkeys((self.place(folder), Path(self.absolute)))
        for place in places:
            if place.exists():
                return place
        rule = f"lie at {' or at '.join(map(str, places))}, as the plan says"
        remedy = "let this machine see the folder that holds it, or plan again with a path that all of them see"
        raise MissingFile(f"the {what}", rule, "nothing there on this machine", remedy, who="Shot")


@dataclass(frozen=True)
class PlannedRun:
    """One run: a keyframe carried one way.

    Attributes
    ----------
    number
        From 1, as `escalier work --run` counts.
    keyframe, last
        The film's frames between which it lies, both included.
    folder
        Where it will lie, in the shot's folder; its name holds all that the run depends on.
    seconds, memory_bytes, disk_bytes
        Guessed for one core of 2 GHz, flow and kernels included; a process that makes it on one thread; counted.
    """

    number: int
    keyframe: int
    last: int
    folder: str
    seconds: float
    memory_bytes: int
    disk_bytes: int

    def __str__(self) -> str:
        return f"{self.keyframe} to {self.last}"


@dataclass(frozen=True)
class ShotPlan:
    """All that a machine needs to know to make any part of a shot.

    Attributes
    ----------
    clip, keyframes, masks
        Where the inputs lie. `keyframes` are single pictures with their frames.
    clip_fingerprint
        Of the clip's contents, see `escalier.film.film_fingerprint`: another clip under the name is refused.
    rate, first
        As they were given: of a clip that is a folder, and of its numbers.
    output, sound
        The film to write, and whether it takes the clip's sound.
    guides, matching, fade, seed, cuts
        As for `escalier.stylise`. The cuts were looked for when the plan was made.
    length, size
        Of the film that will be written.
    runs
        To be made in any order.
    """

    clip: Source
    clip_fingerprint: str
    keyframes: tuple[tuple[int, Source], ...]
    masks: Source | None
    rate: float | None
    first: int | None
    output: Source
    sound: bool
    guides: Guides
    matching: FilmMatching
    fade: Fade
    seed: int
    cuts: tuple[int, ...]
    length: int
    size: Size
    runs: tuple[PlannedRun, ...]

    @property
    def seconds(self) -> float:
        """Guessed for one core, all runs one after another."""
        return sum(run.seconds for run in self.runs)

    @property
    def longest(self) -> PlannedRun:
        """The run that bounds the shot, however many machines there are."""
        return max(self.runs, key=lambda run: (run.seconds, -run.number))

    def shortened_by(self) -> int:
        """The frame at which one more keyframe would shorten the longest run most."""
        return (self.longest.keyframe + self.longest.last) // 2

    def write(self, folder: Path) -> Path:
        """Write it as plan.json, whole or not at all."""
        facts: dict[str, Any] = {"format": FORMAT, "escalier": escalier.__version__} | asdict(self)
        facts["guides"].pop("named")  # films besides, which no file names
        text = json.dumps(facts, indent=1, ensure_ascii=False)
        write_whole(folder / PLAN, lambda file: file.write(f"{text}\n".encode(errors="surrogateescape")))
        return folder / PLAN

    @classmethod
    def read(cls, folder: Path) -> ShotPlan:
        """The plan in a folder.

        Raises
        ------
        FileNotFoundError
            If there is none.
        ValueError
            If it is damaged, or of another version: its runs would not fit those of this one.
        """
        path = folder / PLAN
        if not path.is_file():
            remedy = f"make one with escalier plan CLIP --keyframes FOLDER --output {folder}"
            raise MissingFile(f"{folder}", "be a shot's folder", f"no {PLAN}", remedy, who="Shot")
        try:
            facts = json.loads(path.read_bytes().decode(errors="surrogateescape"))
            made_by = facts.pop("escalier"), facts.pop("format")
            if made_by != (escalier.__version__, FORMAT):
                rule = f"be of Escalier {escalier.__version__}, as this one is"
                raise Refusal(f"{path}", rule, made_by[0], "plan the shot again, or use that version", who="Shot")
            return cls(**_values(facts))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, Refusal) and error.who == "Shot":
                raise
            remedy = "plan the shot again: finished runs stay"
            raise Refusal(
                f"{path}", "be a plan as escalier plan writes it", "a damaged one", remedy, who="Shot"
            ) from error


def _values(facts: dict[str, Any]) -> dict[str, Any]:
    return facts | {
        "clip": Source(**facts["clip"]),
        "keyframes": tuple((int(frame), Source(**source)) for frame, source in facts["keyframes"]),
        "masks": None if facts["masks"] is None else Source(**facts["masks"]),
        "output": Source(**facts["output"]),
        "guides": Guides(**facts["guides"]),
        "matching": FilmMatching(**facts["matching"]),
        "fade": Fade(**facts["fade"]),
        "cuts": tuple(facts["cuts"]),
        "size": Size(*facts["size"]),
        "runs": tuple(PlannedRun(**run) for run in facts["runs"]),
    }
