"""How near a subject with loose hair and motion blur comes to the truth in a foreign room.

    python benchmarks/mattes.py [--json]

The clip by code knows each strand's alpha and colour. Its masks are cut at one half, softened against the empty room
(`soft_mattes`), and set into a blue room (`place_subject_film`, light 0), with the empty room and the film's motion.

Columns: error, the mean difference from the truth in levels, where the true alpha is neither 0 nor 1; cut, the same of
the mask cut at one half and pasted; share, the one over the other; true_alpha, the share with the true mattes in place
of the softened ones; cpu_seconds a frame, of matte and placing, without the motion.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time

import cv2
import numpy as np

from escalier.composite import Placing, place_subject_film, soft_mattes
from escalier.film import ArrayFrames, Motion, Size, make_clip

SIZES = {"480x270": Size(480, 270), "960x540": Size(960, 540)}
FRAMES = range(8, 16)
COLUMNS = ("size", "error", "cut", "share", "true_alpha", "cpu_seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if not args.json:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for name, size in SIZES.items():
        row = {"size": name} | measure(size)
        print(json.dumps(row) if args.json else "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |")


def measure(size: Size) -> dict[str, float]:
    clip = make_clip(size, 24, hair=150, shutter=0.5)
    film, old_room = (ArrayFrames(np.stack([of(i) for i in FRAMES])) for of in (clip.frame, clip.room))
    new = np.broadcast_to(np.float32((0.16, 0.24, 0.75)), (size.height, size.width, 3)).copy()
    truth = np.stack([clip.matte(i) for i in FRAMES])
    cuts = truth >= 0.5
    next(soft_mattes(film, cuts, old_room))  # compiles
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(film, folder)
        motion.prepare(threads=1)

        def placed(mattes: np.ndarray) -> list[np.ndarray]:
            rooms = ArrayFrames(new[None])
            return [*place_subject_film(film, rooms, mattes, Placing(light=0), old_room=old_room, motion=motion)]

        began = time.process_time()
        made = placed(np.stack([*soft_mattes(film, cuts, old_room)]))
        seconds = time.process_time() - began
        known = placed(truth)
    errors = np.zeros(3)
    for k, i in enumerate(FRAMES):
        share, band = truth[k][..., None], (truth[k] > 0.02) & (truth[k] < 0.98)
        right = share * clip.own_colours(i) + (1 - share) * new
        pasted = np.where(cuts[k][..., None], film.frame(k) / np.float32(255), new)
        errors += [255 * np.abs(picture - right)[band].mean() for picture in (made[k], pasted, known[k])]
    error, cut, best = errors / len(FRAMES)
    return {
        "error": round(error, 2),
        "cut": round(cut, 2),
        "share": round(error / cut, 2),
        "true_alpha": round(best / cut, 2),
        "cpu_seconds": round(seconds / len(FRAMES), 2),
    }


if __name__ == "__main__":
    main()
