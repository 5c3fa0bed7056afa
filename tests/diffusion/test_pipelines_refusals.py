"""What cannot be loaded or painted is refused in a sentence that names it, before anything is lost."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # diffusers and transformers take ten seconds to load

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers", exc_type=ImportError)
pytest.importorskip("transformers")

from tiny_models import diffusers_folders  # noqa: E402

from escalier.diffusion import Painting, Pipeline, load_pipeline, repaint  # noqa: E402

PICTURES = np.full((2, 16, 24, 3), 0.5, np.float32)
FEW = Painting(steps=2, strength=1.0)
SHORT = torch.cuda.OutOfMemoryError("CUDA out of memory")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for kind in ("sd15", "pix2pix", "depth2img", "sdxl"):
        diffusers_folders.write_pipeline(folder / kind, kind)
    diffusers_folders.write_controlnet(folder / "canny", "sd15", 1)
    diffusers_folders.write_controlnet(folder / "canny_xl", "sdxl", 1)
    diffusers_folders.write_checkpoint(folder / "checkpoint.safetensors", load_pipeline(folder / "sd15").runner)
    return folder


@pytest.fixture
def models(shared: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(shared, tmp_path / "models"))


@pytest.fixture
def img2img(shared: Path) -> Pipeline:
    return load_pipeline(shared / "sd15")


@pytest.fixture
def controlled(shared: Path) -> Pipeline:
    return load_pipeline(shared / "sd15", controlnets=[shared / "canny", shared / "canny"])


def rewrite(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_web_page_is_no_checkpoint(tmp_path: Path) -> None:
    page = tmp_path / "model.safetensors"
    page.write_text("<!DOCTYPE html><html>404</html>")
    with pytest.raises(ValueError, match=r"load_pipeline: .*model\.safetensors must hold a model, got a web page"):
        load_pipeline(page)


def test_half_a_download_is_refused_in_a_file_and_in_a_folder(models: Path) -> None:
    for path in (models / "checkpoint.safetensors", models / "sd15" / "vae" / "diffusion_pytorch_model.safetensors"):
        path.write_bytes(path.read_bytes()[:100_000])
        with pytest.raises(
            ValueError, match=rf"{path.name} must hold a model, got a file whose last .* MB are missing"
        ):
            load_pipeline(path if path.parent == models else models / "sd15")


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": torch.nn.Linear(2, 2)}, tmp_path / "model.ckpt")
    with pytest.raises(ValueError, match=r"model\.ckpt must hold weights and nothing else.*\.safetensors"):
        load_pipeline(tmp_path / "model.ckpt")


def test_another_kind_of_model_is_named(shared: Path, models: Path) -> None:
    from safetensors.torch import save_file

    save_file({"lora_unet.down.weight": torch.zeros(1)}, models / "lora.safetensors")
    with pytest.raises(ValueError, match=r"must hold a Stable Diffusion checkpoint, got a LoRA; it belongs into"):
        load_pipeline(models / "lora.safetensors")
    with pytest.raises(ValueError, match=r"must hold a ControlNet, got a LoRA; it belongs into models/loras"):
        load_pipeline(shared / "sd15", controlnets=[models / "lora.safetensors"])
    with pytest.raises(ValueError, match=r"must hold a ControlNet, got a Stable Diffusion checkpoint"):
        load_pipeline(shared / "sd15", controlnets=[shared / "checkpoint.safetensors"])


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"load_pipeline: no file or folder at .*nowhere; check the path"):
        load_pipeline(tmp_path / "nowhere")


def test_a_folder_that_is_no_pipeline_is_refused_with_what_may_be_meant(models: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"must hold model_index\.json, got none; perhaps .*depth2img is meant"):
        load_pipeline(models)
    with pytest.raises(FileNotFoundError, match="it is one part of a pipeline"):
        load_pipeline(models / "sd15" / "unet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="download all files"):
        load_pipeline(tmp_path / "empty")
    (tmp_path / "empty" / "model_index.json").write_text("<html>")
    with pytest.raises(ValueError, match="must be a description in JSON, got a web page"):
        load_pipeline(tmp_path / "empty")


def test_missing_parts_are_named(models: Path) -> None:
    (models / "sd15" / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"vae must hold its weights, got none"):
        load_pipeline(models / "sd15")
    shutil.rmtree(models / "sdxl" / "text_encoder_2")
    with pytest.raises(FileNotFoundError, match=r"sdxl must hold the folder text_encoder_2, got none"):
        load_pipeline(models / "sdxl")


def test_a_pipeline_class_that_we_do_not_know_is_named(models: Path) -> None:
    rewrite(models / "sd15" / "model_index.json", _class_name="FluxPipeline")
    with pytest.raises(ValueError, match="must hold a pipeline of Stable Diffusion 1, 2 or XL, got a FluxPipeline"):
        load_pipeline(models / "sd15")


def test_a_part_with_code_of_its_own_is_not_run(models: Path) -> None:
    rewrite(models / "sd15" / "model_index.json", unet=["my_unet", "MyUnet"])
    with pytest.raises(ValueError, match="got the part unet of my_unet, which would run code of its own"):
        load_pipeline(models / "sd15")


def test_weights_that_do_not_fit_their_settings_are_refused(models: Path) -> None:
    rewrite(models / "sd15" / "unet" / "config.json", block_out_channels=[64, 64])
    with pytest.raises(ValueError, match="sd15 must hold a complete pipeline, but diffusers cannot load it"):
        load_pipeline(models / "sd15")


def test_weights_that_are_missing_are_not_made_up(models: Path) -> None:
    from safetensors.torch import load_file, save_file

    def thin_out(file: Path, part: str) -> None:
        save_file({name: value for name, value in load_file(file).items() if part not in name}, file)

    for folder, part in (("unet", "mid_block"), ("vae", "decoder"), ("text_encoder", "layers.1.")):
        (file,) = (models / "sd15" / folder).glob("*.safetensors")
        whole = file.read_bytes()
        thin_out(file, part)
        with pytest.raises(ValueError, match=rf"load_pipeline: .*sd15.* got [\d,]+ of [\d,]+ numbers; download|{part}"):
            load_pipeline(models / "sd15")
        file.write_bytes(whole)
    thin_out(models / "canny" / "diffusion_pytorch_model.safetensors", "mid_block")
    with pytest.raises(ValueError, match="must hold all weights of ControlNetModel, got"):
        load_pipeline(models / "sd15", controlnets=[models / "canny"])
    shutil.copytree(models / "sd15", models / "checkpoint")
    thin_out(models / "checkpoint.safetensors", "middle_block")
    with pytest.raises(ValueError, match=r"load_pipeline: .*checkpoint\.safetensors must hold"):
        load_pipeline(models / "checkpoint.safetensors")


def test_a_checkpoint_without_its_vae_is_refused(models: Path) -> None:
    from safetensors.torch import load_file, save_file

    file = models / "checkpoint.safetensors"
    kept = {name: value for name, value in load_file(file).items() if not name.startswith("first_stage_model.")}
    save_file(kept, file)
    with pytest.raises(ValueError, match=r"load_pipeline: .*checkpoint\.safetensors must hold"):
        load_pipeline(file, settings=models / "sd15")


@pytest.mark.parametrize(
    ("kind", "task", "message"),
    [
        ("pix2pix", "img2img", "got img2img for one that reads 8 channels, which is pix2pix; choose pix2pix"),
        ("sd15", "depth2img", "got depth2img for one that reads 4 channels, which is img2img"),
        ("sd15", "upscale", "task must be one of auto, img2img, .*got 'upscale'"),
        ("sd15", "controlnet", "controlnets must name at least one"),
    ],
)
def test_a_task_that_the_network_was_not_taught_is_refused(shared: Path, kind: str, task: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_pipeline(shared / kind, task)


def test_controlnets_where_none_takes_part_are_refused(shared: Path) -> None:
    with pytest.raises(ValueError, match="controlnets must be left out for the task pix2pix"):
        load_pipeline(shared / "pix2pix", controlnets=[shared / "canny"])


def test_a_controlnet_of_another_family_or_kind_is_refused(models: Path) -> None:
    with pytest.raises(ValueError, match=r"canny_xl must be a ControlNet of the pipeline's family, .* width 32, got"):
        load_pipeline(models / "sd15", controlnets=[models / "canny", models / "canny_xl"])
    rewrite(models / "canny" / "config.json", _class_name="ControlNetUnionModel")
    with pytest.raises(ValueError, match="must hold a ControlNetModel, got a ControlNetUnionModel; for that one use"):
        load_pipeline(models / "sd15", controlnets=[models / "canny"])


def test_a_checkpoint_without_settings_says_what_belongs_beside_it(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"checkpoint\.safetensors must have its settings beside it, got no"):
        load_pipeline(shared / "checkpoint.safetensors")
    with pytest.raises(FileNotFoundError, match=r"must hold model_index\.json, got none; name a pipeline's folder"):
        load_pipeline(shared / "checkpoint.safetensors", settings=tmp_path)


@pytest.mark.parametrize(
    ("module", "command"), [("diffusers", "diffusers>=0.30"), ("transformers", "transformers>=4.50.3")]
)
def test_missing_packages_are_named_with_their_command(
    shared: Path, monkeypatch: pytest.MonkeyPatch, module: str, command: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ImportError, match=rf'Diffusers pipelines need the package {module}.*-m pip install "{command}"'
    ):
        load_pipeline(shared / "sd15")


def test_diffusers_that_does_not_fit_the_other_packages_says_how_to_mend_it(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        __version__ = "0.1"

        def __getattr__(self, name: str) -> None:
            if name.startswith("__"):
                raise AttributeError(name)
            raise RuntimeError(f"Failed to import {name} because of something\nlong")

    monkeypatch.setitem(sys.modules, "diffusers", Broken())
    with pytest.raises(ImportError, match=r"diffusers 0\.1 cannot load StableDiffusionImg2Img.* --upgrade"):
        load_pipeline(shared / "sd15")


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ({"strength": 0.0}, "strength must be above 0 and at most 1, got 0"),
        ({"strength": float("nan")}, "strength must be a finite number"),
        ({"steps": 0}, "steps must be at least 1, got 0"),
        ({"guidance": 0.5}, r"guidance must lie in 1\.\.100, got 0.5"),
        ({"image_guidance": 0.0}, "image_guidance must lie in"),
        ({"seed": -1}, "seed must lie in"),
        ({"batch": 0}, "batch must be at least 1, got 0"),
        ({"control_strengths": (1.0, 3.0)}, r"control_strengths must lie in 0\.\.2, got 3; 1 holds firmly"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_dials_out_of_range_are_refused_when_they_are_set(dials: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Painting: {message}"):
        replace(FEW, **dials)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"painting": Painting(steps=4, strength=0.1)},
            "Painting: steps must leave one at least at a strength of 0.1, got 4; take 10 or more",
        ),
        ({"masks": [np.ones((16, 24), np.float32)]}, "repaint: masks must be left out for the task img2img, got some"),
        ({"control_maps": [PICTURES]}, "repaint: control_maps must be 0, one for each ControlNet, got 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_task_cannot_use_is_refused(img2img: Pipeline, given: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        repaint(img2img, PICTURES, "", **given)


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ([], "pictures must hold at least one"),
        ([PICTURES[0], PICTURES[0, :8]], "pictures 2 must have the size of the first picture, 24x16, got 24x8"),
        (PICTURES[..., :1], "pictures 1 must be RGB"),
        (PICTURES * np.nan, "pictures 1 must hold finite numbers"),
    ],
    ids=["none", "sizes", "grey", "nan"],
)
def test_pictures_that_cannot_be_painted_are_refused(img2img: Pipeline, pictures: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=f"^repaint: {message}"):
        repaint(img2img, pictures, "", FEW)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (None, "masks must be given for the task inpaint, got none"),
        (np.ones((1, 8, 24)), "masks must be a single channel of the pictures' size, 24x16, got 24x8"),
        (np.ones((3, 16, 24)), "masks must hold 1 or 2 masks, one for all pictures or one for each, got 3"),
        (np.ones((1, 16, 24, 3)), "masks must be a single channel"),
        (np.full((1, 16, 24), np.nan), "masks 1 must hold finite numbers"),
    ],
    ids=["none", "size", "count", "colour", "nan"],
)
def test_masks_that_do_not_fit_are_refused(shared: Path, masks: np.ndarray | None, message: str) -> None:
    pipeline = load_pipeline(shared / "sd15", "inpaint")
    with pytest.raises(ValueError, match=f"^repaint: {message}"):
        repaint(pipeline, PICTURES, "", masks=masks, painting=FEW)


@pytest.mark.parametrize(
    ("maps", "holds", "message"),
    [
        ([PICTURES], None, "control_maps must be 2, one for each ControlNet, got 1"),
        ([PICTURES, PICTURES[:, :8]], None, "control_maps 2 1 must have the size of the first picture, 24x16"),
        ([PICTURES, PICTURES[[0, 0, 0]]], None, "control_maps 2 must hold 1 or 2 maps"),
        ([PICTURES, PICTURES], (1.0,), "control_strengths must be 2, one for each ControlNet, got 1"),
    ],
    ids=["few", "size", "count", "strengths"],
)
def test_control_maps_that_do_not_fit_are_refused(
    controlled: Pipeline, maps: list, holds: tuple | None, message: str
) -> None:
    with pytest.raises(ValueError, match=f"^repaint: {message}"):
        repaint(controlled, PICTURES, "", control_maps=maps, painting=replace(FEW, control_strengths=holds))


def test_short_memory_for_one_picture_says_what_to_reduce(img2img: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise SHORT

    monkeypatch.setattr(img2img.runner.unet, "forward", full)
    with pytest.raises(
        MemoryError, match="must hold the pipeline and a picture of 24x16, but it is full; take smaller"
    ):
        repaint(img2img, PICTURES, "", replace(FEW, batch=2))


def test_short_memory_while_the_networks_are_brought_is_told(img2img: Pipeline) -> None:
    def full() -> None:
        raise SHORT

    with pytest.raises(MemoryError, match="must hold the pipeline and a picture of 24x16, but it is full"):
        repaint(replace(img2img, before_use=full), PICTURES, "", painting=FEW)


def test_short_memory_while_loading_is_told(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers

    def full(*_: object, **__: object) -> None:
        raise SHORT

    monkeypatch.setattr(diffusers.StableDiffusionImg2ImgPipeline, "from_pretrained", full)
    with pytest.raises(MemoryError, match=r"load_pipeline: the memory must hold .*sd15, but it is full"):
        load_pipeline(shared / "sd15")


def test_other_errors_of_torch_keep_their_name(img2img: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(img2img.runner.unet, "forward", broken)
    with pytest.raises(RuntimeError, match=r"^a fault$"):
        repaint(img2img, PICTURES, "", replace(FEW, batch=2))


def test_paintings_of_nan_are_refused(img2img: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    decode = img2img.runner.vae.decode
    monkeypatch.setattr(img2img.runner.vae, "decode", lambda *args, **kw: [decode(*args, **kw)[0] * float("nan")])
    with pytest.raises(ValueError, match="repaint: paintings must be finite, got NaN from the network; load"):
        repaint(img2img, PICTURES, "", FEW)


def test_depth_of_nan_is_refused(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = load_pipeline(shared / "depth2img")
    for weights in pipeline.runner.depth_estimator.head.parameters():
        weights.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="repaint: depth must be finite, got NaN or infinity from the network"):
        repaint(pipeline, PICTURES, "", FEW)
