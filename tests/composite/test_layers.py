"""Blend modes inside a mask: known values, nothing outside, exposure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from escalier.composite import BLEND_MODES, Layering, blend_layers, blend_layers_film
from escalier.film import ArrayFrames

Pair = Callable[[int, int], tuple[np.ndarray, np.ndarray]]

# (base, layer) = (0.2, 0.6) and (0.8, 0.3), worked out by hand from the W3C formulas.
KNOWN = {
    "normal": (0.6, 0.3),
    "multiply": (0.12, 0.24),
    "screen": (0.68, 0.86),
    "overlay": (0.24, 0.72),
    "soft_light": (0.2 + 0.2 * (((16 * 0.2 - 12) * 0.2 + 4) * 0.2 - 0.2), 0.8 - 0.4 * 0.8 * 0.2),
    "darken": (0.2, 0.3),
    "lighten": (0.6, 0.8),
    "difference": (0.4, 0.5),
}


def flat(value: float) -> np.ndarray:
    return np.full((3, 4, 3), value, np.float32)


@pytest.mark.parametrize("mode", BLEND_MODES)
def test_mode_gives_the_known_value(mode: str) -> None:
    dark = blend_layers(flat(0.2), flat(0.6), np.ones((3, 4)), Layering(mode))
    light = blend_layers(flat(0.8), flat(0.3), np.ones((3, 4)), Layering(mode))
    assert (dark[0, 0, 0], light[0, 0, 0]) == pytest.approx(KNOWN[mode], abs=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("mode", BLEND_MODES)
def test_outside_the_mask_no_bit_changes(mode: str, dtype: type, dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    base, layer = picture_pair(*dancer_mask.shape)
    if dtype is np.uint8:
        base, layer = (np.rint(p * 255).astype(np.uint8) for p in (base, layer))
    out = blend_layers(base, layer, dancer_mask, Layering(mode, opacity=0.7, exposure_compensation=1))
    assert out.dtype == dtype
    assert (out[~dancer_mask] == base[~dancer_mask]).all()
    assert (out[dancer_mask] != base[dancer_mask]).any()


def test_full_opacity_inside_the_mask_is_the_layer_to_the_bit(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    base, layer = picture_pair(*dancer_mask.shape)
    out = blend_layers(base, layer, dancer_mask)
    assert (out[dancer_mask] == layer[dancer_mask]).all()


def test_soft_mask_and_opacity_mix() -> None:
    mask = np.array([[0.0, 0.25, 0.5, 1.0]] * 3, np.float32)
    out = blend_layers(flat(0.0), flat(1.0), mask, Layering(opacity=0.5))
    assert out[0, :, 0].tolist() == [0.0, 0.125, 0.25, 0.5]


@pytest.mark.parametrize("opacity", [0.0])
def test_no_opacity_gives_the_base(opacity: float, picture_pair: Pair) -> None:
    base, layer = picture_pair(20, 20)
    assert (blend_layers(base, layer, np.ones((20, 20)), Layering("multiply", opacity=opacity)) == base).all()


def test_exposure_compensation_takes_the_darkening_away(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    base, layer = picture_pair(*dancer_mask.shape)
    luminance = np.array([0.2126, 0.7152, 0.0722])

    def mean(picture: np.ndarray) -> float:
        return float((picture[dancer_mask] @ luminance).mean())

    dark = blend_layers(base, layer, dancer_mask, Layering("multiply"))
    light = blend_layers(base, layer, dancer_mask, Layering("multiply", exposure_compensation=1))
    assert mean(dark) < 0.8 * mean(base)
    assert mean(light) == pytest.approx(mean(base), rel=1e-4)


def test_film_has_one_gain_so_that_flicker_stays_flicker() -> None:
    base = ArrayFrames(np.stack([flat(0.5)] * 4))
    flickering = ArrayFrames(np.stack([flat(value) for value in (0.4, 0.8, 0.4, 0.8)]))
    frames = list(
        blend_layers_film(base, flickering, np.ones((1, 3, 4)), Layering("multiply", exposure_compensation=1))
    )
    values = [float(frame[0, 0, 0]) for frame in frames]
    assert values[1] / values[0] == pytest.approx(2, rel=1e-5)
    assert np.mean(values) == pytest.approx(0.5, rel=1e-5)


def test_film_is_its_frames_and_tells_its_progress(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    base, layer = picture_pair(*dancer_mask.shape)
    film = ArrayFrames(np.stack([base, base * np.float32(0.9)]))
    told: list[tuple[int, int]] = []
    frames = list(
        blend_layers_film(
            film,
            ArrayFrames(layer[None]),
            dancer_mask[None],
            Layering("screen"),
            progress=lambda done, total, picture: told.append((done, total)),
        )
    )
    assert told == [(1, 2), (2, 2)]
    for i in range(2):
        assert (frames[i] == blend_layers(film.frame(i), layer, dancer_mask, Layering("screen"))).all()


def test_empty_mask_gives_the_base(picture_pair: Pair) -> None:
    base, layer = picture_pair(10, 12)
    out = blend_layers(base, layer, np.zeros((10, 12)), Layering("multiply", exposure_compensation=1))
    assert (out == base).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"layer": np.zeros((3, 5, 3), np.float32)}, "layer must be 4x3 like the base, got 5x3"),
        ({"base": np.zeros((3, 4, 4), np.float32)}, "base must be an RGB picture.*RGBA"),
        ({"layer": np.full((3, 4, 3), np.nan, np.float32)}, "layer must hold finite numbers"),
        ({"mask": np.ones((4, 3))}, "mask must be 4x3 like the picture, got 3x4"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_layers_are_refused_by_name(change: dict, words: str) -> None:
    good = {"base": flat(0.5), "layer": flat(0.5), "mask": np.ones((3, 4))}
    with pytest.raises(ValueError, match=f"^blend_layers: {words}"):
        blend_layers(**{**good, **change})


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        ({"mode": "dodge"}, "mode must be one of normal, multiply, .*got dodge"),
        ({"opacity": 2.0}, r"opacity must be in 0\.\.1, got 2"),
        ({"exposure_compensation": -0.5}, r"exposure_compensation must be in 0\.\.1, got -0.5"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_dials_of_layers_are_refused_when_they_are_made(dial: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^Layering: {words}"):
        Layering(**dial)


def test_layer_film_of_another_length_is_refused() -> None:
    films = [ArrayFrames(np.zeros((n, 3, 4, 3), np.float32)) for n in (5, 4)]
    with pytest.raises(ValueError, match="layer must have 1 or 5 frames, got 4"):
        blend_layers_film(*films, np.ones((1, 3, 4)))
