"""ComfyUI's own frame interpolation network, RIFE 4.25 and later, with a few random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file

HEAD, WIDTH = 2, 8


def write_tiny_rife(path: Path, seed: int = 0) -> Path:
    """A file that ComfyUI's Load Frame Interpolation Model takes for RIFE: its layers' names, five narrow blocks."""
    shapes = {"encode.cnn0": (16, 3, 3, 3), "encode.cnn1": (16, 16, 3, 3), "encode.cnn2": (16, 16, 3, 3)}
    shapes["encode.cnn3"] = (16, HEAD, 4, 4)
    for block in range(5):
        name, channels = f"blocks.{block}", 7 + 2 * HEAD if block == 0 else 20 + 2 * HEAD
        shapes[f"{name}.conv0.0.0"] = (WIDTH // 2, channels, 3, 3)
        shapes[f"{name}.conv0.1.0"] = (WIDTH, WIDTH // 2, 3, 3)
        shapes |= {f"{name}.convblock.{layer}.conv": (WIDTH, WIDTH, 3, 3) for layer in range(8)}
        shapes[f"{name}.lastconv.0"] = (WIDTH, 52, 4, 4)
    random = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}.weight"] = 0.05 * torch.randn(shape, generator=random)
        transposed = name.endswith(("cnn3", "lastconv.0"))
        weights[f"{name}.bias"] = torch.zeros(shape[1] if transposed else shape[0])
        if name.endswith(".conv"):
            weights[f"{name.removesuffix('conv')}beta"] = torch.ones(1, WIDTH, 1, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(weights, str(path))
    return path
