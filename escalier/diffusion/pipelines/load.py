"""Pipelines of diffusers, loaded from folders and files on this disk. Nothing is ever fetched from the network."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from escalier.arguments import checked
from escalier.refusals import MissingFile, Refusal

from .depth import with_given_depth
from .families import KNOWN, TASK_OF_CHANNELS, TOKENIZER, family_of, write_controlnet_settings, write_settings
from .files import INDEX, LARGE, SMALL, Found, numbers_in, read_checkpoint, read_controlnet, read_folder, variant
from .package import import_packages, naming_trouble, pipeline_class, quiet

if TYPE_CHECKING:
    import torch

TASKS = ("auto", "img2img", "inpaint", "controlnet", "pix2pix", "depth2img")
CHANNELS = {"img2img": (4,), "inpaint": (4, 9), "controlnet": (4,), "pix2pix": (8,), "depth2img": (5,)}
"""How many channels a network may read that is put to a task."""

CLASSES = {
    (SMALL, "img2img", False): "StableDiffusionImg2ImgPipeline",
    (SMALL, "inpaint", False): "StableDiffusionInpaintPipeline",
    (SMALL, "inpaint", True): "StableDiffusionControlNetInpaintPipeline",
    (SMALL, "controlnet", True): "StableDiffusionControlNetImg2ImgPipeline",
    (SMALL, "pix2pix", False): "StableDiffusionInstructPix2PixPipeline",
    (SMALL, "depth2img", False): "StableDiffusionDepth2ImgPipeline",
    (LARGE, "img2img", False): "StableDiffusionXLImg2ImgPipeline",
    (LARGE, "inpaint", False): "StableDiffusionXLInpaintPipeline",
    (LARGE, "inpaint", True): "StableDiffusionXLControlNetInpaintPipeline",
    (LARGE, "controlnet", True): "StableDiffusionXLControlNetImg2ImgPipeline",
    (LARGE, "pix2pix", False): "StableDiffusionXLInstructPix2PixPipeline",
}
"""The pipeline class for a line of models, a task, and whether ControlNets take part."""


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A loaded pipeline and what it does.

    Parameters
    ----------
    runner
        diffusers' own pipeline object.
    task
        One of `TASKS`, except "auto".
    family
        "SD 1.5", "SD 2", "SDXL".
    controlnets
        How many ControlNets take part.
    before_use
        Called before it works; whoever manages the memory of the graphics card brings its parts there.
    """

    runner: Any
    task: str
    family: str
    controlnets: int = 0
    before_use: Callable[[], object] | None = None

    def __str__(self) -> str:
        nets = f" with {self.controlnets} ControlNet{'s' * (self.controlnets > 1)}" if self.controlnets else ""
        return f"{self.task} of {self.family}{nets}"

    @property
    def modules(self) -> list[torch.nn.Module]:
        """The networks, as a memory manager moves them."""
        import torch

        return [part for part in self.runner.components.values() if isinstance(part, torch.nn.Module)]


@checked
def load_pipeline(
    path: str | Path,
    task: str = "auto",
    *,
    controlnets: Sequence[str | Path] = (),
    settings: str | Path | None = None,
    tokenizer: str | Path | None = None,
    dtype: torch.dtype | None = None,
    device: str | torch.device | None = None,
) -> Pipeline:
    """Load a pipeline from a folder or a file on this disk; nothing is ever downloaded.

    Parameters
    ----------
    path
        A folder as diffusers saves it and huggingface.co shows it, with model_index.json, or a checkpoint in one file.
    task
        "img2img", "inpaint", "controlnet" (img2img held by ControlNets), "pix2pix" (InstructPix2Pix), "depth2img";
        "auto" takes what the network was taught.
    controlnets
        Folders with config.json, or files, of the pipeline's family. They take part in "controlnet" and "inpaint".
    settings
        For a checkpoint in one file: a pipeline folder of the same kind, which needs no weights. Without it, the folder
        beside the file that bears its name, and else what is known of SD 1.5 and SDXL.
    tokenizer
        For a checkpoint of SD 1.5 or SDXL without settings: a folder with CLIP's vocab.json and merges.txt.
    dtype
        torch.float16 by default on a card, torch.float32 on the processor. Another one draws other noise from a seed.
    device
        Where it works: the card by default, where there is one.

    Raises
    ------
    FileNotFoundError
        If a file or a part of the folder is missing; names it.
    ValueError
        If something is damaged, of another kind or family, or the task does not fit it.
    ImportError
        Without diffusers or transformers, with the command that installs them.
    MemoryError
        If it does not fit the memory.

    >>> pipeline = load_pipeline("models/diffusers/stable-diffusion-v1-5")  # doctest: +SKIP
    >>> painted = repaint(pipeline, pictures, "a gouache painting of a dancer")  # doctest: +SKIP
    >>> load_pipeline("no such folder")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: load_pipeline: no file or folder at no such folder; check the path
    """
    path, nets = Path(path), [Path(one) for one in controlnets]
    found, task = check_pipeline(path, task, nets)
    import_packages()
    import torch

    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    dtype = dtype or (torch.float32 if device.type == "cpu" else torch.float16)
    runner_class = pipeline_class(CLASSES[found.line, task, bool(nets)])
    if task == "depth2img":
        runner_class = with_given_depth(runner_class)
    with naming_trouble(path), quiet(), tempfile.TemporaryDirectory(prefix="escalier-") as aside:
        parts: dict[str, Any] = {"torch_dtype": dtype, "local_files_only": True}
        if found.line == SMALL and task != "depth2img":
            parts |= {"safety_checker": None, "requires_safety_checker": False}
        if nets:
            parts["controlnet"] = [_load_controlnet(net, found, dtype, Path(aside)) for net in nets]
        if path.is_dir():
            runner = runner_class.from_pretrained(str(path), **_ways(path), **parts)
        else:
            known = _settings(path, found, settings, tokenizer, Path(aside))
            runner = runner_class.from_single_file(str(path), config=str(known), **parts)
        _refuse_gaps(path, runner)
        runner.to(device)
    runner.set_progress_bar_config(disable=True)
    return Pipeline(runner, task, family_of(found.text_width), len(nets))


def check_pipeline(path: str | Path, task: str = "auto", controlnets: Sequence[str | Path] = ()) -> tuple[Found, str]:
    """Refuse, by headers alone and within a moment, what `load_pipeline` could not load; gives what it is and its task.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_pipeline`.

    >>> check_pipeline("models/checkpoints/sd15.safetensors", "upscale")
    Traceback (most recent call last):
    escalier.refusals.Refusal: task must be one of auto, img2img, inpaint, ..., got 'upscale'; choose one of them
    """
    path, nets = Path(path), [Path(one) for one in controlnets]
    if task not in TASKS:
        raise Refusal("task", f"be one of {', '.join(TASKS)}", f"{task!r}", "choose one of them")
    found = read_folder(path) if path.is_dir() else read_checkpoint(path)
    task = _task(task, found, bool(nets))
    for net in nets:
        _check_family(net, read_controlnet(net), found)
    return found, task


def _task(task: str, found: Found, with_nets: bool) -> str:
    """The task, if the network was taught it."""
    own = TASK_OF_CHANNELS.get(found.in_channels)
    if task == "auto":
        task = "controlnet" if with_nets and own == "img2img" else own or task
    if found.in_channels not in CHANNELS.get(task, ()):
        rule = "be what the network was taught"
        got = f"{task} for one that reads {found.in_channels} channels, which is {own or 'a kind we do not know'}"
        raise Refusal("task", rule, got, f"{f'choose {own}' if own else 'take another model'}")
    if task == "controlnet" and not with_nets:
        raise Refusal("controlnets", "name at least one for the task controlnet", "none", "add one")
    if with_nets and (found.line, task, True) not in CLASSES:
        raise Refusal(
            "controlnets", f"be left out for the task {task}", "some", "they take part in controlnet and inpaint"
        )
    if (found.line, task, with_nets) not in CLASSES:
        raise Refusal("task", f"be one that {family_of(found.text_width)} has", task, "take SD 1.5 or SD 2")
    return task


def _check_family(path: Path, text_width: int, found: Found) -> None:
    if text_width != found.text_width:
        own = family_of(found.text_width)
        rule, got = f"be a ControlNet of the pipeline's family, {own}", f"one for {family_of(text_width)}"
        raise Refusal(f"{path}", rule, got, f"load a ControlNet for {own}")


def _load_controlnet(path: Path, found: Found, dtype: torch.dtype, aside: Path) -> Any:
    net_class = import_packages().ControlNetModel
    if path.is_dir():
        net = net_class.from_pretrained(str(path), torch_dtype=dtype, local_files_only=True, **_ways(path))
        _check_complete(net, path)
        return net
    beside = path.with_suffix("")
    if not (beside / "config.json").is_file():
        family = family_of(found.text_width)
        if family not in KNOWN:
            rule = f"have its config.json in the folder {beside}"
            raise Refusal(f"{path}", rule, f"none, and only those of {' and '.join(KNOWN)} are known", "put it there")
        beside = aside / f"controlnet-{family}"
        if not beside.exists():
            write_controlnet_settings(beside, family)
    net = net_class.from_single_file(str(path), config=str(beside), torch_dtype=dtype, local_files_only=True)
    _check_complete(net, path)
    return net


def _settings(path: Path, found: Found, settings: str | Path | None, tokenizer: str | Path | None, aside: Path) -> Path:
    """The folder with the settings of a checkpoint in one file: named, beside it, or written from what is known."""
    folder = Path(settings) if settings is not None else path.with_suffix("")
    if settings is not None or (folder / INDEX).is_file():
        if not (folder / INDEX).is_file():
            raise MissingFile(f"{folder}", f"hold {INDEX}", "none", "name a pipeline's folder of the same kind")
        return folder
    family = family_of(found.text_width)
    if family in KNOWN and tokenizer is not None and all((Path(tokenizer) / name).is_file() for name in TOKENIZER):
        return write_settings(aside / "settings", family, found.in_channels, Path(tokenizer))
    parts = f"{family}: model_index.json, tokenizer and each part's config; no weights"
    remedy = f"put the folder of such a pipeline there ({parts}), or name one"
    raise MissingFile(f"{path}", "have its settings beside it", f"no {folder / INDEX}", remedy)


def _refuse_gaps(path: Path, runner: Any) -> None:
    """diffusers fills weights that it does not find with random ones, and only says so in its log."""
    single = {"unet": "model.diffusion_model.", "vae": "first_stage_model."}
    for name, module in runner.components.items():
        if hasattr(module, "parameters") and ((path / name).is_dir() or (path.is_file() and name in single)):
            _check_complete(module, path / name if path.is_dir() else path, single[name] if path.is_file() else "")


def _check_complete(module: torch.nn.Module, path: Path, prefix: str = "") -> None:
    needed, held = sum(one.numel() for one in module.parameters()), numbers_in(path, prefix)
    if held < needed:
        rule, got = f"hold all weights of {type(module).__name__}", f"{held:,} of {needed:,} numbers"
        raise Refusal(f"{path}", rule, got, "download it again, with the config.json that belongs to it")


def _ways(folder: Path) -> dict[str, Any]:
    """How a folder is read: which of its files, and through accelerate, which halves the memory it takes."""
    return {"variant": variant(folder), "low_cpu_mem_usage": importlib.util.find_spec("accelerate") is not None}
