"""How well masks hold on people in plain clothes, from one mask at the first frame and without any model.

    python benchmarks/masks_of_dancers.py [FOLDER] [--cases NAME ...] [--look FOLDER] [--json]

The scenes by code show a walker whose arms and legs cross each other and the body, in clothes of one colour with hardly
a fold; every mask is known. FOLDER is where `moonwalk_dancer.mp4` and `woman_running_512x512.mp4` lie: their first 40
frames are held against masks drawn by hand at frames 20 and 39, kept beside this file in `hand_masks/`. Hair is drawn
as a whole, without single strands; outlines drawn by hand and then drawn to the edges overlap by .93 to .98.

Columns: mean_iou and worst_iou over the frames whose truth is known, the first left out; last_iou at the last of them;
jitter, how much the area trembles, and that of the truth where every frame's is known; cpu_seconds a frame.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from masks import Case, compile_kernels, occluder_mask, overlap, texture

from escalier.film import ArrayFrames, Motion, Size, as_uint8, open_film, scale_film
from escalier.tracking import area_jitter, track_masks

WIDTH, HEIGHT, FRAMES = 1280, 720, 48
FRAMES_OF_FOOTAGE, MOST_WIDE = 40, 640
FOOTAGE = {"moonwalk_dancer": "moonwalk_dancer.mp4", "woman_running": "woman_running_512x512.mp4"}
DRAWN_AT = (0, 20, 39)
COLUMNS = ("case", "mean_iou", "worst_iou", "last_iou", "jitter", "true_jitter", "cpu_seconds")
Colour = tuple[int, int, int]
SKIN: Colour = (196, 150, 122)


class Walk(NamedTuple):
    """Who walks, and where. Colours are 8-bit RGB, `fold` is the contrast of the cloth in levels."""

    shirt: Colour
    trousers: Colour
    wall: Colour = (125, 120, 105)
    wall_contrast: float = 14
    floor: Colour = (150, 86, 30)
    fold: float = 2
    pan: float = 0
    pillar: bool = False
    seed: int = 0


WALKS = {
    "white shirt, black trousers": Walk((232, 230, 228), (14, 14, 16), seed=6),
    "one colour, plain wall": Walk((150, 52, 60), (150, 52, 60), wall=(196, 192, 184), wall_contrast=3, seed=7),
    "black trousers, black stage": Walk(
        (225, 223, 226), (9, 9, 10), wall=(4, 4, 4), wall_contrast=1, fold=1.5, pan=40, seed=8
    ),
    "all in black, dark stage": Walk(
        (16, 16, 18), (16, 16, 18), wall=(40, 34, 44), wall_contrast=4, floor=(70, 52, 30), fold=1.5, seed=9
    ),
    "plain clothes, pillar": Walk((60, 96, 150), (62, 60, 66), pillar=True, seed=10),
}


class Scene(NamedTuple):
    frames: np.ndarray  # uint8 (N, H, W, 3)
    truth: dict[int, np.ndarray]  # frame -> float32 (H, W)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="where the footage lies; scenes by code alone without it")
    parser.add_argument("--cases", nargs="+", choices=[*WALKS, *FOOTAGE], metavar="NAME")
    parser.add_argument("--look", help="write a contact sheet of each case into this folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for number, name in enumerate(args.cases or [*WALKS, *(FOOTAGE if args.folder else ())]):
        scene = walk(WALKS[name]) if name in WALKS else footage(name, Path(args.folder or "."))
        row = measure(name, scene, args.look)
        if number == 0 and not args.json:
            print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
        line = json.dumps(row) if args.json else "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |"
        print(line, flush=True)


def measure(name: str, scene: Scene, look: str | None) -> dict[str, object]:
    film = ArrayFrames(scene.frames)
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(film, folder)
        motion.prepare(threads=1)
        compile_kernels(film, np.stack([scene.truth[0]]))
        began = time.process_time()
        tracked = track_masks(film, {0: scene.truth[0]}, motion=motion)
        seconds = time.process_time() - began
    found = [overlap(tracked.masks[i], mask) for i, mask in scene.truth.items() if i]
    every = len(scene.truth) == len(film)
    if look:
        contact_sheet(Path(look) / f"{name.replace(' ', '_').replace(',', '')}.png", scene, tracked.masks)
    return {
        "case": name,
        "mean_iou": round(float(np.mean(found)), 3),
        "worst_iou": round(min(found), 3),
        "last_iou": round(found[-1], 3),
        "jitter": round(area_jitter(tracked.masks), 4),
        "true_jitter": round(area_jitter(list(scene.truth.values())), 4) if every else "",
        "cpu_seconds": round(seconds / len(film), 2),
    }


def footage(name: str, folder: Path) -> Scene:
    """The first 40 frames, at most 640 pixels wide, and the masks drawn by hand."""
    film = open_film(folder / FOOTAGE[name])
    size = film.size
    if size.width > MOST_WIDE:
        size = Size(MOST_WIDE, round(size.height * MOST_WIDE / size.width))
    frames = np.stack([scale_film(as_uint8(film.frame(i)), size) for i in range(FRAMES_OF_FOOTAGE)])
    truth = {}
    for index in DRAWN_AT:
        drawn = cv2.imread(str(Path(__file__).parent / "hand_masks" / f"{name}_{index:02d}.png"), cv2.IMREAD_GRAYSCALE)
        truth[index] = scale_film((drawn > 127).astype(np.float32), size)
    return Scene(frames, truth)


def walk(case: Walk) -> Scene:
    """A walker crosses the picture. Frames with grain, and the soft mask of what is seen in each."""
    random = np.random.default_rng(case.seed)
    wide = WIDTH + 200
    wall = texture(random, (HEIGHT, wide), case.wall, case.wall_contrast)
    wall[540:] = 0.3 * texture(random, (HEIGHT - 540, wide), (128, 128, 128), 20) - 38 + np.float32(case.floor)
    pillar = occluder_mask(Case(occluder_width=60)) if case.pillar else np.zeros((HEIGHT, wide), np.float32)
    bark = texture(random, (HEIGHT, wide), (90, 110, 80), 12)
    folds = cv2.GaussianBlur(random.standard_normal((2 * HEIGHT, 2 * HEIGHT)).astype(np.float32), (0, 0), 24)
    folds *= case.fold / folds.std()
    frames, truth = np.empty((FRAMES, HEIGHT, WIDTH, 3), np.uint8), {}
    for i in range(FRAMES):
        at = i / (FRAMES - 1)
        shift = round(100 + case.pan * (at - 0.5))
        worn, body = figure(case, folds, at)
        covers = pillar[:, shift : shift + WIDTH, None]
        frame = wall[:, shift : shift + WIDTH] * (1 - body[..., None]) + worn
        frame = frame * (1 - covers) + bark[:, shift : shift + WIDTH] * covers
        frame += random.standard_normal(frame.shape).astype(np.float32) * 1.5
        frames[i] = np.clip(np.rint(frame), 0, 255)
        truth[i] = body * (1 - covers[..., 0])
    return Scene(frames, truth)


def figure(case: Walk, folds: np.ndarray, at: float) -> tuple[np.ndarray, np.ndarray]:
    """The walker at a moment 0..1: its light, float32 (H, W, 3) premultiplied by its matte, and that matte (H, W)."""
    left, top = WIDTH / 2 + 560 * (at - 0.5), 140 + 6 * np.sin(12 * np.pi * at)
    colours = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.float32)
    mask = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)

    def limb(points: list[tuple[float, float]], width: float, colour: Colour, light: float = 1.0) -> None:
        places = [(round(2 * (left + x)), round(2 * (top + y))) for x, y in points]
        tone = tuple(light * float(value) for value in colour)
        for start, end in zip(places, places[1:] or places, strict=False):
            cv2.line(colours, start, end, tone, round(2 * width))
            cv2.line(mask, start, end, 255, round(2 * width))

    def jointed(start: tuple[float, float], length: float, first: float, bend: float) -> list[tuple[float, float]]:
        (x, y), second = start, first + bend
        knee = x + length * np.sin(first), y + length * np.cos(first)
        return [start, knee, (knee[0] + length * np.sin(second), knee[1] + length * np.cos(second))]

    swing = np.sin(5 * np.pi * at)
    lift = np.cos(5 * np.pi * at)
    for side, light in ((-1, 0.85), (1, 1.0)):
        if side > 0:
            limb([(0, 96), (0, 236)], 92, case.shirt)
            limb([(0, 64), (0, 84)], 34, SKIN)
            limb([(4, 32), (4, 40)], 66, SKIN)
        leg = jointed((6 * side, 262), 104, 0.42 * side * swing, -0.45 * max(0, side * lift))
        limb(leg, 48, case.trousers, light)
        limb([leg[-1], (leg[-1][0] + 26, leg[-1][1] + 6)], 26, (70, 66, 72), light)
        arm = jointed((4 * side, 106), 76, -0.75 * side * swing + 0.1, 0.35 + 0.3 * max(0, -side * lift))
        limb(arm, 34, case.shirt, light * (0.96 if side > 0 else 1))
        limb([arm[-1], arm[-1]], 32, SKIN, light)
    matte = mask.astype(np.float32) / 255
    rows, columns = (np.arange(size, dtype=np.float32) for size in (2 * HEIGHT, 2 * WIDTH))
    along = cv2.remap(
        folds,
        *np.meshgrid(columns - np.float32(2 * left) + HEIGHT, rows - np.float32(2 * top) + 200),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    light = (colours + along[..., None]) * matte[..., None]
    half = (WIDTH, HEIGHT)
    return cv2.resize(light, half, interpolation=cv2.INTER_AREA), cv2.resize(matte, half, interpolation=cv2.INTER_AREA)


def contact_sheet(path: Path, scene: Scene, masks: np.ndarray) -> None:
    """Twelve frames, brightened: the truth's outline in yellow where it is known, the mask's in red."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    height, width = masks.shape[1:]
    for i in np.linspace(0, len(masks) - 1, 12).round().astype(int):
        picture = cv2.add(scene.frames[i], (24, 24, 24, 0))
        for mask, colour in ((scene.truth.get(int(i)), (255, 255, 0)), (masks[i], (255, 0, 0))):
            if mask is not None:
                outlines, _ = cv2.findContours((mask > 0.5).view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
                cv2.drawContours(picture, outlines, -1, colour, 2)
        size = (480, round(480 * height / width))
        pictures.append(cv2.resize(picture[..., ::-1], size, interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(path), np.vstack([np.hstack(pictures[k : k + 4]) for k in (0, 4, 8)]))


if __name__ == "__main__":
    main()
