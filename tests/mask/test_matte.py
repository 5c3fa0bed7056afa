"""Mattes by rembg: the raw output of a 157-byte network, one stretch for the whole clip, and no download ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models.onnx import write_tiny_onnx
from tiny_models.sam import write_tiny_sam

from escalier.film import ArrayFrames
from escalier.mask import matte_film, read_matte_model
from escalier.mask.matte import KINDS

RED, BLUE = (230, 20, 10), (20, 30, 200)


def clip(frames: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A red card moves over a blue ground and is gone in the last frame; and where it is."""
    pictures = np.full((frames, 90, 160, 3), BLUE, np.uint8)
    pictures[..., 2] += np.random.default_rng(0).integers(0, 9, pictures.shape[:3], np.uint8)
    there = np.zeros(pictures.shape[:3], bool)
    for i in range(frames - 1):
        there[i, 20:70, 30 + 10 * i : 90 + 10 * i] = True
    pictures[there] = RED
    return pictures, there


@pytest.fixture(scope="module")
def rembg() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("rembg")


@pytest.fixture
def model(tmp_path: Path, rembg: None):
    return read_matte_model(write_tiny_onnx(tmp_path / "u2net.onnx"))


def test_tiny_network_has_157_bytes(tmp_path: Path) -> None:
    assert write_tiny_onnx(tmp_path / "u2net.onnx").stat().st_size == 157


def test_subject_is_found_where_it_is(model) -> None:
    pictures, there = clip()
    mattes = matte_film(ArrayFrames(pictures), model)
    assert mattes.masks.shape == pictures.shape[:3]
    assert mattes.masks.dtype == np.float32
    assert ((mattes.masks > 0.5) == there).mean() > 0.995
    assert mattes.found
    assert str(mattes).startswith("3 mattes; the network's 0.000 became 0, its 1.000 became 1")


def test_frame_without_subject_stays_black(model) -> None:
    pictures, _ = clip()
    assert matte_film(ArrayFrames(pictures), model).masks[-1].max() < 0.01


def test_clip_without_subject_is_not_stretched(model) -> None:
    pictures, _ = clip()
    mattes = matte_film(ArrayFrames(pictures[-1:]), model)
    assert not mattes.found
    assert mattes.masks.max() < 0.01
    assert str(mattes).startswith("no subject found in 1 frames: the network is nowhere surer than 0.0")


def test_weak_network_is_stretched_once_for_the_whole_clip(tmp_path: Path, rembg: None) -> None:
    weak = read_matte_model(write_tiny_onnx(tmp_path / "u2net.onnx", weights=(0.3, 0.0, -0.3)))
    pictures, _ = clip()
    mattes = matte_film(ArrayFrames(pictures), weak)
    raw = np.stack([weak.raw(picture) for picture in pictures])
    assert (mattes.lowest, mattes.highest) == (pytest.approx(raw.min()), pytest.approx(raw.max()))
    # Not quite 0 and 1: the resized picture rings a little beside the card.
    assert mattes.masks.min() == pytest.approx(0, abs=0.1)
    assert mattes.masks.max() == pytest.approx(1, abs=0.1)
    # The same pixel, in frames with and without subject beside it, gets the same value: nothing is set per frame.
    still = mattes.masks[:, 80:, :20].mean(axis=(1, 2))
    assert np.ptp(still) < 0.02


def test_darker_frame_is_not_brightened_to_its_own_maximum(model) -> None:
    pictures, _ = clip()
    dark = pictures[0] // 4
    assert model.raw(dark).max() < model.raw(pictures[0]).max() - 0.02


def test_float_pictures_give_the_same_matte(model) -> None:
    pictures, _ = clip()
    floats = pictures[0].astype(np.float32) / np.float32(255)
    assert np.abs(model.raw(floats) - model.raw(pictures[0])).max() < 1e-5


def test_raw_output_is_the_networks_own(model) -> None:
    picture = np.full((50, 40, 3), (100, 150, 120), np.uint8)
    mean, std = np.array((0.485, 0.456, 0.406)), np.array((0.229, 0.224, 0.225))
    red, _, blue = (np.array((100, 150, 120)) / 255 - mean) / std
    assert model.raw(picture).shape == (320, 320)
    assert model.raw(picture) == pytest.approx(1 / (1 + np.exp(-4 * (red - blue))), abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("u2net_human_seg.onnx", 0.485),
        ("silueta.onnx", 0.485),
        ("isnet-general-use.onnx", 0.5),
        ("isnet-anime.onnx", 0.485),
        ("BiRefNet-general-epoch_244.onnx", 0.485),
        ("bria-rmbg-2.0.onnx", 0.485),
        ("BEN2_Base.onnx", 0.5),
    ],
)
def test_family_is_read_from_the_published_names(tmp_path: Path, rembg: None, name: str, mean: float) -> None:
    network = read_matte_model(write_tiny_onnx(tmp_path / name, side_px=1024, weights=(1, 1, 1), bias=-1e4))
    grey = network.raw(np.full((8, 8, 3), 128, np.uint8))
    # sigmoid(-10000) is 0; a second sigmoid after it would make that a half.
    assert grey.shape == (1024, 1024)
    assert grey == pytest.approx(0)
    assert network._mean[0] == pytest.approx(mean)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_menu_loads_any_file(tmp_path: Path, rembg: None, kind: str) -> None:
    network = read_matte_model(write_tiny_onnx(tmp_path / "mine.onnx"), kind)
    assert np.isfinite(network.raw(np.zeros((8, 8, 3), np.uint8))).all()


def test_nothing_is_downloaded(tmp_path: Path, rembg: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pooch = pytest.importorskip("pooch")
    monkeypatch.setattr(pooch, "retrieve", lambda *_, **__: pytest.fail("a download was started"))
    read_matte_model(write_tiny_onnx(tmp_path / "u2net.onnx"))
    with pytest.raises(FileNotFoundError, match=r"u2netp\.onnx must lie in .*, got no such file; put it there"):
        read_matte_model(tmp_path / "u2netp.onnx")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html>404</html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "a pointer of Git LFS"),
        (b"", "an empty file"),
        (b"\x08\n:\x92\x01\n\x12", "a file that onnxruntime cannot read"),
    ],
    ids=["web page", "LFS", "empty", "truncated"],
)
def test_file_that_is_no_network_says_what_it_is(tmp_path: Path, rembg: None, content: bytes, kind: str) -> None:
    (tmp_path / "u2net.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=f"u2net.onnx must be a background-removal network in ONNX, got {kind}"):
        read_matte_model(tmp_path / "u2net.onnx")


def test_model_of_another_kind_of_file_is_refused(tmp_path: Path, rembg: None) -> None:
    with pytest.raises(ValueError, match="got a file that onnxruntime cannot read"):
        read_matte_model(write_tiny_sam(tmp_path / "u2net.onnx"))


def test_name_that_tells_no_family_asks_for_the_kind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the name of mine\.onnx must tell the network's family .*choose the kind"):
        read_matte_model(write_tiny_onnx(tmp_path / "mine.onnx"))
    with pytest.raises(ValueError, match=r"kind must be auto or u2net or .*, got atlascloud; choose one"):
        read_matte_model(write_tiny_onnx(tmp_path / "mine.onnx"), "atlascloud")


@pytest.mark.parametrize(
    ("missing", "command"),
    [("onnxruntime", 'pip install "onnxruntime>=1.17"'), ("rembg", 'pip install "rembg>=2.0.57"')],
)
def test_missing_package_names_the_command_and_ends_nothing(tmp_path: Path, missing: str, command: str) -> None:
    # In a process of its own, where import rembg would call sys.exit.
    path = write_tiny_onnx(tmp_path / "u2net.onnx")
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from escalier.mask.matte import read_matte_model\n"
        f"try: read_matte_model({str(path)!r})\n"
        "except ImportError as error: print(error)\n"
        "print('alive')"
    )
    outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stderr
    assert command in outcome.stdout
    assert outcome.stdout.endswith("alive\n")


def test_progress_counts_frames_and_can_stop(model) -> None:
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        matte_film(ArrayFrames(clip()[0]), model, progress=stop)
    assert seen == [(1, 3), (2, 3)]
