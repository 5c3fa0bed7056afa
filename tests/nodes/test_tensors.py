"""Between ComfyUI's tensors and the library's pictures nothing is lost, copied without need, or let through unseen."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest


@pytest.fixture
def tensors(pack: SimpleNamespace) -> ModuleType:
    return pack.module("tensors")


def test_every_level_of_eight_bits_comes_back(tensors: ModuleType) -> None:
    from escalier.film import as_uint8

    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=-1)
    images = tensors.images_from_pictures(levels)
    assert images.dtype.is_floating_point and float(images.max()) == 1.0
    assert (as_uint8(tensors.pictures_from_images(images, "images")) == levels).all()


def test_float_pictures_pass_both_ways_bit_for_bit(tensors: ModuleType) -> None:
    pictures = np.random.default_rng(1).random((2, 8, 9, 3), np.float32)
    assert (tensors.pictures_from_images(tensors.images_from_pictures(pictures), "images") == pictures).all()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 8, 8, 4), r"film must be RGB, got RGBA \(4 channels\); take the alpha off"),
        ((2, 8, 8, 1), r"film must be RGB, got grey \(1 channel\); convert it"),
        ((0, 8, 8, 3), r"film must be a batch of pictures, got a tensor of shape \(0, 8, 8, 3\)"),
        ((8, 8, 3), r"film must be a batch of pictures, got a tensor of shape \(8, 8, 3\)"),
    ],
    ids=["RGBA", "grey", "empty", "no batch"],
)
def test_other_tensors_are_refused(tensors: ModuleType, to_image: Callable, shape: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tensors.pictures_from_images(to_image(np.zeros(shape, np.float32)), "film")


def test_nan_is_refused_with_its_picture(tensors: ModuleType, to_image: Callable, clip: np.ndarray) -> None:
    images = to_image(clip)
    images[4, 7, 7, 1] = float("nan")
    with pytest.raises(ValueError, match="film must hold finite numbers, got NaN or infinity in picture 4; check"):
        tensors.pictures_from_images(images, "film")


def test_mask_without_a_batch_becomes_one_mask(tensors: ModuleType, to_image: Callable) -> None:
    assert tensors.masks_from_input(to_image(np.ones((5, 7)))).shape == (1, 5, 7)
    assert tensors.masks_from_input(to_image(np.ones((3, 5, 7)))).shape == (3, 5, 7)


def test_masks_with_nan_or_nothing_in_them_are_refused(tensors: ModuleType, to_image: Callable) -> None:
    with pytest.raises(ValueError, match="mask must hold finite numbers, got NaN or infinity in mask 1"):
        tensors.masks_from_input(to_image(np.array([np.zeros((4, 4)), np.full((4, 4), np.nan)])))
    with pytest.raises(ValueError, match=r"mask must hold at least one mask, got a tensor of shape \(0, 4, 4\)"):
        tensors.masks_from_input(to_image(np.zeros((0, 4, 4))))
