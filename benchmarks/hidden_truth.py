"""How near a propagation comes to a truth that it was not shown: PSNR, flicker, sharpness, energy and cost.

    python benchmarks/hidden_truth.py [--footage FOLDER] [--original PATH_TO_EBSYNTH_LIBRARY] [--json]
    python benchmarks/hidden_truth.py --fades [--footage FOLDER] [--json]

A deterministic picture filter restyles nine frames of a clip, every second one. The engines are given the first and
the nine frames as filmed; the other eight restyled frames are the truth. Without --footage only the clip made by code
runs. `cpu` is the whole of `propagate` with its defaults, flow and files included; `original` is called frame by frame
with the same colour, edge and position guides, as its users do; `truth` and `warp` (the keyframe carried along by the
flow alone) stand beside for comparison.

Columns: psnr in dB; flicker, the mean change against the flow from frame to frame, in Delta E*ab over the pixels that
the source itself follows; sharpness, the variance of the Laplacian over the truth's; energy, EbSynth's own over
colour, edge and position guides, of the frames and their matches, sampled between the pixels where a match lies there;
whole, the same of the matches in whole pixels and the picture that those make, before sub-pixel painting; cpu_seconds
a frame.

--fades gives the last frame restyled too, and compares the ways to fade between the two runs: psnr and sharpness as
above, sharpness of the middle frame, and ghosting kept and pop as in `escalier.coherence.fade_report`.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import cv2
import numpy as np
from engine import read_frames, restyle

from escalier.coherence import followed_pixels, measure_fades, visible_change
from escalier.film import ArrayFrames, Motion, Size, make_clip, warp
from escalier.keyframes import Keyframes
from escalier.propagation import (
    FADES,
    Fade,
    Guides,
    Plate,
    Staircase,
    edge_guide,
    position_guide,
    propagate,
    still_positions,
)
from escalier.pyebsynth import Matching, build_problem, measure_energy, synthesise

FADE_COLUMNS = ("case", "fade", "psnr", "sharpness", "middle", "ghosting", "pop")
COLUMNS = ("case", "engine", "psnr", "flicker", "sharpness", "energy", "whole", "cpu_seconds")
LAYOUT = "{:13} {:10} {:>6} {:>9} {:>9} {:>8} {:>8} {:>12}"
FADE_LAYOUT = "{:13} {:10} {:>6} {:>9} {:>9} {:>8} {:>12}"
FRAMES = 9
WEIGHTS = [Guides().colour, Guides().edge, Guides().position]


class Film(NamedTuple):
    """The filmed frames with their motion, and the same frames restyled one by one."""

    film: ArrayFrames
    motion: Motion
    truth: np.ndarray


class Matched(NamedTuple):
    """A picture and its matches, (H, W, 2), (row, column)."""

    picture: np.ndarray
    nnf: np.ndarray


class Made(NamedTuple):
    """What an engine made: the frames, the keyframe first, and for all but the keyframe what it matched.

    `matched` is as shown, `whole` in whole pixels; where nothing is matched, both are empty.
    """

    frames: list[np.ndarray]
    matched: list[Matched]
    whole: list[Matched]
    cpu_seconds: float


def filmed(clip: str, first: int, size: tuple[int, int]) -> Callable[[Path | None], np.ndarray]:
    def read(folder: Path | None) -> np.ndarray:
        return np.stack(read_frames(Path(str(folder)) / clip, range(first, first + 2 * FRAMES - 1, 2), size))

    return read


def made_by_code(_: Path | None) -> np.ndarray:
    clip = make_clip(Size(640, 360), 2 * FRAMES)
    return np.stack([clip.frame(2 * index) for index in range(FRAMES)])


CASES: dict[str, Callable[[Path | None], np.ndarray]] = {
    "clip by code": made_by_code,
    "talking_head": filmed("talking_head_540x960_25fps.mp4", 100, (540, 960)),
    "cups": filmed("cups_1280x720_30fps.mp4", 140, (960, 540)),
}


def made_by_propagate(given: Film, folder: Path, threads: int) -> Made:
    """The pipeline as it is shipped; its matches are overheard as each frame is done."""
    matched: list[Matched] = []
    whole: list[Matched] = []
    paint = Plate.paint

    def overhear(plate: Plate, *arguments: Any) -> None:
        paint(plate, *arguments)
        matched.append(Matched(plate.picture, plate.places[..., ::-1]))
        whole.append(Matched(plate.whole_picture, np.asarray(plate.nnf)))

    keyframes = Keyframes([0], [given.truth[0]], FRAMES)
    with patch.object(Plate, "paint", overhear):
        before = time.process_time()
        runs = propagate(given.film, keyframes, folder=folder, motion=given.motion, threads=threads)
        cpu = time.process_time() - before
    return Made([runs.forward[0].frame(index) for index in range(FRAMES)], matched, whole, cpu / (FRAMES - 1))


def made_by_original(given: Film, folder: Path, threads: int) -> Made:
    before = time.process_time()
    made = [
        synthesise(given.truth[0], *sides, weights=WEIGHTS, matching=Matching(backend="original"), threads=1)
        for sides in guides_of(given)
    ]
    cpu = time.process_time() - before
    matched = [Matched(m.image, m.nnf) for m in made]
    return Made([given.truth[0], *(m.image for m in made)], matched, matched, cpu / (FRAMES - 1))


def made_by_warping(given: Film, folder: Path, threads: int) -> Made:
    key = given.truth[0]
    carried = [np.rint(warp(key, given.motion.accumulated(index, 0))).astype(np.uint8) for index in range(1, FRAMES)]
    return Made([key, *carried], [], [], 0.0)


def truth_itself(given: Film, folder: Path, threads: int) -> Made:
    return Made(list(given.truth), [], [], 0.0)


ENGINES = {"truth": truth_itself, "warp": made_by_warping, "original": made_by_original, "cpu": made_by_propagate}


def guides_of(given: Film) -> Iterator[tuple[list[np.ndarray], list[np.ndarray]]]:
    """Source and target guides of every frame after the first, in 8 bits as the original reads them."""
    still = still_positions(given.film.size)
    positions = still
    for index in range(1, FRAMES):
        positions = warp(positions, given.motion.flow(index, index - 1))
        yield _guides(given.film.frame(0), still), _guides(given.film.frame(index), positions)


def _guides(frame: np.ndarray, positions: np.ndarray) -> list[np.ndarray]:
    return [frame, *(np.rint(guide * 255).astype(np.uint8) for guide in (edge_guide(frame), position_guide(positions)))]


def figures(given: Film, made: Made) -> dict[str, float | None]:
    truth = given.truth.astype(np.float32)
    errors = [np.square(np.float32(frame) - truth[i]).mean() for i, frame in enumerate(made.frames) if i]
    sharp = [_laplacian(frame) / _laplacian(given.truth[i]) for i, frame in enumerate(made.frames) if i]
    psnr = float(np.mean(10 * np.log10(255**2 / np.array(errors)))) if min(errors) > 0 else None
    return {
        "psnr": psnr,
        "flicker": float(np.mean([_flicker(given, made, i) for i in range(FRAMES - 1)])),
        "sharpness": float(np.mean(sharp)),
        "energy": _energy(given, made.matched),
        "whole": _energy(given, made.whole),
        "cpu_seconds": made.cpu_seconds or None,
    }


def fade_rows(given: Film, folder: Path, threads: int) -> Iterator[dict[str, Any]]:
    """Every way to fade between the runs of the first and the last frame."""
    last = FRAMES - 1
    keyframes = Keyframes([0, last], [given.truth[0], given.truth[last]], FRAMES)
    runs = propagate(given.film, keyframes, folder=folder, motion=given.motion, threads=threads, cuts=())
    for mode in FADES:
        staircase = Staircase(runs, Fade(mode=mode))
        frames = [staircase.frame(index) for index in range(FRAMES)]
        errors = [np.square(np.float32(frames[i]) - given.truth[i]).mean() for i in range(1, last)]
        sharp = [_laplacian(frames[i]) / _laplacian(given.truth[i]) for i in range(1, last)]
        report = measure_fades(staircase, given.film, given.motion)
        yield {
            "fade": mode,
            "psnr": float(np.mean(10 * np.log10(255**2 / np.array(errors)))),
            "sharpness": float(np.mean(sharp)),
            "middle": float(sharp[len(sharp) // 2]),
            "ghosting": report.ghosting,
            "pop": report.pop,
        }


def _energy(given: Film, frames: list[Matched]) -> float | None:
    if not frames:
        return None
    problems = [build_problem(given.truth[0], *sides, weights=WEIGHTS) for sides in guides_of(given)]
    return float(np.mean([measure_energy(p, *frame).total for p, frame in zip(problems, frames, strict=True)]))


def _flicker(given: Film, made: Made, index: int) -> float:
    flow, valid = given.motion.flow(index, index + 1), given.motion.valid(index, index + 1)
    counted = followed_pixels(given.film.frame(index), given.film.frame(index + 1), flow, valid)
    return visible_change(made.frames[index], made.frames[index + 1], flow, counted) or 0.0


def _laplacian(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--footage", type=Path, help="folder with the filmed clips")
    parser.add_argument("--original", help="the original's shared library, to run beside")
    parser.add_argument("--cases", nargs="*", choices=list(CASES), help="only these cases")
    parser.add_argument("--fades", action="store_true", help="compare the fades between two keyframes instead")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object for each row")
    asked = parser.parse_args()
    if asked.original:
        os.environ["EBSYNTH_LIBRARY"] = asked.original
    if not asked.json:
        print(FADE_LAYOUT.format(*FADE_COLUMNS) if asked.fades else LAYOUT.format(*COLUMNS))
    for case in asked.cases or (CASES if asked.footage else ["clip by code"]):
        with tempfile.TemporaryDirectory() as folder:
            film = ArrayFrames(CASES[case](asked.footage))
            truth = np.stack([restyle(film.frame(index)) for index in range(FRAMES)])
            given = Film(film, Motion(film, Path(folder) / "motion"), truth)
            given.motion.prepare()
            if asked.fades:
                for row in fade_rows(given, Path(folder) / "fades", asked.threads):
                    row = {"case": case} | row
                    print(json.dumps(row) if asked.json else fade_line(row), flush=True)
                continue
            for engine in ENGINES:
                if engine == "original" and not asked.original:
                    continue
                row = {"case": case, "engine": engine}
                row |= figures(given, ENGINES[engine](given, Path(folder) / engine, asked.threads))
                print(json.dumps(row) if asked.json else as_line(row), flush=True)


def as_line(row: dict[str, Any]) -> str:
    digits = {"psnr": 2, "flicker": 2, "sharpness": 3, "energy": 0, "whole": 0, "cpu_seconds": 2}
    shown = ["-" if row[name] is None else f"{row[name]:.{places}f}" for name, places in digits.items()]
    return LAYOUT.format(row["case"], row["engine"], *shown)


def fade_line(row: dict[str, Any]) -> str:
    return FADE_LAYOUT.format(row["case"], row["fade"], *(f"{row[name]:.2f}" for name in FADE_COLUMNS[2:]))


if __name__ == "__main__":
    main()
