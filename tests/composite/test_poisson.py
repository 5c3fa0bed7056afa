"""Poisson blending of a frame, on both engines, against the direct solution."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from escalier.composite import Blending, Machine, poisson_blend
from escalier.composite.blending import GRADIENTS

ENGINES = pytest.mark.parametrize("engine", ["cpu", "torch"])
LEVEL = 1 / 255
EXACT = Blending(screening=0.0)
"""The seeds' equation."""
Pair = Callable[[int, int], tuple[np.ndarray, np.ndarray]]
Solve = Callable[..., np.ndarray]


@pytest.mark.slow
@ENGINES
@pytest.mark.parametrize("gradients", ["import", "mixed"])
def test_error_is_at_most_a_tenth_of_a_level_on_hard_masks(
    engine: str, gradients: str, hard_mask: np.ndarray, picture_pair: Pair, direct_solution: Solve
) -> None:
    source, target = picture_pair(*hard_mask.shape)
    blended = poisson_blend(
        source, target, hard_mask, Blending(gradients=gradients, screening=0.0), machine=Machine(engine, "cpu")
    )
    truth = direct_solution(source, target, hard_mask, gradients)
    assert np.abs(blended - truth).max() <= 0.1 * LEVEL
    assert (blended[~hard_mask] == target[~hard_mask]).all()


@pytest.mark.slow
@ENGINES
@pytest.mark.parametrize("gradients", ["import", "mixed"])
def test_error_is_at_most_a_tenth_of_a_level_at_odd_sizes(
    engine: str, gradients: str, odd_size: tuple[int, int], picture_pair: Pair, direct_solution: Solve
) -> None:
    source, target = picture_pair(*odd_size)
    mask = np.random.default_rng(2).random(odd_size) < 0.8
    mask[0, 0] = False
    mask[-1, -1] = True
    blended = poisson_blend(
        source, target, mask, Blending(gradients=gradients, screening=0.0), machine=Machine(engine, "cpu")
    )
    assert np.abs(blended - direct_solution(source, target, mask, gradients)).max() <= 0.1 * LEVEL


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pinholes", "all but a corner"])
def test_error_stays_small_where_the_solver_needs_more_steps(
    name: str, picture_pair: Pair, direct_solution: Solve
) -> None:
    # Few and lonely pixels of the target: the slowest masks to converge, worse at larger sizes.
    mask = np.ones((260, 333), bool)
    mask[0, 0] = False
    if name == "pinholes":
        mask = np.random.default_rng(5).random(mask.shape) > 0.0003
    source, target = picture_pair(*mask.shape)
    blended = poisson_blend(source, target, mask, Blending(gradients="mixed", screening=0.0))
    assert np.abs(blended - direct_solution(source, target, mask, "mixed")).max() <= 0.1 * LEVEL


@ENGINES
@pytest.mark.parametrize("screening", [0.0, 1e-4, 0.02])
@pytest.mark.parametrize("gradients", GRADIENTS)
def test_guidance_and_screening_are_those_of_the_equation(
    engine: str, gradients: str, screening: float, dancer_mask: np.ndarray, picture_pair: Pair, direct_solution: Solve
) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    blended = poisson_blend(
        source, target, dancer_mask, Blending(gradients=gradients, screening=screening), machine=Machine(engine, "cpu")
    )
    truth = direct_solution(source, target, dancer_mask, gradients, screening)
    assert np.abs(blended - truth).max() <= 0.1 * LEVEL


@pytest.mark.slow
@ENGINES
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("gradients", ["import", "mixed", "average"])
def test_source_equal_to_target_changes_nothing_to_the_bit(
    engine: str, dtype: type, gradients: str, hard_mask: np.ndarray, picture_pair: Pair
) -> None:
    picture = picture_pair(*hard_mask.shape)[0]
    if dtype is np.uint8:
        picture = np.rint(picture * 255).astype(np.uint8)
    blended = poisson_blend(
        picture, picture.copy(), hard_mask, Blending(gradients=gradients, screening=0.0), machine=Machine(engine, "cpu")
    )
    assert (blended == picture).all()


@ENGINES
def test_plain_conjugate_gradient_finds_the_same_picture(
    engine: str, dancer_mask: np.ndarray, picture_pair: Pair
) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    mine = poisson_blend(source, target, dancer_mask, EXACT)
    plain = poisson_blend(
        source,
        target,
        dancer_mask,
        Blending(screening=0.0, solver="conjugate_gradient"),
        machine=Machine(engine, "cpu"),
    )
    assert np.abs(mine - plain).max() <= 0.1 * LEVEL


@ENGINES
def test_body_in_a_darker_room_keeps_its_drawing(engine: str, dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, _ = picture_pair(*dancer_mask.shape)
    blended = poisson_blend(source, source - np.float32(0.1), dancer_mask, EXACT, machine=Machine(engine, "cpu"))
    assert np.abs(blended - (source - 0.1)).max() < 1e-5


@ENGINES
def test_border_of_the_picture_is_no_rim(engine: str, picture_pair: Pair) -> None:
    # The mask takes the right half up to the border; what the target is beyond the rim must not matter.
    source, target = picture_pair(40, 60)
    mask = np.zeros((40, 60), bool)
    mask[:, 30:] = True
    blended = poisson_blend(source, target, mask, EXACT, machine=Machine(engine, "cpu"))
    other_target = target.copy()
    other_target[:, 30:] = 0
    assert (
        np.abs(poisson_blend(source, other_target, mask, EXACT, machine=Machine(engine, "cpu")) - blended).max() < 1e-6
    )


@ENGINES
def test_strength_scales_the_correction(engine: str, dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    whole, half, none = (
        poisson_blend(
            source, target, dancer_mask, Blending(strength=strength, screening=0.0), machine=Machine(engine, "cpu")
        )[dancer_mask]
        for strength in (1, 0.5, 0)
    )
    assert (none == source[dancer_mask]).all()
    assert np.abs(half - (whole + none) / 2).max() < 1e-5


@ENGINES
def test_screening_keeps_the_sources_colours_deep_inside(engine: str, picture_pair: Pair) -> None:
    source, target = picture_pair(80, 80)
    mask = np.zeros((80, 80), bool)
    mask[5:75, 5:75] = True
    screened = poisson_blend(source, target, mask, Blending(screening=0.1), machine=Machine(engine, "cpu"))
    middle = (slice(35, 45), slice(35, 45))
    assert np.abs(screened - source)[middle].max() < 0.5 * LEVEL
    assert (
        np.abs(poisson_blend(source, target, mask, EXACT, machine=Machine(engine, "cpu")) - source)[middle].max()
        > 5 * LEVEL
    )


@ENGINES
def test_rim_blur_calms_noise_on_the_rim(engine: str) -> None:
    rng = np.random.default_rng(0)
    source = np.full((64, 64, 3), 0.5, np.float32)
    target = np.float32(0.5) + rng.standard_normal((64, 64, 3)).astype(np.float32) / 20
    mask = np.zeros((64, 64), bool)
    mask[12:52, 12:52] = True
    plain, calm = (
        poisson_blend(source, target, mask, Blending(screening=0.0, rim_blur_px=sigma), machine=Machine(engine, "cpu"))[
            12, 12:52
        ]
        for sigma in (0, 4)
    )
    assert calm.std() < plain.std() / 2


def test_rim_blur_leaves_an_even_rim_alone(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, _ = picture_pair(*dancer_mask.shape)
    blended = poisson_blend(source, source + np.float32(0.1), dancer_mask, Blending(screening=0.0, rim_blur_px=3))
    assert np.abs(blended - source - 0.1).max() < 1e-5


def test_engines_agree_on_the_rim_blur(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    mine, other = (
        poisson_blend(
            source, target, dancer_mask, Blending(screening=0.0, rim_blur_px=2.5), machine=Machine(engine, "cpu")
        )
        for engine in ("cpu", "torch")
    )
    assert np.abs(mine - other).max() < 0.02 * LEVEL


@ENGINES
def test_pictures_of_256_levels_are_rounded_to_the_nearest(
    engine: str, dancer_mask: np.ndarray, picture_pair: Pair
) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    exact = poisson_blend(source, target, dancer_mask, EXACT, machine=Machine(engine, "cpu")) * 255
    coarse = poisson_blend(
        *(np.rint(p * 255).astype(np.uint8) for p in (source, target)),
        dancer_mask,
        EXACT,
        machine=Machine(engine, "cpu"),
    )
    assert coarse.dtype == np.uint8
    assert np.abs(coarse - np.clip(exact, 0, 255)).max() <= 0.5 + 1e-3


def test_mixed_gradients_are_decided_alike_in_8_bits_and_in_float(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    # Pictures of 256 levels have edges that are equally strong in both; rounding must not choose between them.
    source, target = picture_pair(*dancer_mask.shape)
    exact = poisson_blend(source, target, dancer_mask, Blending(gradients="mixed", screening=0.0)) * 255
    coarse = poisson_blend(
        *(np.rint(p * 255).astype(np.uint8) for p in (source, target)),
        dancer_mask,
        blending=Blending(gradients="mixed", screening=0.0),
    )
    assert np.abs(coarse - np.clip(exact, 0, 255)).max() <= 0.5 + 1e-2


def test_mixed_types_give_float(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    mixed = poisson_blend(np.rint(source * 255).astype(np.uint8), target, dancer_mask)
    assert mixed.dtype == np.float32
    assert np.abs(mixed - poisson_blend(source, target, dancer_mask)).max() < 1e-6


@ENGINES
def test_empty_mask_gives_the_target_itself(engine: str, picture_pair: Pair) -> None:
    source, target = picture_pair(20, 30)
    blended = poisson_blend(source, target, np.zeros((20, 30)), machine=Machine(engine, "cpu"))
    assert (blended == target).all()
    assert blended is not target


@ENGINES
@pytest.mark.parametrize("gradients", ["import", "mixed"])
def test_full_mask_keeps_the_sources_mean_colour(engine: str, gradients: str, picture_pair: Pair) -> None:
    source, target = picture_pair(50, 61)
    blended = poisson_blend(
        source, target, np.ones((50, 61)), Blending(gradients=gradients, screening=0.0), machine=Machine(engine, "cpu")
    )
    assert np.abs((blended - source).mean(axis=(0, 1))).max() < 1e-5
    assert (gradients == "import") == bool((blended == source).all())


def test_inputs_are_left_alone(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    before = source.copy(), target.copy(), dancer_mask.copy()
    poisson_blend(source, target, dancer_mask, Blending(gradients="mixed", screening=0.0))
    assert all((a == b).all() for a, b in zip(before, (source, target, dancer_mask), strict=True))


def test_views_of_larger_pictures_are_blended_alike(dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    alone = poisson_blend(source, target, dancer_mask)
    assert (poisson_blend(source[:, ::-1], target[:, ::-1], dancer_mask[:, ::-1])[:, ::-1] - alone).max() < 0.1 * LEVEL


@pytest.mark.parametrize("mask", [np.uint8(255), np.float32(0.5), np.float64(1)], ids=["uint8", "half", "float64"])
def test_mask_is_cut_at_one_half(mask: np.generic, dancer_mask: np.ndarray, picture_pair: Pair) -> None:
    source, target = picture_pair(*dancer_mask.shape)
    soft = np.where(dancer_mask, mask, mask * 0).astype(mask.dtype)
    assert (poisson_blend(source, target, soft) == poisson_blend(source, target, dancer_mask)).all()


GOOD = np.zeros((6, 8, 3), np.float32)
NAN = np.full((6, 8, 3), np.nan, np.float32)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"source": np.zeros((6, 8, 4), np.float32)}, ValueError, "source must be an RGB picture.*got an RGBA picture"),
        ({"target": np.zeros((6, 8), np.float32)}, ValueError, r"target must be an RGB picture.*shape \(6, 8\)"),
        ({"source": np.zeros((6, 9, 3), np.float32)}, ValueError, "source must be 8x6 like the target, got 9x6"),
        ({"source": NAN}, ValueError, "source must hold finite numbers, got NaN"),
        ({"target": NAN}, ValueError, "target must hold finite numbers, got NaN"),
        ({"source": np.zeros((6, 8, 3))}, TypeError, "source must be uint8 or float32, got float64"),
        ({"mask": np.ones((6, 7))}, ValueError, "mask must be 8x6 like the picture, got 7x6"),
        ({"mask": np.ones((6, 8, 1))}, ValueError, r"mask must be a single channel.*\(6, 8, 1\)"),
        ({"mask": np.full((6, 8), np.nan)}, ValueError, "mask must hold finite numbers"),
        ({"mask": np.full((6, 8), 255.0)}, ValueError, r"mask must lie in 0\.\.1, got 255 to 255"),
        ({"mask": np.ones((6, 8), np.int32)}, TypeError, "mask must be bool, uint8 or float, got int32"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_bad_input_is_refused_by_name(change: dict, error: type[Exception], words: str) -> None:
    good = {"source": GOOD, "target": GOOD, "mask": np.ones((6, 8), bool)}
    with pytest.raises(error, match=f"^poisson_blend: {words}"):
        poisson_blend(**{**good, **change})


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        ({"gradients": "seamless"}, "gradients must be one of import, mixed, average, monochrome"),
        ({"solver": "jacobi"}, "solver must be one of multigrid, conjugate_gradient, got jacobi"),
        ({"strength": 1.5}, r"strength must be in 0\.\.1, got 1.5"),
        ({"strength": np.nan}, "strength must be a finite number, got nan"),
        ({"screening": -1.0}, "screening must be >= 1e-05 1/px"),
        ({"rim_blur_px": -2.0}, "rim_blur_px must be >= 0 px, got -2"),
        ({"screening": 1e-6}, "screening must be >= 1e-05 1/px.2, got 1e-06; use 0 for none at all"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_dials_of_a_blend_are_refused_when_they_are_made(dial: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^Blending: {words}"):
        Blending(**dial)


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        ({"backend": "cuda"}, "backend must be one of auto, cpu, torch, got cuda; choose one of them"),
        ({"threads": 0}, "threads must be >= 1, got 0; leave it out for one thread a core"),
        ({"memory_mb": 0.5}, "memory_mb must be >= 1 MB, got 0.5; give the frames some memory"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_machine_that_cannot_work_is_refused(dial: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^Machine: {words}"):
        Machine(**dial)
