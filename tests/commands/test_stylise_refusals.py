"""What `escalier stylise` cannot do it says at once: nothing has been propagated, nothing has been written."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import cv2
import numpy as np
import pytest
from unprivileged import closed_folder, needs_permissions

from escalier.commands import main, stylise
from escalier.film import ArrayFrames, Size, make_clip, write_film
from escalier.keyframes import write_keyframes

SIZE = Size(96, 64)
LENGTH = 7


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip, its paintings, masks of several kinds, and things that are in the way."""
    folder = tmp_path_factory.mktemp("shot")
    _write_shot(folder)
    for name, size, level in (("black", SIZE, 0), ("small", Size(48, 32), 255), ("white", SIZE, 255)):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((size.height, size.width), level, np.uint8))
    write_film(folder / "mask.mkv", np.full((LENGTH, SIZE.height, SIZE.width, 3), 255, np.uint8), rate=24)
    (folder / "three").mkdir()
    for index in range(3):
        shutil.copy(folder / "white.png", folder / "three" / f"mask_{index}.png")
    (folder / "turned").mkdir()
    cv2.imwrite(str(folder / "turned" / "key_1.png"), np.zeros((SIZE.width, SIZE.height, 3), np.uint8))
    (folder / "folder.mp4").mkdir()
    (folder / "there.mp4").write_bytes(b"precious")
    (folder / "sequence").mkdir()
    (folder / "sequence" / "frame_000003.png").write_bytes(b"precious")
    return folder


def _write_shot(folder: Path) -> None:
    film = make_clip(SIZE, LENGTH)
    write_film(folder / "clip.mkv", film)
    write_keyframes(folder / "painted", ArrayFrames(np.stack([255 - film.frame(i) for i in range(LENGTH)])), [1, 5])


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()} | {
        str(path.relative_to(folder)): b"" for path in folder.rglob("*") if path.is_dir()
    }


REFUSED = {
    "no clip": (["--clip", "gone.mp4"], "no film at gone.mp4"),
    "keyframes as clip": (["--clip", "there.mp4"], "there.mp4"),
    "format": (["--output", "film.avi"], "the output must be .mp4 (H.264"),
    "folder in the way": (["--output", "folder.mp4"], "which is a folder"),
    "film is there": (["--output", "there.mp4"], "must not exist yet"),
    "sequence is there": (["--output", "sequence/"], "must not hold this sequence yet, got frame_000003.png"),
    "file as folder": (["--output", "there.mp4/film.mp4"], "is a file"),
    "no place for the number": (["--output", "frames.png"], "one place for the number"),
    "the clip itself": (["--output", "clip.mkv", "--overwrite"], "clip"),
    "the mask itself": (
        ["--output", "mask.mkv", "--mask", "mask.mkv", "--overwrite"],
        "must not be what the film is made",
    ),
    "into the paintings": (["--output", "painted/", "--overwrite"], "must not be what the film is made from"),
    "zero byte": (["--output", "a\0b.mp4"], "character NUL"),
    "long name": (["--output", "a" * 300 + ".mp4"], "255 bytes"),
    "no keyframes": (["--keyframes", "gone"], "no folder or picture at gone"),
    "a video as keyframes": (["--keyframes", "clip.mkv"], "clip.mkv"),
    "turned keyframes": (["--keyframes", "turned"], "must be 96x64"),
    "numbers from 6": (["--first", "6"], "must lie in the film"),
    "rate of a video": (["--rate", "25"], "the file knows its own"),
    "no mask": (["--mask", "gone.png"], "no film at gone.png"),
    "empty mask": (["--mask", "black.png"], "must mark the subject"),
    "small mask": (["--mask", "small.png"], "of 96x64, got 48x32"),
    "three masks": (["--mask", "three"], "must hold 1 or 7 masks"),
    "mask in colour": (["--mask", "clip.mkv"], "must be black and white"),
    "negative fade": (["--fade-frames", "-1"], "must be >= 0, got -1"),
    "no threads": (["--threads", "0"], "threads must be >= 1"),
    "negative threads": (["--threads", "-1"], "threads must be >= 1"),
    "too many threads": (["--threads", "100000"], "at most 256"),
    "negative seed": (["--seed", "-1"], "seed must lie in"),
    "huge seed": (["--seed", str(10**30)], "seed must lie in"),
    "weight that is no number": (["--colour-weight", "nan"], "colour must be a finite number, got nan"),
    "negative weight": (["--mask-weight", "-2"], "mask must be a weight >= 0"),
    "no weight at all": (["--colour-weight", "0", "--position-weight", "0"], "must weigh more than 0"),
    "tiny match side": (["--match-side", "10"], "match_side must be at least 64 px"),
    "scratch is a file": (["--scratch", "there.mp4"], "--scratch: there.mp4 must be a folder"),
    "scratch in a file": (["--scratch", "there.mp4/s"], "--scratch: there.mp4/s must be a folder"),
    "precious scratch": (["--scratch", "painted", "--no-keep"], "must be empty"),
}


@pytest.mark.parametrize(("change", "text"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_in_one_sentence_before_anything_is_made(
    shot: Path, monkeypatch: pytest.MonkeyPatch, capsys, change: list[str], text: str
) -> None:
    monkeypatch.chdir(shot)
    monkeypatch.setattr(stylise, "stylise", lambda *_, **__: pytest.fail("the work began"))
    before = everything_in(shot)
    clip = change.pop(change.index("--clip") + 1) if "--clip" in change else "clip.mkv"
    change = [word for word in change if word != "--clip"]
    chosen = {"--keyframes": "painted", "--output": "film.mp4"}
    given = [word for option, value in chosen.items() if option not in change for word in (option, value)]
    assert main(["stylise", clip, *change, *given]) == 1
    said = capsys.readouterr().err
    assert text in said and len(said.splitlines()) == 1, said
    assert "Errno" not in said and "Traceback" not in said and "at fault" not in said
    assert everything_in(shot) == before


@needs_permissions
@pytest.mark.parametrize("option", ["output", "scratch"])
def test_folders_that_cannot_be_written_to_are_refused(capsys, option: str) -> None:
    with closed_folder(_write_shot) as closed:
        free = closed.parent / "free"
        places = {"output": free / "film.mp4", "scratch": free} | {option: closed / "film.mp4"}
        given = ["stylise", str(closed / "clip.mkv"), "--keyframes", str(closed / "painted")]
        assert main([*given, *(word for name, place in places.items() for word in (f"--{name}", str(place)))]) == 1
    said = capsys.readouterr().err
    assert "can be written" in said and "closed" in said and "Errno" not in said


@pytest.mark.parametrize("free", [10**9, 10**9 + 200_000], ids=["nothing", "not enough for the film"])
def test_a_disk_without_room_for_work_and_film_together_is_refused(
    shot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, free: int
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, free))
    monkeypatch.setattr(stylise, "stylise", lambda *_, **__: pytest.fail("the work began"))
    arguments = ["stylise", str(shot / "clip.mkv"), "--keyframes", str(shot / "painted")]
    assert main([*arguments, "--output", str(tmp_path / "new" / "film.mkv")]) == 1
    said = capsys.readouterr().err
    assert "free for the film and what is kept of the work" in said
    assert not list(tmp_path.iterdir())


def test_the_clip_may_stand_last_and_keyframes_may_be_files(
    shot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    paintings = [str(file) for file in sorted((shot / "painted").iterdir())]
    for order in (
        ["--keyframes", *paintings, str(shot / "clip.mkv")],
        [str(shot / "clip.mkv"), "--keyframes", paintings[0]],
    ):
        with monkeypatch.context() as patch:
            patch.setattr(stylise, "stylise", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            assert main(["stylise", "--output", str(tmp_path / "film.mkv"), *order]) == 130
        said = capsys.readouterr().err
        assert all(Path(name).name in said for name in order if name.endswith(".png"))
    monkeypatch.chdir(shot)
    with monkeypatch.context() as patch:  # pictures beside the clip are nobody's harm
        patch.setattr(stylise, "stylise", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        words = ["clip.mkv", "--keyframes", "painted", "--scratch", str(tmp_path / "scratch")]
        assert main(["stylise", *words, "--output", "film_####.png"]) == 130
    capsys.readouterr()
    assert main(["stylise", "--keyframes", str(shot / "painted")]) == 1
    assert "a clip must be named" in capsys.readouterr().err
