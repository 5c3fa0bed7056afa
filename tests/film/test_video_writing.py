"""Writing video files: the clip's time, sound and tags carried over; whole or not at all."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from escalier.film import ArrayFrames, Encoding, Size, VideoFrames, open_film, video_writing, write_film


def pictures(clips, count: int) -> np.ndarray:
    return np.stack([clips.numbered(i) for i in range(count)])


def sound_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def heard(path: Path) -> tuple[np.ndarray, float]:
    """The decoded samples of a file, and when the first loud one sounds after the first picture, in seconds."""
    with av.open(str(path)) as container:
        first_picture = next(container.decode(video=0)).time
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return samples, frames[0].time + int(np.argmax(np.abs(samples) > 0.2)) / 8000 - first_picture


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_frames_time_and_rate_come_back(clips, tmp_path: Path, suffix: str) -> None:
    film = ArrayFrames(pictures(clips, 30), rate=Fraction(30000, 1001))
    path = write_film(tmp_path / f"film{suffix}", film)
    read = open_film(path)
    assert path == tmp_path / f"film{suffix}"
    assert (len(read), read.size, read.rate) == (30, film.size, film.rate)
    assert [clips.number_of(read.frame(i)) for i in range(30)] == list(range(30))
    assert abs(float(read.duration) - 30 * 1.001 / 30) < 0.002


def test_ffv1_is_lossless_to_the_bit_at_odd_sizes(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (4, 37, 51, 3), np.uint8)
    film = VideoFrames(write_film(tmp_path / "film.mkv", noise, rate=24))
    assert all(np.array_equal(film.frame(i), noise[i]) for i in range(4))


def test_prores_takes_odd_sizes(clips, tmp_path: Path) -> None:
    film = VideoFrames(write_film(tmp_path / "film.mov", [clips.numbered(5, (51, 37))], rate=24))
    assert film.size == Size(51, 37) and clips.number_of(film.frame(0)) == 5


def test_float_pictures_are_written_as_their_nearest_level(tmp_path: Path) -> None:
    levels = np.float32([0.0, 0.2, 0.5, 1.5, -1.0])
    frames = [np.full((16, 16, 3), level, np.float32) for level in levels]
    film = VideoFrames(write_film(tmp_path / "film.mkv", frames, rate=5))
    assert [int(film.frame(i)[0, 0, 0]) for i in range(5)] == [0, 51, 128, 255, 0]


def test_a_generator_of_frames_is_written_as_it_comes(clips, tmp_path: Path) -> None:
    path = write_film(tmp_path / "film.mp4", (clips.numbered(i) for i in range(7)), rate=10)
    assert (len(VideoFrames(path)), VideoFrames(path).rate) == (7, 10)


TICKS = [0, 20, 41, 60, 63, 120, 139, 160, 181, 260, 281, 300]


@pytest.fixture(scope="module")
def phone_clip(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Variable rate, turned by a quarter, with sound."""
    path = tmp_path_factory.mktemp("phone") / "phone.mp4"
    clips.make(path, 12, ticks=TICKS, tick=Fraction(1, 600), rate=Fraction(24), sound_from=0.0, options={"bf": "2"})
    return clips.set_matrix(path, (0, 1, -1, 0))


def test_a_phone_clip_keeps_its_times_sound_and_length(clips, phone_clip: Path, tmp_path: Path) -> None:
    clip = VideoFrames(phone_clip)
    assert clip.size == Size(48, 64) and clip.times == tuple(Fraction(t, 600) for t in TICKS)
    film = VideoFrames(write_film(tmp_path / "film.mp4", clip, like=clip))
    assert film.size == clip.size and film.times == clip.times and film.rate == clip.rate
    assert abs(film.duration - clip.duration) <= min(clip.durations)
    assert sound_packets(film.path) == sound_packets(clip.path)
    (samples, start), (clip_samples, clip_start) = heard(film.path), heard(clip.path)
    assert np.array_equal(samples, clip_samples) and start == pytest.approx(clip_start, abs=1e-3)
    assert film.audio == clip.audio


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_variable_rate_is_kept_to_the_tick_of_the_file(phone_clip: Path, tmp_path: Path, suffix: str) -> None:
    clip = VideoFrames(phone_clip)
    path = write_film(tmp_path / f"film{suffix}", clip, like=clip)
    with av.open(str(path)) as film:
        stamps = [frame.pts * frame.time_base for frame in film.decode(video=0)]
    off = max(abs(stamp - stamps[0] - time) for stamp, time in zip(stamps, clip.times, strict=True))
    assert off == 0 if suffix in (".mp4", ".mov") else off <= Fraction(1, 2000)
    assert suffix == ".webm" or sound_packets(path) == sound_packets(clip.path)


@pytest.mark.parametrize("seed", [0, 1, 6, 18])
def test_the_last_frame_of_an_uneven_film_is_shown_as_long_as_it_should(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(10, 90, int(rng.integers(8, 14)))
    times = [Fraction(int(time), 1000) for time in np.cumsum([0, *steps])]
    flat = [np.full((48, 64, 3), 3 * index, np.uint8) for index in range(len(times))]
    film = VideoFrames(write_film(tmp_path / "film.mp4", flat, times=times))
    assert film.durations[-1] == pytest.approx(times[-1] / (len(times) - 1), abs=0.002)


@pytest.mark.parametrize("sound_from", [0.0, 0.3], ids=["together", "sound later"])
@pytest.mark.parametrize("pictures_from", [0, 9], ids=["pictures at once", "pictures later"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_stays_in_sync(clips, tmp_path: Path, sound_from: float, pictures_from: int, suffix: str) -> None:
    path = tmp_path / "clip.mkv"  # keeps any start as it is
    ticks = [pictures_from + i for i in range(24)]
    clips.make(path, 24, ticks=ticks, tick=Fraction(1, 24), sound_from=sound_from)
    clip = VideoFrames(path)
    film = VideoFrames(write_film(tmp_path / f"film{suffix}", clip, encoding=Encoding(codec="h264"), like=clip))
    assert heard(film.path)[1] == pytest.approx(heard(path)[1], abs=2e-3)
    assert sound_packets(film.path) == sound_packets(path)
    assert film.times == clip.times or suffix == ".mkv"


def test_a_film_with_a_rate_of_its_own_ends_its_sound_with_itself(clips, tmp_path: Path) -> None:
    clip = VideoFrames(clips.make(tmp_path / "clip.mp4", 48, sound_from=0.0))
    film = VideoFrames(write_film(tmp_path / "film.mp4", pictures(clips, 12), like=clip, rate=12))
    samples, _ = heard(film.path)
    assert film.rate == 12 and abs(len(samples) / 8000 - 1) < 0.3


def test_notes_of_the_clip_and_of_the_caller_are_stored_but_not_the_place(clips, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as output:
        output.metadata.update({"title": "Take 3", "location": "+48.85+002.35/"})
        stream = output.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.mux([*stream.encode(av.VideoFrame.from_ndarray(clips.numbered(1))), *stream.encode(None)])
    film = VideoFrames(
        write_film(
            tmp_path / "film.mp4",
            VideoFrames(path),
            encoding=Encoding(metadata={"prompt": "{}"}),
            like=VideoFrames(path),
        )
    )
    assert (film.metadata["title"], film.metadata["prompt"]) == ("Take 3", "{}")
    assert "location" not in film.metadata


def test_pixel_aspect_is_carried_over(clips, tmp_path: Path) -> None:
    clip = VideoFrames(clips.make(tmp_path / "dv.mp4", 2, pixel_aspect=Fraction(16, 15)))
    assert VideoFrames(write_film(tmp_path / "film.mp4", clip, like=clip)).pixel_aspect == Fraction(16, 15)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".gif"])
def test_the_same_film_is_the_same_file(phone_clip: Path, tmp_path: Path, suffix: str) -> None:
    clip = VideoFrames(phone_clip)
    paths = [
        write_film(tmp_path / name / f"film{suffix}", clip, encoding=Encoding(metadata={"prompt": "{}"}), like=clip)
        for name in "ab"
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_six_saves_in_a_row_move_no_colour(tmp_path: Path, suffix: str) -> None:
    """Read back by a decoder of our own: PyAV's planes, colour on the left pixel of two as H.264 says."""
    y, x = np.mgrid[:64, :96]
    waves = 100 * np.sin(x / 9) * np.cos(y / 13), 80 * np.sin(x / 17 + 1), 100 * np.cos(x / 7 + y / 11)
    picture = np.rint(128 + np.stack(waves, -1)).clip(0, 255).astype(np.uint8)
    film = [picture] * 12  # a film of a single frame has the losses of a first frame only
    for _ in range(6):
        with av.open(str(write_film(tmp_path / f"film{suffix}", film, rate=24))) as written:
            film = [read_left_sited(frame) for frame in written.decode(video=0)]
    middle = film[6]
    before, after = (p[4:-4, 4:-4, 0].astype(float) - p[4:-4, 4:-4, 2] for p in (picture, middle))
    slope = np.gradient(before, axis=1)
    assert abs((slope * (before - after)).sum() / (slope * slope).sum()) <= 0.1
    assert np.abs(np.stack(film).astype(int) - picture).mean() <= 1.5


def read_left_sited(frame: av.VideoFrame) -> np.ndarray:
    if frame.format.is_rgb:
        return frame.to_ndarray(format="rgb24")
    bits = frame.format.components[0].bits
    planes = [
        np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(plane.height, -1)[:, : plane.width]
        / 2 ** (bits - 8)
        for plane in frame.planes
    ]
    if "420" in frame.format.name:
        rows, columns = np.mgrid[: frame.height, : frame.width]
        places = [rows / 2 - 0.25, columns / 2]
        planes[1:] = [map_coordinates(plane, places, order=3, mode="nearest") for plane in planes[1:]]
    u, v = planes[1:]
    luma, u, v = (planes[0] - 16) / 219, (u - 128) / 224, (v - 128) / 224
    red, blue = luma + 1.5748 * v, luma + 1.8556 * u
    green = (luma - 0.2126 * red - 0.0722 * blue) / 0.7152
    return np.rint(np.stack([red, green, blue], -1) * 255).clip(0, 255).astype(np.uint8)


def test_the_file_says_where_colour_stands(tmp_path: Path) -> None:
    """Nothing in H.264 means left; Matroska and WebM say so outright, since VP9 itself cannot."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 3), np.uint8)
    horizontal = bytes.fromhex("55b78101")  # ChromaSitingHorz: left collocated
    assert horizontal in write_film(tmp_path / "film.webm", noise, rate=24).read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_odd_sizes_are_written(tmp_path: Path, caplog: pytest.LogCaptureFixture, suffix: str) -> None:
    picture = np.zeros((33, 47, 3), np.uint8)
    picture[:, -1], picture[-1] = (200, 30, 30), (30, 30, 200)
    path = write_film(tmp_path / f"film{suffix}", [picture] * 2, rate=24)
    with av.open(str(path)) as film:
        read = read_left_sited(next(film.decode(video=0)))
    if suffix == ".mp4":
        assert (
            read.shape == (34, 48, 3)
            and "h264 takes even sizes only: the film is padded from 47x33 to 48x34" in caplog.text
        )
        assert np.abs(read[:32:4, 47].astype(int) - read[:32:4, 46]).mean() < 8
    else:
        assert read.shape == (33, 47, 3)


def test_what_a_killed_job_leaves_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys, numpy as np; from escalier.film import write_film; black = np.zeros((9, 8, 8, 3), np.uint8)\n"
        "write_film(sys.argv[1], black, rate=5, progress=lambda done, *_: os._exit(9) if done == 4 else None)"
    )
    for name in ("film.mkv", "shot"):
        target = tmp_path / name
        assert subprocess.run([sys.executable, "-c", code, str(target)]).returncode == 9
        assert [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]
        write_film(target, black(2, 8, 8), rate=5)
        assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".part")]


def test_times_given_in_seconds_are_kept(clips, tmp_path: Path) -> None:
    times = [0, 0.04, Fraction(1, 12), 0.5, 0.75]
    film = VideoFrames(write_film(tmp_path / "film.mp4", pictures(clips, 5), times=times))
    assert [float(t) for t in film.times] == pytest.approx([float(t) for t in times], abs=1e-5)


def test_progress_counts_frames_and_shows_them(clips, tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []

    def progress(done: int, total: int, picture: np.ndarray | None = None) -> None:
        assert picture is not None
        seen.append((done, total, clips.number_of(picture)))

    write_film(tmp_path / "film.mp4", pictures(clips, 5), rate=24, progress=progress)
    assert seen == [(i + 1, 5, i) for i in range(5)]


class Stopped(Exception):
    pass


@pytest.mark.parametrize("failure", [Stopped, KeyboardInterrupt], ids=["cancel", "Ctrl-C"])
@pytest.mark.parametrize("frame", [1, 20])
def test_a_stopped_job_leaves_the_old_file_and_nothing_else(clips, tmp_path: Path, failure, frame: int) -> None:
    path = write_film(tmp_path / "film.mp4", pictures(clips, 3), rate=24)
    before = path.read_bytes()

    def progress(done: int, total: int, picture: np.ndarray | None = None) -> None:
        if done == frame:
            raise failure

    with pytest.raises(failure):
        write_film(path, pictures(clips, 24), rate=24, progress=progress)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


class SmallDisk:
    """A file on a disk with room for so many bytes."""

    def __init__(self, path: Path, mode: str, room: int) -> None:
        self._file, self._room = open(path, mode), room  # noqa: SIM115

    def write(self, data: bytes) -> int:
        self._room -= len(data)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return self._file.write(data)

    def __getattr__(self, name: str):
        return getattr(self._file, name)

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@pytest.mark.parametrize("room", [0, 40, 5_000, 20_000])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm", ".gif"])
def test_a_full_disk_is_named_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], suffix: str, room: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (24, 64, 64, 3), np.uint8)
    monkeypatch.setattr(video_writing, "open", lambda path, mode: SmallDisk(path, mode, room), raising=False)
    with pytest.raises(OSError, match=rf"film{suffix} must fit into .*free some space there") as raised:
        write_film(tmp_path / f"film{suffix}", noise, rate=24)
    assert raised.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == [] and "Traceback" not in capfd.readouterr().err


def test_an_unreadable_picture_is_not_taken_for_a_full_disk(clips, tmp_path: Path) -> None:
    def frames():
        yield clips.numbered(0)
        raise FileNotFoundError("frame 1 is gone")

    with pytest.raises(FileNotFoundError, match="frame 1 is gone"):
        write_film(tmp_path / "film.mp4", frames(), rate=24)
    assert list(tmp_path.iterdir()) == []


def black(*shape: int) -> np.ndarray:
    return np.zeros((*shape, 3), np.uint8)


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "unknown suffix": (
        lambda p: write_film(p / "film.wmv", black(2, 8, 8), rate=24),
        r"must be .mp4 \(H.264, plays everywhere\), .mov .*.webm .*.gif .*.exr .*, got film.wmv; change the suffix",
    ),
    "unknown codec": (
        lambda p: write_film(p / "film.mp4", black(2, 8, 8), encoding=Encoding(codec="xvid"), rate=24),
        "codec must be one of h264, prores, ffv1, vp9",
    ),
    "codec in the wrong file": (
        lambda p: write_film(p / "film.mp4", black(2, 8, 8), encoding=Encoding(codec="ffv1"), rate=24),
        "ffv1 must go into .mkv, got film.mp4",
    ),
    "no frames": (lambda p: write_film(p / "film.mp4", [], rate=24), "at least one frame, got 0"),
    "no rate": (lambda p: write_film(p / "film.mp4", black(2, 8, 8)), "rate must be given .* got None; say rate=24"),
    "rate 0": (
        lambda p: write_film(p / "film.mp4", black(2, 8, 8), rate=0),
        "rate must be 0.001 to 1000 frames per second, got 0",
    ),
    "rate NaN": (lambda p: write_film(p / "film.mp4", black(2, 8, 8), rate=float("nan")), "rate must be .* got nan"),
    **{
        f"rate {rate}": (
            lambda p, rate=rate: write_film(p / "film.mp4", black(2, 8, 8), rate=rate),
            rf"rate must be .*, got {rate}",
        )
        for rate in (-24, float("inf"), 1e9, 1e-9, float("-inf"))
    },
    "times with NaN": (
        lambda p: write_film(p / "film.mp4", black(3, 8, 8), times=[0, float("nan"), 1]),
        "times must be seconds, got nan for frame 1",
    ),
    "times from 1": (lambda p: write_film(p / "film.mp4", black(2, 8, 8), times=[1, 2]), "start at 0, got 1.0"),
    "times that stand": (
        lambda p: write_film(p / "film.mp4", black(3, 8, 8), times=[0, 1, 1]),
        "must rise from frame to frame, got 1.0 s for frame 2 after 1.0 s",
    ),
    "crf of ProRes": (
        lambda p: write_film(p / "film.mov", black(2, 8, 8), encoding=Encoding(crf=10), rate=5),
        "crf must be left out for prores, got 10; only h264 and vp9",
    ),
    "crf of VP9": (
        lambda p: write_film(p / "a.webm", black(2, 8, 8), encoding=Encoding(crf=64), rate=5),
        "crf must be 0 to 63 for vp9",
    ),
    "crf NaN": (
        lambda p: write_film(p / "film.mp4", black(2, 8, 8), encoding=Encoding(crf=float("nan")), rate=5),
        "crf must be .* got nan",
    ),
    "NaN in a float frame": (
        lambda p: write_film(p / "film.mkv", [np.zeros((8, 8, 3)), np.full((8, 8, 3), np.nan)], rate=5),
        "must hold finite numbers, got NaN or infinity in frame 1",
    ),
    "16 bits": (
        lambda p: write_film(p / "film.mkv", [np.zeros((8, 8, 3), np.uint16)], rate=5),
        "must be uint8 or float 0..1, got uint16 in frame 0",
    ),
    "no picture": (
        lambda p: write_film(p / "film.mkv", [black(8, 8), None], rate=5),
        "must be RGB .* got NoneType in frame 1",
    ),
    "notes that are no text": (
        lambda p: write_film(p / "film.mkv", black(2, 8, 8), encoding=Encoding(metadata={"prompt": {}}), rate=5),
        "metadata must be text, got dict for prompt",
    ),
    "rate and times": (lambda p: write_film(p / "film.mp4", black(2, 8, 8), rate=5, times=[0, 1]), "got both"),
    "too few times": (lambda p: write_film(p / "film.mp4", black(3, 8, 8), times=[0, 1]), "one time a frame, 3, got 2"),
    "times that fall": (
        lambda p: write_film(p / "film.mp4", black(3, 8, 8), times=[0, 2, 1]),
        "must rise from frame to frame, got 1.0 s for frame 2 after 2.0 s",
    ),
    "crf": (
        lambda p: write_film(p / "film.mp4", black(2, 8, 8), encoding=Encoding(crf=60), rate=5),
        "crf must be 0 to 51 for h264, got 60",
    ),
    "two sizes": (
        lambda p: write_film(p / "film.mp4", [black(8, 8), black(8, 10)], rate=5),
        "must be 8x8, got 10x8 in frame 1",
    ),
    "grey": (
        lambda p: write_film(p / "film.mp4", [np.zeros((8, 8), np.uint8)], rate=5),
        r"must be RGB .*got \(8, 8\) in frame 0",
    ),
    "RGBA": (
        lambda p: write_film(p / "film.mp4", [np.zeros((8, 8, 4), np.uint8)], rate=5),
        r"must be RGB .*got \(8, 8, 4\)",
    ),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_written_is_refused_and_leaves_nothing(tmp_path: Path, call, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        call(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("as_generator", [False, True], ids=["known length", "generator"])
@pytest.mark.parametrize("count", [10, 14])
def test_a_film_of_another_length_than_its_clip_is_refused(
    clips, phone_clip: Path, tmp_path: Path, count: int, as_generator: bool
) -> None:
    frames = np.zeros((count, 64, 48, 3), np.uint8)
    film = (frame for frame in frames) if as_generator else frames
    with pytest.raises(ValueError, match=r"film must have (as many frames as the clip it is like, )?12"):
        write_film(tmp_path / "film.mp4", film, like=VideoFrames(phone_clip))
    assert list(tmp_path.iterdir()) == []


def test_the_clip_itself_is_never_written_over(phone_clip: Path) -> None:
    clip = VideoFrames(phone_clip)
    with pytest.raises(ValueError, match="output must not be the clip itself"):
        write_film(phone_clip, clip, like=clip)
