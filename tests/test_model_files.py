"""What a model file is, and the one reader of weights: every wrapping is taken off, nothing in a file is ever run."""

from __future__ import annotations

import argparse
import collections
import datetime
import pathlib
import pickle
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from escalier.model_files import UnreadableWeights, damage, layout, read_weights, under_prefix

torch = pytest.importorskip("torch")

WEIGHTS = {"neck.weight": torch.arange(6.0).reshape(2, 3), "neck.bias": torch.ones(2)}
WRAPPINGS: dict[str, Any] = {
    "bare": WEIGHTS,
    "model_state_dict": {"model_state_dict": WEIGHTS, "optimizer_state_dict": {"state": {}, "param_groups": []}},
    "state_dict": {"state_dict": WEIGHTS, "epoch": 7},
    "model": {"model": WEIGHTS},
    "ema": {"ema": WEIGHTS, "model": {}},
    "params_ema": {"params_ema": WEIGHTS},
    "model in state_dict": {"state_dict": {"model": WEIGHTS}},
    "three deep": {"model": {"state_dict": {"module": WEIGHTS}}},
    "ordered": collections.OrderedDict(WEIGHTS),
    "beside a namespace": {"model": WEIGHTS, "args": argparse.Namespace(lr=1e-4, out=pathlib.Path("runs"))},
    "beside a simple namespace": {"model": WEIGHTS, "args": types.SimpleNamespace(lr=1e-4)},
    "beside numbers of numpy": {"model": WEIGHTS, "best": np.float64(0.9), "epoch": np.int64(3), "ok": np.bool_(True)},
    "beside arrays of numpy": {"model": WEIGHTS, "curve": np.arange(3), "names": np.array(["a"])},
    "beside a date": {"model": WEIGHTS, "when": datetime.datetime(2026, 11, 28)},
    "beside a scheduler": {"model": WEIGHTS, "lr_scheduler": {"base_lrs": [0.1], "last_epoch": 4}, "scaler": None},
}


class Trap:
    """What a harmful file would do when it is unpickled."""

    def __reduce__(self) -> tuple:
        return (pytest.fail, ("code in a model file was executed",))


class Foreign:
    """Something of a program that is not installed here."""


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "old"])
@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("mapped", [True, False], ids=["mapped", "read"])
def test_every_wrapping_is_taken_off(tmp_path: Path, wrapping: str, as_zip: bool, mapped: bool) -> None:
    torch.save(WRAPPINGS[wrapping], tmp_path / "weights.pt", _use_new_zipfile_serialization=as_zip)
    found = read_weights(tmp_path / "weights.pt", mapped=mapped)
    assert found.keys() == WEIGHTS.keys()
    assert all(torch.equal(found[name], WEIGHTS[name]) for name in WEIGHTS)


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pth", "weights.bin", "weights"])
def test_content_decides_and_not_the_name(tmp_path: Path, name: str) -> None:
    pytest.importorskip("safetensors.torch").save_file(WEIGHTS, tmp_path / name)
    assert torch.equal(read_weights(tmp_path / name)["neck.weight"], WEIGHTS["neck.weight"])
    torch.save(WEIGHTS, tmp_path / name)
    assert read_weights(tmp_path / name).keys() == WEIGHTS.keys()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"a", "a text"),
        (b"Access denied. Please log in.\r\n", "a text"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", "a web page"),
        (b"<!-- moved --><html>", "a web page"),
        (b'[{"error": "gated"}]', "a text in JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3", "a pointer of Git LFS"),
        (bytes(5000), "nothing but zeros"),
        (b"\x93\x17\x00\x01 no model", "a file that torch cannot read as weights"),
        (b"\x80\x02", "a file that torch cannot read as weights"),
        (b"\x80\x02}q\x00.", "a file that torch cannot read as weights"),
        (b"\x0f\0\0\0\0\0\0\0{ no header    \0", "a damaged file of safetensors"),
        (b"\xff\0\0\0\0\0\0\0{", "a file whose last 254 bytes are missing"),
        (pickle.dumps(Trap(), protocol=2), "a file that torch cannot read as weights"),
        (pickle.dumps({"a": 1}, protocol=5), "a file that torch cannot read as weights"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_weights_is_named(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    with pytest.raises(UnreadableWeights, match=f"weights.pth must hold weights, got {kind}") as refusal:
        read_weights(path)
    assert refusal.value.kind.startswith(kind)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ([torch.ones(2)], "a list where a table of weights should be"),
        (torch.ones(2), "a Tensor where a table of weights should be"),
        (torch.nn.Linear(2, 2), r"it also holds torch\.nn\.modules\.linear\.Linear, which only the program"),
        ({"model": WEIGHTS, "trap": Trap()}, "a file that torch cannot read as weights"),
        ({"model": WEIGHTS, "other": Foreign()}, r"it also holds .*Foreign, which only the program that wrote it"),
    ],
    ids=["list", "tensor", "module", "trap", "foreign"],
)
@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "old"])
def test_programs_in_a_file_are_named_and_never_run(tmp_path: Path, content: object, kind: str, as_zip: bool) -> None:
    torch.save(content, tmp_path / "weights.pth", _use_new_zipfile_serialization=as_zip)
    with pytest.raises(UnreadableWeights, match=kind):
        read_weights(tmp_path / "weights.pth")


def test_archives_of_other_things_are_named(tmp_path: Path) -> None:
    path = tmp_path / "sam.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "the model is on another page")
    with pytest.raises(UnreadableWeights, match=r"a ZIP archive of other things \(readme\.txt\)"):
        read_weights(path)
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)), path)
    with pytest.raises(UnreadableWeights, match="a TorchScript program in place of weights"):
        read_weights(path)


@pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "old"])
def test_no_cut_and_no_flipped_bytes_end_in_anything_but_a_sentence(tmp_path: Path, as_zip: bool) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"model": WEIGHTS, "args": argparse.Namespace(lr=1)}, path, _use_new_zipfile_serialization=as_zip)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(120):
        broken = bytearray(whole[: rng.integers(len(whole))] if trial % 3 == 0 else whole)
        for place in rng.integers(0, max(1, len(broken)), 4 if trial % 3 else 0):
            broken[place] = rng.integers(256)
        path.write_bytes(broken)
        try:
            found = read_weights(path)
        except UnreadableWeights as error:
            assert error.kind
        else:
            assert all(isinstance(value, torch.Tensor) for value in found.values())


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"path must be a file, got .*gone\.pth; put the model there"):
        read_weights(tmp_path / "gone.pth")
    with pytest.raises(UnreadableWeights, match="something other than an ordinary file"):
        read_weights(tmp_path)
    assert damage(tmp_path) == "something other than an ordinary file"


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["image_encoder.trunk.pos_embed"], "a Segment Anything 2 model; the node Track Mask with SAM2 runs it"),
        (["vision_encoder.backbone.blocks.0.attn.qkv.weight"], "a Segment Anything 2 model"),
        (["memory_attention.norm.weight", "sam_mask_decoder.iou_token.weight"], "a Segment Anything 2 model"),
        (["detector.backbone.weight"], "a Segment Anything 3 model; use ComfyUI's own SAM3 nodes"),
        (["detector_model.vision.weight"], "a Segment Anything 3 model"),
        (["image_encoder.patch_embed.seq.0.c.weight"], "a MobileSAM or TinySAM model"),
        (["image_encoder.features.0.0.c.weight"], "an EdgeSAM or RepViT-SAM model"),
        (["image_encoder.backbone.input_stem.op_list.0.conv.weight"], "an EfficientViT-SAM model"),
        (["image_encoder.blocks.0.Adapter.channel.0.weight"], "a SAM-Med2D model"),
        (["prompt_encoder.invalid_points.weight"], "an EfficientSAM model"),
        (["model.0.conv.weight", "model.22.proto.cv1.conv.weight"], "a YOLO model, such as FastSAM"),
        (["vision_encoder.layers.0.weight"], "a Segment Anything model in the transformers package's layout"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "module.", "sam.", "model.", "module.model."])
def test_families_are_known_by_their_names(names: list[str], kind: str, prefix: str) -> None:
    assert layout([prefix + name for name in names]).startswith(kind)


def test_prefix_is_taken_from_one_known_tensor() -> None:
    weights = {"a.b.neck.weight": 1, "a.b.neck.bias": 2, "loss.weight": 3}
    assert under_prefix(weights, "neck.weight") == {"neck.weight": 1, "neck.bias": 2, "loss.weight": 3}
    assert under_prefix(weights, "tail.weight") == weights
    assert under_prefix({"neck.weight": 1, "ema.neck.weight": 2}, "neck.weight")["neck.weight"] == 1
