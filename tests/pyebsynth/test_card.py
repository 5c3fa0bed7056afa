"""The card engine: its kernels run here on Warp's processor device, and are compiled for a card.

Problems are small: the device is one core. What the engines share (masks, pyramid, checks) is tested with the processor
engine; here, that the card engine is given all of it and reaches the same energy.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dial_arguments import with_matching

from escalier.pyebsynth import Matching, Synthesis, build_problem, card, card_device, measure_energy, synthesise
from escalier.pyebsynth.choose_engine import _announce, choose_backend

warp = pytest.importorskip("warp")

RIM = 8
"""px: nearer to the border patches have nothing beyond it to hold on to."""
INNER = (slice(RIM, -RIM), slice(RIM, -RIM))


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warp's processor device, unless the tests are started with another, such as ESCALIER_CARD_DEVICE=cuda:0."""
    monkeypatch.setenv("ESCALIER_CARD_DEVICE", os.environ.get("ESCALIER_CARD_DEVICE", "cpu"))


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def soft(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """Blurred noise: many places resemble each other."""
    rough = np.random.default_rng(seed).normal(size=(height, width, channels))
    for axis in (0, 1):
        rough = sum(np.roll(rough, k, axis) for k in range(-3, 4))
    return np.clip(128 + 9 * rough, 0, 255).astype(np.uint8)


def regions(height: int, width: int, seed: int) -> np.ndarray:
    """A guide of three flat colours: within one, the usage alone decides."""
    return (soft(height, width, 1, seed) // 86 * 100).astype(np.uint8)


def grid(height: int, width: int, rows: int = 0, columns: int = 0) -> np.ndarray:
    """The field that moves a whole picture by (rows, columns)."""
    return np.stack(np.mgrid[rows : rows + height, columns : columns + width], axis=-1)


def ambiguous() -> dict[str, Any]:
    """A style, and a target whose guide is nowhere exactly that of the source."""
    return {"style": noise(36, 44, 3, 1), "source_guides": [soft(36, 44, 3, 2)], "target_guides": [soft(32, 40, 3, 3)]}


def solve(problem: dict[str, Any], **changed: Any) -> Synthesis:
    return synthesise(**with_matching(**{"backend": "card", "threads": 1, **problem, **changed}))


def total_energy(problem: dict[str, Any], result: Synthesis) -> float:
    return measure_energy(build_problem(**with_matching(**problem)), result.image, result.nnf).total


# Known answers


@pytest.mark.slow
@pytest.mark.parametrize("patch_size", [3, 5, 7], ids=lambda size: f"patch {size}")
def test_a_shifted_guide_shifts_the_field_and_the_picture(patch_size: int) -> None:
    style, guide = noise(48, 56, 3, 3), noise(48, 56, 3, 4)
    place = (slice(6, 42), slice(9, 49))
    result = synthesise(
        style, [guide], [guide[place]], weights=[2.0], matching=Matching(patch_size=patch_size, backend="card")
    )
    assert np.array_equal(result.nnf[INNER], grid(36, 40, 6, 9)[INNER])
    assert np.abs(result.image[INNER].astype(int) - style[place][INNER]).max() <= 1


def test_a_warm_start_keeps_to_its_field_where_another_is_as_good() -> None:
    """Style and guide hold the same picture twice, side by side."""
    style, guide = noise(40, 32, 3, 1), noise(40, 32, 3, 2)
    initial = grid(40, 32, 0, 32)
    result = synthesise(
        np.hstack([style, style]), [np.hstack([guide, guide])], [guide],
        initial_nnf=initial, matching=Matching(uniformity=0, backend="card"),
    )  # fmt: skip
    assert np.array_equal(result.nnf[INNER], initial[INNER])


def test_the_matches_of_a_warm_start_are_offered_below_the_warm_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all there is: the search is too short and too narrow, and the guides alone offer nothing."""
    monkeypatch.setattr(card, "MOST_PAIRS", 0)
    style, guide = noise(64, 72, 3, 3), noise(64, 72, 3, 4)
    problem = {"style": style, "source_guides": [guide], "target_guides": [guide[6:54, 9:65]], "weights": [2.0]}
    short = {"search_vote_iterations": 1, "patchmatch_iterations": 1, "search_radius": 1, "uniformity": 0}
    initial, right = grid(48, 56, 6, 9), []
    for given in (initial, None):
        nnf = solve(problem, **short, initial_nnf=given, warm_levels=2).nnf
        right.append((nnf == initial).all(axis=-1)[INNER].mean())
    assert right[0] == 1 and right[1] < 0.7


def test_cold_pixels_of_a_warm_start_find_their_own_match() -> None:
    style, guide = noise(48, 56, 3, 3), noise(48, 56, 3, 4)
    initial = grid(36, 40, 6, 9)
    initial[12:26, 12:30] = -1
    result = synthesise(
        style, [guide], [guide[6:42, 9:49]], weights=[2.0], initial_nnf=initial, matching=Matching(backend="card")
    )
    assert np.array_equal(result.nnf[INNER], grid(36, 40, 6, 9)[INNER])


@pytest.mark.slow
def test_a_guide_is_ignored_where_its_modulation_is_zero(positions) -> None:
    """The second guide, heavier, leads every pixel 12 rows too low; the left half does not listen."""
    style, where = noise(56, 48, 3, 1), positions(56, 48)
    sources = [where, np.ascontiguousarray(where[..., :1])]
    targets = [where[:40], np.ascontiguousarray(where[12:52, :, :1])]
    deaf = np.ones((40, 48), np.float32)
    deaf[:, :24] = 0
    nnf = synthesise(
        style, sources, targets, weights=[100.0, 1000.0], modulation=[None, deaf], matching=Matching(backend="card")
    ).nnf  # fmt: skip
    assert np.array_equal(nnf[RIM:-RIM, RIM:18], grid(40, 48)[RIM:-RIM, RIM:18])
    assert (nnf[RIM:-RIM, 30:-RIM, 0] - grid(40, 48)[RIM:-RIM, 30:-RIM, 0]).mean() > 8


def test_masked_pixels_of_the_source_are_never_copied_and_only_the_target_mask_is_painted() -> None:
    """The guide calls for just the pixels that may not be copied."""
    problem, allowed, painted = ambiguous(), np.ones((36, 44), bool), np.zeros((32, 40), bool)
    allowed[8:24, 10:28] = False
    painted[6:26, 8:34] = True
    problem["style"] |= 1
    problem["target_guides"] = [problem["source_guides"][0][:32, :40]]
    result = solve(problem, weights=[20.0], source_mask=allowed, target_mask=painted)
    for dy, dx in np.ndindex(5, 5):
        assert allowed[result.nnf[painted][:, 0] + dy - 2, result.nnf[painted][:, 1] + dx - 2].all()
    assert (result.image[~painted] == 0).all() and (result.image[painted] > 0).all()


# Energy

SOFT = {
    "style": soft(64, 80, 3, 1), "source_guides": [soft(64, 80, 3, 2)], "target_guides": [soft(60, 72, 3, 3)],
}  # fmt: skip
REGIONS = {
    "style": soft(80, 80, 3, 1), "source_guides": [regions(80, 80, 2)], "target_guides": [regions(72, 72, 4)],
}  # fmt: skip
ENERGIES: dict[str, dict[str, Any]] = {
    "soft guide": SOFT,
    "flat regions, patch 3": {**REGIONS, "patch_size": 3, "uniformity": 1000.0},
    # All places are equally good, only the usage decides: 44 % above, did all pixels choose in two parts.
    "noise and no guide, patch 3": {
        "style": noise(80, 80, 3, 1), "source_guides": [np.zeros((80, 80), np.uint8)],
        "target_guides": [np.zeros((72, 72), np.uint8)], "patch_size": 3,
    },
    "patch 7 without uniformity": {**SOFT, "patch_size": 7, "uniformity": 0.0},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("case", ENERGIES)
def test_the_energy_is_at_most_one_percent_above_the_processor_engines(case: str) -> None:
    problem = ENERGIES[case]
    processor, on_card = (total_energy(problem, solve(problem, backend=backend)) for backend in ("cpu", "card"))
    assert on_card <= 1.01 * processor


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "patch_size"),
    [({}, 5), ({"voting": "weighted"}, 5), ({"extra_pass_3x3": True}, 3), ({"modulation": [noise(32, 40, 3, 8)]}, 5)],
    ids=["plain", "weighted voting", "extra pass", "modulation"],
)
def test_the_errors_are_the_energy_by_its_definition(changed: dict[str, Any], patch_size: int, energy_at) -> None:
    problem = ambiguous()
    result = solve(problem, **changed)
    for pixel in [(0, 0), (31, 39), (16, 0), (11, 28), (25, 7)]:
        expected = energy_at(
            pixel, problem["style"], result.image, result.nnf, problem["source_guides"], problem["target_guides"],
            [1.0], patch_size=patch_size, modulation=changed.get("modulation"),
        )  # fmt: skip
        assert (result.error[pixel], result.guide_error[pixel]) == pytest.approx(expected, rel=2e-3, abs=1.0)


@pytest.mark.slow
def test_weighted_voting_weighs_every_patch_by_its_error_in_the_turns_and_at_the_end() -> None:
    problem = ambiguous()
    image, nnf, error, _ = solve(problem, voting="weighted")
    assert not np.array_equal(nnf, solve(problem).nnf)
    total, weights = np.zeros((32, 40, 3)), np.zeros((32, 40, 1))
    for row, column in np.ndindex(32, 40):
        weight = 1 / (1 + error[row, column] / (25 * 3))
        for dy, dx in np.ndindex(5, 5):
            y, x = row + dy - 2, column + dx - 2
            if 0 <= y < 32 and 0 <= x < 40:
                match = nnf[row, column] + (dy - 2, dx - 2)
                total[y, x] += weight * problem["style"][tuple(match)]
                weights[y, x] += weight
    # The errors that weigh are those before the last vote, a little off.
    assert np.abs(image - total / weights).mean() < 1


def test_pixels_rest_where_the_style_changes_by_less_than_the_stop_threshold() -> None:
    """No step is larger than 255 levels: above that every turn but the first finds all pixels at rest."""
    resting, one_turn, tireless = (
        solve(ambiguous(), stop_threshold=threshold, search_vote_iterations=turns, pyramid_levels=1).error.mean()
        for threshold, turns in ((300, 9), (0, 1), (0, 9))
    )
    assert resting == pytest.approx(one_turn, rel=0.05)
    assert tireless < 0.9 * resting


# Same seed, same bits


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits_even_from_two_threads_at_once() -> None:
    alone = solve(ambiguous(), seed=5)
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: solve(ambiguous(), seed=5), range(2)))
    for other in both:
        assert all(np.array_equal(a, b) for a, b in zip(alone, other, strict=True))
    assert not np.array_equal(alone.nnf, solve(ambiguous(), seed=6).nnf)


def test_no_pixel_reads_a_match_of_its_own_colour() -> None:
    """What makes searching in place independent of the order in which a card runs its threads."""
    rows, columns = np.mgrid[:64, :64]
    colour_of = (columns + 3 * rows) % card.COLOURS
    for step in (1, *card.FAR):
        assert (colour_of[step:] != colour_of[:-step]).all() and (colour_of[:, step:] != colour_of[:, :-step]).all()


# Progress


@pytest.mark.slow
def test_progress_rises_to_its_total() -> None:
    seen: list[tuple[int, int]] = []
    solve(ambiguous(), progress=lambda *step: seen.append(step), extra_pass_3x3=True)
    done = [step[0] for step in seen]
    assert done == sorted(set(done)) and done[0] > 0
    assert {total for _, total in seen} == {done[-1]}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
def test_what_progress_raises_ends_the_work_and_is_not_taken_for_a_failing_card(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    running, seen = threading.active_count(), []

    def cancel(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise kind("stop")

    with pytest.raises(kind, match=r"^stop$"):
        solve(ambiguous(), progress=cancel, threads=2)
    assert len(seen) == 3 and threading.active_count() == running
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


# A card that fails


def out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: card.CardSearch, values: np.ndarray) -> None:
        raise RuntimeError(f"Failed to allocate {values.nbytes} bytes on device 'cuda:0'")

    monkeypatch.setattr(card.CardSearch, "_array", refuse)


def lost_in_mid_run(monkeypatch: pytest.MonkeyPatch) -> None:
    launch, calls = warp.launch, []

    def failing(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) > 60:
            raise RuntimeError("Error launching kernel: search on device cuda:0: the device is lost")
        return launch(*arguments, **named)

    monkeypatch.setattr(warp, "launch", failing)


def returning_rubbish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card.CardSearch, "_turn", lambda self, turn: self.nnf.fill_(0xFFFFFFFF))


def unable_to_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **named: Any) -> None:
        raise Exception("CUDA kernel build failed with error code 7")

    card_device._load_kernels.cache_clear()
    monkeypatch.setattr(warp, "load_module", fail)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (out_of_memory, r"Failed to allocate \d+ bytes on device 'cuda:0'"),
        (lost_in_mid_run, "the device is lost"),
        (returning_rubbish, "it returned matches outside the source"),
        (unable_to_compile, "its kernels do not compile .*build failed"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_processor_engine_takes_over_from_a_failing_card_with_a_warning(
    failure: Any, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failure(monkeypatch)
    with caplog.at_level(logging.WARNING, "escalier"):
        result = solve(ambiguous())
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("the card engine gives up, ") and "the processor engine starts" in warning
    assert re.search(reason, warning)
    expected = solve(ambiguous(), backend="cpu")
    assert all(np.array_equal(a, b) for a, b in zip(result, expected, strict=True))


def test_pictures_too_large_for_the_kernels_places_are_left_to_the_processor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(card, "LARGEST_PLANE", 1000)
    with caplog.at_level(logging.WARNING, "escalier"):
        solve(ambiguous(), search_vote_iterations=1)
    assert "32-bit places; the processor engine" in caplog.text


def test_the_memory_on_the_card_is_what_the_docstring_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured on flat arrays of Warp's, while a level with modulation is searched."""
    problem = build_problem(**with_matching(**ambiguous(), modulation=[noise(32, 40, 1, 4)], pyramid_levels=1))
    held: list[int] = []

    def measure(self: card.CardSearch, turn: int) -> None:
        fields = [*vars(self).values(), self.sides.source, self.sides.target, self.sides.modulation]
        held.append(sum(field.capacity for field in fields if isinstance(field, warp.array)))

    monkeypatch.setattr(card.CardSearch, "_turn", measure)
    card.synthesise_card(problem, 1, None)
    channels, source, target, with_margin = 6, 36 * 44, 32 * 40, (32 + 4) * (40 + 4)
    offers, slack = 4 * target, 2 * 2 * 16
    stated = (2 * channels + 13) * source + (19 + 4 * channels) * target + 2 * channels * with_margin
    assert max(held) == pytest.approx(stated - offers + slack, abs=16 * 64)  # arrays are padded to 64 bytes


# Which engine runs


@pytest.mark.slow
def test_the_kernels_compile_for_a_card(tmp_path: Path) -> None:
    """For the oldest generation that Warp knows; NVRTC needs no driver."""
    if sys.platform == "darwin":
        pytest.skip("Warp knows no card on a Mac")
    from escalier.pyebsynth import card_kernels

    warp.compile_aot_module(card_kernels, arch=75, module_dir=str(tmp_path), use_ptx=True)
    (code,) = tmp_path.glob("*.ptx")
    assert ".entry search" in code.read_text()


def test_auto_takes_the_processor_where_there_is_no_card_and_imports_nothing_for_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise AssertionError("warp must not be imported")

    monkeypatch.setattr(card_device, "_driver_is_there", lambda: False)
    monkeypatch.setattr(card_device, "load_warp", refuse)
    _announce.cache_clear()
    with caplog.at_level(logging.DEBUG, "escalier"):
        assert choose_backend("auto") == choose_backend("auto") == "cpu"
    assert [m for m in caplog.messages if "auto" in m] == ["backend auto takes the processor"]


@pytest.mark.slow
def test_auto_takes_the_card_where_there_is_one_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    expected = solve(ambiguous())
    monkeypatch.setattr(card_device, "_driver_is_there", lambda: True)
    monkeypatch.setattr(warp, "is_cuda_available", lambda: True)
    _announce.cache_clear()
    with caplog.at_level(logging.DEBUG, "escalier"):
        results = [solve(ambiguous(), backend="auto") for _ in range(2)]
    assert [m for m in caplog.messages if "auto" in m] == ["backend auto takes the graphics card"]
    assert all(np.array_equal(result.nnf, expected.nnf) for result in results)


def test_a_broken_warp_is_no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError("load_package: warp fails to load")

    monkeypatch.setattr(card_device, "_driver_is_there", lambda: True)
    monkeypatch.setattr(card_device, "load_warp", broken)
    assert choose_backend("auto") == "cpu"


def test_a_missing_warp_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "warp", None)
    with pytest.raises(ImportError, match=r'the package warp-lang, which is not installed; .*install "warp-lang>=1'):
        solve(ambiguous())


def test_a_missing_card_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESCALIER_CARD_DEVICE")
    monkeypatch.setattr(warp, "is_cuda_available", lambda: False)
    with pytest.raises(card_device.CardNotFound, match=r"^synthesise: backend 'card' must have .*; use backend='cpu'"):
        solve(ambiguous())


def test_a_device_that_is_not_there_is_named_beside_those_that_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCALIER_CARD_DEVICE", "cuda:7")
    with pytest.raises(
        card_device.CardNotFound, match=r"must be one of Warp's devices, .*cpu.*, got 'cuda:7'; correct"
    ):
        solve(ambiguous())
