"""What a staircase costs and how well its fades hide: 540p and 1080p, with one, two and five keyframes.

    python benchmarks/staircase.py [--film FILE] [--frames 25] [--sizes 960x540 1920x1080] [--threads 2] [--json]

Each row is a process of its own, so that its peak memory is its own. Without --film the clip is made by code. Keyframes
are frames of the clip put through the painterly filter of `escalier.keyframes.paint`, spread evenly.

Columns: cpu_seconds and wall_seconds of the whole job (flow, guides, synthesis, fades, encoding; kernels already
compiled); peak_mb of the process; energy, the guide part of EbSynth's energy per pixel, in 8-bit levels squared summed
over the patch; ghosting kept and pop as in `escalier.coherence.fade_report`.
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

from escalier.counts import processors

COLUMNS = ("case", "size", "frames", "keyframes", "cpu_seconds", "wall_seconds", "peak_mb", "energy", "ghosting", "pop")
KEYFRAME_COUNTS = (1, 2, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--film", help="a clip to use instead of the one made by code")
    parser.add_argument("--frames", type=int, default=25)
    parser.add_argument("--sizes", nargs="+", default=["960x540", "1920x1080"], metavar="WxH")
    parser.add_argument("--keyframes", nargs="+", type=int, default=list(KEYFRAME_COUNTS))
    parser.add_argument("--threads", type=int, default=processors())
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        print(json.dumps(measure(**json.loads(args.row))))
        return
    first = True
    for size in args.sizes:
        for count in args.keyframes:
            row = run_apart(
                {"film": args.film, "size": size, "frames": args.frames, "keyframes": count, "threads": args.threads}
            )
            print(json.dumps(row) if args.json else table_line(row, header=first), flush=True)
            first = False
    print(f"threads {args.threads}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)


def run_apart(arguments: dict[str, object]) -> dict[str, object]:
    command = [sys.executable, __file__, "--row", json.dumps(arguments)]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(outcome.stdout.strip().splitlines()[-1])


def table_line(row: dict[str, object], *, header: bool) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)] if header else []
    return "\n".join([*lines, "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |"])


def measure(film: str | None, size: str, frames: int, keyframes: int, threads: int) -> dict[str, object]:
    """One row. The kernels are compiled, on a few small frames, before the clock starts."""
    import resource

    from escalier import stylise
    from escalier.coherence import measure_fades
    from escalier.film import ArrayFrames, Motion, Size, make_clip, open_film
    from escalier.keyframes import choose_keyframes

    wanted = Size(*map(int, size.split("x")))
    clip = _scaled(open_film(film), wanted, frames) if film else _stored(make_clip(wanted, frames))
    tiny = ArrayFrames(make_tiny(clip))
    with tempfile.TemporaryDirectory() as folder:
        stylise(tiny, _painted(tiny, (0,)), threads=threads)
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        painted = _painted(clip, choose_keyframes(clip, "count", count=keyframes))
        staircase = stylise(clip, painted, Path(folder) / "film.mp4", scratch=folder, threads=threads)
        after, wall = resource.getrusage(resource.RUSAGE_SELF), time.monotonic() - began
        report = measure_fades(staircase, clip, Motion(clip, folder))
        energy = guide_energy(staircase.runs)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "case": Path(film).stem if film else "clip by code",
        "size": size,
        "frames": len(clip),
        "keyframes": keyframes,
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
        "peak_mb": round(after.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)),
        "energy": round(energy),
        "ghosting": None if report.ghosting is None else round(report.ghosting, 3),
        "pop": None if report.pop is None else round(report.pop, 2),
    }


def _painted(clip, indices):
    from escalier.keyframes import Keyframes, paint_picture

    return Keyframes(indices, [paint_picture(clip.frame(index), "poster") for index in indices], len(clip))


def make_tiny(clip):
    import cv2
    import numpy as np

    return np.stack([cv2.resize(clip.frame(index), (96, 64)) for index in range(min(3, len(clip)))])


def _stored(clip):
    """The clip by code in an array, so that drawing it costs the measured job nothing."""
    import numpy as np

    from escalier.film import ArrayFrames

    return ArrayFrames(np.stack([clip.frame(index) for index in range(len(clip))]), clip.rate)


def _scaled(film, size, frames):
    """The first frames of a film, cropped to the wanted shape and scaled."""
    import cv2
    import numpy as np

    from escalier.film import ArrayFrames, as_uint8

    scale = max(size.width / film.size.width, size.height / film.size.height)
    grown = (round(film.size.width * scale), round(film.size.height * scale))
    left, top = (grown[0] - size.width) // 2, (grown[1] - size.height) // 2
    pictures = [
        cv2.resize(as_uint8(film.frame(index)), grown, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        for index in range(min(frames, len(film)))
    ]
    return ArrayFrames(np.stack([p[top : top + size.height, left : left + size.width] for p in pictures]), film.rate)


def guide_energy(runs) -> float:
    """Mean guide energy per pixel of all runs: a run keeps its root mean square over patch and weights."""
    import numpy as np

    from escalier.propagation import FilmMatching, Guides

    weights = {name: weight for name, weight in Guides().weights().items() if name != "mask"}
    scale = FilmMatching().patch_size ** 2 * sum(weights.values())
    every = [run for runs_of in (runs.forward, runs.backward) for run in runs_of.values() if len(run) > 1]
    means = [np.square(run.guide_error[d].astype(np.float32)).mean() for run in every for d in range(1, len(run))]
    return float(np.mean(means)) * scale


if __name__ == "__main__":
    main()
