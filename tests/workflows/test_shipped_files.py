"""Every recipe has its three files, and the canvas is one that an artist can read."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import cv2
import pytest

from escalier.comfyui.workflow import check_workflow
from escalier.diffusion import DETECTORS, POSE_PARTS, files_for

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


DIFFUSION = [
    "environment_mlsd_depth_seg", "img2img_per_frame", "instruct_pix2pix_render", "keyframe_grid_multicontrolnet",
    "keyframe_grid_sdxl", "plate_inpaint_sdxl",
]  # fmt: skip
UPSCALING = ["environment_mlsd_depth_seg", "keyframe_grid_multicontrolnet", "keyframe_grid_sdxl"]
MODEL_FOLDERS = {
    "CheckpointLoaderSimple": "checkpoints", "ControlNetLoader": "controlnet", "UpscaleModelLoader": "upscale_models",
    "EscalierSegmentationMap": "segmentation", "EscalierControlMap": "controlnet_aux",
}  # fmt: skip


def models_of(node: dict) -> set[str]:
    """The model files that a node asks for."""
    widgets = node["widgets_values"]
    if node["type"] != "EscalierControlMap":
        return {widgets[0]}
    if widgets[0] == "openpose":
        return set(files_for(next(parts for parts in POSE_PARTS if parts in widgets)))
    return {names[0] for names in DETECTORS[widgets[0]].files}


@pytest.mark.parametrize("name", DIFFUSION)
def test_every_model_has_a_hint_with_its_name_folder_and_address(name: str) -> None:
    asked = 0
    for node in canvas(name)["nodes"]:
        if node["type"] in MODEL_FOLDERS:
            hints = node["properties"].get("models", [])
            assert {hint["name"] for hint in hints} == models_of(node), node.get("title", node["type"])
            assert all(hint["directory"] == MODEL_FOLDERS[node["type"]] for hint in hints)
            assert all(hint["url"].startswith(("https://huggingface.co/", "https://github.com/")) for hint in hints)
            asked += len(hints)
    assert asked >= 2


def sources(content: dict, node: dict) -> list[dict]:
    """What feeds a node, from near to far, through links alone."""
    nodes = {one["id"]: one for one in content["nodes"]}
    origins = {link[0]: link[1] for link in content["links"]}
    found, waiting = [], [node]
    while waiting:
        for slot in waiting.pop(0).get("inputs", []):
            origin = nodes.get(origins.get(slot.get("link")))
            if origin is not None and origin not in found:
                found.append(origin)
                waiting.append(origin)
    return found


@pytest.mark.parametrize("name", UPSCALING)
def test_keyframes_are_upscaled_after_diffusion_and_before_they_are_split(name: str) -> None:
    content = canvas(name)
    by_type = {node["type"]: node for node in content["nodes"]}
    before_split = [node["type"] for node in sources(content, by_type["EscalierSplitGrid"])]
    assert "ImageUpscaleWithModel" in before_split
    before_upscaler = [node["type"] for node in sources(content, by_type["ImageUpscaleWithModel"])]
    assert {"KSampler", "VAEDecode"} <= set(before_upscaler)
    assert "EscalierSplitGrid" not in before_upscaler


@pytest.mark.parametrize("name", UPSCALING)
def test_a_note_says_when_to_upscale_and_to_restore_faces(name: str) -> None:
    notes = [node["widgets_values"][0] for node in canvas(name)["nodes"] if node["type"] in NOTES]
    (note,) = (note for note in notes if note.startswith("# Full resolution keyframes"))
    order = [note.index(word) for word in ("diffuse", "upscale", "restore faces", "split", "propagate")]
    assert order == sorted(order)
    assert "Only ever on keyframes" in note
