"""`escalier measure`: a restyled film held against its clip, on the command line."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.commands import main
from escalier.film import ArrayFrames, Size, make_clip, open_film, read_picture, write_film
from escalier.keyframes import write_keyframes

SIZE, LENGTH = Size(96, 64), 9


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, a restyled film that flickers, its paintings and a mask."""
    folder = tmp_path_factory.mktemp("shot")
    clip = make_clip(SIZE, LENGTH)
    frames = np.stack([clip.frame(index) for index in range(LENGTH)])
    random = np.random.default_rng(0)
    restyled = np.clip(255 - frames + random.normal(0, 12, (LENGTH, 1, 1, 3)), 0, 255).astype(np.uint8)
    write_film(folder / "clip.mkv", ArrayFrames(frames))
    write_film(folder / "restyled.mkv", ArrayFrames(restyled))
    write_film(folder / "short.mkv", ArrayFrames(restyled[:5]))
    write_keyframes(folder / "painted", ArrayFrames(restyled), [0, 4])
    mask = np.zeros((1, *frames.shape[1:]), np.uint8)
    mask[:, 20:50, 30:70] = 255
    (folder / "mask").mkdir()
    cv2.imwrite(str(folder / "mask" / "mask_0.png"), mask[0])
    return folder


def test_report_is_printed_and_everything_written(folder: Path, tmp_path: Path, capsys) -> None:
    clip, restyled, out = folder / "clip.mkv", folder / "restyled.mkv", tmp_path / "measured"
    arguments = ["measure", str(clip), str(restyled), "--keyframes", str(folder / "painted"), "--output", str(out)]
    assert main([*arguments, "--mask", str(folder / "mask")]) == 0
    printed = capsys.readouterr().out
    assert "Inside the mask" in printed and "flicker" in printed
    assert printed == (out / "report.txt").read_text(encoding="utf-8")
    facts = json.loads((out / "measurement.json").read_text(encoding="utf-8"))
    assert facts["sharpness_of"] == "the painted keyframes" and facts["keyframes"] == [0, 4]
    assert len(list(csv.DictReader((out / "curves.csv").read_text(encoding="utf-8").splitlines()))) == LENGTH
    assert len(open_film(out / "heat_map.mp4")) == LENGTH
    assert read_picture(out / "curves.png").shape[2] == 3
    assert main([*arguments]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0


def test_json_is_one_object_and_frame_numbers_count_from_first(folder: Path, tmp_path: Path, capsys) -> None:
    arguments = ["measure", str(folder / "clip.mkv"), str(folder / "restyled.mkv"), "--json", "--lag", "3"]
    scratch = ["--scratch", str(tmp_path / "flow")]
    assert main([*arguments, "--keyframes", "1,5", "--first", "1", *scratch]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["keyframes"], facts["lag"], facts["sharpness_of"]) == ([0, 4], 3, "the film's own keyframes")
    flows = {file: file.stat().st_mtime_ns for file in (tmp_path / "flow").rglob("flow_*.npy")}
    assert len(flows) == (LENGTH - 1) + (LENGTH - 3)
    assert main([*arguments, *scratch]) == 0
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "flow").rglob("flow_*.npy")} == flows


def test_variable_frame_rate_changes_no_figure(folder: Path, tmp_path: Path, capsys) -> None:
    film = open_film(folder / "restyled.mkv")
    times = [Fraction(index * index + 20 * index, 480) for index in range(LENGTH)]
    write_film(tmp_path / "variable.mkv", film, times=times)
    figures = []
    for restyled in (folder / "restyled.mkv", tmp_path / "variable.mkv"):
        assert main(["measure", str(folder / "clip.mkv"), str(restyled), "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out)["regions"]["whole"]["figures"])
    assert figures[0] == figures[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["clip.mkv", "short.mkv"], "restyled must have the source's 9 frames, got 5"),
        (["clip.mkv", "missing.mkv"], "no film at"),
        (["clip.mkv", "restyled.mkv", "--keyframes", "0,9"], "indices must lie in 0..8, got 9"),
        (["clip.mkv", "restyled.mkv", "--keyframes", "no_such_folder"], "must be a folder or frame numbers"),
        (["clip.mkv", "restyled.mkv", "--mask", "clip.mkv"], "must be black and white"),
        (["clip.mkv", "restyled.mkv", "--lag", "20"], "lag must lie in 2..8, got 20"),
    ],
    ids=["length", "missing", "outside", "no keyframes", "mask in colour", "lag"],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(
    folder: Path, capsys, monkeypatch, arguments, message
) -> None:
    monkeypatch.chdir(folder)
    assert main(["measure", *arguments]) == 1
    said = capsys.readouterr().err
    assert message in said and "Traceback" not in said
