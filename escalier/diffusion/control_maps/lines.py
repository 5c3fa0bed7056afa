"""Detectors of lines and edges: line art, HED, PiDiNet, TEED, straight lines (MLSD), canny."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .options import Detect, Options
from .package import detector_module
from .weights import fill, read_weights

BOTH_RESOLUTIONS = ("detect_resolution", "image_resolution")


def load_canny(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Canny's edges by OpenCV, as controlnet-aux takes them; neither the package nor a file is needed."""
    return lambda picture: cv2.Canny(picture, options.canny_low, options.canny_high)


def load_lineart_standard(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Line art without a network: what is darker than its surroundings."""
    return _at_its_own_size(detector_module("lineart_standard").LineartStandardDetector(), "detect_resolution")


def load_lineart(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Line art as a pencil draws it."""
    lineart = detector_module("lineart")
    network = fill(lineart.Generator(3, 1, 3), read_weights(files[0]), files[0])
    return _at_its_own_size(lineart.LineartDetector(network, network).to(device))


def load_lineart_anime(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Line art as an animator draws it."""
    import torch

    lineart = detector_module("lineart_anime")
    # The network halves the picture eight times.
    network = lineart.UnetGenerator(3, 1, 8, 64, norm_layer=torch.nn.InstanceNorm2d, use_dropout=False)
    fill(network, read_weights(files[0]), files[0])
    return _at_its_own_size(lineart.LineartAnimeDetector(network).to(device))


def load_hed(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Soft edges of things (holistically nested edge detection)."""
    hed = detector_module("hed")
    network = fill(hed.ControlNetHED_Apache2(), read_weights(files[0]), files[0])
    return _at_its_own_size(hed.HEDdetector(network).to(device))


def load_pidinet(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Soft edges by a small network (pixel difference network), whose licence is for research only."""
    pidi = detector_module("pidi")
    network = fill(pidi.pidinet(), read_weights(files[0]), files[0])
    return _at_its_own_size(pidi.PidiNetDetector(network).to(device))


def load_teed(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Fine edges by a tiny network (tiny and efficient edge detector)."""
    teed = detector_module("teed")
    network = fill(teed.TED(), read_weights(files[0]), files[0])
    return _at_its_own_size(teed.TEEDdetector(network).to(device), "detect_resolution")


def load_mlsd(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Straight lines of rooms and houses (mobile line segment detection)."""
    mlsd = detector_module("mlsd")
    network = fill(mlsd.MobileV2_MLSD_Large(), read_weights(files[0]), files[0]).to(device)

    def detect(picture: np.ndarray) -> np.ndarray:
        drawn = np.zeros(picture.shape[:2], np.uint8)
        for line in _straight_lines(mlsd, network, picture, options):
            x_start, y_start, x_end, y_end = (int(value) for value in line)
            cv2.line(drawn, (x_start, y_start), (x_end, y_end), 255, 1)
        return drawn

    return detect


def _straight_lines(mlsd: Any, network: Any, picture: np.ndarray, options: Options) -> np.ndarray:
    """Rows of x, y, x, y. The package's own call hides every failure behind a black picture; this one does not."""
    import torch

    try:
        with torch.inference_mode():
            shape = list(picture.shape[:2])
            return mlsd.pred_lines(picture, network, shape, options.mlsd_score, options.mlsd_distance)
    except IndexError:  # what pred_lines does where it finds no line at all
        return np.empty((0, 4))


def _at_its_own_size(detector: Any, *dials: str) -> Detect:
    """The detector at the very size of the picture: at a multiple of 64 the package scales nothing."""

    def detect(picture: np.ndarray) -> np.ndarray:
        side = min(picture.shape[:2])
        return detector(picture, output_type="np", **dict.fromkeys(dials or BOTH_RESOLUTIONS, side))

    return detect
