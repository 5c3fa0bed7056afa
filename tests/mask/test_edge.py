"""The edge of a mask: exact in pixels, opaque inside, and steady in time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from escalier.mask import shape_edge, shape_edges
from escalier.mask.edge import PROFILES
from escalier.mask.level_sets import LEVELS, levels_of


def disc(radius: float, size: int = 121, centre: tuple[float, float] | None = None, blur: float = 0.5) -> np.ndarray:
    """A disc with an edge of 2 * blur pixels: its coverage where blur is a half."""
    row, column = centre or (size // 2, size // 2)
    i, j = np.mgrid[:size, :size]
    return np.clip((radius - np.hypot(i - row, j - column)) / (2 * blur) + 0.5, 0, 1).astype(np.float32)


def radius_of(mask: np.ndarray) -> float:
    return float(np.sqrt(mask.sum() / np.pi))


HARD = disc(30) >= 0.5


@pytest.mark.parametrize("px", [0.5, 1, 7.5, 20])
def test_spread_grows_a_disc_by_so_many_pixels(px: float) -> None:
    assert radius_of(shape_edge(HARD, spread_px=px)) == pytest.approx(radius_of(HARD) + px, abs=0.4)


@pytest.mark.parametrize("px", [0.5, 1, 7.5, 20])
def test_choke_shrinks_a_disc_by_so_many_pixels(px: float) -> None:
    assert radius_of(shape_edge(HARD, choke_px=px)) == pytest.approx(radius_of(HARD) - px, abs=0.4)


def test_spread_is_a_disc_and_not_a_square_or_a_diamond() -> None:
    point = np.zeros((101, 101), np.float32)
    point[50, 50] = 1
    grown = shape_edge(point, spread_px=40) > 0.5
    i, j = np.nonzero(grown)
    far = np.hypot(i - 50, j - 50)
    assert far.max() == pytest.approx(40, abs=1)
    assert grown.sum() == pytest.approx(np.pi * 40.5**2, rel=0.01)


def test_spread_then_choke_returns_a_disc() -> None:
    assert radius_of(shape_edge(shape_edge(HARD, spread_px=12), choke_px=12)) == pytest.approx(radius_of(HARD), abs=0.2)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("kind", ["hard", "antialiased", "blurred"])
@pytest.mark.parametrize("spread", [0, 9])
def test_outward_feather_keeps_the_inside_at_exactly_one(profile: str, kind: str, spread: float) -> None:
    mask = {"hard": HARD.astype(np.float32), "antialiased": disc(30), "blurred": disc(30, blur=6)}[kind]
    shaped = shape_edge(mask, spread_px=spread, feather_outside_px=16, profile=profile)
    assert (shaped[mask == 1] == 1).all()
    assert (shaped >= mask - 0.02).all()


@pytest.mark.parametrize("profile", PROFILES)
def test_feather_has_the_width_asked_for_on_either_side(profile: str) -> None:
    row = np.zeros((3, 100), np.float32)
    row[:, 50:] = 1  # the edge runs between 49 and 50
    shaped = shape_edge(row, feather_inside_px=10, feather_outside_px=20, profile=profile)[1]
    assert (shaped[:30] == 0).all()
    assert (shaped[60:] == 1).all()
    assert (np.diff(shaped[29:61]) > 0).all()
    assert ((shaped[30:60] > 0) & (shaped[30:60] < 1)).all()


def test_linear_profile_is_a_straight_line() -> None:
    row = np.zeros((1, 40), np.float32)
    row[:, 20:] = 1
    shaped = shape_edge(row, feather_inside_px=5, feather_outside_px=5, profile="linear")[0]
    assert shaped[15:25] == pytest.approx((np.arange(10) + 0.5) / 10, abs=1e-5)


def test_gaussian_profile_is_steepest_in_the_middle_and_even() -> None:
    row = np.zeros((1, 80), np.float32)
    row[:, 40:] = 1
    shaped = shape_edge(row, feather_inside_px=16, feather_outside_px=16, profile="gaussian")[0]
    assert shaped + shaped[::-1] == pytest.approx(np.ones(80), abs=1e-5)
    assert np.argmax(np.diff(shaped)) == 39


def test_no_dial_gives_the_mask_to_the_bit() -> None:
    rng = np.random.default_rng(0)
    soft = rng.random((30, 40), np.float32)
    assert (shape_edge(soft) == soft).all()
    assert (shape_edge(HARD) == HARD).all()


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5, 0.75])
def test_edge_of_a_soft_mask_is_moved_by_parts_of_pixels(shift: float) -> None:
    # A straight antialiased edge at 20 + shift, spread by 10, must lie at 10 + shift.
    row = np.zeros((5, 60), np.float32)
    row[:, 20] = 1 - shift
    row[:, 21:] = 1
    assert 60 - shape_edge(row, spread_px=10)[2].sum() == pytest.approx(10 + shift, abs=0.13)


def test_softness_that_is_there_is_moved_and_not_hardened() -> None:
    soft = disc(30, blur=8)
    moved, wanted = shape_edge(soft, spread_px=12), disc(42, blur=8)
    assert np.abs(moved - wanted).max() < 0.08
    assert ((moved > 0.1) & (moved < 0.9)).sum() > 0.8 * ((wanted > 0.1) & (wanted < 0.9)).sum()


def test_subject_cut_by_the_frame_is_not_faded_there() -> None:
    mask = np.zeros((60, 80), np.float32)
    mask[20:, 30:50] = 1  # stands on the lower border
    shaped = shape_edge(mask, feather_inside_px=6, feather_outside_px=6)
    assert (shaped[-1, 38:42] == 1).all()
    assert shaped[-1].tolist() == pytest.approx(shaped[45].tolist())
    choked = shape_edge(mask, choke_px=5)
    assert (choked[-1] == choked[50]).all()


def test_small_holes_are_filled_and_large_ones_and_bays_are_not() -> None:
    mask = np.ones((50, 60), np.float32)
    mask[10:13, 10:13] = 0  # 9 pixels
    mask[25:35, 25:35] = 0  # 100 pixels
    mask[0:3, 40:43] = 0  # 9 pixels at the border
    filled = shape_edge(mask, fill_holes_area=9)
    assert (filled[10:13, 10:13] == 1).all()
    assert (filled[25:35, 25:35] == 0).all()
    assert (filled[0:3, 40:43] == 0).all()
    assert (shape_edge(mask, fill_holes_area=8)[10:13, 10:13] == 0).all()


def test_small_islands_are_dropped() -> None:
    mask = HARD.astype(np.float32)
    mask[2:5, 2:5] = 1
    dropped = shape_edge(mask, drop_islands_area=9)
    assert (dropped[:8, :8] == 0).all()
    assert (dropped[8:] == mask[8:]).all()


def test_filling_a_soft_hole_leaves_the_outer_edge_soft() -> None:
    mask = disc(40, blur=4)
    holed = mask * (1 - disc(3, blur=1))
    filled = shape_edge(holed, fill_holes_area=60)
    assert filled[60, 60] == 1
    assert np.abs(filled - mask).max() < 0.12
    far = disc(20) == 0
    assert (filled[far] == holed[far]).all()


@pytest.mark.parametrize("mask", [np.zeros((20, 30)), np.ones((20, 30))], ids=["empty", "full"])
@pytest.mark.parametrize(
    "dials", [{"spread_px": 5}, {"choke_px": 5}, {"feather_inside_px": 5, "feather_outside_px": 5}], ids=str
)
def test_empty_and_full_masks_have_no_edge(mask: np.ndarray, dials: dict) -> None:
    assert (shape_edge(mask, **dials) == mask).all()


def trembling(length: int = 12) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    return [disc(25 + rng.normal(0, 0.8), centre=(60 + rng.normal(0, 0.5), 60)) for _ in range(length)]


def jitter(masks: list[np.ndarray]) -> float:
    return float(np.std([radius_of(mask) for mask in masks[2:-2]]))


def test_trembling_edge_comes_to_rest() -> None:
    masks = trembling()
    assert jitter(list(shape_edges(masks, steady_frames=2, steady_limit_px=4))) < 0.6 * jitter(masks)


def test_edge_that_moves_evenly_stays_in_its_place() -> None:
    masks = [disc(20, centre=(60, 40 + 3 * i)) >= 0.5 for i in range(9)]
    for mask, steady in zip(masks, shape_edges(masks, steady_frames=2), strict=True):
        steady_columns = np.average(np.arange(121), weights=steady.sum(axis=0))
        assert steady_columns == pytest.approx(np.average(np.arange(121), weights=mask.sum(axis=0)), abs=0.2)


def test_fast_thin_limb_is_not_averaged_away() -> None:
    masks = []
    for i in range(7):
        mask = np.zeros((60, 120), np.float32)
        mask[20:26, 10 + 14 * i : 16 + 14 * i] = 1
        masks.append(mask)
    for mask, steady in zip(masks, shape_edges(masks, steady_frames=2, steady_limit_px=1.5), strict=True):
        assert (steady >= 0.5).sum() >= 0.2 * mask.sum()
        assert (steady[mask == 0] <= 0.5).mean() > 0.99


def test_clip_without_steadying_is_its_frames() -> None:
    masks = trembling(3)
    dials = {"spread_px": 4, "feather_outside_px": 6, "profile": "gaussian"}
    for mask, shaped in zip(masks, shape_edges(masks, **dials), strict=True):
        assert (shaped == shape_edge(mask, **dials)).all()


def test_hard_and_soft_masks_may_follow_each_other() -> None:
    masks = [HARD.astype(np.float32), disc(30, blur=3), HARD.astype(np.uint8) * np.uint8(255)]
    assert all(np.abs(m - HARD).mean() < 0.03 for m in shape_edges(masks, steady_frames=1))


def test_edges_tell_their_progress_and_can_be_stopped() -> None:
    told: list[tuple[int, int]] = []

    def stop(done: int, total: int, mask: np.ndarray) -> None:
        told.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(shape_edges(trembling(4), steady_frames=1, progress=stop))
    assert told == [(1, 4), (2, 4)]


@pytest.mark.parametrize(
    ("dials", "words"),
    [
        ({"spread_px": -2}, "spread_px must be >= 0 px, got -2; use choke to shrink a mask"),
        ({"choke_px": -2}, "choke_px must be >= 0 px, got -2; use spread to grow a mask"),
        ({"feather_inside_px": -1}, "feather_inside_px must be >= 0 px, got -1"),
        ({"feather_outside_px": float("nan")}, "feather_outside_px must be a finite number, got nan"),
        ({"spread_px": 3, "choke_px": 2}, "choke_px must be 0 while spread_px is 3, got 2"),
        ({"profile": "cosine"}, "profile must be one of linear, smoothstep, gaussian, got cosine"),
        ({"fill_holes_area": -1}, "fill_holes_area must be >= 0 pixels of area, got -1"),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else None,
)
def test_bad_dials_are_refused_by_name(dials: dict, words: str) -> None:
    with pytest.raises(ValueError, match=f"^shape_edge: {words}"):
        shape_edge(HARD, **dials)


@pytest.mark.parametrize(
    ("mask", "error", "words"),
    [
        (np.ones((4, 5, 3)), ValueError, r"mask must be a single channel.*\(4, 5, 3\)"),
        (np.full((4, 5), np.nan), ValueError, r"mask must hold numbers in 0\.\.1, got nan"),
        (np.full((4, 5), 255.0), ValueError, r"mask must hold numbers in 0\.\.1, got 255"),
        (np.ones((4, 5), np.int64), TypeError, "mask must be bool, uint8 or float, got int64"),
    ],
    ids=["colour", "nan", "255", "int64"],
)
def test_bad_masks_are_refused_by_name(mask: np.ndarray, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=f"^shape_edge: {words}"):
        shape_edge(mask, spread_px=1)


def test_masks_of_different_sizes_are_refused() -> None:
    for steady in (0, 1):
        with pytest.raises(ValueError, match="mask 1 must be 121x121 like the first, got 40x30"):
            list(shape_edges([HARD, np.ones((30, 40))], steady_frames=steady))
    with pytest.raises(ValueError, match="mask must hold at least one mask, got none"):
        shape_edges([])
    with pytest.raises(ValueError, match="steady_frames must be >= 0, got -1"):
        shape_edges([HARD], steady_frames=-1)


def test_many_pixels_cost_no_more_than_few() -> None:
    # Not a timing: the reach changes nothing but the window that is worked on.
    small, large = (shape_edge(HARD, spread_px=px) for px in (2, 25))
    assert radius_of(large) - radius_of(small) == pytest.approx(23, abs=0.2)
    assert cv2.countNonZero(large) > cv2.countNonZero(small)


PLATEAU_DIALS = [
    {"spread_px": 3},
    {"choke_px": 3},
    {"feather_outside_px": 8},
    {"spread_px": 20, "feather_outside_px": 10},
    {"feather_inside_px": 4, "feather_outside_px": 4, "profile": "gaussian"},
]


@pytest.mark.slow
@pytest.mark.parametrize("dials", PLATEAU_DIALS, ids=str)
@pytest.mark.parametrize("level", [6, 8, 12, 40, 100, 200])
def test_floor_far_from_the_subject_keeps_its_value(level: int, dials: dict) -> None:
    mask = np.maximum(disc(30, size=181), np.float32(level / 255))
    i, j = np.mgrid[:181, :181]
    shaped = shape_edge(mask, **dials)
    assert shaped[np.hypot(i - 90, j - 90) > 70] * 255 == pytest.approx(level, abs=0.01)
    assert shaped[90, 90] == 1


@pytest.mark.parametrize("dials", PLATEAU_DIALS, ids=str)
@pytest.mark.parametrize("level", [20, 128, 200, 245])
def test_subject_that_is_not_quite_white_keeps_its_value(level: int, dials: dict) -> None:
    mask = np.minimum(disc(60, size=181), np.float32(level / 255))
    assert shape_edge(mask, **dials)[85:95, 85:95] * 255 == pytest.approx(level, abs=0.01)


@pytest.mark.parametrize("level", [0, 3, 6, 10])
@pytest.mark.parametrize("quality", [60, 80, 95])
def test_floor_of_a_jpeg_does_not_grow_with_the_spread(level: int, quality: int) -> None:
    mask = np.maximum(disc(40, size=241), np.float32(level / 255))
    _, packed = cv2.imencode(".jpg", np.rint(mask * 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    unpacked = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    i, j = np.mgrid[:241, :241]
    far = np.hypot(i - 120, j - 120) > 80
    assert shape_edge(unpacked, spread_px=3)[far].max() * 255 <= max(6, unpacked[far].max()) + 0.5


def test_noisy_floor_stays_within_its_noise() -> None:
    noise = np.random.default_rng(0).normal(6, 1, (181, 181)) / 255
    mask = np.clip(np.maximum(disc(30, size=181), noise), 0, 1).astype(np.float32)
    i, j = np.mgrid[:181, :181]
    far = np.hypot(i - 90, j - 90) > 70
    assert shape_edge(mask, spread_px=3)[far].max() <= mask[far].max() + 1 / 255


@pytest.mark.parametrize("level", [6, 8, 20, 50])
@pytest.mark.parametrize("spread", [3, 8])
def test_faint_specks_beside_the_subject_do_not_grow_stronger(level: int, spread: float) -> None:
    mask = cv2.GaussianBlur(disc(40, size=241), (0, 0), 6)  # a wide soft edge outweighs the specks
    for row, column in ((20, 20), (30, 200), (200, 40)):
        mask = np.maximum(mask, level / 255 * disc(5, size=241, centre=(row, column), blur=2))
    shaped = shape_edge(mask.astype(np.float32), spread_px=spread) * 255
    for row, column in ((20, 20), (30, 200), (200, 40)):
        near = shaped[row - 15 : row + 16, column - 15 : column + 16]
        assert near.max() <= level + 1.5
        assert shaped[row, column] > level / 2


@pytest.mark.parametrize("quality", [50, 75, 90])
def test_halo_of_a_jpeg_is_spread_as_its_level_sets_are(quality: int) -> None:
    """Specks beside the edge belong to no soft edge; the truth is counted out with 100 level sets."""
    whole = np.rint(disc(60, size=201) * 255).astype(np.uint8)
    _, packed = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, quality])
    mask = cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE)
    truth = np.mean([shape_edge(mask >= 255 * (k + 0.5) / 100, spread_px=3) for k in range(100)], axis=0)
    # 0.0021 and more at the five usual levels alone.
    assert np.abs(shape_edge(mask, spread_px=3) - truth).mean() < 0.0013


def test_soft_edges_alone_are_taken_at_the_usual_levels() -> None:
    for sigma in (2, 5, 12):
        mask = cv2.GaussianBlur(disc(60, size=301), (0, 0), sigma)
        assert levels_of(mask) == LEVELS
        assert levels_of(np.rint(mask * 255).astype(np.float32) / np.float32(255)) == LEVELS
    assert len(levels_of(np.maximum(mask, np.float32(0.1)))) > len(LEVELS)


def test_soft_mask_with_a_veil_is_the_mean_of_its_level_sets() -> None:
    """What the method promises, counted out with 200 level sets."""
    mask = np.maximum(disc(25, blur=4), 0.3 * disc(50, blur=0.5)).astype(np.float32)
    truth = np.mean([shape_edge(mask >= (k + 0.5) / 200, spread_px=4) for k in range(200)], axis=0)
    found = shape_edge(mask, spread_px=4)
    assert np.abs(found - truth).max() < 0.1
    assert np.abs(found - truth).mean() < 0.003


def test_floor_that_changes_from_frame_to_frame_is_steadied_between_its_values() -> None:
    masks = np.stack([np.maximum(disc(30), np.float32(level / 255)) for level in (0, 6, 20, 6, 0)])
    for mask in shape_edges(masks, steady_frames=1, spread_px=2):
        assert mask[:8, :8].max() * 255 <= 20.01
        assert mask[60, 60] == 1
