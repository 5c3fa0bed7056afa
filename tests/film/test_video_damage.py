"""Files that are no video, broken off or damaged: a sentence that names the file and the remedy."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from escalier.film import Size, UnreadableVideo, VideoFrames, make_clip


@pytest.fixture(scope="module")
def whole_clip(clips, tmp_path_factory: pytest.TempPathFactory) -> Path:
    film = make_clip(Size(64, 48), length=48)
    options = {"g": "12", "bf": "2", "sc_threshold": "0"}
    return clips.make(tmp_path_factory.mktemp("whole") / "clip.mp4", 48, options=options, picture=film.frame)


@pytest.fixture
def clip(whole_clip: Path, tmp_path: Path) -> Path:
    """A clip of its own for every test to damage."""
    return Path(shutil.copy(whole_clip, tmp_path))


def packets(path: Path) -> list[tuple[int, int, int]]:
    """Position and size in the file and number of each frame, in the order in which they are stored."""
    with av.open(str(path)) as container:
        stored = [(p.pos, p.size, p.pts) for p in container.demux(video=0) if p.size]
    order = sorted(pts for _, _, pts in stored)
    return [(pos, size, order.index(pts)) for pos, size, pts in stored]


def not_a_video(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.mp4"
    if kind == "text":
        path.write_text("Dear diary\n" * 400)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "picture":
        path.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    elif kind == "folder":
        path.mkdir()
    elif kind == "sound":
        with av.open(str(path), "w") as output:
            stream = output.add_stream("aac", rate=8000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, 0
            output.mux([*stream.encode(frame), *stream.encode(None)])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("text", "text.mp4 must be a whole video file, but it cannot be opened"),
        ("empty", "empty.mp4 must be a video file, got 0 bytes; copy or export it again"),
        ("picture", "picture.mp4 must be a video file, got .*png.*; give a film or a folder"),
        ("folder", "must be a video file, got a folder; use open_film"),
        ("sound", "sound.mp4 must have a picture track, got none"),
    ],
)
def test_what_is_no_video_is_named(tmp_path: Path, kind: str, message: str) -> None:
    with pytest.raises(UnreadableVideo, match=message):
        VideoFrames(not_a_video(tmp_path, kind))


def test_pictures_that_no_memory_holds_are_refused_by_the_header(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "wide.avi"), "w") as output:
        stream = output.add_stream("rawvideo", rate=5)
        stream.width, stream.height, stream.pix_fmt = 60_000, 2, "bgr24"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((2, 60_000, 3), np.uint8), format="bgr24")))
    with pytest.raises(UnreadableVideo, match=r"wide\.avi must .* at most 32768 pixels .* got 60000x2; scale"):
        VideoFrames(tmp_path / "wide.avi")


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
@pytest.mark.parametrize("share", [0.2, 0.7, 0.9, 0.99])
def test_matroska_without_its_last_frames_is_refused_however_few(clips, tmp_path: Path, suffix: str, share: float):
    path = clips.make(tmp_path / f"clip{suffix}", 12, encoder="libx264" if suffix == ".mkv" else "libvpx-vp9")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UnreadableVideo, match=r"breaks off|a whole video file|at least one frame"):
        VideoFrames(path)


def test_text_under_its_own_name_is_no_film_of_letters(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary\n" * 400)
    with pytest.raises(UnreadableVideo, match=r"notes\.txt must be a"):
        VideoFrames(tmp_path / "notes.txt")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file at .*gone\.mp4; check the path"):
        VideoFrames(tmp_path / "gone.mp4")


@pytest.mark.parametrize(
    ("suffix", "message"),
    [
        (".avi", "must hold at least one frame, got none; export the clip again"),
        (".mp4", "must have a picture track, got none"),
        (".mkv", "must be a whole video file, but it cannot be opened"),
    ],
)
def test_a_film_of_no_length_is_named(clips, tmp_path: Path, suffix: str, message: str) -> None:
    with pytest.raises(UnreadableVideo, match=re.escape(f"nothing{suffix}") + " " + message):
        VideoFrames(clips.make(tmp_path / f"nothing{suffix}", 0))


@pytest.mark.parametrize("part", [0.3, 0.6, 0.97])
def test_a_broken_off_file_says_where_it_breaks_off(clip: Path, part: float) -> None:
    data = clip.read_bytes()
    clip.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(
        UnreadableVideo, match=r"clip.mp4 must be whole, but it (breaks off after \d+ frames|cannot)|opened"
    ):
        VideoFrames(clip)


def test_a_file_broken_off_between_two_frames_is_noticed(clip: Path) -> None:
    if not hasattr(av.stream.Stream, "index_entries"):
        pytest.skip("this PyAV cannot tell")
    position, size, _ = packets(clip)[30]
    clip.write_bytes(clip.read_bytes()[: position + size])
    with pytest.raises(UnreadableVideo, match="breaks off after 31 frames; copy it again"):
        VideoFrames(clip)


def test_a_broken_off_matroska_file_is_noticed(clips, tmp_path: Path) -> None:
    path = clips.make(tmp_path / "clip.mkv", 48, options={"g": "12"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(UnreadableVideo, match=r"breaks off after \d+ frames"):
        VideoFrames(path)


def test_an_mp4_without_its_end_is_named(clips, clip: Path) -> None:
    data = clip.read_bytes()
    place = data.index(b"moov") - 4
    length = int.from_bytes(data[place : place + 4], "big")
    clip.write_bytes(data[:place] + data[place + length :])
    with pytest.raises(UnreadableVideo, match="its end is missing: copy it again"):
        VideoFrames(clip)


@pytest.mark.parametrize("damage", ["zeros", "ones", "noise"])
def test_a_damaged_frame_is_reported_by_its_index(clip: Path, damage: str) -> None:
    frames = VideoFrames(clip)
    whole = {i: frames.frame(i) for i in (5, 44)}
    position, size, index = next(p for p in packets(clip)[26:] if p[1] > 60)
    data = bytearray(clip.read_bytes())
    noise = np.random.default_rng(0).integers(0, 255, size, np.uint8).tobytes()
    data[position : position + size] = {"zeros": bytes(size), "ones": b"\xff" * size, "noise": noise}[damage]
    clip.write_bytes(data)
    film = VideoFrames(clip)
    with pytest.raises(
        UnreadableVideo, match=rf"frame {index} of clip.mp4 \({index / 24:.2f} s\) must be whole.*cut the clip"
    ):
        film.frame(index)
    assert all(np.array_equal(film.frame(i), picture) for i, picture in whole.items())


def test_a_damaged_first_frame_is_not_passed_over(clip: Path) -> None:
    position, size, _ = packets(clip)[0]
    data = bytearray(clip.read_bytes())
    data[position : position + size] = b"\xff" * size
    clip.write_bytes(data)
    with pytest.raises(UnreadableVideo, match=r"frame 0 of clip\.mp4"):
        VideoFrames(clip)
