"""Weight files of detectors: the real architectures with random weights, small on the disk.

Every tensor is a view into one random buffer with overlapping strides. torch.save keeps the buffer once, so that a
network of 500 MB becomes a file of 1 MB; all its matrices still have full rank.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace

import torch

from escalier.diffusion.control_maps.package import detector_module

BUFFER = 1 << 17


def write_weights(kind: str, folder: Path) -> None:
    """Put the files that a kind of control map needs into a folder, with random weights."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, state in FILES[kind]().items():
        torch.save(state, folder / name)


def random_state(network: torch.nn.Module, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random weights for a network, of a size that keeps its numbers near 1."""
    noise = torch.randn(BUFFER, generator=torch.Generator().manual_seed(seed))
    buffers: dict[int, torch.Tensor] = {}
    state = {}
    for key, tensor in network.state_dict().items():
        if tensor.ndim < 2 or not tensor.is_floating_point():
            state[key] = tensor.clone()
            continue
        fan_in = max(1, tensor[0].numel())
        state[key] = _view(buffers.setdefault(fan_in, noise / fan_in**0.5), tensor.shape)
    return state


def _view(buffer: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """A tensor of this shape in the buffer: row i of the matrix begins i numbers further on (a Hankel matrix)."""
    for split in range(1, len(shape)):
        rows, columns = shape[:split].numel(), shape[split:].numel()
        if rows + columns <= len(buffer):
            return buffer.as_strided((rows, columns), (1, 1)).unflatten(1, shape[split:]).unflatten(0, shape[:split])
    raise ValueError(f"random_state: no split of {tuple(shape)} fits a buffer of {len(buffer)}; enlarge BUFFER")


def _network(module: str, name: str, *args: object, **settings: object) -> torch.nn.Module:
    return getattr(detector_module(module), name)(*args, **settings)


def _prefixed(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """As torch's DataParallel saves it."""
    return {f"module.{key}": value for key, value in random_state(network).items()}


def _shortened(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """As the body and hand weights of OpenPose are saved: without the name of the block."""
    return {key.split(".", 1)[1]: value for key, value in random_state(network).items()}


def _anime() -> torch.nn.Module:
    return _network("lineart_anime", "UnetGenerator", 3, 1, 8, 64, norm_layer=torch.nn.InstanceNorm2d)


def _zoe() -> torch.nn.Module:
    config = detector_module("zoe.zoedepth.utils.config").get_config("zoedepth", "infer")
    return detector_module("zoe.zoedepth.models.zoedepth.zoedepth_v1").ZoeDepth.build_from_config(config)


def _normal() -> torch.nn.Module:
    settings = {"mode": "client", "architecture": "BN", "pretrained": "scannet"}
    ratios = {"sampling_ratio": 0.4, "importance_ratio": 0.7}
    return _network("normalbae", "NNET", SimpleNamespace(**settings, **ratios))


FILES: Mapping[str, Callable[[], dict[str, object]]] = {
    "lineart realistic": lambda: {"sk_model.pth": random_state(_network("lineart", "Generator", 3, 1, 3))},
    "lineart coarse": lambda: {"sk_model2.pth": random_state(_network("lineart", "Generator", 3, 1, 3), 1)},
    "lineart anime": lambda: {"netG.pth": _prefixed(_anime())},
    "hed": lambda: {"ControlNetHED.pth": random_state(_network("hed", "ControlNetHED_Apache2"))},
    "pidinet": lambda: {"table5_pidinet.pth": {"state_dict": _prefixed(_network("pidi", "pidinet"))}},
    "teed": lambda: {"5_model.pth": random_state(_network("teed", "TED"))},
    "mlsd": lambda: {"mlsd_large_512_fp32.pth": random_state(_network("mlsd", "MobileV2_MLSD_Large"))},
    "openpose": lambda: {
        "body_pose_model.pth": _shortened(_network("open_pose.body", "bodypose_model")),
        "hand_pose_model.pth": _shortened(_network("open_pose.hand", "handpose_model")),
        "facenet.pth": random_state(_network("open_pose.face", "FaceNet")),
    },
    "depth midas": lambda: {
        "dpt_hybrid-midas-501f0c75.pt": random_state(
            _network("midas.midas.dpt_depth", "DPTDepthModel", backbone="vitb_rn50_384", non_negative=True)
        )
    },
    "depth zoe": lambda: {"ZoeD_M12_N.pt": {"model": random_state(_zoe())}},
    "depth leres": lambda: {
        "res101.pth": {
            "depth_model": _prefixed(
                _network("leres.leres.multi_depth_model_woauxi", "RelDepthModel", backbone="resnext101")
            )
        }
    },
    "normal": lambda: {"scannet.pt": {"model": random_state(_normal())}},
}
"""For each kind the files it needs: their names, and what torch.save is to write."""
