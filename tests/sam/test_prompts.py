"""Clicks and boxes as text: every form that pickers write, and what is said about any other."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.film import Size
from escalier.sam import Prompts, parse_prompts


def written(prompts: Prompts) -> tuple[list, list, list | None]:
    return prompts.points.tolist(), prompts.labels.tolist(), None if prompts.boxes is None else prompts.boxes.tolist()


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ('{"positive": [[3, 4.5]], "negative": [[9, 1]]}', [([[3, 4.5], [9, 1]], [1, 0], None)]),
        ('{"box": [1, 2, 30, 40]}', [([], [], [[1, 2, 30, 40]])]),
        ('{"box": [1, 2, 30, 40], "positive": [[5, 6]]}', [([[5, 6]], [1], [[1, 2, 30, 40]])]),
        ('{"box": [1, 2, 30, 40], "negative": [[5, 6]]}', [([[5, 6]], [0], [[1, 2, 30, 40]])]),
        ('{"objects": [{"positive": [[1, 2]]}, {"box": [0, 0, 5, 5]}]}',
         [([[1, 2]], [1], None), ([], [], [[0, 0, 5, 5]])]),
        ('[{"x": 3, "y": 4}, {"x": 5, "y": 6}]', [([[3, 4], [5, 6]], [1, 1], None)]),
        ("[[3, 4], [5, 6]]", [([[3, 4], [5, 6]], [1, 1], None)]),
        ('{"positive": [{"x": 3, "y": 4}], "negative": [{"x": 0, "y": 0}]}', [([[3, 4], [0, 0]], [1, 0], None)]),
        ('{"points": [[3, 4], [5, 6]], "labels": [1, 0]}', [([[3, 4], [5, 6]], [1, 0], None)]),
        ('{"x": 10, "y": 20, "width": 30, "height": 40}', [([], [], [[10, 20, 40, 60]])]),
        ('[{"startX": 1, "startY": 2, "endX": 3, "endY": 4}, [5, 6, 7, 8]]',
         [([], [], [[1, 2, 3, 4]]), ([], [], [[5, 6, 7, 8]])]),
        ('{"boxes": [[1, 2, 3, 4], [5, 6, 7, 8]]}', [([], [], [[1, 2, 3, 4]]), ([], [], [[5, 6, 7, 8]])]),
    ],
)  # fmt: skip
def test_every_way_to_write_an_object_is_read(text: str, objects: list) -> None:
    assert [written(prompts) for prompts in parse_prompts(text)] == objects


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must describe an object, got no text; write"),
        ('{"positive": [[1, 2]', "must be JSON, got .* in line 1, column"),
        ("120, 80", "must be JSON, got Extra data in line 1, column 4"),
        ("[]", "must be at least one object"),
        ('"dancer"', "must be an object or a list of objects, got dancer"),
        ('{"objects": 3}', "must be an object or a list of objects, got 3"),
        ('{"dancer": [[1, 2]]}', "each object must be .*, got dancer"),
        ('[{"positive": [[1, 2]]}, 7]', "each object must be .*, got 7"),
        ('{"positive": [[1, 2, 3]]}', "positive must be a list of places"),
        ('{"positive": [["1", 2]]}', "positive must be a list of places"),
        ('{"positive": [[NaN, 2]]}', "positive must be a list of places"),
        ('{"positive": 5}', "positive must be a list of places"),
        ('{"points": [[1, 2]], "labels": [1, 0]}', "labels must be 1 or 0 for each of the 1 points"),
        ('{"points": [[1, 2]], "labels": [2]}', "labels must be 1 or 0 for each of the 1 points"),
        ('{"box": [1, 2, 3]}', "a box must be .left, top, right, bottom. in pixels"),
        ('{"box": {"x": 1, "y": 2, "width": 3}}', "a box must be"),
        ('{"boxes": [[1, 2, 3, 4], [5, 6, 7, 8]], "positive": [[1, 1]]}', "given one box at most, got 2"),
        ('{"positive": []}', "must have a point or a box, got none"),
        ('{"negative": [[1, 2]]}', "must have a positive point or a box, got negative points alone"),
    ],
)
def test_text_of_another_form_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_prompts(text)


def test_prompts_are_made_of_plain_lists_or_arrays() -> None:
    assert written(Prompts(np.array([[1, 2]]))) == ([[1, 2]], [1], None)
    assert written(Prompts([(1, 2)], [1], [])) == ([[1, 2]], [1], None)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([(1, 2)], [1, 0]), "labels must be 1 or 0 for each of the 1 points"),
        (([(1, 2)], [3]), "labels must be 1 or 0"),
        (([(1, 2)], [1], [(0, 0, 1, 1), (0, 0, 2, 2)]), "one box at most, got 2; make one object of each"),
        (([],), "must have a point or a box, got none"),
    ],
    ids=["too many labels", "odd label", "two boxes", "nothing"],
)
def test_prompts_that_mean_nothing_are_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Prompts(*arguments)


def test_corners_of_the_picture_are_inside_it() -> None:
    Prompts([(0, 0), (639, 479.5)], boxes=[(0, 0, 640, 480)]).check_inside(Size(640, 480))
