"""The edge of a mask, shaped: spread or choked, feathered on either side, cleaned, and steadied over time.

All of it comes from one signed distance field, so that every dial is exact in pixels and the cost does not grow with
them. A soft mask is taken as the stack of its level sets: each is moved and feathered as if it were hard, and the
result is their mean. So softness that is there stays, moved, and a feather is added to it. What is no edge at all, a
faint floor or a veil of one value, keeps its value.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import MaskSource, Size
from escalier.kernel_cache import njit
from escalier.refusals import Refusal, TypeRefusal
from escalier.smoothstep import smoothstep

from .box import box_around
from .edge import Edge, Steadying
from .level_sets import LevelSets, level_sets

TABLE_LENGTH = 512
ROUNDING = 1e-4
"""How far a blurred mask may stray from 0..1."""
FRINGE_PX = 2
"""How far the soft fringe of a hole or an island reaches."""


@checked
def shape_edge(mask: np.ndarray, edge: Edge) -> np.ndarray:
    """Move, soften and clean the edge of one mask.

    Parameters
    ----------
    mask
        (H, W) bool, uint8 or float 0..1, hard or soft.
    edge
        What its edge is to become.

    Returns
    -------
    float32 (H, W) 0..1. Without any dial the mask itself, to the bit. The border of the picture is no edge: a subject
    that it cuts is not faded there.

    Raises
    ------
    ValueError
        When the mask is no single channel of finite numbers in 0..1.

    >>> soft = shape_edge(np.float32([[0, 0, 0, 0, 1, 1]]), Edge(feather_outside_px=4, profile="linear"))
    >>> soft.tolist()
    [[0.125, 0.375, 0.625, 0.875, 1.0, 1.0]]
    """
    matte = _cleaned(mask, edge)
    if not edge.moves or not matte.any():
        return matte
    low, high = edge.ramp
    box = box_around(matte, max(0, math.ceil(-low)) + 2)
    out = np.zeros_like(matte)
    out[box] = _rendered(level_sets(np.ascontiguousarray(matte[box]), max(-low, 0), max(high, 0)), edge)
    return out


@checked
def shape_edges(
    masks: MaskSource,
    edge: Edge | None = None,
    steadying: Steadying | None = None,
    *,
    progress: Callable[..., object] | None = None,
) -> Iterator[np.ndarray]:
    """Shape the edges of a clip's masks, and steady them over time. Gives the masks in their order.

    Parameters
    ----------
    masks
        masks[i] is (H, W), as for `shape_edge`; all of one size.
    edge, steadying
        What becomes of them; left out, edges stay where they are, and every frame is left alone.
    progress
        Called as progress(done, total, mask) after each frame; what it raises ends the clip.

    >>> masks = np.zeros((3, 4, 9), np.float32)
    >>> for i, edge in enumerate((4, 6, 4)):  # an edge that trembles
    ...     masks[i, :, edge:] = 1
    >>> [round(float(mask[0].sum()), 2) for mask in shape_edges(masks, steadying=Steadying(steady_frames=1))]
    [5.0, 4.33, 5.0]
    """
    if len(masks) == 0:
        raise Refusal("mask", "hold at least one mask", "none", "connect a mask")
    return _shaped(masks, edge or Edge(), steadying or Steadying(), progress)


def _shaped(
    masks: MaskSource, edge: Edge, steadying: Steadying, progress: Callable[..., object] | None
) -> Iterator[np.ndarray]:
    length = len(masks)
    frames, limit_px = steadying.steady_frames, steadying.steady_limit_px
    low, high = edge.ramp
    # Room for the limit, so that distances are still known where an edge may be moved to.
    outside, inside = max(-low, 0) + limit_px, max(high, 0) + limit_px
    window: deque[LevelSets] = deque()  # those of the frames from `first` on
    first, size = 0, None
    for i in range(length):
        if not frames:
            shaped = shape_edge(masks[i], edge)
            size = _check_size(shaped, size, i)
        else:
            reach = min(frames, i, length - 1 - i)  # even on both sides, so that a moving edge does not lag
            while first + len(window) <= min(i + frames, length - 1):
                matte = _cleaned(masks[first + len(window)], edge)
                size = _check_size(matte, size, first + len(window))
                window.append(level_sets(matte, outside, inside))
            while first < i - frames:
                window.popleft()
                first += 1
            near = [window[k - first] for k in range(i - reach, i + reach + 1)]
            shaped = _rendered(_steadied(near, window[i - first], limit_px), edge)
        if progress is not None:
            progress(i + 1, length, shaped)
        yield shaped


def _cleaned(mask: np.ndarray, edge: Edge) -> np.ndarray:
    """A mask as a matte, small holes filled and small islands dropped. Elsewhere it stays as it is, to the bit."""
    matte = _matte(mask)
    if edge.fill_holes_area:
        hole = _small_parts(matte < 0.5, edge.fill_holes_area, connectivity=4, at_border=False)
        if hole is not None:
            matte = np.where(hole | (_grown(hole) & (matte >= 0.5)), np.float32(1), matte)
    if edge.drop_islands_area:
        island = _small_parts(matte >= 0.5, edge.drop_islands_area, connectivity=8, at_border=True)
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
        ramp = smoothstep(u)
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


def _matte(mask: np.ndarray) -> np.ndarray:
    """The mask as float32 0..1."""
    mask = np.asarray(mask)
    if mask.ndim != 2:
        rule = "be a single channel (height, width)"
        raise Refusal("mask", rule, f"the shape {mask.shape}", "give one mask for each frame, without colour channels")
    if mask.dtype == np.uint8:
        return mask.astype(np.float32) / np.float32(255)
    if mask.dtype != np.bool_ and not np.issubdtype(mask.dtype, np.floating):
        raise TypeRefusal("mask", "be bool, uint8 or float", mask.dtype, "convert it first")
    matte = mask.astype(np.float32)
    if not (matte.min(initial=0) >= -ROUNDING and matte.max(initial=0) <= 1 + ROUNDING):  # NaN fails too
        rule = "hold numbers in 0..1"
        raise Refusal("mask", rule, f"{matte.min():g} to {matte.max():g}", "check the node or file it comes from")
    return np.clip(matte, 0, 1)


def _check_size(mask: np.ndarray, size: Size | None, index: int) -> Size:
    if size is not None and Size.of(mask) != size:
        raise Refusal(f"mask {index}", f"be {size} like the first", Size.of(mask), "scale the masks to one size")
    return Size.of(mask)
