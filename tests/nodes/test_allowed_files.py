"""No node opens a file outside its folder, whatever spelling it is sent: every menu of files, fifty spellings each.

The inputs are found in the schemas, so that a new node with a file input is tried without being named here. An audit
hook sees whatever Python opens or lists; the file and folder outside are true models, so that only the rule refuses.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tiny_models.onnx import write_tiny_onnx
from tiny_models.sam import write_tiny_sam

KINDS = ("sams", "rembg", "sam2", "segmentation", "controlnet_aux", "diffusers", "checkpoints", "controlnet")
WATCHED: dict[str, Any] = {"folder": None, "seen": []}


def _watch(event: str, arguments: tuple) -> None:
    if WATCHED["folder"] is not None and event in ("open", "os.listdir", "os.scandir") and arguments:
        with contextlib.suppress(TypeError, ValueError):
            path = os.path.realpath(os.fspath(arguments[0]))
            if path.startswith(WATCHED["folder"]):
                WATCHED["seen"].append(path)


@pytest.fixture(scope="module", autouse=True)
def hook() -> None:
    sys.addaudithook(_watch)  # stays for good; it only looks while a folder is watched


@pytest.fixture
def folders(
    comfyui: SimpleNamespace, pack: SimpleNamespace, fresh_folders: SimpleNamespace, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> SimpleNamespace:  # fmt: skip
    """Folders of models with one thing in each, and beside them, outside, models that nothing may open."""
    models, outside = tmp_path / "models", tmp_path / "outside"
    paths = {kind: ([str(models / kind)], set()) for kind in KINDS}
    for place in (*(models / kind for kind in KINDS), outside, fresh_folders.input):
        write_everything(place)
    monkeypatch.setattr(comfyui.folder_paths, "folder_names_and_paths", paths)
    monkeypatch.setattr(comfyui.folder_paths, "filename_list_cache", {})
    return SimpleNamespace(models=models, outside=outside, input=fresh_folders.input)


def write_everything(place: Path) -> None:
    folder = place / "canary"
    folder.mkdir(parents=True)
    for name in ("config.json", "model_index.json"):
        (folder / name).write_text(json.dumps({"model_type": "sam2_video", "_class_name": "StableDiffusionPipeline"}))
    for name in ("model.safetensors", "frame_0.png"):
        (folder / name).write_bytes(b"outside")
    for holder in (place, folder):
        write_tiny_onnx(holder / "u2net.onnx")
        write_tiny_sam(holder / "u2net.pth")
        shutil.copy(holder / "u2net.pth", holder / "u2net.safetensors")


@contextlib.contextmanager
def watching(folder: Path) -> Iterator[list[str]]:
    WATCHED.update(folder=os.path.realpath(folder), seen=[])
    try:
        yield WATCHED["seen"]
    finally:
        WATCHED["folder"] = None


def spellings(outside: Path, inside: Path) -> list[str]:
    """Ways to say a file or folder outside of `inside`; some can only be meant on another system."""
    names = ("u2net.onnx", "u2net.pth", "canary")
    steps = os.path.relpath(outside, inside)
    found = [str(outside / name) for name in names]
    for name in names:
        found += [
            f"{steps}/{name}", f"./{steps}/{name}", f"canary/../{steps}/{name}", f"nothing/../{steps}/{name}",
            f"{steps}/{name}".replace("/", "\\"), f"{steps}/{name}".replace("/", "//"), f"/{steps}/{name}",
            f"{steps}/./{name}", f" {steps}/{name}", f"{steps}/{name} ", f"{steps}/{name}.", f"{steps}/{name}/",
            f"{steps}/{name}\0", f"{name}\0/../{steps}/{name}", f"file://{outside}/{name}", f"//{outside}/{name}",
            f"{steps}/{name}".replace("..", "%2e%2e"), f"{steps}/{name}".replace("..", "．．"),
            f"{steps}/{name} [output]", f"../outside/{name}", f"..\\outside/{name}",
        ]  # fmt: skip
    return [
        *found,
        "", ".", "..", "/", "\\", "~", "~root/u2net.onnx", "C:u2net.onnx", "C:\\u2net.onnx", "\\\\host\\u2net.onnx",
        "\\\\?\\C:\\u2net.onnx", "CON", "nul.onnx", "/dev/stdin", "/proc/self/environ", "u2net.onnx::$DATA",
        "canary/../../outside/canary", "u2net.pth/..", "a" * 5000, "\n", "u2net.onnx\n", "\x1b[2J",
    ]  # fmt: skip


def file_inputs(pack: SimpleNamespace) -> list[tuple[str, str]]:
    """Every menu that shows what lies in a folder, by node and input, from the schemas alone."""
    found = []
    for node_id, node in pack.nodes.items():
        for dial in node.define_schema().inputs:
            options = [str(option) for option in getattr(dial, "options", None) or []]
            if any("canary" in option or option.startswith("u2net.") for option in options):
                found.append((node_id, dial.id))
    return found


def checked_by_the_nodes(pack: SimpleNamespace) -> set[tuple[str, str]]:
    """Menus whose value ComfyUI leaves to the node: those that validate_inputs asks for."""
    return {
        (node_id, name)
        for node_id, node in pack.nodes.items()
        if "validate_inputs" in vars(node)
        for name in inspect.signature(node.validate_inputs).parameters
        if any(dial.id == name and hasattr(dial, "options") for dial in node.define_schema().inputs)
    }


def arguments_for(node: Any) -> dict[str, Any]:
    """Something small for each input, so that nothing but the name can be what is refused."""
    image, mask = torch.zeros(2, 16, 16, 3), torch.zeros(1, 16, 16)
    given: dict[str, Any] = {}
    for dial in node.define_schema().inputs:
        if getattr(dial, "optional", False):
            continue
        kind = dial.get_io_type()
        options = getattr(dial, "options", None)
        given[dial.id] = (
            image if "IMAGE" in kind else mask if kind == "MASK" else options[0] if options else dial.default
            if hasattr(dial, "default") else None
        )  # fmt: skip
    return given


def test_every_menu_of_files_is_found_and_checked_by_its_node(pack: SimpleNamespace, folders: SimpleNamespace) -> None:
    found = set(file_inputs(pack))
    assert found == checked_by_the_nodes(pack)
    assert {node_id for node_id, _ in found} >= {
        "EscalierLoadSam", "EscalierLoadMatteModel", "EscalierTrackMaskSam2", "EscalierSegmentationMap",
        "EscalierLoadPipeline", "EscalierLoadKeyframes",
    }  # fmt: skip


def test_no_text_input_names_a_file_but_the_one_that_saves(pack: SimpleNamespace) -> None:
    """Whoever adds a text input that names a file adds a menu instead, or its own tests here."""
    naming = {
        (node_id, dial.id)
        for node_id, node in pack.nodes.items()
        for dial in node.define_schema().inputs
        if dial.get_io_type() == "STRING"
        and re.search(r"\b(path|folder|file|directory)\b", f"{dial.id.replace('_', ' ')} {dial.tooltip}".lower())
    }
    assert naming <= {("EscalierSaveKeyframes", "folder_prefix")}


def test_no_spelling_opens_a_file_outside(pack: SimpleNamespace, folders: SimpleNamespace) -> None:
    for node_id, name in file_inputs(pack):
        node = pack.nodes[node_id]
        inside = folders.input if node_id == "EscalierLoadKeyframes" else folders.models / "sams"
        tried = [*spellings(folders.outside, inside), 3, None, ["u2net.onnx"]]
        assert len(tried) >= 50
        asked = inspect.signature(node.validate_inputs).parameters
        for text in tried:
            given = {**arguments_for(node), name: text}
            with watching(folders.outside) as opened:
                answer = node.validate_inputs(**{key: given[key] for key in asked})
                assert isinstance(answer, str) and answer.isprintable(), (node_id, text)
                with contextlib.suppress(TypeError):  # a fingerprint may ask for fewer inputs than there are
                    node.fingerprint_inputs(**given)
                with pytest.raises((OSError, ValueError), match=f"^{node.define_schema().display_name}: .*must"):
                    node.execute(**given)
            assert opened == [], (node_id, text)


def test_links_that_the_artist_made_are_followed(pack: SimpleNamespace, folders: SimpleNamespace) -> None:
    try:
        (folders.models / "rembg" / "shared.onnx").symlink_to(folders.outside / "u2net.onnx")
        (folders.models / "rembg" / "more").symlink_to(folders.outside / "canary", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    for name in ("shared.onnx", os.path.join("more", "u2net.onnx")):
        assert pack.EscalierLoadMatteModel.validate_inputs(model=name) is True


def test_links_that_lead_back_end(pack: SimpleNamespace, folders: SimpleNamespace) -> None:
    root = folders.models / "sam2"
    try:
        for name in ("loop", "again", "canary/up"):
            (root / name).symlink_to(folders.models, target_is_directory=True)
        (root / "twin").symlink_to(root / "canary", target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    tried = pack.EscalierTrackMaskSam2.define_schema().inputs[3].options
    assert {"canary", "twin"} <= set(tried) and len(tried) < 50


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_pipe_with_a_name_is_no_model(pack: SimpleNamespace, folders: SimpleNamespace) -> None:
    os.mkfifo(folders.models / "rembg" / "u2netp.onnx")
    os.mkfifo(folders.models / "sams" / "pipe.pth")
    assert "no such file" in pack.EscalierLoadMatteModel.validate_inputs(model="u2netp.onnx")
    with pytest.raises(OSError, match=r"^Load Segment Anything: pipe\.pth must lie in"):
        pack.EscalierLoadSam.execute(model="pipe.pth")


@pytest.mark.parametrize(
    "prefix",
    ["../keys", "/tmp/keys", "a/../../keys", "..\\keys", "C:keys", "C:\\keys", "\\\\host\\keys", "~/keys", "keys\0",
     "nul", "a/con.b", "keys.", "keys ", "a//b", "", "/", ".", "..", "keys\nmore"],
)  # fmt: skip
def test_nothing_is_saved_outside_the_output_folder(
    pack: SimpleNamespace, fresh_folders: SimpleNamespace, prefix: str, tmp_path: Path
) -> None:
    from escalier.film import Size
    from escalier.keyframes import Keyframes

    keyframes = Keyframes([0], torch.zeros(1, *reversed(Size(16, 12)), 3).numpy(), 1)
    with pytest.raises(ValueError, match=r"^Save Keyframes: folder_prefix must be a plain name inside .*; leave out"):
        pack.EscalierSaveKeyframes.execute(keyframes, prefix, 0)
    assert list(tmp_path.rglob("*.png")) == []
