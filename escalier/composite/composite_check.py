"""A report on a composite that sees what people see: wrong colours, burnt skin, a rim, flicker, lost edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, Masks, MaskSource, Size, as_uint8, check_lengths, dis_flow, frame_at, warp
from escalier.progress import Progress

from . import pictures
from .body_maps import BodyMaps, body_maps, means_around
from .pose_parts import PARTS, pose_parts

FLOW_PX = 320
"""Longest side at which the source's motion is followed: what is carried along it is smooth."""
DIMMED = 0.35


class Limit(NamedTuple):
    """How a figure is called, in which unit, from where on it is bad, and what its heat map shows brightest."""

    said: str
    unit: str
    most: float
    full_scale: float
    per_cent: bool = False


LIMITS = {
    "colour": Limit("body's colour, mean", "Delta E", 6.0, 24.0),
    "colour_region": Limit("body's colour, worst region", "Delta E", 12.0, 24.0),
    "clipped": Limit("clipped, that the source has not", "%", 0.01, 1.0, True),
    "rim": Limit("old room at the outline", "Delta E", 3.0, 24.0),
    "flicker": Limit("colour step, beyond the source's", "Delta E", 0.3, 3.0),
    "edges_lost": Limit("edges lost", "%", 0.15, 1.0, True),
}
"""Every figure, in the order of the report and of its pictures. Up to `most` it is good, above it bad."""
WORST = ("colour_region", "clipped", "flicker")
"""Figures of the worst frame; the others are means over the frames."""
OF_PARTS = ("colour", "clipped", "edges_lost")


@dataclass(frozen=True)
class CompositeCheck:
    """What `measure_composite` found.

    Attributes
    ----------
    figures
        By the names of `LIMITS`; None where nothing could be judged.
    curves
        Name -> float64 (N,), one value a frame; NaN where a frame has none. Flicker stands at the second of two frames.
    parts
        "face", "hands" and "torso", as far as a pose showed them -> the figures "colour", "clipped" and "edges_lost".
    frames
        Name -> the frame that is worst.
    pictures
        Name -> uint8 (H, W, 3): that frame, dark, with what the figure counts glowing from violet to yellow.
    """

    figures: dict[str, float | None]
    curves: dict[str, np.ndarray] = field(repr=False)
    parts: dict[str, dict[str, float | None]]
    frames: dict[str, int]
    pictures: dict[str, np.ndarray] = field(repr=False)

    @property
    def verdicts(self) -> dict[str, str]:
        """Name -> "good" or "bad", for every figure that has a value."""
        return {name: _word(name, value) for name, value in self.figures.items() if value is not None}

    @property
    def is_good(self) -> bool:
        """Whether a body was judged, and no figure, of it or of a part of it, is bad."""
        every = [self.figures, *self.parts.values()]
        return bool(self.verdicts) and all(
            _word(name, value) == "good" for one in every for name, value in one.items() if value is not None
        )

    def __str__(self) -> str:
        count = len(self.curves["colour"])
        lines = [f"{count} frame{'s' * (count != 1)}: {'good' if self.is_good else 'bad'}"]
        for name, value in self.figures.items():
            where = f", worst at frame {self.frames[name]}" if name in self.frames else ""
            lines.append(f"{_line(name, value)}{where}")
        for part, figures in self.parts.items():
            lines += [f"  {part}", *(f"  {_line(name, value)}" for name, value in figures.items())]
        return "\n".join(lines)


@checked
def measure_composite(
    result: Film,
    source: Film,
    room: Film,
    masks: MaskSource,
    *,
    poses: Sequence[Mapping[str, Any]] | None = None,
    progress: Progress | None = None,
) -> CompositeCheck:
    """Judge a film in which a body was put into another room against the film that it was taken from.

    The figures, and what each cannot see:

    colour, colour_region
        Delta E*ab (CIE 1976) between composite and source, mean over the body, more than two pixels inside the mask;
        and the worst mean over a region a quarter of the body's size. It cannot tell a light that was wanted from one
        that was not.
    clipped
        Share of the body black or white in a channel that the source has not so, in the worst frame, see `Clipping`.
    rim
        In the band of three pixels to both sides of the outline: how far colours lie off all mixtures of the body and
        the new room beside it, towards the old room, in Delta E on average, less the same a little inside. Blind where
        the old room's colour lies within 10 Delta E of such mixtures.
    flicker
        The mean change of the body's colour, composite less source, from a frame to the next: the largest step. What
        the source itself does is in neither. Opposite changes of two limbs cancel out; the picture shows them apart,
        followed along the source's motion.
    edges_lost
        The share of the source's squared gradients of lightness that the composite has not, four pixels inside: blur,
        burning and flattening alike. Edges that come on top are not counted.

    Limits stand in `LIMITS`: 6 and 12 Delta E, 1 %, 3 Delta E, .3 Delta E, 15 %.

    Parameters
    ----------
    result, source, room
        The composite, the filmed body and the new room: RGB films of one size. Source and room may have one frame for
        all. A saved composite has its codec's losses in all figures.
    masks
        White where the body is, (H, W), one for each frame or one for all.
    poses
        One for each frame or one for all, as OpenPose and DWPose write them (POSE_KEYPOINT): face, hands and torso are
        then judged apart.
    progress
        Called as progress(done, total, picture) after each frame; what it raises passes through.

    Raises
    ------
    ValueError, TypeError
        When sizes or lengths differ, or a pose is none.

    >>> from escalier.film import ArrayFrames
    >>> rng = np.random.default_rng(0)
    >>> filmed, wall = rng.integers(60, 180, (2, 48, 64, 3), np.uint8)
    >>> mask = np.zeros((1, 48, 64))
    >>> mask[0, 8:40, 16:48] = 1
    >>> placed = np.where(mask[0, ..., None] > 0, filmed, wall)
    >>> films = [ArrayFrames(picture[None]) for picture in (placed, filmed, wall)]
    >>> check = measure_composite(*films, mask)
    >>> check.is_good, check.figures["colour"], check.figures["clipped"]
    (True, 0.0, 0.0)
    """
    check_lengths(len(result), source=source, room=room, mask=masks, **({} if poses is None else {"poses": poses}))
    masks, gathered = Masks.of(masks), _Gathered(len(result))
    for index in range(len(result)):
        frames = result.frame(index), frame_at(source, index), frame_at(room, index)
        for name, picture in zip(("result", "source", "room"), frames, strict=True):
            pictures.check_picture(picture, name)
            pictures.check_same_size(frames[0], "result", picture, name)
        alpha = pictures.coverage(masks.at(index), frames[0])
        gathered.add(index, frames, alpha, None if poses is None else poses[index if len(poses) > 1 else 0])
        if progress is not None:
            progress(index + 1, len(result), frames[0])
    return gathered.summed_up()


class _Gathered:
    """Curves and the worst pictures of a film, frame by frame."""

    def __init__(self, length: int) -> None:
        self.curves = {name: np.full(length, np.nan) for name in LIMITS}
        self.parts = {part: {name: np.full(length, np.nan) for name in OF_PARTS} for part in PARTS}
        self.shown: dict[str, tuple[float, int, np.ndarray]] = {}
        self._before: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None  # mean shift, regions' shifts, grey

    def add(
        self,
        index: int,
        frames: tuple[np.ndarray, np.ndarray, np.ndarray],
        alpha: np.ndarray,
        pose: Mapping[str, Any] | None,
    ) -> None:
        if not alpha.any():
            self._before = None
            return
        maps, result = body_maps(*frames, alpha), frames[0]
        body, deep = maps.body, maps.deep
        lost = np.where(deep, maps.edges - maps.kept, 0)
        strongest = max(float(maps.edges[deep].max()), 1e-6)
        self._store("colour", index, float(maps.colour[body].mean()), result, np.where(body, maps.colour, 0))
        self._store("colour_region", index, float(maps.region.max()), result, maps.region)
        self._store(
            "clipped", index, float(maps.clipped[body].mean()), result, (maps.clipped & body).astype(np.float32)
        )
        if maps.band.any():
            value = max(0.0, float(maps.rim[maps.band].mean()) - maps.rim_base)
            self._store("rim", index, value, result, np.where(maps.band, np.maximum(maps.rim - maps.rim_base, 0), 0))
        if maps.edges[deep].sum() > 0:
            self._store("edges_lost", index, _lost(maps, deep), result, np.sqrt(lost / strongest))
        self._flicker(index, maps, frames)
        for part, where in ({} if pose is None else pose_parts(pose, body)).items():
            curves = self.parts[part]
            curves["colour"][index] = maps.colour[where].mean()
            curves["clipped"][index] = maps.clipped[where].mean()
            curves["edges_lost"][index] = _lost(maps, where & deep) if (where & deep).any() else np.nan

    def _flicker(self, index: int, maps: BodyMaps, frames: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
        mean, grey = maps.shift[maps.body].mean(axis=0), _small(cv2.cvtColor(as_uint8(frames[1]), cv2.COLOR_RGB2GRAY))
        regions = _small(means_around(maps.shift, maps.body))
        if self._before is not None:
            last, last_regions, last_grey = self._before
            flow = dis_flow(cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST), grey, last_grey)
            there = warp(last_regions, flow)
            both = (regions != 0).any(axis=2) & (there != 0).any(axis=2)
            change = np.where(both, np.linalg.norm(regions - there, axis=2), 0)
            step = float(np.linalg.norm(mean - last))
            self._store("flicker", index, step, frames[0], cv2.resize(change, maps.body.shape[::-1]) * maps.body)
        self._before = mean, regions, grey

    def _store(self, name: str, index: int, value: float, picture: np.ndarray, heat: np.ndarray) -> None:
        self.curves[name][index] = value
        if name not in self.shown or value > self.shown[name][0]:
            self.shown[name] = value, index, _heat(picture, heat / LIMITS[name].full_scale)

    def summed_up(self) -> CompositeCheck:
        parts = {
            part: {name: _figure(name, curve) for name, curve in curves.items()}
            for part, curves in self.parts.items()
            if np.isfinite(curves["colour"]).any()
        }
        return CompositeCheck(
            figures={name: _figure(name, curve) for name, curve in self.curves.items()},
            curves=self.curves,
            parts=parts,
            frames={name: index for name, (_, index, _) in self.shown.items()},
            pictures={name: self.shown[name][2] for name in LIMITS if name in self.shown},
        )


def _lost(maps: BodyMaps, where: np.ndarray) -> float:
    total = float(maps.edges[where].sum(dtype=np.float64))
    return 1 - float(maps.kept[where].sum(dtype=np.float64)) / total if total else 0.0


def _figure(name: str, curve: np.ndarray) -> float | None:
    known = curve[np.isfinite(curve)]
    return float(known.max() if name in WORST else known.mean()) if len(known) else None


def _word(name: str, value: float) -> str:
    return "good" if value <= LIMITS[name].most else "bad"


def _line(name: str, value: float | None) -> str:
    limit = LIMITS[name]
    if value is None:
        return f"{limit.said}: nothing to judge"
    times = 100 if limit.per_cent else 1
    return f"{limit.said}: {times * value:.2f} {limit.unit}, {_word(name, value)} (limit {times * limit.most:g})"


def _small(picture: np.ndarray) -> np.ndarray:
    size = Size.of(picture)
    scale = min(1.0, FLOW_PX / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _heat(picture: np.ndarray, share: np.ndarray) -> np.ndarray:
    level = np.rint(np.clip(share, 0, 1) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    grey = cv2.convertScaleAbs(cv2.cvtColor(as_uint8(picture), cv2.COLOR_RGB2GRAY), alpha=DIMMED)
    return np.maximum(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), colours)
