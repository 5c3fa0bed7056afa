"""Models and inputs that a workflow names are looked for before ComfyUI is started."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.comfyui import (
    ComfyUIError,
    Place,
    Server,
    Workflow,
    explain_with,
    folder_there,
    load_workflow,
    missing_here,
    missing_there,
    tell_missing,
)
from escalier.comfyui.answers import Reason
from escalier.comfyui.find import ComfyUI
from escalier.comfyui.model_folders import ModelFolders
from escalier.comfyui.named_files import NamedFile, named_files
from escalier.comfyui.workflow import check_workflow, shipped_workflows
from escalier.commands import cli
from escalier.commands.run import check_files, control_map_files
from escalier.film import ArrayFrames, write_film


@pytest.fixture
def folders(tmp_path: Path) -> ModelFolders:
    return ModelFolders.of(tmp_path / "comfyui", tmp_path / "base")


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"model")


def loading(class_type: str, field: str, value: object) -> Workflow:
    return check_workflow(
        {
            "1": {"class_type": class_type, "inputs": {field: value}, "_meta": {"title": "Load"}},
            "2": {"class_type": "Use", "inputs": {"it": ["1", 0]}},
        }
    )


KINDS = [
    ("CheckpointLoaderSimple", "ckpt_name", "a.safetensors", "checkpoints/a.safetensors"),
    ("ControlNetLoader", "control_net_name", "sd15/a.pth", "controlnet/sd15/a.pth"),
    ("ControlNetLoader", "control_net_name", "a.pth", "t2i_adapter/a.pth"),
    ("VAELoader", "vae_name", "a.pt", "vae/a.pt"),
    ("VAELoader", "vae_name", "taehv.safetensors", "vae_approx/taehv.safetensors"),
    ("LoraLoader", "lora_name", "a.safetensors", "loras/a.safetensors"),
    ("CLIPLoader", "clip_name", "t5.safetensors", "clip/t5.safetensors"),
    ("DualCLIPLoader", "clip_name2", "t5.safetensors", "text_encoders/t5.safetensors"),
    ("UNETLoader", "unet_name", "flux.safetensors", "diffusion_models/flux.safetensors"),
    ("UpscaleModelLoader", "model_name", "x2.pth", "upscale_models/x2.pth"),
    ("FrameInterpolationModelLoader", "model_name", "rife.safetensors", "frame_interpolation/rife.safetensors"),
    ("EscalierLoadMatteModel", "model", "u2net.onnx", "rembg/u2net.onnx"),
    ("EscalierLoadSam", "model", "sam.pth", "sams/sam.pth"),
    ("EscalierTrackMaskSam2", "model", "small", "sam2/small/config.json"),
    ("EscalierSegmentationMap", "folder", "ade", "segmentation/ade/config.json"),
    ("EscalierLoadPipeline", "pipeline", "sd", "diffusers/sd/model_index.json"),
    ("EscalierLoadPipeline", "pipeline", "sd.ckpt", "checkpoints/sd.ckpt"),
    ("EscalierLoadPipeline", "control_net_2", "canny", "controlnet/canny/config.json"),
    ("EscalierControlMap", "kind", "depth midas", "controlnet_aux/any/where/dpt_hybrid-midas-501f0c75.pt"),
    ("EscalierControlMap", "kind", "openpose", "controlnet_aux/body_pose_model.pth"),
    ("EscalierControlMap", "kind", "teed", "controlnet_aux/7_model.pth"),
]


def missing(workflow: Workflow, folders: ModelFolders) -> list[NamedFile]:
    return missing_here(workflow, [], folders, control_map_files(workflow))


@pytest.mark.parametrize(("class_type", "field", "value", "home"), KINDS, ids=lambda part: str(part))
def test_a_model_is_missed_until_it_lies_in_its_folder(
    folders: ModelFolders, class_type: str, field: str, value: str, home: str
) -> None:
    workflow = loading(class_type, field, value)
    (lacking,) = missing(workflow, folders)
    told = tell_missing(workflow, [lacking], lambda file: str(folders.home(file)))
    assert '1 "Load"' in told and str(folders.models / lacking.kind) in told
    put(folders.models / home)
    assert missing(workflow, folders) == []


@pytest.mark.parametrize("value", ["../checkpoints/a.pth", "/a.pth", "sub/../../a.pth", "C:\\a.pth", "a\x00.pth"])
def test_a_model_outside_its_folder_is_missing_wherever_it_lies(folders: ModelFolders, value: str) -> None:
    put(folders.models / "checkpoints" / "a.pth")
    put(folders.models / "a.pth")
    assert missing_here(loading("LoraLoader", "lora_name", value), [], folders)


@pytest.mark.parametrize(
    ("class_type", "field", "value"),
    [
        ("VAELoader", "vae_name", "pixel_space"),
        ("EscalierLoadPipeline", "control_net", "none"),
        ("EscalierControlMap", "kind", "canny"),
        ("EscalierControlMap", "kind", ["2", 0]),
        ("CheckpointLoaderSimple", "ckpt_name", ["2", 0]),
        ("CheckpointLoaderSimple", "ckpt_name", 7),
        ("SomeOtherPack", "ckpt_name", "a.safetensors"),
        ("LoadImage", "image", "a.png [output]"),
    ],
)
def test_what_names_no_file_is_not_missed(folders: ModelFolders, class_type: str, field: str, value: object) -> None:
    assert missing(loading(class_type, field, value), folders) == []


def test_a_loader_that_feeds_nothing_needs_nothing(folders: ModelFolders) -> None:
    workflow = loading("UpscaleModelLoader", "model_name", "x2.pth")
    workflow["2"]["inputs"]["it"] = 3
    assert missing(workflow, folders) == []


def test_folders_that_comfyui_is_told_of_are_searched(tmp_path: Path) -> None:
    pytest.importorskip("yaml")
    comfyui, other = tmp_path / "comfyui", tmp_path / "other"
    comfyui.mkdir()
    (comfyui / "extra_model_paths.yaml").write_text(
        f"a1111:\n  base_path: {other}\n  checkpoints: models/sd\n  clip: |\n    te1\n    te2\nodd: 3\nnothing:\n"
    )
    extra = tmp_path / "extra.yaml"
    extra.write_text("here:\n  loras: beside\n")
    folders = ModelFolders.of(comfyui, tmp_path / "base", None, ["--extra-model-paths-config", str(extra), "--cpu"])
    for class_type, field, place in (
        ("CheckpointLoaderSimple", "ckpt_name", other / "models/sd/a.pth"),
        ("CLIPLoader", "clip_name", other / "te2/a.pth"),
        ("LoraLoader", "lora_name", tmp_path / "beside/a.pth"),
    ):
        assert missing_here(loading(class_type, field, "a.pth"), [], folders)
        put(place)
        assert missing_here(loading(class_type, field, "a.pth"), [], folders) == []


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\x00", b"- 1", b"", b"a: {checkpoints: [1]}", b"[" * 1500])
def test_a_damaged_list_of_folders_never_refuses_a_workflow_wrongly(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("yaml")
    (tmp_path / "extra_model_paths.yaml").write_bytes(content)
    folders = ModelFolders.of(tmp_path, tmp_path)
    if not folders.complete:
        assert missing_here(loading("LoraLoader", "lora_name", "a.pth"), [], folders) == []


def test_what_input_gives_is_not_missed(folders: ModelFolders, tmp_path: Path) -> None:
    workflow = load_workflow("staircase")
    clip, painted = tmp_path / "shot.mp4", tmp_path / "painted"
    assert len(missing(workflow, folders)) == 2
    assert missing_here(workflow, [(None, clip), (Place("2", "folder"), painted)], folders) == []


def test_every_shipped_workflow_names_its_models_with_their_sources(folders: ModelFolders) -> None:
    for name in shipped_workflows():
        workflow = load_workflow(name)
        for file in named_files(workflow):
            assert file.kind == "input" or file.source.startswith("https://"), file


def test_the_dancer_is_told_where_her_room_comes_from(folders: ModelFolders) -> None:
    workflow = load_workflow("dancer_background")
    told = tell_missing(workflow, missing(workflow, folders), lambda file: str(folders.home(file)))
    assert "there are 3 that are not" in told
    assert '12 "Save the empty room" of this workflow saves what it is made of' in told and "13.image=FILE" in told
    assert "sam_vit_b_01ec64.pth" in told and "about 375 MB, from https://dl.fbaipublicfiles.com" in told


def test_the_refusal_comes_within_a_second_and_before_any_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "comfyui" / "comfy").mkdir(parents=True)
    (tmp_path / "comfyui" / "main.py").touch()
    monkeypatch.setattr(Server, "start", lambda server: pytest.fail("it started"))
    monkeypatch.chdir(tmp_path)
    began = time.process_time()
    assert cli.main(["run", "environment_mlsd_depth_seg", "--comfyui", str(tmp_path / "comfyui")]) == 1
    assert time.process_time() - began < 3
    told = capsys.readouterr().err
    for name in ("v1-5-pruned-emaonly-fp16", "mlsd_large_512_fp32.pth", "segformer-b4", "control_v11p_sd15_seg_fp16"):
        assert name in told
    assert not (tmp_path / "output").exists()


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that passes for a ComfyUI, whose start says so."""

    def start(server: Server) -> None:
        raise ComfyUIError("it started")

    (tmp_path / "comfyui" / "comfy").mkdir(parents=True)
    (tmp_path / "comfyui" / "main.py").touch()
    monkeypatch.setattr(Server, "start", start)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "comfyui"


def test_an_input_folder_that_is_none_is_refused_before_the_start(
    local: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (local / "input").write_text("a file")
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"picture")
    path = tmp_path / "flow.json"
    path.write_text(json.dumps(loading("LoadImage", "image", "none.png")))
    assert cli.main(["run", str(path), "--input", str(tmp_path / "a.png"), "--comfyui", str(local)]) == 1
    assert "--input: ComfyUI's input folder must be a folder, got" in capsys.readouterr().err


def test_the_table_of_keyframes_is_shown_before_the_start(
    local: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = np.zeros((12, 32, 48, 3), np.uint8)
    write_film(tmp_path / "clip.mp4", ArrayFrames(pictures, rate=24))
    for number in (0, 6):
        path = tmp_path / "painted" / f"key_{number:04}_00001_.png"
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), pictures[0])
    inputs = ["--input", str(tmp_path / "clip.mp4"), "--input", str(tmp_path / "painted")]
    assert cli.main(["run", "staircase", *inputs, "--comfyui", str(local)]) == 1
    told = capsys.readouterr().err
    assert told.index("key_0006_00001_.png") < told.index("it started")
    assert re.search(r"key_0006_00001_\.png +6 +0\.250 s", told)
    (tmp_path / "painted" / "key_0099.png").write_bytes(path.read_bytes())
    assert cli.main(["run", "staircase", *inputs, "--comfyui", str(local)]) == 1
    told = capsys.readouterr().err
    assert "key_0099.png" in told and "it started" not in told


def test_another_server_is_asked_by_its_menus() -> None:
    workflow = load_workflow("img2img_per_frame")
    menus = {
        "CheckpointLoaderSimple": {"input": {"required": {"ckpt_name": [["other.safetensors"], {}]}}},
        "ControlNetLoader": {"input": {"required": {"control_net_name": ["COMBO", {"options": []}]}}},
        "LoadVideo": {"input": {"required": {"file": ["COMBO", {"options": ["b.mp4"], "video_upload": True}]}}},
    }
    lacking = missing_there(workflow, [], menus)
    assert [file.kind for file in lacking] == ["input", "checkpoints", "controlnet"]
    told = tell_missing(workflow, lacking, folder_there)
    assert "its folder models/checkpoints (about 2.1 GB, from https://huggingface.co/Comfy-Org/" in told
    menus["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"] = [["v1-5-pruned-emaonly-fp16.safetensors"]]
    assert len(missing_there(workflow, [Place("2", "file")], menus)) == 1


def test_comfyuis_own_refusals_of_files_are_told_in_the_same_words() -> None:
    explain = explain_with(load_workflow("dancer_background"), folder_there)
    told = explain("13", Reason("custom_validation_failed", "Invalid image file", "image", "escalier_plate.png"))
    assert told is not None and "Save the empty room" in told
    assert explain("14", Reason("value_not_in_list", "Value not in list", "solver", "magic")) is None


def test_names_that_a_terminal_would_obey_are_shown_harmless(folders: ModelFolders, tmp_path: Path) -> None:
    workflow = loading("LoraLoader", "lora_name", "a\x1b[2J\u202e\nb.pth")
    workflow["1"]["_meta"]["title"] = "\x1b]0;title\x07"
    server = Server(ComfyUI(tmp_path, Path("python"), "for tests"), mount=False)
    with pytest.raises(ComfyUIError) as refusal:
        check_files(workflow, [], server)
    assert "\x1b" not in str(refusal.value) and "\u202e" not in str(refusal.value)
    assert len(str(refusal.value).splitlines()) == 2 and json.dumps(str(refusal.value))
