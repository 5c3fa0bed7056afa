"""Masks: the edge's dials, a difference matte, colour ids, and a mask that follows its subject."""

from __future__ import annotations

import cv2
import numpy as np

from escalier.mask import ColourId, Difference, Edge, colour_id_mask, difference_matte, shape_edge
from escalier.tracking import track_masks

from .sheet import UNKNOWN, Cell, Colour, Row, contact_sheet
from .shot import Shot

BEHIND: Colour = (44, 92, 122)
"""What shows where a mask is 0."""
FRAME = 26


def track(shot: Shot) -> np.ndarray:
    """Track Mask: one mask given, all others found."""
    found = track_masks(shot.clip, {0: shot.mattes[0]}, motion=shot.motion)
    frames = [0, 12, 24, 36, 48]
    said = ["frame 0\nthe mask you give"]
    said += [f"frame {i}\nconfidence {found.confidence[i]:.2f}" for i in frames[1:]]
    return contact_sheet(
        [
            Row([Cell(_tinted(shot.clip.frame(i), found.masks[i]), marked=i == 0) for i in frames]),
            Row([Cell(_grey(found.masks[i]), text) for i, text in zip(frames, said, strict=True)]),
        ]
    )


def edge(shot: Shot) -> np.ndarray:
    """Shape Mask Edge: choke and spread, feather inwards and outwards."""
    moves: list[tuple[str, Edge]] = [
        ("choke 16 px", Edge(choke_px=16)),
        ("choke 6 px", Edge(choke_px=6)),
        ("no dial: as it is", Edge()),
        ("spread 6 px", Edge(spread_px=6)),
        ("spread 16 px", Edge(spread_px=16)),
    ]
    feathers: list[tuple[str, Edge]] = [
        ("inside 24 px", Edge(feather_inside_px=24)),
        ("inside 8 px", Edge(feather_inside_px=8)),
        ("both 12 px", Edge(feather_inside_px=12, feather_outside_px=12)),
        ("outside 8 px", Edge(feather_outside_px=8)),
        ("outside 24 px", Edge(feather_outside_px=24)),
    ]
    return contact_sheet(
        [
            Row([_cut(shot, text, one) for text, one in moves], "Choke and spread move the edge"),
            Row([_cut(shot, text, one) for text, one in feathers], "Feather softens it, on either side"),
        ]
    )


def edge_clean(shot: Shot) -> np.ndarray:
    """Shape Mask Edge: holes and islands."""
    rough = _damaged(shot.mattes[FRAME])
    return contact_sheet(
        [
            Row(
                [
                    _cut(shot, "a mask with faults", Edge(), rough),
                    _cut(shot, "fill holes area 400", Edge(fill_holes_area=400), rough),
                    _cut(shot, "drop islands area 400", Edge(drop_islands_area=400), rough),
                    _cut(shot, "both", Edge(fill_holes_area=400, drop_islands_area=400), rough),
                ]
            )
        ]
    )


def difference(shot: Shot) -> np.ndarray:
    """Difference Matte: what differs from the empty room."""
    frame, plate = shot.clip.frame(24), shot.room.picture

    def cell(text: str, **dials: float) -> Cell:
        return Cell(_grey(difference_matte(frame, plate, Difference(**dials))), text)

    return contact_sheet(
        [
            Row([Cell(frame, "the shot"), Cell(plate, "the empty room"), cell("the matte: threshold 24, softness 16")]),
            Row(
                [
                    cell("threshold 8: takes in more", threshold=8),
                    cell("threshold 60: loses parts", threshold=60),
                    cell("softness 0: a hard edge", softness=0),
                ]
            ),
            Row(
                [
                    cell("ignore shadows 0", ignore_shadows=0.0, threshold=8, softness=4),
                    cell("ignore shadows 0.5, the default", ignore_shadows=0.5, threshold=8, softness=4),
                    cell("ignore shadows 1: only colour counts", ignore_shadows=1.0, threshold=8, softness=4),
                ],
                "The same with a threshold of 8 and a softness of 4",
            ),
        ]
    )


def colour_id(shot: Shot) -> np.ndarray:
    """Mask from Colour Id: regions taken out of a segmentation map by their colour."""
    picture, shirt, skin = _id_map(shot)
    crop = _middle(shot)

    def cell(text: str, tolerance: float) -> Cell:
        return Cell(_grey(colour_id_mask(picture, [shirt, skin], ColourId(tolerance)))[crop], text)

    return contact_sheet(
        [
            Row(
                [
                    Cell(picture[crop], "a map of regions, with noise"),
                    cell("tolerance 4: noise tears holes", 4),
                    cell("tolerance 32, the default", 32),
                    cell("tolerance 110: takes in the hair", 110),
                ]
            )
        ]
    )


def _middle(shot: Shot) -> tuple[slice, slice]:
    """A window of the frame around the man at frame `FRAME`."""
    _, columns = np.nonzero(shot.mattes[FRAME] > 0.5)
    middle, height = (int(columns.min()) + int(columns.max())) // 2, shot.clip.size.height
    left = min(max(middle - height // 2, 0), shot.clip.size.width - height)
    return slice(0, height), slice(left, left + height)


def _cut(shot: Shot, text: str, edge: Edge, mask: np.ndarray | None = None) -> Cell:
    """The man cut out with a shaped mask, before a plain colour."""
    shaped = shape_edge(shot.mattes[FRAME] if mask is None else mask, edge)
    share = shaped[..., None]
    picture = shot.clip.frame(FRAME) * share + np.array(BEHIND, np.float32) * (1 - share)
    return Cell(np.rint(picture).astype(np.uint8)[_middle(shot)], text)


def _damaged(mask: np.ndarray) -> np.ndarray:
    """The mask with small holes and islands, as a model leaves them."""
    rng, out = np.random.default_rng(5), mask.copy()
    rows, columns = np.nonzero(shape_edge(mask, Edge(choke_px=12)) > 0.9)
    for place in rng.integers(0, len(rows), 14):
        cv2.circle(out, (int(columns[place]), int(rows[place])), int(rng.integers(3, 9)), 0.0, -1, cv2.LINE_AA)
    empty_rows, empty_columns = np.nonzero(shape_edge(mask, Edge(spread_px=12)) < 0.1)
    for place in rng.integers(0, len(empty_rows), 26):
        centre = int(empty_columns[place]), int(empty_rows[place])
        cv2.circle(out, centre, int(rng.integers(3, 9)), 1.0, -1, cv2.LINE_AA)
    return out


def _id_map(shot: Shot) -> tuple[np.ndarray, Colour, Colour]:
    """Flat colours for shirt, skin, hair and room, with noise such as a video codec leaves."""
    shirt, skin, hair, room = (196, 40, 60), (236, 188, 120), (150, 96, 60), (40, 66, 90)
    frame, inside = cv2.cvtColor(shot.clip.frame(FRAME), cv2.COLOR_RGB2LAB), shot.mattes[FRAME] > 0.5
    out: np.ndarray = np.full(frame.shape, room, np.uint8)
    top = int(np.nonzero(inside.any(1))[0][0])
    rows = np.arange(len(frame))[:, None] - top
    out[inside] = skin
    out[inside & (rows < 52) & (frame[..., 0] < 80)] = hair
    out[inside & (rows > 92) & (frame[..., 1] > 148)] = shirt
    out[inside & (rows > 150)] = shirt
    out = cv2.medianBlur(cv2.medianBlur(out, 9), 9)
    noise = np.random.default_rng(2).normal(0, 3.2, out.shape)
    return np.clip(np.rint(cv2.GaussianBlur(out, (3, 3), 0) + noise), 0, 255).astype(np.uint8), shirt, skin


def _tinted(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The frame with what is outside the mask darkened, and the mask's outline drawn on it."""
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    share = mask[..., None]
    picture = np.rint(frame * share + 0.45 * grey * (1 - share)).astype(np.uint8)
    outlines, _ = cv2.findContours((mask > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(picture, outlines, -1, UNKNOWN, 2, cv2.LINE_AA)


def _grey(mask: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(mask * 255).astype(np.uint8)[..., None], 3, axis=2)
