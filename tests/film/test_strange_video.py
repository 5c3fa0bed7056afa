"""Strange but ordinary files: clocks that stumble, alpha, sizes that change, notes in old alphabets, odd tracks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import UnreadableVideo, VideoFrames

GROUPS = {"g": "8", "bf": "2", "sc_threshold": "0"}
PLAIN = {"g": "8", "bf": "0", "sc_threshold": "0"}


@pytest.mark.parametrize("options", [PLAIN, GROUPS], ids=["no B-frames", "B-frames"])
@pytest.mark.parametrize("place", [5, 8, 17, 46])
def test_one_doubled_timestamp_is_mended_by_itself(clips, tmp_path: Path, caplog, options, place: int) -> None:
    steps = np.random.default_rng(3).integers(35, 50, 47) if options is PLAIN else np.full(47, 40)
    ticks = [0, *np.cumsum(steps).tolist()]
    doubled = [*ticks[:place], ticks[place - 1], *ticks[place + 1 :]]
    path = clips.make(tmp_path / "a.mkv", 48, ticks=ticks, tick=Fraction(1, 1000), rate=Fraction(25), options=options)
    film = VideoFrames(with_times(path, tmp_path / "b.mkv", doubled))
    assert [clips.number_of(film.frame(i)) for i in (47, 0, place, place - 1, place + 1, 3)] == [
        *(47, 0, place, place - 1, min(place + 1, 47), 3)
    ]
    off = [abs(float(time) - tick / 1000) for time, tick in zip(film.times, ticks, strict=True)]
    assert np.delete(off, [place - 1, place]).max() == 0
    assert max(off) <= (0.002 if options is GROUPS else 0.015) and "1 of 48 times" in caplog.text


def with_times(source: Path, target: Path, times: Sequence[int], stored: bool = False) -> Path:
    """A copy in which the frames bear these times in milliseconds; `stored` writes them in the order of the file."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        out = new.add_stream_from_template(stream)
        out.time_base = stream.time_base
        packets = [packet for packet in old.demux(stream) if packet.size]
        order = sorted(packet.pts for packet in packets)
        for packet in packets:
            packet.pts = times[order.index(packet.pts)]
            packet.dts = packets.index(packet) - 1000 if stored else None
            packet.stream = out
            new.mux(packet)
    return target


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda t: [*t[:20], t[20] + 36_000_000, *t[21:]], id="a leap of ten hours"),
        pytest.param(lambda t: [*t[:20], t[5], *t[21:]], id="a time that runs back"),
        pytest.param(lambda t: [*t[:20], t[21], t[20], *t[22:]], id="two that changed places"),
        pytest.param(lambda t: [*t[:20], *(one + 90_000_000 for one in t[20:])], id="a clock set ahead"),
        pytest.param(lambda t: [*t[:20], t[19], t[19], *t[22:]], id="two that stand still"),
    ],
)
def test_times_that_stumble_are_mended_where_they_stumble(clips, tmp_path: Path, spoil) -> None:
    ticks = [40 * i for i in range(48)]
    path = clips.make(tmp_path / "a.mkv", 48, ticks=ticks, tick=Fraction(1, 1000), rate=Fraction(25), options=PLAIN)
    film = VideoFrames(with_times(path, tmp_path / "b.mkv", spoil(ticks), stored=True))
    assert [clips.number_of(film.frame(i)) for i in (47, 0, 20, 21, 19, 30)] == [47, 0, 20, 21, 19, 30]
    assert max(abs(float(time) - tick / 1000) for time, tick in zip(film.times, ticks, strict=True)) <= 0.002


def transparent_film(path: Path, encoder: str, pix_fmt: str, alpha: int, **options: str) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream(encoder, rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        for index in range(3):
            picture = np.full((48, 64, 4), 255, np.uint8)
            if index == 2:
                picture[10:20, 10:20, 3] = alpha
            frame = av.VideoFrame.from_ndarray(picture, format="rgba").reformat(format=pix_fmt)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "encoder", "pix_fmt", "options"),
    [
        pytest.param("a.mov", "prores_ks", "yuva444p10le", {"profile": "4444"}, id="ProRes 4444"),
        pytest.param("a.mov", "qtrle", "argb", {}, id="Animation"),
        pytest.param("a.mov", "png", "rgba", {}, id="PNG"),
        pytest.param("a.mkv", "ffv1", "bgra", {}, id="FFV1"),
        pytest.param("a.mkv", "ffv1", "yuva420p", {}, id="FFV1 in YUV"),
        pytest.param("a.apng", "apng", "rgba", {"plays": "1"}, id="animated PNG"),
    ],
)
def test_a_film_that_lets_the_background_through_is_refused(
    tmp_path: Path, name: str, encoder: str, pix_fmt: str, options: dict[str, str]
) -> None:
    film = VideoFrames(transparent_film(tmp_path / name, encoder, pix_fmt, 120, **options))
    assert film.frame(1).min() >= 253
    with pytest.raises(UnreadableVideo, match=r"must be opaque, got transparent pixels in frame 2; lay it over"):
        film.frame(2)
    assert VideoFrames(transparent_film(tmp_path / name, encoder, pix_fmt, 255, **options)).frame(2).min() >= 253


def test_alpha_that_the_decoder_would_drop_is_refused(tmp_path: Path) -> None:
    path = transparent_film(tmp_path / "a.webm", "libvpx-vp9", "yuva420p", 0)
    with pytest.raises(UnreadableVideo, match="must be opaque, got an alpha channel beside its pictures; lay it"):
        VideoFrames(path)


@pytest.mark.parametrize(
    ("name", "encoder", "joined"),
    [
        ("a.mp4", "libx264", "packets"),
        ("a.mkv", "libx264", "packets"),
        ("a.ts", "libx264", "bytes"),
        ("a.h264", "libx264", "bytes"),
        ("a.webm", "libvpx", "packets"),
        ("a.webm", "libvpx-vp9", "packets"),
        ("a.mkv", "mjpeg", "packets"),
        ("a.mpg", "mpeg2video", "bytes"),
    ],
)
def test_a_size_that_changes_on_the_way_is_refused_when_the_film_is_opened(
    clips, tmp_path: Path, name: str, encoder: str, joined: str
) -> None:
    pix_fmt = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    options = {"g": "8", "bf": "0"} | ({"x264-params": "repeat-headers=1"} if encoder == "libx264" else {})
    parts = []
    for number, size in enumerate([(64, 48), (96, 80)]):
        part = tmp_path / f"{number}{Path(name).suffix}"
        parts.append(clips.make(part, 24, size=size, rate=25, encoder=encoder, pix_fmt=pix_fmt, options=options))
    path = tmp_path / name
    if joined == "bytes":
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    else:
        join_packets(parts, path)
    with pytest.raises(
        UnreadableVideo,
        match=rf"every frame of {name} must be 64x48, .* got 96x80 from frame 2[345]; cut the clip there",
    ):
        VideoFrames(path)


def join_packets(parts: list[Path], path: Path) -> None:
    """The packets of two files in one, as phones and browsers write them when the picture changes its size."""
    with av.open(str(path), "w") as output:
        out, shift = None, 0
        for part in parts:
            with av.open(str(part)) as source:
                stream = source.streams.video[0]
                out = out or output.add_stream_from_template(stream)
                for packet in source.demux(stream):
                    if packet.size:
                        packet.pts, packet.dts = packet.pts + shift, (packet.dts or 0) + shift
                        packet.stream = out
                        output.mux(packet)
                shift += round(24 / 25 / stream.time_base)


def test_notes_in_an_old_alphabet_are_no_reason_to_refuse_a_film(clips, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "a.mkv", 6)
    noted = tmp_path / "b.mkv"
    with av.open(str(path)) as old, av.open(str(noted), "w") as new:
        new.metadata["title"] = "XXXXXXXX"
        out = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = out
                new.mux(packet)
    noted.write_bytes(noted.read_bytes().replace(b"XXXXXXXX", "Café öäü".encode("latin-1")))
    film = VideoFrames(noted)
    assert (len(film), clips.number_of(film.frame(5))) == (6, 5)
    assert film.metadata["title"].startswith("Caf�")


def test_a_subtitle_that_outlasts_the_film_does_not_break_it(clips, tmp_path: Path) -> None:
    text = tmp_path / "a.srt"
    text.write_text("1\n00:00:00,100 --> 00:00:09,000\nHello\n")
    path = clips.make(tmp_path / "a.mkv", 24)
    titled = tmp_path / "b.mkv"
    with av.open(str(path)) as old, av.open(str(text)) as words, av.open(str(titled), "w") as new:
        outs = [new.add_stream_from_template(source) for source in (old.streams.video[0], words.streams.subtitles[0])]
        for source, out in zip((old, words), outs, strict=True):
            for packet in source.demux(source.streams[0]):
                if packet.size:
                    packet.stream = out
                    new.mux(packet)
    assert len(VideoFrames(titled)) == 24


def test_interlaced_film_is_read_with_a_notice(clips, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = clips.make(tmp_path / "a.mp4", 6, size=(64, 64), options={"x264-params": "tff=1"})
    VideoFrames(path)
    assert "a.mp4 is interlaced" in caplog.text and "deinterlace the clip first" in caplog.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    with pytest.raises(UnreadableVideo, match="must be an ordinary file, got a pipe or a device; save the film"):
        VideoFrames(tmp_path / "a.mp4")


def test_of_several_picture_tracks_one_is_read_and_named(clips, tmp_path: Path, caplog) -> None:
    paths = [clips.make(tmp_path / f"{side}.mp4", 8, size=(side, 48)) for side in (64, 32)]
    both = tmp_path / "both.mkv"
    with av.open(str(both), "w") as new:
        olds = [av.open(str(path)) for path in paths]
        outs = [new.add_stream_from_template(old.streams.video[0]) for old in olds]
        for old, out in zip(olds, outs, strict=True):
            for packet in old.demux(video=0):
                if packet.size:
                    packet.stream = out
                    new.mux(packet)
            old.close()
    film = VideoFrames(both)
    assert (len(film), film.size.width) == (8, 64) and "holds 1 more picture tracks; track 0 is read" in caplog.text


def test_a_file_without_its_end_is_told(clips, tmp_path: Path, caplog) -> None:
    path = clips.make(tmp_path / "a.avi", 48, encoder="mjpeg", pix_fmt="yuvj420p")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    path.write_bytes(data[: packets[20][0] + 8 + packets[20][1]])
    film = VideoFrames(path)
    assert len(film) == 21 and "states 48 frames, 21 were found: it is cut short" in caplog.text
    path.write_bytes(data[: packets[20][0] + 8 + packets[20][1] // 2])
    with pytest.raises(UnreadableVideo, match="breaks off after 21 frames"):
        VideoFrames(path)


def test_an_avi_with_frames_out_of_order_is_whole(clips, tmp_path: Path) -> None:
    film = VideoFrames(clips.make(tmp_path / "a.avi", 60, rate=25, options=GROUPS))
    order = np.random.default_rng(0).permutation(60).tolist()
    assert [clips.number_of(film.frame(i)) for i in order] == order
    assert max(abs(time - Fraction(i, 25)) for i, time in enumerate(film.times)) <= Fraction(1, 500)


def test_a_seek_that_leads_astray_is_noticed(clips, tmp_path: Path, caplog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames that look right by their timestamps and are not: the second half is decoded from a broken reference."""
    film = VideoFrames(clips.make(tmp_path / "a.avi", 40, encoder="mpeg4", rate=25, options={"g": "40"}))
    # The index claims a key frame where there is none, as old writers do: MPEG-4 decodes from anywhere.
    index = film._index._replace(keys=[0, 20], seek_ticks=[0, 20])
    film._index = index
    film._readers[0].follow(index)
    monkeypatch.setattr("escalier.film.video_reader.Reader._seek", lambda self, key: _astray(self, key))
    assert clips.number_of(film.frame(30)) == 30 and "is read from its start each time" in caplog.text
    assert [clips.number_of(film.frame(i)) for i in (5, 39, 21)] == [5, 39, 21]


def _astray(reader, key: int) -> bool:
    """A seek that always lands in the middle, unless the reader counts from the start."""
    if reader._closed or reader.index.by_count:
        reader.container.close()
        reader._open()
    else:
        reader.container.seek(20, stream=reader.stream, any_frame=True)
    reader._frames = reader._numbered()
    return True
