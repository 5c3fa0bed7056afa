"""A trained IS-Net through the pack, against rembg's own session on the same file and pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trained_models import trained_isnet

from escalier.film import ArrayFrames, Size, make_clip
from escalier.mask import matte_film, read_matte_model

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("rembg")

LEAST_OVERLAP = 0.99


@pytest.fixture(scope="module")
def isnet() -> Path:
    return trained_isnet()


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """Two frames of a person made with code, uint8."""
    clip = make_clip(Size(480, 270), length=16)
    return np.stack([clip.frame(index) for index in (2, 13)])


def by_rembg(path: Path, pictures: np.ndarray) -> np.ndarray:
    """Masks as rembg's own session for IS-Net makes them, float32 0..1."""
    from PIL import Image
    from rembg.sessions.dis_custom import DisCustomSession

    class Session(DisCustomSession):
        @classmethod
        def download_models(cls, *_, **__) -> str:
            return str(path)

    session = Session("dis_custom", onnxruntime.SessionOptions(), model_path=str(path))
    masks = [session.predict(Image.fromarray(picture))[0] for picture in pictures]
    return np.stack([np.asarray(mask, np.float32) / 255 for mask in masks])


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    return float((first & second).sum() / (first | second).sum())


@pytest.mark.slow
def test_trained_isnet_is_known_and_cuts_out_as_rembg_does(isnet: Path, pictures: np.ndarray) -> None:
    model = read_matte_model(isnet)
    assert (model.kind, model.size) == ("isnet", (1024, 1024))
    mattes = matte_film(ArrayFrames(pictures), model)
    assert mattes.found
    theirs = by_rembg(isnet, pictures)
    for ours, mask in zip(mattes.masks, theirs, strict=True):
        assert 0.01 < (mask > 0.5).mean() < 0.6, "rembg must see a subject, or nothing is compared"
        assert overlap(ours > 0.5, mask > 0.5) >= LEAST_OVERLAP
        assert np.abs(ours - mask).mean() < 0.01


def test_trained_isnet_under_a_kind_of_another_plan_is_refused(isnet: Path) -> None:
    for kind in ("u2net", "birefnet", "ben"):
        with pytest.raises(ValueError, match=f"whose graph is that of IS-Net, got {kind}; take auto"):
            read_matte_model(isnet, kind)
    # RMBG-1.4 is an IS-Net: under its kind the picture is prepared as IS-Net's own.
    assert read_matte_model(isnet, "bria")._mean.tolist() == [0.5, 0.5, 0.5]
