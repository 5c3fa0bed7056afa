"""A trained HED through the pack, against a forward pass written from the paper, on the package's own weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from trained_models import trained_hed

from escalier.diffusion import draw_control_maps
from escalier.film import Size, make_clip

torch = pytest.importorskip("torch")
h5py = pytest.importorskip("h5py")

LAYERS = (2, 2, 3, 3, 3)
MEAN_BLUE_GREEN_RED = (104.00699, 116.66877, 122.67892)
LEAST_CORRELATION = 0.995


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """The trained weights by keras' names."""
    found: dict[str, np.ndarray] = {}

    def keep(name: str, value: object) -> None:
        if isinstance(value, h5py.Dataset):
            found[name] = value[()]

    with h5py.File(trained_hed()) as file:
        file.visititems(keep)
    return found


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A frame of a clip made with code; its sides are multiples of 64, so that nothing is scaled or padded."""
    return make_clip(Size(512, 256), length=3).frame(1)


def convolution(block: int, layer: int) -> str:
    return f"block{block}/layers/conv2d{f'_{layer}' if layer else ''}/vars"


def as_controlnet_file(weights: dict[str, np.ndarray]) -> dict[str, object]:
    """The same network as controlnet-aux lays it out: RGB, and a plain mean of five maps in place of the last layer."""
    state: dict[str, object] = {"norm": torch.tensor(MEAN_BLUE_GREEN_RED[::-1]).view(1, 3, 1, 1)}
    share, offset = weights["fuse/vars/0"].ravel(), float(weights["fuse/vars/1"][0])
    for block, layers in enumerate(LAYERS, 1):
        for layer in range(layers):
            kernel = weights[f"{convolution(block, layer)}/0"]
            kernel = kernel[:, :, ::-1] if (block, layer) == (1, 0) else kernel
            state[f"block{block}.convs.{layer}.weight"] = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
            state[f"block{block}.convs.{layer}.bias"] = torch.from_numpy(weights[f"{convolution(block, layer)}/1"])
        kernel, bias = (weights[f"dsn{block}/vars/{i}"] for i in (0, 1))
        scale = len(LAYERS) * float(share[block - 1])
        state[f"block{block}.projection.weight"] = torch.from_numpy(scale * kernel.transpose(3, 2, 0, 1))
        state[f"block{block}.projection.bias"] = torch.from_numpy(scale * bias + offset)
    return state


def edges_of(picture: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Xie & Tu 2015, figure 3, from the package's weights as they stand: side outputs, fused, float32 0..1."""

    def convolve(maps, name: str, padding: int = 0):
        kernel = torch.from_numpy(weights[f"{name}/0"].transpose(3, 2, 0, 1).copy())
        return torch.nn.functional.conv2d(maps, kernel, torch.from_numpy(weights[f"{name}/1"]), padding=padding)

    blue_green_red = picture[..., ::-1].astype(np.float32) - np.float32(MEAN_BLUE_GREEN_RED)
    maps, sides = torch.from_numpy(blue_green_red.transpose(2, 0, 1)[None].copy()), []
    with torch.inference_mode():
        for block, layers in enumerate(LAYERS, 1):
            maps = maps if block == 1 else torch.nn.functional.max_pool2d(maps, 2)
            for layer in range(layers):
                maps = convolve(maps, convolution(block, layer), padding=1).relu()
            side = convolve(maps, f"dsn{block}/vars")
            sides.append(torch.nn.functional.interpolate(side, picture.shape[:2], mode="bilinear"))
        return convolve(torch.cat(sides, dim=1), "fuse/vars").sigmoid()[0, 0].numpy()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_trained_hed_draws_what_its_paper_says(
    tmp_path: Path, weights: dict[str, np.ndarray], picture: np.ndarray, suffix: str
) -> None:
    state = as_controlnet_file(weights)
    if suffix == ".pth":
        torch.save(
            {"state_dict": {f"module.{name}": value for name, value in state.items()}}, tmp_path / "ControlNetHED.pth"
        )
    else:
        pytest.importorskip("safetensors.torch").save_file(state, tmp_path / "ControlNetHED.safetensors")
    ours = draw_control_maps([picture], "hed", folders=[tmp_path], resolution=0)[0, :, :, 0]
    truth = edges_of(picture, weights)
    assert truth.std() > 0.05, "a picture without edges compares nothing"
    assert np.corrcoef(ours.ravel(), truth.ravel())[0, 1] >= LEAST_CORRELATION
    assert np.abs(ours - truth).max() < 0.05
