"""The OpenPose decoder, given maps that are known in closed form instead of a network's."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.diffusion.control_maps.pose import openpose_detector, place_peak

torch = pytest.importorskip("torch")

SIZE = (384, 512)
STRIDE_PX = 8
TAUGHT_PX = 7.0
"""The deviation of the peaks that OpenPose's networks were taught to give, in pixels of what they look at."""
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


# (x, y) in fractions of a crop's sides: the joints of a spread hand, and landmarks on two rings of a face.
HAND = [(0.5, 0.9), *((0.5 - r * np.cos(a), 0.9 - r * np.sin(a)) for a in np.linspace(0.6, 2.5, 5)
                      for r in (0.25, 0.35, 0.45, 0.52))]  # fmt: skip
FACE = [(0.5 + r * np.cos(a), 0.5 + r * np.sin(a)) for r in (0.2, 0.42) for a in np.linspace(0, 6.1, 35)]


def centres(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """x and y of a map's values in pixels of what the network looks at."""
    y, x = ((axis + 0.5) * STRIDE_PX for axis in np.mgrid[:rows, :columns])
    return x, y


class AnalyticBody(torch.nn.Module):
    """Heat maps and limb fields of a standing figure, as an ideal network would give them."""

    def __init__(self, enlarged: float = 1.0, deviation_px: float = TAUGHT_PX) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.figure = np.array(FIGURE, float) * enlarged
        self.height, self.deviation_px = SIZE[1] * enlarged, deviation_px

    def forward(self, batch):
        rows, columns = (side // STRIDE_PX for side in batch.shape[-2:])
        x, y = centres(rows, columns)
        figure = self.figure * batch.shape[-2] / self.height
        heat = np.zeros((1, 19, rows, columns), np.float32)
        for part, (part_x, part_y) in enumerate(figure):
            heat[0, part] = np.exp(-((x - part_x) ** 2 + (y - part_y) ** 2) / (2 * self.deviation_px**2))
        fields = np.zeros((1, 38, rows, columns), np.float32)
        for one, other, channel in LIMBS:
            start, along = figure[one], figure[other] - figure[one]
            length = np.linalg.norm(along)
            unit = along / length
            forward = (x - start[0]) * unit[0] + (y - start[1]) * unit[1]
            aside = np.abs((x - start[0]) * unit[1] - (y - start[1]) * unit[0])
            on_limb = (forward > -3) & (forward < length + 3) & (aside < 5)
            fields[0, channel][on_limb], fields[0, channel + 1][on_limb] = unit
        return torch.from_numpy(fields), torch.from_numpy(heat)


class AnalyticParts(torch.nn.Module):
    """Heat maps of points in a crop, and one of the background."""

    def __init__(self, points: list, *, in_a_list: bool) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(1))
        self.points, self.in_a_list = points, in_a_list

    def forward(self, batch):
        height, width = batch.shape[-2:]
        x, y = centres(height // STRIDE_PX, width // STRIDE_PX)
        maps = [
            np.exp(-((x - px * width) ** 2 + (y - py * height) ** 2) / (2 * TAUGHT_PX**2)) for px, py in self.points
        ]
        heat = torch.from_numpy(np.stack([*maps, np.zeros_like(x)])[None].astype(np.float32))
        return [heat] if self.in_a_list else heat


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), 127, np.uint8)


@pytest.fixture(scope="module")
def detector():
    hand, face = AnalyticParts(HAND, in_a_list=False), AnalyticParts(FACE, in_a_list=True)
    return openpose_detector({"body": AnalyticBody(), "hand": hand, "face": face})


@pytest.mark.slow
@pytest.mark.parametrize("deviation_px", [TAUGHT_PX, 12 * 184 / 512], ids=["as taught", "narrow"])
@pytest.mark.parametrize("enlarged", [0.5, 1, 1.375, 2.5], ids=["192x256", "384x512", "528x704", "960x1280"])
def test_all_parts_of_a_figure_are_found_within_3_px(enlarged: float, deviation_px: float) -> None:
    """A map has one value for 3 (192x256) to 20 pixels (960x1280) at each side."""
    width, height = (round(side * enlarged) for side in SIZE)
    (pose,) = openpose_detector({"body": AnalyticBody(enlarged, deviation_px)}).detect_poses(grey(width, height))
    assert pose.body.total_parts == 18
    found = np.array([(point.x * width, point.y * height) for point in pose.body.keypoints])
    apart = np.linalg.norm(found - np.array(FIGURE) * enlarged, axis=1)
    assert apart.max() < 3
    assert apart.mean() < 1


@pytest.mark.slow
@pytest.mark.parametrize("side", [57, 128, 301, 640])
def test_all_joints_of_a_hand_are_found_within_3_px(detector, side: int) -> None:
    found = detector.hand_estimation(grey(side, side))
    assert np.linalg.norm(found - np.array(HAND) * side, axis=1).max() < min(3, 0.02 * side)


@pytest.mark.parametrize("side", [57, 128, 301, 640])
def test_all_landmarks_of_a_face_are_found_within_3_px(detector, side: int) -> None:
    found = detector.face_estimation.compute_peaks_from_heatmaps(detector.face_estimation(grey(side, side)))
    assert np.linalg.norm(found - np.array(FACE) * side, axis=1).max() < min(3, 0.02 * side)


def test_hands_and_face_come_to_lie_at_wrists_and_nose(detector) -> None:
    (pose,) = detector.detect_poses(grey(*SIZE), include_hand=True, include_face=True)
    where = {
        name: np.mean([(point.x * SIZE[0], point.y * SIZE[1]) for point in points], axis=0)
        for name, points in (("right", pose.right_hand), ("left", pose.left_hand), ("face", pose.face))
    }
    for name, part in (("right", 4), ("left", 7), ("face", 0)):
        assert np.linalg.norm(where[name] - FIGURE[part]) < 45, name


def test_a_joint_that_is_not_seen_stays_unseen() -> None:
    hand = openpose_detector({"hand": AnalyticParts([(3.0, 3.0), *HAND[1:]], in_a_list=False)}).hand_estimation
    assert hand(grey(100, 100))[0].tolist() == [0, 0]


@pytest.mark.parametrize("deviation", [0.5, 0.9, 2.0])
def test_a_peak_between_values_is_placed_exactly(deviation: float) -> None:
    rows, columns = np.mgrid[:12, :15]
    for row, column in np.random.default_rng(0).uniform(2, 9, (50, 2)):
        values = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * deviation**2))
        off = np.subtract(place_peak(values, near=(row + 0.6, column - 0.6)), (row, column))
        assert np.abs(off).max() < (0.15 if deviation < 0.8 else 0.01)


def test_a_peak_on_an_edge_stays_there() -> None:
    values = np.zeros((5, 5))
    values[0, 4] = 1
    assert place_peak(values, near=(1, 3)) == (0, 4)


def test_nobody_in_the_picture_is_drawn_black() -> None:
    class Nothing(AnalyticBody):
        def forward(self, batch):
            return tuple(torch.zeros_like(maps) for maps in super().forward(batch))

    drawn = openpose_detector({"body": Nothing()})(
        grey(*SIZE), detect_resolution=384, image_resolution=384, output_type="np"
    )
    assert drawn.shape == (512, 384, 3)
    assert drawn.max() == 0


def test_the_skeleton_is_drawn_on_black_over_the_figure(detector) -> None:
    drawn = detector(grey(*SIZE), detect_resolution=384, image_resolution=384, output_type="np")
    assert drawn.shape == (512, 384, 3)
    assert all(drawn[y - 3 : y + 4, x - 3 : x + 4].max() > 50 for x, y in FIGURE)
    assert drawn[:, :60].max() == drawn[:, -60:].max() == 0
