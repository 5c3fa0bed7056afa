"""Checkpoints and ControlNets in one file, half precision, parts that may be missing: loaded from this disk alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers", exc_type=ImportError)
pytest.importorskip("transformers")

from tiny_models import diffusers_folders  # noqa: E402

from escalier.diffusion import Painting, load_pipeline, repaint  # noqa: E402
from escalier.diffusion.pipelines import families  # noqa: E402

# diffusers and transformers take ten seconds to load.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_network")]
FEW = Painting(steps=2, strength=1.0)
PICTURES = np.random.default_rng(0).random((1, 24, 40, 3), np.float32)
MAPS = (PICTURES > 0.5).astype(np.float32)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    diffusers_folders.write_pipeline(folder / "sd15", "sd15")
    diffusers_folders.write_controlnet(folder / "canny", "sd15", 1)
    diffusers_folders.write_checkpoint(folder / "checkpoint.safetensors", load_pipeline(folder / "sd15").runner)
    return folder


def test_a_checkpoint_in_one_file_paints_as_its_folder(models: Path, tmp_path: Path) -> None:
    from_folder = repaint(load_pipeline(models / "sd15"), PICTURES, "a dancer", painting=FEW)
    named = load_pipeline(models / "checkpoint.safetensors", settings=models / "sd15")
    assert np.array_equal(repaint(named, PICTURES, "a dancer", FEW), from_folder)
    file = tmp_path / "mine.safetensors"
    shutil.copy(models / "checkpoint.safetensors", file)
    shutil.copytree(models / "sd15", tmp_path / "mine", ignore=shutil.ignore_patterns("*.safetensors"))
    assert np.array_equal(repaint(load_pipeline(file), PICTURES, "a dancer", painting=FEW), from_folder)
    state = diffusers_folders.load_file(file)
    torch.save({"state_dict": state}, tmp_path / "mine.ckpt")
    assert load_pipeline(tmp_path / "mine.ckpt").task == "img2img"


def test_a_controlnet_in_one_file_holds_as_its_folder(models: Path, tmp_path: Path) -> None:
    file = tmp_path / "canny.safetensors"
    shutil.copy(models / "canny" / "diffusion_pytorch_model.safetensors", file)
    (tmp_path / "canny").mkdir()
    shutil.copy(models / "canny" / "config.json", tmp_path / "canny")
    painted = [
        repaint(load_pipeline(models / "sd15", controlnets=[net]), PICTURES, "", control_maps=[MAPS], painting=FEW)
        for net in (models / "canny", file)
    ]
    assert np.array_equal(*painted)


def test_weights_in_half_precision_only_are_found(models: Path, tmp_path: Path) -> None:
    plain = load_pipeline(models / "sd15")
    plain.runner.save_pretrained(tmp_path / "half", variant="fp16")
    assert (tmp_path / "half" / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()
    loaded = load_pipeline(tmp_path / "half")
    assert torch.equal(loaded.runner.unet.conv_in.weight, plain.runner.unet.conv_in.weight)
    (tmp_path / "half" / "vae" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    shutil.copy(models / "sd15" / "vae" / "diffusion_pytorch_model.safetensors", tmp_path / "half" / "vae")
    mixed = load_pipeline(tmp_path / "half")
    assert torch.equal(mixed.runner.vae.decoder.conv_in.weight, plain.runner.vae.decoder.conv_in.weight)


def test_half_precision_paints_alike_each_time(models: Path) -> None:
    pipeline = load_pipeline(models / "sd15", dtype=torch.bfloat16)
    assert pipeline.runner.unet.dtype == torch.bfloat16
    painted = repaint(pipeline, PICTURES, "a dancer", FEW)
    assert painted.dtype == np.float32 and painted.shape == PICTURES.shape
    assert np.array_equal(painted, repaint(pipeline, PICTURES, "a dancer", FEW))


def test_safety_checkers_are_neither_loaded_nor_missed(models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checked"
    shutil.copytree(models / "sd15", folder)
    index = json.loads((folder / "model_index.json").read_text())
    index |= {"safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    pipeline = load_pipeline(folder)
    assert pipeline.runner.safety_checker is None


def test_a_checkpoint_of_a_known_family_needs_a_tokenizer_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    # The published networks with fewer channels: as deep, and reading text of the same width.
    channels = {"block_out_channels": [32] * 4}
    words = {"num_hidden_layers": 1, "intermediate_size": 64, "vocab_size": 514}
    for table, fewer in ((families.UNETS, channels), (families.VAES, channels), (families.TEXT_ENCODERS, words)):
        monkeypatch.setitem(table, "SD 1.5", {**table["SD 1.5"], **fewer})
    tokenizer = tmp_path / "tokenizer"
    diffusers_folders.write_tokenizer(tokenizer)
    folder = families.write_settings(tmp_path / "settings", "SD 1.5", 4, tokenizer)
    torch.manual_seed(0)
    parts = SimpleNamespace(
        unet=UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet")),
        vae=AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae")),
        text_encoder=CLIPTextModel(CLIPTextConfig.from_pretrained(folder / "text_encoder")),
    )
    file = diffusers_folders.write_checkpoint(tmp_path / "mine.safetensors", parts)
    pipeline = load_pipeline(file, tokenizer=tokenizer)
    assert str(pipeline) == "img2img of SD 1.5"
    for name, part in vars(parts).items():
        loaded = getattr(pipeline.runner, name).state_dict()
        assert all(torch.equal(loaded[key], value) for key, value in part.state_dict().items())
    assert repaint(pipeline, PICTURES, "a dancer", FEW).shape == PICTURES.shape


def test_settings_written_for_known_families_are_the_published_networks(tmp_path: Path) -> None:
    from diffusers import ControlNetModel, UNet2DConditionModel

    tokenizer = tmp_path / "tokenizer"
    diffusers_folders.write_tokenizer(tokenizer)
    # As their makers count them.
    published = {("SD 1.5", 4): 859_520_964, ("SD 1.5", 9): 859_535_364, ("SDXL", 4): 2_567_463_684}
    with torch.device("meta"):
        for (family, channels), count in published.items():
            folder = families.write_settings(tmp_path / f"{family} {channels}", family, channels, tokenizer)
            settings = UNet2DConditionModel.load_config(folder / "unet", local_files_only=True)
            assert sum(p.numel() for p in UNet2DConditionModel.from_config(settings).parameters()) == count
        folder = families.write_controlnet_settings(tmp_path / "controlnet", "SD 1.5")
        settings = ControlNetModel.load_config(folder, local_files_only=True)
        assert sum(p.numel() for p in ControlNetModel.from_config(settings).parameters()) == 361_279_120
