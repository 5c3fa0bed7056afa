"""Films as numbered pictures: PNG and TIFF to the bit, EXR in linear light; whole or not at all."""

from __future__ import annotations

import errno
import logging
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from escalier.film import Encoding, FolderFrames, SequenceName, VideoFrames, picture_sequence, write_film
from escalier.film.picture_colour import linear_light

NOISE = np.random.default_rng(0).integers(0, 256, (4, 37, 51, 3), np.uint8)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", ["png", "tif", "tiff"])
def test_pictures_are_exact(tmp_path: Path, suffix: str) -> None:
    folder = write_film(tmp_path / "shot" / f"plate.%04d.{suffix}", NOISE, rate=24)
    assert names(folder) == [f"plate.{i:04d}.{suffix}" for i in range(4)]
    for number, frame in enumerate(NOISE):
        read = cv2.imread(str(folder / f"plate.{number:04d}.{suffix}"), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read[..., ::-1], frame)


@pytest.mark.parametrize("as_float", [False, True], ids=["bytes", "floats"])
def test_exr_holds_linear_light_rate_and_pixel_shape(clips, tmp_path: Path, as_float: bool) -> None:
    OpenEXR = pytest.importorskip("OpenEXR")
    clip = VideoFrames(clips.make(tmp_path / "dv.mp4", 2, pixel_aspect=Fraction(16, 15)))
    ramp = np.linspace(0, 1, 64 * 48 * 3, dtype=np.float32).reshape(48, 64, 3)
    film = [ramp if as_float else np.rint(ramp * 255).astype(np.uint8)] * 2
    folder = write_film(tmp_path / "shot_##.exr", film, like=clip, rate=Fraction(24000, 1001))
    picture = OpenEXR.File(str(folder / "shot_01.exr"))
    light = picture.channels()["RGB"].pixels
    # IEC 61966-2-1; half floats keep 11 bits.
    signal = film[0] if as_float else film[0] / 255
    expected = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    assert light.dtype == np.float16 and np.allclose(light, expected, rtol=1e-3, atol=1e-6)
    header = picture.header()
    assert header["framesPerSecond"] == Fraction(24000, 1001)
    assert header["pixelAspectRatio"] == pytest.approx(16 / 15)


def test_linear_light_of_bytes_and_of_floats_is_one() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(linear_light(levels), linear_light(levels / np.float32(255)))


def test_a_folder_gets_usual_names_and_the_first_number_can_be_chosen(tmp_path: Path) -> None:
    assert names(write_film(f"{tmp_path}/take.2/", NOISE, rate=24))[0] == "frame_000000.png"
    assert names(write_film(tmp_path / "b", NOISE, encoding=Encoding(first=1001), rate=24)) == [
        f"frame_00{1001 + i}.png" for i in range(4)
    ]
    with pytest.raises(ValueError, match="first must be 0 or more, got -1"):
        write_film(tmp_path / "c", NOISE, encoding=Encoding(first=-1), rate=24)


def test_a_shorter_film_leaves_no_picture_of_the_longer_one_before_it(tmp_path: Path) -> None:
    folder = write_film(tmp_path / "shot" / "a_##.png", NOISE, rate=24)
    (folder / "a_99.txt").write_text("mine")
    (folder / "a_003.png").write_bytes(b"mine")  # three digits: of another sequence
    write_film(tmp_path / "shot" / "a_##.png", NOISE[:2], rate=24)
    assert names(folder) == ["a_00.png", "a_003.png", "a_01.png", "a_99.txt"]


class Stopped(Exception):
    pass


@pytest.mark.parametrize("suffix", ["png", "exr"])
def test_a_stopped_job_leaves_the_old_pictures_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    def progress(done: int, total: int, picture: np.ndarray | None = None) -> None:
        if done == 3:
            raise Stopped

    for old in (NOISE[:2], NOISE[:0]):
        target = tmp_path / f"shot{len(old)}" / f"a_##.{suffix}"
        if len(old):
            write_film(target, old, rate=24)
        before = {path: path.read_bytes() for path in target.parent.iterdir()} if len(old) else None
        with pytest.raises(Stopped):
            write_film(target, NOISE[::-1], rate=24, progress=progress)
        after = {path: path.read_bytes() for path in target.parent.iterdir()} if target.parent.exists() else None
        assert after == before


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, picture: np.ndarray, *_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(picture_sequence._SAVERS, ".png", refuse)
    with pytest.raises(OSError, match=r"frame_000000\.png must fit into .*the disk is full") as raised:
        write_film(tmp_path / "shot", NOISE, rate=24)
    assert raised.value.errno == errno.ENOSPC and list(tmp_path.iterdir()) == []


def test_lost_sound_and_pixel_shape_are_told(clips, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clip = VideoFrames(clips.make(tmp_path / "dv.mp4", 24, pixel_aspect=Fraction(16, 15), sound_from=0.0))
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="escalier"):
        write_film(tmp_path / "shot", clip, like=clip)
    assert "The sound of dv.mp4 is left out: .png holds none" in caplog.text
    assert "16/15:1 wide is lost" in caplog.text


def test_names_are_taken_apart_and_put_together() -> None:
    name = SequenceName.of("a/b_%03d_c.exr")
    assert (name.file(7).as_posix(), name.number_of("b_007_c.exr"), name.suffix) == ("a/b_007_c.exr", 7, ".exr")
    assert name.file(12345).name == "b_12345_c.exr" and name.number_of("b_12345_c.exr") == 12345
    assert [name.number_of(other) for other in ("b_07_c.exr", "b__c.exr", "b_-07_c.exr", "c.exr")] == [None] * 4
    assert SequenceName.of("%d.png").file(12).name == "12.png"


def test_pictures_are_numbered_as_the_plates_they_were_made_from(tmp_path: Path) -> None:
    plates = FolderFrames(write_film(tmp_path / "plates", NOISE, encoding=Encoding(first=1001), rate=24))
    assert names(write_film(tmp_path / "a", NOISE, like=plates)) == [f"frame_00{1001 + i}.png" for i in range(4)]
    assert names(write_film(tmp_path / "b", NOISE[:2], like=plates)) == ["frame_000000.png", "frame_000001.png"]
    assert names(write_film(tmp_path / "c", NOISE, encoding=Encoding(first=7), like=plates))[0] == "frame_000007.png"
