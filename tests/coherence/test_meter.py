"""The whole meter against a second, straightforward one; its regions, its reasons, and what it refuses."""

from __future__ import annotations

import csv
import io
import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy import ndimage

from escalier.coherence import Measurement, find_long_lag, measure_film, plot_curves
from escalier.film import ArrayFrames, FolderFrames, Motion, Size, make_clip
from escalier.keyframes import Keyframes
from escalier.propagation import Run, Runs, Staircase

SIZE = Size(96, 64)
LENGTH = 9
KEYS = (1, 6)
LAG = 3


def scene(seed: int, size: Size = SIZE) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (size.height, size.width, 3), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def sliding(seed: int, length: int = LENGTH, size: Size = SIZE, noise: int = 0) -> ArrayFrames:
    random, picture = np.random.default_rng(seed), scene(seed, size)
    frames = [np.roll(picture, (index, 2 * index), axis=(0, 1)).astype(int) for index in range(length)]
    noisy = [frame + random.integers(-noise, noise + 1, frame.shape) for frame in frames]
    return ArrayFrames(np.clip(np.stack(noisy), 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def source() -> ArrayFrames:
    return sliding(0, noise=2)


@pytest.fixture(scope="module")
def restyled() -> ArrayFrames:
    return sliding(5, noise=12)


class QuarterMotion(Motion):
    """Flow in quarters of a pixel, which every OpenCV samples exactly: older ones round to 1/32."""

    def _both_ways(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return quarters(super()._both_ways(one, other))


def quarters(flow: np.ndarray) -> np.ndarray:
    return np.rint(flow * 4) / 4


@pytest.fixture(scope="module")
def motion(source: ArrayFrames, tmp_path_factory: pytest.TempPathFactory) -> Motion:
    return QuarterMotion(source, tmp_path_factory.mktemp("motion"))


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    """A rectangle that walks through the picture."""
    white = np.zeros((LENGTH, SIZE.height, SIZE.width), np.float32)
    for index, mask in enumerate(white):
        mask[10:50, 4 * index : 4 * index + 40] = 1
    return white


@pytest.fixture(scope="module")
def found(source, restyled, motion, masks) -> Measurement:
    keyframes = Keyframes(KEYS, [scene(5), scene(6)], LENGTH)
    return measure_film(source, restyled, motion=motion, keyframes=keyframes, masks=masks, lag=LAG)


class Plain:
    """The published formulas in float64, pair by pair, with nothing of the meter in it but the source's flow."""

    def __init__(self, source: ArrayFrames, restyled: ArrayFrames, motion: Motion) -> None:
        self.source, self.restyled, self.motion = source, restyled, motion

    def valid(self, i: int, j: int) -> np.ndarray:
        there, back = self.motion.flow(i, j).astype(np.float64), self.motion.flow(j, i).astype(np.float64)
        returned = np.stack([sample(back[..., c], there) for c in range(2)], axis=-1)
        length = (there**2).sum(-1) + (returned**2).sum(-1)
        agrees = ((there + returned) ** 2).sum(-1) <= 0.01 * length + 0.5
        gradient = np.zeros(there.shape[:2])
        gradient[:, :-1] += ((there[:, 1:] - there[:, :-1]) ** 2).sum(-1)
        gradient[:-1] += ((there[1:] - there[:-1]) ** 2).sum(-1)
        y, x = np.mgrid[: SIZE.height, : SIZE.width]
        x, y = x + there[..., 0], y + there[..., 1]
        inside = (x >= 0) & (x <= SIZE.width - 1) & (y >= 0) & (y <= SIZE.height - 1)
        return agrees & inside & ~(gradient > 0.01 * (there**2).sum(-1) + 0.002)

    def change(self, film: ArrayFrames, i: int, j: int, *, in_lab: bool = False) -> np.ndarray:
        one, other = (film.frame(k).astype(np.float32) / 255 for k in (i, j))
        if in_lab:
            one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2Lab) for picture in (one, other))
        flow = self.motion.flow(i, j)
        return np.stack([sample(other[..., c].astype(np.float64), flow) - one[..., c] for c in range(3)], axis=-1)

    def followed(self, i: int) -> np.ndarray:
        change = self.change(self.source, i, i + 1, in_lab=True)
        smooth = np.stack([ndimage.gaussian_filter(change[..., c], 2.0, mode="mirror") for c in range(3)], axis=-1)
        return self.valid(i, i + 1) & (np.sqrt((smooth**2).sum(-1)) < 1)

    def warp_error(self, film: ArrayFrames, lag: int, regions: np.ndarray) -> float:
        return self.over_time(lambda i, j: (self.change(film, i, j) ** 2).sum(-1) / 3, lag, regions)

    def motion_error(self, regions: np.ndarray) -> float:
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

        def apart(i: int, j: int) -> np.ndarray:
            one, other = (cv2.cvtColor(self.restyled.frame(k), cv2.COLOR_RGB2GRAY) for k in (i, j))
            own = quarters(dis.calc(one, other, None).astype(np.float16)).astype(np.float64)
            return np.sqrt(((own - self.motion.flow(i, j)) ** 2).sum(-1))

        return self.over_time(apart, 1, regions)

    def over_time(self, map_of, lag: int, regions: np.ndarray) -> float:
        means = [map_of(i, i + lag)[self.valid(i, i + lag) & regions[i]].mean() for i in range(LENGTH - lag)]
        return sum(means) / len(means)

    def steps(self, regions: np.ndarray) -> np.ndarray:
        return np.array(
            [
                self.change(self.restyled, i, i + 1, in_lab=True)[self.valid(i, i + 1) & regions[i]].mean(axis=0)
                for i in range(LENGTH - 1)
            ]
        )

    def pop(self, regions: np.ndarray) -> float:
        steps = [self.stands_out(film, regions) for film in (self.restyled, self.source)]
        return max(own if usual < 1 else own / usual for own, usual in zip(*steps, strict=True))

    def stands_out(self, film: ArrayFrames, regions: np.ndarray) -> list[float]:
        changes = []
        for i in range(LENGTH - 1):
            change = self.change(film, i, i + 1, in_lab=True)
            changes.append(np.sqrt((change**2).sum(-1))[self.followed(i) & regions[i]].mean())
        ranked = sorted(changes)
        return [change / ((ranked[3] + ranked[4]) / 2) for change in changes]


def sample(values: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Bilinear, the edge repeated."""
    y, x = np.mgrid[: values.shape[0], : values.shape[1]]
    places = [y + flow[..., 1], x + flow[..., 0]]
    return ndimage.map_coordinates(values.astype(np.float64), places, order=1, mode="nearest")


def plain_sharpness(picture: np.ndarray, region: np.ndarray) -> float:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.abs(ndimage.laplace(grey, mode="mirror"))[region].mean()


@pytest.mark.parametrize("name", ["whole", "inside", "outside"])
def test_figures_agree_with_a_straightforward_second_meter(source, restyled, motion, masks, found, name: str) -> None:
    plain, inside = Plain(source, restyled, motion), masks > 0.5
    regions = {"whole": np.ones_like(inside), "inside": inside, "outside": ~inside}[name]
    figures = found.regions[name].figures
    steps = plain.steps(regions)
    expected = {
        "warp_error": plain.warp_error(restyled, 1, regions),
        "warp_error_long": plain.warp_error(restyled, LAG, regions),
        "source_warp_error": plain.warp_error(source, 1, regions),
        "source_warp_error_long": plain.warp_error(source, LAG, regions),
        "colour_step": np.sqrt((steps**2).sum(axis=1)).max(),
        "colour_drift": np.sqrt((np.cumsum(steps, axis=0) ** 2).sum(axis=1)).max(),
        "motion_error": plain.motion_error(regions),
        "pop": plain.pop(regions),
    }
    expected["flicker"] = expected["warp_error"] / expected["source_warp_error"]
    painted = [plain_sharpness(scene(seed), regions[index]) for seed, index in zip((5, 6), KEYS, strict=True)]
    shares = [min(max((index - KEYS[0]) / (KEYS[1] - KEYS[0]), 0), 1) for index in range(LENGTH)]
    kept = [
        plain_sharpness(restyled.frame(index), regions[index]) / (painted[0] + share * (painted[1] - painted[0]))
        for index, share in enumerate(shares)
    ]
    expected["sharpness"] = np.mean(kept)
    for figure, value in expected.items():
        assert figures[figure] == pytest.approx(value, rel=1e-6, abs=1e-6), figure


def staircase_of(left: np.ndarray, right: np.ndarray, frames: int) -> Staircase:
    """Two still runs, mixed in a straight line over time."""
    size = Size.of(left)
    error = np.full((frames, size.height, size.width), 3, np.float16)

    def run(start: int, direction: int, picture: np.ndarray) -> Run:
        return Run(
            start, direction, np.repeat(picture[None], frames, axis=0), error, np.ones(frames, np.float32), Path()
        )

    keyframes = Keyframes([0, frames - 1], [left, right], frames)
    forward, backward = {0: run(0, 1, left)}, {frames - 1: run(frames - 1, -1, right)}
    return Staircase(Runs(keyframes, size, ArrayFrames(left[None]).rate, forward, backward), mode="linear")


def plain_double_exposure(blend: np.ndarray, sides: list[np.ndarray]) -> float:
    def detail(picture: np.ndarray) -> np.ndarray:
        grey = picture.astype(np.float64) @ [0.299, 0.587, 0.114] / 255
        return grey - ndimage.gaussian_filter(grey, 2.0, mode="mirror")

    blend, sides = detail(blend), [detail(side) for side in sides]
    values = []
    for top in (0, 32):
        for left in (0, 32, 64):
            patch = blend[top : top + 32, left : left + 32]
            best = 0.0
            for side in sides:
                for y in range(max(0, top - 8), min(top + 8, SIZE.height - 32) + 1):
                    for x in range(max(0, left - 8), min(left + 8, SIZE.width - 32) + 1):
                        best = max(best, np.corrcoef(patch.ravel(), side[y : y + 32, x : x + 32].ravel())[0, 1])
            values.append(1 - best)
    return float(np.mean(values))


def test_double_exposure_agrees_with_a_straightforward_search() -> None:
    left, right, still = scene(1), scene(2), ArrayFrames(np.repeat(scene(3)[None], 5, axis=0))
    stairs = staircase_of(left, right, 5)
    curve = measure_film(still, stairs).curves["double_exposure"]
    assert np.isfinite(curve).tolist() == [False, True, True, True, False]
    assert curve[2] == pytest.approx(plain_double_exposure(stairs.frame(2), [left, right]), abs=1e-5)


def test_fades_are_judged_where_the_runs_are_known() -> None:
    still = ArrayFrames(np.repeat(scene(3)[None], 9, axis=0))
    stairs = staircase_of(scene(1), scene(2), 9)
    seen = ArrayFrames(np.stack([stairs.frame(index) for index in range(9)]))
    known, told, unknown = (
        measure_film(still, film, runs=runs) for film, runs in ((stairs, None), (seen, stairs.runs), (seen, None))
    )
    assert known.figures["ghosting_kept"] == pytest.approx(0.77, abs=0.05)
    assert known.figures["double_exposure"] > 0.1
    assert told.figures["ghosting_kept"] == pytest.approx(known.figures["ghosting_kept"], abs=0.01)
    assert unknown.figures["ghosting_kept"] is None and "runs" in unknown.reasons["ghosting_kept"]
    assert known.keyframes == (0, 8) and known.sharpness_of == "the painted keyframes"


def test_error_inside_a_mask_is_not_seen_outside(source, motion, masks) -> None:
    random = np.random.default_rng(0)
    frames = np.stack([source.frame(index) for index in range(LENGTH)])
    shaken = frames.copy()
    inside = masks > 0.5
    shaken[inside] = random.integers(0, 256, shaken[inside].shape)
    # One pixel around the mask is left out, since sampling between pixels reaches over its edge.
    wider = np.stack([cv2.dilate(mask, np.ones((25, 25))) for mask in masks])
    measured = measure_film(source, ArrayFrames(shaken), motion=motion, masks=wider)
    clean = measure_film(source, source, motion=motion, masks=wider)
    for figure in ("warp_error", "warp_error_long", "colour_step", "pop"):
        outside = measured.regions["outside"].figures[figure]
        assert outside == pytest.approx(clean.regions["outside"].figures[figure], abs=1e-9), figure
        assert measured.regions["inside"].figures[figure] > clean.regions["inside"].figures[figure], figure


def test_every_flow_of_the_source_is_computed_once(source, restyled, tmp_path, monkeypatch) -> None:
    motion, made = Motion(source, tmp_path), []
    work = motion._both_ways
    monkeypatch.setattr(motion, "_both_ways", lambda one, other: made.append(1) or work(one, other))
    measure_film(source, restyled, motion=motion, lag=LAG)
    own = LENGTH - 1
    assert len(made) == (LENGTH - 1) + (LENGTH - LAG) + own
    measure_film(source, restyled, motion=motion, lag=LAG)
    assert len(made) == (LENGTH - 1) + (LENGTH - LAG) + 2 * own


@pytest.mark.slow
def test_large_films_are_measured_at_the_size_of_the_flow(tmp_path: Path) -> None:
    film = sliding(0, 3, Size(1200, 900))
    found = measure_film(film, film)
    assert found.size == Motion(film, tmp_path).working_size
    assert found.figures["motion_error"] == 0


@pytest.mark.parametrize("keyframes", [[0, 7], [0, 14, 35], [0, 49], [0, 11, 24], [0, 7 * 11 * 13 * 9]])
def test_long_lag_divides_no_interval_of_the_keyframes(keyframes: list[int]) -> None:
    lag = find_long_lag(keyframes[-1] + 1, keyframes)
    assert lag is not None and lag > 1
    assert all((after - before) % lag for before, after in itertools.pairwise(keyframes))


def test_a_pump_in_every_interval_shows_at_the_long_lag() -> None:
    still = np.repeat(scene(3)[None], 29, axis=0)
    pumped = np.clip(still + (np.arange(29) % 7 * 4)[:, None, None, None], 0, 255).astype(np.uint8)
    film, keys = ArrayFrames(still), range(0, 29, 7)
    aliased, seen = (measure_film(film, ArrayFrames(pumped), keyframes=keys, lag=lag) for lag in (7, None))
    assert aliased.figures["warp_error_long"] == 0
    assert seen.lag == 11 and seen.figures["warp_error_long"] > 1e-4


def flat(length: int, level: int = 0) -> ArrayFrames:
    return ArrayFrames(np.full((length, 48, 64, 3), level, np.uint8))


def cuts(length: int) -> ArrayFrames:
    return ArrayFrames(np.stack([scene(seed, Size(128, 96)) for seed in range(length)]))


ODD_FILMS = {
    "one frame": (flat(1), "one frame"),
    "two frames": (sliding(0, 2), "too short"),
    "all black": (flat(8), "no drawing"),
    "no motion": (flat(8, 90), "does not change"),
    "hard cuts everywhere": (cuts(8), "cuts"),
}


@pytest.mark.parametrize(("film", "word"), ODD_FILMS.values(), ids=ODD_FILMS)
def test_every_figure_that_is_missing_has_its_reason(film: ArrayFrames, word: str) -> None:
    mask = np.zeros((1, film.size.height, film.size.width), np.float32)
    found = measure_film(film, film, masks=mask)
    for region in found.regions.values():
        missing = {name for name, value in region.figures.items() if value is None}
        assert missing == set(region.reasons)
        assert all(np.isfinite(value) for value in region.figures.values() if value is not None)
    assert any(word in reason for reason in found.reasons.values())
    assert "nan" not in str(found).lower().replace("none", "")
    assert "NaN" not in found.to_json() and "nan" not in found.to_csv()
    assert plot_curves(found).dtype == np.uint8


def test_a_cut_is_left_out_and_said(tmp_path: Path) -> None:
    film = ArrayFrames(
        np.concatenate([[sliding(0).frame(i) for i in range(5)], [sliding(1).frame(i) for i in range(5)]])
    )
    found = measure_film(film, film, lag=2)
    assert np.isfinite(found.curves["warp_error"]).tolist() == [True] * 4 + [False] + [True] * 4 + [False]
    assert (
        np.isfinite(found.curves["warp_error_long"]).tolist() == [True] * 3 + [False, False] + [True] * 3 + [False] * 2
    )
    assert "At lag 1, 1 of 9 pairs is left out" in str(found) and "begin at frame 4." in str(found)
    assert "At lag 2, 2 of 8 pairs are left out" in str(found) and "begin at frame 3, 4." in str(found)


def test_json_and_csv_hold_every_curve_of_every_region(found: Measurement) -> None:
    facts = json.loads(found.to_json())
    table = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert set(facts["regions"]) == {"whole", "inside", "outside"}
    assert len(table) == LENGTH
    for name, region in found.regions.items():
        for curve, values in region.curves.items():
            assert values.shape == (LENGTH,)
            for index, value in enumerate(values):
                stored, cell = facts["regions"][name]["curves"][curve][index], table[index][f"{name}.{curve}"]
                assert (stored is None and cell == "") if np.isnan(value) else stored == value
                assert cell == "" or float(cell) == pytest.approx(value, rel=1e-8)


def test_sharpness_is_held_against_the_best_that_is_known(source, motion) -> None:
    soft = ArrayFrames(np.stack([cv2.GaussianBlur(source.frame(index), (0, 0), 2) for index in range(LENGTH)]))
    painted = Keyframes.of(source, KEYS)
    by_painting, by_itself, by_source = (
        measure_film(source, soft, motion=motion, keyframes=keys) for keys in (painted, KEYS, None)
    )
    assert by_painting.bought_with_blur() and by_source.bought_with_blur()
    assert by_itself.figures["sharpness"] == pytest.approx(1, abs=0.05)
    assert "No keyframes are known" in str(by_source)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"restyled": sliding(5, 8)}, "restyled must have the source's 9 frames, got 8"),
        (
            {"restyled": sliding(5, 9, Size(64, 48))},
            "restyled must have the source's size 96x64, or be larger by one factor, got 64x48",
        ),
        ({"keyframes": [0, 9]}, r"indices must lie in 0\.\.8, got 9"),
        ({"keyframes": [4, 2]}, "indices must rise"),
        ({"keyframes": Keyframes([0], [scene(1)], 5)}, "keyframes must have the source's 9 frames, got 5"),
        ({"masks": np.zeros((4, 64, 96), np.float32)}, "mask must hold 1 or 9 masks, one for each frame, got 4"),
        ({"masks": np.zeros((9, 48, 96), np.float32)}, "mask must be a single channel of 96x64"),
        ({"lag": 9}, r"lag must lie in 2\.\.8, got 9"),
        ({"lag": 1}, r"lag must lie in 2\.\.8, got 1"),
    ],
    ids=["length", "size", "outside", "order", "other film", "masks", "mask size", "long lag", "lag 1"],
)
def test_what_does_not_belong_together_is_refused(source, restyled, motion, change: dict, message: str) -> None:
    use = {"restyled": restyled, "motion": motion} | change
    with pytest.raises(ValueError, match=f"^measure_film: {message}"):
        measure_film(source, **use)


def test_the_motion_of_another_film_is_refused(source, restyled, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="motion must have the source's 9 frames, got 3"):
        measure_film(source, restyled, motion=Motion(sliding(0, 3), tmp_path))


def test_progress_rises_to_its_total_and_stops_what_it_is_told_to(source, restyled, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    measure_film(source, restyled, motion=Motion(source, tmp_path), lag=LAG, progress=lambda *a: told.append(a[:2]))
    total = (LENGTH - 1) + (LENGTH - LAG) + LENGTH
    assert [done for done, _ in told] == list(range(1, total + 1))
    assert {all_of_it for _, all_of_it in told} == {total}

    def stop(done: int, total: int, picture: object = None) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        measure_film(source, restyled, progress=stop)


def test_plot_shows_a_panel_for_each_figure_that_is_known(found: Measurement) -> None:
    clip = make_clip(SIZE, 4)
    plain = measure_film(clip, clip)
    assert plot_curves(found).shape == plot_curves(plain).shape  # neither knows the runs of its fades
    known = plot_curves(
        measure_film(ArrayFrames(np.repeat(scene(3)[None], 9, axis=0)), staircase_of(scene(1), scene(2), 9))
    )
    assert known.shape[0] > plot_curves(found).shape[0]


def test_report_and_table_count_as_people_do_and_the_json_object_from_0(source, restyled, tmp_path: Path) -> None:
    for name, film in (("plates", source), ("film", restyled)):
        (tmp_path / name).mkdir()
        for index in range(LENGTH):
            cv2.imwrite(str(tmp_path / name / f"{index + 1001}.png"), film.frame(index)[..., ::-1])
    plates, film = (FolderFrames(tmp_path / name, rate=24) for name in ("plates", "film"))
    plain, counted = measure_film(source, restyled, lag=LAG), measure_film(plates, film, lag=LAG)
    assert (plain.first, counted.first, measure_film(source, restyled, first=1).first) == (0, 1001, 1)
    assert counted.frames == plain.frames and json.loads(counted.to_json())["first"] == 1001
    assert f"(worst at frame {plain.frames['pop']})" in str(plain)
    assert f"(worst at frame {plain.frames['pop'] + 1001})" in str(counted)
    rows = list(csv.reader(io.StringIO(counted.to_csv())))
    assert [row[0] for row in rows[1:]] == [str(1001 + index) for index in range(LENGTH)]
