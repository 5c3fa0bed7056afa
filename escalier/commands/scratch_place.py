"""Where a command keeps finished work: beside the film, on the disk that the artist chose for large files."""

import os
from pathlib import Path

from escalier.film import SequenceName
from escalier.refusals import FileInTheWay, ForbiddenFile
from escalier.scratch import KEPT_DAYS, clean_scratch

SCRATCH_NAME = ".escalier"


def scratch_for(target: Path | SequenceName, asked: Path | None, no_keep: bool) -> Path:
    """The folder that --scratch names, else one beside the film, which all films there share.

    It is named by no film: runs are told apart by what they are made from, so that another fade or another file format
    of the same keyframes finds them too. With --no-keep the film has a folder of its own, since it will be removed.
    """
    if asked is not None:
        return asked
    return beside(target, f"{SCRATCH_NAME}-{stem_of(target)}" if no_keep else SCRATCH_NAME)


def check_scratch(scratch: Path, *, asked: bool, no_keep: bool) -> None:
    """Refuse scratch that cannot be written to, without making it; remove from it what is old."""
    there = next(place for place in (scratch, *scratch.absolute().parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        rule = f"be a folder that can be written to, but {there} cannot"
        raise ForbiddenFile(f"{scratch}", rule, remedy="choose another one", who="--scratch")
    if no_keep and asked and scratch.exists() and any(scratch.iterdir()):
        rule, remedy = "be empty, since it is removed at the end", "name a new folder, or leave --no-keep out"
        raise FileInTheWay(f"{scratch}", rule, next(scratch.iterdir()).name, remedy, who="--no-keep")
    clean_scratch(scratch, older_than_days=KEPT_DAYS)


def beside(target: Path | SequenceName, name: str) -> Path:
    """A folder where a film's file or pictures lie; beside a folder that is all the film's own."""
    if isinstance(target, Path):
        return target.with_name(name)
    own = target == SequenceName.in_folder(target.folder) and target.folder != Path(".")
    return (target.folder.parent if own else target.folder) / name


def stem_of(target: Path | SequenceName) -> str:
    """What a film is called, without its suffix; a folder of pictures by the folder."""
    return target.folder.absolute().name if isinstance(target, SequenceName) else target.stem


def disk_of(folder: Path) -> int:
    """A number that two folders share if they lie on one disk; they need not exist."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists()).stat().st_dev
