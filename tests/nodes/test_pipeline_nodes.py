"""Diffusers' pipelines as nodes, in the real ComfyUI and under its memory manager."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("diffusers", exc_type=ImportError)
from tiny_models import diffusers_folders

DIALS: dict[str, Any] = {
    "prompt": "a dancer", "negative_prompt": "", "strength": 0.6, "steps": 4, "guidance": 4.0, "image_guidance": 1.5,
    "seed": 0, "batch": 1, "control_strength": 1.0, "control_strength_2": 1.0, "control_strength_3": 1.0,
}  # fmt: skip
NO_NETS = {"control_net": "none", "control_net_2": "none", "control_net_3": "none"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in ("sd15", "depth2img"):
        diffusers_folders.write_pipeline(folder / "diffusers" / kind, kind)
    for name, seed in (("canny", 1), ("depth", 2)):
        diffusers_folders.write_controlnet(folder / "controlnet" / name, "sd15", seed)
    diffusers_folders.write_controlnet(folder / "diffusers" / "pose", "sd15", 3)
    shutil.copy(
        folder / "controlnet/canny/diffusion_pytorch_model.safetensors", folder / "controlnet/edges.safetensors"
    )
    (folder / "checkpoints").mkdir()
    shutil.copy(folder / "diffusers" / "sd15" / "vae" / "diffusion_pytorch_model.safetensors", folder / "checkpoints")
    return folder


@pytest.fixture
def models(comfyui: SimpleNamespace, pack: SimpleNamespace, written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Model folders that only this test sees."""
    suffixes = {".safetensors", ".ckpt"}
    own = {kind: ([str(written / kind)], suffixes) for kind in ("diffusers", "controlnet", "checkpoints")}
    paths = {**comfyui.folder_paths.folder_names_and_paths, **own}
    monkeypatch.setattr(comfyui.folder_paths, "folder_names_and_paths", paths)
    monkeypatch.setattr(comfyui.folder_paths, "filename_list_cache", {})
    return written


def load(pack: SimpleNamespace, pipeline: str = "sd15", task: str = "auto", **nets: str) -> tuple:
    return pack.EscalierLoadPipeline.execute(pipeline=pipeline, task=task, precision="auto", **NO_NETS | nets).args


def paint(pack: SimpleNamespace, pipeline: Any, image: Any, **inputs: Any) -> np.ndarray:
    (painted,) = pack.EscalierRunPipeline.execute(pipeline=pipeline, image=image, **DIALS | inputs).args
    assert painted.shape == image.shape and str(painted.dtype) == "torch.float32"
    return painted.numpy()


def test_menus_list_folders_and_files(pack: SimpleNamespace, models: Path) -> None:
    menus = {i.id: i.options for i in pack.EscalierLoadPipeline.define_schema().inputs}
    assert menus["pipeline"] == ["depth2img", "sd15", "diffusion_pytorch_model.safetensors"]
    assert menus["control_net"] == menus["control_net_3"] == ["none", "canny", "depth", "pose", "edges.safetensors"]


def test_keyframes_are_painted_and_a_mask_keeps_the_rest(
    pack: SimpleNamespace, models: Path, to_image: Any, clip: np.ndarray
) -> None:
    image = to_image(clip[:2, :45, :61])
    loaded, report = load(pack)
    assert report == "img2img of a family with text of width 32"
    painted = paint(pack, loaded, image)
    assert np.array_equal(painted, paint(pack, loaded, image))
    assert not np.array_equal(painted, paint(pack, loaded, image, seed=1))
    mask = np.zeros((1, 45, 61), np.float32)
    mask[:, :20] = 1
    inpainted = paint(pack, load(pack, task="inpaint")[0], image, mask=to_image(mask))
    assert np.array_equal(inpainted[:, 20:], image[:, 20:])
    assert not np.array_equal(inpainted[:, :20], image[:, :20])


def test_three_controlnets_hold_and_let_go(
    pack: SimpleNamespace, models: Path, to_image: Any, clip: np.ndarray
) -> None:
    image = to_image(clip[:2])
    loaded, report = load(pack, control_net="canny", control_net_2="depth", control_net_3="pose")
    assert report.startswith("controlnet of") and report.endswith("with 3 ControlNets")
    maps = {"control_map": image, "control_map_2": 1 - image, "control_map_3": image[:1]}
    held = paint(pack, loaded, image, **maps)
    free = {"control_strength": 0.0, "control_strength_2": 0.0, "control_strength_3": 0.0}
    plain = paint(pack, load(pack)[0], image)
    assert np.array_equal(paint(pack, loaded, image, **maps, **free), plain)
    assert not np.array_equal(held, plain)
    with pytest.raises(ValueError, match=r"^Paint with Pipeline: control_maps must be 3, one for each"):
        paint(pack, loaded, image, control_map=image)


def test_depth_of_a_render_guides_depth2img(
    pack: SimpleNamespace, models: Path, to_image: Any, clip: np.ndarray
) -> None:
    image, (loaded, _) = to_image(clip[:1]), load(pack, "depth2img")
    assert not np.array_equal(
        paint(pack, loaded, image, control_map=image), paint(pack, loaded, image, control_map=1 - image)
    )


def test_networks_are_loaded_and_unloaded_by_the_memory_manager(
    pack: SimpleNamespace, comfyui: SimpleNamespace, models: Path, to_image: Any, clip: np.ndarray
) -> None:
    loaded, _ = load(pack, control_net="canny")

    def managed() -> int:
        held = [getattr(one.model.model, "module", None) for one in comfyui.model_management.current_loaded_models]
        return sum(any(module is one for one in held) for module in loaded.modules)

    assert len(loaded.modules) == 4  # text encoder, UNet, VAE, ControlNets
    assert managed() == 0
    paint(pack, loaded, to_image(clip[:1]), control_map=to_image(clip[:1]))
    assert managed() == 4
    comfyui.model_management.unload_all_models()
    assert managed() == 0
    paint(pack, loaded, to_image(clip[:1]), control_map=to_image(clip[:1]))
    assert managed() == 4


def test_cancel_stops_within_a_step(
    pack: SimpleNamespace, comfyui: SimpleNamespace, models: Path, to_image: Any, clip: np.ndarray
) -> None:
    loaded, _ = load(pack)
    comfyui.model_management.interrupt_current_processing(True)
    with pytest.raises(comfyui.model_management.InterruptProcessingException):
        paint(pack, loaded, to_image(clip), steps=500)
    comfyui.model_management.interrupt_current_processing(False)


def test_short_memory_is_a_sentence(
    pack: SimpleNamespace, models: Path, to_image: Any, clip: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    loaded, _ = load(pack)

    def full(*_: object, **__: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(loaded.runner.unet, "forward", full)
    with pytest.raises(MemoryError, match=r"^Paint with Pipeline: the memory must hold .* 64x48, but it is full; take"):
        paint(pack, loaded, to_image(clip), batch=4)


def test_what_is_not_there_is_refused_before_the_run(pack: SimpleNamespace, models: Path) -> None:
    def check(**names: str) -> object:
        return pack.EscalierLoadPipeline.validate_inputs(**{"pipeline": "sd15"} | NO_NETS | names)

    assert check() is True
    assert re.search(r"model_index\.json in .*diffusers, or a checkpoint in .*, got gone;", str(check(pipeline="gone")))
    assert re.search(r"ControlNets must lie in .*controlnet .*, got gone;", str(check(control_net_2="gone")))


def test_another_file_under_the_same_name_is_loaded_again(pack: SimpleNamespace, models: Path) -> None:
    def stamp() -> tuple:
        return pack.EscalierLoadPipeline.fingerprint_inputs(
            pipeline="sd15", task="auto", precision="auto", **NO_NETS | {"control_net": "canny"}
        )

    before = stamp()
    assert before == stamp()
    config = models / "controlnet" / "canny" / "config.json"
    config.write_text(config.read_text() + "\n")
    assert before != stamp()


def test_refusals_bear_the_node_s_name(pack: SimpleNamespace, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"^Load Diffusers Pipeline: .* must hold a Stable Diffusion checkpoint, got"):
        load(pack, "diffusion_pytorch_model.safetensors")
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ImportError, match=r'^Load Diffusers Pipeline: .*-m pip install "diffusers>=0.30"'):
        load(pack)
