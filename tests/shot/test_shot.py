"""A planned shot gives the film of one call, whoever makes its runs, and says what keeps it from doing so."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from escalier.refusals import MissingFile, Refusal
from escalier.shot import Making, Shot, open_shot, plan_shot


@pytest.fixture(scope="module")
def made(inputs: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the shot, its clip and its paintings; its runs are made, backwards, each by a newcomer."""
    place = tmp_path_factory.mktemp("shots") / "one"
    place.mkdir()
    shutil.copy(inputs.clip, place / "clip.mp4")
    shutil.copytree(inputs.painted, place / "painted")
    plan_shot(place / "clip.mp4", place / "painted", place / "shot", place / "film.mp4", Making(cuts=()))
    for number in range(len(open_shot(place / "shot").plan.runs), 0, -1):
        open_shot(place / "shot").make(number, threads=1)
    return place


@pytest.fixture
def copied(made: Path, tmp_path: Path) -> Path:
    """The same on another machine, where it lies elsewhere and the planner's own paths lead nowhere."""
    place = tmp_path / "two"
    shutil.copytree(made, place)
    plan = place / "shot" / "plan.json"
    plan.write_text(plan.read_text("utf-8").replace(str(made), "/nowhere"), encoding="utf-8")
    return place


def planned(inputs: SimpleNamespace, folder: Path, **options: object) -> Shot:
    return plan_shot(inputs.clip, inputs.painted, folder, folder.parent / "film.mp4", Making(cuts=(), **options))


def test_the_film_is_that_of_one_call_to_the_byte(made: Path, inputs: SimpleNamespace) -> None:
    shot = open_shot(made / "shot")
    assert shot.missing() == []
    assert shot.assemble().read_bytes() == inputs.film


def test_a_shot_may_be_moved_with_its_inputs(copied: Path, inputs: SimpleNamespace) -> None:
    shot = open_shot(copied / "shot")
    assert shot.inputs()[0] == copied / "clip.mp4"
    assert shot.assemble() == copied / "film.mp4"  # and not where the planner had it
    assert (copied / "film.mp4").read_bytes() == inputs.film


def test_a_plan_writes_nothing_but_itself(inputs: SimpleNamespace, tmp_path: Path) -> None:
    planned(inputs, tmp_path / "shot")
    seen = {path.name for path in (tmp_path / "shot").iterdir() if not path.name.startswith((".", "motion"))}
    assert seen == {"plan.json"}
    assert not list((tmp_path / "shot").rglob("*.npy"))


def test_the_plan_counts_runs_frames_and_room(made: Path) -> None:
    plan = open_shot(made / "shot").plan
    assert [(run.keyframe, run.last) for run in plan.runs] == [(0, 3), (0, 0), (4, 7), (4, 1), (8, 8), (8, 5)]
    assert plan.longest.number == 1 and plan.shortened_by() == 1
    for run in plan.runs:
        lies = sum(path.stat().st_size for path in (made / "shot" / run.folder).glob("*.npy"))
        assert lies < run.disk_bytes


def test_one_run_reads_and_matches_its_own_frames_alone(inputs: SimpleNamespace, tmp_path: Path) -> None:
    shot = planned(inputs, tmp_path / "shot")
    shot.make(4, threads=1)
    flows = sorted(path.name for path in (tmp_path / "shot").rglob("flow_*.npy"))
    assert flows == [f"flow_{index:06d}.npy" for index in (1, 2, 3)]
    assert not list((tmp_path / "shot").glob("film_*.npy"))
    assert shot.missing() == [1, 2, 3, 5, 6]


def test_the_progress_of_one_run_is_of_that_run_alone(inputs: SimpleNamespace, tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []
    planned(inputs, tmp_path / "shot").make(4, threads=1, progress=lambda done, total, *_: told.append((done, total)))
    done, totals = zip(*told, strict=True)
    assert list(done) == sorted(done) and done[-1] == pytest.approx(totals[-1])
    # Three pairs of frames are matched and three frames painted; of nine frames it would be eight pairs.
    assert totals[-1] == pytest.approx(3 * (0.002 + 0.32 * 0.006144 + 0.05 + 2.6 * 0.006144), rel=0.01)


def test_two_workers_on_one_run_give_one_run(inputs: SimpleNamespace, tmp_path: Path) -> None:
    planned(inputs, tmp_path / "shot")
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: open_shot(tmp_path / "shot").make(1, threads=1), range(2)))
    assert runs[0].folder == runs[1].folder
    assert (runs[0].frames == runs[1].frames).all()


def test_a_corrected_keyframe_leaves_the_other_runs(copied: Path, inputs: SimpleNamespace) -> None:
    picture = next(path for path in (copied / "painted").iterdir() if "000004" in path.name)
    cv2.imwrite(str(picture), 255 - cv2.imread(str(picture)))
    with pytest.raises(Refusal, match="keyframe 4 must be as when the shot was planned, got otherwise"):
        open_shot(copied / "shot").make(1)
    again = plan_shot(copied / "clip.mp4", copied / "painted", copied / "shot", copied / "film.mp4", Making(cuts=()))
    assert again.missing() == [3, 4]


def test_masks_belong_to_the_plan(inputs: SimpleNamespace, tmp_path: Path) -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[10:50, 20:60] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    without, masked = planned(inputs, tmp_path / "a"), planned(inputs, tmp_path / "b", masks=tmp_path / "mask.png")
    assert without.plan.runs[0].folder != masked.plan.runs[0].folder
    assert open_shot(tmp_path / "b").make(1, threads=1).folder.name == masked.plan.runs[0].folder


def test_other_masks_than_planned_are_not_blamed_on_a_painting(inputs: SimpleNamespace, tmp_path: Path) -> None:
    mask = np.zeros((64, 96), np.uint8)
    mask[10:50, 20:60] = 255
    cv2.imwrite(str(tmp_path / "mask.png"), mask)
    planned(inputs, tmp_path / "shot", masks=tmp_path / "mask.png")
    cv2.imwrite(str(tmp_path / "mask.png"), mask[:, ::-1])
    with pytest.raises(Refusal, match="the clip with its masks must be as when the shot was planned"):
        open_shot(tmp_path / "shot").make(1)


def test_what_is_missing_is_named(copied: Path, tmp_path: Path) -> None:
    shot = open_shot(copied / "shot")
    shutil.rmtree(copied / "shot" / shot.plan.runs[2].folder)
    with pytest.raises(MissingFile, match="must hold all 6 runs, got 5; the first that lacks is 000004 forward"):
        shot.assemble(tmp_path / "film.mp4")
    (copied / "clip.mp4").unlink()
    with pytest.raises(MissingFile, match=r"the clip must lie at .*clip.mp4 or at /nowhere/clip.mp4"):
        open_shot(copied / "shot")
    with pytest.raises(MissingFile, match=r"must be a shot's folder, got no plan.json; make one with escalier plan"):
        open_shot(tmp_path)


def test_another_clip_under_the_name_is_refused(copied: Path) -> None:
    from escalier.film import Size, make_clip, write_film

    write_film(copied / "clip.mp4", make_clip(Size(96, 64), length=9, rate=7))
    with pytest.raises(Refusal, match="the clip must be the one that was planned, got another, or a changed one"):
        open_shot(copied / "shot")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[: len(text) // 2], "a damaged one"),
        (lambda text: "[]", "a damaged one"),
        (lambda text: "\xff\x00", "a damaged one"),
        (lambda text: text.replace('"seed"', '"sown"'), "a damaged one"),
        (lambda text: text.replace('"colour": 6.0', '"colour": -6.0'), "a damaged one"),
        (
            lambda text: json.dumps(json.loads(text) | {"runs": json.loads(text)["runs"][:4]}),
            "the plan must count the shot's 6 runs, got 4",
        ),
        (lambda text: json.dumps(json.loads(text) | {"escalier": "0.0.1"}), "must be of Escalier .*, got 0.0.1"),
    ],
)
def test_a_damaged_or_foreign_plan_is_refused_in_a_sentence(copied: Path, spoil, said: str) -> None:
    plan = copied / "shot" / "plan.json"
    plan.write_text(spoil(plan.read_text("utf-8")), encoding="utf-8")
    with pytest.raises(Refusal, match=said):
        open_shot(copied / "shot").missing()


@pytest.mark.parametrize("number", [0, -1, 7])
def test_a_run_that_the_plan_does_not_have_is_refused(made: Path, number: int) -> None:
    with pytest.raises(Refusal, match=r"run must be in 1\.\.6"):
        open_shot(made / "shot").make(number)
