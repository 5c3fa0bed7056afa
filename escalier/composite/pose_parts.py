"""Face, hands and torso in a frame, from a pose as OpenPose and DWPose write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np

from escalier.refusals import Refusal

PARTS = ("face", "hands", "torso")
TORSO = (2, 5, 11, 8)
HEAD = (0, 14, 15, 16, 17)
ARMS = ((3, 4), (6, 7))
"""Numbers of OpenPose's 18 points: shoulders and hips; nose, eyes and ears; elbow and wrist of each arm."""
BEYOND_WRIST = 0.25
"""Where the middle of a hand lies beyond the wrist, and its radius, as a share of the forearm."""
HEAD_RADIUS = 0.35
"""Radius of a face of which only nose, eyes and ears are known, as a share of the shoulders' width."""


def pose_parts(pose: Mapping[str, Any], body: np.ndarray) -> dict[str, np.ndarray]:
    """Where each part that the pose shows lies on the body: bool (H, W) by its name, of the person who is most on it.

    Parameters
    ----------
    pose
        One frame: {"people": [{"pose_keypoints_2d": [x, y, confidence, ...], ...}], "canvas_width", "canvas_height"},
        in pixels of the canvas or, where no coordinate is above 1, in shares of it. Points of confidence 0 are unseen.
    body
        bool (H, W).
    """
    people = pose.get("people") if isinstance(pose, Mapping) else None
    if people is None:
        raise Refusal("poses", "hold one OpenPose object with 'people' a frame", type(pose).__name__, "use DWPose's")
    shown = [_parts(person, pose, body) for person in people]
    return max(shown, key=lambda parts: sum(int(part.sum()) for part in parts.values()), default={})


def _parts(person: Mapping[str, Any], pose: Mapping[str, Any], body: np.ndarray) -> dict[str, np.ndarray]:
    points = _points(person, "pose_keypoints_2d", pose, body)
    face = _points(person, "face_keypoints_2d", pose, body)
    canvas = {name: np.zeros(body.shape, np.uint8) for name in PARTS}
    torso = [points[i] for i in TORSO if i in points]
    width = float(np.linalg.norm(torso[0] - torso[1])) if 2 in points and 5 in points else 0.0
    if len(torso) >= 3:
        _fill(canvas["torso"], torso)
    if len(face) >= 3:
        _fill(canvas["face"], [*face.values()])
    elif width and (head := [points[i] for i in HEAD if i in points]):
        _disc(canvas["face"], np.mean(head, axis=0), HEAD_RADIUS * width)
    for side, (elbow, wrist) in zip(("right", "left"), ARMS, strict=True):
        hand = _points(person, f"hand_{side}_keypoints_2d", pose, body)
        if len(hand) >= 3:
            _fill(canvas["hands"], [*hand.values()])
        elif elbow in points and wrist in points:
            arm = points[wrist] - points[elbow]
            _disc(canvas["hands"], points[wrist] + BEYOND_WRIST * arm, BEYOND_WRIST * float(np.linalg.norm(arm)))
    parts = {name: (drawn > 0) & body for name, drawn in canvas.items()}
    return {name: part for name, part in parts.items() if part.any()}


def _points(person: Mapping[str, Any], name: str, pose: Mapping[str, Any], body: np.ndarray) -> dict[int, np.ndarray]:
    """Points that are seen, float64 (x, y) in pixels of the body's picture, by their numbers."""
    try:
        flat = np.array(person.get(name) or [], np.float64).reshape(-1, 3)
        shares = flat.size == 0 or flat[:, :2].max() <= 1
        canvas = (1, 1) if shares else (float(pose["canvas_width"]), float(pose["canvas_height"]))
    except (TypeError, ValueError, KeyError) as error:
        raise Refusal(
            "poses", f"hold {name} as x, y, confidence and the canvas's size", str(error), "use DWPose's"
        ) from error
    scale = np.array(body.shape[::-1]) / canvas
    return {i: point[:2] * scale for i, point in enumerate(flat) if point[2] > 0 and np.isfinite(point).all()}


def _fill(canvas: np.ndarray, points: list[np.ndarray]) -> None:
    cv2.fillConvexPoly(canvas, cv2.convexHull(np.rint(points).astype(np.int32)), 1)


def _disc(canvas: np.ndarray, middle: np.ndarray, radius: float) -> None:
    x, y = np.rint(middle).astype(int).tolist()
    cv2.circle(canvas, (x, y), max(1, round(radius)), 1, -1)
