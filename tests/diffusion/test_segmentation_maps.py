"""Segmentation maps by a tiny SegFormer and tiny UperNets from local folders: palette, size, classes, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_models import segformer

from escalier.diffusion import draw_segmentation_maps
from escalier.diffusion.control_maps.segmentation import PALETTE

pytestmark = pytest.mark.slow  # diffusers and transformers take ten seconds to load

MODELS = ("segformer", "upernet on swin", "upernet on convnext")
BLACK = [np.zeros((64, 64, 3), np.uint8)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("segmentation")
    segformer.write_segformer(root / MODELS[0])
    for name in MODELS[1:]:
        segformer.write_upernet(root / name, name.split()[-1])
    return {name: root / name for name in MODELS}


@pytest.fixture
def model(models: dict[str, Path], tmp_path: Path) -> Path:
    """An UperNet's folder to be spoilt."""
    return Path(shutil.copytree(models["upernet on convnext"], tmp_path / "spoilt"))


@pytest.mark.parametrize("name", MODELS)
def test_every_pixel_has_a_colour_of_the_palette_at_the_pictures_own_size(name: str, models: dict[str, Path]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 97, 131, 3), np.uint8)
    calls = []
    drawn = draw_segmentation_maps(
        pictures, models[name], resolution=128, progress=lambda done, total, _: calls.append((done, total))
    )
    assert drawn.maps.shape == (2, 97, 131, 3)
    assert np.array_equal(np.rint(drawn.maps * 255).astype(np.uint8), PALETTE[drawn.labels])
    assert len(drawn.shares) > 3, "a map of one class says nothing about places"
    assert calls == [(1, 2), (2, 2)]
    assert sum(drawn.shares.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", MODELS)
def test_where_nothing_is_scaled_a_pixel_has_the_class_that_the_model_itself_gives(
    name: str, models: dict[str, Path]
) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModelForSemanticSegmentation

    picture = np.random.default_rng(1).integers(0, 256, (64, 128, 3), np.uint8)
    network = AutoModelForSemanticSegmentation.from_pretrained(models[name]).eval()
    seen = AutoImageProcessor.from_pretrained(models[name])(picture, do_resize=False, return_tensors="pt")
    with torch.inference_mode():
        scores = network(**seen).logits
    scores = torch.nn.functional.interpolate(scores, (64, 128), mode="bilinear", align_corners=False)[0].numpy()
    drawn = draw_segmentation_maps([picture], models[name], resolution=0).labels[0]
    # Where two classes are equally likely, the last bit of a sum decides.
    given = np.take_along_axis(scores, drawn[None].astype(int), axis=0)[0]
    assert np.abs(scores.max(axis=0) - given).max() < 1e-5
    assert (drawn == scores.argmax(axis=0)).mean() > 0.99


def test_palette_is_ade20ks() -> None:
    assert PALETTE.shape == (150, 3)
    assert PALETTE[[0, 1, 2, 3, 4, 12]].tolist() == [
        [120, 120, 120], [180, 120, 120], [6, 230, 230], [80, 50, 50], [4, 200, 3], [150, 5, 61],
    ]  # fmt: skip


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=rf"folder must hold a transformers model.*{tmp_path.name} has no config"
    ):
        draw_segmentation_maps(BLACK, tmp_path)


def test_a_model_without_weights_is_refused(model: Path) -> None:
    (model / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"must hold a SegFormer or UperNet, .* check that all its files are there"):
        draw_segmentation_maps(BLACK, model)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip"}))
    with pytest.raises(ValueError, match=r"must hold a SegFormer or UperNet"):
        draw_segmentation_maps(BLACK, tmp_path)


def cut_short(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])


def pickled(content: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "pytorch_model.bin").write_bytes(content)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (cut_short, r"model\.safetensors must be a part of .*, but it is a file whose last .* missing; download"),
        (pickled(b""), r"pytorch_model\.bin must be a part of .*, but it is an empty file; download"),
        (pickled(b"\x80\x02nonsense"), "spoilt cannot be read as one .* check that all its files are there and who"),
    ],
    ids=["cut short", "empty", "nonsense"],
)
def test_damaged_weights_are_refused(model: Path, spoil: Callable[[Path], None], message: str) -> None:
    spoil(model)
    with pytest.raises(ValueError, match=message):
        draw_segmentation_maps(BLACK, model)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_file_that_is_a_web_page_is_named(model: Path, file: str) -> None:
    (model / file).write_text("<!DOCTYPE html><html>Sign in</html>")
    with pytest.raises(ValueError, match=rf"{file} must be a part of a transformers model, but it is a web page; down"):
        draw_segmentation_maps(BLACK, model)


def test_a_preprocessor_that_is_no_json_is_named(model: Path) -> None:
    (model / "preprocessor_config.json").write_text("{")
    with pytest.raises(ValueError, match=r"preprocessor_config.json must be a JSON file, but it is not .* download it"):
        draw_segmentation_maps(BLACK, model)


def test_weights_with_gaps_are_refused_instead_of_filled_with_noise(model: Path) -> None:
    """As a file of the bare backbone is, which transformers loads with a warning in its log."""
    from safetensors.numpy import load_file, save_file

    weights = load_file(model / "model.safetensors")
    backbone = {name: value for name, value in weights.items() if name.startswith("backbone.")}
    save_file(backbone, model / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"must hold a whole SegFormer or UperNet, .* lacks \d+ of its weights, such"):
        draw_segmentation_maps(BLACK, model)


def test_a_model_without_the_head_that_only_teaching_needs_draws_the_same(model: Path) -> None:
    from safetensors.numpy import load_file, save_file

    before = draw_segmentation_maps(BLACK, model).labels
    weights = load_file(model / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("auxiliary_head.")}
    assert len(kept) < len(weights)
    save_file(kept, model / "model.safetensors", metadata={"format": "pt"})
    assert np.array_equal(draw_segmentation_maps(BLACK, model).labels, before)


def test_a_model_with_other_classes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segformer, "CLASSES", 19)
    segformer.write_upernet(tmp_path, "convnext")
    with pytest.raises(ValueError, match=r"the 150 classes of ADE20K, but the one in .* has 19; .* name says ade"):
        draw_segmentation_maps(BLACK, tmp_path)
