"""Reading video files: every frame, in any order, upright, at its time, whatever the file is like."""

from __future__ import annotations

import itertools
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import FolderFrames, FrameSource, Size, UnreadableVideo, VideoFrames, open_film, video, video_reader

GROUPS = {"g": "8", "bf": "3", "sc_threshold": "0"}


@pytest.fixture(scope="module")
def clip(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 frames with a key frame every 8 and three B-frames in a row."""
    return clips.make(tmp_path_factory.mktemp("clip") / "clip.mp4", 48, options=GROUPS)


def test_a_video_file_is_a_film(clip: Path) -> None:
    film = VideoFrames(clip)
    assert isinstance(film, FrameSource)
    assert (len(film), film.size, film.rate) == (48, Size(64, 48), Fraction(24))
    assert film.frame(0).dtype == np.uint8 and film.frame(0).flags.c_contiguous
    assert not film.variable_rate and film.duration == 2 and film.times[1] == Fraction(1, 24)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("plain.mp4", {}, id="one key frame"),
        pytest.param("bframes.mp4", GROUPS, id="B-frames"),
        pytest.param("open.mp4", {**GROUPS, "x264-params": "open-gop=1"}, id="open groups"),
        pytest.param("clip.mkv", GROUPS, id="Matroska"),
        pytest.param("clip.ts", GROUPS, id="transport stream"),
        pytest.param("clip.avi", {"bf": "0", "g": "8"}, id="AVI"),
    ],
)
def test_every_frame_comes_in_its_place(clips, tmp_path: Path, name: str, options: dict[str, str]) -> None:
    film = VideoFrames(clips.make(tmp_path / name, 40, options=options))
    assert [clips.number_of(film.frame(i)) for i in range(len(film))] == list(range(40))
    assert film.rate == 24 and film.times[0] == 0


def test_random_access_gives_the_same_bits_as_sequential_reading(clip: Path) -> None:
    in_order = VideoFrames(clip)
    frames = [in_order.frame(i) for i in range(48)]
    order = np.random.default_rng(0).permutation(48)
    film = VideoFrames(clip)
    assert all(np.array_equal(film.frame(int(i)), frames[i]) for i in order)


def test_files_without_timestamps_are_counted(clips, tmp_path: Path) -> None:
    film = VideoFrames(clips.make(tmp_path / "raw.h264", 20, options=GROUPS))
    assert [clips.number_of(film.frame(i)) for i in (19, 3, 4, 0, 12)] == [19, 3, 4, 0, 12]
    assert len(film) == 20


def test_hidden_frames_of_vp8_are_not_counted(clips, tmp_path: Path) -> None:
    options = {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "200k", "arnr-maxframes": "7"}
    film = VideoFrames(clips.make(tmp_path / "clip.webm", 60, encoder="libvpx", options=options))
    assert len(film) == 60
    assert [clips.number_of(film.frame(i)) for i in (59, 0, 30)] == [59, 0, 30]


MODERN = {"libx265": ("mov", {"x265-params": "keyint=12:bframes=4:open-gop=1:log-level=error"})}
MODERN |= {"libvpx-vp9": ("webm", {"g": "12"}), "mjpeg": ("mov", {}), "prores_ks": ("mov", {})}
FORMATS = {"mjpeg": "yuvj420p", "prores_ks": "yuv422p10le"}


@pytest.mark.parametrize("encoder", [name for name in MODERN if name in av.codec.codecs_available or "ks" in name])
def test_what_phones_and_editors_write_is_read(clips, tmp_path: Path, encoder: str) -> None:
    suffix, options = MODERN[encoder]
    pix_fmt = FORMATS.get(encoder, "yuv420p")
    film = VideoFrames(clips.make(tmp_path / f"clip.{suffix}", 30, encoder=encoder, pix_fmt=pix_fmt, options=options))
    order = [29, 0, 13, 12, 11, 25, *range(30)]
    assert [clips.number_of(film.frame(i)) for i in order] == order


def test_a_broadcast_cut_anywhere_begins_with_its_first_key_frame(clips, tmp_path: Path, caplog) -> None:
    path = clips.make(tmp_path / "cut.ts", 40, options={"g": "12", "bf": "2", "sc_threshold": "0"})
    data = path.read_bytes()
    path.write_bytes(data[len(data) // 188 // 10 * 188 :])
    film = VideoFrames(path)
    assert [clips.number_of(film.frame(i)) for i in range(len(film))] == list(range(12, 40))
    assert "lack their key frame and are left out" in caplog.text


def test_one_frame_is_a_film(clips, tmp_path: Path) -> None:
    film = VideoFrames(clips.make(tmp_path / "one.mp4", 1))
    assert (len(film), film.rate, film.times, film.duration) == (1, 24, (0,), Fraction(1, 24))


@pytest.mark.parametrize("size", [(65, 47), (63, 48), (1, 1)], ids=str)
def test_odd_sizes_are_read_as_they_are(clips, tmp_path: Path, size: tuple[int, int]) -> None:
    path = clips.make(tmp_path / "odd.mkv", 3, size=size, encoder="ffv1", pix_fmt="yuv420p")
    film = VideoFrames(path)
    assert film.size == Size(*size) and film.frame(2).shape == (size[1], size[0], 3)


# Display matrices (a, b, c, d) and what they do to a picture.
TURNS = {
    "none": ((1, 0, 0, 1), lambda p: p),
    "quarter turn clockwise": ((0, 1, -1, 0), lambda p: np.rot90(p, -1)),
    "quarter turn anticlockwise": ((0, -1, 1, 0), lambda p: np.rot90(p, 1)),
    "half turn": ((-1, 0, 0, -1), lambda p: np.rot90(p, 2)),
    "mirrored": ((-1, 0, 0, 1), np.fliplr),
    "upside down": ((1, 0, 0, -1), np.flipud),
    "transposed": ((0, 1, 1, 0), lambda p: p.swapaxes(0, 1)),
}


@pytest.mark.parametrize(("matrix", "turn"), TURNS.values(), ids=list(TURNS))
def test_rotation_in_the_file_is_applied(clips, tmp_path: Path, matrix, turn) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:16, :24], picture[32:, 48:] = (250, 40, 40), (40, 40, 250)
    path = clips.make(tmp_path / "turned.mp4", 2, picture=lambda _: picture)
    film = VideoFrames(clips.set_matrix(path, matrix))
    upright = turn(picture)
    assert film.size == Size.of(upright)
    assert np.abs(film.frame(1).astype(int) - upright)[:, :].mean() < 6


def test_rotation_agrees_with_the_angle_pyav_gives(clips, tmp_path: Path) -> None:
    path = clips.set_matrix(clips.make(tmp_path / "turned.mp4", 1), (0, 1, -1, 0))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert frame.rotation == -90
    turned = np.rot90(frame.to_ndarray(format="rgb24"), frame.rotation // 90)
    assert np.abs(VideoFrames(path).frame(0).astype(int) - turned).max() < 12


def test_any_other_angle_is_refused(clips, tmp_path: Path) -> None:
    path = clips.set_matrix(clips.make(tmp_path / "tilted.mp4", 1), (0.866, 0.5, -0.5, 0.866))
    with pytest.raises(UnreadableVideo, match=r"tilted.mp4 must be turned by quarter turns, got 30.0 degrees"):
        VideoFrames(path)


def test_variable_rate_keeps_every_time(clips, tmp_path: Path) -> None:
    steps = [20, 20, 21, 60, 19, 20, 7, 20, 41, 20]
    ticks = [0, *itertools.accumulate(steps)]
    path = clips.make(tmp_path / "phone.mp4", 11, ticks=ticks, tick=Fraction(1, 600), rate=Fraction(30))
    film = VideoFrames(path)
    assert film.times == tuple(Fraction(t, 600) for t in ticks)
    assert film.variable_rate
    assert film.rate == Fraction(10 * 600, sum(steps)).limit_denominator(1001)
    assert [clips.number_of(film.frame(i)) for i in (10, 3, 4)] == [10, 3, 4]


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(25), Fraction(24000, 1001)], ids=str)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_a_constant_rate_is_exact_though_times_are_rounded(clips, tmp_path: Path, rate: Fraction, suffix: str) -> None:
    film = VideoFrames(clips.make(tmp_path / f"clip{suffix}", 30, rate=rate))
    assert film.rate == rate and not film.variable_rate


def test_times_begin_at_zero_wherever_the_file_begins(clips, tmp_path: Path) -> None:
    ticks = [9000 + 3750 * i for i in range(8)]
    path = clips.make(tmp_path / "late.mkv", 8, ticks=ticks, tick=Fraction(1, 90000), options=GROUPS)
    film = VideoFrames(path)
    assert film.start == Fraction(1, 10) and film.times[0] == 0
    assert clips.number_of(film.frame(0)) == 0


def test_frames_cut_off_by_an_edit_list_do_not_count(clips, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "trimmed.mp4", 24, options=GROUPS)
    data = bytearray(path.read_bytes())
    place = data.index(b"elst")
    media_time = int.from_bytes(data[place + 16 : place + 20], "big") + 5 * 512  # a frame is 512 ticks
    data[place + 12 : place + 20] = (500).to_bytes(4, "big") + media_time.to_bytes(4, "big")  # half a second of it
    path.write_bytes(data)
    film = VideoFrames(path)
    assert len(film) == 12
    assert [clips.number_of(film.frame(i)) for i in (11, 0, 1, 6)] == [16, 5, 6, 11]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts the frames that readers decode from now on."""
    decoded, decode = [0], video_reader.decode_onwards

    def count(*stream):
        for frame in decode(*stream):
            decoded[0] += 1
            yield frame

    monkeypatch.setattr(video_reader, "decode_onwards", count)
    return decoded


@pytest.fixture
def long_group(clips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[VideoFrames, list[int]]:
    """120 frames in groups of 60, read with a cache of 20 frames a reader, and how many frames get decoded."""
    path = clips.make(tmp_path / "long.mp4", 120, options={"g": "60", "bf": "2", "sc_threshold": "0"})
    monkeypatch.setattr(video, "CACHE_BYTES", video.READERS * 20 * (64 * 48 * 3 // 2 + 4096))
    film = VideoFrames(path)
    return film, counted(monkeypatch)


def test_reading_forward_decodes_each_frame_once(long_group) -> None:
    film, decoded = long_group
    for index in range(120):
        film.frame(index)
        film.frame(max(index - 2, 0))
    assert decoded[0] <= 125


def test_reading_backward_is_not_quadratic(long_group) -> None:
    film, decoded = long_group
    for index in reversed(range(120)):
        film.frame(index)
    assert decoded[0] <= 120 * 4  # without a cache it would be 30 for each frame


def test_a_forward_and_a_backward_reader_do_not_chase_one_another(long_group) -> None:
    film, decoded = long_group
    for index in range(120):
        film.frame(index)
        film.frame(119 - index)
    assert decoded[0] <= 120 * 5


def test_several_threads_read_the_same_bits(clip: Path) -> None:
    alone = VideoFrames(clip)
    frames = [alone.frame(i) for i in range(48)]
    film, wrong = VideoFrames(clip), []

    def read(order) -> None:
        wrong.extend(i for i in order if not np.array_equal(film.frame(i), frames[i]))

    orders = [range(48), range(47, -1, -1), range(0, 48, 5), [int(i) for i in np.random.default_rng(1).permutation(48)]]
    threads = [threading.Thread(target=read, args=(order,)) for order in orders for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_closed_film_opens_again(clips, clip: Path) -> None:
    with VideoFrames(clip) as film:
        film.frame(3)
    assert clips.number_of(film.frame(20)) == 20
    film.close()


def test_pixels_that_are_not_square_are_stated(clips, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = clips.make(tmp_path / "dv.mp4", 2, pixel_aspect=Fraction(16, 15))
    film = VideoFrames(path)
    assert film.pixel_aspect == Fraction(16, 15) and film.size == Size(64, 48)
    assert "pixels of 16/15:1" in caplog.text
    assert VideoFrames(clips.set_matrix(path, (0, 1, -1, 0))).pixel_aspect == Fraction(15, 16)


@pytest.mark.parametrize("index", [-1, 48])
def test_a_frame_past_the_end_is_refused(clip: Path, index: int) -> None:
    with pytest.raises(IndexError, match=f"index must be 0 to 47, got {index}"):
        VideoFrames(clip).frame(index)


def test_open_film_opens_files_and_folders(clip: Path, tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "0001.png"), np.zeros((8, 8, 3), np.uint8))
    assert isinstance(open_film(clip), VideoFrames)
    folder = open_film(tmp_path, rate=12)
    assert isinstance(folder, FolderFrames) and folder.rate == 12
    with pytest.raises(ValueError, match="rate must be left out for a video file, got 12"):
        open_film(clip, rate=12)
