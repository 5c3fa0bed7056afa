"""Segment Anything 2 for films: the real loading code and the real network, 6 MB small, with random weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from escalier.film import ArrayFrames

pytest.importorskip("torch")
pytest.importorskip("transformers", minversion="4.56")

from tiny_models.sam2_video import SIDE_PX, write_tiny_sam2_video

from escalier.tracking import Sam2Video, read_sam2_video

FRAMES, HEIGHT, WIDTH = 6, 40, 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_sam2_video(tmp_path_factory.mktemp("sam2") / "tiny")


@pytest.fixture(scope="module")
def model(folder: Path) -> Sam2Video:
    return Sam2Video(read_sam2_video(folder))


@pytest.fixture(scope="module")
def film() -> ArrayFrames:
    return ArrayFrames(np.random.default_rng(0).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), np.uint8))


@pytest.fixture(scope="module")
def mask() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[10:30, 20:44] = 1
    return mask


@pytest.mark.slow
def test_there_is_one_soft_mask_for_every_frame(model: Sam2Video, film: ArrayFrames, mask: np.ndarray) -> None:
    steps = []
    tracked = model.track(film, {1: mask, 4: mask}, progress=lambda *at: steps.append(at))
    assert tracked.masks.shape == (FRAMES, HEIGHT, WIDTH)
    assert tracked.masks.dtype == np.float32
    assert ((tracked.masks >= 0) & (tracked.masks <= 1)).all()
    for given in (1, 4):
        assert np.array_equal(tracked.masks[given], mask)
        assert tracked.confidence[given] == 1
    assert ((tracked.confidence >= 0) & (tracked.confidence <= 1)).all()
    assert steps == [(i + 1, 10) for i in range(10)]


@pytest.mark.slow
def test_the_same_call_gives_the_same_bits(model: Sam2Video, film: ArrayFrames, mask: np.ndarray) -> None:
    one, other = (model.track(film, {0: mask}) for _ in range(2))
    assert np.array_equal(one.masks, other.masks)


@pytest.mark.slow
def test_memory_reaches_from_the_prompt_in_both_directions(
    model: Sam2Video, film: ArrayFrames, mask: np.ndarray
) -> None:
    """Another mask at the prompt changes what is found before it and after it."""
    elsewhere = np.roll(mask, 20, axis=1)
    one, other = (model.track(film, {3: prompt}).masks for prompt in (mask, elsewhere))
    for index in (2, 4):
        assert not np.array_equal(one[index], other[index])


def test_film_is_read_frame_by_frame(model: Sam2Video, film: ArrayFrames, mask: np.ndarray, monkeypatch) -> None:
    """transformers itself would hold every frame of the clip at the size of its network."""
    held = []
    forward = model.module.forward

    def watched(session, *args, **kwargs):
        held.append(isinstance(session.processed_frames, dict))
        outputs = session.output_dict_per_obj[0]
        for frames in outputs.values():
            assert all("high_res_masks" not in kept for kept in frames.values()) or len(frames) <= 2
        return forward(session, *args, **kwargs)

    monkeypatch.setattr(model.module, "forward", watched)
    model.track(film, {0: mask})
    assert held
    assert not any(held)


def test_progress_can_stop_the_work(model: Sam2Video, film: ArrayFrames, mask: np.ndarray) -> None:
    def cancel(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.track(film, {0: mask}, progress=cancel)


@pytest.mark.slow
def test_whoever_manages_memory_is_asked_first(folder: Path, film: ArrayFrames, mask: np.ndarray) -> None:
    asked = []
    Sam2Video(read_sam2_video(folder), before_use=lambda: asked.append(True)).track(film, {0: mask})
    assert asked


def test_the_tiny_model_is_what_it_says(model: Sam2Video) -> None:
    assert type(model.module).__name__ == "Sam2VideoModel"
    assert model.module.config.image_size == SIDE_PX
    assert not model.module.training


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"prompted": {}}, "mask must be given at one frame at least"),
        ({"prompted": {9: np.ones((HEIGHT, WIDTH))}}, r"frames must be in 0\.\.5, got 9"),
        ({"prompted": {0: np.ones((HEIGHT, WIDTH + 1))}}, "mask must be a single channel of 64x40, got 65x40"),
        ({"fade": "cubic"}, "fade must be one of smoothstep, linear, got cubic"),
    ],
    ids=["none", "outside", "size", "fade"],
)
def test_bad_input_is_refused_by_name(
    model: Sam2Video, film: ArrayFrames, mask: np.ndarray, change: dict, words: str
) -> None:
    arguments = {"prompted": {0: mask}, **change}
    with pytest.raises(ValueError, match=f"^Sam2Video: {words}"):
        model.track(film, arguments.pop("prompted"), **arguments)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none_here must hold config\.json.*sam2\.1-hiera-small"):
        read_sam2_video(tmp_path / "none_here")


def test_missing_weights_are_named(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "config.json", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"must hold model\.safetensors"):
        read_sam2_video(tmp_path)


def test_another_model_is_named(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "other")
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "sam3"}))
    with pytest.raises(ValueError, match="must hold a model of the kind sam2_video, got sam3"):
        read_sam2_video(copy)


def test_text_that_is_no_description_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "other")
    (copy / "config.json").write_text("<html>404</html>")
    with pytest.raises(ValueError, match="must be a model's description in JSON"):
        read_sam2_video(copy)


def test_damaged_weights_are_refused(folder: Path, tmp_path: Path) -> None:
    page = shutil.copytree(folder, tmp_path / "page")
    (page / "model.safetensors").write_text("<!DOCTYPE html><html>404</html>")
    with pytest.raises(ValueError, match="must hold a model, got a web page"):
        read_sam2_video(page)
    cut = shutil.copytree(folder, tmp_path / "cut")
    data = (cut / "model.safetensors").read_bytes()
    (cut / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="MB are missing"):
        read_sam2_video(cut)


def test_weights_that_lack_a_part_are_refused_and_not_made_up(folder: Path, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    copy = shutil.copytree(folder, tmp_path / "gaps")
    weights = safetensors.load_file(copy / "model.safetensors")
    without = {name: value for name, value in weights.items() if not name.startswith("memory_attention")}
    safetensors.save_file(without, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match=r"must hold all weights .*missing or have another shape .such as memory_att"):
        read_sam2_video(copy)
    strange = {**weights, "memory_encoder.projection.weight": weights["memory_encoder.projection.weight"][:3]}
    safetensors.save_file({n: v.contiguous() for n, v in strange.items()}, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="Segment Anything 2 model, but"):
        read_sam2_video(copy)


def test_missing_package_is_named_with_its_command(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "transformers.models.sam2_video", None)
    with pytest.raises(ImportError, match=r'Segment Anything 2 masks need the package.*"transformers>=4\.56"'):
        read_sam2_video(folder)
