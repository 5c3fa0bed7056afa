"""Guided patch synthesis against answers that are known beforehand, and what must hold for every answer.

Most problems have three style and three guide channels: every other number compiles kernels of its own.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from dial_arguments import with_matching

from escalier.pyebsynth import Matching, Synthesis, synthesise
from escalier.pyebsynth.level import row_bands

RIM = 8
"""px: nearer to the border patches have nothing beyond it to hold on to, and several matches are as good."""
INNER = (slice(RIM, -RIM), slice(RIM, -RIM))


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def grid(height: int, width: int, rows: int = 0, columns: int = 0) -> np.ndarray:
    """The field that moves a whole picture by (rows, columns)."""
    return np.stack(np.mgrid[rows : rows + height, columns : columns + width], axis=-1)


def soft(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """Blurred noise: many places resemble each other, so that the dials have something to decide."""
    rough = np.random.default_rng(seed).normal(size=(height, width, channels))
    for axis in (0, 1):
        rough = sum(np.roll(rough, k, axis) for k in range(-3, 4))
    return np.clip(128 + 9 * rough, 0, 255).astype(np.uint8)


def ambiguous() -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """A style, and a target whose guide is nowhere exactly that of the source."""
    return noise(48, 64, 3, 1), [soft(48, 64, 3, 2)], [soft(40, 56, 3, 3)]


# Known answers


@pytest.mark.slow
@pytest.mark.parametrize("patch_size", [3, 5, 7], ids=lambda size: f"patch {size}")
@pytest.mark.parametrize("voting", ["plain", "weighted"])
def test_the_same_guide_on_both_sides_gives_the_style_back(patch_size: int, voting: str) -> None:
    style, guide = noise(48, 64, 3, 1), noise(48, 64, 3, 2)
    result = synthesise(style, [guide], [guide], weights=[2.0], matching=Matching(patch_size=patch_size, voting=voting))
    assert np.array_equal(result.nnf[INNER], grid(48, 64)[INNER])
    assert np.abs(result.image[INNER].astype(int) - style[INNER]).max() <= 1


@pytest.mark.parametrize(("rows", "columns"), [(8, 12), (0, 16), (16, 3)])
def test_a_shifted_guide_shifts_the_field_and_the_picture(rows: int, columns: int) -> None:
    style, guide = noise(64, 80, 3, 3), noise(64, 80, 3, 4)
    place = (slice(rows, rows + 48), slice(columns, columns + 64))
    result = synthesise(style, [guide], [guide[place]], weights=[2.0])
    assert np.array_equal(result.nnf[INNER], grid(48, 64, rows, columns)[INNER])
    assert np.abs(result.image[INNER].astype(int) - style[place][INNER]).max() <= 1


def test_float_positions_lead_every_pixel_to_its_place(positions) -> None:
    style, where = noise(64, 80, 3, 5), positions(64, 80)
    guides = [where[..., :1], np.repeat(where[..., 1:], 2, axis=2)]
    targets = [guide[8:56, 12:76] for guide in guides]
    result = synthesise(style, guides, targets, weights=[100.0, 100.0])
    assert np.array_equal(result.nnf[INNER], grid(48, 64, 8, 12)[INNER])


def test_a_float_guide_counts_in_steps_finer_than_eight_bits(positions) -> None:
    """A step of 0.02 levels from pixel to pixel: in 8 bits the whole guide would be two flat colours."""
    style, where = noise(48, 64, 3, 6), positions(48, 64) * np.float32(0.02)
    guide = np.concatenate([where, where[..., :1]], axis=2)
    result = synthesise(style, [guide], [guide], weights=[1e6], matching=Matching(uniformity=0))
    assert np.array_equal(result.nnf[INNER], grid(48, 64)[INNER])


@pytest.mark.slow
@pytest.mark.parametrize("guided", [True, False], ids=["by a guide", "by nothing at all"])
def test_a_style_of_one_flat_colour_stays_flat(guided: bool) -> None:
    style = np.full((48, 64, 3), (200, 30, 90), np.uint8)
    source, target = (noise(48, 64, 3, seed) if guided else np.zeros((48, 64, 3), np.uint8) for seed in (1, 2))
    result = synthesise(style, [source], [target], matching=Matching(patch_size=5 if guided else 3))
    assert (result.image == (200, 30, 90)).all()
    assert np.allclose(result.error, result.guide_error)


# What comes back


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "dtype", "guide_channels"),
    [
        ((48, 64), np.uint8, 3),
        ((48, 64, 1), np.float32, 3),
        ((48, 64, 3), np.uint8, 3),
        ((48, 64, 3), np.float32, 3),
        ((48, 64, 4), np.uint8, 2),
        ((48, 64, 4), np.float32, 2),
    ],
    ids=["grey", "one float channel", "colour", "float colour", "alpha", "float alpha"],
)
def test_the_picture_has_the_targets_size_and_the_styles_channels_and_type(shape, dtype, guide_channels) -> None:
    style = noise(48, 64, shape[2] if len(shape) > 2 else 1, 1).reshape(shape)
    style = style if dtype == np.uint8 else style.astype(np.float32) / 255
    guide = noise(48, 64, guide_channels, 2)
    result = synthesise(style, [guide], [guide[:44, :60]], weights=[3.0])
    assert isinstance(result, Synthesis)
    assert result.image.shape == (44, 60, *shape[2:]) and result.image.dtype == dtype
    assert result.nnf.shape == (44, 60, 2) and result.nnf.dtype == np.int32
    assert np.abs(result.image[INNER].astype(np.float32) - style[:44, :60][INNER]).max() <= (dtype == np.uint8 or 0.004)


def test_errors_are_float32_pictures_and_the_guides_make_a_part_of_them() -> None:
    style, source, target = ambiguous()
    _, _, error, guide_error = synthesise(style, source, target)
    assert error.shape == guide_error.shape == (40, 56)
    assert (guide_error >= 0).all() and (guide_error <= error).all() and guide_error.any()
    assert error.dtype == guide_error.dtype == np.float32


@pytest.mark.slow
@pytest.mark.parametrize("patch_size", [3, 5, 7], ids=lambda size: f"patch {size}")
def test_every_matched_patch_lies_inside_the_source(patch_size: int) -> None:
    style, source, target = ambiguous()
    nnf = synthesise(style, source, target, matching=Matching(patch_size=patch_size)).nnf
    r = patch_size // 2
    assert nnf.min() >= r
    assert nnf[..., 0].max() < 48 - r and nnf[..., 1].max() < 64 - r


def test_a_float_style_is_not_rounded_to_eight_bits() -> None:
    style = np.float32(0.5) + np.float32(0.003) * noise(48, 64, 3, 1).astype(np.float32) / 255
    guide = noise(48, 64, 3, 2)
    result = synthesise(style, [guide], [guide])
    assert np.abs(result.image[INNER] - style[INNER]).max() < 1e-5


@pytest.mark.parametrize(
    ("changed", "patch_size"), [({}, 5), ({"extra_pass_3x3": True}, 3)], ids=["plain", "extra pass"]
)
def test_plain_voting_paints_the_mean_of_all_patches_that_cover_a_pixel(changed: dict[str, Any], patch_size) -> None:
    style, source, target = ambiguous()
    image, nnf, *_ = synthesise(style, source, target, **with_matching(**changed))
    total, count = np.zeros((40, 56, 3)), np.zeros((40, 56, 1))
    for row, column in np.ndindex(40, 56):
        reach = range(-(patch_size // 2), patch_size // 2 + 1)
        for dy, dx in ((dy, dx) for dy in reach for dx in reach):
            if 0 <= row + dy < 40 and 0 <= column + dx < 56:
                total[row + dy, column + dx] += style[nnf[row, column, 0] + dy, nnf[row, column, 1] + dx]
                count[row + dy, column + dx] += 1
    assert np.abs(image - total / count).max() <= 0.501


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", ["8-bit guides", "float guides", "weighted voting", "modulation", "extra pass", "patch 7", "grey style"]
)
def test_the_errors_are_the_energy_by_its_definition(case: str, energy_at, positions) -> None:
    style, source, target = ambiguous()
    source, target = [source[0][..., :1], source[0][..., 1:]], [target[0][..., :1], target[0][..., 1:]]
    weights, style_weight, patch_size, modulation = [2.0, 0.7], 1.5, 5, None
    changed: dict[str, Any] = {}
    if case == "float guides":
        source[1], target[1] = positions(48, 64), positions(40, 56)
    elif case == "weighted voting":
        changed = {"voting": "weighted"}
    elif case == "modulation":
        modulation = [noise(40, 56, 1, 7), noise(40, 56, 2, 8).astype(np.float32) / 255]
    elif case == "extra pass":
        changed, patch_size = {"extra_pass_3x3": True}, 3
    elif case == "patch 7":
        changed, patch_size = {"patch_size": 7}, 7
    elif case == "grey style":
        style = style[..., 0]
    result = synthesise(
        style,
        source,
        target,
        weights=weights,
        modulation=modulation,
        **with_matching(style_weight=style_weight, **changed),
    )
    for pixel in [(0, 0), (0, 55), (39, 0), (39, 55), (1, 30), (20, 0), (20, 28), (11, 40), (33, 7)]:
        expected = energy_at(
            pixel, style, result.image, result.nnf, source, target, weights,
            style_weight=style_weight, patch_size=patch_size, modulation=modulation,
        )  # fmt: skip
        # The engine's 16-bit steps are about a hundredth of a level here.
        assert (result.error[pixel], result.guide_error[pixel]) == pytest.approx(expected, rel=2e-3, abs=1.0)


# The dials


def test_more_uniformity_uses_the_source_more_evenly() -> None:
    style, source, target = ambiguous()
    spread = []
    for uniformity in (0.0, 3500.0, 30000.0):
        nnf = synthesise(style, source, target, weights=[0.05], matching=Matching(uniformity=uniformity)).nnf
        used = np.zeros((48, 64))
        for dy, dx in np.ndindex(5, 5):
            np.add.at(used, (nnf[..., 0] + dy - 2, nnf[..., 1] + dx - 2), 1)
        spread.append(used[4:-4, 4:-4].std() / used[4:-4, 4:-4].mean())
    assert spread[1] < 0.7 * spread[0] and spread[2] < 0.7 * spread[1]


@pytest.mark.slow
def test_a_guide_is_ignored_where_its_modulation_is_zero(positions) -> None:
    """The second guide, heavier, leads every pixel 20 rows too low; the left half does not listen."""
    style, where = noise(80, 64, 3, 1), positions(80, 64)
    sources = [where, np.ascontiguousarray(where[..., :1])]
    targets = [where[:48], np.ascontiguousarray(where[20:68, :, :1])]
    deaf = np.ones((48, 64), np.float32)
    deaf[:, :32] = 0
    nnf = synthesise(style, sources, targets, weights=[100.0, 1000.0], modulation=[None, deaf]).nnf
    assert np.array_equal(nnf[RIM:-RIM, RIM:24], grid(48, 64)[RIM:-RIM, RIM:24])
    low = nnf[RIM:-RIM, 40:-RIM, 0] - grid(48, 64)[RIM:-RIM, 40:-RIM, 0]
    assert low.mean() > 15


def test_modulation_of_one_changes_no_more_than_rounding() -> None:
    style, source, target = ambiguous()
    plain = synthesise(style, source, target)
    ones = synthesise(style, source, target, modulation=[np.full((40, 56), 255, np.uint8)])
    assert ones.error.mean() == pytest.approx(plain.error.mean(), rel=0.02)


def test_weighted_voting_is_sharper_than_plain_voting() -> None:
    style, source, target = ambiguous()
    plain, weighted = (
        synthesise(style, source, target, matching=Matching(voting=voting)).image.astype(float)
        for voting in ("plain", "weighted")
    )
    steps = [np.diff(image, axis=0).var() + np.diff(image, axis=1).var() for image in (plain, weighted)]
    assert steps[1] > 1.02 * steps[0]


def test_the_extra_pass_lowers_the_energy_of_3x3_patches(energy_at) -> None:
    style, source, target = ambiguous()
    means = []
    for extra in (False, True):
        image, nnf, *_ = synthesise(style, source, target, matching=Matching(extra_pass_3x3=extra))
        pixels = [(row, column) for row in range(1, 40, 6) for column in range(1, 56, 6)]
        means.append(np.mean([energy_at(p, style, image, nnf, source, target, [1], patch_size=3)[0] for p in pixels]))
    assert means[1] < 0.95 * means[0]


def test_a_heavier_guide_is_followed_closer() -> None:
    style, source, target = ambiguous()
    light, heavy = (synthesise(style, source, target, weights=[w]).guide_error.mean() / w for w in (0.2, 20.0))
    assert heavy < 0.8 * light


def test_a_guide_of_weight_zero_changes_nothing() -> None:
    style, source, target = ambiguous()
    alone = synthesise(style, source, target, weights=[1.0])
    beside = synthesise(style, [noise(48, 64, 2, 8), *source], [noise(40, 56, 2, 9), *target], weights=[0.0, 1.0])
    assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))


def test_a_guide_that_is_the_same_everywhere_changes_nothing() -> None:
    style, source, target = ambiguous()
    flat = [np.full((*size, 2), 77, np.uint8) for size in ((48, 64), (40, 56))]
    alone = synthesise(style, source, target, weights=[1.0])
    beside = synthesise(style, [*source, flat[0]], [*target, flat[1]], weights=[1.0, 5.0])
    assert all(np.array_equal(a, b) for a, b in zip(alone, beside, strict=True))


def test_an_opaque_alpha_comes_back_opaque_and_changes_no_match() -> None:
    style, source, target = ambiguous()
    opaque = np.dstack([style, np.full((48, 64), 255, np.uint8)])
    colour = synthesise(style, source, target)
    # A style's weight is shared by its channels: 4 / 3 gives each of the three that vary the same as before.
    alpha = synthesise(opaque, source, target, matching=Matching(style_weight=4 / 3))
    assert (alpha.image[..., 3] == 255).all()
    assert np.array_equal(alpha.nnf, colour.nnf) and np.array_equal(alpha.image[..., :3], colour.image)


def test_the_order_of_the_guides_does_not_matter() -> None:
    style, source, target = ambiguous()
    source, target = ([guide[0][..., :1], guide[0][..., 1:]] for guide in (source, target))
    one = synthesise(style, source, target, weights=[3.0, 0.5])
    other = synthesise(style, source[::-1], target[::-1], weights=[0.5, 3.0])
    assert other.error.mean() == pytest.approx(one.error.mean(), rel=0.02)
    assert other.guide_error.mean() == pytest.approx(one.guide_error.mean(), rel=0.02)


def test_more_iterations_find_a_lower_energy() -> None:
    style, source, target = ambiguous()
    short, long = (
        synthesise(
            style, source, target, matching=Matching(uniformity=0, search_vote_iterations=n, patchmatch_iterations=m)
        ).error.mean()
        for n, m in ((1, 1), (12, 4))
    )
    assert long < 0.9 * short


# Starting from a known field


@pytest.mark.parametrize("copy", [0, 1], ids=["left", "right"])
def test_a_warm_start_keeps_to_its_field_where_another_is_as_good(copy: int) -> None:
    """Style and guide hold the same picture twice, side by side."""
    style, guide = noise(48, 40, 3, 1), noise(48, 40, 3, 2)
    sources = [np.hstack([guide, guide])]
    initial = grid(48, 40, 0, 40 * copy)
    result = synthesise(
        np.hstack([style, style]), sources, [guide], initial_nnf=initial, matching=Matching(uniformity=0)
    )
    assert np.array_equal(result.nnf[INNER], initial[INNER])
    assert np.array_equal(result.image[INNER], style[INNER])


def test_cold_pixels_of_a_warm_start_find_their_own_match() -> None:
    style, guide = noise(64, 80, 3, 3), noise(64, 80, 3, 4)
    initial = grid(48, 64, 8, 12)
    initial[16:36, 20:44] = -1
    result = synthesise(style, [guide], [guide[8:56, 12:76]], weights=[2.0], initial_nnf=initial)
    assert np.array_equal(result.nnf[INNER], grid(48, 64, 8, 12)[INNER])


def test_the_initial_field_is_left_as_it_was_given() -> None:
    style, source, target = ambiguous()
    initial = np.ascontiguousarray(grid(40, 56).astype(np.int32))
    synthesise(style, source, target, initial_nnf=initial, matching=Matching(warm_levels=2))
    assert np.array_equal(initial, grid(40, 56))


# Masks


@pytest.mark.parametrize("uniformity", [0, 3500])
def test_masked_pixels_of_the_source_are_never_copied(uniformity: float) -> None:
    style, source, target = ambiguous()
    style[..., 0] //= 2
    allowed = np.ones((48, 64), bool)
    allowed[10:30, 15:40] = False
    style[~allowed] = (255, 0, 0)
    result = synthesise(style, source, target, source_mask=allowed, matching=Matching(uniformity=uniformity))
    for dy, dx in np.ndindex(5, 5):
        assert allowed[result.nnf[..., 0] + dy - 2, result.nnf[..., 1] + dx - 2].all()
    assert result.image[..., 0].max() <= 127


def test_only_the_target_mask_is_painted() -> None:
    style, guide = noise(48, 64, 3, 1) | 1, noise(48, 64, 3, 2)
    painted = np.zeros((48, 64), np.uint8)
    painted[10:36, 12:50] = 255
    inside = (slice(18, 28), slice(20, 42))
    result = synthesise(style, [guide], [guide], weights=[2.0], target_mask=painted)
    assert (result.image[painted == 0] == 0).all() and (result.image[painted > 0] > 0).all()
    assert np.array_equal(result.nnf[inside], grid(48, 64)[inside])
    assert np.abs(result.image[inside].astype(int) - style[inside]).max() <= 1


# Same seed, same bits


@pytest.mark.slow
@pytest.mark.parametrize("case", ["plain", "masked", "without uniformity", "extra pass", "warm"])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(case: str) -> None:
    """Four bands of rows, which several threads search at once and a single one in turn."""
    style, source = noise(96, 128, 3, 1), soft(96, 128, 3, 2)
    target = soft(1024, 160, 3, 3)
    assert len(row_bands(1024, 1024 * 160)) == 4
    half = np.zeros((96, 128), np.uint8)
    half[:, :64] = 255
    changed = {
        "plain": {},
        "masked": {"source_mask": half},
        "without uniformity": {"source_mask": half, "uniformity": 0.0},
        "extra pass": {"extra_pass_3x3": True, "source_mask": half},
        "warm": {"initial_nnf": grid(1024, 160) % (96, 128), "warm_levels": 1},
    }[case]
    results = [
        synthesise(
            style, [source], [target], seed=5, threads=threads, **with_matching(search_vote_iterations=3, **changed)
        )
        for threads in (1, 2, 4)
    ]
    for other in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], other, strict=True))
    if "source_mask" in changed:
        assert results[0].nnf[..., 1].max() < 64


def test_another_seed_gives_another_field() -> None:
    style, source, target = ambiguous()
    assert not np.array_equal(*(synthesise(style, source, target, seed=seed).nnf for seed in (0, 1)))


def test_how_an_array_lies_in_memory_does_not_matter() -> None:
    style, source, target = ambiguous()
    plain = synthesise(style, source, target)
    turned = synthesise(np.asfortranarray(style), source, [np.repeat(target[0], 2, axis=1)[:, ::2]])
    assert all(np.array_equal(a, b) for a, b in zip(plain, turned, strict=True))


# Progress


@pytest.mark.parametrize(
    "changed",
    [{}, {"extra_pass_3x3": True}, {"initial_nnf": grid(40, 56) + 2}, {"initial_nnf": grid(40, 56) - 1, "threads": 2}],
    ids=["cold", "extra pass", "warm", "partly cold"],
)
def test_progress_rises_to_its_total(changed: dict[str, Any]) -> None:
    style, source, target = ambiguous()
    seen: list[tuple[int, int]] = []
    synthesise(style, source, target, progress=lambda *step: seen.append(step), **with_matching(**changed))
    done = [step[0] for step in seen]
    assert done == sorted(set(done)) and done[0] > 0
    assert {total for _, total in seen} == {done[-1]}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_progress_raises_ends_the_work_and_leaves_no_thread(threads: int) -> None:
    style, source, target = ambiguous()
    running, seen = threading.active_count(), []

    def cancel(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt("stop")

    with pytest.raises(KeyboardInterrupt, match="stop"):
        synthesise(style, source, target, progress=cancel, threads=threads)
    assert len(seen) == 3 and threading.active_count() == running
