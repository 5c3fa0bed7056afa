"""Segmentation models of a few kilobytes for the 150 classes of ADE20K: transformers folders with random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

CLASSES = 150
WIDTHS, DEPTHS, HEADS = [8, 8, 16, 16], [1, 1, 1, 1], [1, 1, 2, 2]
STAGES = ["stage1", "stage2", "stage3", "stage4"]


def write_segformer(folder: Path) -> None:
    _write(segformer(), folder)


def write_upernet(folder: Path, backbone: str = "swin") -> None:
    """An UperNet on a "swin" or a "convnext"."""
    _write(upernet(BACKBONES[backbone]()), folder)


def segformer() -> Any:
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    config = SegformerConfig(
        num_labels=CLASSES, hidden_sizes=WIDTHS, depths=DEPTHS, num_attention_heads=HEADS, decoder_hidden_size=16
    )
    return _seeded(SegformerForSemanticSegmentation, config)


def upernet(backbone: Any) -> Any:
    from transformers import UperNetConfig, UperNetForSemanticSegmentation

    config = UperNetConfig(
        backbone_config=backbone, num_labels=CLASSES, hidden_size=16, pool_scales=[1, 2], auxiliary_channels=8,
        auxiliary_in_channels=backbone.hidden_sizes[2] if hasattr(backbone, "hidden_sizes") else 4 * backbone.embed_dim,
    )  # fmt: skip
    return _seeded(UperNetForSemanticSegmentation, config)


def _swin() -> Any:
    from transformers import SwinConfig

    return SwinConfig(embed_dim=8, depths=DEPTHS, num_heads=HEADS, window_size=4, out_features=STAGES)


def _convnext() -> Any:
    from transformers import ConvNextConfig

    return ConvNextConfig(hidden_sizes=WIDTHS, depths=DEPTHS, out_features=STAGES)


BACKBONES: Mapping[str, Callable[[], Any]] = {"swin": _swin, "convnext": _convnext}


def _seeded(model: Callable[[Any], Any], config: Any) -> Any:
    import torch

    torch.manual_seed(0)
    return model(config)


def _write(model: Any, folder: Path) -> None:
    from transformers import SegformerImageProcessor

    model.save_pretrained(folder)
    SegformerImageProcessor(size={"height": 64, "width": 64}).save_pretrained(folder)
