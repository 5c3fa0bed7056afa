"""Memory that runs out inside a node: the node's name, and what to lower."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from escalier.diffusion.control_maps import detectors

torch = pytest.importorskip("torch")


def test_control_map_says_what_to_lower(
    pack: SimpleNamespace, to_image: Any, clip: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setitem(detectors.DETECTORS, "hed", detectors.Detector(lambda *_: full, (), packaged=False))
    with pytest.raises(MemoryError, match=r"^Control Map: the memory must hold the detector of 'hed' .* lower the res"):
        pack.EscalierControlMap.execute(
            to_image(clip), kind="hed", resolution=64, canny_low=100, canny_high=200, mlsd_score=0.1,
            mlsd_distance=0.1, pose_parts="body",
        )  # fmt: skip
