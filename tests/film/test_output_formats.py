"""What a film can be written as, and what is refused before the work."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from unprivileged import closed_folder, needs_permissions

from escalier.film import Encoding, FolderFrames, Size, VideoFrames, check_output, list_output_formats, write_film
from escalier.film.output_formats import CODECS, OUTPUTS

SIZE = Size(64, 48)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        *[("film.mp4", "h264"), ("film.mov", "prores"), ("FILM.MKV", "ffv1"), ("film.webm", "vp9"), ("a.gif", "gif")],
        *[
            ("film_##.png", "png"),
            ("film_%06d.tif", "tif"),
            ("film.####.exr", "exr"),
            ("folder", "png"),
            ("a.b/", "png"),
        ],
    ],
)
def test_the_name_chooses_the_codec(tmp_path: Path, name: str, codec: str) -> None:
    assert check_output(f"{tmp_path}/{name}", SIZE).codec == codec
    assert list(tmp_path.iterdir()) == []


def test_every_kind_of_output_is_listed() -> None:
    listed = list_output_formats()
    assert all(one in listed for one in OUTPUTS if one != ".tiff") and "frame_%06d" in listed and "####" in listed
    assert {OUTPUTS[suffix].codec for codec in CODECS.values() for suffix in codec.suffixes} <= set(CODECS)


def test_missing_folders_are_made_and_gone_again_if_nothing_comes_of_it(tmp_path: Path) -> None:
    black = np.zeros((2, 8, 8, 3), np.uint8)
    target = tmp_path / "new" / "folder" / "film.mp4"
    with pytest.raises(ValueError, match="every frame must be 8x8"):
        write_film(target, [black[0], np.zeros((8, 10, 3), np.uint8)], rate=5)
    assert list(tmp_path.iterdir()) == []
    assert write_film(target, black, rate=5) == target and list(target.parent.iterdir()) == [target]


def pictures(folder: Path) -> FolderFrames:
    write_film(folder, np.zeros((2, 8, 8, 3), np.uint8), rate=5)
    return FolderFrames(folder)


def file(path: Path) -> Path:
    path.write_bytes(b"text")
    return path


REFUSED: dict[str, tuple[Callable[[Path], object], type[Exception], str]] = {
    "no suffix of a film": (
        lambda p: check_output(p / "film.wmv", SIZE),
        ValueError,
        "got film.wmv; change the suffix",
    ),
    "a picture": (
        lambda p: check_output(p / "film.png", SIZE),
        ValueError,
        r"one place for the number, #### or %06d, got film.png; write film_####.png",
    ),
    "two numbers": (lambda p: check_output(p / "##_%d.png", SIZE), ValueError, "one place .* got ##_%d.png"),
    "a folder of that name": (
        lambda p: ((p / "a.mp4").mkdir(), check_output(p / "a.mp4", SIZE)),
        IsADirectoryError,
        "must be a file, got .*a.mp4, which is a folder",
    ),
    "in a file": (
        lambda p: check_output(file(p / "a.txt") / "film.mp4", SIZE),
        NotADirectoryError,
        "must be a folder, got .*a.txt, which is a file",
    ),
    "pictures into a file": (
        lambda p: check_output(f"{file(p / 'shot')}/", SIZE),
        NotADirectoryError,
        "must be a folder, got .*shot, which is a file",
    ),
    "name too long": (lambda p: check_output(p / f"{'a' * 300}.mp4", SIZE), ValueError, "at most 255 bytes"),
    "folder too long": (lambda p: check_output(p / ("ü" * 200) / "a.mp4", SIZE), ValueError, "at most 255 bytes"),
    "no name": (lambda p: check_output(Path(), SIZE), ValueError, "must have a name, got none"),
    "zero byte": (lambda p: check_output(p / "a\0b.mp4", SIZE), ValueError, "without the character NUL"),
    "empty picture": (
        lambda p: check_output(p / "a.mp4", Size(0, 5)),
        ValueError,
        "sides of 1 to 16384 pixels, got 0x5",
    ),
    "huge": (lambda p: check_output(p / "a.webm", Size(20000, 8)), ValueError, "1 to 16384 pixels, got 20000x8; write"),
    "codec of pictures": (
        lambda p: check_output(p / "a.gif", SIZE, encoding=Encoding(codec="h264")),
        ValueError,
        "h264 must go into .mp4",
    ),
    "unknown codec": (
        lambda p: check_output(p / "a.mp4", SIZE, encoding=Encoding(codec="xvid")),
        ValueError,
        "codec must be one of h264",
    ),
    "the plates themselves": (
        lambda p: check_output(p / "plates" / "new_##.png", SIZE, like=pictures(p / "plates")),
        ValueError,
        "pictures must not go into the clip's own folder",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path, call, error, message: str) -> None:
    with pytest.raises(error, match=message):
        call(tmp_path)


@needs_permissions
def test_a_locked_folder_is_refused() -> None:
    with closed_folder() as folder, pytest.raises(PermissionError, match="must be a folder that can be written into"):
        check_output(folder / "film.mp4", SIZE)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_a_folder_that_takes_no_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(type(error), match=rf"can be written into, but .*\({error.strerror}\); choose another folder"):
        check_output(tmp_path / "new" / "film.mp4", SIZE)


def test_exr_without_its_package_names_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"run pip install OpenEXR, or write \.png"):
        check_output(tmp_path / "a_#.exr", SIZE)


def test_a_missing_encoder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = CODECS["h264"]._replace(encoder="libx264_of_a_dream")
    monkeypatch.setitem(CODECS, "h264", lacking)
    with pytest.raises(ValueError, match="must have the encoder libx264_of_a_dream, but the one of the installed PyAV"):
        check_output(tmp_path / "film.mp4", SIZE)


def test_the_clip_itself_is_refused_under_another_name(clips, tmp_path: Path) -> None:
    clip = VideoFrames(clips.make(tmp_path / "clip.mp4", 2))
    (tmp_path / "film.mp4").hardlink_to(clip.path)
    with pytest.raises(ValueError, match="output must not be the clip itself"):
        check_output(tmp_path / "film.mp4", clip.size, like=clip)


def test_frames_too_short_for_the_clock_of_matroska_are_refused(clips, tmp_path: Path) -> None:
    ticks = [0, 3000, 3003, 9000]
    clip = VideoFrames(clips.make(tmp_path / "clip.mp4", 4, ticks=ticks, tick=Fraction(1, 90000), options={"bf": "0"}))
    assert clip.times[2] == Fraction(3003, 90000)
    for name in ("film.mkv", "film.webm"):
        with pytest.raises(ValueError, match=r"at least 1/1000 s in .*, got 0.000033 s; write .mp4 or .mov"):
            check_output(tmp_path / name, clip.size, like=clip)
    assert VideoFrames(write_film(tmp_path / "film.mov", clip, like=clip)).times == clip.times
