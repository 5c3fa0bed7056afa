"""What a draft costs, and the advice on it: a hundred frames of 540p at a quarter of the size, on two cores.

    python benchmarks/draft.py [--film FILE ...] [--frames 100] [--keyframes 2 5] [--scale 0.25] [--threads 2]

Each row is a process of its own. Without --film the clip is made by code, 960x540. Keyframes are frames of the clip put
through the painterly filter of `escalier.keyframes.paint`, spread evenly. The flow is measured anew in each row,
kernels are compiled already.

Columns: cpu_seconds and wall_seconds of `draft`, reading the film included; advice_cpu, processor-seconds of
`advise_keyframes` on the film with the draft's runs, its flow measured before; peak_mb of the process; first, the first
suggestion.
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

COLUMNS = (
    "film", "size", "frames", "keyframes", "draft", "cpu_seconds", "wall_seconds", "advice_cpu", "peak_mb", "first",
)  # fmt: skip
MADE_BY_CODE = "made by code"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--film", nargs="+", default=[MADE_BY_CODE], help="clips to use instead of the one made by code"
    )
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--keyframes", nargs="+", type=int, default=[2, 5])
    parser.add_argument("--scale", type=float, default=0.25)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        print(json.dumps(measure(**json.loads(args.row))))
        return
    if not args.json:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for film in args.film:
        for count in args.keyframes:
            settings = {"frames": args.frames, "scale": args.scale, "threads": args.threads}
            row = run_apart({"film": film, "count": count, **settings})
            print(json.dumps(row) if args.json else "| " + " | ".join(str(row[c]) for c in COLUMNS) + " |", flush=True)
    print(f"threads {args.threads}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)


def run_apart(arguments: dict[str, object]) -> dict[str, object]:
    command = [sys.executable, __file__, "--row", json.dumps(arguments)]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(outcome.stdout.strip().splitlines()[-1])


def measure(film: str, count: int, frames: int, scale: float, threads: int) -> dict[str, object]:
    import resource

    from escalier.coherence import advise_keyframes
    from escalier.film import FrameRange, Motion, Size, make_clip, open_film
    from escalier.keyframes import Keyframes, evenly, paint_picture
    from escalier.propagation import make_draft

    with tempfile.TemporaryDirectory() as scratch:
        whole = make_clip(Size(960, 540), frames) if film == MADE_BY_CODE else open_film(film)
        clip = FrameRange(whole, 0, min(frames, len(whole)))
        indices = evenly(len(clip), count)
        keyframes = Keyframes(indices, [paint_picture(clip.frame(index)) for index in indices], len(clip))
        make_draft(
            clip, keyframes, folder=Path(scratch, "warm"), start=indices[0], stop=indices[0] + 2, threads=threads
        )
        cpu, wall = time.process_time(), time.perf_counter()
        runs = make_draft(clip, keyframes, folder=Path(scratch, "draft"), scale=scale, threads=threads)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        motion = Motion(clip, scratch)
        motion.prepare(threads)
        advice_cpu = time.process_time()
        advice = advise_keyframes(clip, motion=motion, runs=runs)
        advice_cpu = time.process_time() - advice_cpu
    return {
        "film": Path(film).stem,
        "size": str(clip.size),
        "frames": len(clip),
        "keyframes": count,
        "draft": str(runs.size),
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
        "advice_cpu": round(advice_cpu, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "first": advice.suggestions[0].frame if advice.suggestions else "none",
    }


if __name__ == "__main__":
    main()
