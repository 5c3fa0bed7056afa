"""The nodes that make masks over time, at work in the real ComfyUI."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

FRAMES, HEIGHT, WIDTH = 5, 72, 96


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    """An orange patch that moves three pixels a frame over a room: pictures and mattes."""
    noise = np.random.default_rng(0).integers(60, 140, (HEIGHT, WIDTH, 3), np.uint8)
    room = cv2.GaussianBlur(noise, (0, 0), 2)
    mattes = np.zeros((FRAMES, HEIGHT, WIDTH), np.float32)
    for i, matte in enumerate(mattes):
        cv2.ellipse(matte, (32 + 3 * i, 36), (14, 22), 0, 0, 360, 1, -1)
    pictures = np.where(mattes[..., None] > 0, np.uint8((230, 120, 40)), room)
    return pictures, mattes


@pytest.fixture
def film(to_image: Callable, scene: tuple[np.ndarray, np.ndarray]):
    return to_image(scene[0])


def as_mask(masks: np.ndarray):
    import torch

    return torch.from_numpy(np.ascontiguousarray(masks))


def overlap(masks, truth: np.ndarray) -> float:
    found, true = np.asarray(masks) > 0.5, truth > 0.5
    return float(((found & true).sum(axis=(1, 2)) / (found | true).sum(axis=(1, 2))).min())


def test_mask_is_carried_from_both_ends(pack: SimpleNamespace, fresh_folders: object, film, scene) -> None:
    _, mattes = scene
    mask, report = pack.EscalierTrackMask.execute(
        film=film, mask=as_mask(mattes[[0, 4]]), frames="0, 4", fade="smoothstep"
    ).args
    assert tuple(mask.shape) == (FRAMES, HEIGHT, WIDTH)
    assert overlap(mask, mattes) > 0.85
    assert np.array_equal(mask[4], mattes[4])
    assert "least sure at frame" in report
    assert len(report.splitlines()[-1].partition(": ")[2].split()) == FRAMES


def test_connected_motion_is_used(pack: SimpleNamespace, fresh_folders: object, film, scene) -> None:
    (motion,) = pack.EscalierMotion.execute(film=film, preset="medium").args
    asked = []
    flow = motion.flow
    motion.flow = lambda *at: (asked.append(at), flow(*at))[1]
    pack.EscalierTrackMask.execute(film=film, mask=as_mask(scene[1][:1]), frames="0", fade="linear", motion=motion)
    assert asked


def test_connected_model_is_asked(pack: SimpleNamespace, fresh_folders: object, film, scene, tmp_path: Path) -> None:
    pytest.importorskip("segment_anything")
    from tiny_models.sam import write_tiny_sam

    from escalier.sam import SamModel, read_sam

    name, module = read_sam(write_tiny_sam(tmp_path / "tiny.pth"))
    asked = []
    sam = SamModel(module, name, before_use=lambda: asked.append(True))
    mask, _ = pack.EscalierTrackMask.execute(
        film=film, mask=as_mask(scene[1][2:3]), frames="2", fade="smoothstep", sam=sam
    ).args
    assert asked
    assert overlap(mask, scene[1]) > 0.8


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ("0", "Track Mask: mask must hold one mask for each of the 1 frames named"),
        ("0, 9", r"Track Mask: .*0\.\.4"),
        ("first, last", "Track Mask: indices must be whole frame numbers"),
    ],
)
def test_frames_that_do_not_fit_are_refused(
    pack: SimpleNamespace, fresh_folders: object, film, scene, frames: str, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        pack.EscalierTrackMask.execute(film=film, mask=as_mask(scene[1][[0, 4]]), frames=frames, fade="smoothstep")


def test_mask_of_another_size_is_refused_by_name(pack: SimpleNamespace, fresh_folders: object, film, scene) -> None:
    with pytest.raises(ValueError, match="Track Mask: mask must be a single channel of 96x72, got 94x72"):
        pack.EscalierTrackMask.execute(film=film, mask=as_mask(scene[1][:1, :, 2:]), frames="0", fade="smoothstep")


@pytest.fixture
def sam2_folder(comfyui: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setitem(comfyui.folder_paths.folder_names_and_paths, "sam2", ([str(tmp_path)], set()))
    return tmp_path


def test_sam2_tracks_from_a_folder_in_models(pack: SimpleNamespace, sam2_folder: Path, film, scene) -> None:
    pytest.importorskip("transformers", minversion="4.56")
    from tiny_models.sam2_video import write_tiny_sam2_video

    write_tiny_sam2_video(sam2_folder / "tiny")
    node = pack.EscalierTrackMaskSam2
    assert next(i for i in node.GET_SCHEMA().inputs if i.id == "model").options == ["tiny"]
    assert node.validate_inputs(model="tiny") is True
    before = node.fingerprint_inputs(model="tiny")
    mask, report = node.execute(film=film, mask=as_mask(scene[1][:1]), frames="0", model="tiny", fade="smoothstep").args
    assert tuple(mask.shape) == (FRAMES, HEIGHT, WIDTH)
    assert np.array_equal(mask[0], scene[1][0])
    assert "confidence" in report
    (sam2_folder / "tiny" / "config.json").touch()
    assert node.fingerprint_inputs(model="tiny") != before


def test_a_hole_in_one_mask_of_sam2_or_sam3_is_mended_by_its_neighbours(
    pack: SimpleNamespace, fresh_folders: object, sam2_folder: Path, film, scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", minversion="4.56")
    from tiny_models.sam2_video import write_tiny_sam2_video

    from escalier.tracking import Sam2Video, TrackedMasks

    write_tiny_sam2_video(sam2_folder / "tiny")
    torn = scene[1].copy()
    torn[2, 28:44, 32:44] = 0
    answer = TrackedMasks(torn, np.ones(FRAMES, np.float32))
    monkeypatch.setattr(Sam2Video, "track", lambda *_, **__: answer)
    packed = np.packbits(torn[:, None].astype(np.uint8), axis=-1, bitorder="little")
    track = {"packed_masks": packed, "orig_size": (HEIGHT, WIDTH), "scores": [0.9]}
    by_sam2, _ = pack.EscalierTrackMaskSam2.execute(
        film=film, mask=as_mask(scene[1][:1]), frames="0", model="tiny", fade="smoothstep"
    ).args
    by_sam3, _ = pack.EscalierMaskFromSam3Track.execute(track_data=track, objects="", film=film).args
    for mended in (by_sam2, by_sam3):
        assert np.asarray(mended)[2, 30:42, 34:42].min() > 0.9
        assert np.array_equal(mended[0], torn[0])
    as_given, _ = pack.EscalierMaskFromSam3Track.execute(track_data=track, objects="").args
    assert np.array_equal(as_given, torn)


def test_motion_without_its_film_is_refused_by_the_sam3_node(pack: SimpleNamespace, fresh_folders, film) -> None:
    (motion,) = pack.EscalierMotion.execute(film=film, preset="medium").args
    track = {"packed_masks": None, "orig_size": (HEIGHT, WIDTH), "n_frames": FRAMES}
    with pytest.raises(ValueError, match="Mask from SAM3 Track: film must be connected where the motion is, got none"):
        pack.EscalierMaskFromSam3Track.execute(track_data=track, objects="", motion=motion)


def test_sam2_says_which_folder_is_missing(pack: SimpleNamespace, sam2_folder: Path) -> None:
    answer = pack.EscalierTrackMaskSam2.validate_inputs(model="sam2.1-hiera-small")
    assert str(sam2_folder) in answer
    assert "facebook/sam2.1-hiera-small" in answer


def test_sam3_track_becomes_masks(pack: SimpleNamespace, comfyui: SimpleNamespace, scene) -> None:
    """Packed by ComfyUI's own code."""
    pytest.importorskip("torch")
    tracker = pytest.importorskip("comfy.ldm.sam3.tracker")
    _, mattes = scene
    objects = np.stack([mattes, mattes[:, ::-1, ::-1]], axis=1)
    track = {"packed_masks": tracker.pack_masks(as_mask(objects)), "orig_size": (HEIGHT, WIDTH), "scores": [0.9, 0.7]}
    node = pack.EscalierMaskFromSam3Track
    mask, report = node.execute(track_data=track, objects="0").args
    assert np.array_equal(mask, mattes)
    assert "confidence 0.90" in report
    both, _ = node.execute(track_data=track, objects="").args
    assert np.array_equal(both, objects.max(axis=1))
    assert track["packed_masks"].shape[-1] == WIDTH // 8
    with pytest.raises(ValueError, match=r"Mask from SAM3 Track: objects must be in 0\.\.1, got 5"):
        node.execute(track_data=track, objects="5")
    with pytest.raises(ValueError, match="Mask from SAM3 Track: objects must be whole numbers"):
        node.execute(track_data=track, objects="one")


def test_sam3_socket_is_comfyuis_own(pack: SimpleNamespace, comfyui: SimpleNamespace) -> None:
    nodes_sam3 = pytest.importorskip("comfy_extras.nodes_sam3")
    ours = next(i for i in pack.EscalierMaskFromSam3Track.GET_SCHEMA().inputs if i.id == "track_data")
    assert ours.get_io_type() == nodes_sam3.SAM3TrackData.io_type
