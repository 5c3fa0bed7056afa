"""The automatic mode, with a model that knows three discs and answers every point as Segment Anything would."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from tiny_models.sam import LOGITS_PX, SIDE_PX, build_tiny_sam

from escalier.film import Size
from escalier.sam import SamEmbedding, SamModel, read_sam, segment_everything
from escalier.sam.segment import input_size

torch = pytest.importorskip("torch")
pytest.importorskip("segment_anything")

SIZE = Size(200, 120)
DISCS = ((40, 60, 30), (110, 40, 20), (170, 90, 12))  # x, y, radius in pixels of the picture


class ModelOfDiscs(SamModel):
    """Answers with the disc under the point, a copy of it one pixel larger, and something unsure; decoder apart, real.

    `room` is how many points fit into its memory.
    """

    def __init__(self, room: int = 10**6) -> None:
        super().__init__(build_tiny_sam())
        self.room = room

    def answer(self, features, points, boxes=None, logits=None):
        places = points[0][:, 0]
        if len(places) > self.room:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        scale = SIZE.width / SIDE_PX
        y, x = torch.meshgrid(*[(torch.arange(LOGITS_PX) + 0.5) * 4 * scale] * 2, indexing="ij")
        answers = torch.full((len(places), 3, LOGITS_PX, LOGITS_PX), -30.0)
        scores = torch.zeros(len(places), 3)
        for i, (px, py) in enumerate((places * scale).tolist()):
            answers[i, 2] = torch.rand(LOGITS_PX, LOGITS_PX) - 0.5
            scores[i, 2] = 0.99
            for number, (cx, cy, radius) in enumerate(DISCS):
                if (px - cx) ** 2 + (py - cy) ** 2 < radius**2:
                    distance = radius - ((x - cx) ** 2 + (y - cy) ** 2).sqrt()
                    answers[i, 0], answers[i, 1] = 12 * distance, 12 * (distance + 1)
                    scores[i] = torch.tensor([0.97 - 0.01 * number, 0.93, 0.99])
        return answers, scores


def look(model: SamModel) -> SamEmbedding:
    return SamEmbedding(torch.zeros(1, 32, 16, 16), SIZE, input_size(SIZE, SIDE_PX), model)


def truth(disc: tuple[int, int, int]) -> np.ndarray:
    y, x = np.mgrid[: SIZE.height, : SIZE.width] + 0.5
    return (x - disc[0]) ** 2 + (y - disc[1]) ** 2 < disc[2] ** 2


def test_each_object_is_found_once_at_its_place_the_largest_first() -> None:
    found = segment_everything(look(ModelOfDiscs()), points_per_side=16)
    assert len(found.masks) == len(DISCS)
    assert found.scores == pytest.approx([0.97, 0.96, 0.95])
    for mask, disc in zip(found.masks, DISCS, strict=True):
        there = truth(disc)
        shared = ((mask > 0.5) & there).sum() / ((mask > 0.5) | there).sum()
        assert shared > 0.94


def test_masks_stay_soft() -> None:
    found = segment_everything(look(ModelOfDiscs()), points_per_side=16)
    assert found.masks.dtype == np.float32
    assert ((found.masks > 0.02) & (found.masks < 0.98)).sum() > 50


def test_map_shows_each_object_in_its_own_colour() -> None:
    colours = segment_everything(look(ModelOfDiscs()), points_per_side=16).map()
    centres = [colours[y, x].astype(int) for x, y, _ in DISCS]
    assert (colours[2, 2] == 0).all()
    assert min(np.abs(a - b).max() for i, a in enumerate(centres) for b in centres[:i]) > 64


def test_stricter_dials_leave_out_what_is_unsure() -> None:
    assert len(segment_everything(look(ModelOfDiscs()), points_per_side=16, least_score=0.955).masks) == 2
    assert len(segment_everything(look(ModelOfDiscs()), points_per_side=16, most_objects=1).masks) == 1
    both = segment_everything(look(ModelOfDiscs()), points_per_side=16, most_overlap=0.98)
    assert len(both.masks) == 6  # each disc, and its larger copy


def test_short_memory_halves_the_points_and_finds_the_same(caplog: pytest.LogCaptureFixture) -> None:
    plenty = segment_everything(look(ModelOfDiscs()), points_per_side=8)
    with caplog.at_level(logging.WARNING, "escalier"):
        short = segment_everything(look(ModelOfDiscs(room=9)), points_per_side=8)
    assert (plenty.points_at_once, short.points_at_once) == (64, 8)
    assert (plenty.masks == short.masks).all()
    assert [record.getMessage() for record in caplog.records] == [
        f"Segment Anything: {n} points at once were too many for the memory; going on with {n // 2}"
        for n in (64, 32, 16)
    ]


def test_no_room_for_a_single_point_is_said() -> None:
    with pytest.raises(MemoryError, match="must hold one point at a time, but it is full; close other programs"):
        segment_everything(look(ModelOfDiscs(room=0)), points_per_side=2)


def test_other_errors_are_not_taken_for_short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModelOfDiscs()

    def fail(*_: object) -> None:
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(model, "answer", fail)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        segment_everything(look(model))


def test_picture_without_objects_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"at least one object must have a score of 0\.98 .*got none; lower one"):
        segment_everything(look(ModelOfDiscs()), points_per_side=8, least_score=0.98)


def test_progress_counts_the_points_and_can_stop() -> None:
    seen: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        seen.append((done, total))
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        segment_everything(look(ModelOfDiscs()), points_per_side=8, points_at_once=10, progress=stop)
    assert seen == [(10, 64), (20, 64)]


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ({"points_per_side": 0}, "points_per_side must be at least 1, got 0"),
        ({"points_at_once": 0}, "points_at_once must be at least 1, got 0"),
        ({"most_objects": 0}, "most_objects must be at least 1, got 0"),
        ({"least_score": 1.5}, r"least_score must be in 0\.\.1, got 1\.5"),
        ({"most_overlap": float("nan")}, "most_overlap must be a finite number, got nan"),
    ],
    ids=str,
)
def test_dials_out_of_range_are_refused(dials: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        segment_everything(look(ModelOfDiscs()), **dials)


def test_real_decoder_runs_on_the_grid(tmp_path: Path) -> None:
    torch.save(build_tiny_sam().state_dict(), tmp_path / "sam.pth")
    model = SamModel(read_sam(tmp_path / "sam.pth")[1])
    picture = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    found = segment_everything(model.embed(picture), points_per_side=4, least_score=0, least_stability=0)
    assert found.masks.shape[1:] == (60, 100)
    assert np.isfinite(found.masks).all()
