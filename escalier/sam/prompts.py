"""Clicks and boxes that say which object is meant, and the JSON text in which they are written."""

import json
import math
from collections.abc import Sequence
from typing import Any, NoReturn, TypeGuard

import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.refusals import Refusal

EXAMPLE = '{"positive": [[x, y]], "negative": [[x, y]], "box": [left, top, right, bottom]}'
CORNERS = (("startX", "startY", "endX", "endY"), ("x0", "y0", "x1", "y1"), ("left", "top", "right", "bottom"))
"""Names that canvas pickers give to the sides of a box; ComfyUI's own are x, y, width and height."""


@checked
class Prompts:
    """Which object is meant, in pixels of the picture: x to the right, y downwards.

    Parameters
    ----------
    points
        (P, 2) places (x, y).
    labels
        (P,) 1 where the place is on the object, 0 where it is not. All 1 when left out.
    boxes
        None, or one box (1, 4) around the object: left, top, right, bottom.

    >>> dancer = Prompts([(320, 200), (40, 40)], [1, 0], boxes=[(250, 80, 400, 420)])
    >>> dancer.points.shape, dancer.labels.tolist(), dancer.boxes.shape
    ((2, 2), [1, 0], (1, 4))
    """

    def __init__(
        self,
        points: np.ndarray | Sequence[Sequence[float]] = (),
        labels: np.ndarray | Sequence[int] | None = None,
        boxes: np.ndarray | Sequence[Sequence[float]] | None = None,
    ) -> None:
        self.points = _rows("points", points, 2, "x and y")
        count = len(self.points)
        self.labels = np.ones(count, np.int64) if labels is None else np.asarray(labels, np.int64).reshape(-1)
        self.boxes = None if boxes is None or len(boxes) == 0 else _rows("boxes", boxes, 4, "two corners")
        if len(self.labels) != count or not np.isin(self.labels, (0, 1)).all():
            rule = f"be 1 or 0 for each of the {count} points"
            raise Refusal("labels", rule, self.labels.tolist(), "1 is on the object, 0 beside it")
        if count == 0 and self.boxes is None:
            raise Refusal("an object", "have a point or a box", "none", "click on the object")
        if self.boxes is not None and len(self.boxes) > 1:
            raise Refusal("an object", "have one box at most", len(self.boxes), "make one object of each")
        if self.boxes is None and not self.labels.any():
            raise Refusal("an object", "have a positive point or a box", "negative points alone")

    def check_inside(self, size: Size) -> None:
        """Refuse what lies outside a picture of this size.

        >>> Prompts([(700, 20)]).check_inside(Size(640, 480))
        Traceback (most recent call last):
        escalier.refusals.Refusal: Prompts: points must be inside the picture of 640x480, got x 700, y 20; click ...
        """
        for x, y in self.points.tolist():
            if not (0 <= x < size.width and 0 <= y < size.height):
                raise Refusal(
                    "points", f"be inside the picture of {size}", f"x {x:g}, y {y:g}", "click on the same picture"
                )
        for left, top, right, bottom in [] if self.boxes is None else self.boxes.tolist():
            if not (0 <= left < right <= size.width and 0 <= top < bottom <= size.height):
                rule, remedy = f"be inside the picture of {size} and larger than nothing", "draw it on the same picture"
                raise Refusal("a box", rule, f"left {left:g}, top {top:g}, right {right:g}, bottom {bottom:g}", remedy)


def _rows(name: str, given: np.ndarray | Sequence[Sequence[float]], numbers: int, what: str) -> np.ndarray:
    """Points or boxes as float32 (N, numbers)."""
    try:
        rows = np.asarray(given, np.float32)
    except ValueError:  # rows of different lengths
        rows = np.full((1, 1), np.nan, np.float32)
    if rows.size == 0:
        return rows.reshape(0, numbers)
    if rows.ndim != 2 or rows.shape[1] != numbers or not np.isfinite(rows).all():
        raise Refusal(name, f"hold {numbers} numbers each, {what} in pixels", given, "mend them")
    return rows


@checked
def parse_prompts(text: str) -> list[Prompts]:
    """Read the objects that a text in JSON describes.

    Parameters
    ----------
    text
        `{"objects": [object, object]}`, a list of objects, or one object. An object is
        `{"positive": [[x, y]], "negative": [[x, y]], "box": [left, top, right, bottom]}` with at least one positive
        point or a box. What other packs and ComfyUI's own pickers write is read too: points as `{"x": 1, "y": 2}`, a
        bare list of points (one object), boxes as `{"x", "y", "width", "height"}` or `{"startX", "startY", "endX",
        "endY"}`, points with labels as `{"points": [[x, y]], "labels": [1, 0]}`, and `{"boxes": [box, box]}` or a
        bare list of boxes (one object each).

    Raises
    ------
    ValueError
        If it is not JSON, or JSON of another form: the message says where.

    >>> first, second = parse_prompts('[{"positive": [[12, 40]]}, {"box": [0, 0, 20, 30]}]')
    >>> first.points.tolist(), second.boxes.tolist()
    ([[12.0, 40.0]], [[0.0, 0.0, 20.0, 30.0]])
    >>> parse_prompts('[{"x": 3, "y": 4}]')[0].points.tolist()
    [[3.0, 4.0]]
    """
    if not text.strip():
        raise Refusal("prompts", "describe an object", "no text", f"write {EXAMPLE}")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refusal(
            "prompts", "be JSON", f"{error.msg} in line {error.lineno}, column {error.colno}", f"write {EXAMPLE}"
        ) from error
    if isinstance(content, dict) and "objects" in content:
        content = content["objects"]
    objects = [prompts for entry in _entries(content) for prompts in _objects(entry)]
    if not objects:
        _refuse("prompts", "at least one object", content)
    return objects


def _entries(content: Any) -> list[Any]:
    """The objects of the text, one entry each; a bare list of points is one entry."""
    if isinstance(content, dict):
        return [{"boxes": [content]}] if _is_box(content) else [content]
    if not isinstance(content, list):
        _refuse("prompts", "an object or a list of objects", content)
    if content and all(_is_point(entry) for entry in content):
        return [{"positive": content}]
    return [{"boxes": [entry]} if _is_box(entry) else entry for entry in content]


def _objects(entry: Any) -> list[Prompts]:
    if not isinstance(entry, dict):
        _refuse("each object", EXAMPLE, entry)
    unknown = entry.keys() - {"positive", "negative", "points", "labels", "box", "boxes"}
    if unknown:
        _refuse("each object", EXAMPLE, sorted(unknown)[0])
    positive, negative = _points(entry, "positive"), _points(entry, "negative")
    mixed = _points(entry, "points")
    labels = entry.get("labels", [1] * len(mixed))
    if not isinstance(labels, list) or len(labels) != len(mixed) or not all(label in (0, 1) for label in labels):
        _refuse("labels", f"1 or 0 for each of the {len(mixed)} points", labels)
    points = positive + negative + mixed
    labels = [1] * len(positive) + [0] * len(negative) + labels
    boxes = [entry["box"]] if entry.get("box") else []
    more = entry.get("boxes") or []
    if not isinstance(more, list):
        _refuse("boxes", "a list of boxes", more)
    corners = [_box(box) for box in boxes + more]
    if len(corners) > 1 and points:
        _refuse("an object with points", "given one box at most", f"{len(corners)}")
    if len(corners) > 1:
        return [Prompts(boxes=[box]) for box in corners]
    return [Prompts(points, labels, corners)]


def _points(entry: dict[str, Any], name: str) -> list[tuple[float, float]]:
    points = entry.get(name) or []
    if not isinstance(points, list) or not all(_is_point(point) for point in points):
        _refuse(name, "a list of places [x, y]", points)
    return [(point["x"], point["y"]) if isinstance(point, dict) else (point[0], point[1]) for point in points]


def _box(box: Any) -> tuple[float, ...]:
    if isinstance(box, list) and len(box) == 4 and all(_is_number(side) for side in box):
        return tuple(box)
    if isinstance(box, dict):
        for names in CORNERS:
            if all(_is_number(box.get(name)) for name in names):
                return tuple(box[name] for name in names)
        x, y, width, height = (box.get(name) for name in ("x", "y", "width", "height"))
        if _is_number(x) and _is_number(y) and _is_number(width) and _is_number(height):
            return (x, y, x + width, y + height)
    _refuse("a box", "[left, top, right, bottom] in pixels", box)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_point(value: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == {"x", "y"} and all(_is_number(place) for place in value.values())
    return isinstance(value, list) and len(value) == 2 and all(_is_number(place) for place in value)


def _is_box(value: Any) -> bool:
    if isinstance(value, dict):
        return "width" in value or any(names[0] in value for names in CORNERS)
    return isinstance(value, list) and len(value) == 4


def _refuse(what: str, rule: str, value: object) -> NoReturn:
    shown = value if isinstance(value, str) else json.dumps(value)
    raise Refusal(what, f"be {rule}", shown[:80], f"write {EXAMPLE}")
