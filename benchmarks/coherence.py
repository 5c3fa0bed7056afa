"""What the coherence meter finds, and what it costs.

    python benchmarks/coherence.py --defects
    python benchmarks/coherence.py --footage FILM [FILM ...] [--frames 49] [--pictures FOLDER]
    python benchmarks/coherence.py --speed [--frames 600]

Defects: ten synthetic films that are wrong in one way each (tests/support/defective_films.py) beside the ideal restyle.

Footage: restyles made frame by frame, with the relief of the brush, with the strokes or with the colours seeded anew on
every frame, each against the staircase of five keyframes of it. Scaled to an area of 480x270; ratio is the warp error
over the staircase's. With --pictures a frame of each film and of its heat map are written there.

Speed: processor-seconds for a clip of 960x540, optical flow included, and how many flows of the source were computed.

Columns: the figures of `escalier.coherence.measure_film`; warp errors times 1000.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from escalier.coherence import HeatMap, Measurement, measure_film
from escalier.film import ArrayFrames, FrameSource, Motion, Size, as_uint8, open_film, working_size
from escalier.keyframes import Keyframes, choose_keyframes, paint_picture
from escalier.propagation import Staircase, propagate

FIGURES = (
    "warp_error",
    "warp_error_long",
    "flicker",
    "colour_step",
    "colour_drift",
    "pop",
    "motion_error",
    "ghosting_kept",
    "double_exposure",
    "sharpness",
)
KEYFRAMES = 5
FOOTAGE_SIZE = Size(480, 270)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--defects", action="store_true")
    parser.add_argument("--footage", nargs="+", type=Path, metavar="FILM", default=[])
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--frames", type=int)
    parser.add_argument("--pictures", type=Path, metavar="FOLDER")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    args = parser.parse_args()
    if not (args.defects or args.footage or args.speed):
        parser.error("nothing to do: give --defects, --footage or --speed")
    if args.defects:
        show(defects(), args.json)
    for film in args.footage:
        show(footage(film, args.frames or 49, args.pictures), args.json)
    if args.speed:
        show(speed(args.frames or 600), args.json)
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)


def show(rows: Iterator[dict[str, object]], as_json: bool) -> None:
    for number, row in enumerate(rows):
        if as_json:
            print(json.dumps(row), flush=True)
            continue
        if number == 0:
            print("| " + " | ".join(row) + " |\n|" + "---|" * len(row))
        print("| " + " | ".join(str(value) for value in row.values()) + " |", flush=True)


def figures_of(case: str, found: Measurement) -> dict[str, object]:
    """One row: what the meter found, rounded, with a dash where there is no figure."""
    row: dict[str, object] = {"case": case}
    for name in FIGURES:
        value = found.figures[name]
        row[name] = "-" if value is None else round(value * (1000 if "warp" in name else 1), 3)
    return row | {"bought with blur": "yes" if found.bought_with_blur() else "no"}


def defects() -> Iterator[dict[str, object]]:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))
    import defective_films as films

    source, ideal = (ArrayFrames(films.film(frame)) for frame in (films.filmed, films.ideal))
    keyframes = Keyframes.of(ideal, films.KEYFRAMES)
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(source, folder)
        yield figures_of("ideal", measure_film(source, ideal, motion=motion, keyframes=keyframes)) | {"judged by": "-"}
        for name, (frame, figure) in films.DEFECTS.items():
            restyled = ArrayFrames(films.film(frame))
            found = measure_film(source, restyled, motion=motion, keyframes=keyframes)
            yield figures_of(name, found) | {"judged by": figure}


def footage(path: Path, frames: int, pictures: Path | None) -> Iterator[dict[str, object]]:
    clip = scaled(open_film(path), frames)
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(clip, folder)
        indices = choose_keyframes(clip, "count", count=KEYFRAMES)
        for name, restyle in (("relief", relit), ("strokes", dabbed), ("colours", recoloured)):
            flickering = each_frame(clip, restyle)
            painted = Keyframes.of(flickering, indices)
            staircase = Staircase(propagate(clip, painted, folder=folder, motion=motion))
            errors = []
            for kind, film in ((f"staircase, {name}", staircase), (f"{name} re-seeded", flickering)):
                found = measure_film(clip, film, motion=motion, keyframes=painted)
                errors.append(found.figures["warp_error"] or 0.0)
                if pictures is not None:
                    file = f"{path.stem}_{kind.replace(', ', '_').replace(' ', '_')}.png"
                    write_picture(pictures / file, film, HeatMap(film, motion))
                yield figures_of(f"{path.stem}: {kind}", found) | {"ratio": round(errors[-1] / errors[0], 1)}


def speed(frames: int) -> Iterator[dict[str, object]]:
    source, restyled = Panning(frames, seed=0), Panning(frames, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(source, folder)
        flows = counted_flows(motion)
        began, wall = time.process_time(), time.monotonic()
        found = measure_film(source, restyled, motion=motion)
        cpu, wall = time.process_time() - began, time.monotonic() - wall
    lag = found.lag or 0
    yield {
        "frames": frames,
        "size": str(source.size),
        "lag": lag,
        "cpu_seconds": round(cpu, 1),
        "wall_seconds": round(wall, 1),
        "flows": len(flows),
        "flows of the source": len(flows) - (frames - 1),
        "pairs": (frames - 1) + (frames - lag),
    }


def counted_flows(motion: Motion) -> list[int]:
    """A list that grows by one with every pair of frames that is matched, there and back."""
    made: list[int] = []
    compute = motion._both_ways
    motion._both_ways = lambda one, other: made.append(1) or compute(one, other)  # type: ignore[method-assign]
    return made


class Panning:
    """A clip of 960x540 that costs next to nothing to make: a textured scene under a camera that pans."""

    size, rate = Size(960, 540), Fraction(25)

    def __init__(self, length: int, seed: int) -> None:
        noise = np.random.default_rng(seed).integers(0, 256, (700, 1200, 3), np.uint8)
        self._scene = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)
        self._length = length

    def __len__(self) -> int:
        return self._length

    def frame(self, index: int) -> np.ndarray:
        across, down = int(120 + 100 * np.sin(index / 30)), int(80 + 60 * np.cos(index / 41))
        return self._scene[down : down + 540, across : across + 960]


def scaled(film: FrameSource, frames: int) -> ArrayFrames:
    """The first frames of a film at the area of FOOTAGE_SIZE."""
    area = FOOTAGE_SIZE.width * FOOTAGE_SIZE.height
    scale = min(1.0, float(np.sqrt(area / (film.size.width * film.size.height))))
    size = Size(*(2 * round(side * scale / 2) for side in film.size))
    count = min(frames, len(film))
    pictures = [cv2.resize(as_uint8(film.frame(i)), size, interpolation=cv2.INTER_AREA) for i in range(count)]
    assert working_size(size) == size
    return ArrayFrames(np.stack(pictures), film.rate)


def each_frame(clip: FrameSource, restyle: Callable[[np.ndarray, int], np.ndarray]) -> ArrayFrames:
    return ArrayFrames(np.stack([restyle(clip.frame(index), index) for index in range(len(clip))]), clip.rate)


def relit(picture: np.ndarray, index: int) -> np.ndarray:
    """The same painting with another relief of the brush on each frame: some 8 levels of the strokes' light."""
    return paint_picture(picture, seed=index)


def dabbed(picture: np.ndarray, index: int) -> np.ndarray:
    """A painting in dabs of one colour each, about 6 px wide, whose places are drawn anew on each frame."""
    painted = paint_picture(picture, seed=index)
    height, width = painted.shape[:2]
    places = np.random.default_rng(index).choice(height * width, height * width // 36, replace=False)
    away = np.full(height * width, 255, np.uint8)
    away[places] = 0
    _, labels = cv2.distanceTransformWithLabels(
        away.reshape(height, width), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((labels.max() + 1, 3), np.uint8)
    colours[labels.ravel()[places]] = painted.reshape(-1, 3)[places]
    return colours[labels]


def recoloured(picture: np.ndarray, index: int) -> np.ndarray:
    """The same painting in other colours on each frame, as a diffusion pass with a free seed gives them."""
    gain = np.random.default_rng(index).normal(1.0, 0.12, 3)
    return np.clip(np.rint(paint_picture(picture) * gain), 0, 255).astype(np.uint8)


def write_picture(path: Path, film: FrameSource, heat: HeatMap) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    index = len(film) // 2 + 1
    pair = np.hstack([as_uint8(film.frame(index))[: heat.size.height, : heat.size.width], heat.frame(index)])
    cv2.imwrite(str(path), cv2.cvtColor(pair, cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
