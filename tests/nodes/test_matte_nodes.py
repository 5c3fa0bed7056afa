"""The nodes of rembg, in the real ComfyUI: one mask a frame, local files only, and a server that stays alive."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_models.onnx import write_tiny_onnx


@pytest.fixture
def rembg_folder(
    comfyui: SimpleNamespace, pack: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """models/rembg, empty."""
    folder = tmp_path / "rembg"
    folder.mkdir()
    monkeypatch.setitem(comfyui.folder_paths.folder_names_and_paths, "rembg", ([str(folder)], set()))
    return folder


@pytest.fixture
def model(pack: SimpleNamespace, rembg_folder: Path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("rembg")
    write_tiny_onnx(rembg_folder / "u2net.onnx")
    return pack.EscalierLoadMatteModel.execute(model="u2net.onnx", kind="auto").args[0]


@pytest.fixture
def red_card(to_image: Callable):
    pictures = np.full((4, 48, 64, 3), (20, 30, 200), np.uint8)
    pictures[:3, 10:40, 20:50] = (230, 20, 10)
    return to_image(pictures)


def test_every_frame_gets_one_mask_also_without_a_subject(pack: SimpleNamespace, model, red_card) -> None:
    mask, report = pack.EscalierMatte.execute(film=red_card, model=model).args
    assert mask.shape == (4, 48, 64)
    assert (mask[:3, 12:38, 22:48] > 0.9).all()
    assert mask[3].max() < 0.01
    assert report.startswith("4 mattes; the network's 0.000 became 0")


def test_missing_file_names_the_folder(pack: SimpleNamespace, rembg_folder: Path) -> None:
    assert pack.EscalierLoadMatteModel.define_schema().inputs[0].options == ["u2net.onnx"]
    missing = pack.EscalierLoadMatteModel.validate_inputs(model="u2net.onnx")
    assert missing.startswith(f"u2net.onnx must lie in {rembg_folder}, got no such file; take")
    with pytest.raises(OSError, match=f"Load Matte Model: u2net.onnx must lie in {rembg_folder}"):
        pack.EscalierLoadMatteModel.execute(model="u2net.onnx", kind="auto")


def test_menu_offers_the_kinds_of_the_library(pack: SimpleNamespace) -> None:
    from escalier.mask import MATTE_KINDS

    assert pack.EscalierLoadMatteModel.define_schema().inputs[1].options == ["auto", *MATTE_KINDS]


@pytest.mark.parametrize(
    ("missing", "command"), [("onnxruntime", '"onnxruntime>=1.17"'), ("rembg.sessions", '"rembg>=2.0.57"')]
)
def test_missing_package_names_the_pip_command(
    pack: SimpleNamespace, rembg_folder: Path, monkeypatch: pytest.MonkeyPatch, missing: str, command: str
) -> None:
    write_tiny_onnx(rembg_folder / "u2net.onnx")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=f"^Load Matte Model: Mattes by rembg need .*-m pip install {command}$"):
        pack.EscalierLoadMatteModel.execute(model="u2net.onnx", kind="auto")


def test_package_that_ends_the_process_on_import_only_refuses(
    pack: SimpleNamespace, rembg_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """rembg calls sys.exit(1) while it is imported when it finds no backend."""
    pytest.importorskip("onnxruntime")
    (tmp_path / "hostile" / "rembg").mkdir(parents=True)
    (tmp_path / "hostile" / "rembg" / "__init__.py").write_text("import sys\nsys.exit(1)\n")
    for name in [name for name in sys.modules if name.split(".")[0] == "rembg"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path / "hostile"))
    write_tiny_onnx(rembg_folder / "u2net.onnx")
    with pytest.raises(ImportError, match=r"rembg, which fails to load \(SystemExit: 1\); run: .*pip install"):
        pack.EscalierLoadMatteModel.execute(model="u2net.onnx", kind="auto")


def test_web_page_in_the_folder_is_called_a_web_page(pack: SimpleNamespace, rembg_folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("rembg")
    (rembg_folder / "u2net.onnx").write_text("<!DOCTYPE html><html>Not Found</html>")
    with pytest.raises(ValueError, match=r"^Load Matte Model: u2net\.onnx must be .*got a web page"):
        pack.EscalierLoadMatteModel.execute(model="u2net.onnx", kind="auto")


def test_rgba_and_nan_pictures_are_refused(pack: SimpleNamespace, model, to_image: Callable) -> None:
    with pytest.raises(ValueError, match="Matte Film: film must be RGB, got RGBA"):
        pack.EscalierMatte.execute(film=to_image(np.zeros((1, 9, 9, 4), np.float32)), model=model)
    with pytest.raises(ValueError, match="Matte Film: film must hold finite numbers, got NaN"):
        pack.EscalierMatte.execute(film=to_image(np.full((1, 9, 9, 3), np.nan)), model=model)
