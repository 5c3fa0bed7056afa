"""The edge of a mask, shaped: spread or choked, feathered on either side, cleaned, and steadied over time.

All of it comes from one signed distance field, so that every dial is exact in pixels and the cost does not grow with
them. A soft mask is taken as the stack of its level sets: each is moved and feathered as if it were hard, and the
result is their mean. So softness that is there stays, moved, and a feather is added to it. What is no edge at all, a
faint floor or a veil of one value, keeps its value.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import MaskSource, Size
from escalier.kernel_cache import njit

from .level_sets import LevelSets, level_sets

PROFILES = ("linear", "smoothstep", "gaussian")
TABLE_LENGTH = 512
ROUNDING = 1e-4
"""How far a blurred mask may stray from 0..1."""
FRINGE_PX = 2
"""How far the soft fringe of a hole or an island reaches."""


class Edge(NamedTuple):
    """What the edge is to become. See `shape_edge`."""

    spread_px: float = 0.0
    choke_px: float = 0.0
    feather_inside_px: float = 0.0
    feather_outside_px: float = 0.0
    profile: str = "smoothstep"
    fill_holes_area: float = 0.0
    drop_islands_area: float = 0.0

    @property
    def moves(self) -> bool:
        """Whether the edge itself changes, not only holes and islands."""
        return any((self.spread_px, self.choke_px, self.feather_inside_px, self.feather_outside_px))

    @property
    def ramp(self) -> tuple[float, float]:
        """The distances (negative outside) where the new mask leaves 0 and reaches 1."""
        # Less than a pixel of feather would alias.
        more = max(0.0, 1 - self.feather_inside_px - self.feather_outside_px) / 2
        move = self.choke_px - self.spread_px
        return move - self.feather_outside_px - more, move + self.feather_inside_px + more


@checked
def shape_edge(
    mask: np.ndarray,
    *,
    spread_px: float = 0.0,
    choke_px: float = 0.0,
    feather_inside_px: float = 0.0,
    feather_outside_px: float = 0.0,
    profile: str = "smoothstep",
    fill_holes_area: float = 0.0,
    drop_islands_area: float = 0.0,
) -> np.ndarray:
    """Move, soften and clean the edge of one mask.

    Parameters
    ----------
    mask
        (H, W) bool, uint8 or float 0..1, hard or soft.
    spread_px, choke_px
        Grow the mask by so many pixels, or shrink it; the corners of what is spread are round. One of them at most.
    feather_inside_px, feather_outside_px
        Width of the ramp on either side of the moved edge. With feather_inside_px = 0 everything inside the edge stays
        at exactly 1: the feather goes outwards only.
    profile
        Shape of the ramp: "linear", "smoothstep" or "gaussian" (the integral of a gaussian, cut at two sigma).
    fill_holes_area
        Holes of at most so many pixels are filled. What touches the border of the picture is no hole.
    drop_islands_area
        Islands of at most so many pixels are dropped.

    Returns
    -------
    float32 (H, W) 0..1. Without any dial the mask itself, to the bit. The border of the picture is no edge: a subject
    that it cuts is not faded there.

    Raises
    ------
    ValueError
        When a dial is negative, both spread and choke are given, or the mask is no single channel of finite numbers in
        0..1.

    >>> edge = shape_edge(np.float32([[0, 0, 0, 0, 1, 1]]), feather_outside_px=4, profile="linear")
    >>> edge.tolist()
    [[0.125, 0.375, 0.625, 0.875, 1.0, 1.0]]
    """
    edge = Edge(spread_px, choke_px, feather_inside_px, feather_outside_px, profile, fill_holes_area, drop_islands_area)
    _check_edge(edge, "shape_edge")
    matte = clean(_matte(mask, "shape_edge"), fill_holes_area, drop_islands_area)
    if not edge.moves:
        return matte
    low, high = edge.ramp
    top, bottom, left, right = _bounds(matte, max(0, math.ceil(-low)) + 2)
    out = np.zeros_like(matte)
    if bottom > top:
        part = np.ascontiguousarray(matte[top:bottom, left:right])
        out[top:bottom, left:right] = _rendered(level_sets(part, max(-low, 0), max(high, 0)), edge)
    return out


@checked
def shape_edges(
    masks: MaskSource,
    *,
    spread_px: float = 0.0,
    choke_px: float = 0.0,
    feather_inside_px: float = 0.0,
    feather_outside_px: float = 0.0,
    profile: str = "smoothstep",
    fill_holes_area: float = 0.0,
    drop_islands_area: float = 0.0,
    steady_frames: int = 0,
    steady_limit_px: float = 2.0,
    progress: Callable[..., object] | None = None,
) -> Iterator[np.ndarray]:
    """Shape the edges of a clip's masks, and steady them over time. Gives the masks in their order.

    Parameters
    ----------
    masks
        masks[i] is (H, W), as for `shape_edge`; all of one size.
    steady_frames
        How many frames before and after each one its edge is averaged with, as distance fields: an edge that trembles
        comes to rest at its mean place, and one that moves evenly stays where it is. Averaged mattes would show both
        edges instead. 0 leaves every frame alone.
    steady_limit_px
        No edge moves further than this from its place in the frame, so that a limb that is fast and thin is not
        averaged away. Larger values steady coarser masks.
    progress
        Called as progress(done, total, mask) after each frame; what it raises ends the clip.

    The other dials are those of `shape_edge`.

    >>> masks = np.zeros((3, 4, 9), np.float32)
    >>> for i, edge in enumerate((4, 6, 4)):  # an edge that trembles
    ...     masks[i, :, edge:] = 1
    >>> [round(float(mask[0].sum()), 2) for mask in shape_edges(masks, steady_frames=1)]
    [5.0, 4.33, 5.0]
    """
    caller = "shape_edges"
    edge = Edge(spread_px, choke_px, feather_inside_px, feather_outside_px, profile, fill_holes_area, drop_islands_area)
    _check_edge(edge, caller)
    for name, value in (("steady_frames", steady_frames), ("steady_limit_px", steady_limit_px)):
        if not value >= 0:
            raise ValueError(f"{caller}: {name} must be >= 0, got {value}; 0 leaves every frame alone")
    if len(masks) == 0:
        raise ValueError(f"{caller}: mask must hold at least one mask, got none; connect a mask")
    return _shaped(masks, edge, int(steady_frames), steady_limit_px, progress)


def _shaped(
    masks: MaskSource,
    edge: Edge,
    steady_frames: int,
    steady_limit_px: float,
    progress: Callable[..., object] | None,
) -> Iterator[np.ndarray]:
    length, caller = len(masks), "shape_edges"
    low, high = edge.ramp
    # Room for the limit, so that distances are still known where an edge may be moved to.
    outside, inside = max(-low, 0) + steady_limit_px, max(high, 0) + steady_limit_px
    window: deque[LevelSets] = deque()  # those of the frames from `first` on
    first, size = 0, None
    for i in range(length):
        if not steady_frames:
            shaped = shape_edge(masks[i], **edge._asdict())
            size = _check_size(shaped, size, i, caller)
        else:
            reach = min(steady_frames, i, length - 1 - i)  # even on both sides, so that a moving edge does not lag
            while first + len(window) <= min(i + steady_frames, length - 1):
                matte = _matte(masks[first + len(window)], caller)
                size = _check_size(matte, size, first + len(window), caller)
                matte = clean(matte, edge.fill_holes_area, edge.drop_islands_area)
                window.append(level_sets(matte, outside, inside))
            while first < i - steady_frames:
                window.popleft()
                first += 1
            near = [window[k - first] for k in range(i - reach, i + reach + 1)]
            shaped = _rendered(_steadied(near, window[i - first], steady_limit_px), edge)
        if progress is not None:
            progress(i + 1, length, shaped)
        yield shaped


def clean(matte: np.ndarray, fill_holes_area: float, drop_islands_area: float) -> np.ndarray:
    """Fill the small holes of a matte and drop its small islands. Elsewhere it stays as it is, to the bit."""
    if fill_holes_area:
        hole = _small_parts(matte < 0.5, fill_holes_area, connectivity=4, at_border=False)
        if hole is not None:
            matte = np.where(hole | (_grown(hole) & (matte >= 0.5)), np.float32(1), matte)
    if drop_islands_area:
        island = _small_parts(matte >= 0.5, drop_islands_area, connectivity=8, at_border=True)
        if island is not None:
            matte = np.where(island | (_grown(island) & (matte < 0.5)), np.float32(0), matte)
    return matte


def _small_parts(inside: np.ndarray, most_area: float, connectivity: int, at_border: bool) -> np.ndarray | None:
    """The connected parts with at most that area, with or without those at the picture's border; None without any."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.view(np.uint8), connectivity=connectivity)
    small = stats[:, cv2.CC_STAT_AREA] <= most_area
    small[0] = False
    if not at_border:
        for line in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            small[line] = False
    return small[labels] if small.any() else None


def _grown(part: np.ndarray) -> np.ndarray:
    square = np.ones((2 * FRINGE_PX + 1,) * 2, np.uint8)
    return cv2.dilate(part.view(np.uint8), square).view(np.bool_)


def _steadied(near: list[LevelSets], own: LevelSets, limit_px: float) -> LevelSets:
    levels = tuple(sorted({level for sets in near if len(sets.levels) > 1 for level in sets.levels})) or own.levels
    mean = np.zeros((len(levels), *own.distances.shape[1:]), np.float32)
    for sets in near:
        mean += sets.at(levels)
    mean /= len(near)
    here = own.at(levels)
    return LevelSets(levels, np.clip(mean, here - np.float32(limit_px), here + np.float32(limit_px)))


def _rendered(sets: LevelSets, edge: Edge) -> np.ndarray:
    low, high = edge.ramp
    # A ramp of one pixel is no feather, but the share of the pixel that the mask covers.
    name = edge.profile if high - low > 1 else "linear"
    profile, integral = _profile_tables(name, high - low)
    is_soft = len(sets.levels) > 1
    steps = np.diff(sets.levels) if is_soft else np.zeros(0)
    ends = (sets.levels[0], 1 - sets.levels[-1]) if is_soft else (1.0, 0.0)
    return _coverage(sets.distances, low, high, profile, integral, steps, ends)


def _profile_tables(profile: str, width_px: float) -> tuple[np.ndarray, np.ndarray]:
    """The ramp from 0 to 1, and its integral over the distance, at TABLE_LENGTH even steps."""
    u = np.linspace(0, 1, TABLE_LENGTH)
    if profile == "linear":
        ramp = u
    elif profile == "smoothstep":
        ramp = u * u * (3 - 2 * u)
    else:
        ramp = np.array([math.erf((4 * v - 2) / math.sqrt(2)) for v in u])
        ramp = (ramp - ramp[0]) / (ramp[-1] - ramp[0])
    integral = np.concatenate([[0], np.cumsum((ramp[1:] + ramp[:-1]) / 2)]) * (width_px / (TABLE_LENGTH - 1))
    return ramp, integral


@njit(cache=True, nogil=True, error_model="numpy")
def _looked_up(table, u):
    place = min(max(u, 0.0), 1.0) * (len(table) - 1)
    k = min(int(place), len(table) - 2)
    return table[k] + (place - k) * (table[k + 1] - table[k])


@njit(cache=True, nogil=True, error_model="numpy")
def _coverage(distances, low, high, profile, integral, steps, ends):
    """The mean over all levels of the ramp at their distances: float32 (H, W).

    Between two levels the distance runs evenly from one to the other, so that the mean is the ramp's integral over it.
    """
    count, height, width = distances.shape
    out = np.empty((height, width), np.float32)
    per_px = 1 / (high - low)
    for i in range(height):
        for j in range(width):
            if distances[count - 1, i, j] >= high:
                out[i, j] = 1
                continue
            if distances[0, i, j] <= low:
                out[i, j] = 0
                continue
            a = distances[0, i, j] - low
            total = ends[0] * _looked_up(profile, a * per_px)
            for k in range(1, count):
                b = distances[k, i, j] - low
                if a - b > 0.05:
                    # Beyond the ramp the integral goes on with slope 1.
                    area = _looked_up(integral, a * per_px) + max(a - (high - low), 0.0)
                    area -= _looked_up(integral, b * per_px) + max(b - (high - low), 0.0)
                    total += steps[k - 1] * area / (a - b)
                else:
                    total += steps[k - 1] * _looked_up(profile, (a + b) / 2 * per_px)
                a = b
            if ends[1] > 0:
                total += ends[1] * _looked_up(profile, a * per_px)
            out[i, j] = min(total, 1.0)
    return out


def _bounds(matte: np.ndarray, margin: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of what is not zero, with a margin, inside the picture."""
    rows, columns = np.flatnonzero(matte.any(axis=1)), np.flatnonzero(matte.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    height, width = matte.shape
    return (
        max(int(rows[0]) - margin, 0),
        min(int(rows[-1]) + 1 + margin, height),
        max(int(columns[0]) - margin, 0),
        min(int(columns[-1]) + 1 + margin, width),
    )


def _matte(mask: np.ndarray, caller: str) -> np.ndarray:
    """The mask as float32 0..1."""
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise ValueError(
            f"{caller}: mask must be a single channel (height, width), got the shape {mask.shape}; "
            "give one mask for each frame, without colour channels"
        )
    if mask.dtype == np.uint8:
        return mask.astype(np.float32) / np.float32(255)
    if mask.dtype != np.bool_ and not np.issubdtype(mask.dtype, np.floating):
        raise TypeError(f"{caller}: mask must be bool, uint8 or float, got {mask.dtype}; convert it first")
    matte = mask.astype(np.float32)
    if not (matte.min(initial=0) >= -ROUNDING and matte.max(initial=0) <= 1 + ROUNDING):  # NaN fails too
        raise ValueError(
            f"{caller}: mask must hold numbers in 0..1, got {matte.min():g} to {matte.max():g}; "
            "check the node or file it comes from"
        )
    return np.clip(matte, 0, 1)


def _check_size(mask: np.ndarray, size: Size | None, index: int, caller: str) -> Size:
    if size is not None and Size.of(mask) != size:
        raise ValueError(
            f"{caller}: mask {index} must be {size} like the first, got {Size.of(mask)}; scale the masks to one size"
        )
    return Size.of(mask)


def _check_edge(edge: Edge, caller: str) -> None:
    advice = {
        "spread_px": "use choke to shrink a mask",
        "choke_px": "use spread to grow a mask",
        "feather_inside_px": "use feather_outside_px to feather the other way",
        "feather_outside_px": "use feather_inside_px to feather the other way",
        "fill_holes_area": "0 fills none",
        "drop_islands_area": "0 drops none",
    }
    for name, what_to_do in advice.items():
        value = getattr(edge, name)
        if not 0 <= value < math.inf:
            unit = "px" if name.endswith("px") else "pixels of area"
            raise ValueError(f"{caller}: {name} must be >= 0 {unit}, got {value:g}; {what_to_do}")
    if edge.spread_px and edge.choke_px:
        raise ValueError(
            f"{caller}: choke_px must be 0 while spread_px is {edge.spread_px:g}, got {edge.choke_px:g}; "
            "use only their difference"
        )
    if edge.profile not in PROFILES:
        raise ValueError(
            f"{caller}: profile must be one of {', '.join(PROFILES)}, got {edge.profile}; choose one of them"
        )
