"""What one frame's composite did to the body, pixel by pixel: colours, clipping, the old room at its edge, its edges.

Colours are CIE L*a*b* of sRGB under D65, distances Delta E*ab (CIE 1976).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .clipping import newly_clipped
from .foreground_colours import unit

RIM_PX = 3
"""The band around the outline, to both sides, in which the old room is looked for."""
DEEP_PX = 4
"""Nearer than this to the outline is the rim's business, not the body's."""
AROUND_PX = 12
"""How far from the outline colours of the body and of the old room are taken for those at it."""
APART = 10.0
"""Delta E by which the old room must differ from all mixtures of body and new room to be told from them."""
OPAQUE = 0.95
REGION = 0.25
"""Side of a region as a share of the root of the body's area: a hand or a face of a standing person."""
LEAST_REGION_PX = 9
SMOOTH_PX = 1.0
"""Sigma by which pictures are smoothed before their edges are compared, so that grain is none."""


class BodyMaps(NamedTuple):
    """Arrays (H, W) of one frame: bool `body`, `deep`, `band` and `clipped`; float32 all others.

    `shift` is (H, W, 3), the change of L*, a* and b*; `colour` its length, `region` its mean over the region around.
    `rim` is how far a pixel of the band lies from mixtures of body and new room towards the old room, in Delta E.
    `edges` and `kept` are the source's squared gradient and how much of it the result has.
    """

    body: np.ndarray
    deep: np.ndarray
    band: np.ndarray
    shift: np.ndarray
    colour: np.ndarray
    region: np.ndarray
    clipped: np.ndarray
    rim: np.ndarray
    rim_base: float
    edges: np.ndarray
    kept: np.ndarray


def body_maps(result: np.ndarray, source: np.ndarray, room: np.ndarray, alpha: np.ndarray) -> BodyMaps:
    """Compare a frame of a composite with what it was made from; alpha is float32 (H, W), 0..1, and not empty."""
    after, before, behind = (_lab(picture) for picture in (result, source, room))
    inside = alpha >= 0.5
    depth = _distance(inside) - _distance(~inside)
    body = (alpha >= OPAQUE) & (depth >= 2)
    body = body if body.any() else inside if inside.any() else alpha > 0
    deep = body & (depth > DEEP_PX)
    deep = deep if deep.any() else body
    shift = after - before
    colour = np.linalg.norm(shift, axis=2)
    near = (np.abs(depth) <= RIM_PX) & ((alpha > 0) | (np.abs(after - behind).max(axis=2) > 1))
    rim, judged = _towards_old_room(after, before, behind, depth, deep)
    base = judged & (depth > DEEP_PX + 1) & (depth <= DEEP_PX + 5)
    edges, kept = _edges(after[..., 0], before[..., 0])
    return BodyMaps(
        body=body,
        deep=deep,
        band=near & judged,
        shift=shift,
        colour=colour,
        region=means_around(colour, body),
        clipped=newly_clipped(result, source),
        rim=rim,
        rim_base=float(rim[base].mean()) if base.any() else 0.0,
        edges=edges,
        kept=kept,
    )


def means_around(values: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Means over the region of the body around each of its pixels; 0 where less than a quarter of it is body."""
    side = max(LEAST_REGION_PX, round(REGION * float(np.sqrt(np.count_nonzero(body)))))
    weight = body.astype(np.float32)
    count = cv2.boxFilter(weight, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    weighted = values * (weight if values.ndim == 2 else weight[..., None])
    sums = cv2.boxFilter(weighted, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    known = body & (count >= side * side / 4)
    known = known if known.any() else body
    share = np.where(known, 1 / np.maximum(count, 1), 0).astype(np.float32)
    return sums * (share if values.ndim == 2 else share[..., None])


def _lab(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.clip(unit(picture), 0, 1).astype(np.float32), cv2.COLOR_RGB2Lab)


def _distance(inside: np.ndarray) -> np.ndarray:
    """To the nearest pixel that is not inside; the picture's border is no outline."""
    if inside.all():
        return np.full(inside.shape, np.float32(sum(inside.shape)))
    return cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 5)


def _towards_old_room(
    after: np.ndarray, before: np.ndarray, behind: np.ndarray, depth: np.ndarray, deep: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel lies off the line of mixtures of body and new room, towards the old one; where it is known."""
    own, own_known = _nearby(after, deep & (depth <= DEEP_PX + AROUND_PX))
    old, old_known = _nearby(before, (depth < -RIM_PX) & (depth >= -RIM_PX - AROUND_PX))
    line = behind - own
    along = ((after - own) * line).sum(axis=2) / np.maximum((line**2).sum(axis=2), 1e-6)
    mixture = own + np.clip(along, 0, 1)[..., None] * line
    away = old - mixture
    distance = np.linalg.norm(away, axis=2)
    towards = ((after - mixture) * away).sum(axis=2) / np.maximum(distance, 1e-6)
    return np.minimum(towards, distance), own_known & old_known & (distance >= APART)


def _nearby(picture: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Gaussian mean of the known pixels around each, and where there is one."""
    weight = known.astype(np.float32)
    planes = cv2.GaussianBlur(np.dstack([picture * weight[..., None], weight]), (0, 0), AROUND_PX / 2)
    return planes[..., :3] / np.maximum(planes[..., 3:], 1e-6), planes[..., 3] > 1e-3


def _edges(after: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    down, across, own_down, own_across = (
        part for lightness in (after, before) for part in np.gradient(cv2.GaussianBlur(lightness, (0, 0), SMOOTH_PX))
    )
    edges = own_down**2 + own_across**2
    return edges, np.clip(down * own_down + across * own_across, 0, edges)
