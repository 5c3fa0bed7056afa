"""Menu escalier/diffusion: pipelines of diffusers, from this disk, under ComfyUI's memory manager."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.model_management
import torch
from comfy_api.v0_0_2 import io

from escalier.diffusion import TASKS, Painting, Pipeline, load_pipeline, repaint

from .. import sockets
from ..allowed_files import AllowedFiles, files_in, folders_in, roots
from ..dial_inputs import dial_input, dial_inputs, dials_from
from ..held_models import bringing
from ..node import Node, optional, output, span
from ..progress import Progress
from ..tensors import masks_from_input, pictures_from_images

NONE = "none"
EXAMPLE = "stable-diffusion-v1-5"
PLACES = {"": "first", "_2": "second", "_3": "third"}
"""The places for ControlNets, by the ends of their inputs' names."""
PRECISIONS = {"auto": None, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
TOKENIZER = Path(comfy.model_management.__file__).parent / "sd1_tokenizer"
"""ComfyUI's own copy of what a checkpoint in one file lacks."""
WORKING_BYTES = 4 * 2**30
"""What painting a sheet needs beside the weights: mostly the VAE, at full size."""


def _pipelines() -> dict[str, Path]:
    """Folders of models/diffusers that hold a pipeline, then checkpoints, by the names in the menu."""
    return dict(folders_in("diffusers", "model_index.json")) | files_in("checkpoints")


def _controlnets() -> dict[str, Path]:
    """Folders and files of ControlNets by the names in the menu; a folder inside a pipeline's is one of its parts."""
    folders = {
        name: path
        for kind in ("controlnet", "diffusers")
        for name, path in folders_in(kind, "config.json")
        if path.name.startswith("controlnet") or not (path.parent / "model_index.json").is_file()
    }
    # A folder's own weights alone would lack its settings.
    files = files_in("controlnet")
    return folders | {name: path for name, path in files.items() if not (path.parent / "config.json").is_file()}


PIPELINES = AllowedFiles(
    _pipelines,
    lambda name: (
        f"pipeline must be a folder with model_index.json in {roots('diffusers')}, or a checkpoint in "
        f"{roots('checkpoints')}, got {name}; put all files of a pipeline (for Stable Diffusion 1.5, 4 to 5 GB from "
        "huggingface.co) into a folder there, and press R"
    ),
    example=EXAMPLE,
)
CONTROLNETS = AllowedFiles(
    _controlnets,
    lambda name: (
        f"ControlNets must lie in {roots('controlnet', 'diffusers')}, got {name}; put it there (for Stable Diffusion "
        "1.5, 0.7 to 1.5 GB from huggingface.co/lllyasviel), and press R"
    ),
)


class EscalierLoadPipeline(Node):
    """Loads a pipeline of the diffusers package from this disk: a folder in models/diffusers, or a checkpoint. Nothing
    is downloaded. ComfyUI's own nodes do the same for most models; take this one for Depth2Img, for folders in
    diffusers' layout, or to paint as a script does.
    """

    display_name = "Load Diffusers Pipeline"
    search_aliases = ("diffusers", "DiffusionPipeline", "instruct pix2pix", "depth2img", "multi controlnet")
    inputs = (
        PIPELINES.menu(
            "pipeline",
            "A folder in models/diffusers, with model_index.json, or a file in models/checkpoints. Press R to find one "
            "put there just now.",
        ),
        io.Combo.Input(
            "task",
            options=list(TASKS),
            default=TASKS[0],
            tooltip="What the pipeline is to do. 'auto' takes what its network was taught: inpaint, pix2pix and "
            "depth2img models are known by the channels that they read.",
        ),
        *(
            CONTROLNETS.menu(
                f"control_net{suffix}",
                f"{'Another' if suffix else 'A'} ControlNet of the pipeline's family: a folder in models/controlnet or "
                "models/diffusers, or a file. Its maps go to Paint with Pipeline.",
                none=NONE,
            )
            for suffix in PLACES
        ),
        io.Combo.Input(
            "precision",
            options=list(PRECISIONS),
            default="auto",
            advanced=True,
            tooltip="'auto' takes half precision where the card has it. Take float32 if pictures come out black or as "
            "NaN; it needs twice the memory. Another precision draws other noise from a seed.",
        ),
    )
    outputs = (
        output(sockets.Pipeline, "pipeline", "The pipeline, for Paint with Pipeline."),
        output(io.String, "report", "What was loaded: its task, family and ControlNets."),
    )

    @classmethod
    def validate_inputs(cls, pipeline: str, control_net: str, control_net_2: str, control_net_3: str) -> bool | str:
        nets = (control_net, control_net_2, control_net_3)
        answers = [PIPELINES.check(pipeline), *(CONTROLNETS.check(net) for net in nets if net != NONE)]
        return next((answer for answer in answers if answer is not True), True)

    @classmethod
    def fingerprint_inputs(
        cls, pipeline: str, control_net: str, control_net_2: str, control_net_3: str, **_: object
    ) -> tuple:
        nets = (control_net, control_net_2, control_net_3)
        return (PIPELINES.fingerprint(pipeline), *(CONTROLNETS.fingerprint(net) for net in nets if net != NONE))

    @classmethod
    def execute(
        cls, pipeline: str, task: str, control_net: str, control_net_2: str, control_net_3: str, precision: str
    ) -> io.NodeOutput:
        names = [name for name in (control_net, control_net_2, control_net_3) if name != NONE]
        loaded = load_pipeline(
            PIPELINES.path(pipeline),
            task,
            controlnets=[CONTROLNETS.path(name) for name in names],
            tokenizer=TOKENIZER,
            dtype=PRECISIONS[precision] or _usual_precision(),
            device=comfy.model_management.unet_offload_device(),
        )
        bring = bringing(loaded.modules, WORKING_BYTES, whole=True)
        return io.NodeOutput(replace(loaded, before_use=bring), str(loaded))


class EscalierRunPipeline(Node):
    """Paints keyframes, sheets or frames anew with a pipeline of diffusers. Pictures come back in exactly their own
    size, each with the noise of the same seed; outside a mask not one bit changes.
    """

    display_name = "Paint with Pipeline"
    search_aliases = ("diffusers sampler", "img2img", "inpaint", "instruct pix2pix", "depth2img", "repaint")
    inputs = (
        sockets.Pipeline.Input("pipeline", tooltip="The pipeline from Load Diffusers Pipeline."),
        io.Image.Input("image", tooltip="The sheets, keyframes or frames to paint."),
        io.String.Input(
            "prompt",
            default="",
            multiline=True,
            tooltip="What to paint. For InstructPix2Pix an instruction, such as 'make it a gouache painting'.",
        ),
        io.String.Input("negative_prompt", default="", multiline=True, tooltip="What not to paint."),
        *dial_inputs(Painting, "strength", "steps", "guidance"),
        dial_input(Painting, "image_guidance", advanced=True),
        io.Int.Input(
            "seed",
            **span(0, 0, 2**63 - 1),
            control_after_generate=True,
            tooltip="Another seed, another painting; the same one, the same bits.",
        ),
        dial_input(Painting, "batch", advanced=True),
        *(
            io.Float.Input(
                f"control_strength{suffix}",
                **span(1.0, 0.0, 2.0, step=0.05),
                advanced=bool(suffix),
                tooltip=f"How firmly the {place} ControlNet holds. 0 has no effect; above 1 the drawing hardens.",
            )
            for suffix, place in PLACES.items()
        ),
        optional(io.Mask, "mask", "For inpaint: white is painted, black keeps its bits. One for all, or one each."),
        *(
            io.Image.Input(
                f"control_map{suffix}",
                optional=True,
                tooltip=f"What the {place} ControlNet respects: one map for each picture, or one for all, of the "
                f"pictures' size.{' For depth2img: depth, near white.' if not suffix else ''}",
            )
            for suffix, place in PLACES.items()
        ),
    )
    outputs = (output(io.Image, "image", "The paintings, of the pictures' size."),)

    @classmethod
    def execute(
        cls, pipeline: Pipeline, image: torch.Tensor, prompt: str, mask: torch.Tensor | None = None, **given: Any
    ) -> io.NodeOutput:
        held = [(given.pop(f"control_map{end}", None), given.pop(f"control_strength{end}"), end) for end in PLACES]
        maps = [pictures_from_images(one, f"control_map{end}") for one, _, end in held if one is not None]
        holds = tuple(strength for _, strength, _ in held)[: pipeline.controlnets]
        painted = repaint(
            pipeline,
            pictures_from_images(image, "image"),
            prompt,
            replace(dials_from(Painting, given), control_strengths=holds),
            masks=None if mask is None else masks_from_input(mask),
            control_maps=maps,
            progress=Progress(),
        )
        return io.NodeOutput(torch.from_numpy(painted))


def _usual_precision() -> torch.dtype:
    device = comfy.model_management.get_torch_device()
    return torch.float16 if comfy.model_management.should_use_fp16(device) else torch.float32
