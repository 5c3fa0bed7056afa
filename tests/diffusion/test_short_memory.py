"""Memory that runs out in the room of diffusion: smaller parts, then a sentence. NaN by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from escalier.diffusion import attend_to_anchor, draw_control_maps, draw_segmentation_maps  # noqa: E402
from escalier.diffusion.control_maps import detectors, segmentation  # noqa: E402
from escalier.diffusion.control_maps.depth_range import shared_greys  # noqa: E402

PICTURES = np.random.default_rng(0).integers(0, 256, (3, 48, 80, 3), np.uint8)
KIND = "depth zoe"
attend = torch.nn.functional.scaled_dot_product_attention


def full(*_: object) -> None:
    raise torch.cuda.OutOfMemoryError("CUDA out of memory")


def use_network(monkeypatch: pytest.MonkeyPatch, load: object) -> None:
    """Put another network in the place of ZoeDepth's."""
    monkeypatch.setitem(
        detectors.DETECTORS, KIND, detectors.Detector(load, (), measures_depth=True, packaged=False)
    )  # fmt: skip


@pytest.mark.parametrize("load", [full, lambda *_: full], ids=["while loading", "while looking"])
def test_control_maps_say_what_to_lower(monkeypatch: pytest.MonkeyPatch, load: object) -> None:
    use_network(monkeypatch, load)
    with pytest.raises(
        MemoryError, match=r"draw_control_maps: the memory must hold the detector of 'depth zoe' and a picture of 128"
    ):
        draw_control_maps(PICTURES, KIND, resolution=64)


def test_segmentation_maps_say_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segformer = pytest.importorskip("tiny_models.segformer")
    segformer.write_segformer(tmp_path)
    monkeypatch.setattr(segmentation, "_look", full)
    with pytest.raises(MemoryError, match="draw_segmentation_maps: the memory must hold the network and a picture of"):
        draw_segmentation_maps(PICTURES, tmp_path, resolution=64)


def test_short_memory_of_the_processor_is_told_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    use_network(monkeypatch, lambda *_: short)
    with pytest.raises(MemoryError, match="lower the resolution"):
        draw_control_maps(PICTURES, KIND)


def test_other_faults_of_a_detector_keep_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    use_network(monkeypatch, lambda *_: broken)
    with pytest.raises(RuntimeError, match=r"^a fault$"):
        draw_control_maps(PICTURES, KIND)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_depth_that_is_not_finite_is_refused_by_its_picture(monkeypatch: pytest.MonkeyPatch, wrong: float) -> None:
    seen = []

    def look(picture: np.ndarray) -> np.ndarray:
        seen.append(picture)
        depth = picture[..., 0].astype(np.float32)
        if len(seen) == 2:
            depth[3, 5] = wrong
        return depth

    use_network(monkeypatch, lambda *_: look)
    with pytest.raises(
        ValueError, match=r"draw_control_maps: depth must be finite, got NaN or infinity from the network in picture 2"
    ):
        draw_control_maps(PICTURES, KIND, resolution=0)


def test_greys_have_one_range_and_near_is_white() -> None:
    rows = np.tile(np.linspace(0, 1, 320, dtype=np.float32), (180, 1))
    greys = shared_greys([rows, rows * 2 + 7])
    assert greys.shape == (2, 180, 320) and greys.dtype == np.float32
    np.testing.assert_allclose(greys[0], greys[1], atol=1e-3)
    assert greys[0, 0, 0] < 0.01 and greys[0, 0, -1] > 0.99


@pytest.mark.parametrize(("room", "sizes"), [(3, [5, 3, 2]), (1, [5, 3, 2, 1, 1, 1, 2, 1, 1])])
def test_attention_that_does_not_fit_is_shared_in_halves(room: int, sizes: list[int]) -> None:
    tokens = torch.randn(5, 6, 8, generator=torch.Generator().manual_seed(0))
    anchors = tokens[:1].expand_as(tokens)
    asked = []

    def with_room(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        asked.append(len(query))
        return attend(query, key, value) if len(query) <= room else full()

    halved = attend_to_anchor(tokens, tokens, tokens, anchors, anchors, attend=with_room)
    torch.testing.assert_close(halved, attend_to_anchor(tokens, tokens, tokens, anchors, anchors, attend=attend))
    assert asked == sizes


def test_attention_that_never_fits_says_what_to_lower() -> None:
    tokens = torch.zeros(2, 6, 8)
    with pytest.raises(MemoryError, match="attend_to_anchor: the memory must hold one picture's attention"):
        attend_to_anchor(tokens, tokens, tokens, tokens, tokens, attend=full)


def test_other_faults_of_attention_keep_their_name() -> None:
    tokens = torch.zeros(2, 6, 8)

    def broken(*_: object) -> None:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match=r"^a fault$"):
        attend_to_anchor(tokens, tokens, tokens, tokens, tokens, attend=broken)
