"""Segmentation maps by a tiny SegFormer from a local folder: the palette, the size, the refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import segformer

from escalier.diffusion.control_maps import draw_segmentation_maps
from escalier.diffusion.control_maps.ade20k import PALETTE


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segmentation") / "tiny"
    segformer.write_segformer(folder)
    return folder


def test_every_pixel_has_a_colour_of_the_palette_at_the_pictures_own_size(model: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 97, 131, 3), np.uint8)
    calls = []
    drawn = draw_segmentation_maps(
        pictures, model, resolution=128, progress=lambda done, total, _: calls.append((done, total))
    )
    assert drawn.maps.shape == (2, 97, 131, 3)
    assert np.array_equal(np.rint(drawn.maps * 255).astype(np.uint8), PALETTE[drawn.labels])
    assert calls == [(1, 2), (2, 2)]
    assert sum(drawn.shares.values()) == pytest.approx(1)


def test_palette_is_ade20ks() -> None:
    assert PALETTE.shape == (150, 3)
    assert PALETTE[[0, 1, 2, 3, 4, 12]].tolist() == [
        [120, 120, 120], [180, 120, 120], [6, 230, 230], [80, 50, 50], [4, 200, 3], [150, 5, 61],
    ]  # fmt: skip


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=rf"folder must hold a transformers model.*{tmp_path.name} has no config"
    ):
        draw_segmentation_maps([np.zeros((64, 64, 3), np.uint8)], tmp_path)


def test_a_model_without_weights_is_refused(model: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((model / "config.json").read_bytes())
    with pytest.raises(ValueError, match=r"must hold a SegFormer or UperNet, .* check that all its files are there"):
        draw_segmentation_maps([np.zeros((64, 64, 3), np.uint8)], tmp_path)


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "clip"}))
    with pytest.raises(ValueError, match=r"must hold a SegFormer or UperNet"):
        draw_segmentation_maps([np.zeros((64, 64, 3), np.uint8)], tmp_path)
