"""Colours that drifted from sheet to sheet come back, measured on a drift that we made ourselves."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from escalier.film import Size
from escalier.keyframes import GridPlan, Sheet, lock_colours, plan_grid

CELL = Size(256, 192)
SEEDS = range(4)


class Drifted:
    """Six sheets of a moving scene, painted with drifting colours (affine, gamma) and redrawn a little each time."""

    def __init__(self, seed: int, anchors: str = "first and previous") -> None:
        self._rng = np.random.default_rng(seed)
        self._world = self._scene()
        self.plan = plan_grid(range(0, 600, 15), CELL, 600, Sheet(anchors=anchors, max_side=3 * CELL.width, fit="pad"))
        shape = (len(self.plan.sheets), self.plan.sheet_size.height, self.plan.sheet_size.width, 3)
        self.truth, self.sheets = np.full(shape, 0.5, np.float32), np.full(shape, 0.5, np.float32)
        matrix, gamma = np.eye(3, 4), 1.0
        for sheet, frames in enumerate(self.plan.sheets):
            for cell, frame in enumerate(frames):
                row, column = self.plan.origin(cell)
                place = np.s_[sheet, row : row + CELL.height, column : column + CELL.width]
                self.truth[place] = self._filmed(frame)
                self.sheets[place] = self._painted(self.truth[place], matrix, gamma)
            turn = np.eye(3) + 0.045 * self._rng.standard_normal((3, 3)) * (0.3 + 0.7 * np.eye(3))
            matrix = np.c_[matrix[:, :3] @ turn, matrix[:, 3] + 0.0138 * self._rng.standard_normal(3)]
            gamma = np.exp(0.045 * self._rng.standard_normal())

    def _scene(self) -> np.ndarray:
        """A world larger than the picture: large, middle and small forms."""
        scene = np.zeros((3 * CELL.height, 4 * CELL.width, 3), np.float32)
        for sigma, strength in ((60, 1.0), (20, 0.4), (6, 0.1)):
            # Made small and enlarged: a blur as wide as this is costly at full size.
            small = self._rng.standard_normal((scene.shape[0] // 4, scene.shape[1] // 4, 3)).astype(np.float32)
            blurred = cv2.GaussianBlur(small, (0, 0), sigma / 4)
            scene += strength * cv2.resize(blurred / blurred.std(), scene.shape[1::-1])
        return np.clip(0.45 + 0.16 * scene, 0.02, 0.98)

    def _filmed(self, frame: int) -> np.ndarray:
        """The camera pans over the world, and a red thing crosses the picture."""
        x = int((np.sin(frame * 0.045) * 0.5 + 0.5) * (self._world.shape[1] - CELL.width))
        y = int((np.cos(frame * 0.031) * 0.5 + 0.5) * (self._world.shape[0] - CELL.height))
        picture = self._world[y : y + CELL.height, x : x + CELL.width].copy()
        centre = (30 + frame * 3 % (CELL.width - 60), CELL.height // 2)
        return cv2.ellipse(picture, centre, (28, 60), 0, 0, 360, (0.8, 0.35, 0.25), -1)

    def _painted(self, picture: np.ndarray, matrix: np.ndarray, gamma: float) -> np.ndarray:
        """Drifted in colour, forms displaced by a pixel or so, noise on top: diffusion is not pixel exact."""
        drifted = np.clip(picture @ matrix[:, :3].T + matrix[:, 3], 0, 1).astype(np.float32) ** np.float32(gamma)
        rows, columns = np.mgrid[: CELL.height, : CELL.width].astype(np.float32)
        moves = self._rng.standard_normal((2, 4, 6)).astype(np.float32) * 1.1
        across, down = (cv2.resize(move, CELL) for move in moves)
        redrawn = cv2.remap(drifted, columns + across, rows + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        noise = 0.02 * self._rng.standard_normal(redrawn.shape)
        return np.clip(redrawn + noise, 0, 1).astype(np.float32)

    def colours(self, sheets: np.ndarray, sheet: int) -> np.ndarray:
        """The cells of one sheet as Lab thumbnails, on which fine detail does not count."""
        cells = []
        for cell in range(len(self.plan.sheets[sheet])):
            row, column = self.plan.origin(cell)
            picture = sheets[sheet, row : row + CELL.height, column : column + CELL.width]
            small = cv2.resize(picture, (24, 18), interpolation=cv2.INTER_AREA)
            cells.append(cv2.cvtColor(np.clip(small, 0, 1).astype(np.float32), cv2.COLOR_RGB2Lab))
        return np.stack(cells)

    def difference(self, sheets: np.ndarray) -> float:
        """Mean colour difference of all cells to the truth."""
        apart = [self.colours(sheets, k) - self.colours(self.truth, k) for k in range(len(sheets))]
        return float(np.concatenate([np.linalg.norm(one, axis=-1).ravel() for one in apart]).mean())


def matched_distributions(case: Drifted) -> np.ndarray:
    """What colour-match nodes do: the mean and covariance of each sheet made those of the first (Monge-Kantorovich)."""

    def statistics(sheet: int) -> tuple[np.ndarray, np.ndarray]:
        small = cv2.resize(case.sheets[sheet], None, fx=1 / 8, fy=1 / 8, interpolation=cv2.INTER_AREA).reshape(-1, 3)
        return small.mean(0), np.cov(small.T)

    def root(matrix: np.ndarray) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix)
        return vectors @ np.diag(np.sqrt(np.maximum(values, 1e-9))) @ vectors.T

    mean, covariance = statistics(0)
    out = []
    for sheet, picture in enumerate(case.sheets):
        own_mean, own = statistics(sheet)
        half, inverse = root(own), np.linalg.inv(root(own))
        matrix = inverse @ root(half @ covariance @ half) @ inverse
        out.append(np.clip((picture - own_mean) @ matrix.T + mean, 0, 1))
    return np.stack(out).astype(np.float32)


@pytest.fixture(scope="module")
def cases() -> list[Drifted]:
    return [Drifted(seed) for seed in SEEDS]


@pytest.mark.slow
def test_six_drifted_sheets_come_back_to_the_truth(cases: list[Drifted]) -> None:
    locked = [lock_colours(case.plan, case.sheets) for case in cases]
    assert all(len(case.plan.sheets) == 6 for case in cases)
    nothing = np.mean([case.difference(case.sheets) for case in cases])
    matching = np.mean([case.difference(matched_distributions(case)) for case in cases])
    ours = np.mean([case.difference(lock.sheets) for case, lock in zip(cases, locked, strict=True)])
    print(f"nothing {nothing:.2f}, matched distributions {matching:.2f}, locked {ours:.2f}")
    assert nothing > 8
    assert matching > nothing
    assert ours <= 2.0


@pytest.mark.slow
def test_anchors_of_all_sheets_agree_afterwards(cases: list[Drifted]) -> None:
    for case in cases:
        locked = lock_colours(case.plan, case.sheets)
        assert max(drift.mean for drift in locked.after) <= 1.0
        assert min(drift.mean for drift in locked.before) > 2
        assert all(after.maximum < before.maximum for before, after in zip(locked.before, locked.after, strict=True))


def test_the_reference_stays_bit_for_bit_and_strength_0_changes_nothing(cases: list[Drifted]) -> None:
    case = cases[0]
    locked = lock_colours(case.plan, case.sheets, reference=2)
    assert np.array_equal(locked.sheets[2], case.sheets[2])
    assert not np.array_equal(locked.sheets[0], case.sheets[0])
    assert np.array_equal(lock_colours(case.plan, case.sheets, strength=0).sheets, case.sheets)


def test_an_affine_drift_without_noise_is_taken_back_whole(cases: list[Drifted]) -> None:
    case = cases[0]
    drift = np.array([[0.9, 0.05, 0.0, 0.02], [0.0, 0.95, 0.03, 0.03], [0.02, 0.0, 0.85, 0.05]], np.float32)
    sheets = np.stack([case.truth[0], *(cv2.transform(sheet, drift) for sheet in case.truth[1:])])
    locked = lock_colours(case.plan, sheets, pull=1e-6)
    assert np.abs(locked.sheets - case.truth).max() < 2 / 255


def test_a_redrawn_thing_does_not_turn_the_colours() -> None:
    """A fifth of an anchor cell painted anew in another colour is an outlier, not a drift."""
    case = Drifted(0, "first")
    plan = replace(case.plan, sheets=case.plan.sheets[:2])
    sheets = case.truth[:2].copy()
    sheets[1, : CELL.height, : CELL.width // 5] = (0.1, 0.8, 0.2)
    locked = lock_colours(plan, sheets)
    assert np.abs(locked.sheets[1] - case.truth[1])[:, CELL.width :].mean() < 0.01


def test_eight_bit_sheets_stay_eight_bit_and_larger_ones_are_welcome(cases: list[Drifted]) -> None:
    case = cases[0]
    eight = np.rint(case.sheets * 255).astype(np.uint8)
    locked = lock_colours(case.plan, eight)
    assert locked.sheets.dtype == np.uint8
    floats = lock_colours(case.plan, case.sheets)
    assert np.abs(locked.sheets / 255 - floats.sheets).max() < 2 / 255
    twice = np.repeat(np.repeat(eight, 2, axis=1), 2, axis=2)
    assert np.allclose(lock_colours(case.plan, twice).corrections, locked.corrections, atol=0.01)


def test_the_report_names_every_sheet(cases: list[Drifted]) -> None:
    text = lock_colours(cases[0].plan, cases[0].sheets).describe()
    assert [f"sheet {k}: mean" in text for k in range(1, 7)] == [True] * 6


def test_pasted_anchor_cells_are_warned_of(cases: list[Drifted]) -> None:
    plan = Drifted(0, "first").plan
    sheets = cases[0].sheets[: len(plan.sheets)].copy()
    sheets[1:, : CELL.height, : CELL.width] = sheets[0, : CELL.height, : CELL.width]
    assert "same to the bit" in lock_colours(plan, sheets).describe()


def test_one_sheet_is_left_alone() -> None:
    plan = plan_grid([0, 24], Size(64, 64), 48, Sheet(max_side=512))
    sheet = np.random.default_rng(0).random((1, plan.sheet_size.height, plan.sheet_size.width, 3), np.float32)
    locked = lock_colours(plan, sheet)
    assert np.array_equal(locked.sheets, sheet)
    assert "nothing to lock" in locked.describe()


def small_plan(*sheets: tuple[int, ...]) -> GridPlan:
    plan = plan_grid([0, 24], Size(64, 64), 200, Sheet(max_side=128, fit="pad"))
    return replace(plan, sheets=sheets)


def noise(plan: GridPlan) -> np.ndarray:
    size = (len(plan.sheets), plan.sheet_size.height, plan.sheet_size.width, 3)
    return np.random.default_rng(0).random(size, np.float32)


@pytest.mark.parametrize(
    ("plan", "options", "message"),
    [
        (small_plan((0, 8), (0, 16), (24, 32)), {}, "sheet 3 shares none with sheet 1.*anchors 'first'"),
        (small_plan((0, 8), (0, 16)), {"reference": 2}, r"reference must lie in 0\.\.1, got 2"),
        (small_plan((0, 8), (0, 16)), {"strength": 1.5}, r"strength must lie in 0\.\.1, got 1.5"),
        (small_plan((0, 8), (0, 16)), {"pull": 0}, "pull must be above 0"),
    ],
    ids=["anchors missing", "reference", "strength", "pull"],
)
def test_what_cannot_be_locked_is_refused(plan: GridPlan, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=rf"lock_colours: .*{message}"):
        lock_colours(plan, noise(plan), **options)


def test_sheets_of_another_number_or_size_are_refused() -> None:
    plan = small_plan((0, 8), (0, 16))
    with pytest.raises(ValueError, match=r"sheets must be as many as planned, 2, got 1"):
        lock_colours(plan, noise(plan)[:1])
    with pytest.raises(ValueError, match=r"sheet 1 must be .* as planned.*cropped or stretched"):
        lock_colours(plan, noise(plan)[:, :, :-8])


def test_an_anchor_cell_that_was_not_painted_is_refused() -> None:
    plan = small_plan((0, 8), (0, 16))
    sheets = noise(plan)
    sheets[1, :64, :64] = 0.5
    with pytest.raises(ValueError, match=r"anchor cell of frame 0 must be painted .* sheet 2 it is one flat colour"):
        lock_colours(plan, sheets)
