"""Nothing is made twice: a second `escalier stylise` finds what the first one made, and `escalier clean` removes it."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.commands import main, stylise
from escalier.film import ArrayFrames, Size, make_clip, open_film, write_film
from escalier.keyframes import write_keyframes

SIZE = Size(64, 64)
LENGTH = 6


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    film = make_clip(SIZE, LENGTH)
    write_film(tmp_path / "clip.mkv", film)
    write_keyframes(
        tmp_path / "painted", ArrayFrames(np.stack([255 - film.frame(i) for i in range(LENGTH)])), [0, 3, 5]
    )
    return tmp_path


def run(shot: Path, capsys: pytest.CaptureFixture[str], *more: str, output: str = "film.mkv") -> tuple[dict, str]:
    """What one command says as JSON, and in words."""
    arguments = ["stylise", str(shot / "clip.mkv"), "--keyframes", str(shot / "painted"), "--threads", "1", "--json"]
    capsys.readouterr()
    assert main([*arguments, "--output", str(shot / output), *more]) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def runs_in(shot: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in (shot / ".escalier").glob("run_*/frames.npy")}


@pytest.mark.slow
def test_the_same_command_again_makes_and_writes_nothing(shot: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    first, said = run(shot, capsys)
    assert first["made"] and "so that nothing is made twice" in said and str(shot / ".escalier") in said
    before = runs_in(shot)
    assert len(before) == 6
    with monkeypatch.context() as patch:
        for name in ("write_film", "MeasuredStaircase"):
            patch.setattr(stylise, name, lambda *_, **__: pytest.fail("something was made anew"))
        again, said = run(shot, capsys, "--overwrite")
    assert not again["made"] and "nothing had to be done" in said
    assert (again["report"], again["confidence"]) == (first["report"], first["confidence"])
    assert runs_in(shot) == before


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["deleted", "changed"])
def test_a_film_that_is_no_longer_what_was_written_is_written_anew(shot: Path, capsys, harm: str) -> None:
    run(shot, capsys)
    before, film = runs_in(shot), shot / "film.mkv"
    whole = film.read_bytes()
    film.unlink() if harm == "deleted" else film.write_bytes(whole[:-1])
    assert run(shot, capsys, "--overwrite")[0]["made"]
    assert film.read_bytes() == whole and runs_in(shot) == before


@pytest.mark.slow
def test_a_corrected_keyframe_repeats_only_its_own_runs(shot: Path, capsys) -> None:
    run(shot, capsys)
    before = runs_in(shot)
    file = shot / "painted" / "keyframe_000003.png"
    cv2.imwrite(str(file), cv2.imread(str(file)) // 2)
    assert run(shot, capsys, "--overwrite")[0]["made"]
    after = runs_in(shot)
    assert {
        name for name in after.keys() - before.keys() if name.startswith("run_000003")
    } == after.keys() - before.keys()
    assert len(after) == 8 and all(after[name] == when for name, when in before.items())
    assert np.array_equal(open_film(shot / "film.mkv").frame(3), cv2.imread(str(file))[..., ::-1])


@pytest.mark.slow
def test_another_fade_and_another_format_use_the_same_runs(shot: Path, capsys) -> None:
    run(shot, capsys)
    before = runs_in(shot)
    assert run(shot, capsys, "--mode", "linear", "--fade-frames", "1", output="other.mp4")[0]["made"]
    assert run(shot, capsys, output="pictures/")[0]["made"]
    assert runs_in(shot) == before
    assert sorted(file.name for file in (shot / "pictures").iterdir())[0] == "frame_000000.png"
    assert not run(shot, capsys, "--overwrite", output="pictures/")[0]["made"]


def test_no_keep_leaves_the_film_alone(shot: Path, capsys) -> None:
    facts, said = run(shot, capsys, "--no-keep")
    assert facts["scratch"] is None and "Kept" not in said
    assert sorted(path.name for path in shot.iterdir()) == ["clip.mkv", "film.mkv", "painted"]


@pytest.mark.slow
def test_what_was_not_used_for_long_is_removed_by_the_next_job(shot: Path, capsys) -> None:
    run(shot, capsys)
    shutil.rmtree(shot / "painted")
    film = make_clip(SIZE, LENGTH)
    write_keyframes(shot / "painted", ArrayFrames(np.stack([film.frame(i) // 2 for i in range(LENGTH)])), [2])
    long_ago = time.time() - 30 * 86400
    for path in [*(shot / ".escalier").rglob("*"), shot / ".escalier"]:
        os.utime(path, (long_ago, long_ago))
    run(shot, capsys, "--overwrite")
    assert len(runs_in(shot)) == 2


@pytest.mark.slow
def test_clean_removes_what_was_kept_and_nothing_else(shot: Path, capsys) -> None:
    run(shot, capsys)
    (shot / ".escalier" / "mine.txt").write_text("precious")
    assert main(["clean", str(shot)]) == 0
    assert " 0 bytes removed" in capsys.readouterr().out and runs_in(shot)
    assert main(["clean", str(shot), "--older-than", "0"]) == 0
    assert capsys.readouterr().out.endswith("0 bytes left\n")
    assert not runs_in(shot) and not list((shot / ".escalier").glob("finished_*"))
    assert (shot / ".escalier" / "mine.txt").read_text() == "precious"
    assert (shot / "film.mkv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["painted"], "nothing of Escalier's lies there"),
        ([".", "--keep", "-1"], "--keep: must be >= 0"),
        ([".", "--keep", "nan"], "--keep: must be >= 0"),
        ([".", "--older-than", "-1"], "must be >= 0"),
    ],
    ids=["no scratch", "negative", "no number", "negative age"],
)
def test_clean_refuses_what_it_does_not_know(
    shot: Path, capsys, monkeypatch: pytest.MonkeyPatch, words: list[str], text: str
) -> None:
    run(shot, capsys)
    monkeypatch.chdir(shot)
    before = runs_in(shot)
    assert main(["clean", *words]) == 1
    assert text in capsys.readouterr().err and runs_in(shot) == before


@pytest.mark.slow
def test_paintings_that_belong_elsewhere_are_named(shot: Path, capsys) -> None:
    film = make_clip(Size(320, 180), 31)
    write_film(shot / "clip.mkv", film)
    shutil.rmtree(shot / "painted")
    swapped = np.stack([255 - film.frame(30 if index == 0 else 0) for index in range(31)])
    write_keyframes(shot / "painted", ArrayFrames(swapped), [0, 30])
    arguments = ["stylise", str(shot / "clip.mkv"), "--keyframes", str(shot / "painted"), "--match-side", "64"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stylise, "stylise", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert main([*arguments, "--output", str(shot / "film.mkv")]) == 130
    said = capsys.readouterr().err
    assert "the painting seems to belong to frame 30" in said
    assert "See the remarks above before you trust the film: keyframe_000000.png" in said
