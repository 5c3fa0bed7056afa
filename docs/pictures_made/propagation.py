"""Propagation: what the fade's dials do, what each guide does, and what EbSynth's own dials do."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from escalier.propagation import FADES, Fade, FilmMatching, Guides, Runs, Staircase, make_draft
from escalier.pyebsynth import Matching, synthesise

from .front import sides
from .sheet import Cell, Row, contact_sheet, fitted
from .shot import LOOK, Shot

EARLY, MIDDLE = 6, 12
START, STOP = 24, 37
"""The part of the clip, after the second keyframe, that shows the guides: his hand comes down past the shelf."""


def fade_modes(shot: Shot) -> np.ndarray:
    """Fade Staircase: the four modes, between two paintings in different colours."""
    films = {mode: Staircase(shot.two_looks, Fade(mode)) for mode in FADES}
    rows = []
    for index in (6, 12, 18):
        cells = [Cell(film.frame(index), mode if index == 18 else "") for mode, film in films.items()]
        rows.append(Row(cells, f"Frame {index} of 24"))
    cells = [Cell(sides(film.weight(EARLY), shot)) for film in films.values()]
    return contact_sheet([*rows, Row(cells, f"Which run each pixel shows in frame {EARLY}")])


def fade_length(shot: Shot) -> np.ndarray:
    """Fade Staircase: how long a fade takes, and how long a pixel takes in it."""
    frames, rows = [4, 8, 11, 13, 16, 20], []
    for length, heading in (
        (1, "fade frames 1: nearly a cut"),
        (8, "fade frames 8"),
        (None, "fade frames 0: as long as the gap between the keyframes"),
    ):
        film = Staircase(shot.two_looks, Fade(fade_frames=length))
        labels = [f"frame {index}" if length is None else "" for index in frames]
        rows.append(Row([Cell(film.frame(i), text) for i, text in zip(frames, labels, strict=True)], heading))
    return contact_sheet(rows)


def fade_detail(shot: Shot) -> np.ndarray:
    """Fade Staircase: ramp, keep contrast and seam removal, seen close."""
    crop = slice(20, 200), slice(170, 410)

    def cell(runs: Runs, index: int, text: str, **dials: Any) -> Cell:
        return Cell(Staircase(runs, Fade(**dials)).frame(index)[crop], text)

    two = shot.two_looks
    return contact_sheet(
        [
            Row(
                [
                    cell(two, MIDDLE, "ramp frames 1: hard seams", ramp_frames=1.0),
                    cell(two, MIDDLE, "ramp frames 3, the default"),
                    cell(two, MIDDLE, "ramp frames 12: soft", ramp_frames=12.0),
                    cell(two, MIDDLE, "seam removal 0.9", seam_removal=0.9),
                ],
                "Staggered, between two paintings in different colours",
            ),
            Row(
                [
                    Cell(shot.runs.forward[0].frame(MIDDLE)[crop], "one run alone"),
                    cell(shot.runs, MIDDLE, "linear: the mix is soft", mode="linear"),
                    cell(shot.runs, MIDDLE, "linear, keep contrast", mode="linear", keep_contrast=True),
                    cell(shot.runs, MIDDLE, "staggered: needs neither"),
                ],
                "Between two paintings of one look",
            ),
        ]
    )


def guides(shot: Shot) -> np.ndarray:
    """Propagate Keyframes: a frame twelve frames away from its keyframe, with one guide changed at a time."""
    window = slice(None), slice(160, None)

    def cell(text: str, guides: Guides | None = None) -> Cell:
        return Cell(_twelve_frames_on(shot, guides)[window], text)

    return contact_sheet(
        [
            Row(
                [
                    Cell(shot.keyframes.pictures[1][window], "the keyframe, twelve frames before", marked=True),
                    Cell(shot.clip.frame(STOP - 1)[window], "the frame, as filmed"),
                    cell("all guides at their defaults"),
                ]
            ),
            Row(
                [
                    cell("colour 0: nothing holds it to the film", Guides(colour=0.0)),
                    cell("position 0", Guides(position=0.0)),
                    cell("temporal 6: smears at his back", Guides(temporal=6.0)),
                ]
            ),
        ]
    )


def mask_guide(shot: Shot) -> np.ndarray:
    """Propagate Keyframes: the same frame with and without the subject's mask, seen close."""
    sleeve, frame = (slice(140, 300), slice(400, 640)), shot.clip.frame(STOP - 1)
    with_mask, without = _twelve_frames_on(shot), _twelve_frames_on(shot, masked=False)
    return contact_sheet(
        [
            Row(
                [
                    Cell(frame[sleeve], "as filmed"),
                    Cell(with_mask[sleeve], "with his mask"),
                    Cell(without[sleeve], "without: red of the sleeve in the books"),
                ]
            )
        ]
    )


def _twelve_frames_on(shot: Shot, guides: Guides | None = None, *, masked: bool = True) -> np.ndarray:
    """The second keyframe carried forward to frame `STOP` - 1."""
    runs = shot.propagated(shot.painted({START: LOOK}), start=START, stop=STOP, guides=guides, masked=masked)
    return runs.forward[0].frame(STOP - 1 - START)


def engine(shot: Shot) -> np.ndarray:
    """EbSynth's own dials on one picture, led by one soft grey guide alone, so that they have much to decide."""
    style, source, target = shot.keyframes.pictures[1], _soft(shot.clip.frame(24)), _soft(shot.clip.frame(36))
    crop = slice(36, 266), slice(300, 607)

    def cell(text: str, weight: float = 1.0, **dials: Any) -> Cell:
        matching = Matching(backend="cpu", **dials)
        made = synthesise(style, [source], [target], weights=[weight], matching=matching, threads=1)
        return Cell(made.image[crop], text)

    fastest = {"search_vote_iterations": 1, "patchmatch_iterations": 1, "pyramid_levels": 1}
    usual = cell("all at their defaults: weight 1, patch size 5, uniformity 3500")
    return contact_sheet(
        [
            Row(
                [
                    Cell(np.repeat(target[crop][..., None], 3, axis=2), "the only guide: the film, grey and soft"),
                    usual,
                    cell("search vote iterations 1, patchmatch iterations 1, pyramid levels 1", **fastest),
                ]
            ),
            Row(
                [
                    cell("patch size 3: strokes fall apart", patch_size=3),
                    cell("patch size 7: larger pieces, softer", patch_size=7),
                    cell("weight 6: the guide is followed closely", 6.0),
                ]
            ),
            Row(
                [
                    cell("uniformity 0: parts used again and again", uniformity=0.0),
                    cell("uniformity 20000: all parts are used", uniformity=20000.0),
                    cell("weight 0.3: the guide says little", 0.3),
                ]
            ),
        ]
    )


def _soft(picture: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), (0, 0), 3)


def small_draft(shot: Shot) -> np.ndarray:
    """Draft Propagation: the same film at a quarter of the size."""
    matching, frames = FilmMatching(backend="cpu"), [6, 18, 36]
    runs = make_draft(
        shot.clip, shot.keyframes, folder=shot.scratch, masks=shot.mattes, matching=matching, cuts=(), threads=1
    )
    film = Staircase(runs)
    width = shot.clip.size.width
    return contact_sheet(
        [
            Row([Cell(fitted(film.frame(i), width)) for i in frames], "The draft, a quarter of the size, enlarged"),
            Row([Cell(shot.film.frame(i), f"frame {i}") for i in frames], "The film"),
        ]
    )
