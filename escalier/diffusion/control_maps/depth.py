"""Depth as the networks give it (MiDaS, ZoeDepth, LeReS), larger for what is nearer, and surface normals.

The package scales each depth to its own picture's extremes, so that a person who walks in makes the room behind jump.
Here the network's own numbers come out; `depth_range` makes one range of them for all pictures.
"""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from .options import Detect, Options
from .package import detector_module
from .weights import fill, read_weights


def load_midas(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Inverse depth, in a unit of its own for each picture."""
    import torch

    model = detector_module("midas.midas.dpt_depth").DPTDepthModel(backbone="vitb_rn50_384", non_negative=True)
    network = fill(model, read_weights(files[0]), files[0]).to(device)

    def detect(picture: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return network(_batch(picture, device) / 127.5 - 1)[0].float().cpu().numpy()

    return detect


def load_zoe(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Depth in metres, with its sign turned so that near is large."""
    import torch

    zoe, config = (detector_module(f"zoe.zoedepth.{name}") for name in ("models.zoedepth.zoedepth_v1", "utils.config"))
    network = zoe.ZoeDepth.build_from_config(config.get_config("zoedepth", "infer"))
    network = fill(network, read_weights(files[0]), files[0]).to(device)

    def detect(picture: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return -network.infer(_batch(picture, device) / 255)[0, 0].float().cpu().numpy()

    return detect


def load_leres(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Depth up to a scale and shift, with its sign turned so that near is large."""
    leres, depthmap = (detector_module(f"leres.leres.{name}") for name in ("multi_depth_model_woauxi", "depthmap"))
    network = fill(leres.RelDepthModel(backbone="resnext101"), read_weights(files[0]), files[0]).to(device)

    def detect(picture: np.ndarray) -> np.ndarray:
        height, width = picture.shape[:2]
        return -depthmap.estimateleres(picture, network, width, height).astype(np.float32)

    return detect


def load_normal(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Directions of surfaces as colours."""
    normalbae = detector_module("normalbae")
    settings = SimpleNamespace(
        mode="client", architecture="BN", pretrained="scannet", sampling_ratio=0.4, importance_ratio=0.7
    )
    detector = normalbae.NormalBaeDetector(fill(normalbae.NNET(settings), read_weights(files[0]), files[0])).to(device)

    def detect(picture: np.ndarray) -> np.ndarray:
        side = min(picture.shape[:2])
        return detector(picture, detect_resolution=side, image_resolution=side, output_type="np")

    return detect


def _batch(picture: np.ndarray, device: str):
    import torch

    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)[None])).to(device, torch.float32)
