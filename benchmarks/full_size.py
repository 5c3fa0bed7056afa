"""Full size from a proxy: what 4K costs when it is matched small, how sharp it stays, and how near the truth.

    python benchmarks/full_size.py [--size 3840x2160] [--match-side 960] [--frames 5] [--json]

The clip is made by code and painted by the filter of `escalier.keyframes.paint`; the first painted frame is the
keyframe, the others are the truth. `whole pixels` is the same without sub-pixel painting; `small film` is the film
scaled to the proxy size and propagated there, the cost to compare with.

Columns: cpu_seconds a frame, flow not counted; cost over that of the small film; sharpness, the variance of the
Laplacian over the keyframe's, smallest of the frames; truth, the same of the painted frames; psnr in dB, mean.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from escalier.film import ArrayFrames, Motion, Size, make_clip, scale_film
from escalier.keyframes import Keyframes, paint_picture
from escalier.propagation import Matching, propagate

COLUMNS = ("case", "size", "cpu_seconds", "cost", "sharpness", "truth", "psnr")
PLOT_FRAMES = 60
"""The clip's story is told in this many frames, of which the first are used: motion as filmed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", default="3840x2160", metavar="WxH")
    parser.add_argument("--match-side", type=int, default=960)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object for each row")
    asked = parser.parse_args()
    size = Size(*map(int, asked.size.split("x")))
    clip = make_clip(size, PLOT_FRAMES)
    film = np.stack([clip.frame(index) for index in range(asked.frames)])
    painted = [paint_picture(frame, "poster") for frame in film]
    small_size = Matching(match_side=asked.match_side).size_for(size)
    small = np.stack([scale_film(frame, small_size) for frame in film])
    _, small_cost = propagated(small, scale_film(painted[0], small_size), Matching(), asked.threads)
    row = {"case": "small film", "size": str(small_size), "cpu_seconds": round(small_cost, 2), "cost": 1.0}
    show(row, asked.json, header=True)
    for case, fine in (("full size", True), ("full size, whole pixels", False)):
        matching = Matching(match_side=asked.match_side, sub_pixel=fine)
        frames, cost = propagated(film, painted[0], matching, asked.threads)
        row = {"case": case, "size": str(size), "cpu_seconds": round(cost, 2), "cost": round(cost / small_cost, 2)}
        show(row | figures(frames, painted), asked.json)


def propagated(film: np.ndarray, keyframe: np.ndarray, matching: Matching, threads: int) -> tuple[np.ndarray, float]:
    """All frames of the run, the keyframe first, and processor-seconds a frame; kernels are compiled beforehand."""
    frames = ArrayFrames(film)
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(frames, Path(folder) / "motion")
        motion.prepare()
        keyframes = Keyframes([0], [keyframe], len(frames))
        chosen = {"motion": motion, "matching": matching, "threads": threads, "cuts": ()}
        first_two = ArrayFrames(film[:2])
        warming = {**chosen, "motion": Motion(first_two, Path(folder) / "first")}
        propagate(first_two, Keyframes([0], [keyframe], 2), folder=Path(folder) / "first", **warming)
        before = time.process_time()
        run = propagate(frames, keyframes, folder=Path(folder) / "runs", **chosen).forward[0]
        cost = (time.process_time() - before) / (len(frames) - 1)
        return np.array(run.frames), cost


def figures(frames: np.ndarray, painted: list[np.ndarray]) -> dict[str, float]:
    sharp, truth = ([laplacian(frame) / laplacian(painted[0]) for frame in side[1:]] for side in (frames, painted))
    errors = [np.square(frames[i].astype(np.float32) - painted[i]).mean() for i in range(1, len(frames))]
    psnr = float(np.mean(10 * np.log10(255**2 / np.array(errors))))
    return {"sharpness": round(min(sharp), 3), "truth": round(min(truth), 3), "psnr": round(psnr, 2)}


def laplacian(picture: np.ndarray) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def show(row: dict[str, object], as_json: bool, header: bool = False) -> None:
    if as_json:
        print(json.dumps(row), flush=True)
        return
    if header:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    print("| " + " | ".join(str(row.get(column, "-")) for column in COLUMNS) + " |", flush=True)


if __name__ == "__main__":
    main()
