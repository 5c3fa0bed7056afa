"""Segment Anything: what a file is, what the model sees, and that its answers lie where the picture is."""

from __future__ import annotations

import logging
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models.sam import LOGITS_PX, build_tiny_sam, write_tiny_sam

from escalier.film import Size
from escalier.sam import Prompts, SamModel, read_sam
from escalier.sam.sam_files import build_sam
from escalier.sam.segment import input_size

torch = pytest.importorskip("torch")
package = pytest.importorskip("segment_anything")

META = {
    "vit_b": (768, 12, 12, (2, 5, 8, 11)),
    "vit_l": (1024, 24, 16, (5, 11, 17, 23)),
    "vit_h": (1280, 32, 16, (7, 15, 23, 31)),
}


@pytest.fixture(scope="module")
def weights() -> dict:
    return build_tiny_sam().state_dict()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SamModel:
    name, module = read_sam(write_tiny_sam(tmp_path_factory.mktemp("sams") / "any name.bin"))
    return SamModel(module, name)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (90, 160, 3), np.uint8)


@pytest.mark.parametrize("name", META)
def test_architecture_of_each_released_model_is_read_from_its_shapes(name: str) -> None:
    with torch.device("meta"):
        weights = package.sam_model_registry[name]().state_dict()
    found, module = build_sam(weights)
    assert found == name
    # Width, depth, channels and all else that tensors have in them.
    assert {key: value.shape for key, value in module.state_dict().items()} == {
        key: value.shape for key, value in weights.items()
    }
    encoder, decoder = module.image_encoder, module.mask_decoder
    windows = [block.window_size for block in encoder.blocks]
    width, depth, heads, global_blocks = META[name]
    assert windows == [0 if i in global_blocks else 14 for i in range(depth)]
    assert encoder.patch_embed.proj.weight.shape == (width, 3, 16, 16)
    assert {block.attn.num_heads for block in encoder.blocks} == {heads}
    assert (encoder.img_size, decoder.num_multimask_outputs, len(decoder.transformer.layers)) == (1024, 3, 2)


def test_every_weight_arrives_bit_for_bit(model: SamModel, weights: dict) -> None:
    loaded = model.module.state_dict()
    assert loaded.keys() == weights.keys()
    assert all(torch.equal(loaded[name], weights[name]) for name in weights)
    assert model.name == "vit_32x2"
    assert not model.module.training


@pytest.mark.parametrize("kind", ["wrapped", "parallel", "half", "safetensors", "HQ-SAM"])
def test_other_ways_to_write_the_same_weights_are_read(tmp_path: Path, weights: dict, kind: str) -> None:
    path = tmp_path / "sam.pth"
    if kind == "wrapped":
        torch.save({"model": weights, "epoch": 3}, path)
    elif kind == "parallel":
        torch.save({f"module.{name}": tensor for name, tensor in weights.items()}, path)
    elif kind == "half":
        torch.save({name: tensor.half() for name, tensor in weights.items()}, path)
    elif kind == "HQ-SAM":
        torch.save({**weights, "mask_decoder.hf_token.weight": torch.zeros(1, 32)}, path)
    else:
        pytest.importorskip("safetensors.torch").save_file(weights, path)
    _, module = read_sam(path)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, weights[name].half().float() if kind == "half" else weights[name])


@pytest.mark.parametrize("prefix", ["sam.", "module.", "model.", "module.model.sam_model."])
def test_prefixes_of_wrappers_are_taken_off(tmp_path: Path, weights: dict, prefix: str) -> None:
    torch.save({"state_dict": {prefix + name: value for name, value in weights.items()}}, tmp_path / "sam.pth")
    _, module = read_sam(tmp_path / "sam.pth")
    assert all(torch.equal(tensor, weights[name]) for name, tensor in module.state_dict().items())


def test_parts_that_are_left_out_are_named(tmp_path: Path, weights: dict, caplog: pytest.LogCaptureFixture) -> None:
    torch.save({**weights, "mask_decoder.hf_token.weight": torch.zeros(1, 32)}, tmp_path / "hq.pth")
    torch.save({**weights, "image_encoder.blocks.0.lora_a.weight": torch.zeros(2)}, tmp_path / "tuned.pth")
    with caplog.at_level(logging.WARNING, "escalier"):
        read_sam(write_tiny_sam(tmp_path / "plain.pth"))
        assert caplog.text == ""
        read_sam(tmp_path / "hq.pth")
        assert "hq.pth is an HQ-SAM model: its 1 tensors that refine the masks are left out" in caplog.text
        caplog.clear()
        read_sam(tmp_path / "tuned.pth")
    assert (
        "tuned.pth has 1 tensors that no Segment Anything model has (such as image_encoder.blocks.0.lora_a"
        in caplog.text
    )


def test_model_without_relative_positions_is_no_segment_anything(tmp_path: Path, weights: dict) -> None:
    """EfficientSAM's tensors have the names of Segment Anything's, but for these."""
    torch.save({"model": {n: v for n, v in weights.items() if "rel_pos" not in n}}, tmp_path / "efficient_sam.pt")
    with pytest.raises(ValueError, match=r"efficient_sam\.pt must be .*, got an EfficientSAM or other model without"):
        read_sam(tmp_path / "efficient_sam.pt")


@pytest.mark.parametrize("part", ["image_encoder.pos_embed", "mask_decoder.mask_tokens", "prompt_encoder.mask_d"])
def test_no_missing_part_ends_in_a_key_error(tmp_path: Path, weights: dict, part: str) -> None:
    torch.save({name: value for name, value in weights.items() if not name.startswith(part)}, tmp_path / "sam.pth")
    with pytest.raises(ValueError, match=rf"sam\.pth must be a Segment Anything model, got .*without .*{part}"):
        read_sam(tmp_path / "sam.pth")


@pytest.mark.slow
def test_every_tensor_of_another_shape_is_refused_in_a_sentence(tmp_path: Path, weights: dict) -> None:
    for number, name in enumerate(weights):
        if number % 7 == 0:
            strange = {**weights, name: torch.zeros(3, 5, 2)}
            torch.save(strange, tmp_path / "sam.pth")
            with pytest.raises(ValueError, match=r"sam\.pth must be a Segment Anything model, got .*; load sam_vit_b"):
                read_sam(tmp_path / "sam.pth")


def tensors(*names: str) -> dict:
    return {name: torch.zeros(2) for name in names}


class Trap:
    """What a harmful file would do when it is unpickled."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("code in a model file was executed",))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"\n<!DOCTYPE html><html><body>Not Found", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1", "a pointer of Git LFS"),
        (b'{"error": "gated"}', "a text in JSON"),
        (b"\x93\x17 no model at all", "a file that torch cannot read as weights"),
        (pickle.dumps(Trap(), protocol=2), "a file that torch cannot read as weights"),
        ([1, 2], "a list where a table of weights should be"),
        ({}, "a file without any tensors"),
        (tensors("model.diffusion_model.out.0.bias", "first_stage_model.x"), "a Stable Diffusion checkpoint"),
        (tensors("control_model.input_blocks.0.0.weight"), "a ControlNet"),
        (tensors("lora_unet_down.alpha"), "a LoRA"),
        (tensors("image_encoder.trunk.pos_embed"), "a Segment Anything 2 model"),
        (tensors("image_encoder.patch_embed.seq.0.c.weight"), "a MobileSAM or TinySAM model"),
        (tensors("vision_encoder.pos_embed"), "a Segment Anything model in the transformers package's layout"),
        (tensors("layer1.weight", "layer2.weight"), "a file of 2 other tensors .the first is layer1.weight"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_file_that_is_no_segment_anything_says_what_it_is(tmp_path: Path, content: object, kind: str) -> None:
    path = tmp_path / "sam_vit_b_01ec64.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ValueError, match=f"sam_vit_b_01ec64.pth must be a Segment Anything model, got {kind}.*load"):
        read_sam(path)


def test_half_a_download_is_named_as_such(tmp_path: Path, weights: dict) -> None:
    whole = write_tiny_sam(tmp_path / "whole.pth").read_bytes()
    (tmp_path / "half.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"got the first 0\.3 MB of a file whose end is missing"):
        read_sam(tmp_path / "half.pth")
    safetensors = pytest.importorskip("safetensors.torch")
    (tmp_path / "half.safetensors").write_bytes(safetensors.save(weights)[:-200_000])
    with pytest.raises(ValueError, match=r"got a file whose last 0\.2 MB are missing"):
        read_sam(tmp_path / "half.safetensors")


def test_model_without_its_decoder_is_refused(tmp_path: Path, weights: dict) -> None:
    path = tmp_path / "encoder.pth"
    torch.save({name: value for name, value in weights.items() if "hypernetworks" not in name}, path)
    with pytest.raises(ValueError, match=r"without 24 of its tensors .such as mask_decoder\.output_hypernetworks"):
        read_sam(path)


def test_missing_file_is_named_with_its_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"sams.sam\.pth; put the model there"):
        read_sam(tmp_path / "sams" / "sam.pth")


def test_missing_package_names_the_pip_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_tiny_sam(tmp_path / "sam.pth")
    for name in [name for name in sys.modules if name.startswith("segment_anything")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "segment_anything", None)
    with pytest.raises(ImportError, match=r'Segment Anything masks need .*-m pip install "segment-anything>=1.0"'):
        read_sam(path)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (64, 64), (1023, 517), (5000, 3)], ids=str)
def test_picture_is_seen_in_the_size_of_the_package(size: tuple[int, int]) -> None:
    width, height = size
    theirs = package.utils.transforms.ResizeLongestSide.get_preprocess_shape(height, width, 1024)
    assert input_size(Size(width, height), 1024) == theirs[::-1]


@pytest.mark.parametrize("turn", [0, 1], ids=["landscape", "portrait"])
def test_answers_are_those_of_the_package(model: SamModel, picture: np.ndarray, turn: int) -> None:
    picture = np.ascontiguousarray(np.rot90(picture, turn))
    points, labels, box = np.array([[40, 45], [5, 8]]), np.array([1, 0]), np.array([20, 18, 80, 72])
    predictor = package.SamPredictor(build_tiny_sam())
    predictor.set_image(picture)
    theirs, their_scores, their_logits = predictor.predict(points, labels, box, return_logits=True)
    ours = model.predict(model.embed(picture), Prompts(points, labels, [box]))
    # The package rounds the resized picture to 256 levels, we do not.
    spread = float(their_logits.std())
    assert np.abs(ours.logits - their_logits).max() < 0.1 * spread
    assert np.abs(ours.masks - 1 / (1 + np.exp(-theirs))).max() < 0.1 * spread
    assert np.abs(ours.scores - their_scores).max() < 1e-3
    assert ours.best == their_scores.argmax()


def test_masks_are_soft_and_in_the_size_of_the_picture(model: SamModel, picture: np.ndarray) -> None:
    candidates = model.predict(model.embed(picture), Prompts([(80, 45)]))
    assert candidates.masks.shape == (3, 90, 160)
    assert candidates.masks.dtype == np.float32
    assert 0 <= candidates.masks.min() < candidates.masks.max() <= 1
    assert len(np.unique(candidates.masks)) > 1000
    assert candidates.logits.shape == (3, LOGITS_PX, LOGITS_PX)


def test_float_pictures_are_seen_as_the_same(model: SamModel, picture: np.ndarray) -> None:
    levels = model.embed(picture)
    floats = model.embed(picture.astype(np.float32) / np.float32(255))
    assert levels.input_size == (256, 144)
    assert torch.allclose(levels.features, floats.features, atol=1e-4)


def test_several_objects_are_answered_as_each_alone(model: SamModel, picture: np.ndarray) -> None:
    embedding = model.embed(picture)
    objects = [Prompts([(80, 45)]), Prompts(boxes=[(0, 0, 160, 90)])]
    together = model.predict(embedding, objects)
    for one, answer in zip(objects, together, strict=True):
        assert (model.predict(embedding, one).masks == answer.masks).all()
    assert (together[0].masks != together[1].masks).any()


def test_earlier_answer_can_be_refined(model: SamModel, picture: np.ndarray) -> None:
    embedding = model.embed(picture)
    first = model.predict(embedding, Prompts([(80, 45)]))
    second = model.predict(embedding, Prompts([(80, 45)]), logits=first.logits[first.best])
    assert (first.logits != second.logits).any()
    with pytest.raises(ValueError, match=r"logits must be finite and 64x64, got an array of shape .90, 160"):
        model.predict(embedding, Prompts([(80, 45)]), logits=first.masks[0])


def test_whoever_manages_memory_is_asked_before_each_use(model: SamModel, picture: np.ndarray) -> None:
    calls: list[str] = []
    managed = SamModel(model.module, before_use=lambda: calls.append("brought"))
    embedding = managed.embed(picture)
    managed.predict(embedding, Prompts([(80, 45)]))
    assert calls == ["brought", "brought"]


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        (Prompts([(160, 20)]), "inside the picture of 160x90, got x 160, y 20"),
        (Prompts([(4, -1)]), "inside the picture of 160x90, got x 4, y -1"),
        (Prompts(boxes=[(0, 0, 161, 90)]), "a box must be inside.*160x90.*right 161"),
        (Prompts(boxes=[(50, 10, 40, 90)]), "a box must be.*larger than nothing.*left 50.*right 40"),
    ],
    ids=["right of it", "above it", "box too wide", "box inside out"],
)
def test_prompts_outside_the_picture_are_refused(
    model: SamModel, picture: np.ndarray, prompts: Prompts, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        model.predict(model.embed(picture), prompts)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((9, 9, 4), np.float32), "must be RGB .*got the shape .9, 9, 4"),
        (np.zeros((9, 9), np.uint8), "must be RGB"),
        (np.full((9, 9, 3), np.nan, np.float32), "finite numbers, got NaN"),
    ],
    ids=["RGBA", "grey", "NaN"],
)
def test_pictures_that_do_not_fit_are_refused(model: SamModel, bad: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.embed(bad)


@pytest.mark.parametrize(
    "error",
    [torch.cuda.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
    ids=["card", "processor"],
)
def test_short_memory_is_said_in_one_sentence(
    model: SamModel, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(model.module.image_encoder, "forward", fail)
    with pytest.raises(MemoryError, match="the memory must hold a picture of 160x90, but it is full; close"):
        model.embed(picture)
