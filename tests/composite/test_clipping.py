"""What a blend burns is counted and said; at its default it burns hardly anything."""

from __future__ import annotations

import logging

import cv2
import numpy as np
import pytest

from escalier.composite import Blending, Clipping, Machine, poisson_blend, poisson_blend_film
from escalier.film import ArrayFrames
from escalier.refusals import Refusal

MACHINE = Machine("cpu", threads=1)
EXACT = Blending(screening=0.0)
ROOMS = {"dark": (20, 20, 26), "bright": (242, 238, 232), "coloured": (200, 60, 30)}


def figure() -> tuple[np.ndarray, np.ndarray]:
    """A figure in a shirt of light folds and in dark trousers before a grey wall, and its mask, 2 px larger."""
    rng = np.random.default_rng(4)
    folds = cv2.resize(rng.standard_normal((20, 15)).astype(np.float32), (120, 160), interpolation=cv2.INTER_CUBIC)
    picture = np.full((160, 120, 3), 120, np.float32)
    picture[30:90, 35:85] = 190
    picture[90:150, 40:80] = 60
    picture += 12 * folds[..., None]
    mask = np.zeros((160, 120), bool)
    mask[28:90, 33:87] = mask[90:152, 38:82] = True
    return np.rint(picture).clip(0, 255).astype(np.uint8), mask


def room(name: str) -> np.ndarray:
    return np.full((160, 120, 3), ROOMS[name], np.uint8)


def colour_shift(result: np.ndarray, source: np.ndarray, body: np.ndarray) -> float:
    in_lab = (cv2.cvtColor(p.astype(np.float32) / 255, cv2.COLOR_RGB2Lab) for p in (result, source))
    return float(np.linalg.norm(np.subtract(*in_lab), axis=2)[body].mean())


@pytest.mark.parametrize("name", ROOMS)
def test_default_keeps_colours_that_the_plain_equation_burns(name: str) -> None:
    source, mask = figure()
    body = cv2.erode(mask.view(np.uint8), np.ones((9, 9))) > 0
    counts = Clipping(), Clipping()
    plain, default = (
        poisson_blend(source, room(name), mask, blending, machine=MACHINE, clipping=count)
        for blending, count in zip((EXACT, Blending()), counts, strict=True)
    )
    assert colour_shift(plain, source, body) > 2.5 * colour_shift(default, source, body)
    assert counts[0].most > 0.2
    assert counts[1].most < 0.25 * counts[0].most


def test_count_is_of_what_the_source_had_not_clipped_itself() -> None:
    source, mask = figure()
    source[40:60, 40:60] = 255
    clipping = Clipping()
    result = source.copy()
    result[60:70, 40:50, 1] = 0
    clipping.add(result, source, mask)
    assert clipping.shares == [100 / mask.sum()]
    clipping.add(source, source, mask)
    clipping.add(result, source, np.zeros_like(mask))
    assert clipping.shares[1:] == [0, 0]
    assert clipping.mean == pytest.approx(100 / mask.sum() / 3)
    assert "worst at frame 0" in str(clipping)
    assert "in 1 of 3 frames" in str(clipping)
    assert str(Clipping()) == "clipped: nothing, in all 0 frames"


def test_float_pictures_are_counted_where_they_leave_the_range() -> None:
    source, mask = figure()
    clipping = Clipping()
    poisson_blend(source / np.float32(255), room("bright") / np.float32(255), mask, EXACT, clipping=clipping)
    poisson_blend(source, room("bright"), mask, EXACT, clipping=clipping)
    assert clipping.shares[0] == pytest.approx(clipping.shares[1], abs=0.02)


def test_film_that_is_burnt_says_so_and_one_that_is_not_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    source, mask = figure()
    film, bright = ArrayFrames(np.stack([source] * 3)), np.stack([source, source, room("bright")])
    clipping = Clipping()
    with caplog.at_level(logging.WARNING, "escalier"):
        frames = poisson_blend_film(film, ArrayFrames(bright), mask[None], EXACT, machine=MACHINE, clipping=clipping)
        assert len([*frames]) == 3
    assert clipping.shares[:2] == [0, 0]
    assert f"worst at frame 2 with {100 * clipping.most:.3g} %, in 1 of 3 frames" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "escalier"):
        assert len([*poisson_blend_film(film, film, mask[None], machine=MACHINE)]) == 3
        poisson_blend(source, room("bright"), mask, EXACT, clipping=Clipping())  # whoever counts, tells
    assert not caplog.text
    with caplog.at_level(logging.WARNING, "escalier"):
        poisson_blend(source, room("bright"), mask, EXACT)
    assert "of the body, black or white that the source has not" in caplog.text


def test_pictures_of_other_sizes_are_refused() -> None:
    source, mask = figure()
    with pytest.raises(Refusal, match="Clipping: body must be 120x160 like result, got 119x160"):
        Clipping().add(source, source, mask[:, 1:])
