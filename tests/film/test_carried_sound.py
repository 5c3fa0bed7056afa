"""Sound beside new pictures: copied or encoded anew, it is heard at the same moments, and no other sound is."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import Encoding, FilmedClip, FilmPart, VideoFrames, check_output, read_sound_samples, write_film

BEEPS = (0.25, 0.75, 1.25, 1.75)
RATE = 48000
TARGETS = (".mp4", ".mov", ".mkv", ".webm")


def beeps(seconds: float = 2.0, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(rate * seconds)) / rate
    inside = sum(((time >= start) & (time < start + 0.05)) for start in BEEPS)
    return (0.8 * np.sin(2000 * np.pi * time) * inside).astype(np.float32)


def make_clip(
    path: Path,
    codec: str,
    *,
    sound_from: float = 0.0,
    pictures_from: int = 0,
    tracks: int = 1,
    layout: str = "mono",
    gap: tuple[int, int] | None = None,
    count: int = 48,
    rate: int = RATE,
) -> Path:
    """Two seconds of pictures and beeps, made with PyAV alone; `gap` leaves out blocks of 1024 samples."""
    encoder = {".avi": "mpeg4", ".mpg": "mpeg2video", ".webm": "libvpx-vp9"}.get(path.suffix, "libx264")
    with av.open(str(path), "w") as output:
        stream = output.add_stream(encoder, rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        sounds = [output.add_stream(codec, rate=rate, layout=layout) for _ in range(tracks)]
        for sound in sounds:
            if codec.startswith("wma"):
                sound.codec_context.bit_rate = 64_000
        output.start_encoding()
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * index % 256, np.uint8))
            frame.pts, frame.time_base = index + pictures_from, Fraction(1, 24)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        samples = beeps(rate=rate)
        for number, sound in enumerate(sounds):
            for place in range(0, len(samples), 1024):
                if gap is not None and gap[0] <= place // 1024 < gap[1]:
                    continue
                block = np.repeat(samples[None, place : place + 1024], sound.codec_context.channels, axis=0)
                frame = av.AudioFrame.from_ndarray(block / (number + 1), format="fltp", layout=layout)
                frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
                frame.pts = place + int(sound_from * rate)
                output.mux(sound.encode(frame))
            output.mux(sound.encode(None))
    return path


@dataclass
class Heard:
    """When beeps begin after the first picture; when the sound begins and ends; its loudest sample."""

    beeps: list[float]
    start: float
    end: float
    samples: np.ndarray


def heard(path: Path, track: int = 0) -> Heard:
    with av.open(str(path)) as container:
        first_picture = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        frames = [frame for frame in container.decode(audio=track) if frame.pts is not None]  # the last one of WMA
    rate, resampler = frames[0].sample_rate, av.AudioResampler(format="fltp", layout="mono")
    start = min(frame.time for frame in frames)
    end = max(frame.time + frame.samples / rate for frame in frames)
    line = np.zeros(int((end - start) * rate) + 2048, np.float32)
    for frame in frames:
        place = round((frame.time - start) * rate)
        for part in resampler.resample(frame):
            values = part.to_ndarray()[0]
            line[place : place + len(values)] = values
    loud = np.flatnonzero(np.abs(line) > 0.25 * np.abs(line).max())
    begins = loud[np.r_[True, np.diff(loud) > rate // 10]]
    return Heard([b / rate + start - first_picture for b in begins], start - first_picture, end - first_picture, line)


def packets(path: Path, track: int = 0) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=track) if packet.size]


def codec_of(path: Path) -> str:
    with av.open(str(path)) as container:
        return container.streams.audio[0].codec_context.codec.canonical_name


def atoms(data: bytes, place: int, end: int) -> Iterator[tuple[bytes, int]]:
    while place + 8 <= end:
        size, name = struct.unpack(">I4s", data[place : place + 8])
        yield name, place
        if name in (b"moov", b"trak", b"mdia", b"edts"):
            yield from atoms(data, place + 8, place + size)
        place += size or end


def cut_by_edit_list(path: Path, start: float, end: float) -> Path:
    """Show only a part of an MP4 file: the media stay, its edit lists leave the rest out."""
    data = bytearray(path.read_bytes())
    found = list(atoms(data, 0, len(data)))
    (movie,) = [struct.unpack(">I", data[p + 20 : p + 24])[0] for name, p in found if name == b"mvhd"]
    scales = [struct.unpack(">I", data[p + 20 : p + 24])[0] for name, p in found if name == b"mdhd"]
    lists = [p for name, p in found if name == b"elst"]
    for place, scale in zip(lists, scales, strict=True):
        _, begin, speed = struct.unpack(">IiI", data[place + 16 : place + 28])
        edit = struct.pack(">IiI", round((end - start) * movie), begin + round(start * scale), speed)
        data[place + 16 : place + 28] = edit
    path.write_bytes(data)
    return path


CODECS = {
    "AAC in .mp4": (".mp4", "aac"),
    "MP3 in .mp4": (".mp4", "libmp3lame"),
    "Opus in .mp4": (".mp4", "libopus"),
    "Opus in .webm": (".webm", "libopus"),
    "Opus in .mkv": (".mkv", "libopus"),
    "AAC in .mkv": (".mkv", "aac"),
    "FLAC in .mkv": (".mkv", "flac"),
    "PCM in .mov": (".mov", "pcm_s16le"),
    "u-law in .avi": (".avi", "pcm_mulaw"),
    "WMA in .avi": (".avi", "wmav2"),
    "MP2 in .mpg": (".mpg", "mp2"),
    "AAC in .ts": (".ts", "aac"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "codec"), CODECS.values(), ids=list(CODECS))
@pytest.mark.parametrize(
    ("sound_from", "pictures_from"), [(0.0, 0), (0.3, 0), (0.0, 9)], ids=["together", "sound later", "pictures later"]
)
def test_every_sound_is_heard_at_its_moment_in_every_file(
    tmp_path: Path, suffix: str, codec: str, sound_from: float, pictures_from: int
) -> None:
    rate = 44100 if codec in ("libmp3lame", "wmav2") else RATE
    layout = "stereo" if codec == "wmav2" else "mono"
    path = make_clip(
        tmp_path / f"clip{suffix}", codec, sound_from=sound_from, pictures_from=pictures_from, rate=rate, layout=layout
    )
    clip, before = VideoFrames(path), heard(path)
    assert len(before.beeps) == 4
    for target in TARGETS:
        after = heard(write_film(tmp_path / f"film{target}", clip, like=clip))
        # Matroska rounds to the thousandth: half of one on the way in, half on the way out, and half a block.
        assert after.beeps == pytest.approx(before.beeps, abs=1.5e-3), target
        # The last block of WMA comes without a time, and `heard` passes over it.
        assert after.end == pytest.approx(before.end, abs=0.05 if codec == "wmav2" else 0.015), target


COPIED = {
    "AAC": (".mp4", "aac", TARGETS[:3]),
    "MP3": (".mp4", "libmp3lame", TARGETS[:3]),
    "Opus": (".webm", "libopus", (".mp4", ".mkv", ".webm")),
    "PCM": (".mov", "pcm_s16le", (".mov", ".mkv")),
    "FLAC": (".mkv", "flac", (".mp4", ".mkv")),
}


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "codec", "targets"), COPIED.values(), ids=list(COPIED))
def test_what_a_file_can_hold_is_copied_packet_by_packet(tmp_path: Path, suffix, codec, targets) -> None:
    clip = VideoFrames(make_clip(tmp_path / f"clip{suffix}", codec))
    for target in targets:
        film = write_film(tmp_path / f"film{target}", clip, like=clip)
        assert packets(film) == packets(clip.path), target


ENCODED = {
    "FLAC into .mov": (".mkv", "flac", ".mov", "aac"),
    "PCM into .mp4": (".mov", "pcm_s16le", ".mp4", "aac"),
    "u-law into .mp4": (".avi", "pcm_mulaw", ".mp4", "aac"),
    "AAC into .webm": (".mp4", "aac", ".webm", "opus"),
}


@pytest.mark.parametrize(("suffix", "codec", "target", "becomes"), ENCODED.values(), ids=list(ENCODED))
def test_what_it_cannot_hold_is_encoded_with_a_notice(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str, codec: str, target: str, becomes: str
) -> None:
    clip = VideoFrames(make_clip(tmp_path / f"clip{suffix}", codec))
    check_output(tmp_path / f"film{target}", clip.size, like=clip)
    with caplog.at_level(logging.WARNING, logger="escalier"):
        film = write_film(tmp_path / f"film{target}", clip, like=clip)
    assert codec_of(film) == becomes
    assert f"({codec}) cannot be copied into {target} as it is heard and is encoded as {becomes}" in caplog.text


def test_sound_is_left_out_on_demand(tmp_path: Path) -> None:
    clip = VideoFrames(make_clip(tmp_path / "clip.mp4", "aac"))
    assert VideoFrames(write_film(tmp_path / "film.mp4", clip, encoding=Encoding(sound=False), like=clip)).audio == ()


@pytest.mark.slow
@pytest.mark.parametrize(("start", "end"), [(1.0, 2.0), (0.51, 1.6), (0.013, 2.0), (0.0, 1.3)])
@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "alac"])
def test_sound_removed_by_an_edit_list_stays_removed(tmp_path: Path, codec: str, start: float, end: float) -> None:
    rate = 44100 if codec == "libmp3lame" else RATE
    clip = VideoFrames(cut_by_edit_list(make_clip(tmp_path / "cut.mp4", codec, rate=rate), start, end))
    before = heard(clip.path)
    for target in TARGETS:
        film = write_film(tmp_path / f"film{target}", clip, like=clip)
        after = heard(film)
        assert after.beeps == pytest.approx(before.beeps, abs=1.01e-3), target
        with av.open(str(film)) as container:
            assert container.duration / 1e6 == pytest.approx(max(float(clip.duration), before.end), abs=0.03), target


def test_every_track_is_carried(tmp_path: Path) -> None:
    clip = VideoFrames(make_clip(tmp_path / "clip.mkv", "flac", tracks=3))
    for target in (".mkv", ".mov"):
        film = write_film(tmp_path / f"film{target}", clip, like=clip)
        loudest = [np.abs(heard(film, track).samples).max() for track in range(3)]
        assert loudest == pytest.approx([0.8, 0.4, 0.267], abs=0.05), target
        assert heard(film, 2).beeps == pytest.approx(list(BEEPS), abs=1.01e-3)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s24le", "aac", "libopus"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path, target: str, codec: str) -> None:
    clip = VideoFrames(make_clip(tmp_path / "gap.mkv", codec, gap=(20, 50)))
    film = write_film(tmp_path / f"film{target}", clip, like=clip)
    assert heard(film).beeps == pytest.approx([0.25, 1.25, 1.75], abs=1.5e-3)


@pytest.mark.slow
@pytest.mark.parametrize("count", [24, 72], ids=["sound longer", "sound shorter"])
@pytest.mark.parametrize("target", TARGETS)
def test_sound_longer_or_shorter_than_the_film_keeps_its_length(tmp_path: Path, target: str, count: int) -> None:
    clip = VideoFrames(make_clip(tmp_path / "clip.mov", "pcm_s16le", count=count))
    film = write_film(tmp_path / f"film{target}", clip, like=clip)
    assert heard(film).end == pytest.approx(2.0, abs=0.02)
    assert len(VideoFrames(film)) == count


class Part:
    """A second of a clip, from `cut` on, as helper code may cut one."""

    def __init__(self, clip: VideoFrames, cut: int, count: int) -> None:
        self._clip, self._cut, self._count = clip, cut, count
        self.path, self.time_base, self.rate, self.size = clip.path, clip.time_base, clip.rate, clip.size
        self.audio, self.colour, self.pixel_aspect = clip.audio, clip.colour, clip.pixel_aspect
        self.metadata = clip.metadata
        self.start = clip.start + clip.times[cut]
        self.times = [time - clip.times[cut] for time in clip.times[cut : cut + count]]
        self.durations = clip.durations[cut : cut + count]
        self.duration = sum(self.durations)
        self.sound_span = (self.start, self.start + self.duration)

    def __len__(self) -> int:
        return self._count

    def frame(self, index: int) -> np.ndarray:
        return self._clip.frame(self._cut + index)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_part_of_a_clip_has_the_sound_of_that_part_alone(tmp_path: Path, codec: str, target: str) -> None:
    whole = VideoFrames(make_clip(tmp_path / "clip.mov", codec))
    part = Part(whole, 13, 20)
    assert isinstance(part, FilmedClip)
    after = heard(write_film(tmp_path / f"film{target}", part, like=part))
    begin = 13 / 24
    assert after.beeps == pytest.approx([0.75 - begin, 1.25 - begin], abs=1.5e-3)
    assert -0.001 <= after.start <= 0.002 and after.end == pytest.approx(20 / 24, abs=0.03)


@pytest.mark.parametrize("target", TARGETS)
def test_a_part_without_sound_has_no_track(tmp_path: Path, target: str) -> None:
    part = Part(VideoFrames(make_clip(tmp_path / "clip.mov", "aac", count=96)), 60, 20)
    with av.open(str(write_film(tmp_path / f"film{target}", part, like=part))) as film:
        assert len(film.streams.audio) == 0 and film.duration / 1e6 == pytest.approx(20 / 24, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "codec"), [(".mov", "aac"), (".mkv", "flac"), (".ts", "aac"), (".webm", "libopus")])
def test_a_late_part_is_in_sync_too(tmp_path: Path, suffix: str, codec: str) -> None:
    """Where the file is entered near the part, and where it is read from its beginning."""
    path = make_clip(tmp_path / f"clip{suffix}", codec, count=200, sound_from=5.0)
    clip = VideoFrames(path)
    part = Part(clip, 130, 48)
    expected = [beep - float(clip.times[130]) for beep in heard(path).beeps]
    for target in (".mp4", ".mkv"):
        after = heard(write_film(tmp_path / f"film{target}", part, like=part))
        assert after.beeps == pytest.approx([beep for beep in expected if beep >= 0], abs=2e-3), target


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_sound_that_begins_long_after_the_pictures_is_found(tmp_path: Path, target: str) -> None:
    """MPEG says what its sound is where it begins, beyond the five seconds that FFmpeg looks at by itself."""
    path = make_clip(tmp_path / "clip.mpg", "mp2", count=200, sound_from=6.0)
    clip = VideoFrames(path)
    for part, cut in ((clip, 0), (Part(clip, 148, 48), 148)):
        expected = [6 + beep - float(clip.times[cut]) for beep in BEEPS]
        after = heard(write_film(tmp_path / f"film{target}", part, like=part))
        assert after.beeps == pytest.approx([beep for beep in expected if 0 < beep < 2 or part is clip], abs=3e-3)


@pytest.mark.parametrize("target", TARGETS)
def test_a_part_that_begins_within_a_packet_of_avi_is_in_sync(tmp_path: Path, target: str) -> None:
    """AVI counts packets, here 24 ms each, and the part begins in the middle of one."""
    clip = VideoFrames(make_clip(tmp_path / "clip.avi", "mp2"))
    part = Part(clip, 12, 28)
    begins = heard(clip.path).beeps
    after = heard(write_film(tmp_path / f"film{target}", part, like=part))
    assert after.beeps == pytest.approx([beep - 0.5 for beep in begins if 0.5 < beep < 0.5 + 28 / 24], abs=1.5e-3)


def test_a_film_of_its_own_length_ends_encoded_sound_to_the_sample(tmp_path: Path) -> None:
    clip = VideoFrames(make_clip(tmp_path / "clip.avi", "pcm_mulaw"))
    film = write_film(tmp_path / "film.mkv", clip, like=clip, rate=36)
    assert codec_of(film) == "flac" and heard(film).end == pytest.approx(48 / 36, abs=1e-3)


@pytest.mark.parametrize("target", [".mov", ".mkv"])
def test_raw_sound_ends_with_the_film_to_the_sample(tmp_path: Path, target: str) -> None:
    clip = VideoFrames(make_clip(tmp_path / "clip.mov", "pcm_s16le", layout="stereo"))
    film = write_film(tmp_path / f"film{target}", [clip.frame(i) for i in range(37)], like=clip, rate=24)
    assert codec_of(film) == "pcm_s16le" and heard(film).end == pytest.approx(37 / 24, abs=1e-3)
    assert heard(film).beeps == pytest.approx(BEEPS[:3], abs=1e-3)
    part = FilmPart(clip, clip.start + clip.times[5], 1.0)
    film = write_film(tmp_path / f"part{target}", part, like=part)
    assert heard(film).end == pytest.approx(float(part.duration), abs=1e-3)


def test_sound_that_cannot_be_read_is_refused_before_the_work(tmp_path: Path) -> None:
    whole, path = make_clip(tmp_path / "whole.mkv", "aac"), tmp_path / "clip.mkv"
    with av.open(str(whole)) as source, av.open(str(path), "w") as output:
        copies = {one.index: output.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.stream.type == "audio" and packet.size:
                junk = av.Packet(b"\x55" * packet.size)
                junk.pts, junk.dts, junk.time_base = packet.pts, packet.dts, packet.time_base
                junk.stream = copies[packet.stream_index]
                output.mux(junk)
            elif packet.size:
                packet.stream = copies[packet.stream_index]
                output.mux(packet)
    clip = VideoFrames(path)
    with pytest.raises(ValueError, match=r"sound of clip.mkv must be of a kind that can be read, got aac; leave"):
        check_output(tmp_path / "film.webm", clip.size, like=clip)
    check_output(tmp_path / "film.webm", clip.size, encoding=Encoding(sound=False), like=clip)
    assert write_film(tmp_path / "film.webm", clip, encoding=Encoding(sound=False), like=clip).exists()


def begins(samples: np.ndarray, rate: int) -> list[float]:
    loud = np.flatnonzero(np.abs(samples[0]) > 0.2)
    return (loud[np.r_[True, np.diff(loud) > rate // 10]] / rate).tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [(".mov", "pcm_s16le"), (".mp4", "aac"), (".webm", "libopus"), (".avi", "pcm_mulaw"), (".mpg", "ac3")],
)
@pytest.mark.parametrize("late", [0.0, 0.3, 6.0])
def test_every_sample_lies_beside_its_picture(tmp_path: Path, suffix: str, codec: str, late: float) -> None:
    count = 48 if late < 1 else 200
    clip = VideoFrames(make_clip(tmp_path / f"clip{suffix}", codec, sound_from=late, count=count))
    samples, rate = read_sound_samples(clip) or pytest.fail("no sound")
    late = 0 if suffix == ".avi" else late  # where sound has no time of its own
    assert begins(samples, rate) == pytest.approx([late + at for at in BEEPS if late + at < count / 24], abs=0.012)
    assert samples.shape[1] == round(clip.duration * rate)
    first = 10 if late < 1 else 150
    part = FilmPart(clip, clip.start + clip.times[first], 0.5)
    cut, _ = read_sound_samples(part) or pytest.fail("no sound")
    start = round(part.start * rate) - round(clip.start * rate)
    assert np.abs(cut[:, 600:-600] - samples[:, start : start + cut.shape[1]][:, 600:-600]).max() < 0.05


def test_a_gap_stays_a_gap_and_what_is_damaged_is_silent(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mkv", "pcm_s16le", gap=(5, 40))
    samples, rate = read_sound_samples(VideoFrames(path)) or pytest.fail("no sound")
    assert begins(samples, rate) == pytest.approx([1.25, 1.75], abs=2e-3)
