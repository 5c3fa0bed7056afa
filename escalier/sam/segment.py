"""Segment Anything: the masks of objects that are pointed at.

A picture is looked at once (`SamModel.embed`, the slow part). From what the model then knows, every prompt is answered
in a fraction of a second (`SamModel.predict`), so that a click can be moved.

Source: Kirillov et al., Segment Anything, 2023, sections 3 and A. The longer side of the picture is brought to the
model's side by a bilinear filter that widens with the reduction, as in the pictures that the model was trained with;
the package's own way to do that with tensors mixes up the sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from escalier.film import Size
from escalier.out_of_memory import naming_short_memory
from escalier.refusals import Refusal

from .prompts import Prompts

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class SamEmbedding:
    """What a model knows about one picture.

    `features` (1, C, h, w) lies in main memory; `size` is the picture's own, `input_size` the size in which the model
    saw it; `model` is the one that can answer prompts about it.
    """

    features: torch.Tensor
    size: Size
    input_size: Size
    model: SamModel


@dataclass(frozen=True, eq=False)
class Candidates:
    """The answers to one prompt: three, because a click on a shirt may mean the shirt, the person or a button.

    `masks` (3, H, W) float32 0..1, soft, in the picture's size; `scores` (3,), the model's own estimate of each mask's
    overlap with the truth; `logits` (3, 256, 256), one of which can be handed to the next `predict`.
    """

    masks: np.ndarray
    scores: np.ndarray
    logits: np.ndarray

    @property
    def best(self) -> int:
        """The candidate of which the model is surest."""
        return int(self.scores.argmax())


class SamModel:
    """A Segment Anything model.

    Parameters
    ----------
    module
        The torch module, as `read_sam` gives it. It may be moved to another device at any time.
    name
        The architecture's name.
    before_use
        Called before the module works; whoever manages the memory of the graphics card brings it there.

    >>> from escalier.sam import read_sam
    >>> name, module = read_sam("sam_vit_b_01ec64.pth")  # doctest: +SKIP
    >>> model = SamModel(module, name)  # doctest: +SKIP
    >>> embedding = model.embed(picture)  # doctest: +SKIP
    >>> candidates = model.predict(embedding, Prompts([(320, 200)]))  # doctest: +SKIP
    >>> mask = candidates.masks[candidates.best]  # doctest: +SKIP
    """

    def __init__(
        self, module: torch.nn.Module, name: str = "", *, before_use: Callable[[], object] | None = None
    ) -> None:
        # The package's modules carry no types.
        self.module: Any = module
        self.name = name
        self._before_use = before_use

    @property
    def side_px(self) -> int:
        """The length to which the longer side of a picture is brought: 1024 for Meta's models."""
        return self.module.image_encoder.img_size

    @property
    def logits_shape(self) -> tuple[int, int]:
        """The size of the masks as the network makes them: (256, 256) for Meta's models."""
        height, width = self.module.prompt_encoder.mask_input_size
        return height, width

    def embed(self, picture: np.ndarray) -> SamEmbedding:
        """Look at a picture, (H, W, 3), uint8 or float32 0..1. On a processor this takes seconds.

        Raises
        ------
        ValueError
            If it is not RGB, or not finite.
        MemoryError
            If the device has no room for it.
        """
        import torch

        _check_picture(picture)
        size = Size.of(picture)
        seen_in = input_size(size, self.side_px)
        device = self.make_ready()
        with torch.inference_mode(), room_for(f"a picture of {size}"):
            seen = _resized(torch.from_numpy(np.ascontiguousarray(picture)).to(device), seen_in)
            features = self.module.image_encoder(self.module.preprocess(seen * 255)[None])
        return SamEmbedding(features.cpu(), size, seen_in, self)

    @overload
    def predict(self, embedding: SamEmbedding, prompts: Prompts, *, logits: np.ndarray | None = None) -> Candidates: ...

    @overload
    def predict(
        self, embedding: SamEmbedding, prompts: Sequence[Prompts], *, logits: np.ndarray | None = None
    ) -> list[Candidates]: ...

    def predict(
        self, embedding: SamEmbedding, prompts: Prompts | Sequence[Prompts], *, logits: np.ndarray | None = None
    ) -> Candidates | list[Candidates]:
        """The masks of the object that is meant; of several objects, one answer each.

        Parameters
        ----------
        embedding
            What `embed` gave for the picture.
        prompts
            One object, or several.
        logits
            (256, 256) of an earlier answer, which is then refined: a mask of roughly the right form, above 0 inside.

        Raises
        ------
        ValueError
            If a prompt lies outside the picture, or the logits have another size.
        """
        if not isinstance(prompts, Prompts):
            return [self.predict(embedding, one, logits=logits) for one in prompts]
        prompts.check_inside(embedding.size)
        shape = self.logits_shape
        if logits is not None and (logits.shape != shape or not np.isfinite(logits).all()):
            rule, got = f"be finite and {shape[1]}x{shape[0]}", f"an array of shape {logits.shape}"
            raise Refusal("logits", rule, got, "hand over those of an earlier answer", who="predict")
        import torch

        scale = np.array(embedding.input_size, np.float32) / np.array(embedding.size, np.float32)
        device = self.make_ready()

        def tensor(values: np.ndarray) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(values)).to(device)[None]

        points = (tensor(prompts.points * scale), tensor(prompts.labels)) if len(prompts.points) else None
        box = None if prompts.boxes is None else tensor(prompts.boxes * np.tile(scale, 2))[0]
        earlier = None if logits is None else tensor(logits.astype(np.float32))[None]
        with torch.inference_mode(), room_for(f"masks of {embedding.size}"):
            answers, scores = self.answer(embedding.features.to(device), points, box, earlier)
            masks = self.full_size(answers, embedding)
        return Candidates(masks[0].cpu().numpy(), scores[0].cpu().numpy(), answers[0].cpu().numpy())

    def answer(
        self,
        features: torch.Tensor,
        points: tuple[torch.Tensor, torch.Tensor] | None,
        boxes: torch.Tensor | None = None,
        logits: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The decoder: logits (B, 3, 256, 256) and scores (B, 3) for B prompts in the pixels of the model's input.

        `points` are places (B, P, 2) with labels (B, P), `boxes` (B, 4), `logits` (B, 1, 256, 256); all on the
        module's device.
        """
        sparse, dense = self.module.prompt_encoder(points=points, boxes=boxes, masks=logits)
        return self.module.mask_decoder(
            image_embeddings=features,
            image_pe=self.module.prompt_encoder.get_dense_pe(),
            sparse_prompt_embeddings=sparse,
            dense_prompt_embeddings=dense,
            multimask_output=True,
        )

    def full_size(self, logits: torch.Tensor, embedding: SamEmbedding) -> torch.Tensor:
        """Soft masks (B, C, H, W), float32 0..1, in the size of the picture."""
        size, seen_in = embedding.size, embedding.input_size
        masks = self.module.postprocess_masks(logits, (seen_in.height, seen_in.width), (size.height, size.width))
        return masks.float().sigmoid_()

    def make_ready(self) -> torch.device:
        """Have the module brought to where it works, and say where that is."""
        if self._before_use is not None:
            self._before_use()
        return next(self.module.parameters()).device


def room_for(task: str) -> AbstractContextManager[None]:
    """Memory for a task of Segment Anything, or a `MemoryError` that says for what it was too short.

    >>> with room_for("a picture of 8x8"):
    ...     raise MemoryError
    Traceback (most recent call last):
    escalier.refusals.MemoryRefusal: the memory must hold a picture of 8x8, but it is full; close other ...
    """
    return naming_short_memory(task, "close other programs, or take a smaller picture or model")


def input_size(size: Size, side_px: int) -> Size:
    """The size in which a model of this side sees a picture: its longer side brought to side_px, the other in step.

    >>> str(input_size(Size(1920, 1080), 1024))
    '1024x576'
    """
    scale = side_px / max(size)
    return Size(int(size.width * scale + 0.5), int(size.height * scale + 0.5))


def _resized(picture: torch.Tensor, size: Size) -> torch.Tensor:
    """The picture (H, W, 3) as float32 (3, h, w), 0..1."""
    import torch

    floats = picture.float() / 255 if picture.dtype == torch.uint8 else picture.float()
    return torch.nn.functional.interpolate(
        floats.permute(2, 0, 1)[None], (size.height, size.width), mode="bilinear", align_corners=False, antialias=True
    )[0]


def _check_picture(picture: np.ndarray) -> None:
    if picture.ndim != 3 or picture.shape[2] != 3 or 0 in picture.shape:
        raise Refusal(
            "picture", "be RGB (height, width, 3)", f"the shape {picture.shape}", "convert it to RGB first", who="embed"
        )
    if picture.dtype != np.uint8 and not np.isfinite(picture).all():
        raise Refusal("picture", "hold finite numbers", "NaN or infinity", "check the node that made it", who="embed")
