"""Poisson blending of a clip: order, memory, progress, and no seam in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from escalier.composite import Blending, Machine, poisson, poisson_blend, poisson_blend_film
from escalier.composite.blend_job import Job
from escalier.composite.poisson_cpu import ProcessorEngine
from escalier.composite.poisson_torch import TorchEngine
from escalier.film import ArrayFrames, Size
from escalier.mask import Steadying, shape_edges

Pair = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


@pytest.fixture(scope="module")
def clip(dancer_mask: np.ndarray, picture_pair: Pair) -> tuple[ArrayFrames, ArrayFrames, np.ndarray]:
    source, target = picture_pair(*dancer_mask.shape)
    moved = [np.roll(dancer_mask, 4 * i, axis=1) for i in range(5)]
    moved[2] = np.zeros_like(dancer_mask)  # the dancer has left for a moment
    sources = np.stack([np.roll(source, 4 * i, axis=1) for i in range(5)])
    return ArrayFrames(sources), ArrayFrames(np.stack([target] * 5)), np.stack(moved)


@pytest.mark.parametrize("threads", [1, 3])
def test_batch_equals_singles_to_the_bit_on_any_number_of_threads(clip: Any, threads: int) -> None:
    source, target, masks = clip
    frames = list(poisson_blend_film(source, target, masks, machine=Machine(backend="cpu", threads=threads)))
    for i, frame in enumerate(frames):
        assert (frame == poisson_blend(source.frame(i), target.frame(i), masks[i])).all()


def test_torch_batch_equals_singles(clip: Any) -> None:
    source, target, masks = clip
    jobs = [Job(source.frame(i), target.frame(i), masks[i]) for i in (0, 1, 3, 4)]
    together = TorchEngine(Blending(gradients="mixed"), "cpu").blend(jobs)
    for job, frame in zip(jobs, together, strict=True):
        alone = poisson_blend(*job, blending=Blending(gradients="mixed"), machine=Machine("torch", "cpu"))
        assert np.abs(frame - alone).max() < 0.02 / 255
        assert (frame[~job.mask] == job.target[~job.mask]).all()


def test_one_mask_and_one_picture_stand_for_the_whole_film(clip: Any) -> None:
    source, target, masks = clip
    still = ArrayFrames(target.frame(0)[None])
    frames = list(poisson_blend_film(source, still, masks[:1], machine=Machine("cpu")))
    assert len(frames) == 5
    assert (frames[3] == poisson_blend(source.frame(3), target.frame(0), masks[0])).all()


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ((5, 4, 5), "target must have 1 or 5 frames, got 4"),
        ((2, 5, 5), "source must have 1 or 5 frames, got 2"),
        ((5, 5, 3), "mask must have 1 or 5 frames, got 3"),
        ((1, 1, 5), "mask must have 1 or 1 frames, got 5"),
    ],
    ids=["target", "source", "mask", "masks for a still"],
)
def test_films_of_different_lengths_are_refused_by_name(clip: Any, lengths: tuple[int, int, int], words: str) -> None:
    source, target, masks = clip
    films = [ArrayFrames(film._frames[:length]) for film, length in zip((source, target), lengths, strict=False)]
    with pytest.raises(ValueError, match=words):
        poisson_blend_film(*films, masks[: lengths[2]])


def test_progress_is_told_and_can_stop_the_film(clip: Any) -> None:
    source, target, masks = clip
    told = []

    def stop_at_three(done: int, total: int, picture: np.ndarray) -> None:
        told.append((done, total, picture.shape))
        if done == 3:
            raise KeyboardInterrupt

    frames = poisson_blend_film(source, target, masks, machine=Machine("cpu"), progress=stop_at_three)
    with pytest.raises(KeyboardInterrupt):
        list(frames)
    assert told == [(n, 5, source.frame(0).shape) for n in (1, 2, 3)]


class ShortOfMemory:
    """An engine that holds so many frames and no more."""

    def __init__(self, fits: int) -> None:
        self.fits = fits
        self.batches: list[int] = []

    def frames_at_once(self, size: Size, memory_mb: float) -> int:
        return 4

    def blend(self, jobs: Sequence[Job]) -> list[np.ndarray]:
        self.batches.append(len(jobs))
        if len(jobs) > self.fits:
            raise MemoryError
        return [job.target.copy() for job in jobs]


def test_batch_is_halved_until_it_fits(
    clip: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source, target, masks = clip
    engine = ShortOfMemory(fits=1)
    monkeypatch.setattr(poisson, "_engine", lambda *_: engine)
    assert len(list(poisson_blend_film(source, target, masks))) == 5
    assert engine.batches == [3, 2, 1, 1, 0, 1, 1]  # of frames with a mask: the third has none
    assert "going on with 2 frames at a time" in caplog.text


def test_frame_that_does_not_fit_is_said_by_name(clip: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target, masks = clip
    monkeypatch.setattr(poisson, "_engine", lambda *_: ShortOfMemory(fits=0))
    with pytest.raises(MemoryError, match="one frame of 131x97 must fit into memory"):
        list(poisson_blend_film(source, target, masks))


@pytest.mark.parametrize(
    "failure",
    [torch.cuda.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: not enough memory")],
)
def test_torch_out_of_memory_is_a_memory_error(
    failure: RuntimeError, clip: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(TorchEngine, "_blend", fail)
    source, target, masks = clip
    with pytest.raises(MemoryError, match="memory"):
        TorchEngine(Blending(), "cpu").blend([Job(source.frame(0), target.frame(0), masks[0])])


def test_auto_is_the_processor_where_there_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert isinstance(poisson._engine(Blending(), Machine(), 1), ProcessorEngine)


def test_memory_budget_limits_the_frames_at_once() -> None:
    engine = ProcessorEngine(Blending(), threads=16)
    assert engine.frames_at_once(Size(1920, 1080), 1000) == 10
    assert engine.frames_at_once(Size(1920, 1080), 1) == 1
    assert engine.frames_at_once(Size(64, 64), 1000) == 16


@pytest.mark.slow
def test_steadied_masks_leave_no_seam_in_time(picture_pair: Pair) -> None:
    # A still shot whose mask trembles by a pixel: what flickers is the seam alone.
    source, target = picture_pair(120, 160)
    disc = np.zeros((120, 160), np.float32)
    cv2.circle(disc, (80, 60), 40, 1, -1)
    rng = np.random.default_rng(0)
    masks = []
    for _ in range(9):
        noise = cv2.GaussianBlur(rng.standard_normal(disc.shape).astype(np.float32), (0, 0), 3)
        soft = cv2.GaussianBlur(disc, (0, 0), 4) + noise / noise.std() * 0.08
        masks.append((soft > 0.5).astype(np.float32))
    still = ArrayFrames(source[None]), ArrayFrames(target[None])

    def flicker(clip: Sequence[np.ndarray]) -> float:
        frames = [poisson_blend(still[0].frame(0), still[1].frame(0), mask) for mask in clip]
        return float(np.abs(np.diff(frames[2:-2], axis=0)).mean())

    assert flicker(list(shape_edges(masks, steadying=Steadying(steady_frames=2)))) < 0.6 * flicker(masks)
