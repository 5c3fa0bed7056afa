"""Every object of a picture at once: Segment Anything asked at each point of a grid, and one mask kept of each object.

Source: Kirillov et al., Segment Anything, 2023, appendix B. Two things differ from the package's generator, which makes
hard masks: masks stay soft, and two answers count as one object when the masks overlap, not only their boxes.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.log import log
from escalier.out_of_memory import is_short_memory
from escalier.progress import Progress
from escalier.refusals import MemoryRefusal, Refusal

from .segment import SamEmbedding

if TYPE_CHECKING:
    import torch

STABILITY_LOGITS = 1.0
"""A stable mask hardly changes when it is cut this much higher or lower than at 0."""
GOLDEN_RATIO = 0.618034


def _count(default: int, sentence: str, most: int | None = None) -> int:
    offered = None if most is None else (1, most)
    return dial(default, sentence, least=1, offered=offered, rule="be at least 1", remedy="raise it")


def _share(default: float, sentence: str) -> float:
    remedy = "take the default"
    return dial(default, sentence, least=0.0, most=1.0, step=0.01, rule="be in 0..1", remedy=remedy)


@dataclass(frozen=True, eq=False)
class Everything:
    """The objects of a picture, the largest first.

    `masks` (N, H, W) float32 0..1, soft, `scores` (N,). `points_at_once` is smaller than was asked for where the
    memory was short.
    """

    masks: np.ndarray
    scores: np.ndarray
    points_at_once: int

    def map(self) -> np.ndarray:
        """A segmentation map, uint8 (H, W, 3): each object in a colour of its own, smaller ones over larger ones."""
        picture = np.zeros((*self.masks.shape[1:], 3), np.uint8)
        for i, mask in enumerate(self.masks):
            # Steps of the golden ratio never come near a hue that is taken.
            colour = colorsys.hsv_to_rgb(i * GOLDEN_RATIO % 1, 1 - 0.4 * (i % 2), 1 - 0.35 * (i // 2 % 2))
            picture[mask > 0.5] = [round(255 * channel) for channel in colour]
        return picture


@checked
@dataclass(frozen=True)
class ObjectSearch(Dials):
    """At how many points objects are looked for, and which of the answers count."""

    points_per_side: int = _count(
        32,
        "Points asked at, across and down. 32 as in the paper; 16 is four times faster and misses small objects.",
        most=128,
    )
    most_objects: int = _count(64, "Keeps so many masks at most, those that the model is surest of.", most=1000)
    least_score: float = _share(0.88, "Leaves out masks of which the model is less sure. Lower finds more.")
    least_stability: float = _share(
        0.95, "Leaves out masks whose edge depends on where it is cut. Lower lets vaguer objects in."
    )
    most_overlap: float = _share(
        0.7, "Two masks that share more than this are one object. Higher keeps parts beside their whole."
    )
    points_at_once: int = _count(
        64, "Prompts that go through the decoder together. Halved, with a warning, when the memory is too short."
    )


@checked
def segment_everything(
    embedding: SamEmbedding, search: ObjectSearch | None = None, *, progress: Progress | None = None
) -> Everything:
    """Find every object of a picture.

    Parameters
    ----------
    embedding
        What `SamModel.embed` gave for the picture.
    search
        Where objects are looked for, and which are kept. The time grows as the square of its points per side. Of two
        masks that share too much of their joint area, the surer one stays.
    progress
        Called as progress(done, total); what it raises ends the search.

    Raises
    ------
    ValueError
        If no object passes.
    MemoryError
        If the memory is too short even for one point at a time.

    >>> found = segment_everything(model.embed(picture), ObjectSearch(points_per_side=16))  # doctest: +SKIP
    >>> found.masks.shape  # doctest: +SKIP
    (21, 540, 960)
    """
    search = search or ObjectSearch()
    logits, scores, points_at_once = _ask(embedding, search, progress)
    if len(scores) == 0:
        rule = f"have a score of {search.least_score:g} and a stability of {search.least_stability:g}"
        raise Refusal("at least one object", rule, "none", "lower one of the two, or ask at more points")
    kept = _one_of_each(logits > 0, scores, search.most_overlap)[: search.most_objects]
    masks = _full_size(logits[kept], embedding)
    by_area = np.argsort([-mask.sum() for mask in masks], kind="stable")
    return Everything(masks[by_area], scores[kept][by_area], points_at_once)


def _ask(
    embedding: SamEmbedding, search: ObjectSearch, progress: Progress | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """The answers that pass at all points of the grid: logits (N, h, w) in half precision, and scores (N,)."""
    import torch

    model, seen_in = embedding.model, embedding.input_size
    side, points_at_once = search.points_per_side, search.points_at_once
    places = (np.arange(side, dtype=np.float32) + 0.5) / side
    grid = np.stack(np.meshgrid(places * seen_in.width, places * seen_in.height), axis=-1).reshape(-1, 1, 2)
    inside = _without_padding(embedding)
    logits, scores = [], []
    done = 0
    device = model.make_ready()
    with torch.inference_mode():
        features = embedding.features.to(device)
        while done < len(grid):
            points = torch.from_numpy(grid[done : done + points_at_once]).to(device)
            try:
                answers, sure = model.answer(features, (points, torch.ones(points.shape[:2], device=device)))
                answers, sure = answers.flatten(0, 1)[:, inside[0], inside[1]], sure.flatten()
                passing = (sure >= search.least_score) & (_stability(answers) >= search.least_stability)
                logits.append(answers[passing].cpu().numpy().astype(np.float16))
                scores.append(sure[passing].cpu().numpy())
            except (MemoryError, RuntimeError) as error:
                points_at_once = _halved(points_at_once, error)
                continue
            done += len(points)
            if progress is not None:
                progress(done, len(grid))
    return np.concatenate(logits), np.concatenate(scores), points_at_once


def _halved(points_at_once: int, error: BaseException) -> int:
    """Half as many points, where the error says that the memory was too short for all of them."""
    import torch

    if not is_short_memory(error):
        raise error
    if points_at_once == 1:
        rule = "hold one point at a time, but it is full"
        raise MemoryRefusal("the memory", rule, remedy="close other programs, or take a smaller model") from error
    torch.cuda.empty_cache()
    halved = points_at_once // 2
    log.warning("Segment Anything: %d points at once were too many for the memory; going on with %d",
                   points_at_once, halved)  # fmt: skip
    return halved


def _without_padding(embedding: SamEmbedding) -> tuple[slice, slice]:
    """The part of the logits that shows the picture: the model pads it to a square, below and to the right."""
    height, width = embedding.model.logits_shape
    side = embedding.model.side_px
    seen_in = embedding.input_size
    return slice(max(1, round(height * seen_in.height / side))), slice(max(1, round(width * seen_in.width / side)))


def _stability(logits: torch.Tensor) -> torch.Tensor:
    """The overlap of each mask, cut higher, with itself, cut lower."""
    higher = (logits > STABILITY_LOGITS).sum((1, 2))
    lower = (logits > -STABILITY_LOGITS).sum((1, 2))
    return higher / lower.clamp(min=1)


def _one_of_each(masks: np.ndarray, scores: np.ndarray, most_overlap: float) -> np.ndarray:
    """Which of the masks (N, h, w) stay when each object may have only one; the surest first."""
    flat = masks.reshape(len(masks), -1)
    areas = flat.sum(1)
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if areas[i] == 0:
            continue
        # Masks of very different area cannot overlap enough, whatever their place.
        rivals = [k for k in kept if min(areas[i], areas[k]) > most_overlap * max(areas[i], areas[k])]
        shared = (flat[rivals] & flat[i]).sum(1)
        if not (shared > most_overlap * (areas[rivals] + areas[i] - shared)).any():
            kept.append(i)
    return np.array(kept, np.int64)


def _full_size(logits: np.ndarray, embedding: SamEmbedding) -> np.ndarray:
    """Soft masks in the picture's size, one at a time, so that only the result is large."""
    import torch

    height, width = embedding.model.logits_shape
    rows, columns = _without_padding(embedding)
    masks = np.empty((len(logits), embedding.size.height, embedding.size.width), np.float32)
    for mask, one in zip(masks, logits, strict=True):
        padded = np.full((height, width), one.min(), np.float32)
        padded[rows, columns] = one
        with torch.inference_mode():
            mask[:] = embedding.model.full_size(torch.from_numpy(padded)[None, None], embedding)[0, 0].numpy()
    return masks
