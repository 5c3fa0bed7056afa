"""Families of matte networks: told by their plan, held against the kind, and run in whatever numbers they take."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from tiny_models.onnx import node, write_nested_u, write_onnx, write_swin

from escalier.film import ArrayFrames
from escalier.mask import matte_film, read_matte_model
from escalier.mask.matte_graph import read_matte_graph

pytest.importorskip("onnxruntime")
pytest.importorskip("rembg")

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (1, 1, 1))
ANIME = (IMAGENET[0], (1, 1, 1))
RED_AND_BLUE = np.repeat(np.array([[[230, 20, 10], [20, 30, 200]]], np.uint8), 24, axis=0).repeat(16, axis=1)


def network(folder: Path, plan: str, name: str = "mine.onnx", **settings) -> Path:
    """A tiny network with the plan of a published one."""
    if plan in ("U2Net", "IS-Net"):
        return write_nested_u(folder / name, stride=1 if plan == "U2Net" else 2, **settings)
    module = {"BiRefNet": "bb", "BEN": "multifieldcrossatt", "another": "encoder"}[plan]
    return write_swin(folder / name, module, sigmoid=settings.pop("sigmoid", True), **settings)


@pytest.mark.parametrize("plan", ["U2Net", "IS-Net", "BiRefNet", "BEN"])
@pytest.mark.parametrize("name", ["mine.onnx", "u2net.onnx", "isnet-general-use.onnx", "BiRefNet.onnx", "BEN2.onnx"])
def test_plan_tells_the_family_whatever_the_name_says(tmp_path: Path, plan: str, name: str) -> None:
    usual = {"U2Net": "u2net", "IS-Net": "isnet", "BiRefNet": "birefnet", "BEN": "ben"}[plan]
    assert read_matte_model(network(tmp_path, plan, name)).kind == usual


@pytest.mark.parametrize(
    ("plan", "kind", "prepared"),
    [
        ("U2Net", "u2net", IMAGENET),
        ("IS-Net", "isnet", HALF),
        ("IS-Net", "isnet-anime", ANIME),
        ("IS-Net", "bria", HALF),  # RMBG-1.4
        ("BiRefNet", "birefnet", IMAGENET),
        ("BiRefNet", "bria", IMAGENET),  # RMBG-2.0
        ("BEN", "ben", HALF),
    ],
)
def test_pictures_are_prepared_as_the_family_was_trained(tmp_path: Path, plan: str, kind: str, prepared) -> None:
    model = read_matte_model(network(tmp_path, plan), kind)
    assert (model.kind, tuple(model._mean.tolist()), tuple(model._std.tolist())) == (
        kind, pytest.approx(prepared[0]), pytest.approx(prepared[1]),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "plan", "kind"),
    [
        ("bria-rmbg-1.4.onnx", "IS-Net", "bria"),
        ("RMBG-2.0.onnx", "BiRefNet", "bria"),
        ("isnet-anime.onnx", "IS-Net", "isnet-anime"),
    ],
)
def test_name_tells_families_of_one_plan_apart(tmp_path: Path, name: str, plan: str, kind: str) -> None:
    assert read_matte_model(network(tmp_path, plan, name)).kind == kind


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        ("IS-Net", "u2net"), ("IS-Net", "birefnet"), ("IS-Net", "ben"), ("U2Net", "isnet"), ("U2Net", "bria"),
        ("U2Net", "isnet-anime"), ("BiRefNet", "isnet"), ("BiRefNet", "ben"), ("BEN", "birefnet"), ("BEN", "bria"),
    ],
)  # fmt: skip
def test_kind_that_contradicts_the_plan_is_refused(tmp_path: Path, plan: str, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"kind must fit mine\.onnx, whose graph is that of {plan}, got {kind}; take"):
        read_matte_model(network(tmp_path, plan), kind)


def test_unknown_plan_is_named_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "escalier"):
        assert read_matte_model(network(tmp_path, "another"), "u2net").kind == "u2net"
    assert "mine.onnx: its graph is of no family that is known here; prepared as u2net" in caplog.text
    with pytest.raises(ValueError, match=r"the graph or the name of mine\.onnx must tell the network's family"):
        read_matte_model(tmp_path / "mine.onnx")


@pytest.mark.parametrize("kind", ["birefnet", "bria"])
@pytest.mark.parametrize("sigmoid", [True, False])
def test_logits_become_shares_and_shares_stay(tmp_path: Path, kind: str, sigmoid: bool) -> None:
    path = write_swin(tmp_path / "mine.onnx", "bb", sigmoid=sigmoid)
    raw = read_matte_model(path, kind).raw(RED_AND_BLUE)
    assert raw.min() < 1e-3 and raw.max() > 1 - 1e-3


@pytest.mark.parametrize("numbers", ["float32", "float16"])
@pytest.mark.parametrize("side", [64, "side"])
@pytest.mark.parametrize("batch", [1, "n"])
def test_half_precision_and_open_sides_run_as_any(tmp_path: Path, numbers: str, side, batch) -> None:
    shape = (batch, 3, side, side)
    path = network(tmp_path, "U2Net", numbers=numbers, shape=shape, given=(batch, 1, side, side))
    mattes = matte_film(ArrayFrames(RED_AND_BLUE[None]), read_matte_model(path))
    assert mattes.masks.dtype == np.float32
    assert mattes.masks[0, :, :12].min() > 0.9 and mattes.masks[0, :, 20:].max() < 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": (1, 64, 64, 3), "given": (1, 64, 64, 1)}, r"64 x 64 x 3 \(height, width, channels: export"),
        ({"shape": (1, 1, 64, 64)}, "takes 1 x 1 x 64 x 64 where 1 x 3 x height x width should be"),
        ({"shape": (1, 4, 64, 64)}, "takes 1 x 4 x 64 x 64 where"),
        ({"shape": (2, 3, 64, 64), "given": (2, 1, 64, 64)}, "takes 2 x 3 x 64 x 64 where"),
        ({"channels": 4}, "gives 4 channels where one matte should be"),
        ({"channels": 2}, "gives 2 channels where one matte should be"),
    ],
    ids=["channels last", "grey", "RGBA", "a batch", "clothes", "two classes"],
)
def test_network_of_another_form_is_refused_on_loading(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=rf"mine\.onnx must be a background-removal network in ONNX, got .*{message}"):
        read_matte_model(network(tmp_path, "U2Net", **settings), "u2net")


def test_network_that_remembers_frames_is_refused_by_its_inputs(tmp_path: Path) -> None:
    layers = [node("Conv", ("src", "w"), "p"), node("Add", ("p", "r1i"), "y")]
    kernel, one = np.ones((1, 3, 1, 1), np.float32), (1, 1, 8, 8)
    inputs = [("src", (1, 3, 8, 8)), ("r1i", one)]
    path = write_onnx(tmp_path / "rvm.onnx", layers, {"w": kernel}, inputs, [("y", one)])
    with pytest.raises(ValueError, match=r"got a network with 2 inputs \(src, r1i\)"):
        read_matte_model(path, "u2net")


def test_network_of_whole_numbers_is_refused(tmp_path: Path) -> None:
    layers = [node("Identity", ("x",), "y")]
    shape = (1, 3, 8, 8)
    path = write_onnx(tmp_path / "bytes.onnx", layers, {}, [("x", shape)], [("y", shape)], "uint8")
    with pytest.raises(ValueError, match=r"takes tensor\(uint8\) where fractions should be"):
        read_matte_model(path, "u2net")


def test_only_the_matte_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = read_matte_model(network(tmp_path, "IS-Net"))
    asked = []

    class Recorder:
        def run(self, names, given):
            asked.append(names)
            return [np.zeros((1, 1, 4, 4), np.float32)]

    monkeypatch.setattr(model, "_session", Recorder())
    model.raw(RED_AND_BLUE)
    assert asked == [["y"]]


def test_network_that_fails_while_it_runs_says_so_in_a_sentence(tmp_path: Path) -> None:
    """Its sides are open, but a fixed table inside fits only one size."""
    layers = [node("Conv", ("x", "w"), "p"), node("Add", ("p", "table"), "y")]
    tensors = {"w": np.ones((1, 3, 1, 1), np.float32), "table": np.ones((1, 1, 48, 48), np.float32)}
    path = write_onnx(tmp_path / "u2net.onnx", layers, tensors, [("x", (1, 3, "h", "w"))], [("y", (1, 1, "h", "w"))])
    with pytest.raises(ValueError, match=r"must run on a picture of 320x320, but onnxruntime says: .*; load"):
        read_matte_model(path).raw(RED_AND_BLUE)


@pytest.mark.parametrize("length", [0, 1, 7, 60, 300, 1500])
def test_plan_of_a_damaged_file_is_none_or_something(tmp_path: Path, length: int) -> None:
    whole = network(tmp_path, "U2Net").read_bytes()
    (tmp_path / "half.onnx").write_bytes(whole[:length])
    plan = read_matte_graph(tmp_path / "half.onnx")
    assert plan is None or plan.architecture == ""
    rng = np.random.default_rng(length)
    for _ in range(40):
        broken = bytearray(whole)
        for place in rng.integers(0, len(whole), 5):
            broken[place] = rng.integers(256)
        (tmp_path / "broken.onnx").write_bytes(broken)
        read_matte_graph(tmp_path / "broken.onnx")
