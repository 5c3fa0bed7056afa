"""`escalier plan`, `work` and `assemble`: never over an input, nor over a film without being asked."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from escalier.commands.cli import main
from escalier.film import Size, make_clip, write_film
from escalier.keyframes import Keyframes, write_keyframes


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a clip and one painting of it, in which the commands are given."""
    monkeypatch.chdir(tmp_path)
    write_film("clip.mp4", make_clip(Size(64, 48), length=3, rate=6))
    write_keyframes("painted", Keyframes([0], [np.full((48, 64, 3), 90, np.uint8)], 3))
    return tmp_path


def plan(*options: str) -> int:
    return main(["plan", "clip.mp4", "--keyframes", "painted", "--output", "shot", "--no-cuts", *options])


def test_plan_work_and_assemble_make_the_film_of_stylise(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan("--json") == 0
    assert [run["number"] for run in json.loads(capsys.readouterr().out)["runs"]] == [1, 2]
    assert main(["work", "shot", "--run", "2", "1", "--threads", "1"]) == 0
    assert main(["work", "shot", "--all"]) == 0  # nothing is left to do
    assert main(["assemble", "shot"]) == 0
    command = ["stylise", "clip.mp4", "--keyframes", "painted", "--output", "direct.mp4", "--no-cuts", "--threads", "1"]
    assert main(command) == 0
    assert (place / "shot" / "film.mp4").read_bytes() == (place / "direct.mp4").read_bytes()


@pytest.mark.parametrize("film", ["clip.mp4", "painted/", "painted/keyframe_000000.png"])
def test_no_plan_would_write_over_what_the_film_is_made_from(place: Path, film: str) -> None:
    assert plan("--film", film, "--overwrite") == 1
    assert not (place / "shot").exists()


def test_a_film_that_is_there_is_replaced_only_where_that_was_asked(place: Path, capsys) -> None:
    (place / "film.mp4").write_bytes(b"another film")
    assert plan("--film", "film.mp4") == 1
    assert "film.mp4 must not exist yet; choose another name or add --overwrite" in capsys.readouterr().err
    assert plan("--film", "film.mp4", "--overwrite") == 0
    assert main(["work", "shot", "--all", "--threads", "1"]) == 0
    assert main(["assemble", "shot"]) == 1
    assert main(["assemble", "shot", "--output", "clip.mp4", "--overwrite"]) == 1
    assert (place / "film.mp4").read_bytes() == b"another film"
    assert main(["assemble", "shot", "--overwrite"]) == 0
    assert (place / "film.mp4").read_bytes() != b"another film"
