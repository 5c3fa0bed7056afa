"""The nodes of Segment Anything, in the real ComfyUI and under its memory manager."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_models.sam import write_tiny_sam

pytest.importorskip("segment_anything")

GRID = {"points_per_side": 4, "most_objects": 5, "least_score": 0.0, "least_stability": 0.0, "most_overlap": 0.9}


@pytest.fixture
def sams(comfyui: SimpleNamespace, pack: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """models/sams, empty."""
    folder = tmp_path / "sams"
    folder.mkdir()
    monkeypatch.setitem(comfyui.folder_paths.folder_names_and_paths, "sams", ([str(folder)], set()))
    return folder


@pytest.fixture
def sam(pack: SimpleNamespace, sams: Path):
    write_tiny_sam(sams / "tiny.pth")
    return pack.EscalierLoadSam.execute(model="tiny.pth").args[0]


@pytest.fixture
def embedding(pack: SimpleNamespace, sam, to_image: Callable, clip: np.ndarray):
    return pack.EscalierEmbedForSam.execute(sam=sam, film=to_image(clip), frame=0).args[0]


def segment(pack: SimpleNamespace, embedding, prompts: str, candidate: str = "best", object: int = 0) -> tuple:
    return pack.EscalierSegment.execute(
        embedding=embedding, prompts=prompts, candidate=candidate, object=object
    ).args  # fmt: skip


def test_click_gives_a_mask_its_candidates_and_their_scores(pack: SimpleNamespace, embedding) -> None:
    mask, objects, candidates, report = segment(pack, embedding, '{"positive": [[30, 20]]}')
    assert mask.shape == objects.shape == (1, 48, 64)
    assert candidates.shape == (3, 48, 64)
    chosen = re.fullmatch(r"object 1: candidate (\d), score -?0\.\d\d \(of (.+)\)", report)
    assert chosen and len(chosen[2].split(", ")) == 3
    assert (mask[0] == candidates[int(chosen[1]) - 1]).all()


def test_every_candidate_can_be_taken(pack: SimpleNamespace, embedding) -> None:
    for number in (1, 2, 3):
        mask, _, candidates, _ = segment(pack, embedding, '{"positive": [[30, 20]]}', str(number))
        assert (mask[0] == candidates[number - 1]).all()


def test_several_objects_are_joined_or_taken_one_by_one(pack: SimpleNamespace, embedding) -> None:
    both = '[{"positive": [[30, 20]]}, {"box": [0, 0, 20, 40]}]'
    mask, objects, candidates, report = segment(pack, embedding, both)
    assert objects.shape == (2, 48, 64)
    assert candidates.shape == (6, 48, 64)
    assert (mask[0] == objects.max(dim=0).values).all()
    assert report.count("\n") == 1
    second, *_ = segment(pack, embedding, both, object=2)
    assert (second[0] == objects[1]).all()


def test_moved_click_does_not_look_at_the_picture_again(
    pack: SimpleNamespace, embedding, sam, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sam.module.image_encoder, "forward", lambda *_: pytest.fail("the picture was looked at"))
    first, *_ = segment(pack, embedding, '{"positive": [[30, 20]]}')
    moved, *_ = segment(pack, embedding, '{"positive": [[10, 40]]}')
    assert (first != moved).any()


def test_chosen_frame_of_a_film_is_looked_at(pack: SimpleNamespace, sam, to_image: Callable, clip: np.ndarray) -> None:
    film = to_image(clip)
    from_film = pack.EscalierEmbedForSam.execute(sam=sam, film=film, frame=3).args[0]
    alone = pack.EscalierEmbedForSam.execute(sam=sam, film=film[3:4], frame=0).args[0]
    other = pack.EscalierEmbedForSam.execute(sam=sam, film=film, frame=0).args[0]
    assert (from_film.features == alone.features).all()
    assert (from_film.features != other.features).any()
    with pytest.raises(ValueError, match=r"Segment Anything Embedding: frame must be in 0\.\.5, got 6"):
        pack.EscalierEmbedForSam.execute(sam=sam, film=film, frame=6)


def test_model_is_loaded_and_unloaded_by_the_memory_manager(
    pack: SimpleNamespace, comfyui: SimpleNamespace, embedding, sam
) -> None:
    def managed() -> list:
        loaded = comfyui.model_management.current_loaded_models
        return [one for one in loaded if getattr(one.model.model, "module", None) is sam.module]

    assert len(managed()) == 1
    comfyui.model_management.unload_all_models()
    assert managed() == []
    segment(pack, embedding, '{"positive": [[30, 20]]}')
    assert len(managed()) == 1


def test_everything_gives_masks_a_map_and_a_report(pack: SimpleNamespace, embedding) -> None:
    masks, colours, report = pack.EscalierSegmentEverything.execute(embedding=embedding, **GRID).args
    assert masks.shape[1:] == (48, 64)
    assert colours.shape == (1, 48, 64, 3)
    assert re.fullmatch(rf"{len(masks)} objects, scores -?\d\.\d\d to -?\d\.\d\d", report)


def test_short_memory_is_reported(pack: SimpleNamespace, embedding, sam, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = sam.answer

    def with_room_for_three(features, points, *rest):
        if len(points[0]) > 3:
            raise MemoryError
        return answer(features, points, *rest)

    monkeypatch.setattr(sam, "answer", with_room_for_three)
    *_, report = pack.EscalierSegmentEverything.execute(embedding=embedding, **GRID).args
    assert report.endswith("the memory was short: only 2 points went through at once")


@pytest.mark.parametrize(
    ("prompts", "object", "message"),
    [
        ('{"positive": [[64, 20]]}', 0, "points must be inside the picture of 64x48, got x 64, y 20"),
        ('{"positive": [[30, 20]', 0, "prompts must be JSON, got"),
        ('{"positive": [[30, 20]]}', 2, r"object must be in 0\.\.1, got 2; the prompts describe 1 objects"),
    ],
    ids=["outside", "malformed", "no such object"],
)
def test_refusals_name_the_node(pack: SimpleNamespace, embedding, prompts: str, object: int, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Segment Anything: {message}"):
        segment(pack, embedding, prompts, object=object)


def test_rgba_and_nan_pictures_are_refused(pack: SimpleNamespace, sam, to_image: Callable, clip: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Segment Anything Embedding: film must be RGB, got RGBA \(4 channels\)"):
        pack.EscalierEmbedForSam.execute(sam=sam, film=to_image(np.zeros((1, 9, 9, 4), np.float32)), frame=0)
    with pytest.raises(ValueError, match="film must hold finite numbers, got NaN or infinity in picture 0"):
        pack.EscalierEmbedForSam.execute(sam=sam, film=to_image(np.full((1, 9, 9, 3), np.nan)), frame=0)


def test_web_page_in_the_folder_is_called_a_web_page(pack: SimpleNamespace, sams: Path) -> None:
    (sams / "sam_vit_b_01ec64.pth").write_text("<!DOCTYPE html><html>Not Found</html>")
    with pytest.raises(ValueError, match=r"^Load Segment Anything: sam_vit_b_01ec64\.pth must be .*got a web page"):
        pack.EscalierLoadSam.execute(model="sam_vit_b_01ec64.pth")


def test_menu_lists_the_folder_and_a_missing_file_names_it(pack: SimpleNamespace, sams: Path) -> None:
    def menu() -> list[str]:
        return pack.EscalierLoadSam.define_schema().inputs[0].options

    assert menu() == ["sam_vit_b_01ec64.pth"]
    missing = pack.EscalierLoadSam.validate_inputs(model="sam_vit_b_01ec64.pth")
    assert missing.startswith(f"sam_vit_b_01ec64.pth must lie in {sams}, got no such file; take")
    write_tiny_sam(sams / "mine.safetensors.pth")
    (sams / "readme.txt").write_text("licence")
    assert menu() == ["mine.safetensors.pth"]
    assert pack.EscalierLoadSam.validate_inputs(model="mine.safetensors.pth") is True


def test_another_file_under_the_same_name_is_loaded_anew(pack: SimpleNamespace, sams: Path) -> None:
    first = pack.EscalierLoadSam.fingerprint_inputs(model="tiny.pth")
    write_tiny_sam(sams / "tiny.pth")
    assert pack.EscalierLoadSam.fingerprint_inputs(model="tiny.pth") != first


def test_missing_package_names_the_pip_command(
    pack: SimpleNamespace, sams: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tiny_sam(sams / "tiny.pth")
    for name in ("segment_anything", "segment_anything.modeling"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'^Load Segment Anything: .*-m pip install "segment-anything>=1\.0"$'):
        pack.EscalierLoadSam.execute(model="tiny.pth")
