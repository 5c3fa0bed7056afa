"""Every engine on EbSynth's own published examples, side by side in one run: what each costs and how good it is.

    python benchmarks/engine.py --reference FOLDER [--original PATH_TO_EBSYNTH_LIBRARY] [--threads 1] [--json]

FOLDER holds the examples as EbSynth publishes them (facestyle, stylit, texbynum), run with the published arguments.
Each row is a process of its own, so that its peak memory is its own; kernels are compiled before the clock starts.
Figures are means over seeds 0 to N - 1 (--seeds, 3 by default); the original takes no seed and runs once.

energy is the mean over the target of what EbSynth minimises, guides + style + uniformity * usage, reckoned by
the one evaluator in `escalier.pyebsynth.energy`. An example may also hold original_output.png and original_nnf.npy
(columns x, y), the result of the original program; it is then a row of its own, with no times.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from escalier.pyebsynth import synthesise
from escalier.pyebsynth.arguments import build_problem
from escalier.pyebsynth.energy import measure_energy

COLUMNS = ("case", "engine", "threads", "cpu_seconds", "wall_seconds", "peak_mb", "energy")

# Style file, guides with their weights, and the arguments of EbSynth's published command lines.
EXAMPLES: dict[str, tuple[str, dict[str, float], dict[str, Any]]] = {
    "facestyle": ("painting", {"Gapp": 0.5, "Gseg": 1.5, "Gpos": 10.0}, {}),
    "stylit": ("style", {"fullgi": 0.5, "dirdif": 0.5, "dirspc": 0.5, "indirb": 0.5}, {}),
    "texbynum": ("photo", {"segment": 1.0}, {"patch_size": 3, "uniformity": 1000.0}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--original", type=Path, metavar="LIBRARY", help="the original ebsynth, as a shared library")
    parser.add_argument("--cases", nargs="+", choices=list(EXAMPLES), default=list(EXAMPLES))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        case, engine = args.row.split()
        print(json.dumps(measure(args.reference, case, engine, args.threads, args.seeds)))
        return
    engines = ["stored", *(["original"] if args.original else []), "cpu"]
    if not args.json:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for case in args.cases:
        for engine in engines:
            if engine == "stored" and not (args.reference / case / "original_nnf.npy").exists():
                continue
            row = run_apart(args, case, engine)
            text = json.dumps(row) if args.json else "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |"
            print(text, flush=True)
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)


def run_apart(args: argparse.Namespace, case: str, engine: str) -> dict[str, object]:
    command = [sys.executable, __file__, "--reference", str(args.reference), "--row", f"{case} {engine}"]
    command += ["--threads", str(args.threads), "--seeds", str(args.seeds)]
    environment = dict(os.environ, OMP_NUM_THREADS=str(args.threads))
    if args.original:
        environment["EBSYNTH_LIBRARY"] = str(args.original.resolve())
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return json.loads(outcome.stdout.strip().splitlines()[-1])


def measure(reference: Path, case: str, engine: str, threads: int, seeds: int) -> dict[str, object]:
    folder = reference / case
    style, sources, targets, weights, options = read_example(folder, case)
    problem = problem_of(style, sources, targets, weights, options)
    row: dict[str, object] = {"case": case, "engine": engine, "threads": threads}
    if engine == "stored":
        image, nnf = read_picture(folder / "original_output.png"), np.load(folder / "original_nnf.npy")[..., ::-1]
        energy = measure_energy(problem, image, np.ascontiguousarray(nnf)).total
        nothing = {"cpu_seconds": None, "wall_seconds": None, "peak_mb": None}
        return row | {"engine": "original, stored", **nothing, "energy": round(energy)}
    if engine == "cpu":
        small = [[guide[:64, :64] for guide in side] for side in (sources, targets)]
        synthesise(style[:64, :64], *small, weights=weights, backend="cpu", threads=1, **options)
    runs = 1 if engine == "original" else seeds
    results = []
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    for seed in range(runs):
        made = synthesise(
            style, sources, targets, weights=weights, backend=engine, threads=threads, seed=seed, **options
        )
        results.append((made.image, made.nnf))
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return row | {
        "cpu_seconds": round(cpu / runs, 2),
        "wall_seconds": round(wall / runs, 2),
        "peak_mb": round(after.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)),
        "energy": round(float(np.mean([measure_energy(problem, *result).total for result in results]))),
    }


def problem_of(style, sources, targets, weights, options):
    """What was asked for, as the evaluator needs it; how it is searched does not matter here."""
    unused = ("pyramid_levels", "search_vote_iterations", "patchmatch_iterations", "stop_threshold", "search_radius")
    masks = ("modulation", "initial_nnf", "source_mask", "target_mask")
    plain = {"uniformity": 3500.0, "patch_size": 5, "style_weight": 1.0, "voting": "plain"} | options
    plain |= dict.fromkeys((*unused, *masks))
    return build_problem(style, sources, targets, weights=weights, extra_pass_3x3=False, warm_levels=1, seed=0, **plain)


def read_example(folder: Path, case: str):
    style_name, guides, options = EXAMPLES[case]
    pairs = [[read_picture(folder / f"{side}_{name}.png") for side in ("source", "target")] for name in guides]
    sources, targets = ([as_grey_if_both_are(pair)[k] for pair in pairs] for k in (0, 1))
    return read_picture(folder / f"source_{style_name}.png"), sources, targets, list(guides.values()), options


def as_grey_if_both_are(pair: list[np.ndarray]) -> list[np.ndarray]:
    """EbSynth counts a guide whose channels are equal, on both sides, as one channel."""
    grey = all((picture == picture[..., :1]).all() for picture in pair)
    return [picture[..., :1].copy() if grey else picture for picture in pair]


def read_picture(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


if __name__ == "__main__":
    main()
