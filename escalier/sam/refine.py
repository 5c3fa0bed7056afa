"""Segment Anything as the model that improves a carried mask, frame by frame."""

from collections import OrderedDict

import cv2
import numpy as np

from escalier.mask import box_around, soft_overlap

from .prompts import Prompts
from .segment import SamEmbedding, SamModel

EMBEDDINGS_KEPT = 64
"""Of 4 MB each: both directions of a gap of that length look at every frame once."""
LOGIT_OF_SURE = 8.0
CLEAR_OUTSIDE_PX = 6.0


class SamRefine:
    """Asks a Segment Anything model for each frame's mask, with the carried mask as the prompt.

    The model is given the carried mask as logits, the box around it, the point deepest inside, and the point of the
    box that is deepest outside. Of its three candidates, the one that overlaps the carried mask most is taken.
    `track_masks` then refuses it where it departs too far.

    Parameters
    ----------
    model
        Any Segment Anything model. Each frame is looked at once.

    >>> from escalier.sam import read_sam
    >>> name, module = read_sam("sam_vit_b_01ec64.pth")  # doctest: +SKIP
    >>> masks = track_masks(film, {0: mask}, motion=motion, refine=SamRefine(SamModel(module)))  # doctest: +SKIP
    """

    def __init__(self, model: SamModel) -> None:
        self._model = model
        self._embeddings: OrderedDict[int, SamEmbedding] = OrderedDict()

    def __call__(self, index: int, picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """The model's mask of frame `index`, float32 (H, W) 0..1; `mask` itself once nothing of the subject is left."""
        if mask.max() < 0.5:
            return mask
        embedding = self._embedding(index, picture)
        candidates = self._model.predict(embedding, prompts_of(mask), logits=self._logits(mask, embedding))
        overlaps = [soft_overlap(mask, candidate) for candidate in candidates.masks]
        return candidates.masks[int(np.argmax(overlaps))]

    def _embedding(self, index: int, picture: np.ndarray) -> SamEmbedding:
        if index not in self._embeddings:
            self._embeddings[index] = self._model.embed(picture)
            while len(self._embeddings) > EMBEDDINGS_KEPT:
                self._embeddings.popitem(last=False)
        return self._embeddings[index]

    def _logits(self, mask: np.ndarray, embedding: SamEmbedding) -> np.ndarray:
        """The mask as the network writes it: in the upper left part of a square, as the picture is in its input."""
        height, width = self._model.logits_shape
        scale = width / self._model.side_px
        size = tuple(max(1, round(side * scale)) for side in embedding.input_size)
        logits = np.full((height, width), -LOGIT_OF_SURE, np.float32)
        logits[: size[1], : size[0]] = LOGIT_OF_SURE * (2 * cv2.resize(mask, size, interpolation=cv2.INTER_AREA) - 1)
        return logits


def prompts_of(mask: np.ndarray) -> Prompts:
    """The clicks and the box that describe a mask (H, W), 0..1, which must not be empty.

    >>> mask = np.zeros((20, 30), np.float32)
    >>> mask[5:16, 10:21] = 1
    >>> prompts_of(mask).points.tolist(), prompts_of(mask).boxes.tolist()
    ([[15.0, 10.0]], [[10.0, 5.0, 20.0, 15.0]])
    """
    inside = mask >= 0.5
    rows, columns = part = box_around(inside)
    box = (columns.start, rows.start, columns.stop - 1, rows.stop - 1)
    # The frame's border is no outline: a subject that is cut by it may be deepest there.
    depth = cv2.distanceTransform(inside.view(np.uint8), cv2.DIST_L2, 3)
    points, labels = [_deepest(depth)], [1]
    clearance = cv2.distanceTransform((~inside).view(np.uint8), cv2.DIST_L2, 3)[part]
    if clearance.max() > CLEAR_OUTSIDE_PX:
        x, y = _deepest(clearance)
        points.append((x + columns.start, y + rows.start))
        labels.append(0)
    # A mask of one row or column has no box that a click could have drawn.
    boxes = [box] if box[0] < box[2] and box[1] < box[3] else None
    return Prompts(points, labels, boxes)


def _deepest(depth: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(x), int(y)
