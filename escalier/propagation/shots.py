"""The shots of a film: found once, kept beside its runs, each with a keyframe of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xxhash

from escalier.film import Film, Motion, check_cuts, find_cuts, shots
from escalier.keyframes import Keyframes
from escalier.progress import Progress
from escalier.refusals import Refusal
from escalier.scratch import read_facts, write_facts

from .unpacked import CheckedFilm

FORMAT = 2
"""Raised when cuts come to be found in other places."""


def known_cuts(film: str, motion: Motion, folder: Path) -> tuple[int, ...] | None:
    """The cuts that lie in a folder for a film of this fingerprint, verified; None where they have yet to be found."""
    cuts = read_facts(*_place(film, motion, folder))
    return None if cuts is None else tuple(cuts)


def kept_cuts(film: Film, fingerprint: str, motion: Motion, folder: Path, progress: Progress | None) -> tuple[int, ...]:
    """The film's cuts, found once and kept beside its runs."""
    cuts = known_cuts(fingerprint, motion, folder)
    if cuts is None:
        cuts = find_cuts(CheckedFilm(film), motion, progress=progress)
        path, what = _place(fingerprint, motion, folder)
        write_facts(path, list(cuts), what)
    return cuts


def _place(film: str, motion: Motion, folder: Path) -> tuple[Path, str]:
    what = f"cuts {FORMAT} {film} {motion.fingerprint} {motion.preset}"
    return folder / f"cuts_{xxhash.xxh3_64_hexdigest(what.encode())}.json", what


def check_shots(keyframes: Keyframes, cuts: Sequence[int]) -> None:
    """Refuse a film of which a shot cannot be painted, before an hour is spent on the others."""
    check_cuts(cuts, keyframes.length)
    bare = [shot for shot in shots(keyframes.length, cuts) if not any(index in shot for index in keyframes.indices)]
    if bare:
        named = " and ".join(f"in frames {shot.start} to {shot.stop - 1}" for shot in bare[:3])
        more = f" and {len(bare) - 3} more shots" * (len(bare) > 3)
        raise Refusal(
            "keyframes",
            "show every shot",
            f"none {named}{more}: the film is cut there, and nothing is painted across a cut",
            "paint a keyframe in each, or stop looking for cuts if there are none",
        )
