"""The meter against a second implementation that shares no code with it: SciPy's filters and the published formulas."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

from escalier.coherence import ghosting_kept, high_pass_contrast, pop, visible_change

HEIGHT, WIDTH = 72, 96


def texture(seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3), np.float32)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 1.0), None, 0, 1, cv2.NORM_MINMAX)


def plain_contrast(picture: np.ndarray) -> np.ndarray:
    grey = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    detail = grey - ndimage.gaussian_filter(grey, 2.0, mode="mirror")
    return np.sqrt(ndimage.gaussian_filter(detail**2, 12.0, mode="mirror"))


def plain_lab(picture: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of sRGB under D65, from the standards' own formulas, float64."""
    p = picture.astype(np.float64)
    linear = np.where(p <= 0.04045, p / 12.92, ((p + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    xyz = linear @ matrix.T / matrix.sum(axis=1)
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_contrast_agrees(seed: int) -> None:
    assert np.abs(high_pass_contrast(texture(seed)) - plain_contrast(texture(seed))).max() < 1e-5


@pytest.mark.parametrize("weight", [0.5, "ramp"])
def test_ghosting_agrees(weight) -> None:
    earlier, later = texture(4), texture(5)
    share = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    if weight == "ramp":
        weight = share = np.linspace(0, 1, WIDTH, dtype=np.float32)[None].repeat(HEIGHT, axis=0)
    blend = earlier + share[..., None] * (later - earlier)
    sides = (1 - share) * plain_contrast(earlier) + share * plain_contrast(later)
    expected = plain_contrast(blend).mean() / sides.mean()
    assert ghosting_kept(blend, earlier, later, weight) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("to_lab", "tolerance"),
    # OpenCV interpolates the standard's Lab in a table of 33 steps a side: some .1 Delta E off, alike in both frames.
    [(lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2Lab).astype(np.float64), 1e-5), (plain_lab, 1e-3)],
    ids=["OpenCV's Lab", "the standard's Lab"],
)
def test_visible_change_agrees(to_lab, tolerance: float) -> None:
    before, after = texture(6), texture(7)
    # Quarters of a pixel, which OpenCV's sampling in steps of 1/32 hits exactly.
    flow = np.random.default_rng(8).integers(-12, 13, (HEIGHT, WIDTH, 2)).astype(np.float32) / 4
    counted = np.random.default_rng(9).random((HEIGHT, WIDTH)) < 0.6
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    places, lab = [y + flow[..., 1], x + flow[..., 0]], to_lab(after)
    carried = np.stack([ndimage.map_coordinates(lab[..., c], places, order=1, mode="nearest") for c in range(3)], -1)
    expected = np.sqrt(((carried - to_lab(before)) ** 2).sum(axis=-1))[counted].mean()
    assert visible_change(before, after, flow, counted) == pytest.approx(expected, rel=tolerance)


def test_pop_agrees() -> None:
    errors = np.random.default_rng(0).random(24) + 1
    ranked = sorted(errors.tolist())
    assert pop(errors) == pytest.approx(ranked[-1] / ((ranked[11] + ranked[12]) / 2), abs=1e-12)


def test_a_film_moved_by_its_own_flow_has_no_visible_change_and_by_another_it_has() -> None:
    before = texture(10)
    after = np.roll(before, (2, -3), axis=(0, 1))
    flow, inside = np.full((HEIGHT, WIDTH, 2), (-3, 2), np.float32), np.zeros((HEIGHT, WIDTH), bool)
    inside[:-2, 3:] = True
    assert visible_change(before, after, flow, inside) == 0.0
    assert visible_change(before, after, np.zeros_like(flow), inside) > 1.0
