"""The engines side by side: processor-seconds, wall seconds, peak memory and energy on the same inputs.

    python benchmarks/engine.py --reference FOLDER [--original PATH_TO_EBSYNTH_LIBRARY] [--card] [--footage FOLDER]
        [--json]

FOLDER holds the original's published cases (facestyle, stylit, texbynum) with their published arguments. --footage adds
frames of two filmed clips, guided by colour, edge and position. --card adds the card engine; where no card is there, it
runs on Warp's processor device, which says something about its energy and nothing about its speed. Every run has a
process of its own, so that its peak memory is its own; kernels are loaded before the clock starts. Energy is the mean
over the target of what EbSynth minimises (`escalier.pyebsynth.energy`), the same for every engine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

ON_THE_PROCESSOR = "card (processor device)"
COLUMNS = ("case", "engine", "threads", "cpu_seconds", "wall_seconds", "peak_mb", "energy")


class Case(NamedTuple):
    """One synthesis: the arguments of `synthesise`."""

    style: np.ndarray
    source_guides: list[np.ndarray]
    target_guides: list[np.ndarray]
    weights: list[float]
    patch_size: int = 5
    uniformity: float = 3500.0

    def crop(self, side: int) -> Case:
        """A corner of it, to load the same kernels with."""
        corner = (slice(0, side), slice(0, side))
        return self._replace(
            style=self.style[corner],
            source_guides=[guide[corner] for guide in self.source_guides],
            target_guides=[guide[corner] for guide in self.target_guides],
        )


def read(path: Path) -> np.ndarray:
    """A picture as RGB, or as one channel where it is grey, as the original reads it."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise FileNotFoundError(f"engine: {path} must be a picture, but it cannot be read; check --reference")
    if picture.ndim == 2:
        return picture[..., None]
    picture = picture[..., 2::-1]
    grey = (picture == picture[..., :1]).all()
    return np.ascontiguousarray(picture[..., :1] if grey else picture)


def published(folder: Path, style: str, guides: dict[str, float], **dials: Any) -> Case:
    sides: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for name in guides:
        pair = [read(folder / f"{side}_{name}.png") for side in ("source", "target")]
        channels = max(picture.shape[2] for picture in pair)
        for side, picture in zip(sides, pair, strict=True):
            side.append(picture if picture.shape[2] == channels else np.repeat(picture, channels, axis=2))
    picture = cv2.cvtColor(cv2.imread(str(folder / style)), cv2.COLOR_BGR2RGB)
    return Case(picture, *sides, weights=list(guides.values()), **dials)


def facestyle(folder: Path) -> Case:
    return published(folder / "facestyle", "source_painting.png", {"Gapp": 0.5, "Gseg": 1.5, "Gpos": 10.0})


def stylit(folder: Path) -> Case:
    guides = dict.fromkeys(("fullgi", "dirdif", "dirspc", "indirb"), 0.5)
    return published(folder / "stylit", "source_style.png", guides)


def texbynum(folder: Path) -> Case:
    return published(folder / "texbynum", "source_photo.png", {"segment": 1.0}, patch_size=3, uniformity=1000.0)


def restyle(frame: np.ndarray) -> np.ndarray:
    """A deterministic painterly filter, the stand-in for an artist."""
    smooth = cv2.edgePreservingFilter(frame, flags=cv2.RECURS_FILTER, sigma_s=25, sigma_r=0.35)
    hue, saturation, value = cv2.split(cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV).astype(np.int32))
    painted = [(hue + 25) % 180, np.minimum(saturation * 3 // 2, 255), value // 24 * 24]
    picture = cv2.cvtColor(cv2.merge(painted).astype(np.uint8), cv2.COLOR_HSV2RGB)
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    lines = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 6) == 0
    picture[lines] = (picture[lines] * 0.35).astype(np.uint8)
    return picture


def filmed(clip: Path, first: int, size: tuple[int, int], steps: int = 8, enlarge: int = 1) -> Case:
    """Frame `first` painted and carried to the one `2 * steps` later, every second frame in between."""
    frames = read_frames(clip, range(first, first + 2 * steps + 1, 2), size)
    frames = [cv2.resize(frame, None, fx=enlarge, fy=enlarge, interpolation=cv2.INTER_CUBIC) for frame in frames]
    still = np.stack(np.meshgrid(*(np.linspace(0, 255, n, dtype=np.float32) for n in frames[0].shape[1::-1])), axis=-1)
    positions, flow_of = still, cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    pixels = np.stack(np.meshgrid(*(np.arange(n, dtype=np.float32) for n in frames[0].shape[1::-1])), axis=-1)
    for before, after in itertools.pairwise(frames):
        greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (after, before)]
        places = pixels + flow_of.calc(*greys, None)
        positions = cv2.remap(positions, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    style = restyle(frames[0])
    sides = [
        [frame, edges(frame), np.rint(place).astype(np.uint8)]
        for frame, place in ((frames[0], still), (frames[-1], positions))
    ]
    return Case(style, *sides, weights=[6.0, 0.5, 2.0])


def edges(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.clip(grey - cv2.GaussianBlur(grey, (0, 0), 3) + 128, 0, 255).astype(np.uint8)


def read_frames(clip: Path, indices: range, size: tuple[int, int]) -> list[np.ndarray]:
    capture, frames = cv2.VideoCapture(str(clip)), []
    for index in range(indices[-1] + 1):
        there, frame = capture.read()
        if not there:
            raise FileNotFoundError(f"engine: {clip} must hold frame {index}, but it cannot be read; check --footage")
        if index in indices:
            frames.append(cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB))
    capture.release()
    return frames


REFERENCE: dict[str, Callable[[Path], Case]] = {"facestyle": facestyle, "stylit": stylit, "texbynum": texbynum}
FOOTAGE: dict[str, Callable[[Path], Case]] = {
    "talking_head 540x960": lambda folder: filmed(folder / "talking_head_540x960_25fps.mp4", 100, (540, 960)),
    "cups 960x540": lambda folder: filmed(folder / "cups_1280x720_30fps.mp4", 140, (960, 540)),
    "cups 1920x1080": lambda folder: filmed(folder / "cups_1280x720_30fps.mp4", 140, (960, 540), 2, enlarge=2),
}


def measure(case: Case, engine: str, threads: int) -> dict[str, Any]:
    """One run in this process; the energy is taken after the peak of memory was read."""
    from escalier.pyebsynth import measure_energy, plain_problem, synthesise

    def solve(given: Case) -> Any:
        return synthesise(**given._asdict(), backend=engine, threads=threads)

    if engine != "original":
        solve(case.crop(64))
    clocks = time.process_time(), time.perf_counter()
    result = solve(case)
    cpu, wall = time.process_time() - clocks[0], time.perf_counter() - clocks[1]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak_mb = peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
    problem = plain_problem(**case._asdict())
    energy = measure_energy(problem, result.image, result.nnf).total
    return {"cpu_seconds": cpu, "wall_seconds": wall, "peak_mb": peak_mb, "energy": energy}


def measure_apart(arguments: list[str], engine: str, threads: int, library: str | None) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if library:
        environment["EBSYNTH_LIBRARY"] = library
    if engine == ON_THE_PROCESSOR:
        environment["ESCALIER_CARD_DEVICE"], engine = "cpu", "card"
    command = [sys.executable, __file__, *arguments, "--engine", engine, "--threads", str(threads)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise RuntimeError(f"engine: {engine} must finish, got exit code {finished.returncode}:\n{finished.stderr}")
    return json.loads(finished.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path, required=True, help="folder with facestyle, stylit and texbynum")
    parser.add_argument("--original", help="the original's shared library, to run beside")
    parser.add_argument("--card", action="store_true", help="the card engine too; without a card on Warp's processor")
    parser.add_argument("--footage", type=Path, help="folder with the filmed clips")
    parser.add_argument("--cases", nargs="*", help="only these cases")
    parser.add_argument("--json", action="store_true", help="one JSON object for each row")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        loader = REFERENCE.get(asked.one) or FOOTAGE[asked.one]
        case = loader(asked.reference if asked.one in REFERENCE else asked.footage)
        print(json.dumps(measure(case, asked.engine, asked.threads)))
        return
    engines = [("cpu", 1), ("cpu", 2)] + ([("original", 1)] if asked.original else [])
    engines += [(card_engine(), 1)] if asked.card else []
    cases = [*REFERENCE, *(FOOTAGE if asked.footage else ())]
    if not asked.json:
        print("{:22} {:23} {:>7} {:>12} {:>13} {:>8} {:>9}".format(*COLUMNS))
    for name in asked.cases or cases:
        arguments = ["--reference", str(asked.reference), "--one", name]
        arguments += ["--footage", str(asked.footage)] if asked.footage else []
        for engine, threads in engines:
            row = {"case": name, "engine": engine, "threads": threads}
            row |= measure_apart(arguments, engine, threads, asked.original)
            print(json.dumps(row) if asked.json else as_line(row), flush=True)


def card_engine() -> str:
    """The name that tells a card from a stand-in."""
    from escalier.pyebsynth import card_is_there

    return "card" if card_is_there() else ON_THE_PROCESSOR


def as_line(row: dict[str, Any]) -> str:
    return (
        f"{row['case']:22} {row['engine']:23} {row['threads']:7} {row['cpu_seconds']:12.2f} "
        f"{row['wall_seconds']:13.2f} {row['peak_mb']:8.0f} {row['energy']:9.0f}"
    )


if __name__ == "__main__":
    main()
