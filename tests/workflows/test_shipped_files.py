"""Every recipe has its three files, and the canvas is one that an artist can read."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import cv2
import pytest

from escalier.headless.workflow import check_workflow

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.json"))
NOTES = {"MarkdownNote", "Note"}
TITLE_HEIGHT = 30

each_workflow = pytest.mark.parametrize("name", NAMES)


def canvas(name: str) -> dict:
    return json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))


def box(node: dict) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a node with its title bar."""
    (x, y), (width, height) = node["pos"], node["size"]
    return x, y - TITLE_HEIGHT, x + width, y + height


def inside(inner: tuple, outer: tuple) -> bool:
    return inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2] and inner[3] <= outer[3]


def test_the_recipes_of_the_readme_are_there() -> None:
    assert {"staircase", "keyframe_grid_roundtrip"} <= set(NAMES)


def test_each_canvas_has_a_picture_and_an_api_file() -> None:
    assert sorted(path.stem for path in WORKFLOWS.glob("*.jpg")) == NAMES
    assert sorted(path.stem for path in (WORKFLOWS / "api").glob("*.json")) == NAMES


@each_workflow
def test_picture_is_small(name: str) -> None:
    path = WORKFLOWS / f"{name}.jpg"
    assert max(cv2.imread(str(path)).shape) <= 512
    assert path.stat().st_size < 100_000


@each_workflow
def test_api_file_keeps_titles(name: str) -> None:
    workflow = check_workflow(json.loads((WORKFLOWS / "api" / f"{name}.json").read_text(encoding="utf-8")), name)
    assert all(node["_meta"]["title"] for node in workflow.values())


@each_workflow
def test_nodes_say_which_pack_they_come_from(name: str) -> None:
    for node in canvas(name)["nodes"]:
        if node["type"] not in NOTES:
            owner = "escalier" if node["type"].startswith("Escalier") else "comfy-core"
            assert node["properties"]["cnr_id"] == owner, node["type"]
            assert node["properties"]["ver"], node["type"]


@each_workflow
def test_nodes_do_not_overlap(name: str) -> None:
    pairs = itertools.combinations(canvas(name)["nodes"], 2)
    for one, other in pairs:
        a, b = box(one), box(other)
        apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
        assert apart, f"{one['type']} and {other['type']}"


@each_workflow
def test_every_node_lies_in_a_titled_group(name: str) -> None:
    content = canvas(name)
    groups = [(x, y, x + width, y + height) for x, y, width, height in (g["bounding"] for g in content["groups"])]
    assert all(group["title"].strip() for group in content["groups"])
    outside = [n["type"] for n in content["nodes"] if not any(inside(box(n), group) for group in groups)]
    assert set(outside) <= NOTES


@each_workflow
def test_a_note_explains_the_steps(name: str) -> None:
    notes = [node["widgets_values"][0] for node in canvas(name)["nodes"] if node["type"] in NOTES]
    assert any(note.startswith("# ") for note in notes)
