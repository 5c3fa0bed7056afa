"""The front door: from files or from values, the same film as by the rooms' own functions, and nothing left behind."""

from __future__ import annotations

import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest

import escalier
from escalier import front
from escalier.coherence import measure_film
from escalier.film import ArrayFrames, Footage, Motion, Size, make_clip, open_film, write_film
from escalier.keyframes import Keyframes, write_keyframes
from escalier.propagation import Fade, Staircase, propagate

LENGTH = 4


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with clip.mkv, two painted keyframes and a mask."""
    folder = tmp_path_factory.mktemp("shot")
    write_film(folder / "clip.mkv", make_clip(Size(64, 48), length=LENGTH, rate=12))
    clip = open_film(folder / "clip.mkv")
    write_keyframes(folder / "painted", Keyframes([0, 3], [255 - clip.frame(i) for i in (0, 3)], LENGTH))
    mask = np.zeros((1, 48, 64, 3), np.uint8)
    mask[:, 8:40, 20:44] = 255
    write_film(folder / "mask" / "#.png", ArrayFrames(mask), rate=12)
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the system's temporary one."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def pictures(film: escalier.Film) -> np.ndarray:
    return np.stack([film.frame(i) for i in range(len(film))])


def test_files_give_the_film_that_the_rooms_give(shot: Path, tmp_path: Path) -> None:
    fade = Fade("linear")
    made = escalier.stylise(
        shot / "clip.mkv", shot / "painted", tmp_path / "film.mkv", masks=shot / "mask", fade=fade, seed=3, cuts=()
    )
    clip = open_film(shot / "clip.mkv")
    runs = propagate(
        clip,
        escalier.read_keyframes(shot / "painted", clip),
        folder=tmp_path / "scratch",
        masks=escalier.open_masks(shot / "mask", clip),
        seed=3,
        cuts=(),
    )
    assert (pictures(made) == pictures(Staircase(runs, fade))).all()
    written = open_film(tmp_path / "film.mkv")
    assert (len(written), written.rate, written.size) == (LENGTH, 12, Size(64, 48))


def test_without_a_scratch_folder_the_work_goes_with_the_film(shot: Path, temporary: Path) -> None:
    made = escalier.stylise(shot / "clip.mkv", shot / "painted", cuts=())
    assert list(temporary.iterdir()) and made.frame(1).shape == (48, 64, 3)
    del made
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_a_named_scratch_folder_stays_and_nothing_is_made_twice(shot: Path, tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        escalier.stylise(shot / "clip.mkv", shot / "painted", cuts=(), scratch=tmp_path / "scratch")
        told.append("".join(sorted(f"{file} {file.stat().st_ino}" for file in tmp_path.rglob("*.npy"))))
    assert told[0] == told[1] != ""


def test_progress_rises_over_painting_and_writing_and_what_it_raises_leaves_nothing(
    shot: Path, tmp_path: Path, temporary: Path
) -> None:
    told: list[tuple[float, float]] = []
    film = tmp_path / "film.mkv"
    escalier.stylise(
        shot / "clip.mkv", shot / "painted", film, cuts=(), progress=lambda done, total, *_: told.append((done, total))
    )
    shares = [done / total for done, total in told]
    assert shares[-1] == pytest.approx(1) and len(told) > 2 * LENGTH
    film.unlink()

    def cancel(done: float, total: float, *_: object) -> None:
        if done / total > 0.99:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        escalier.stylise(shot / "clip.mkv", shot / "painted", film, cuts=(), progress=cancel)
    gc.collect()
    assert not film.exists() and list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"clip": "nothing.mp4"}, "nothing.mp4"),
        ({"keyframes": "nowhere"}, "nowhere"),
        ({"masks": "no_mask"}, "no_mask"),
        ({"output": "film.txt"}, "film.txt"),
        ({"seed": -1}, "seed must lie in"),
    ],
)
def test_what_cannot_be_used_is_refused_before_the_work(
    shot: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, given: dict, message: str
) -> None:
    if "seed" not in given:  # which the propagation itself refuses
        monkeypatch.setattr(front, "propagate", lambda *_, **__: pytest.fail("the work began"))
    usual = {"clip": shot / "clip.mkv", "keyframes": shot / "painted", "output": tmp_path / "film.mkv"}
    with pytest.raises((ValueError, OSError), match=message):
        escalier.stylise(**usual | given)
    gc.collect()
    assert list(temporary.iterdir()) == []


def test_files_give_the_measurement_that_the_room_gives(shot: Path, tmp_path: Path) -> None:
    film = escalier.stylise(shot / "clip.mkv", shot / "painted", tmp_path / "film.mkv", cuts=())
    found = escalier.measure(shot / "clip.mkv", tmp_path / "film.mkv", keyframes=shot / "painted", masks=shot / "mask")
    clip = open_film(shot / "clip.mkv")
    expected = measure_film(
        clip,
        open_film(tmp_path / "film.mkv"),
        motion=Motion(clip, tmp_path),
        keyframes=film.runs.keyframes,
        masks=escalier.open_masks(shot / "mask", clip),
    )
    assert found.to_json() == expected.to_json()


def test_footage_gives_the_numbers_of_its_plates_to_keyframes_and_film(tmp_path: Path) -> None:
    clip = make_clip(Size(64, 48), 3)
    plates = write_film(f"{tmp_path}/plates/shot.####.png", clip, first=1001)
    write_keyframes(tmp_path / "painted", Keyframes([1], [255 - clip.frame(1)], 3), first=1001)
    footage = Footage(open_film(plates, 24), tmp_path / "scratch")
    film = escalier.stylise(
        footage,
        tmp_path / "painted",
        f"{tmp_path}/made/film.####.png",
        cuts=(),
        threads=1,
        scratch=tmp_path / "scratch",
    )
    assert film.runs.keyframes.indices == (1,)
    assert [file.name for file in sorted((tmp_path / "made").iterdir())] == [
        f"film.{n}.png" for n in (1001, 1002, 1003)
    ]
