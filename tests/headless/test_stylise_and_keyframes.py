"""`escalier keyframes` and `escalier stylise`, from a clip to a film with no server."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import ArrayFrames, Size, make_clip, open_film, read_picture, write_film
from escalier.headless.cli import main
from escalier.headless.contact_sheet import contact_sheet
from escalier.keyframes.files import write_keyframes

SIZE = Size(96, 64)
LENGTH = 7


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_film(tmp_path_factory.mktemp("shot") / "shot.mp4", make_clip(SIZE, LENGTH), crf=10)


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
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["--every", "3"], 3), (["--count", "2"], 2), (["--by-motion", "2"], 2), (["--per-second", "7"], 2), ([], 1)],
    ids=["every", "count", "by motion", "per second", "default"],
)
def test_keyframes_are_chosen_as_asked(clip: Path, tmp_path: Path, arguments: list[str], count: int) -> None:
    assert main(["keyframes", str(clip), "--output", str(tmp_path / "out"), *arguments]) == 0
    assert len(list((tmp_path / "out").iterdir())) == count


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keyframes": "empty"}, "must hold pictures"),
        ({"keyframes": "missing"}, "no folder"),
        ({"clip": "missing.mp4"}, "no film at"),
        ({"output": "film.gif"}, "must end in"),
        ({"output": "nowhere/film.mp4"}, "no folder"),
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
    assert not (tmp_path / use["output"]).exists()


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


def test_a_shot_without_a_keyframe_is_refused_unless_cuts_are_not_looked_for(tmp_path: Path, capsys) -> None:
    clip, painted = cut_shot(tmp_path), tmp_path / "painted"
    assert main(["keyframes", str(clip), "--output", str(painted), "--at", "1"]) == 0
    arguments = ["stylise", str(clip), "--keyframes", str(painted), "--threads", "1"]
    assert main([*arguments, "--output", str(tmp_path / "one.mp4")]) == 1
    assert "must show every shot, got none in frames 4 to 7" in capsys.readouterr().err
    assert main([*arguments, "--output", str(tmp_path / "two.mp4"), "--no-cuts", "--match-side", "64"]) == 0
    assert len(open_film(tmp_path / "two.mp4")) == 8
