"""What a model file really is: downloads go wrong in few ways, and each has a name that an artist understands."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from pathlib import Path

LAYOUTS = (
    ("model.diffusion_model.", "a Stable Diffusion checkpoint; it belongs into models/checkpoints"),
    ("control_model.", "a ControlNet; it belongs into models/controlnet"),
    ("controlnet_", "a ControlNet; it belongs into models/controlnet"),
    ("first_stage_model.", "a VAE; it belongs into models/vae"),
    ("lora_", "a LoRA; it belongs into models/loras"),
    ("image_encoder.trunk.", "a Segment Anything 2 model, which this package cannot run"),
    ("image_encoder.patch_embed.seq.", "a MobileSAM model, which this package cannot run"),
    ("vision_encoder.", "a Segment Anything model in the transformers package's layout; take Meta's own .pth file"),
    ("detector.", "a Segment Anything 3 model; use ComfyUI's own SAM3 nodes for it"),
)
"""How the names of a model's tensors begin, and what it then is."""


def damage(path: Path) -> str | None:
    """What is wrong with a file that should hold a model, as seen from its first and last bytes; None if nothing is.

    >>> import tempfile
    >>> page = Path(tempfile.mkdtemp()) / "sam.pth"
    >>> _ = page.write_text("<!DOCTYPE html><html>404</html>")
    >>> damage(page)
    'a web page'
    """
    length = path.stat().st_size
    if length == 0:
        return "an empty file"
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(max(0, length - 65_600))
        tail = file.read()
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "a web page"
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS, not the file itself"
    if start.startswith(b"{") and b'"' in start[:8]:
        return "a text in JSON"
    if head.startswith(b"PK\x03\x04") and b"PK\x05\x06" not in tail:
        return f"the first {length / 1e6:.1f} MB of a file whose end is missing"
    if is_safetensors(path) and (missing := _missing_bytes(path)):
        return f"a file whose last {missing / 1e6:.1f} MB are missing"
    return None


def is_safetensors(path: Path) -> bool:
    """Whether the file begins as safetensors files do: the length of a JSON header, then the header."""
    with path.open("rb") as file:
        head = file.read(9)
    return len(head) == 9 and head[8:] == b"{" and struct.unpack("<Q", head[:8])[0] < 2**30


def _missing_bytes(path: Path) -> int:
    """By how much a safetensors file is too short."""
    length = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = struct.unpack("<Q", file.read(8))[0]
        header = file.read(header_bytes)
    if len(header) < header_bytes:
        return header_bytes - len(header)
    ends = [entry["data_offsets"][1] for entry in json.loads(header).values() if "data_offsets" in entry]
    return max(0, 8 + header_bytes + max(ends, default=0) - length)


def layout(names: Iterable[str]) -> str:
    """What a file is whose tensors have these names.

    >>> layout(["model.diffusion_model.out.2.bias"])
    'a Stable Diffusion checkpoint; it belongs into models/checkpoints'
    """
    known = list(names)
    for beginning, kind in LAYOUTS:
        if any(name.startswith(beginning) for name in known):
            return kind
    if not known:
        return "a file without any tensors"
    return f"a file of {len(known)} other tensors (the first is {known[0]})"
