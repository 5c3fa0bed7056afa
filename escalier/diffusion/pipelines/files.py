"""What lies on the disk: a pipeline's folder, a checkpoint, a ControlNet, or something that only bears their name.

Read before anything is loaded, so that a web page or half a download is refused by its name and not by a traceback.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from escalier.model_files import (
    WEIGHTS,
    UnreadableWeights,
    damage,
    is_safetensors,
    layout,
    read_weights,
    safetensors_shapes,
)
from escalier.refusals import MissingFile, Refusal

INDEX, CONFIG = "model_index.json", "config.json"
REMEDY = "download all files of the pipeline's folder again"
CHECKED_AWAY = ("safety_checker", "image_encoder")
"""Parts of a pipeline that are never loaded; they may be missing."""
LIBRARIES = ("diffusers", "transformers", "stable_diffusion")

SMALL, LARGE = "StableDiffusion", "StableDiffusionXL"
_ENDINGS = (
    "Pipeline", "Img2ImgPipeline", "InpaintPipeline", "InstructPix2PixPipeline", "ControlNetPipeline",
    "ControlNetImg2ImgPipeline", "ControlNetInpaintPipeline",
)  # fmt: skip
FOLDER_CLASSES = {f"{line}{ending}": line for line in (SMALL, LARGE) for ending in _ENDINGS} | {
    "StableDiffusionDepth2ImgPipeline": SMALL
}
"""Pipeline classes whose parts we can put to work, and the line of classes that they belong to."""

IN_FIRST, TEXT = "input_blocks.0.0.weight", "attn2.to_k.weight"


class Found(NamedTuple):
    """A model on the disk: its line of classes, the channels its network reads, and the width of the text it reads."""

    line: str
    in_channels: int
    text_width: int


def read_folder(folder: Path) -> Found:
    """What the folder of a pipeline holds.

    Raises FileNotFoundError if a part of it is missing; names it. Raises ValueError if it is no pipeline, one of a
    class we cannot run, or a file in it is damaged.
    """
    index = read_json(folder / INDEX)
    name = index.get("_class_name")
    if name not in FOLDER_CLASSES:
        rule = "hold a pipeline of Stable Diffusion 1, 2 or XL"
        raise Refusal(f"{folder}", rule, f"a {name}", "paint with ComfyUI's own nodes for that model")
    parts = {part: kind for part, kind in index.items() if isinstance(kind, list) and kind[0] is not None}
    for part, kind in parts.items():
        if part in CHECKED_AWAY:
            continue
        if kind[0] not in LIBRARIES:
            rule, remedy = "be made of parts of diffusers and transformers", "take a pipeline without it"
            raise Refusal(f"{folder}", rule, f"the part {part} of {kind[0]}, which would run code of its own", remedy)
        _check_part(folder / part, needs_weights=kind[1].endswith(("Model", "KL", "Projection", "Estimation")))
    unet = read_json(folder / "unet" / CONFIG)
    return Found(FOLDER_CLASSES[name], int(unet.get("in_channels", 4)), int(unet.get("cross_attention_dim", 0)))


def read_checkpoint(path: Path) -> Found:
    """What a checkpoint in one file holds, from the shapes of its tensors.

    Raises ValueError if it holds something else, or is damaged; says what it is.
    """
    shapes = tensor_shapes(path)
    first = next((shape for name, shape in shapes.items() if name == f"model.diffusion_model.{IN_FIRST}"), None)
    width = next((shape[1] for name, shape in shapes.items() if name.endswith(TEXT)), None)
    if first is None or width is None:
        rule = "hold a Stable Diffusion checkpoint"
        raise Refusal(f"{path}", rule, layout(shapes), "choose a file of models/checkpoints, or a pipeline's folder")
    large = any(name.startswith("conditioner.") for name in shapes)
    return Found(LARGE if large else SMALL, first[1], width)


def read_controlnet(path: Path) -> int:
    """The width of the text that a ControlNet reads, from its folder or its file.

    Raises FileNotFoundError if there is none, or its weights are missing. Raises ValueError if it is something
    else, or damaged.
    """
    if path.is_dir():
        config = read_json(path / CONFIG)
        name = config.get("_class_name")
        if name != "ControlNetModel":
            raise Refusal(
                f"{path}", "hold a ControlNetModel", f"a {name}", "for that one use ComfyUI's own ControlNet nodes"
            )
        _check_part(path, needs_weights=True)
        return int(config.get("cross_attention_dim", 0))
    shapes = tensor_shapes(path)
    width = next((shape[1] for name, shape in shapes.items() if name.endswith(TEXT)), None)
    if width is None or not any("zero_conv" in name or "controlnet_" in name for name in shapes):
        raise Refusal(f"{path}", "hold a ControlNet", layout(shapes), "choose another file")
    return width


def tensor_shapes(path: Path) -> Mapping[str, tuple[int, ...]]:
    """The shape of every tensor in a file, without reading the tensors where the format allows it."""
    if not path.is_file():
        raise MissingFile(f"no file or folder at {path}", remedy="check the path")
    check_whole(path)
    try:
        if is_safetensors(path):
            return safetensors_shapes(path)
        return {name: tuple(value.shape) for name, value in read_weights(path, mapped=True).items()}
    except UnreadableWeights as error:
        raise Refusal(
            f"{path}", "hold weights and nothing else", error.kind, "take the .safetensors file of the same model"
        ) from error


def numbers_in(path: Path, prefix: str = "") -> int:
    """How many numbers the tensors of a file, or of the files in a folder, hold; those whose names begin so."""
    files = [one for one in path.iterdir() if one.suffix in WEIGHTS] if path.is_dir() else [path]
    # By name: a folder may hold the same weights in two precisions or formats.
    tensors = {name: shape for file in files for name, shape in tensor_shapes(file).items()}
    return sum(math.prod(shape) for name, shape in tensors.items() if name.startswith(prefix))


def check_whole(path: Path) -> None:
    """Refuse a file that is a web page, empty or cut off."""
    wrong = damage(path)
    if wrong is not None:
        raise Refusal(f"{path}", "hold a model", wrong, "download it again")


def variant(folder: Path) -> str | None:
    """ "fp16" where a part, or the folder itself, holds its weights in half precision only, under that name."""
    weights = [path for path in folder.rglob("*") if path.suffix in (".safetensors", ".bin")]
    whole = {path.parent for path in weights if ".fp16." not in path.name}
    return "fp16" if any(path.parent not in whole for path in weights) else None


def read_json(path: Path) -> dict[str, Any]:
    """What a description of a model says."""
    if not path.is_file():
        raise MissingFile(f"{path.parent}", f"hold {path.name}", "none", f"{_is_no_pipeline(path.parent)}")
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        wrong = damage(path) or "something else"
        raise Refusal(f"{path}", "be a description in JSON", wrong, "download it again") from error
    if not isinstance(settings, dict):
        raise Refusal(f"{path}", "describe a model", type(settings).__name__, REMEDY)
    return settings


def _is_no_pipeline(folder: Path) -> str:
    if (folder / CONFIG).is_file():
        return "it is one part of a pipeline, or another model; name the folder that holds them all"
    inside = next((path.parent for path in sorted(folder.glob(f"*/{INDEX}"))), None)
    return f"perhaps {inside} is meant" if inside else REMEDY


def _check_part(folder: Path, needs_weights: bool) -> None:
    if not folder.is_dir():
        raise MissingFile(f"{folder.parent}", f"hold the folder {folder.name}", "none", REMEDY)
    weights = [path for path in folder.iterdir() if path.suffix in WEIGHTS]
    if needs_weights and not weights:
        raise MissingFile(f"{folder}", "hold its weights", "none", REMEDY)
    for path in weights:
        check_whole(path)
