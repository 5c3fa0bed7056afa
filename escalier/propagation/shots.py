"""The shots of a film: found once, kept beside its runs, each with a keyframe of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from escalier.film.cuts import check_cuts, find_cuts, shots
from escalier.film.frames import FrameSource
from escalier.film.motion import Motion
from escalier.film.whole_files import write_whole
from escalier.keyframes import Keyframes

from .unpacked import CheckedFilm


def kept_cuts(
    film: FrameSource, motion: Motion, folder: Path, progress: Callable[..., object] | None
) -> tuple[int, ...]:
    """The film's cuts, found once and kept beside its runs."""
    path = folder / f"cuts_{motion.fingerprint[:16]}.json"
    if path.exists():
        return tuple(json.loads(path.read_text(encoding="utf-8")))

    cuts = find_cuts(CheckedFilm(film, "propagate"), motion, progress=progress)
    write_whole(path, lambda file: file.write(json.dumps(cuts).encode()))
    return cuts


def check_shots(keyframes: Keyframes, cuts: Sequence[int]) -> None:
    """Refuse a film of which a shot cannot be painted, before an hour is spent on the others."""
    check_cuts(cuts, keyframes.length, "propagate")
    bare = [shot for shot in shots(keyframes.length, cuts) if not any(index in shot for index in keyframes.indices)]
    if bare:
        named = " and ".join(f"in frames {shot.start} to {shot.stop - 1}" for shot in bare[:3])
        more = f" and {len(bare) - 3} more shots" * (len(bare) > 3)
        raise ValueError(
            f"propagate: keyframes must show every shot, got none {named}{more}: the film is cut there, and nothing is "
            "painted across a cut; paint a keyframe in each, or stop looking for cuts if there are none"
        )
