"""Skeletons of people by OpenPose. Its code, inside controlnet-aux, is licensed for non-commercial use only.

Its networks say where parts are on maps of one value for 8x8 pixels of what they look at, which are up to 20 pixels
of the picture. The package enlarges these maps and takes the highest pixel, which lies a few pixels beside the part;
here the peak is found between the values of the map, by the Gaussian that the networks were taught to give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from escalier.model_files import under_prefix

from .options import POSE_PARTS, Detect, Options
from .package import detector_module
from .weights import fill, read_weights

if TYPE_CHECKING:
    import torch

FILES = ("body_pose_model.pth", "hand_pose_model.pth", "facenet.pth")
NETWORKS = {"body": "bodypose_model", "hand": "handpose_model", "face": "FaceNet"}
STRIDE_PX = 8
BODY_ROWS_PX = 0.5 * 368
"""The height at which the package shows a picture to the body's network."""
HAND_CELLS = 128
FACE_LEAST = 0.05
"""Face maps that are lower everywhere hold no landmark, as the package has it."""


def files_for(pose_parts: str) -> tuple[str, ...]:
    """The files that these parts need, one more for each.

    >>> files_for("body and hands")
    ('body_pose_model.pth', 'hand_pose_model.pth')
    """
    return FILES[: POSE_PARTS.index(pose_parts) + 1]


def load_openpose(files: Sequence[Path], device: str, options: Options) -> Detect:
    """Coloured skeletons on black."""
    networks = {part: _network(part, file).to(device) for part, file in zip(NETWORKS, files, strict=False)}
    detector = openpose_detector(networks)

    def detect(picture: np.ndarray) -> np.ndarray:
        side = min(picture.shape[:2])
        return detector(
            picture,
            detect_resolution=side,
            image_resolution=side,
            include_hand="hand" in networks,
            include_face="face" in networks,
            output_type="np",
        )

    return detect


def openpose_detector(networks: Mapping[str, torch.nn.Module]) -> Any:
    """The package's detector around a network for the "body", and for "hand" and "face" where there is one.

    The positions that it finds are fractions of the picture's sides, 0 the left edge of the first pixel and 1 the right
    edge of the last; drawn, they come to lie in the pixel that holds them.
    """
    estimators = {"body": _Body, "hand": _Hand, "face": _Face}
    return detector_module("open_pose").OpenposeDetector(
        *(estimators[part](part, networks[part]) if part in networks else None for part in NETWORKS)
    )


class _Estimator:
    """The package's estimator of one part, and what its network said when it last looked."""

    def __init__(self, part: str, network: torch.nn.Module) -> None:
        # The package's own constructor fails where weights saved on a card are read without one.
        self._package = object.__new__(getattr(detector_module(f"open_pose.{part}"), part.capitalize()))
        self._package.model = network
        self._said: list[Any] = []
        network.register_forward_hook(lambda _network, _seen, said: self._said.append(said))

    def _look(self, picture: np.ndarray) -> Any:
        self._said.clear()
        return self._package(picture)


class _Body(_Estimator):
    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidates for parts as (x, y, score, number), and the numbers of those that make up each person."""
        found, people = self._look(picture)
        candidates = found.copy()
        ((_limbs, heat),) = self._said
        scale = BODY_ROWS_PX / picture.shape[0]
        pitches = [STRIDE_PX * side / int(side * scale) for side in picture.shape[:2]]
        maps = heat[0].cpu().numpy()
        for person in people.astype(int):
            for part, number in enumerate(person[:18]):
                if number >= 0:
                    x, y = found[number, :2]
                    candidates[number, 1::-1] = _place_in_picture(maps[part], (y, x), pitches)
        return candidates, people

    def format_body_result(self, candidates: np.ndarray, people: np.ndarray) -> Any:
        return self._package.format_body_result(candidates, people)


class _Hand(_Estimator):
    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(x, y) of 21 joints; (0, 0) for those that are not seen."""
        joints = self._look(picture).astype(np.float64)
        # The package's own mean over the sizes at which the network looked.
        maps = [said[0].cpu().numpy().transpose(1, 2, 0) for said in self._said]
        mean = np.mean([cv2.resize(one, (HAND_CELLS, HAND_CELLS), interpolation=cv2.INTER_CUBIC) for one in maps], 0)
        pitches = [side / HAND_CELLS for side in picture.shape[:2]]
        for joint, (x, y) in enumerate(joints):
            if x > 0 or y > 0:
                joints[joint, ::-1] = _place_in_picture(mean[..., joint], (y, x), pitches)
        return joints


class _Face(_Estimator):
    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """The maps of the landmarks, (71, rows, columns), not enlarged."""
        self._look(picture)
        self._sides = picture.shape[:2]
        return self._said[-1][-1][0].cpu().numpy()

    def compute_peaks_from_heatmaps(self, maps: np.ndarray) -> np.ndarray:
        """(x, y) of the landmarks that are seen."""
        pitches = [side / cells for side, cells in zip(self._sides, maps.shape[1:], strict=True)]
        seen = [one for one in maps if one.max() > FACE_LEAST]
        places = [place_peak(one, np.unravel_index(one.argmax(), one.shape)) for one in seen]
        return np.array([_to_picture(place, pitches)[::-1] for place in places])


def _place_in_picture(values: np.ndarray, near: tuple[float, float], pitches: Sequence[float]) -> tuple[float, float]:
    """The peak of a map near a pixel (row, column), in pixels from the picture's corner."""
    row, column = ((at + 0.5) / pitch - 0.5 for at, pitch in zip(near, pitches, strict=True))
    return _to_picture(place_peak(values, (row, column)), pitches)


def _to_picture(place: tuple[float, float], pitches: Sequence[float]) -> tuple[float, float]:
    row, column = ((at + 0.5) * pitch for at, pitch in zip(place, pitches, strict=True))
    return row, column


def place_peak(values: np.ndarray, near: tuple[float, float]) -> tuple[float, float]:
    """Where a Gaussian lies that is known by its values on a grid, near a (row, column), as (row, column).

    A parabola through the logarithms of three neighbours has its top exactly there. The answer is at most half a
    value away from the highest of the nine around `near`.

    >>> rows, columns = np.mgrid[:9, :9]
    >>> row, column = place_peak(np.exp(-((rows - 3.3) ** 2 + (columns - 5.2) ** 2)), near=(4, 5))
    >>> round(row, 3), round(column, 3)
    (3.3, 5.2)
    """
    row, column = (int(np.clip(round(at), 0, side - 1)) for at, side in zip(near, values.shape, strict=True))
    top, left = max(0, row - 1), max(0, column - 1)
    around = values[top : row + 2, left : column + 2]
    up, aside = np.unravel_index(around.argmax(), around.shape)
    row, column = int(top + up), int(left + aside)
    return row + _top(values[:, column], row), column + _top(values[row], column)


def _top(line: np.ndarray, at: int) -> float:
    """How far the top of a curve lies from its value at `at`, -0.5 to 0.5; 0 where that is not its highest."""
    if not 0 < at < len(line) - 1 or line[at] <= 0 or line[at] < max(line[at - 1], line[at + 1]):
        return 0.0
    # A network's values beside a peak may be zero or less; a hundredth of the peak stands for those.
    before, here, after = np.log(np.maximum(line[at - 1 : at + 2].astype(np.float64), line[at] / 100))
    bend = before - 2 * here + after
    return float((before - after) / (2 * bend)) if bend < 0 else 0.0


def _network(part: str, file: Path) -> torch.nn.Module:
    """The network of a part with the file's weights, ready to look."""
    network = getattr(detector_module(f"open_pose.{part}"), NETWORKS[part])()
    weights = read_weights(file)
    if part != "face" and not weights.keys() & network.state_dict().keys():
        # Body and hand are saved under short names; the network puts the name of a block in front of each.
        short = {key: key.split(".", 1)[-1] for key in network.state_dict()}
        weights = under_prefix(weights, next(iter(short.values())))
        weights = {key: weights[saved] for key, saved in short.items() if saved in weights}
    return fill(network, weights, file)
