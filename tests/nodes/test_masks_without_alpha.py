"""Load Image gives an empty mask of 64x64 for a picture without alpha; every node says so where such a mask arrives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

SHOWN = {
    "EscalierTrackMask", "EscalierPoissonBlend", "EscalierBlendLayers", "EscalierCleanPlate", "EscalierCleanPlates",
    "EscalierPlaceSubject", "EscalierMeasureUntouched", "EscalierMeasureCoherence", "EscalierLineBoil", "EscalierDial",
    "EscalierSoftMatte", "EscalierCastShadow", "EscalierCheckComposite", "EscalierCameraMotion",
}  # fmt: skip
ELSEWHERE = {"EscalierDraft", "EscalierPropagate", "EscalierRunPipeline", "EscalierTrackMaskSam2", "EscalierMaskEdge"}
"""Need keyframes or a model before they look at a mask, or look at nothing but the mask."""


def given_to(node: Any, mask: torch.Tensor) -> dict[str, Any]:
    """Films of 80x48, the mask, and every other dial at its default."""
    film, given = torch.zeros(2, 48, 80, 3), {}
    for dial in node.define_schema().inputs:
        kind, options = dial.get_io_type(), getattr(dial, "options", None)
        if "IMAGE" in kind or kind == "MASK":
            given[dial.id] = mask if kind == "MASK" else film
        elif not getattr(dial, "optional", False):
            given[dial.id] = options[0] if options else getattr(dial, "default", None)
    return given


def with_masks(pack: SimpleNamespace) -> set[str]:
    inputs = {name: {dial.get_io_type() for dial in node.define_schema().inputs} for name, node in pack.nodes.items()}
    return {name for name, kinds in inputs.items() if "MASK" in kinds}


def test_every_node_with_a_mask_is_tried_here_or_named(pack: SimpleNamespace, fresh_folders: object) -> None:
    assert with_masks(pack) == SHOWN | ELSEWHERE


@pytest.mark.parametrize("name", sorted(SHOWN))
@pytest.mark.parametrize("shape", [(1, 64, 64), (64, 64)], ids=["batch", "one"])
def test_empty_mask_of_load_image_is_recognised(pack: SimpleNamespace, fresh_folders, name: str, shape) -> None:
    node = pack.nodes[name]
    with pytest.raises(ValueError, match=r"80x48.*64x64.*; this empty mask of 64x64 is what Load Image gives"):
        node.execute(**given_to(node, torch.zeros(shape)))


def test_other_masks_of_that_size_are_only_of_the_wrong_size(pack: SimpleNamespace, fresh_folders) -> None:
    node = pack.EscalierBlendLayers
    with pytest.raises(ValueError, match="mask must be 80x48 like the picture, got 64x64; scale one of them first"):
        node.execute(**given_to(node, torch.ones(1, 64, 64)))
    with pytest.raises(ValueError, match="mask must be 80x48 like the picture, got 32x32; scale one of them first"):
        node.execute(**given_to(node, torch.zeros(1, 32, 32)))
