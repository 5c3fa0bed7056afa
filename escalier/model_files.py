"""What a model file really is, and the one reader of weights.

Downloads go wrong in few ways, and each has a name that an artist understands. Nothing in a file is ever executed:
torch reads tensors, containers and a few harmless kinds of settings, and refuses everything else by its name.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import pathlib
import pickle
import re
import struct
import types
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from escalier.packages import load_package
from escalier.refusals import MissingFile, Refusal

if TYPE_CHECKING:
    import torch

TORCH_REQUIREMENT = "torch>=2.4"
WEIGHTS = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
"""How the names of files end that hold weights."""

DAMAGED_SAFETENSORS = "a damaged file of safetensors"
JSON_TEXT, PLAIN_TEXT = "a text in JSON", "a text"

SAM2 = (
    "a Segment Anything 2 model; the node Track Mask with SAM2 runs it, from the whole folder of "
    "facebook/sam2.1-hiera-small (of huggingface.co) in models/sam2"
)
LAYOUTS: tuple[tuple[str | tuple[str, ...], str], ...] = (
    ("model.diffusion_model.", "a Stable Diffusion checkpoint; it belongs into models/checkpoints"),
    (("control_model.", "controlnet_"), "a ControlNet; it belongs into models/controlnet"),
    ("lora_", "a LoRA; it belongs into models/loras"),
    ("first_stage_model.", "a VAE; it belongs into models/vae"),
    (("image_encoder.trunk.", "sam_mask_decoder.", "vision_encoder.backbone."), SAM2),
    ("image_encoder.patch_embed.seq.", "a MobileSAM or TinySAM model, which this package cannot run"),
    ("image_encoder.features.", "an EdgeSAM or RepViT-SAM model, which this package cannot run"),
    ("image_encoder.backbone.", "an EfficientViT-SAM model, which this package cannot run"),
    (
        ("prompt_encoder.invalid_points", "prompt_encoder.bbox_top_left_embeddings"),
        "an EfficientSAM model, which this package cannot run",
    ),
    ("image_encoder.blocks.0.Adapter.", "a SAM-Med2D model, which this package cannot run"),
    ("vision_encoder.", "a Segment Anything model in the transformers package's layout; take Meta's own .pth file"),
    (
        ("detector.", "detector_model.", "tracker_model."),
        "a Segment Anything 3 model; use ComfyUI's own SAM3 nodes for it",
    ),
    ("model.0.conv.", "a YOLO model, such as FastSAM, which this package cannot run"),
)
"""How the names of a model's tensors begin, and what it then is. The first that fits says it."""
PROGRAMS = (
    ("ultralytics.", "a YOLO model, such as FastSAM, which this package cannot run"),
    ("segment_anything.", "a whole Segment Anything program in place of its weights; save its state_dict instead"),
    ("sam2.", SAM2),
)
"""Of which packages objects lie in files that hold more than weights, and what such a file then is."""
WRAPPINGS = (
    "model_state_dict", "state_dict", "model", "module", "params_ema", "params", "net", "network", "depth_model",
    "weights", "ema_state_dict", "model_ema", "ema", "student", "teacher",
)  # fmt: skip
"""Under which names training scripts keep the weights, beside the state of their optimizer; the first there counts."""
PREFIXES = ("module.", "_orig_mod.", "model.", "sam.", "net.", "network.")
"""What wrappers of modules put in front of every name."""
DEEPEST_WRAPPING = 4


class UnreadableWeights(Refusal):
    """A file that holds no weights; `kind` says what it is instead."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(f"{path}", "hold weights", kind, "download it again")
        self.kind = kind


def damage(path: Path) -> str | None:
    """What is wrong with a file that should hold a model, as seen from its first and last bytes; None if nothing is.

    >>> import tempfile
    >>> page = Path(tempfile.mkdtemp()) / "sam.pth"
    >>> _ = page.write_text("<!DOCTYPE html><html>404</html>")
    >>> damage(page)
    'a web page'
    """
    if not path.is_file():  # a pipe or a device would be waited for
        return "something other than an ordinary file"
    length = path.stat().st_size
    if length == 0:
        return "an empty file"
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(max(0, length - 65_600))
        tail = file.read()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<!--")):
        return "a web page"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself"
    if start.startswith((b"{", b"[")) and b'"' in start[:8]:
        return JSON_TEXT
    if not any(head):
        return "nothing but zeros: a download that was never filled"
    if all(byte >= 32 or byte in b"\t\r\n" for byte in head) and head.isascii():
        return PLAIN_TEXT
    if head.startswith(b"PK\x03\x04") and b"PK\x05\x06" not in tail:
        return f"the first {_megabytes(length)} of a file whose end is missing"
    if is_safetensors(path) and (missing := _missing_bytes(path)):
        return f"a file whose last {_megabytes(missing)} are missing"
    return None


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 5e4 else f"{count} bytes"


def is_safetensors(path: Path) -> bool:
    """Whether the file begins as safetensors files do: the length of a JSON header, then the header."""
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < 2**30


def _missing_bytes(path: Path) -> int:
    """By how much a safetensors file is too short. A header that cannot be read is left to who reads the tensors."""
    length = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = struct.unpack("<Q", file.read(8))[0]
        header = file.read(header_bytes)
    if len(header) < header_bytes:
        return header_bytes - len(header)
    try:
        ends = [entry["data_offsets"][1] for entry in json.loads(header).values() if "data_offsets" in entry]
        return max(0, 8 + header_bytes + max(ends, default=0) - length)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        return 0


def safetensors_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in a file of safetensors, from its header alone.

    Raises UnreadableWeights if the header is damaged.
    """
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        return {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise UnreadableWeights(path, DAMAGED_SAFETENSORS) from error


def layout(names: Iterable[str]) -> str:
    """What a file is whose tensors have these names.

    >>> layout(["model.diffusion_model.out.2.bias"])
    'a Stable Diffusion checkpoint; it belongs into models/checkpoints'
    >>> layout(["sam.image_encoder.features.0.weight"])
    'an EdgeSAM or RepViT-SAM model, which this package cannot run'
    """
    known = bare = list(names)
    while bare:
        for beginning, kind in LAYOUTS:
            if any(name.startswith(beginning) for name in bare):
                return kind
        bare = [shorter for name in bare if (shorter := _without_first_prefix(name)) != name]
    if not known:
        return "a file without any tensors"
    return f"a file of {len(known)} other tensors (the first is {known[0]})"


def _without_first_prefix(name: str) -> str:
    return name.removeprefix(next((prefix for prefix in PREFIXES if name.startswith(prefix)), ""))


def read_weights(path: str | Path, *, mapped: bool = False) -> dict[str, torch.Tensor]:
    """The tensors of a file by name, on the processor, without the wrappings that training scripts put around them.

    Parameters
    ----------
    path
        What torch.save wrote (.pth, .pt, .ckpt, .bin), or a file of safetensors; its content decides, not its name.
    mapped
        Leave the tensors on the disk until they are used. The file stays open as long as one of them lives.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    UnreadableWeights
        A ValueError whose `kind` says what the file is instead of weights.
    ImportError
        If torch, or safetensors where it is needed, is missing.

    Nothing in the file is executed. Beside tensors and containers, settings of argparse, numbers and arrays of numpy
    and paths may lie in it; they are left out.

    >>> read_weights("models/sams/missing.pth")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: read_weights: path must be a file, got models/sams/missing.pth; put the model there
    """
    path = Path(path)
    if not path.exists():
        raise MissingFile("path", "be a file", path, "put the model there", who="read_weights")
    if found := damage(path):
        raise UnreadableWeights(path, found)
    torch = load_package("torch", TORCH_REQUIREMENT, "Weights of models")
    if is_safetensors(path):
        package = load_package("safetensors", "safetensors>=0.4", "Models in safetensors")
        try:
            return dict(load_package("safetensors.torch", "safetensors>=0.4", "Models in safetensors").load_file(path))
        except (package.SafetensorError, ValueError, KeyError) as error:
            raise UnreadableWeights(path, DAMAGED_SAFETENSORS) from error
    content = _unpickled(path, mapped)
    if not isinstance(content, Mapping):
        raise UnreadableWeights(path, f"a {type(content).__name__} where a table of weights should be")
    table = _unwrapped(content, torch)
    return {str(name): value for name, value in table.items() if isinstance(value, torch.Tensor)}


def under_prefix(weights: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """The weights as they were before a wrapper put its prefix in front of every name, "module." for instance.

    `wanted` is the name of a tensor of the network; what stands before it in the file is the prefix. Tensors without
    that prefix belong to something else, a loss for instance, and keep their names.

    >>> under_prefix({"sam.neck.weight": 1, "loss.weight": 2}, "neck.weight")
    {'neck.weight': 1, 'loss.weight': 2}
    """
    prefixed = sorted((name for name in weights if name == wanted or name.endswith("." + wanted)), key=len)
    prefix = prefixed[0].removesuffix(wanted) if prefixed else ""
    return {name.removeprefix(prefix): value for name, value in weights.items()}


def _unpickled(path: Path, mapped: bool) -> Any:
    import torch

    with path.open("rb") as file:
        is_zip = file.read(4) == b"PK\x03\x04"
    if is_zip and (kind := _kind_of_archive(path)):
        raise UnreadableWeights(path, kind)
    try:
        with _harmless_settings():
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped and is_zip)
    except pickle.UnpicklingError as error:
        raise UnreadableWeights(path, _program(str(error))) from error
    # A damaged pickle can ask the unpickler for anything; it carries no code that could raise errors of its own.
    except (
        RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, OSError, AssertionError,
        struct.error, OverflowError, MemoryError, ImportError,
    ) as error:  # fmt: skip
        raise UnreadableWeights(path, "a file that torch cannot read as weights") from error


def _kind_of_archive(path: Path) -> str | None:
    """What a ZIP archive is that torch.save did not write; None where it did."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, struct.error) as error:
        raise UnreadableWeights(path, "a damaged archive") from error
    if any(name.endswith("constants.pkl") for name in names):
        return "a TorchScript program in place of weights"
    if not any(name.endswith("data.pkl") for name in names):
        return f"a ZIP archive of other things ({', '.join(names[:1]) or 'nothing at all'})"
    return None


def _program(message: str) -> str:
    """What a file is that holds objects of a program, from torch's refusal of the first of them."""
    found = re.search(r"GLOBAL ([\w.]+)", message)
    if found is None:
        return "a file that torch cannot read as weights"
    named = next((kind for package, kind in PROGRAMS if found.group(1).startswith(package)), None)
    return named or (
        f"a file that torch cannot read as weights: it also holds {found.group(1)}, which only the program that wrote "
        "it can read"
    )


def _harmless_settings() -> contextlib.AbstractContextManager[None]:
    """Let torch read what training scripts leave beside weights, where no code of a file can hide in it."""
    import torch

    allow = getattr(torch.serialization, "safe_globals", None)  # new in torch 2.5
    if allow is None:
        return contextlib.nullcontext()
    scalar = np.float64(0).__reduce__()[0]
    reconstruct = np.zeros(1).__reduce__()[0]
    return allow(
        [
            argparse.Namespace, types.SimpleNamespace, np.ndarray, np.dtype, slice, datetime.datetime,
            datetime.timedelta,
            *{type(np.dtype(code)) for code in np.typecodes["All"]},
            *((function, f"numpy.{core}.multiarray.{name}") for core in ("core", "_core")
              for function, name in ((scalar, "scalar"), (reconstruct, "_reconstruct"))),
            *((pathlib.PurePath, f"pathlib{part}.{name}") for part in ("", "._local")
              for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")),
        ]
    )  # fmt: skip


def _unwrapped(content: Mapping[Any, Any], torch: Any, depth: int = 0) -> Mapping[Any, Any]:
    """The table that holds the tensors, out of the tables that hold it."""
    if depth < DEEPEST_WRAPPING:
        for wrapping in WRAPPINGS:
            inner = content.get(wrapping)
            if isinstance(inner, Mapping) and _holds_tensors(inner, torch, depth):
                return _unwrapped(inner, torch, depth + 1)
    return content


def _holds_tensors(content: Mapping[Any, Any], torch: Any, depth: int) -> bool:
    if any(isinstance(value, torch.Tensor) for value in content.values()):
        return True
    inner = [content[wrapping] for wrapping in WRAPPINGS if isinstance(content.get(wrapping), Mapping)]
    return depth < DEEPEST_WRAPPING and any(_holds_tensors(one, torch, depth + 1) for one in inner)
