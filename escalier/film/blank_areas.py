"""Blank areas move with what bounds them: optical flow invents motion where there is nothing to see.

Inside a blank area every motion explains the picture equally well, and DIS carries that of the nearest edge into it:
the table beside a hand moves with the hand. Here each blank area is asked which of its edges move. A table keeps some
of its own where they are; those that move there belong to what passes over it. A plain shirt takes all of its edges
along. What lies still is given no motion, or the camera's, as far as the two frames agree under it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .camera_similarity import camera_similarity, similarity_flow

SMALLEST_SIDE = 16
GRAIN_SIGMA = 0.8
WINDOW_PX = 3
"""Over which frames are compared. 7 leaves a rim of 10 pixels around what passes by, in which nothing is settled."""
EDGE_LEVELS = 2.0
"""8-bit levels a pixel of the half-sized picture: what changes less is blank."""
GRAIN_IS_BLANK = 2.0
"""... or less than this often the noise."""
SMALLEST_NOISE = 0.25
NOISE_FACTOR = 2.0
AS_GOOD = 1.15
CLEARLY_BETTER = 0.7
SHADE_LEVELS = 4.0
"""A shadow that creeps over a blank area changes it by less than this from one frame to the next, without an edge."""
CHANGED_LEVELS = 3.0
STILL_PX, CAMERA_PX = 0.25, 0.5
"""An edge lies still, or moves with the camera, if its flow is less than this off, in pixels of the half-sized one."""
STILL_SHARE = 0.5
"""Of the edge that bounds a blank area, more than this must lie still."""
BEHIND_EVERYTHING, CUT_OFF = 3.0, 0.5
"""What a pixel of the frame's border counts beside one of an edge: an area that reaches three sides of the frame is
what is behind everything else; one that reaches fewer may be a subject that the frame cuts off."""
BORDER_SHARE = 0.05
"""Of one side of the frame, as much as this must be reached to count."""
TURNS = 2
INVENTED_PX = 0.25
"""Motion off by less, in pixels of the half-sized picture, is left as it is."""
REACH_QUARTERS = 1
"""How far beyond a blank area its fringe goes, in steps of four pixels. 3 takes a thin limb for the mat behind it."""


def settle_blank_areas(
    flow: np.ndarray, back: np.ndarray, one: np.ndarray, other: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A flow and the flow back, whose blank areas move as their own edges do, not as what passes them.

    `flow` leads from frame `one` to frame `other`, `back` from `other` to `one`: float32 (H, W, 2) in pixels. Gives
    both anew, or themselves where nothing is to be settled. The frames are grey, uint8 (H, W); brightness may change by
    the same step everywhere.

    Done at half size. A pixel is blank if its gradient is under 2 levels or twice the noise, which is estimated. A
    connected blank area lies still if at least half of the edge around it does (of the edge that would have changed,
    had it moved like the rest). Its pixels are then given no motion, or the camera's where `camera_similarity`
    finds one, unless the picture speaks against it: they may have been covered. What is not blank keeps its flow, and
    so does what is less than half a pixel off: cloth creeps with its wearer.

    Each direction is settled on its own. Where both come to lie still, flow and flow back agree, so that `visibility`
    calls the area visible, and the strip that an object covers hidden. Where they agreed before and would not now,
    they are left as they were.

    What cannot be told: a plain thing before a background of its own colour. Its inside, which does not change, is
    taken for the background.

    >>> frame = np.random.default_rng(0).integers(0, 256, (80, 120), np.uint8)
    >>> frame[20:] = 200  # a blank table before a wall
    >>> flow = np.zeros((80, 120, 2), np.float32)
    >>> flow[40:] = 5
    >>> float(settle_blank_areas(flow, -flow, frame, frame)[0].max())
    0.0
    """
    if min(one.shape) < SMALLEST_SIDE:
        return flow, back
    sides = _Side.of(flow, one, other), _Side.of(back, other, one)
    _leave_what_agreed(*sides)
    return sides[0].laid_into(flow), sides[1].laid_into(back)


def _leave_what_agreed(side: _Side, other: _Side) -> None:
    """Take back what was settled where the two directions agreed before and do not any more."""
    agreed = _agree(side.flow, other.flow), _agree(other.flow, side.flow)
    for _ in range(TURNS):
        # Both are looked at before either is changed: the two directions are the same thing seen from both ends.
        now = side.settled_flow(), other.settled_flow()
        lost = agreed[0] & ~_agree(*now), agreed[1] & ~_agree(*now[::-1])
        side.settled &= ~lost[0]
        other.settled &= ~lost[1]


class _Side:
    """One direction of a pair at half size: its flow, which pixels are settled, and the motion that they get."""

    def __init__(self, flow: np.ndarray, settled: np.ndarray, steady: np.ndarray | None) -> None:
        self.flow, self.settled, self.steady = flow, settled, steady

    @classmethod
    def of(cls, flow: np.ndarray, one: np.ndarray, other: np.ndarray) -> _Side:
        pair = _Pair.of(flow, one, other)
        areas = _Areas.of(pair.edge)
        if areas is None:
            return cls(pair.flow, np.zeros_like(pair.edge), None)
        camera = camera_similarity(pair.flow, pair.edge)
        steady = None if camera is None else similarity_flow(camera, *pair.edge.shape)
        error = _energy(pair.residual(steady))
        agrees = error <= AS_GOOD * pair.flow_error + pair.tolerance
        lies_still = _still_areas(pair, areas, steady, error, agrees)
        # Light that changes without an edge passing is no motion. Where all moves, no pixel is seen twice in a place.
        shaded = (error < SHADE_LEVELS**2) & ~pair.other_edge if steady is None else False
        settled = ~pair.edge & areas.fringe & (agrees | shaded) & lies_still[areas.nearest]
        settled &= _squared_length(pair.flow if steady is None else pair.flow - steady) > INVENTED_PX**2
        return cls(pair.flow, settled, steady)

    def settled_flow(self) -> np.ndarray:
        steady = np.zeros_like(self.flow) if self.steady is None else self.steady
        return cv2.copyTo(steady, self.settled.view(np.uint8), self.flow.copy())

    def laid_into(self, flow: np.ndarray) -> np.ndarray:
        """The whole flow with what is settled, at full size."""
        if not self.settled.any():
            return flow
        size = (flow.shape[1], flow.shape[0])
        here = cv2.resize(self.settled.view(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        steady = np.zeros_like(flow)
        if self.steady is not None:
            steady = cv2.resize(2 * self.steady, size, interpolation=cv2.INTER_LINEAR)
        # numpy's own assignment under a mask takes seven times as long: a quarter of the whole flow.
        return cv2.copyTo(steady, here, flow.copy())


def _agree(flow: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Where a flow and the flow back agree: the test of `visibility`, whose half pixel is an eighth at half size."""
    returned = np.stack([_sample(np.ascontiguousarray(back[..., k]), flow) for k in (0, 1)], axis=-1)
    gap, length = _squared_length(flow + returned), _squared_length(flow) + _squared_length(returned)
    agrees: np.ndarray = gap <= 0.01 * length + 0.125
    return agrees


class _Pair(NamedTuple):
    """Two frames and their flow at half size; lengths in its pixels."""

    one: np.ndarray
    other: np.ndarray
    flow: np.ndarray
    gradient: tuple[np.ndarray, np.ndarray]
    edge: np.ndarray
    other_edge: np.ndarray
    brighter: float  # levels that the other frame is brighter by
    flow_error: np.ndarray
    tolerance: float  # squared levels that are noise

    @classmethod
    def of(cls, flow: np.ndarray, one: np.ndarray, other: np.ndarray) -> _Pair:
        height, width = one.shape
        size = (width + 1) // 2, (height + 1) // 2
        one, other = (
            cv2.GaussianBlur(cv2.resize(p, size, interpolation=cv2.INTER_AREA).astype(np.float32), (0, 0), GRAIN_SIGMA)
            for p in (one, other)
        )
        flow = cv2.resize(flow, size, interpolation=cv2.INTER_NEAREST) * np.float32(0.5)
        residual = _sample(other, flow) - one
        some = residual[::3, ::3]
        brighter = float(np.median(some))
        noise = max(SMALLEST_NOISE, 1.4826 * float(np.median(np.abs(some - brighter))))
        gradient = _gradient(one)
        edge_levels = max(EDGE_LEVELS, GRAIN_IS_BLANK * noise)
        edge, other_edge = (cv2.magnitude(*slopes) > edge_levels for slopes in (gradient, _gradient(other)))
        error = _energy(residual - np.float32(brighter))
        return cls(one, other, flow, gradient, edge, other_edge, brighter, error, (NOISE_FACTOR * noise) ** 2)

    def residual(self, flow: np.ndarray | None) -> np.ndarray:
        """How much brighter the other frame is along a flow, None for no motion."""
        there = self.other if flow is None else _sample(self.other, flow)
        return there - self.one - np.float32(self.brighter)


class _Areas(NamedTuple):
    """The connected blank areas of a frame."""

    nearest: np.ndarray  # int32 (h, w), the number of the nearest area
    rim: np.ndarray  # bool (h, w), inside an area or next to it
    fringe: np.ndarray  # bool (h, w), inside or near
    number: int

    @classmethod
    def of(cls, edge: np.ndarray) -> _Areas | None:
        """The blank areas between edges; None where there is none."""
        height, width = edge.shape
        quarter = cv2.dilate(edge.view(np.uint8), np.ones((2, 2), np.uint8))[::2, ::2]
        # Opened: what is narrower than 12 pixels of the frame, DIS sees the edges of; and areas do not leak.
        blank = cv2.morphologyEx(1 - quarter, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        if not blank.any():
            return None
        distance, nearest = cv2.distanceTransformWithLabels(1 - blank, cv2.DIST_L1, 3, labelType=cv2.DIST_LABEL_CCOMP)

        def enlarged(picture: np.ndarray) -> np.ndarray:
            return np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1)[:height, :width]

        rim, fringe = enlarged(distance <= 1), enlarged(distance <= REACH_QUARTERS)
        return cls(enlarged(nearest), rim, fringe, int(nearest.max()) + 1)


def _still_areas(
    pair: _Pair, areas: _Areas, steady: np.ndarray | None, error: np.ndarray, agrees: np.ndarray
) -> np.ndarray:
    """Which areas lie still, or move as steadily as the camera: bool, one for each number."""
    rim = np.nonzero(pair.edge & areas.rim)
    area, error, flow_error = areas.nearest[rim], error[rim], pair.flow_error[rim]
    relative = pair.flow[rim] if steady is None else pair.flow[rim] - steady[rim]
    off = np.linalg.norm(relative, axis=1) > (STILL_PX if steady is None else CAMERA_PX)
    worse = error > flow_error + pair.tolerance
    changed = error > pair.tolerance + CHANGED_LEVELS**2
    moves = off & (worse | changed)
    # Beside an edge that moves the set lies still, but what bounds the area there is that edge.
    stays = ~off & ~worse & ~(changed if steady is None else off) | (
        error + pair.tolerance < CLEARLY_BETTER * flow_error
    )

    moving = np.bincount(area[moves], minlength=areas.number)
    mean = [np.bincount(area[moves], relative[moves, k], areas.number) / np.maximum(moving, 1) for k in (0, 1)]
    # An edge along which its area would move looks the same, whether it does or not.
    change = sum(slope[rim] * speed[area] for slope, speed in zip(pair.gradient, mean, strict=True))
    proves = (np.square(change) > pair.tolerance) | (moving[area] == 0)
    staying = np.bincount(area[stays & proves], minlength=areas.number)

    reached, sides = np.zeros(areas.number), np.zeros(areas.number)
    steady_blank = ~pair.edge & agrees & areas.fringe
    for side in ((0, slice(None)), (-1, slice(None)), (slice(None), 0), (slice(None), -1)):
        pixels = np.bincount(areas.nearest[side][steady_blank[side]], minlength=areas.number)
        reached += pixels
        sides += pixels > BORDER_SHARE * steady_blank[side].size
    voted = staying + reached * np.where(sides >= 3, BEHIND_EVERYTHING, CUT_OFF)
    still: np.ndarray = voted > STILL_SHARE * (voted + moving)
    return still


def _gradient(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return cv2.Sobel(picture, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(picture, cv2.CV_32F, 0, 1, scale=1 / 8)


def _squared_length(flow: np.ndarray) -> np.ndarray:
    return np.square(flow[..., 0]) + np.square(flow[..., 1])


def _energy(residual: np.ndarray) -> np.ndarray:
    """Mean square over a window."""
    return cv2.blur(residual * residual, (WINDOW_PX, WINDOW_PX))


def _sample(picture: np.ndarray, flow: np.ndarray) -> np.ndarray:
    height, width = picture.shape
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
