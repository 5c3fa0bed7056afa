"""Skeletons of people by OpenPose. Its code, inside controlnet-aux, is licensed for non-commercial use only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .options import POSE_PARTS, Detect, Options
from .package import detector_module
from .weights import fill, read_weights

FILES = ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth")


_PARTS = (("body", "Body", "bodypose_model"), ("hand", "Hand", "handpose_model"), ("face", "Face", "FaceNet"))


def files_for(pose_parts: str) -> tuple[str, ...]:
    """The files that these parts need, one more for each.

    >>> files_for("body and hands")
    ('body_pose_model.pth', 'hand_pose_model.pth')
    """
    return FILES[: POSE_PARTS.index(pose_parts) + 1]


def load_openpose(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Coloured skeletons on black."""
    body, hand, face = (_estimator(part, files[k] if k < len(files) else None) for k, part in enumerate(_PARTS))
    detector = detector_module("open_pose").OpenposeDetector(body, hand, face)
    for estimator in filter(None, (body, hand, face)):
        estimator.to(device)

    def detect(picture: np.ndarray) -> np.ndarray:
        side = min(picture.shape[:2])
        return detector(
            picture,
            detect_resolution=side,
            image_resolution=side,
            include_hand=hand is not None,
            include_face=face is not None,
            output_type="np",
        )

    return detect


def _estimator(part: tuple[str, str, str], file: Path | None) -> Any:
    """The package's estimator of one part around a network with the file's weights; None without a file.

    The package's own constructor fails where weights saved on a card are read without one.
    """
    if file is None:
        return None
    name, estimator_name, network_name = part
    module = detector_module(f"open_pose.{name}")
    estimator = object.__new__(getattr(module, estimator_name))
    network = getattr(module, network_name)()
    weights = read_weights(file)
    if name != "face":
        # Body and hand are saved under short names; the network puts the name of a block in front of each.
        short = {key: key.split(".", 1)[-1] for key in network.state_dict()}
        weights = {key: weights[saved] for key, saved in short.items() if saved in weights}
    else:
        estimator.inference_size = module.params["inference_img_size"]
        estimator.sigma = module.params["gaussian_sigma"]
        estimator.threshold = module.params["heatmap_peak_thresh"]
    estimator.model = fill(network, weights, file)
    return estimator
