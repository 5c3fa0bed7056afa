"""The nodes around grid diffusion: control maps, segmentation, colour lock, anchor cells."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_models import detectors, segformer

from escalier.film import Size
from escalier.keyframes import Sheet, plan_grid

DIALS = {
    "resolution": 64, "canny_low": 100, "canny_high": 200, "mlsd_score": 0.1, "mlsd_distance": 0.1,
    "pose_parts": "body",
}  # fmt: skip


@pytest.fixture
def models(comfyui: SimpleNamespace, pack: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty model folders that only this test sees."""
    for kind in ("controlnet_aux", "segmentation"):
        paths = {**comfyui.folder_paths.folder_names_and_paths, kind: ([str(tmp_path / kind)], set())}
        monkeypatch.setattr(comfyui.folder_paths, "folder_names_and_paths", paths)
        (tmp_path / kind).mkdir()
    return tmp_path


@pytest.fixture
def plan_and_sheets(to_image: Callable):
    plan = plan_grid(range(0, 90, 10), Size(60, 50), 90, Sheet(max_side=128, per_sheet=4, fit="pad", anchors="first"))
    width, height = plan.sheet_size
    blocks = np.random.default_rng(0).random((len(plan.sheets), height // 16, width // 16, 3), np.float32) * 0.8
    cells = np.repeat(np.repeat(blocks, 16, axis=1), 16, axis=2)
    cells[1:, :64, :64] = cells[0, :64, :64] * 0.9 + 0.05
    return plan, to_image(cells)


def test_canny_needs_no_file_and_keeps_the_size(pack: SimpleNamespace, models: Path, to_image, clip) -> None:
    (maps,) = pack.EscalierControlMap.execute(to_image(clip), kind="canny", **DIALS).args
    assert maps.shape == clip.shape
    assert str(maps.dtype) == "torch.float32"


def test_weights_are_found_in_a_subfolder_of_the_models_folder(
    pack: SimpleNamespace, models: Path, to_image, clip
) -> None:
    with pytest.raises(OSError, match=r"^Control Map: 'pidinet' needs the file table5_pidinet.pth.*controlnet_aux"):
        pack.EscalierControlMap.execute(to_image(clip), kind="pidinet", **DIALS)
    detectors.write_weights("pidinet", models / "controlnet_aux" / "lllyasviel" / "Annotators")
    (maps,) = pack.EscalierControlMap.execute(to_image(clip), kind="pidinet", **DIALS).args
    assert maps.shape == clip.shape


def test_missing_packages_are_named_with_their_command(
    pack: SimpleNamespace, models: Path, to_image, clip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "controlnet_aux", None)
    with pytest.raises(ImportError, match=r'^Control Map: .*-m pip install "controlnet-aux>=0.0.9"'):
        pack.EscalierControlMap.execute(to_image(clip), kind="hed", **DIALS)
    segformer.write_segformer(models / "segmentation" / "tiny")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r'^Segmentation Map: .*-m pip install "transformers>=4.50.3"'):
        pack.EscalierSegmentationMap.execute(to_image(clip), folder="tiny", resolution=64)


def test_segmentation_reads_a_local_folder_and_reports(pack: SimpleNamespace, models: Path, to_image, clip) -> None:
    assert "put it" not in str(pack.EscalierSegmentationMap.validate_inputs("tiny"))
    segformer.write_segformer(models / "segmentation" / "tiny")
    assert pack.EscalierSegmentationMap.validate_inputs("tiny") is True
    maps, report = pack.EscalierSegmentationMap.execute(to_image(clip), folder="tiny", resolution=64).args
    assert maps.shape == clip.shape
    assert "%" in report


def test_colour_lock_takes_the_drift_back_and_reports(pack: SimpleNamespace, plan_and_sheets) -> None:
    plan, sheets = plan_and_sheets
    locked, report = pack.EscalierGridColourLock.execute(plan, sheets, 1, 1.0, 0.001).args
    assert (locked[0] == sheets[0]).all()
    assert float((locked[1, :64, :64] - sheets[0, :64, :64]).abs().max()) < 0.02
    assert report.count("sheet ") >= len(plan.sheets)
    with pytest.raises(
        ValueError, match=rf"^Lock Grid Colours: reference must be one of the plan's {len(plan.sheets)}"
    ):
        pack.EscalierGridColourLock.execute(plan, sheets, 99, 1.0, 0.001)


def test_accepted_cells_are_masked_and_come_back(pack: SimpleNamespace, plan_and_sheets) -> None:
    plan, sheets = plan_and_sheets
    accepted = sheets[:1] * 0.5
    todo, mask = pack.EscalierLockAnchorCells.execute(plan, sheets, accepted, 0).args
    assert len(todo) == len(mask) == len(plan.sheets) - 1
    assert (todo[:, :64, :64] == accepted[0, :64, :64]).all()
    assert (mask[:, :64, :64] == 0).all()
    assert (mask[:, 64:] == 1).all()
    (joined,) = pack.EscalierPasteAnchorCells.execute(plan, accepted, todo * 0.9).args
    assert len(joined) == len(plan.sheets)
    assert (joined[:, :64, :64] == accepted[0, :64, :64]).all()
