"""The shape of pixels, written into the header of a Matroska file."""

from __future__ import annotations

import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import Encoding, VideoFrames, write_film
from escalier.film.matroska import CHECKSUM, SEGMENT, TRACKS, _element

ASPECTS = [Fraction(16, 15), Fraction(8, 9), Fraction(10, 11), Fraction(1, 2), Fraction(2), Fraction(1234, 1235)]


def elements(data: bytes) -> list[tuple[int, bytes]]:
    """Everything in the one element that holds all others, with its place."""
    place, found = 0, []
    while place < len(data):
        number, body, end = _element(data, place)
        if number != SEGMENT:
            found.append((number, data[body:end]))
        place = body if number == SEGMENT else end
    return found


@pytest.mark.parametrize("aspect", ASPECTS, ids=str)
@pytest.mark.parametrize(("name", "codec"), [("film.mkv", None), ("film.mkv", "h264"), ("film.webm", None)])
@pytest.mark.parametrize("sound_from", [None, 0.0], ids=["silent", "with sound"])
def test_pixel_aspect_survives(clips, tmp_path: Path, name: str, codec: str | None, sound_from, aspect) -> None:
    clip = VideoFrames(clips.make(tmp_path / "dv.mp4", 2, pixel_aspect=aspect, sound_from=sound_from))
    path = write_film(tmp_path / name, clip, encoding=Encoding(codec=codec), like=clip)
    with av.open(str(path)) as film:
        assert film.streams.video[0].sample_aspect_ratio == aspect
        assert len(list(film.decode(video=0))) == 2 and len(film.streams.audio) == len(clip.audio)


def test_nothing_but_the_tracks_is_touched_and_their_checksum_is_right(clips, tmp_path: Path) -> None:
    wide, plain = (
        VideoFrames(clips.make(tmp_path / f"{name}.mp4", 3, pixel_aspect=aspect))
        for name, aspect in (("wide", Fraction(16, 15)), ("plain", Fraction(1)))
    )
    written = [write_film(tmp_path / "film.mkv", clip, like=clip).read_bytes() for clip in (wide, plain)]
    pairs = list(zip(*map(elements, written), strict=True))
    assert [a[0] for a, b in pairs if a != b] == [TRACKS] and len(written[0]) == len(written[1])
    tracks = next(data for number, data in elements(written[0]) if number == TRACKS)
    assert tracks[0] == CHECKSUM and int.from_bytes(tracks[2:6], "little") == zlib.crc32(tracks[6:])


def test_the_size_to_show_is_near_the_size_in_pixels(clips, tmp_path: Path) -> None:
    """Some players open their window at it."""
    path = clips.make(tmp_path / "pal.mp4", 1, size=(720, 576), pixel_aspect=Fraction(16, 15))
    film = write_film(tmp_path / "film.mkv", [np.zeros((576, 720, 3), np.uint8)], like=VideoFrames(path)).read_bytes()
    assert bytes.fromhex("54b0820300") + bytes.fromhex("54ba820240") in film  # 768 x 576
