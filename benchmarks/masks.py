"""How well masks hold over time, against exact truth: a textured, bending subject behind an occluder.

    python benchmarks/masks.py [--footage cups_1280x720_30fps.mp4] [--cases NAME ...] [--one-end] [--look FOLDER]
                               [--json]

The subject is drawn over a film with a known matte, moves, turns and bends, and passes behind an occluder that hides up
to 60 % of it. It is masked by its truth at the first and the last of 48 frames (with --one-end, at the first alone) and
carried to all others without any model. With --footage the set is that film; without, it is made by code.

Columns: mean_iou, worst_iou and worst_frame over the frames between the prompts; mean_gap, the mean absolute difference
to the soft truth, in percent of the subject's area; jitter, how much the area trembles (escalier.mask.area_jitter), and
that of the truth; cpu_seconds per frame in one process with one thread, and those of the optical flow beside them.
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

from escalier.film import ArrayFrames, Motion, as_uint8, open_film
from escalier.tracking import area_jitter, track_masks

WIDTH, HEIGHT, FRAMES = 1280, 720, 48
FIRST_OF_FOOTAGE = 60
CARD = 640
COLUMNS = (
    "case", "mean_iou", "worst_iou", "worst_frame", "mean_gap", "jitter", "true_jitter", "most_hidden",
    "cpu_seconds", "flow_cpu_seconds",
)  # fmt: skip


class Case(NamedTuple):
    """What is drawn. Lengths are pixels of 1280x720, angles degrees, colours 8-bit RGB."""

    kind: str = "figure"
    seed: int = 0
    colour: tuple[int, int, int] = (150, 90, 60)
    contrast: float = 18
    occluder: str = "pillar"
    occluder_colour: tuple[int, int, int] = (90, 110, 80)
    occluder_width: int = 74
    occluder_drift: float = 0
    size: float = 420
    travel: float = 620
    turn: float = 20
    bend: float = 14
    pan: float = 0


CASES = {
    "figure behind a pillar": Case(),
    "blob behind a bough": Case(
        kind="blob", seed=1, colour=(70, 80, 120), occluder="bough", occluder_width=120, turn=35
    ),
    "colours of the set": Case(
        seed=2, colour=(120, 118, 95), contrast=26, occluder_width=60, occluder_colour=(110, 115, 90)
    ),
    "occluder that drifts": Case(
        kind="blob", seed=3, colour=(160, 60, 70), occluder="bough", occluder_drift=160, occluder_width=110,
        size=430, travel=500, bend=18,
    ),
    "fast figure": Case(seed=4, travel=800, size=440, turn=40, bend=22, occluder_width=80),
    "panning camera": Case(seed=5, colour=(170, 120, 40), pan=120, travel=560),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--footage", help="a film of 1280x720 as the set; made by code without it")
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES), metavar="NAME")
    parser.add_argument("--one-end", action="store_true", help="prompt the first frame only")
    parser.add_argument("--look", help="write a contact sheet of each case into this folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    set_by_footage = footage(args.footage) if args.footage else None
    for number, name in enumerate(args.cases):
        row = measure(name, set_by_footage, one_end=args.one_end, look=args.look)
        print(json.dumps(row) if args.json else table_line(row, header=number == 0), flush=True)


def table_line(row: dict[str, object], *, header: bool) -> str:
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)] if header else []
    return "\n".join([*lines, "| " + " | ".join(str(row[column]) for column in COLUMNS) + " |"])


def measure(name: str, background: np.ndarray | None, *, one_end: bool, look: str | None) -> dict[str, object]:
    case = CASES[name]
    if background is None:
        background = room(case)
    elif case.pan:
        background = panned(background, case)
    frames, mattes, hidden = draw(case, background)
    film = ArrayFrames(frames)
    prompted = {0: mattes[0]} if one_end else {0: mattes[0], FRAMES - 1: mattes[-1]}
    with tempfile.TemporaryDirectory() as folder:
        motion = Motion(film, folder)
        began = time.process_time()
        motion.prepare(threads=1)
        flow_seconds = time.process_time() - began
        compile_kernels(film, mattes)
        began = time.process_time()
        tracked = track_masks(film, prompted, motion=motion)
        seconds = time.process_time() - began
    between = range(1, FRAMES if one_end else FRAMES - 1)
    found = np.array([overlap(tracked.masks[i], mattes[i]) for i in between])
    gap = np.abs(tracked.masks - mattes).sum(axis=(1, 2)) / mattes.sum(axis=(1, 2))
    if look:
        contact_sheet(Path(look) / f"{name.replace(' ', '_')}.png", frames, mattes, tracked.masks)
    return {
        "case": name,
        "mean_iou": round(float(found.mean()), 3),
        "worst_iou": round(float(found.min()), 3),
        "worst_frame": int(found.argmin()) + 1,
        "mean_gap": round(100 * float(gap[list(between)].mean()), 1),
        "jitter": round(area_jitter(tracked.masks), 4),
        "true_jitter": round(area_jitter(mattes), 4),
        "most_hidden": round(float(hidden.max()), 2),
        "cpu_seconds": round(seconds / FRAMES, 2),
        "flow_cpu_seconds": round(flow_seconds / FRAMES, 2),
    }


def compile_kernels(film: ArrayFrames, mattes: np.ndarray) -> None:
    """Run once on two small frames, so that compiling is not measured."""
    small = ArrayFrames(np.stack([cv2.resize(film.frame(i), (160, 90)) for i in range(2)]))
    with tempfile.TemporaryDirectory() as folder:
        track_masks(small, {0: cv2.resize(mattes[0], (160, 90))}, motion=Motion(small, folder))


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one > 0.5, other > 0.5
    return float((one & other).sum() / max(1, (one | other).sum()))


def footage(path: str) -> np.ndarray:
    film = open_film(path)
    start = min(FIRST_OF_FOOTAGE, len(film) - FRAMES)
    if start < 0 or tuple(film.size) != (WIDTH, HEIGHT):
        raise SystemExit(f"the footage must be {WIDTH}x{HEIGHT} and {FRAMES} frames long, got {film.size}, {len(film)}")
    return np.stack([as_uint8(film.frame(start + i)) for i in range(FRAMES)])


def texture(random: np.random.Generator, size: tuple[int, int], colour, contrast: float) -> np.ndarray:
    """Noise of four scales around a colour, float32 (H, W, 3)."""
    picture = np.zeros((*size, 3), np.float32) + np.float32(colour)
    for octave, sigma in enumerate((40, 16, 7, 3), start=1):
        noise = cv2.GaussianBlur(random.standard_normal((*size, 3)).astype(np.float32), (0, 0), sigma)
        picture += noise / noise.std() * contrast / octave**0.5
    return np.clip(picture, 0, 255)


def room(case: Case) -> np.ndarray:
    """A set made by code: a textured wall and floor, and three balls that cross it on their own."""
    random = np.random.default_rng(100 + case.seed)
    wall = texture(random, (HEIGHT, WIDTH + 200), (125, 120, 105), 16)
    wall[520:] = 0.5 * wall[520:] + np.float32((90, 80, 75))
    balls = random.uniform((0, 100, -9, -5), (WIDTH, 600, 9, 5), (3, 4))
    colours = random.uniform(40, 220, (3, 3))
    pictures = []
    for i in range(FRAMES):
        shift = round(100 + case.pan * (i / (FRAMES - 1) - 0.5))
        picture = np.ascontiguousarray(wall[:, shift : shift + WIDTH])
        for (x, y, dx, dy), colour in zip(balls, colours, strict=True):
            cv2.circle(picture, (int(x + dx * i), int(y + dy * i)), 60, tuple(map(float, colour)), -1, cv2.LINE_AA)
        pictures.append(picture.astype(np.uint8))
    return np.stack(pictures)


def panned(frames: np.ndarray, case: Case) -> np.ndarray:
    """The footage as if the camera panned: a window that slides over it, its borders mirrored."""
    pad = round(case.pan / 2) + 1
    pictures = []
    for i, frame in enumerate(frames):
        wide = cv2.copyMakeBorder(frame, 0, 0, pad, pad, cv2.BORDER_REFLECT)
        left = round(pad + case.pan * (i / (FRAMES - 1) - 0.5))
        pictures.append(wide[:, left : left + WIDTH])
    return np.stack(pictures)


def card(random: np.random.Generator, case: Case) -> tuple[np.ndarray, np.ndarray]:
    """The subject lying flat: texture (640, 640, 3) and matte (640, 640)."""
    mask = np.zeros((2 * CARD, 2 * CARD), np.uint8)
    if case.kind == "figure":
        cv2.ellipse(mask, (640, 660), (170, 300), 0, 0, 360, 255, -1)
        cv2.circle(mask, (640, 280), 124, 255, -1)
        limbs = (((270, 240), (140, 180), 88), ((370, 240), (500, 300), 88),
                 ((290, 440), (240, 600), 112), ((350, 440), (410, 600), 112))  # fmt: skip
        for (x, y), (u, v), width in limbs:
            cv2.line(mask, (2 * x, 2 * y), (2 * u, 2 * v), 255, width)
    else:
        angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
        radius = 420 * (1 + 0.18 * np.sin(3 * angle + 1) + 0.1 * np.sin(5 * angle + 2))
        outline = CARD + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
        cv2.fillPoly(mask, [outline.astype(np.int32)], 255)
    clothes = texture(random, (CARD, CARD), case.colour, case.contrast)
    if case.kind == "figure":
        clothes[100:200] = clothes[100:200] / 2 + np.float32((105, 80, 65))
        clothes[430:] = clothes[430:] / 2 + np.float32((20, 25, 55))
    return clothes, cv2.resize(mask, (CARD, CARD), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def occluder_mask(case: Case) -> np.ndarray:
    """float32 (720, 1480), 200 px wider than the picture."""
    mask = np.zeros((2 * HEIGHT, 2 * (WIDTH + 200)), np.uint8)
    middle, half = WIDTH // 2 + 100, case.occluder_width // 2
    if case.occluder == "pillar":
        cv2.rectangle(mask, (2 * (middle - half), 0), (2 * (middle + half), 2 * HEIGHT), 255, -1)
    else:
        y = np.arange(0, HEIGHT + 1, 20)
        x = middle + 60 * np.sin(y / 90) + 0.35 * (y - HEIGHT / 2)
        left, right = x - half + 18 * np.sin(y / 23), x + half + 18 * np.sin(y / 31)
        outline = np.concatenate([np.stack([left, y], 1), np.stack([right, y], 1)[::-1]])
        cv2.fillPoly(mask, [(2 * outline).astype(np.int32)], 255)
    return cv2.resize(mask, (WIDTH + 200, HEIGHT), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def draw(case: Case, background: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames uint8, mattes float32 of what is seen of the subject, and the hidden share in each frame."""
    random = np.random.default_rng(case.seed)
    clothes, matte = card(random, case)
    bark = texture(random, (HEIGHT, WIDTH + 200), case.occluder_colour, 16)
    occluder = occluder_mask(case)
    phase = random.random(8) * 2 * np.pi
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    frames, mattes, hidden = np.empty_like(background), np.empty(background.shape[:3], np.float32), np.empty(FRAMES)
    for i in range(FRAMES):
        a = i / (FRAMES - 1)
        dx, dy = x - (WIDTH / 2 + case.travel * (a - 0.5)), y - (380 - 40 * np.sin(np.pi * a))
        angle = np.deg2rad(case.turn) * np.sin(1.8 * np.pi * a + phase[0])
        scale = CARD / case.size * (1 + 0.08 * np.sin(2 * np.pi * a + phase[1]))
        u, v = scale * (np.cos(angle) * dx + np.sin(angle) * dy), scale * (np.cos(angle) * dy - np.sin(angle) * dx)
        u = u + 2 * case.bend * np.sin(v / 110 + 3.2 * np.pi * a + phase[2])
        u = u + case.bend * np.sin(v / 50 + 4.6 * np.pi * a + phase[3])
        v = v + 1.5 * case.bend * np.sin(u / 90 + 2.6 * np.pi * a + phase[4])
        at = (u + CARD / 2).astype(np.float32), (v + CARD / 2).astype(np.float32)
        body = cv2.GaussianBlur(cv2.remap(matte, *at, cv2.INTER_LINEAR), (0, 0), 0.7)
        worn = cv2.remap(clothes, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        shift = round(100 + (case.occluder_drift + case.pan) * (a - 0.5))
        covers = occluder[:, shift : shift + WIDTH]
        frame = background[i] * (1 - body[..., None]) + worn * body[..., None]
        frame = frame * (1 - covers[..., None]) + bark[:, shift : shift + WIDTH] * covers[..., None]
        frame += random.standard_normal(frame.shape).astype(np.float32) * 2
        frames[i], mattes[i] = np.clip(np.rint(frame), 0, 255), body * (1 - covers)
        hidden[i] = 1 - mattes[i].sum() / body.sum()
    return frames, mattes, hidden


def contact_sheet(path: Path, frames: np.ndarray, mattes: np.ndarray, masks: np.ndarray) -> None:
    """Twelve frames: the truth's outline in yellow, the mask's in red."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    for i in np.linspace(1, FRAMES - 2, 12).round().astype(int):
        picture = frames[i].copy()
        for mask, colour in ((mattes[i], (255, 255, 0)), (masks[i], (255, 0, 0))):
            outlines, _ = cv2.findContours((mask > 0.5).view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(picture, outlines, -1, colour, 2)
        pictures.append(cv2.resize(picture[..., ::-1], (480, 270), interpolation=cv2.INTER_AREA))
    cv2.imwrite(str(path), np.vstack([np.hstack(pictures[k : k + 3]) for k in (0, 3, 6, 9)]))


if __name__ == "__main__":
    main()
