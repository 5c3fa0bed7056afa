"""The shots of a film, each with a keyframe of its own."""

from collections.abc import Sequence

from escalier.film import check_cuts, shots
from escalier.keyframes import Keyframes
from escalier.refusals import Refusal


def check_shots(keyframes: Keyframes, cuts: Sequence[int]) -> None:
    """Refuse a film of which a shot cannot be painted, before an hour is spent on the others."""
    check_cuts(cuts, keyframes.length)
    bare = [shot for shot in shots(keyframes.length, cuts) if not any(index in shot for index in keyframes.indices)]
    if bare:
        named = " and ".join(f"in frames {shot.start} to {shot.stop - 1}" for shot in bare[:3])
        more = f" and {len(bare) - 3} more shots" * (len(bare) > 3)
        rule, got = "show every shot", f"none {named}{more}: the film is cut there, and nothing is painted across a cut"
        raise Refusal("keyframes", rule, got, "paint a keyframe in each, or stop looking for cuts if there are none")
