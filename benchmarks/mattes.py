"""How near a subject with loose hair and motion blur comes to the truth in a foreign room.

    python benchmarks/mattes.py [--sizes NAME ...] [--seeds N ...] [--json]

The clip by code knows each strand's alpha and colour. Its masks are cut at one half, softened (`soft_mattes`), and set
into a blue room (`place_subject_film`, light 0): with the empty room given, and with none, when the film gives it. The
middle third of 24 frames is judged.

Columns: error, the mean difference from the truth in levels, where the true alpha is neither 0 nor 1; cut, the same of
the mask cut at one half and pasted; share, the one over the other; true_alpha, the share with the true mattes in place
of the softened ones; colours and alpha, how much they change there from frame to frame along the true motion, over what
the truth changes (colours with the film's grain); cpu_seconds a frame, of matte and placing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from itertools import pairwise

import cv2
import numpy as np

from escalier.composite import Placing, place_subject_film, soft_mattes
from escalier.film import ArrayFrames, MovingClip, Size, make_clip, warp

SIZES = {"480x270": Size(480, 270), "960x540": Size(960, 540)}
LENGTH, JUDGED = 24, range(8, 16)
COLUMNS = ("size", "seed", "old_room", "error", "cut", "share", "true_alpha", "colours", "alpha", "cpu_seconds")
GRAIN = 1.8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 5, 7])
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if not args.json:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for name in args.sizes:
        for seed in args.seeds:
            for row in measure(SIZES[name], seed):
                row = {"size": name, "seed": seed} | row
                cells = " | ".join(str(row[column]) for column in COLUMNS)
                print(json.dumps(row) if args.json else f"| {cells} |", flush=True)


def measure(size: Size, seed: int) -> Iterator[dict[str, object]]:
    clip = make_clip(size, LENGTH, seed=seed, hair=150, shutter=0.5, grain=GRAIN)
    film, empty = (ArrayFrames(np.stack([of(i) for i in range(LENGTH)])) for of in (clip.frame, clip.room))
    truth = np.stack([clip.matte(i) for i in range(LENGTH)])
    own = [clip.own_colours(i) for i in range(LENGTH)]
    new = np.broadcast_to(np.float32((0.16, 0.24, 0.75)), (size.height, size.width, 3)).copy()
    cuts = truth >= 0.5
    grain = np.random.default_rng(0)
    grainy = [colour + np.float32(GRAIN / 255) * grain.standard_normal(colour.shape, np.float32) for colour in own]
    calm = changes(clip, grainy, truth), changes(clip, list(truth), truth)
    for said, room in (("given", empty), ("of the film", None)):
        next(soft_mattes(ArrayFrames(clip.frame(0)[None]), cuts[:1], ArrayFrames(clip.room(0)[None])))  # compiles
        began = time.process_time()
        mattes = np.stack([*soft_mattes(film, cuts, room)])
        made = [*place_subject_film(film, ArrayFrames(new[None]), mattes, Placing(light=0), old_room=room)]
        seconds = (time.process_time() - began) / LENGTH
        known = [*place_subject_film(film, ArrayFrames(new[None]), truth, Placing(light=0), old_room=room)]
        errors = np.zeros(3)
        for i in JUDGED:
            share, band = truth[i][..., None], (truth[i] > 0.02) & (truth[i] < 0.98)
            right = share * own[i] + (1 - share) * new
            pasted = np.where(cuts[i][..., None], film.frame(i) / np.float32(255), new)
            errors += [255 * np.abs(picture - right)[band].mean() for picture in (made[i], pasted, known[i])]
        error, cut, best = errors / len(JUDGED)
        yield {
            "old_room": said,
            "error": round(error, 2),
            "cut": round(cut, 2),
            "share": round(error / cut, 2),
            "true_alpha": round(best / cut, 2),
            "colours": round(changes(clip, colours_of(film, mattes, room), truth) / calm[0], 2),
            "alpha": round(changes(clip, list(mattes), truth) / calm[1], 2),
            "cpu_seconds": round(seconds, 2),
        }


def colours_of(film: ArrayFrames, mattes: np.ndarray, room: ArrayFrames | None) -> list[np.ndarray]:
    """The subject's colours as they are placed, seen in a black room."""
    black = ArrayFrames(np.zeros((1, *mattes.shape[1:], 3), np.float32))
    placed = place_subject_film(film, black, mattes, Placing(light=0), old_room=room)
    return [picture / np.maximum(matte, 1e-3)[..., None] for picture, matte in zip(placed, mattes, strict=True)]


def changes(clip: MovingClip, pictures: list[np.ndarray], truth: np.ndarray) -> float:
    """How much pictures change from frame to frame along the subject's true motion, in the soft band by its matte."""
    total = weight = 0.0
    for before, after in pairwise(JUDGED):
        flow = subject_flow(clip.flow(after, before), truth[after] >= 0.9)
        shared = np.minimum(warp(truth[before], flow), truth[after])
        band = np.where((shared > 0.05) & (shared < 0.95), shared, 0)
        change = np.abs(pictures[after] - warp(np.float32(pictures[before]), flow))
        total += float(((change if change.ndim == 2 else change.mean(axis=2)) * band).sum())
        weight += float(band.sum())
    return total / weight


def subject_flow(flow: np.ndarray, body: np.ndarray) -> np.ndarray:
    """The flow of the nearest pixel of the body, float32 (H, W, 2)."""
    _, labels = cv2.distanceTransformWithLabels((~body).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    nearest = np.zeros(labels.max() + 1, np.intp)
    nearest[labels[body]] = np.flatnonzero(body)
    return cv2.GaussianBlur(flow.reshape(-1, 2)[nearest[labels]], (0, 0), 3)


if __name__ == "__main__":
    main()
