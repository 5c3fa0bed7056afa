"""Segment Anything 2 as the one that carries masks over time, from a folder of the transformers package.

Source: Ravi et al., SAM 2: Segment Anything in Images and Videos, 2024. The model remembers the last frames and all
prompted ones, and follows a subject by what it looks like; it needs no flow. Both directions are tracked and meet with
the staircase's fade.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from escalier.arguments import checked
from escalier.film import Film, as_uint8
from escalier.mask import soft_overlap
from escalier.model_files import damage
from escalier.packages import load_package
from escalier.progress import Progress
from escalier.refusals import MissingFile, Refusal
from escalier.sam import room_for

from .fades import Share, share_of
from .prompted_masks import check_prompted
from .tracked_masks import TrackedMasks

if TYPE_CHECKING:
    import torch

REQUIREMENT = "transformers>=4.56"
KIND = "sam2_video"
REMEDY = "take the whole folder of facebook/sam2.1-hiera-small from huggingface.co"
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the pictures that every Segment Anything 2 was trained with."""
SUBJECT = 1
MOST_LOGIT = 20.0


@checked
class Sam2Video:
    """A Segment Anything 2 model for films.

    Parameters
    ----------
    module
        transformers' `Sam2VideoModel`, as `read_sam2_video` gives it. It may be moved to another device at any time.
    before_use
        Called before the module works; whoever manages the memory of the graphics card brings it there.
    """

    def __init__(self, module: torch.nn.Module, *, before_use: Callable[[], object] | None = None) -> None:
        # transformers' modules carry few types.
        self.module: Any = module
        self._before_use = before_use

    def make_ready(self) -> torch.device:
        """Have the module brought to where it works, and say where that is."""
        if self._before_use is not None:
            self._before_use()
        return next(self.module.parameters()).device

    def track(
        self,
        film: Film,
        prompted: Mapping[int, np.ndarray],
        *,
        fade: str = "smoothstep",
        progress: Progress | None = None,
    ) -> TrackedMasks:
        """Carry masks given at a few frames to every frame of a film; see `track_masks`.

        Memory beside the model: a few frames at a time, and the result.

        Raises
        ------
        ValueError
            As `track_masks`.
        MemoryError
            If the device has no room for a frame.
        """
        given = check_prompted(prompted, film)
        share = share_of(fade)
        first, last, end = min(given), max(given), len(film)
        total = (end - first) + (last + 1)
        steps = iter(range(1, total + 1))

        def collect(frames: range) -> dict[int, tuple[np.ndarray, float]]:
            answers = {}
            for index, logits, score in self._tracked(film, given, frames):
                answers[index] = (logits, score)
                if progress is not None:
                    progress(next(steps), total)
            return answers

        import torch

        with torch.inference_mode(), room_for(f"a film of {film.size}"):
            forward = collect(range(first, end))
            backward = collect(range(last, -1, -1))
        return _joined(film, given, forward, backward, share)

    def _tracked(
        self, film: Film, given: dict[int, np.ndarray], frames: range
    ) -> Iterator[tuple[int, np.ndarray, float]]:
        """Follow the subject through these frames: index, logits (h, w), how sure it is that the subject is there."""
        import torch

        session_type = load_package(
            "transformers.models.sam2_video", REQUIREMENT, "Segment Anything 2 masks"
        ).Sam2VideoInferenceSession
        device = self.make_ready()
        side = int(self.module.config.image_size)
        session = session_type(
            video_height=film.size.height, video_width=film.size.width, inference_device=device, dtype=torch.float32
        )
        session.processed_frames = _Frames(film, side)
        subject = session.obj_id_to_idx(SUBJECT)
        for index, mask in given.items():
            prompt = _squared(torch.from_numpy(mask)[None], side)
            session.add_mask_inputs(subject, index, (prompt >= 0.5).float()[None])
            session.obj_with_new_inputs = [SUBJECT]
            self.module(session, frame_idx=index)
        memory = max(self.module.config.num_maskmem, self.module.config.max_object_pointers_in_encoder) + 1
        for index in frames:
            answer = self.module(session, frame_idx=index, reverse=frames.step < 0)
            forget(session.output_dict_per_obj[subject], index - frames.step * memory)
            # transformers 4 keeps it here and does not hand it out; 5 does both.
            sure = session.get_output(subject, index, "object_score_logits", is_conditioning_frame=index in given)
            score = float(torch.sigmoid(sure.float()).flatten()[0])
            yield index, answer.pred_masks.float().cpu().numpy()[0, 0].clip(-MOST_LOGIT, MOST_LOGIT), score


@checked
def read_sam2_video(folder: str | Path) -> torch.nn.Module:
    """Load a Segment Anything 2 model for films from a folder on this disk; nothing is ever downloaded.

    Parameters
    ----------
    folder
        With config.json and model.safetensors, as transformers saves it and huggingface.co shows it.

    Raises
    ------
    FileNotFoundError
        If the folder or one of its files is missing.
    ValueError
        If it holds another kind of model, or a damaged one.
    ImportError
        Without transformers, with the command that installs it.

    Examples
    --------
    >>> module = read_sam2_video("models/sam2/sam2.1-hiera-small")  # doctest: +SKIP
    >>> masks = Sam2Video(module).track(film, {0: mask}).masks  # doctest: +SKIP
    """
    folder = Path(folder)
    config, weights = folder / "config.json", folder / "model.safetensors"
    for path in (config, weights):
        if not path.is_file():
            raise MissingFile(f"{folder}", f"hold {path.name}", "none", REMEDY)
    try:
        kind = json.loads(config.read_text(encoding="utf-8")).get("model_type")
    except (ValueError, AttributeError) as error:
        raise Refusal(f"{config}", "be a model's description in JSON", remedy=REMEDY) from error
    if kind != KIND:
        raise Refusal(f"{folder}", f"hold a model of the kind {KIND}", kind, REMEDY)
    wrong = damage(weights)
    if wrong is not None:
        raise Refusal(f"{weights}", "hold a model", wrong, REMEDY)
    package = load_package("transformers.models.sam2_video", REQUIREMENT, "Segment Anything 2 masks")
    try:
        model, loaded = package.Sam2VideoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except (ValueError, OSError, KeyError, RuntimeError, TypeError, AttributeError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        raise Refusal(
            f"{folder}",
            f"hold a whole Segment Anything 2 model, but transformers cannot read it as one ({said})",
            remedy=REMEDY,
        ) from error
    # transformers fills weights that it does not find, or that have another shape, with random ones.
    strange = {name if isinstance(name, str) else name[0] for name in loaded.get("mismatched_keys", ())}
    gaps = sorted({name for name, _ in model.named_parameters()} & ({*loaded["missing_keys"]} | strange))
    if gaps:
        raise Refusal(
            f"{weights}",
            f"hold all weights of a Segment Anything 2 model, but {len(gaps)} of them are missing or have another "
            f"shape (such as {gaps[0]})",
            remedy=REMEDY,
        )
    return model.eval()


def forget(outputs: dict[str, dict[int, dict[str, Any]]], index: int) -> None:
    """Drop what the model does not look back at: a frame that is too long ago, and the masks in their full size.

    >>> outputs = {"cond_frame_outputs": {0: {"high_res_masks": 1, "pred_masks": 2}}, "non_cond_frame_outputs": {3: {}}}
    >>> forget(outputs, 3)
    >>> outputs
    {'cond_frame_outputs': {0: {'pred_masks': 2}}, 'non_cond_frame_outputs': {}}
    """
    outputs["non_cond_frame_outputs"].pop(index, None)
    for frames in outputs.values():
        for kept in frames.values():
            kept.pop("high_res_masks", None)


class _Frames:
    """The film as the model asks for it, frame by frame; transformers would hold all of it in memory."""

    def __init__(self, film: Film, side_px: int) -> None:
        self._film, self._side_px = film, side_px

    def __len__(self) -> int:
        return len(self._film)

    def __getitem__(self, index: int) -> torch.Tensor:
        import torch

        picture = torch.from_numpy(np.ascontiguousarray(as_uint8(self._film.frame(index))))
        seen = _squared(picture.permute(2, 0, 1).float() / 255, self._side_px)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
        return (seen - mean) / deviation


def _squared(picture: torch.Tensor, side_px: int) -> torch.Tensor:
    """(C, H, W) stretched to a square, as the model is used to."""
    import torch

    return torch.nn.functional.interpolate(
        picture[None], (side_px, side_px), mode="bilinear", align_corners=False, antialias=True
    )[0]


def _joined(
    film: Film,
    given: dict[int, np.ndarray],
    forward: dict[int, tuple[np.ndarray, float]],
    backward: dict[int, tuple[np.ndarray, float]],
    share: Share,
) -> TrackedMasks:
    """Both directions in one film of masks. Between two given masks they fade, beyond them there is only one."""
    size = film.size
    masks = np.empty((len(film), size.height, size.width), np.float32)
    confidence = np.ones(len(film), np.float32)
    for index in range(len(film)):
        if index in given:
            masks[index] = given[index]
            continue
        before = max((i for i in given if i < index), default=None)
        after = min((i for i in given if i > index), default=None)
        if before is None or after is None:
            logits, sure = (backward if before is None else forward)[index]
        else:
            later = share((index - before) / (after - before))
            (ahead, sure_ahead), (behind, sure_behind) = forward[index], backward[index]
            logits = (1 - later) * ahead + later * behind
            sure = ((1 - later) * sure_ahead + later * sure_behind) * soft_overlap(_soft(ahead), _soft(behind))
        masks[index] = _soft(cv2.resize(logits, size, interpolation=cv2.INTER_LINEAR))
        confidence[index] = sure
    return TrackedMasks(masks, confidence)


def _soft(logits: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logits))).astype(np.float32)
