"""Poisson blending measured: speed, memory and error of every solver, side by side in one run, one thread each.

    python benchmarks/poisson.py [--json] [--sizes 1920x1080 3840x2160] [--repeats 5]

Every row is a process of its own. cpu_seconds is the processor time of one frame, the least of the repeats, after a
warm-up at a small size; float pictures for ours, 8 bits for OpenCV, which takes no other. peak_mb is what the process
holds at most, above the two pictures and the mask, the blended picture included. max_error_levels is the largest
difference, in levels of 255, to a direct sparse solution in float64 of the equation that the mask asks for;
changed_outside counts the pixels outside the mask that are no longer the target's. cv2.seamlessClone solves an easier
equation, on the mask's bounding rectangle.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

SIZES = ("1920x1080", "3840x2160")
HARD_SIZE = "640x360"
HARD_CASES = ("border", "half", "all_but_one", "pinholes", "random", "stripes")
SOLVERS = ("cv2.seamlessClone", "numba", "torch", "numba conjugate_gradient")
COLUMNS = ("case", "size", "solver", "threads", "cpu_seconds", "peak_mb", "max_error_levels", "changed_outside")


def dancer(height: int, width: int, share: float = 0.25) -> np.ndarray:
    """A body with limbs and a rough outline that covers that share of the picture, two pixels off its border."""
    rng = np.random.default_rng(0)
    grain = rng.standard_normal((height // 16 + 2, width // 16 + 2)).astype(np.float32)
    grain = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC) * height / 360
    parts = (
        (0, -0.30, 0.075, 0.095, 0),
        (0, -0.06, 0.13, 0.19, 8),
        (0.22, -0.16, 0.19, 0.05, -25),
        (-0.22, -0.10, 0.19, 0.05, 30),
        (0.13, 0.24, 0.20, 0.075, 62),
        (-0.14, 0.24, 0.20, 0.075, 115),
        (0, 0.10, 0.20, 0.13, 0),
    )
    low, high = 0.4, 2.2
    mask = np.zeros((height, width), bool)
    for _ in range(12):
        scale = (low + high) / 2 * height
        canvas = np.zeros((height, width), np.uint8)
        for x, y, a, b, angle in parts:
            centre = (int(width / 2 + x * scale), int(height / 2 + y * scale))
            cv2.ellipse(canvas, centre, (int(a * scale), int(b * scale)), angle, 0, 360, 255, -1)
        signed = cv2.distanceTransform(canvas, cv2.DIST_L2, 5) - cv2.distanceTransform(255 - canvas, cv2.DIST_L2, 5)
        mask = signed + grain > 0
        low, high = (scale / height, high) if mask.mean() < share else (low, scale / height)
    mask[:2] = mask[-2:] = False
    mask[:, :2] = mask[:, -2:] = False
    return mask


def case_mask(case: str, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    mask = np.ones((height, width), bool)
    if case.startswith("dancer"):
        return dancer(height, width)
    if case == "border":
        mask = np.roll(dancer(height, width, 0.4), height // 3, axis=0)
    elif case == "half":
        mask[:, width // 2 :] = False
    elif case == "all_but_one":
        mask[height // 2 + 1, width // 3] = False
    elif case == "pinholes":
        mask = rng.random(mask.shape) > 0.01
    elif case == "random":
        mask = rng.random(mask.shape) > 0.5
    elif case == "stripes":
        mask[:, ::3] = False
    return mask


def pictures(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Source and target, uint8."""
    rng = np.random.default_rng(2)
    made = []
    for tint in ((25, 0, -25), (0, 0, 0)):
        picture = np.full((height, width, 3), 127, np.float32) + np.array(tint, np.float32)
        for cells, amplitude in ((4, 42), (12, 21), (48, 12), (200, 7)):
            noise = rng.standard_normal((cells, cells, 3)).astype(np.float32)
            picture += amplitude * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        picture += 2 * rng.standard_normal(picture.shape).astype(np.float32)
        made.append(np.rint(np.clip(picture, 0, 255)).astype(np.uint8))
    return made[0], made[1]


def problem(case: str, size: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Source, target, mask and kind of gradients."""
    width, height = map(int, size.split("x"))
    source, target = pictures(height, width)
    return source, target, case_mask(case, height, width), "mixed" if case.endswith("mixed") else "import"


def solve_directly(source: np.ndarray, target: np.ndarray, mask: np.ndarray, gradients: str) -> np.ndarray:
    """The blend by a sparse factorisation in float64, in levels of 255."""
    from scipy import sparse
    from scipy.sparse.linalg import splu

    source, target = source.astype(np.float64), target.astype(np.float64)
    count = int(mask.sum())
    number = np.full(mask.shape, -1)
    number[mask] = np.arange(count)
    diagonal, right, rows, columns = np.zeros(count), np.zeros((count, 3)), [], []
    for axis in (0, 1):
        near, far = [slice(None), slice(None)], [slice(None), slice(None)]
        near[axis], far[axis] = slice(None, -1), slice(1, None)
        field = source[tuple(far)] - source[tuple(near)]
        if gradients == "mixed":
            other = target[tuple(far)] - target[tuple(near)]
            field = np.where(np.abs(other) > np.abs(field), other, field)
        for here, there, flow in ((tuple(near), tuple(far), -field), (tuple(far), tuple(near), field)):
            inside = mask[here]
            p, q = number[here][inside], number[there][inside]
            diagonal += np.bincount(p, minlength=count)
            for channel in range(3):
                rim = np.where(q < 0, target[there][inside][:, channel], 0)
                right[:, channel] += np.bincount(p, flow[inside][:, channel] + rim, minlength=count)
            rows.append(p[q >= 0])
            columns.append(q[q >= 0])
    i, j = np.concatenate(rows), np.concatenate(columns)
    places = (np.concatenate([np.arange(count), i]), np.concatenate([np.arange(count), j]))
    matrix = sparse.csc_matrix((np.concatenate([diagonal, np.full(len(i), -1.0)]), places), shape=(count, count))
    solution = target.copy()
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    solution[mask] = factors.solve(right)
    return solution.astype(np.float32)


def blender(solver: str, gradients: str):
    """A function of source, target (uint8) and mask that prepares them, and one that blends what was prepared."""
    if solver.startswith("cv2"):
        flag = cv2.MIXED_CLONE if gradients == "mixed" else cv2.NORMAL_CLONE

        def clone(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            centre = (int(columns[0] + columns[-1]) // 2, int(rows[0] + rows[-1]) // 2)
            return cv2.seamlessClone(source, target, mask.view(np.uint8) * 255, centre, flag)

        return lambda picture: picture, clone
    from escalier.composite import Blending, Machine, poisson_blend

    backend = "torch" if solver.startswith("torch") else "cpu"
    kind = solver.split()[1] if " " in solver else "multigrid"

    def blend(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return poisson_blend(
            source,
            target,
            mask,
            Blending(gradients=gradients, screening=0.0, solver=kind),
            machine=Machine(backend, "cpu"),
        )

    return lambda picture: picture.astype(np.float32) / np.float32(255), blend


def resident_mb(what: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    return float("nan")


def measure(case: str, size: str, solver: str, repeats: int, truth_file: str) -> dict:
    """One row. Runs in a process of its own."""
    cv2.setNumThreads(1)
    if solver.startswith("torch"):
        import torch

        torch.set_num_threads(1)
    small = problem(case, "160x120")
    source, target, mask, gradients = problem(case, size)
    prepare, blend = blender(solver, gradients)
    blend(prepare(small[0]), prepare(small[1]), small[2])
    source, target = prepare(source), prepare(target)
    before = resident_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest mark so far
    times, blended = [], target
    for repeat in range(repeats):
        started = time.process_time()
        blended = blend(source, target, mask)
        times.append(time.process_time() - started)
        if repeat == 0:
            peak = resident_mb("VmHWM") - before
    scale = 1 if blended.dtype == np.uint8 else 255
    error = np.abs(blended[mask].astype(np.float32) * scale - np.load(truth_file)[mask]).max()
    changed = int((blended[~mask] != target[~mask]).any(axis=-1).sum())
    values = (case, size, solver, 1, round(min(times), 4), round(peak, 1), round(float(error), 4), changed)
    return dict(zip(COLUMNS, values, strict=True))


def run(sizes: list[str], repeats: int) -> list[dict]:
    wanted = [(case, size, SOLVERS[:3]) for size in sizes for case in ("dancer", "dancer_mixed")]
    wanted[0] = (*wanted[0][:2], SOLVERS)  # hundreds of steps: once is enough
    wanted += [(case, HARD_SIZE, ("numba", "torch")) for case in HARD_CASES]
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case, size, solvers in wanted:
            truth = str(Path(folder) / "truth.npy")
            make = f"import runpy, numpy as np; b = runpy.run_path({__file__!r}); "
            make += f"np.save({truth!r}, b['solve_directly'](*b['problem']({case!r}, {size!r})))"
            subprocess.run([sys.executable, "-c", make], check=True, env={**os.environ, **one_thread})
            for solver in solvers:
                times = 1 if "conjugate" in solver else repeats
                row = [sys.executable, __file__, "--row", case, size, solver, str(times), truth]
                out = subprocess.run(row, check=True, env={**os.environ, **one_thread}, capture_output=True, text=True)
                rows.append(json.loads(out.stdout.splitlines()[-1]))
                print(*rows[-1].values(), sep="\t", file=sys.stderr, flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), metavar="WIDTHxHEIGHT")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each row; the fastest counts")
    parser.add_argument("--row", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        case, size, solver, repeats, truth = options.row
        print(json.dumps(measure(case, size, solver, int(repeats), truth)))
        return
    rows = run(options.sizes, options.repeats)
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---" * len(COLUMNS) + "|")
    for row in rows:
        print("| " + " | ".join(str(row[column]) for column in COLUMNS) + " |")


if __name__ == "__main__":
    main()
