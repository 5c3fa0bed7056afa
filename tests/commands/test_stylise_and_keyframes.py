"""`escalier keyframes` and `escalier stylise`, from a clip to a film with no server."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.commands import main
from escalier.commands.contact_sheet import contact_sheet
from escalier.film import ArrayFrames, Encoding, Size, make_clip, open_film, read_picture, write_film
from escalier.keyframes import write_keyframes

SIZE = Size(96, 64)
LENGTH = 7


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("shot") / "shot.mp4", make_clip(SIZE, LENGTH), encoding=Encoding(crf=10))


def repaint(folder: Path) -> None:
    for file in folder.glob("*.png"):
        cv2.imwrite(str(file), 255 - cv2.imread(str(file)))


def test_a_clip_becomes_a_film_with_its_keyframes_in_it(clip: Path, tmp_path: Path, capsys) -> None:
    painted, film = tmp_path / "painted", tmp_path / "film.mkv"  # lossless, so that the keyframes can be compared
    assert main(["keyframes", str(clip), "--output", str(painted), "--at", "2,5", "--first", "1"]) == 0
    assert sorted(file.name for file in painted.iterdir()) == ["keyframe_000002.png", "keyframe_000005.png"]
    repaint(painted)
    capsys.readouterr()
    arguments = ["stylise", str(clip), "--keyframes", str(painted), "--first", "1", "--output", str(film), "--json"]
    assert main([*arguments, "--threads", "1"]) == 0
    facts = json.loads(capsys.readouterr().out)
    made = open_film(film)
    assert len(made) == LENGTH and len(facts["confidence"]) == LENGTH
    for name, index in (("keyframe_000002.png", 1), ("keyframe_000005.png", 4)):
        assert np.array_equal(made.frame(index), read_picture(painted / name))
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == [".escalier"]
    assert [(k["frame"], Path(k["file"]).name) for k in facts["keyframes"]] == [
        (1, "keyframe_000002.png"),
        (4, "keyframe_000005.png"),
    ]
    assert facts["file"] == str(film) and facts["frames"] == LENGTH and facts["size"] == list(SIZE)
    assert facts["scratch"]["bytes"] > 0 and facts["report"]["pop"] > 0


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["--every", "3"], 3), (["--count", "2"], 2), (["--by-motion", "2"], 2), (["--per-second", "7"], 2), ([], 1)],
    ids=["every", "count", "by motion", "per second", "default"],
)
def test_keyframes_are_chosen_as_asked(clip: Path, tmp_path: Path, arguments: list[str], count: int) -> None:
    assert main(["keyframes", str(clip), "--output", str(tmp_path / "out"), *arguments]) == 0
    assert len(list((tmp_path / "out").iterdir())) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by-motion", "99"], "at most the film's 7 frames, got 99"),
        (["--by-motion", "0"], "count must be"),
        (["--at", "1,1"], "indices must be different"),
        (["--at", "7"], "must lie in 0..6"),
        (["--per-second", "nan"], "per_second must be a finite number"),
        (["--every", "0"], "n must be at least 1"),
        (["--first", "-1"], "first must be at least 0"),
        (["--rate", "24"], "the file knows its own"),
        (["--output", "plates"], "must hold no pictures but keyframes"),
        (["--output", "file.png"], "file.png"),
    ],
    ids=" ".join,
)
def test_keyframes_that_cannot_be_exported_are_refused_before_the_motion_is_measured(
    clip: Path, tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("escalier.film.motion.Motion.prepare", lambda *_, **__: pytest.fail("the motion was measured"))
    (tmp_path / "plates").mkdir()
    for name in ("plates/plate_0001.png", "file.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    given = [] if "--output" in arguments else ["--output", "out"]
    assert main(["keyframes", str(clip), *given, *arguments]) == 1
    said = capsys.readouterr().err
    assert message in said and len(said.splitlines()) == 1 and "at fault" not in said
    assert not (tmp_path / "out").exists()


def test_keyframes_are_told_as_json(clip: Path, tmp_path: Path, capsys) -> None:
    assert (
        main(["keyframes", str(clip), "--output", str(tmp_path / "out"), "--at", "2,5", "--first", "1", "--json"]) == 0
    )
    facts = json.loads(capsys.readouterr().out)
    assert [(Path(one["file"]).name, one["frame"]) for one in facts["keyframes"]] == [
        ("keyframe_000002.png", 1),
        ("keyframe_000005.png", 4),
    ]
    assert facts["keyframes"][1]["time"] == pytest.approx(4 / 24)


def test_more_keyframes_may_go_into_the_same_folder_and_the_next_step_is_named(
    clip: Path, tmp_path: Path, capsys
) -> None:
    folder = tmp_path / "it's mine"
    for frame in ("1", "4"):
        assert main(["keyframes", str(clip), "--output", str(folder), "--at", frame]) == 0
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == len(list(folder.iterdir())) == 2
    next_step = printed.err.splitlines()[-1].partition("escalier ")[2]
    assert shlex.split(next_step) == ["stylise", str(clip), "--keyframes", str(folder)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keyframes": "empty"}, "must hold pictures"),
        ({"keyframes": "missing"}, "no folder or picture"),
        ({"clip": "missing.mp4"}, "no film at"),
        ({"output": "film.avi"}, "the output must be .mp4"),
        ({"keyframes": "small"}, "must be 96x64"),
        ({"keyframes": "late"}, "must lie in the film"),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_what_cannot_be_stylised_is_refused_in_a_sentence(clip, tmp_path, capsys, change, message) -> None:
    for name, size, index in (("painted", SIZE, 0), ("small", Size(48, 32), 0), ("late", SIZE, 50)):
        write_keyframes(tmp_path / name, make_clip(size, 60), [index])
    (tmp_path / "empty").mkdir()
    use = {"clip": str(clip), "keyframes": "painted", "output": "film.mp4"} | change
    source = use["clip"] if use["clip"] == str(clip) else str(tmp_path / use["clip"])
    arguments = ["stylise", source, "--keyframes", str(tmp_path / use["keyframes"])]
    assert main([*arguments, "--output", str(tmp_path / use["output"])]) == 1
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
    assert sorted(file.name for file in tmp_path.iterdir()) == ["empty", "late", "painted", "small"]


def test_a_film_is_not_overwritten_by_accident(clip: Path, tmp_path: Path, capsys) -> None:
    write_keyframes(tmp_path / "painted", make_clip(SIZE, LENGTH), [0])
    (tmp_path / "film.mp4").write_bytes(b"precious")
    arguments = ["stylise", str(clip), "--keyframes", str(tmp_path / "painted"), "--output", str(tmp_path / "film.mp4")]
    assert main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (tmp_path / "film.mp4").read_bytes() == b"precious"


def test_a_mask_in_colour_is_refused(clip: Path, tmp_path: Path, capsys) -> None:
    write_keyframes(tmp_path / "painted", make_clip(SIZE, LENGTH), [0])
    arguments = ["stylise", str(clip), "--keyframes", str(tmp_path / "painted"), "--output", str(tmp_path / "film.mp4")]
    assert main([*arguments, "--mask", str(clip)]) == 1
    assert "must be black and white" in capsys.readouterr().err


def test_a_contact_sheet_shows_each_frame_above_its_restyled_one() -> None:
    film = make_clip(SIZE, LENGTH)
    sheet = contact_sheet(film, film, [0, 3, 6], marked=[3], columns=2)
    assert sheet.shape[1] == 2 * (SIZE.width + 12)
    assert sheet.shape[0] % 2 == 0
    marked = sheet[SIZE.height + 6 : 2 * SIZE.height + 12, SIZE.width + 12 :]
    assert (marked[0, 0] == (240, 170, 40)).all()


def cut_shot(folder: Path) -> Path:
    """Two shots of four frames, the second without anything of the first."""
    frames = [make_clip(SIZE, 4).frame(index) for index in range(4)]
    other = [np.ascontiguousarray(255 - frame[::-1, ::-1]) for frame in frames]
    return write_film(folder / "cut.mkv", ArrayFrames(np.stack(frames + other)))


@pytest.mark.slow
def test_a_shot_without_a_keyframe_is_refused_unless_cuts_are_not_looked_for(tmp_path: Path, capsys) -> None:
    clip, painted = cut_shot(tmp_path), tmp_path / "painted"
    assert main(["keyframes", str(clip), "--output", str(painted), "--at", "1"]) == 0
    arguments = ["stylise", str(clip), "--keyframes", str(painted), "--threads", "1"]
    assert main([*arguments, "--output", str(tmp_path / "one.mp4")]) == 1
    assert "must show every shot, got none in frames 4 to 7" in capsys.readouterr().err
    assert main([*arguments, "--output", str(tmp_path / "two.mp4"), "--no-cuts", "--match-side", "64"]) == 0
    assert len(open_film(tmp_path / "two.mp4")) == 8
