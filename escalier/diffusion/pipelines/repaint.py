"""Pictures painted anew by a pipeline: in exactly their own size, the same for the same seed, in batches that fit."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from escalier.arguments import checked
from escalier.film import Size
from escalier.log import log
from escalier.out_of_memory import is_short_memory
from escalier.progress import Progress
from escalier.refusals import MemoryRefusal, Refusal

from .depth import estimate_depths
from .inputs import INVISIBLE, Pictures, as_tensor, mixed, padded, stack_maps, stack_masks, stack_pictures
from .load import Pipeline
from .package import quiet
from .painting import Painting

if TYPE_CHECKING:
    import torch


@checked
def repaint(
    pipeline: Pipeline,
    pictures: Pictures,
    prompt: str,
    painting: Painting | None = None,
    *,
    masks: Pictures | None = None,
    control_maps: Sequence[Pictures] = (),
    progress: Progress | None = None,
) -> np.ndarray:
    """Paint pictures anew.

    Every picture gets the noise of the same seed, whichever batch it is in, so that pictures that resemble one another
    are painted alike. Sides that the VAE would crop are padded by repeating the last row and column, and cut back;
    nothing is stretched.

    Parameters
    ----------
    pipeline
        From `load_pipeline`.
    pictures
        RGB (H, W, 3) of one size, uint8 or float32 0..1: keyframes, sheets or frames.
    prompt
        What to paint. For InstructPix2Pix an instruction: "make it a gouache painting".
    painting
        How far, how long, how literally and from which seed it is painted, see `Painting`. More pictures in a batch are
        painted faster on a large card; their number is halved, with a warning, where the memory is short. The noise
        does not depend on it; sums round otherwise, by 1e-5 in float32 and by a level of 256 in half precision.
    masks
        For "inpaint": (H, W), 0..1 or uint8, white where it is painted; one for all pictures or one each. Soft edges
        mix; where a mask is black, not one bit changes.
    control_maps
        For each ControlNet its maps (H, W, 3), one for all pictures or one each. For "depth2img", at most one: depth,
        near white, its range kept as it is; without it the pipeline's own network measures depth.
    progress
        Called as `progress(done, total, picture)` at each step, in pictures; what it raises ends the painting.

    Returns
    -------
    numpy.ndarray
        (N, H, W, 3) float32 0..1, of the pictures' size.

    Raises
    ------
    ValueError
        If maps or masks do not fit the pictures or the task, or a painting is not finite.
    MemoryError
        If the memory is too short for one picture.

    >>> pipeline = load_pipeline("models/diffusers/sd15", controlnets=["models/controlnet/canny"])  # doctest: +SKIP
    >>> maps, painting = draw_control_maps(pictures, "canny"), Painting(seed=7)  # doctest: +SKIP
    >>> painted = repaint(pipeline, pictures, "a gouache painting", painting, control_maps=[maps])  # doctest: +SKIP
    """
    painting = painting or Painting()
    painting.check_for(pipeline.task)
    stack = stack_pictures(pictures)
    size = Size.of(stack[0])
    dials: dict[str, Any] = {"num_inference_steps": painting.steps, "guidance_scale": painting.guidance}
    if pipeline.task == "pix2pix":
        dials["image_guidance_scale"] = painting.image_guidance
    else:
        dials["strength"] = painting.strength
    holds = _strengths(pipeline, control_maps, painting.control_strengths)
    if pipeline.controlnets:
        dials["controlnet_conditioning_scale"] = holds
    maps = [stack_maps(one, len(stack), size, f"control_maps {k}") for k, one in enumerate(control_maps, start=1)]
    holes = _holes(pipeline, masks, len(stack), size)
    _warn_of_long_prompt(pipeline, prompt)
    with _naming_short_memory(size):
        if pipeline.before_use is not None:
            pipeline.before_use()
        if pipeline.task == "depth2img" and not maps:
            maps = [np.repeat(estimate_depths(pipeline.runner, stack)[..., None], 3, axis=3)]
    given = _given(pipeline, stack, holes, maps)

    import torch

    def paint(part: slice, report: Callable[[float], None]) -> np.ndarray:
        count = part.stop - part.start
        texts = {"prompt": [prompt] * count, "negative_prompt": [painting.negative_prompt] * count}
        # Noise is drawn on the processor, one source for each picture: the same on every card and in every batch.
        noise = [torch.Generator("cpu").manual_seed(painting.seed) for _ in range(count)]
        return _run(pipeline.runner, {**_cut(given, part), **texts, **dials, "generator": noise}, report)

    result = np.empty_like(stack)
    done, batch = 0, painting.batch
    while done < len(stack):
        part = slice(done, min(done + batch, len(stack)))
        with _naming_short_memory(size, halves=batch > 1) as short:
            result[part] = paint(part, _shares(progress, part, len(stack)))[:, : size.height, : size.width]
        if short:
            batch = _halved(batch)
            continue
        done = part.stop
        if progress is not None:
            progress(done, len(stack), result[done - 1])
    return result if holes is None else mixed(stack, result, holes)


def _given(
    pipeline: Pipeline, pictures: np.ndarray, holes: np.ndarray | None, maps: list[np.ndarray]
) -> dict[str, torch.Tensor | list[torch.Tensor]]:
    """Pictures, holes and maps under the names that the pipeline has for them, padded to what its VAE takes."""
    step = int(pipeline.runner.vae_scale_factor)
    given: dict[str, torch.Tensor | list[torch.Tensor]] = {"image": as_tensor(padded(pictures, step))}
    guides = [as_tensor(padded(one, step)) for one in maps]
    if holes is not None:
        given["mask_image"] = as_tensor(padded((holes > INVISIBLE).astype(np.float32), step))
    if pipeline.controlnets:
        given["control_image"] = guides
    elif pipeline.task == "depth2img":
        given["depth_map"] = guides[0].mean(1)
    return given


def _cut(given: dict[str, Any], part: slice) -> dict[str, Any]:
    """A batch out of all that is given."""
    return {
        name: [one[part] for one in value] if isinstance(value, list) else value[part] for name, value in given.items()
    }


def _run(runner: Any, arguments: dict[str, Any], report: Callable[[float], None]) -> np.ndarray:
    """One batch through the pipeline: (N, H, W, 3) float32 0..1, of the padded size."""
    import torch

    if "height" in inspect.signature(runner.__call__).parameters:
        arguments["height"], arguments["width"] = arguments["image"].shape[-2:]
    with torch.inference_mode(), quiet():
        painted = runner(output_type="np", **arguments, **_callback(runner, report)).images
    if not np.isfinite(painted).all():
        remedy = "load the pipeline in float32, or take another VAE: some overflow in half precision"
        raise Refusal("paintings", "be finite", "NaN from the network", remedy)
    return painted.astype(np.float32, copy=False)


def _shares(progress: Progress | None, part: slice, total: int) -> Callable[[float], None]:
    """Tells how far a batch is, 0..1, as pictures done."""

    def report(share: float) -> None:
        if progress is not None:
            progress(part.start + share * (part.stop - part.start), total)

    return report


def _callback(runner: Any, report: Callable[[float], None]) -> dict[str, Any]:
    """The argument by which a pipeline tells of each step; the older kind has another name."""

    def share(step: int) -> float:
        steps = getattr(runner, "num_timesteps", None) or len(runner.scheduler.timesteps)
        return min(1.0, (step + 1) / steps)

    def at_step(_: Any, step: int, __: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        report(share(step))
        return tensors

    if "callback_on_step_end" in inspect.signature(runner.__call__).parameters:
        return {"callback_on_step_end": at_step}
    return {"callback": lambda step, *_: report(share(step)), "callback_steps": 1}


def _holes(pipeline: Pipeline, masks: Pictures | None, count: int, size: Size) -> np.ndarray | None:
    if (pipeline.task == "inpaint") != (masks is not None):
        rule = f"be {'given' if masks is None else 'left out'} for the task {pipeline.task}"
        remedy = f"{'connect the mask of what is painted' if masks is None else 'load the pipeline for inpaint'}"
        raise Refusal("masks", rule, "none" if masks is None else "some", remedy)
    return None if masks is None else stack_masks(masks, count, size)


def _strengths(pipeline: Pipeline, control_maps: Sequence[Pictures], strengths: Sequence[float] | None) -> list[float]:
    depth = pipeline.task == "depth2img"
    if len(control_maps) != pipeline.controlnets and not (depth and len(control_maps) <= 1):
        wanted = "at most 1, depth" if depth else f"{pipeline.controlnets}, one for each ControlNet"
        remedy = "connect as many as the pipeline has ControlNets, in their order"
        raise Refusal("control_maps", f"be {wanted}", len(control_maps), remedy)
    holds = [1.0] * pipeline.controlnets if strengths is None else [float(one) for one in strengths]
    if len(holds) != pipeline.controlnets:
        rule = f"be {pipeline.controlnets}, one for each ControlNet"
        raise Refusal("control_strengths", rule, len(holds), "name one each")
    return holds


def _warn_of_long_prompt(pipeline: Pipeline, prompt: str) -> None:
    """Text encoders read 77 words and signs; diffusers cuts off the rest."""
    tokenizer = pipeline.runner.tokenizer or pipeline.runner.tokenizer_2
    with quiet():
        words = tokenizer(prompt).input_ids[1:-1]
    room = tokenizer.model_max_length - 2
    if len(words) > room:
        log.warning("the prompt is too long, and not read from here: %s", tokenizer.decode(words[room:]))


def _halved(batch: int) -> int:
    import torch

    torch.cuda.empty_cache()
    log.warning("%d pictures at once were too many for the memory; going on with %d", batch, batch // 2)
    return batch // 2


@contextmanager
def _naming_short_memory(size: Size, *, halves: bool = False) -> Iterator[list[str]]:
    """Short memory becomes a sentence; or, where a batch can still be halved, an entry in the list given out.

    The error itself is not kept: its traceback would hold on to what the failed attempt had allocated.
    """
    short: list[str] = []
    try:
        yield short
    except (MemoryError, RuntimeError) as error:
        if not is_short_memory(error):
            raise
        if not halves:
            rule = f"hold the pipeline and a picture of {size}, but it is full"
            remedy = "take smaller sheets, fewer ControlNets or a model in half precision, or close other programs"
            raise MemoryRefusal("the memory", rule, remedy=remedy) from error
        short.append(type(error).__name__)
