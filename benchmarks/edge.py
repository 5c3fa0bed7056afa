"""The edge of a mask measured: growing 64 pixels and feathering a 1080p mask, on one thread.

    python benchmarks/edge.py [--json] [--size 1920x1080]

cpu_seconds is the processor time of one mask, the least of the repeats. ComfyUI's GrowMask is run as its node runs it:
scipy.ndimage.grey_dilation with a cross of 3 x 3 pixels, once for every pixel of growth. radius_error_px is how far a
grown disc is from a disc, at its worst angle.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import cv2
import numpy as np
from scipy import ndimage

from escalier.mask import Edge, shape_edge

GROW_PX, FEATHER_PX = 64, 24
COLUMNS = ("what", "size", "cpu_seconds", "radius_error_px")


def body(height: int, width: int) -> np.ndarray:
    """A mask of arms and legs, float32."""
    canvas = np.zeros((height, width), np.uint8)
    unit = height / 100
    for x, y, a, b, angle in ((0, 42, 13, 25, 8), (22, 32, 22, 5, -25), (-22, 38, 22, 5, 30), (12, 75, 24, 7, 62)):
        centre = (int(width / 2 + x * unit), int(y * unit))
        cv2.ellipse(canvas, centre, (int(a * unit), int(b * unit)), angle, 0, 360, 255, -1)
    return (canvas > 0).astype(np.float32)


def grow_mask(mask: np.ndarray) -> np.ndarray:
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    for _ in range(GROW_PX):
        mask = ndimage.grey_dilation(mask, footprint=cross)
    return mask


def processor_seconds(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def radius_error(grow: Callable[[np.ndarray], np.ndarray]) -> float:
    """How far the grown disc's outline strays from the circle it should be."""
    i, j = np.mgrid[:401, :401]
    far = np.hypot(i - 200, j - 200)
    grown = grow((far <= 40).astype(np.float32)) >= 0.5
    outline = grown & ~cv2.erode(grown.view(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return float(np.abs(far[outline] - 40 - GROW_PX).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--size", default="1920x1080", metavar="WIDTHxHEIGHT")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each row; the fastest counts")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    width, height = map(int, options.size.split("x"))
    hard = body(height, width)
    soft = cv2.GaussianBlur(hard, (0, 0), 2)
    feather = {"spread_px": GROW_PX, "feather_outside_px": FEATHER_PX}
    clean = {"fill_holes_area": 500, "drop_islands_area": 500}
    error = radius_error(lambda disc: shape_edge(disc, Edge(spread_px=GROW_PX)))
    work = {
        "ComfyUI GrowMask 64, no feather": lambda: grow_mask(hard),
        "shape_edge spread 64": lambda: shape_edge(hard, Edge(spread_px=GROW_PX)),
        "shape_edge spread 64 + feather 24": lambda: shape_edge(hard, Edge(**feather)),
        "the same, of a soft mask": lambda: shape_edge(soft, Edge(**feather)),
        "the same, holes and islands too": lambda: shape_edge(hard, Edge(**feather, **clean)),
    }
    rows = []
    for what, run in work.items():
        repeats = 1 if what.startswith("ComfyUI") else options.repeats
        strays = radius_error(grow_mask) if what.startswith("ComfyUI") else error
        values = (what, options.size, round(processor_seconds(run, repeats), 4), round(strays, 1))
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print("| " + " | ".join(COLUMNS) + " |")
    print("|---" * len(COLUMNS) + "|")
    for row in rows:
        print("| " + " | ".join(str(row[column]) for column in COLUMNS) + " |")


if __name__ == "__main__":
    main()
