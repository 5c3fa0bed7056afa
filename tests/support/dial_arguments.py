"""Arguments of `synthesise` as tests write them: EbSynth's dials beside the rest, gathered into a `Matching`."""

from __future__ import annotations

from typing import Any

from escalier.dials import dials_of
from escalier.pyebsynth import Matching


def with_matching(**given: Any) -> dict[str, Any]:
    """The keyword arguments that `synthesise` and `build_problem` take."""
    own = {name: given.pop(name) for name in dials_of(Matching) if name in given}
    return {**given, "matching": Matching(**own)}
