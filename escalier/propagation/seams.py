"""Seams in a picture that is put together from two: contrast kept where both show, edges between them removed."""

import cv2
import numpy as np
from scipy import fft

from escalier.refusals import Refusal

CONTRAST_PX = 8.0
"""Standard deviation of the window in which contrast is measured and kept."""
MOST_CONTRAST = 2.5
"""The most that the detail of a mix is strengthened: a mix of opposites has none that could be."""


def keep_contrast(mixed: np.ndarray, earlier: np.ndarray, later: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A mix of two pictures with the local contrast that its sides have, not the lower one of their mean.

    Half and half of two unrelated drawings has 1/sqrt(2) of their contrast. Within a window round each pixel the
    mix's deviation from its mean is scaled to the weighted mean of the sides' deviations, as Jamriska et al.,
    "Stylizing Video by Example" (2019), section 4, do for the picture as a whole.

    Parameters
    ----------
    mixed, earlier, later
        RGB (H, W, 3), float32 0..255: the mix, and the two pictures that it is made from.
    weight
        Of the later one, float32 (H, W, 1) 0..1, or one number.

    Returns
    -------
    numpy.ndarray
        float32 (H, W, 3), 0..255.

    >>> one, other = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype(np.float32)
    >>> mixed = (one + other) / 2
    >>> kept = keep_contrast(mixed, one, other, np.float32(0.5))
    >>> bool(mixed.std() < 0.75 * one.std()), bool(kept.std() > 0.9 * one.std())
    (True, True)
    """
    mean, deviation = _mean_and_deviation(mixed)
    wanted = (1 - weight) * _mean_and_deviation(earlier)[1] + weight * _mean_and_deviation(later)[1]
    gain = np.minimum((wanted + 1) / (deviation + 1), np.float32(MOST_CONTRAST))
    return np.clip(mean + (mixed - mean) * gain, 0, 255).astype(np.float32)


def remove_seams(
    mixed: np.ndarray, earlier: np.ndarray, later: np.ndarray, weight: np.ndarray, strength: float
) -> np.ndarray:
    """The picture whose gradients are those of the side that is seen, and which stays near the mix.

    Least squares of strength * |grad u - g|^2 + (1 - strength) * |u - mixed|^2 over the picture u, where g is the
    gradient of the later picture where `weight` is at least one half, and of the earlier one elsewhere. The normal
    equation, a screened Poisson equation with free boundaries, is solved exactly by the cosine transform: Bhat,
    Curless, Cohen, Zitnick, "Fourier Analysis of the 2D Screened Poisson Equation for Gradient Domain Problems" (ECCV
    2008).

    Parameters
    ----------
    mixed, earlier, later
        RGB (H, W, 3), float32 0..255.
    weight
        Of the later picture, float32 (H, W), 0..1.
    strength
        0 changes nothing; towards 1 only the gradients count. Less than 1.

    Returns
    -------
    numpy.ndarray
        float32 (H, W, 3), 0..255.

    >>> dark, light = np.full((2, 32, 32, 3), [[[[80]]], [[[120]]]], np.float32)
    >>> right = np.tile(np.arange(32) >= 16, (32, 1)).astype(np.float32)
    >>> cut = np.where(right[..., None] > 0, light, dark)
    >>> joined = remove_seams(cut, dark, light, right, 0.95)
    >>> float(np.abs(np.diff(cut[5, :, 0])).max()), bool(np.abs(np.diff(joined[5, :, 0])).max() < 10)
    (40.0, True)
    """
    if not 0 <= strength < 1:
        raise Refusal("strength", "lie in 0..1, 1 left out", strength, "0.9 removes most seams", who="remove_seams")
    if strength == 0:
        return mixed
    data = np.float32((1 - strength) / strength)
    right_side = data * mixed - _divergence(*_chosen_gradients(earlier, later, weight))
    height, width = weight.shape
    frequencies = [2 - 2 * np.cos(np.pi * np.arange(n, dtype=np.float32) / n) for n in (height, width)]
    scale = data + frequencies[0][:, None] + frequencies[1]
    spectrum = fft.dctn(right_side, axes=(0, 1), norm="ortho", overwrite_x=True)
    spectrum /= scale[..., None]
    return np.clip(fft.idctn(spectrum, axes=(0, 1), norm="ortho", overwrite_x=True), 0, 255)


def _chosen_gradients(earlier: np.ndarray, later: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences to the pixel below and to the right, of the picture that is seen at both ends of each."""
    down, across = (
        np.where(_between(weight, axis)[..., None] >= 0.5, np.diff(later, axis=axis), np.diff(earlier, axis=axis))
        for axis in (0, 1)
    )
    return down, across


def _between(weight: np.ndarray, axis: int) -> np.ndarray:
    ahead, behind = (weight[1:], weight[:-1]) if axis == 0 else (weight[:, 1:], weight[:, :-1])
    return (ahead + behind) / 2


def _divergence(down: np.ndarray, across: np.ndarray) -> np.ndarray:
    """The divergence of a field that vanishes at the rim: the Laplacian with free boundaries, for a true gradient."""
    height, width = down.shape[0] + 1, down.shape[1]
    out = np.zeros((height, width, down.shape[2]), np.float32)
    out[:-1] += down
    out[1:] -= down
    out[:, :-1] += across
    out[:, 1:] -= across
    return out


def _mean_and_deviation(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = cv2.GaussianBlur(picture, (0, 0), CONTRAST_PX)
    square = cv2.GaussianBlur(np.square(picture), (0, 0), CONTRAST_PX)
    return mean, np.sqrt(np.maximum(square - np.square(mean), 0))
