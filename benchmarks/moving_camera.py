"""How well a plate follows a camera, and how far a clean plate can be believed.

    python benchmarks/moving_camera.py [FOLDER] [--look FOLDER] [--json]

The shots by code are of `room_scenes.py`: 100 frames whose camera is known, a figure that moves, at last over 40 % of
the picture. FOLDER is where `moonwalk_dancer.mp4` lies: its camera is held against marks on the floor that were read by
eye, kept in `moonwalk_points.json`, with the masks drawn by hand beside it.

Columns: slides_px, how far the plate slides at the corners at most over all frames, and on average over the frames
(for footage, from the marks); spoilt, the share of the hidden room that three plates (first frame, a third in, last)
call seen and that is off by more than 8 levels, the worst of them; unseen, the share that they hand on, the most;
cpu_seconds a frame for the camera, and for one plate.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from room_scenes import CAMERAS, RoomShot, corner_error, room_shot, spoilt_share

from escalier.composite import camera_motion, make_clean_plate
from escalier.film import ArrayFrames, Size, open_film, scale_film

COLUMNS = ("case", "slides_px", "mean_px", "spoilt", "unseen", "camera_seconds", "plate_seconds")


class Case(NamedTuple):
    camera: str
    cover: float = 0.15
    water: float = 0.0
    forgets: bool = False


CASES = {
    "still": Case("still"),
    "pan": Case("pan"),
    "pan, 40 % covered": Case("pan", cover=0.4),
    "roll and zoom": Case("roll and zoom"),
    "roll and zoom, 40 % covered": Case("roll and zoom", cover=0.4),
    "there and back": Case("there and back"),
    "hand-held": Case("hand-held"),
    "still, water": Case("still", water=0.45),
    "pan, water": Case("pan", water=0.45),
    "still, masks forget an arm": Case("still", forgets=True),
    "hand-held, masks forget an arm": Case("hand-held", forgets=True),
    "pan, masks forget an arm": Case("pan", forgets=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", help="where the footage lies; shots by code alone without it")
    parser.add_argument("--look", help="write each case's frames, plates and errors as pictures into this folder")
    parser.add_argument("--json", action="store_true", help="one JSON object a row")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    if not args.json:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    for row in rows(args.folder, args.look):
        values = ("" if row[name] is None else str(row[name]) for name in COLUMNS)
        print(json.dumps(row) if args.json else "| " + " | ".join(values) + " |", flush=True)


def rows(folder: str | None, look: str | None) -> Iterator[dict[str, Any]]:
    for name, case in CASES.items():
        shot = room_shot(CAMERAS[case.camera], cover=case.cover, water=case.water, forgets=case.forgets)
        yield {"case": name} | measure(shot, look and Path(look) / f"{name.replace(' ', '_').replace(',', '')}.png")
    if folder:
        yield footage(Path(folder))


def measure(shot: RoomShot, look: Path | None) -> dict[str, Any]:
    before = time.process_time()
    camera = camera_motion(shot.film, shot.masks)
    camera_seconds = time.process_time() - before
    slides = corner_error(shot, camera.to_first)
    length, spoilt, unseen, strips = len(shot.film), [], [], []
    before = time.process_time()
    for index in (0, length // 3, length - 1):
        plate = make_clean_plate(shot.film, shot.masks, index, camera=camera)
        spoilt.append(spoilt_share(shot, index, plate.picture, plate.unseen))
        unseen.append(float(plate.unseen[shot.subjects[index]].mean()))
        error = np.abs(plate.picture.astype(int) - shot.rooms[index]).max(axis=2)
        marked = np.where(plate.unseen[..., None], plate.picture // 2 + np.uint8(120), plate.picture)
        error = np.repeat(np.clip(8 * error, 0, 255)[..., None], 3, axis=2).astype(np.uint8)
        strips.append(np.hstack([shot.film.frame(index), marked, shot.rooms[index], error]))
    plate_seconds = time.process_time() - before
    if look:
        look.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(look), np.vstack(strips)[..., ::-1])
    return {
        "slides_px": round(float(slides.max()), 2),
        "mean_px": round(float(slides.mean()), 2),
        "spoilt": f"{100 * max(spoilt):.2f} %",
        "unseen": f"{100 * max(unseen):.0f} %",
        "camera_seconds": round(camera_seconds / length, 3),
        "plate_seconds": round(plate_seconds / 3, 2),
    }


def footage(folder: Path) -> dict[str, Any]:
    """The moonwalker's camera against the marks, in pixels of the film, at half its size."""
    marks = json.loads((Path(__file__).parent / "moonwalk_points.json").read_text(encoding="utf-8"))
    film = open_film(folder / "moonwalk_dancer.mp4")
    size, length = Size(film.size.width // 2, film.size.height // 2), marks["frames"][-1] + 1
    frames = ArrayFrames(np.stack([scale_film(film.frame(i), size) for i in range(length)]), film.rate)
    drawn = [
        cv2.imread(str(Path(__file__).parent / "hand_masks" / f"moonwalk_dancer_{i:02d}.png"), cv2.IMREAD_GRAYSCALE)
        for i in (0, 20, 39)
    ]
    where_she_was = np.max([scale_film(mask, size) for mask in drawn], axis=0)
    before = time.process_time()
    camera = camera_motion(frames, where_she_was[None], grow_px=20)
    seconds = time.process_time() - before
    errors = []
    for points in marks["points"].values():
        for index, point in list(zip(marks["frames"], points, strict=True))[1:]:
            # Pixel centres lie at whole numbers: half the size has its own at (x - .5) / 2.
            at = (np.array(point) - 0.5) / 2
            found = cv2.perspectiveTransform(at[None, None], camera[index])[0, 0] * 2 + 0.5
            errors.append(float(np.linalg.norm(found - points[0])))
    return {
        "case": "moonwalk_dancer, marks by eye",
        "slides_px": round(max(errors), 2),
        "mean_px": round(float(np.mean(errors)), 2),
        "spoilt": None,
        "unseen": None,
        "camera_seconds": round(seconds / length, 3),
        "plate_seconds": None,
    }


if __name__ == "__main__":
    main()
