"""What becomes of a body's colours in a dark, a bright and a coloured room, on real clips.

    python benchmarks/placed_colours.py FOLDER [--look FOLDER]

FOLDER is where `moonwalk_dancer.mp4` and `woman_running_512x512.mp4` lie. Their first 40 frames are masked by tracking
from masks drawn by hand at frames 0, 20 and 39, and every second frame is placed. Rows: Poisson Blend without
screening, at its default, and Place Subject, judged by `measure_composite`; figures beyond its limits are bold.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import numpy as np
from masks_of_dancers import FOOTAGE, footage

from escalier.composite import (
    Blending,
    Clipping,
    CompositeCheck,
    Machine,
    measure_composite,
    place_subject_film,
    poisson_blend_film,
)
from escalier.film import ArrayFrames, Motion
from escalier.tracking import track_masks

SPREAD = np.ones((5, 5), np.uint8)  # two pixels, so that the seam lies in the old room
ROOMS = ("dark", "bright", "coloured")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--look", type=Path, help="write the pictures of each row into this folder")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print("| clip | room | placed by | colour | worst region | clipped, % | rim | step | edges lost, % |")
    print("|---|---|---|---|---|---|---|---|---|")
    for clip in FOOTAGE:
        scene = footage(clip, args.folder)
        with tempfile.TemporaryDirectory() as folder:
            film = ArrayFrames(scene.frames)
            tracked = track_masks(film, scene.truth, motion=Motion(film, folder))
        frames, mattes = scene.frames[::2], np.stack([*tracked.masks])[::2].astype(np.float32)
        for room in ROOMS:
            behind = made_room(room, frames[0], mattes[0])
            for how, placed in placed_films(frames, behind, mattes).items():
                check = measure_composite(ArrayFrames(placed), ArrayFrames(frames), ArrayFrames(behind[None]), mattes)
                print(f"| {clip} | {room} | {how} | {row(check)} |", flush=True)
                if args.look:
                    args.look.mkdir(parents=True, exist_ok=True)
                    sheet = np.hstack([placed[1], *check.pictures.values()])
                    name = f"{clip}_{room}_{how.replace(' ', '_').replace(',', '')}.png"
                    cv2.imwrite(str(args.look / name), sheet[..., ::-1])


def row(check: CompositeCheck) -> str:
    cells = []
    for name, value in check.figures.items():
        said = "" if value is None else f"{value * (100 if name in ('clipped', 'edges_lost') else 1):.2f}"
        cells.append(f"**{said}**" if check.verdicts.get(name) == "bad" else said)
    return " | ".join(cells)


def placed_films(frames: np.ndarray, room: np.ndarray, mattes: np.ndarray) -> dict[str, np.ndarray]:
    film, behind, machine = ArrayFrames(frames), ArrayFrames(room[None]), Machine("cpu", threads=1)
    spread = np.stack([cv2.dilate(matte, SPREAD) for matte in mattes])
    blended = {
        how: poisson_blend_film(film, behind, spread, blending, machine=machine, clipping=Clipping())
        for how, blending in (("Poisson, screening 0", Blending(screening=0.0)), ("Poisson, default", Blending()))
    }
    made = blended | {"Place Subject": place_subject_film(film, behind, mattes)}
    return {how: np.stack([*one]) for how, one in made.items()}


def made_room(name: str, frame: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The old room at night, a white kitchen, a red hall: uint8 (H, W, 3)."""
    height, width = matte.shape
    down, across = np.mgrid[0:height, 0:width]
    patches = np.random.default_rng(1).standard_normal((9, 12, 3)).astype(np.float32)
    stains = 0.05 * cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
    if name == "dark":
        hole = cv2.dilate((matte > 0.1).astype(np.uint8), np.ones((15, 15)))
        room = cv2.inpaint(frame, hole, 5, cv2.INPAINT_TELEA) / np.float32(255) * (0.21, 0.24, 0.36)
    elif name == "bright":
        tiles = ((down // 40 + across // 40) % 2)[..., None]
        room = 0.88 + stains + 0.06 * tiles * np.array((1, 0.95, 0.85))
    else:
        stripes = ((across // 60) % 2)[..., None]
        room = np.array((0.75, 0.22, 0.12)) * (0.6 + 0.5 * (down / height)[..., None]) + stains + 0.1 * stripes
    return np.rint(np.clip(room, 0, 1) * 255).astype(np.uint8)


if __name__ == "__main__":
    main()
