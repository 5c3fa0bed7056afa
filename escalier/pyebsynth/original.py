"""The original ebsynth through its shared library, where one is installed, behind the same call.

The library (public domain, github.com/jamriska/ebsynth) is looked for at EBSYNTH_LIBRARY, then by the name `ebsynth`
where the system keeps its libraries. What it cannot do is refused by name: masks, an initial field, more than 24 guide
channels, and on its processor build modulation (it would crash). Its processor build ignores weighted voting and the
stop threshold. It takes 8 bits: float pictures are rounded. It draws unseeded random numbers.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from pathlib import Path

import numpy as np

from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import MissingFile, Refusal

from .energy import patch_errors
from .problem import Problem, Synthesis

SEARCH_VOTE_ITERATIONS = 6
PATCHMATCH_ITERATIONS = 4
STOP_THRESHOLD = 5
MOST_GUIDE_CHANNELS = 24

_AUTO, _CUDA = 0x0000, 0x0002
_PLAIN, _WEIGHTED = 0x0001, 0x0002


class OriginalNotFound(MissingFile):
    """No ebsynth library is installed, or the one named cannot be loaded."""


def find_library() -> str:
    """Path or name of the installed ebsynth library; raises OriginalNotFound."""
    named = os.environ.get("EBSYNTH_LIBRARY")
    if named:
        if not Path(named).is_file():
            rule, remedy = "be the path of an ebsynth library", "correct the variable or use backend='cpu'"
            raise OriginalNotFound("EBSYNTH_LIBRARY", rule, f"{named}, where no file lies", remedy)
        return named
    found = ctypes.util.find_library("ebsynth")
    if found is None:
        raise OriginalNotFound(
            "backend 'original'",
            "have an ebsynth library installed, but none was found",
            remedy="build it from github.com/jamriska/ebsynth as a shared library and set EBSYNTH_LIBRARY to its path, "
            "or use backend='cpu'",
        )
    return found


def synthesise_original(problem: Problem, threads: int, progress: Progress | None) -> Synthesis:
    """Solve one checked problem with the original library. It decides on its threads itself."""
    path = find_library()
    try:
        library = ctypes.CDLL(path)
        run, available = library.ebsynthRun, library.ebsynthBackendAvailable
    except (OSError, AttributeError) as reason:
        rule = f"be an ebsynth library, but it cannot be used ({reason})"
        remedy = "build it again for this system or use backend='cpu'"
        raise OriginalNotFound(f"{path}", rule, remedy=remedy) from reason
    on_card = bool(available(ctypes.c_int(_CUDA)))
    _refuse_what_it_cannot(problem, on_card)
    if progress:
        progress(0, 1)
    image, nnf = _call(run, problem)
    error, guide_error = patch_errors(problem, image, nnf)
    if progress:
        progress(1, 1)
    return Synthesis(image, nnf, error, guide_error)


def _refuse_what_it_cannot(problem: Problem, on_card: bool) -> None:
    channels = sum(guide.shape[2] for guide in problem.source_guides)
    if channels > MOST_GUIDE_CHANNELS:
        rule = f"have at most {MOST_GUIDE_CHANNELS} channels with backend 'original'"
        raise Refusal("guides", rule, channels, "use backend='cpu'")
    unknown = {
        "source_mask": problem.source_mask,
        "target_mask": problem.target_mask,
        "initial_nnf": problem.initial_nnf,
        "search_radius": problem.matching.search_radius,
    }
    for name, value in unknown.items():
        if value is not None:
            raise Refusal(name, "be left out with backend 'original'", remedy="use backend='cpu'")
    if problem.modulation is not None and not on_card:
        raise Refusal("modulation", "be left out where the original runs on the processor", "one", "use backend='cpu'")
    if not on_card and (problem.matching.weighted or problem.matching.stop_threshold is not None):
        log.warning("the original ignores weighted voting and stop_threshold on the processor")


def _call(run: ctypes._NamedFuncPointer, problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    style = _as_bytes(problem.style)
    source = np.concatenate([_as_bytes(guide) for guide in problem.source_guides], axis=2)
    target = np.concatenate([_as_bytes(guide) for guide in problem.target_guides], axis=2)
    modulation = _modulation(problem)
    weights = [
        w for w, guide in zip(problem.guide_weights, problem.source_guides, strict=True) for _ in range(guide.shape[2])
    ]
    height, width = problem.target_size
    nnf = np.zeros((height, width, 2), np.int32)
    image = np.zeros((height, width, style.shape[2]), np.uint8)
    stop = STOP_THRESHOLD if problem.matching.stop_threshold is None else round(problem.matching.stop_threshold)

    def every_level(value: int) -> ctypes.Array[ctypes.c_int]:
        return (ctypes.c_int * problem.pyramid_levels)(*[value] * problem.pyramid_levels)

    def floats(values: list[float]) -> ctypes.Array[ctypes.c_float]:
        return (ctypes.c_float * len(values))(*values)

    def address(array: np.ndarray | None) -> ctypes.c_void_p | None:
        return None if array is None else array.ctypes.data_as(ctypes.c_void_p)

    int_, matching = ctypes.c_int, problem.matching
    voting = _WEIGHTED if matching.weighted else _PLAIN
    run.restype = None
    run(
        int_(_AUTO), int_(style.shape[2]), int_(source.shape[2]),
        int_(style.shape[1]), int_(style.shape[0]), address(style), address(source),
        int_(width), int_(height), address(target), address(modulation),
        floats([problem.style_weight] * style.shape[2]), floats(weights),
        ctypes.c_float(matching.uniformity), int_(matching.patch_size), int_(voting),
        int_(problem.pyramid_levels), every_level(matching.search_vote_iterations or SEARCH_VOTE_ITERATIONS),
        every_level(matching.patchmatch_iterations or PATCHMATCH_ITERATIONS), every_level(stop),
        int_(matching.extra_pass_3x3), address(nnf), address(image),
    )  # fmt: skip
    painted = image if problem.style.dtype == np.uint8 else image.astype(np.float32) / np.float32(255)
    return painted, np.ascontiguousarray(nnf[..., ::-1])


def _as_bytes(picture: np.ndarray) -> np.ndarray:
    if picture.dtype == np.uint8:
        return picture
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _modulation(problem: Problem) -> np.ndarray | None:
    """8 bits for every target pixel and guide channel, 255 where none is given."""
    if problem.modulation is None:
        return None
    planes = [
        np.ones(guide.shape, np.float32) if given is None else np.broadcast_to(given, guide.shape)
        for given, guide in zip(problem.modulation, problem.target_guides, strict=True)
    ]
    return np.ascontiguousarray(_as_bytes(np.concatenate(planes, axis=2)))
