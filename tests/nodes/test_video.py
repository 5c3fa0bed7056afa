"""Films as ComfyUI's VIDEO and back: lazily, in time, with sound, and with what core's Save Video asks for."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace

import av
import numpy as np
import pytest

from escalier.film import ArrayFrames

RATE = 8000


@pytest.fixture
def videos(pack: SimpleNamespace, fresh_folders: SimpleNamespace) -> ModuleType:
    return pack.module("video")


@pytest.fixture
def api(comfyui: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(**{name: getattr(comfyui.v0_0_2, name) for name in ("InputImpl", "Types")})


@pytest.fixture
def core_video(api: SimpleNamespace, to_image: Callable) -> Callable:
    """A VIDEO in memory as Create Video makes it: six frames at 12 a second, with a tone of half a second."""
    torch = pytest.importorskip("torch")
    tone = torch.sin(torch.arange(RATE // 2) * 0.3)[None, None]

    def make(clip: np.ndarray, audio: bool = True):
        sound = {"waveform": tone, "sample_rate": RATE} if audio else None
        components = api.Types.VideoComponents(images=to_image(clip), frame_rate=Fraction(12), audio=sound)
        return api.InputImpl.VideoFromComponents(components)

    return make


@pytest.fixture
def clip_file(core_video: Callable, clip: np.ndarray, tmp_path: Path) -> Path:
    core_video(clip).save_to(str(tmp_path / "clip.mp4"))
    return tmp_path / "clip.mp4"


def seconds_of_sound(path: Path | io.BytesIO) -> float:
    with av.open(path) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def frames_of(path: Path | io.BytesIO) -> list[np.ndarray]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_image_batch_is_read_where_it_lies(videos: ModuleType, to_image: Callable, clip: np.ndarray) -> None:
    images = to_image(clip)
    film = videos.film_from_input(images)
    assert film.frame(3).ctypes.data == images[3].data_ptr()
    assert (len(film), str(film.size)) == (6, "64x48")


def test_video_in_memory_is_read_where_it_lies(videos: ModuleType, core_video: Callable, clip: np.ndarray) -> None:
    video = core_video(clip)
    film = videos.film_from_input(video)
    assert film.frame(3).ctypes.data == video.get_components().images[3].data_ptr()
    assert film.rate == 12


def test_video_file_is_read_from_where_it_is(videos: ModuleType, api: SimpleNamespace, clip_file: Path) -> None:
    film = videos.clip_from_input(api.InputImpl.VideoFromFile(str(clip_file)))
    assert (len(film), str(film.size), film.rate) == (6, "64x48", 12)
    assert Path(film.path) == clip_file


def test_trimmed_video_shows_its_part_only(
    videos: ModuleType, api: SimpleNamespace, clip_file: Path, fresh_folders: SimpleNamespace
) -> None:
    whole = api.InputImpl.VideoFromFile(str(clip_file))
    film = videos.clip_from_input(whole.as_trimmed(2 / 12, 3 / 12))
    source = videos.clip_from_input(whole)
    assert (len(film), film.times, film.start) == (3, source.times[:3], source.times[2])
    assert all((film.frame(index) == source.frame(index + 2)).all() for index in range(3))
    assert film.path == clip_file and not list((fresh_folders.temp / "escalier" / "films").glob("[!.]*"))


@pytest.mark.parametrize(("start", "seconds"), [(0.2, 0.3), (-0.3, 0.0), (0.0, 0.25), (0.26, 9.0)])
def test_a_trim_holds_the_frames_that_comfyui_gives(
    videos: ModuleType, api: SimpleNamespace, clip_file: Path, start: float, seconds: float
) -> None:
    trimmed = api.InputImpl.VideoFromFile(str(clip_file)).as_trimmed(start, seconds, strict_duration=False)
    theirs, ours = trimmed.get_components().images.numpy(), videos.film_from_input(trimmed)
    assert len(ours) == len(theirs)
    assert all(np.abs(ours.frame(i) / 255 - theirs[i]).mean() < 0.03 for i in range(len(ours)))


def test_a_trim_of_odd_size_keeps_colours_and_pixel_aspect(
    videos: ModuleType, api: SimpleNamespace, tmp_path: Path
) -> None:
    path, red = tmp_path / "red.mp4", np.broadcast_to(np.uint8([219, 30, 30]), (47, 63, 3))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 63, 47, "yuv444p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = context.color_range = 1
        context.sample_aspect_ratio = Fraction(16, 15)
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(red))
            frame = frame.reformat(format="yuv444p", dst_colorspace=1, src_color_range=2, dst_color_range=1)
            frame.colorspace = 1
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    film = videos.clip_from_input(api.InputImpl.VideoFromFile(str(path)).as_trimmed(0.3, 0.4))
    assert np.abs(film.frame(1).astype(int) - red).max() <= 3
    assert (len(film), film.pixel_aspect, film.colour.matrix) == (4, Fraction(16, 15), 1)
    videos.FilmVideo(film, film).save_to(str(tmp_path / "saved.mp4"))


def test_a_trim_cuts_the_sound_where_it_cuts_the_pictures(
    videos: ModuleType, api: SimpleNamespace, clip_file: Path, tmp_path: Path
) -> None:
    trimmed = api.InputImpl.VideoFromFile(str(clip_file)).as_trimmed(2 / 12, 3 / 12)
    film = videos.clip_from_input(trimmed)
    assert videos.sound_of(film)["waveform"].shape[-1] == pytest.approx(RATE / 4, abs=2)
    videos.FilmVideo(film, film).save_to(str(tmp_path / "part.mp4"))
    assert seconds_of_sound(tmp_path / "part.mp4") == pytest.approx(0.25, abs=0.15)
    assert len(frames_of(tmp_path / "part.mp4")) == 3


def test_a_trim_beyond_the_end_is_refused(videos: ModuleType, api: SimpleNamespace, clip_file: Path) -> None:
    trimmed = api.InputImpl.VideoFromFile(str(clip_file), start_time=40.0, duration=1.0)
    with pytest.raises(ValueError, match=r"must hold at least one frame, got none from 40\.000 s for 1\.000 s"):
        videos.film_from_input(trimmed)


def test_a_buffer_is_laid_on_disk_as_it_is_and_once(
    videos: ModuleType, api: SimpleNamespace, clip_file: Path, fresh_folders: SimpleNamespace
) -> None:
    buffer = io.BytesIO(clip_file.read_bytes())
    films = [videos.film_from_input(api.InputImpl.VideoFromFile(buffer, start_time=start)) for start in (0, 2 / 12)]
    assert [len(film) for film in films] == [6, 4]
    files = list((fresh_folders.temp / "escalier" / "films").glob("*.film"))
    assert [file.read_bytes() for file in files] == [clip_file.read_bytes()]


def test_video_in_a_buffer_is_read(videos: ModuleType, api: SimpleNamespace, clip_file: Path) -> None:
    film = videos.film_from_input(api.InputImpl.VideoFromFile(io.BytesIO(clip_file.read_bytes())))
    assert len(film) == 6


def test_cut_video_of_odd_size_is_refused_with_a_way_out(
    videos: ModuleType, core_video: Callable, clip: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r"film must have even sides .* got 63x48; connect its pictures \(IMAGE\)"):
        videos.clip_from_input(core_video(clip[:, :, :63]))


def test_unreadable_video_is_refused_by_the_node(
    pack: SimpleNamespace, api: SimpleNamespace, fresh_folders: SimpleNamespace, tmp_path: Path
) -> None:
    for content in (b"", b"no video at all" * 100):
        (tmp_path / "broken.mp4").write_bytes(content)
        video = api.InputImpl.VideoFromFile(str(tmp_path / "broken.mp4"))
        with pytest.raises((ValueError, OSError), match=r"^Measure Motion: .*broken\.mp4.*;"):
            pack.EscalierMotion.execute(video, "medium")


def test_saved_film_keeps_frames_rate_sound_and_workflow(
    videos: ModuleType, api: SimpleNamespace, clip_file: Path, clip: np.ndarray, tmp_path: Path
) -> None:
    source = videos.clip_from_input(api.InputImpl.VideoFromFile(str(clip_file)))
    painted = ArrayFrames(255 - clip, rate=99)
    video = videos.FilmVideo(painted, source)
    metadata = {"prompt": {"1": {"class_type": "X"}}, "workflow": {"nodes": []}}
    video.save_to(str(tmp_path / "saved.mp4"), metadata=metadata)
    with av.open(str(tmp_path / "saved.mp4")) as container:
        assert container.streams.video[0].average_rate == 12
        assert json.loads(container.metadata["prompt"]) == metadata["prompt"]
        assert json.loads(container.metadata["workflow"]) == metadata["workflow"]
    made = frames_of(tmp_path / "saved.mp4")
    assert len(made) == 6
    assert np.abs(made[3].astype(int).mean(axis=-1) - painted.frame(3).mean(axis=-1)).mean() < 4
    assert seconds_of_sound(tmp_path / "saved.mp4") == pytest.approx(0.5, abs=0.1)


def test_core_reads_what_it_saved(
    videos: ModuleType, api: SimpleNamespace, core_video: Callable, clip: np.ndarray, tmp_path: Path
) -> None:
    video = videos.FilmVideo(ArrayFrames(clip), videos.clip_from_input(core_video(clip)))
    buffer = io.BytesIO()
    video.save_to(buffer)
    buffer.seek(0)
    read = api.InputImpl.VideoFromFile(buffer)
    assert read.get_dimensions() == video.get_dimensions() == (64, 48)
    assert read.get_frame_count() == video.get_frame_count() == 6
    assert read.get_frame_rate() == video.get_frame_rate() == 12
    assert read.get_duration() == pytest.approx(video.get_duration(), abs=1 / 12)
    assert video.get_container_format() == "mp4"


def test_quality_asked_for_is_the_quality_of_the_file(videos: ModuleType, clip: np.ndarray, tmp_path: Path) -> None:
    video = videos.FilmVideo(ArrayFrames(clip))
    for crf in (2.0, 40.0):
        video.save_to(str(tmp_path / f"{crf}.mp4"), crf=crf)
    assert (tmp_path / "2.0.mp4").stat().st_size > 2 * (tmp_path / "40.0.mp4").stat().st_size


def test_components_are_exact_and_carry_the_sound(
    videos: ModuleType, core_video: Callable, clip: np.ndarray, to_image: Callable
) -> None:
    video = videos.FilmVideo(ArrayFrames(clip), videos.clip_from_input(core_video(clip)))
    components = video.get_components()
    assert (components.images == to_image(clip)).all()
    assert components.frame_rate == 12
    assert components.audio["sample_rate"] == RATE
    assert components.audio["waveform"].shape[2] == pytest.approx(RATE / 2, rel=0.25)


@pytest.mark.parametrize("ask", ["save_to", "get_stream_source", "get_components"])
def test_the_node_that_asks_for_a_film_is_sent_no_previews(
    videos: ModuleType, comfyui: SimpleNamespace, clip: np.ndarray, tmp_path: Path, ask: str
) -> None:
    previews = []
    comfyui.utils.set_progress_bar_global_hook(lambda done, total, preview, node_id=None: previews.append(preview))
    try:
        getattr(videos.FilmVideo(ArrayFrames(clip)), ask)(*[str(tmp_path / "film.mp4")] * (ask == "save_to"))
    finally:
        comfyui.utils.set_progress_bar_global_hook(None)
    assert previews and all(preview is None for preview in previews)


def test_film_without_sound_says_so(videos: ModuleType, clip: np.ndarray) -> None:
    assert videos.FilmVideo(ArrayFrames(clip)).get_components().audio is None


def test_other_nodes_can_trim_the_film(videos: ModuleType, clip: np.ndarray) -> None:
    video = videos.FilmVideo(ArrayFrames(clip, rate=12))
    trimmed = video.as_trimmed(2 / 12, 3 / 12)
    assert trimmed.get_components().images.shape == (3, 48, 64, 3)
    assert video.get_stream_source() == video.get_stream_source()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"format": "webm"}, "format of the saved film must be auto or mp4, got webm; choose mp4"),
        ({"codec": "av1"}, "codec of the saved film must be auto or h264, got av1; choose h264"),
        ({"bit_depth": 10}, "bit depth of the saved film must be 8, got 10; choose 8"),
        ({"color_space": "HDR"}, "colour space of the saved film must be auto or sRGB, got HDR; choose sRGB"),
    ],
    ids=["format", "codec", "bit depth", "colour space"],
)
def test_what_cannot_be_written_is_refused(
    videos: ModuleType, clip: np.ndarray, tmp_path: Path, asked: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        videos.FilmVideo(ArrayFrames(clip)).save_to(str(tmp_path / "x.mp4"), **asked)
    assert not (tmp_path / "x.mp4").exists()


def test_cancel_while_saving_leaves_no_file(
    videos: ModuleType, comfyui: SimpleNamespace, clip: np.ndarray, tmp_path: Path
) -> None:
    comfyui.model_management.interrupt_current_processing(True)
    with pytest.raises(comfyui.model_management.InterruptProcessingException):
        videos.FilmVideo(ArrayFrames(clip)).save_to(str(tmp_path / "x.mp4"))
    comfyui.model_management.interrupt_current_processing(False)
    assert list(tmp_path.glob("*.mp4")) == []


@pytest.mark.parametrize("matrix", [1, 6])
@pytest.mark.parametrize("full", [1, 2], ids=["limited", "full"])
def test_a_trimmed_film_of_ours_keeps_its_colours(
    videos: ModuleType, api: SimpleNamespace, tmp_path: Path, matrix: int, full: int
) -> None:
    from escalier.film import VideoFrames

    red = np.broadcast_to(np.uint8([200, 40, 60]), (48, 64, 3))
    with av.open(str(tmp_path / "red.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=10, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = matrix
        context.color_trc, context.color_range = 1, full
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(red))
            frame = frame.reformat(format="yuv420p", dst_colorspace=matrix, src_color_range=2, dst_color_range=full)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    clip = VideoFrames(tmp_path / "red.mp4")
    video = videos.FilmVideo(ArrayFrames(np.stack([clip.frame(i) for i in range(10)]), 10), clip)
    assert np.abs(video.get_components().images.numpy() * 255 - red).max() <= 4
    trimmed = video.as_trimmed(0.3, 0.4)
    ours, theirs = videos.clip_from_input(trimmed), trimmed.get_components().images.numpy()
    assert (len(ours), len(theirs), ours.colour) == (4, 4, clip.colour)
    assert np.abs(ours.frame(1).astype(int) - red).max() <= 4
    assert np.abs(theirs[1] * 255 - red).max() <= 5
