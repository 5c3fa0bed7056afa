"""Where a file's colour samples lie: said by the file, by the codec, or by the codec's standard."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import VideoFrames
from escalier.film.colour import chroma_siting

X265 = "log-level=error:chromaloc={}"


@pytest.mark.parametrize(
    ("name", "encoder", "options", "siting"),
    [
        pytest.param("a.mp4", "libx264", {}, "left", id="H.264 that says nothing"),
        pytest.param("a.mkv", "libx264", {"x264-params": "chromaloc=1"}, "center", id="H.264 that says centre"),
        pytest.param("a.mov", "libx264", {"x264-params": "chromaloc=2"}, "topleft", id="H.264 that says top left"),
        pytest.param("a.mkv", "libx265", {"x265-params": X265.format(2)}, "topleft", id="H.265 that says top left"),
        pytest.param("a.mpg", "mpeg1video", {}, "center", id="MPEG-1"),
        pytest.param("a.mpg", "mpeg2video", {}, "left", id="MPEG-2"),
        pytest.param("a.avi", "mpeg4", {}, "left", id="MPEG-4"),
        pytest.param("a.avi", "mjpeg", {}, "center", id="Motion JPEG"),
        pytest.param("a.flv", "flv", {}, "center", id="Sorenson H.263"),
        pytest.param("a.wmv", "wmv2", {}, "center", id="Windows Media 8"),
        pytest.param("a.mkv", "ffv1", {}, "left", id="FFV1"),
        pytest.param("a.webm", "libvpx-vp9", {}, "left", id="VP9"),
        pytest.param("a.mp4", "libsvtav1", {"svtav1-params": "chroma-sample-position=2"}, "topleft", id="AV1"),
        pytest.param("a.avi", "rawvideo", {}, "left", id="uncompressed"),
    ],
)
def test_siting_is_taken_from_the_file_or_the_standard(
    clips, tmp_path: Path, name: str, encoder: str, options: dict[str, str], siting: str
) -> None:
    if encoder not in av.codec.codecs_available:
        pytest.skip(f"this PyAV cannot write {encoder}")
    pix_fmt = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    path = clips.make(tmp_path / name, 2, size=(128, 96), rate=25, encoder=encoder, pix_fmt=pix_fmt, options=options)
    with av.open(str(path)) as container:
        assert chroma_siting(container.streams.video[0]) == siting


@pytest.mark.parametrize(("said", "place"), [(0, 0.0), (1, 0.5), (2, 0.0)], ids=["left", "centre", "top left"])
def test_colours_of_a_film_lie_where_its_file_says(clips, tmp_path: Path, said: int, place: float) -> None:
    period, side = 32, 96
    wave = 128 + 60 * np.cos(2 * np.pi * np.arange(0, side, 2) / period)
    planes = [np.full((side, side), 128), np.full((side // 2, side // 2), 128), np.tile(np.rint(wave), (side // 2, 1))]
    frame = av.VideoFrame.from_ndarray(
        np.concatenate([plane.reshape(-1) for plane in planes]).astype(np.uint8).reshape(side * 3 // 2, side), "yuv420p"
    )
    options = {"qp": "0", "x264-params": f"chromaloc={said}"}
    with av.open(str(tmp_path / "wave.mp4"), "w") as output:
        stream = output.add_stream("libx264", rate=24, options=options)
        stream.width, stream.height, stream.pix_fmt = side, side, "yuv420p"
        output.mux([*stream.encode(frame), *stream.encode(None)])
    red = VideoFrames(tmp_path / "wave.mp4").frame(0)[..., 0].mean(axis=0)
    found = -np.angle((red * np.exp(-2j * np.pi * np.arange(side) / period)).sum()) * period / (2 * np.pi)
    assert found == pytest.approx(place, abs=0.02)
