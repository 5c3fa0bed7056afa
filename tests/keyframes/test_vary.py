"""Variants of keyframes: lines move as far and as smoothly as asked, and nothing else happens to them."""

from __future__ import annotations

import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import Keyframes, Variation, vary_keyframes
from escalier.keyframes.vary import displacement_field


def ramps(height: int = 96, width: int = 128) -> np.ndarray:
    """A picture whose red tells the column and whose green the row."""
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([columns / width, rows / height, np.zeros_like(rows)]).astype(np.float32)


@pytest.fixture
def keyframes() -> Keyframes:
    random = np.random.default_rng(0)
    return Keyframes([0, 6], [random.integers(0, 256, (96, 128, 3), np.uint8) for _ in range(2)], length=9)


@pytest.mark.parametrize("amplitude", [0.5, 1.5, 4.0])
def test_lines_move_by_the_amplitude(amplitude: float) -> None:
    (moved,) = vary_keyframes(Keyframes([0], [ramps()], 1), 1, Variation(amplitude_px=amplitude, feature_px=48))
    inner = (slice(12, -12), slice(12, -12))
    across = (moved.pictures[0][..., 0] - ramps()[..., 0])[inner] * 128
    down = (moved.pictures[0][..., 1] - ramps()[..., 1])[inner] * 96
    assert np.sqrt(np.mean(across**2 + down**2)) == pytest.approx(amplitude, rel=0.15)


@pytest.mark.parametrize("feature", [12.0, 24.0, 48.0])
def test_the_movement_turns_round_every_feature(feature: float) -> None:
    field = displacement_field(Size(1600, 1200), Variation(amplitude_px=1, feature_px=feature, seed=3))
    signs = np.signbit(field)
    turns = (signs[:, 1:] != signs[:, :-1]).sum()
    assert field[:, 1:].size / turns == pytest.approx(feature, rel=0.08)


def test_the_movement_does_not_fold_at_the_most_that_is_allowed() -> None:
    field = displacement_field(Size(900, 700), Variation(amplitude_px=4, feature_px=48, seed=1))
    jacobian = (1 + np.diff(field[:-1, :, 0], axis=1)) * (1 + np.diff(field[:, :-1, 1], axis=0))
    cross = np.diff(field[:, :-1, 0], axis=0) * np.diff(field[:-1, :, 1], axis=1)
    assert (jacobian - cross).min() > 0


def test_the_movement_has_no_direction_of_its_own() -> None:
    field = displacement_field(Size(1600, 1200), Variation(amplitude_px=1, feature_px=16))
    assert np.abs(field.mean(axis=(0, 1))).max() < 0.05


def test_a_variant_bends_all_its_keyframes_alike() -> None:
    (moved,) = vary_keyframes(Keyframes([0, 4], [ramps(), ramps()], 5), 1)
    assert (moved.pictures[0] == moved.pictures[1]).all()
    assert (moved.pictures[0] != ramps()).any()


def test_places_and_type_stay(keyframes: Keyframes) -> None:
    for variant in vary_keyframes(keyframes, 2):
        assert (variant.indices, variant.length, variant.size) == (keyframes.indices, keyframes.length, keyframes.size)
        assert variant.pictures[0].dtype == np.uint8


def test_float_pictures_stay_within_black_and_white() -> None:
    stripes = np.repeat(np.float32([[0, 1] * 32]), 48, axis=0)[..., None].repeat(3, axis=2)
    (moved,) = vary_keyframes(Keyframes([0], [stripes], 1), 1, Variation(amplitude_px=1, feature_px=16))
    assert moved.pictures[0].min() >= 0 and moved.pictures[0].max() <= 1


def test_variants_and_seeds_differ_and_the_same_seed_repeats(keyframes: Keyframes) -> None:
    second, third = vary_keyframes(keyframes, 2, Variation(seed=7))
    again, _ = vary_keyframes(keyframes, 2, Variation(seed=7))
    other, _ = vary_keyframes(keyframes, 2, Variation(seed=8))
    assert (second.pictures[0] == again.pictures[0]).all()
    for different in (third, other, keyframes):
        assert (second.pictures[0] != different.pictures[0]).any()


def test_no_amplitude_gives_the_same_bits(keyframes: Keyframes) -> None:
    for variant in vary_keyframes(keyframes, 2, Variation(amplitude_px=0)):
        assert all((a == b).all() for a, b in zip(variant.pictures, keyframes.pictures, strict=True))


@pytest.mark.parametrize(
    ("dials", "message"),
    [
        ({"amplitude_px": -1}, "amplitude_px must be >= 0 px, got -1"),
        ({"amplitude_px": float("nan")}, "amplitude_px must be a finite number, got nan"),
        ({"feature_px": 0}, "feature_px must be at least 1 px, got 0"),
        ({"amplitude_px": 5, "feature_px": 32}, "feature_px must be at least 12 times amplitude_px, 60 px, got 32"),
    ],
)
def test_a_field_that_would_tear_is_refused(dials: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^Variation: {message}"):
        Variation(**dials)


def test_no_variant_at_all_is_refused(keyframes: Keyframes) -> None:
    with pytest.raises(ValueError, match=r"^vary_keyframes: count must be at least 1 variant, got 0"):
        vary_keyframes(keyframes, 0)
