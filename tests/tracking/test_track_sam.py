"""Segment Anything as the model that improves a carried mask: the tiny random one, and one that echoes its prompt."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Motion, Size
from escalier.sam import Candidates, Prompts, SamModel, SamRefine, read_sam
from escalier.sam.refine import prompts_of
from escalier.sam.segment import input_size
from escalier.tracking import track_masks

WIDTH, HEIGHT = 120, 80


class Echo:
    """Stands in for a SamModel: its second candidate is the prompt's logits, brought back to the picture's size."""

    side_px = 256
    logits_shape = (64, 64)

    def __init__(self) -> None:
        self.embedded: list[int] = []
        self.prompts: list[Prompts] = []

    def embed(self, picture: np.ndarray):
        self.embedded.append(int(picture[0, 0, 0]))
        model = self

        class Embedding:
            size = Size.of(picture)
            input_size = input_size(Size.of(picture), model.side_px)

        return Embedding()

    def predict(self, embedding, prompts: Prompts, *, logits: np.ndarray) -> Candidates:
        self.prompts.append(prompts)
        assert logits.shape == self.logits_shape
        square = cv2.resize(logits, (self.side_px, self.side_px), interpolation=cv2.INTER_LINEAR)
        seen = square[: embedding.input_size.height, : embedding.input_size.width]
        mask = 1 / (1 + np.exp(-cv2.resize(seen, embedding.size, interpolation=cv2.INTER_LINEAR)))
        return Candidates(np.stack([1 - mask, mask, 0 * mask]), np.float32([0.9, 0.1, 0.5]), np.stack([logits] * 3))


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, (70, 40), (18, 28), 20, 0, 360, 1, -1)
    return mask


@pytest.fixture
def film(mask: np.ndarray) -> ArrayFrames:
    noise = np.random.default_rng(0).integers(0, 200, (HEIGHT, WIDTH, 3), np.uint8)
    picture = np.where(mask[..., None] > 0, np.uint8((230, 120, 40)), cv2.GaussianBlur(noise, (0, 0), 3))
    frames = np.stack([picture] * 4)
    frames[:, 0, 0, 0] = np.arange(4)
    return ArrayFrames(frames)


def test_prompt_lies_where_the_subject_is(mask: np.ndarray) -> None:
    echo = Echo()
    answer = SamRefine(echo)(0, np.zeros((HEIGHT, WIDTH, 3), np.uint8), mask)
    found = answer > 0.5
    assert (found & (mask > 0)).sum() / (found | (mask > 0)).sum() > 0.95
    (prompt,) = echo.prompts
    left, top, right, bottom = prompt.boxes[0]
    rows, columns = np.nonzero(mask)
    assert (left, top, right, bottom) == (columns.min(), rows.min(), columns.max(), rows.max())
    on = [mask[int(y), int(x)] for x, y in prompt.points]
    assert on == prompt.labels.tolist() == [1, 0]


def test_every_frame_is_looked_at_once_and_the_model_is_believed(film: ArrayFrames, mask: np.ndarray, tmp_path) -> None:
    echo = Echo()
    tracked = track_masks(film, {0: mask, 3: mask}, motion=Motion(film, tmp_path), refine=SamRefine(echo))
    assert sorted(echo.embedded) == [1, 2]
    assert (np.abs(tracked.masks - mask) < 0.5).mean() > 0.99


def test_an_empty_mask_asks_nothing(mask: np.ndarray) -> None:
    echo = Echo()
    empty = np.zeros_like(mask)
    assert SamRefine(echo)(0, np.zeros((HEIGHT, WIDTH, 3), np.uint8), empty) is empty
    assert echo.embedded == []


def test_the_real_network_runs_and_a_random_one_does_no_harm(
    film: ArrayFrames, mask: np.ndarray, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("segment_anything")
    from tiny_models.sam import write_tiny_sam

    name, module = read_sam(write_tiny_sam(tmp_path / "tiny.pth"))
    tracked = track_masks(film, {0: mask}, motion=Motion(film, tmp_path), refine=SamRefine(SamModel(module, name)))
    overlap = [((one > 0.5) & (mask > 0)).sum() / ((one > 0.5) | (mask > 0)).sum() for one in tracked.masks]
    assert min(overlap) > 0.9


def test_a_mask_of_one_row_is_described_without_a_box() -> None:
    mask = np.zeros((20, 30), np.float32)
    mask[7, 12:18] = 1
    prompts = prompts_of(mask)
    assert prompts.boxes is None and (prompts.points[0][1] == 7)
