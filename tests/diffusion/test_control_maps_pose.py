"""The OpenPose decoder, given maps that are known in closed form instead of a network's."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.diffusion.control_maps.package import detector_module

torch = pytest.importorskip("torch")

SIZE = (384, 512)
STRIDE_PX = 8
# (x, y) of OpenPose's 18 parts: nose, neck, right and left arm, right and left leg, eyes, ears.
FIGURE = [
    (192, 80), (192, 140), (140, 145), (110, 220), (100, 290), (244, 145), (274, 220), (284, 290), (160, 290),
    (155, 380), (150, 470), (224, 290), (229, 380), (234, 470), (180, 68), (205, 68), (165, 75), (219, 75),
]  # fmt: skip
# Limbs as (part, part, channel of the limb field's x), the y follows; OpenPose's own order.
LIMBS = [
    (1, 2, 12), (1, 5, 20), (2, 3, 14), (3, 4, 16), (5, 6, 22), (6, 7, 24), (1, 8, 0), (8, 9, 2), (9, 10, 4),
    (1, 11, 6), (11, 12, 8), (12, 13, 10), (1, 0, 28), (0, 14, 30), (14, 16, 34), (0, 15, 32), (15, 17, 36),
    (2, 16, 18), (5, 17, 26),
]  # fmt: skip


class AnalyticNetwork(torch.nn.Module):
    """Heat maps and limb fields of a standing figure, as an ideal network would give them."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))

    def forward(self, batch):
        rows, columns = (side // STRIDE_PX for side in batch.shape[-2:])
        scale = batch.shape[-2] / SIZE[1]
        y, x = ((axis + 0.5) * STRIDE_PX / scale for axis in np.mgrid[:rows, :columns])
        heat = np.zeros((1, 19, rows, columns), np.float32)
        for part, (part_x, part_y) in enumerate(FIGURE):
            heat[0, part] = np.exp(-((x - part_x) ** 2 + (y - part_y) ** 2) / (2 * 12**2))
        fields = np.zeros((1, 38, rows, columns), np.float32)
        for one, other, channel in LIMBS:
            start, along = np.array(FIGURE[one], float), np.subtract(FIGURE[other], FIGURE[one])
            length = np.linalg.norm(along)
            unit = along / length
            forward = (x - start[0]) * unit[0] + (y - start[1]) * unit[1]
            aside = np.abs((x - start[0]) * unit[1] - (y - start[1]) * unit[0])
            on_limb = (forward > -8) & (forward < length + 8) & (aside < 14)
            fields[0, channel][on_limb], fields[0, channel + 1][on_limb] = unit
        return torch.from_numpy(fields), torch.from_numpy(heat)


@pytest.fixture(scope="module")
def detector():
    body = object.__new__(detector_module("open_pose.body").Body)
    body.model = AnalyticNetwork()
    return detector_module("open_pose").OpenposeDetector(body)


def test_all_parts_of_a_figure_are_found_within_3_px(detector) -> None:
    grey = np.full((SIZE[1], SIZE[0], 3), 127, np.uint8)
    (pose,) = detector.detect_poses(grey)
    assert pose.body.total_parts == 18
    found = np.array([(point.x * SIZE[0], point.y * SIZE[1]) for point in pose.body.keypoints])
    apart = np.linalg.norm(found - np.array(FIGURE), axis=1)
    print(f"mean {apart.mean():.2f} px, largest {apart.max():.2f} px")
    assert apart.mean() < 3


def test_the_skeleton_is_drawn_on_black_over_the_figure(detector) -> None:
    grey = np.full((SIZE[1], SIZE[0], 3), 127, np.uint8)
    drawn = detector(grey, detect_resolution=384, image_resolution=384, output_type="np")
    assert drawn.shape == grey.shape
    assert all(drawn[y - 3 : y + 4, x - 3 : x + 4].max() > 50 for x, y in FIGURE)
    assert drawn[:, :60].max() == drawn[:, -60:].max() == 0
