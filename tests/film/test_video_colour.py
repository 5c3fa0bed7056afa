"""Colours through a video file and back: matrix, range and tags, and what becomes of HDR."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from escalier.film import Encoding, VideoFrames, colour as h273, write_film
from escalier.film.hdr import sdr_from_hdr

BARS = np.array(
    [
        *([191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0], [191, 0, 191], [191, 0, 0], [0, 0, 191]),
        *([16, 16, 16], [255, 255, 255], [0, 0, 0], [200, 90, 40], [233, 180, 150], [60, 90, 30], [128, 128, 128]),
        *([10, 30, 80], [250, 5, 5]),
    ],
    np.uint8,
)
BLOCK = 16  # pixels of one colour, so that the subsampling of colour touches no centre

# Luma coefficients (red, blue) of each matrix.
MATRICES = {h273.BT601: (0.299, 0.114), h273.BT709: (0.2126, 0.0722), h273.BT2020: (0.2627, 0.0593)}


def bars() -> np.ndarray:
    return np.kron(BARS.reshape(2, 8, 3), np.ones((BLOCK, BLOCK, 1), np.uint8))


def centres(picture: np.ndarray) -> np.ndarray:
    return picture[BLOCK // 2 :: BLOCK, BLOCK // 2 :: BLOCK].reshape(-1, 3)


def luma_chroma(matrix: int, full_range: bool) -> np.ndarray:
    """The bars as Y, U, V in 8 bits, from the definition (ITU-T H.273)."""
    red, blue = MATRICES[matrix]
    r, g, b = (BARS / 255.0).T
    y = red * r + (1 - red - blue) * g + blue * b
    u, v = (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))
    if full_range:
        return np.stack([255 * y, 255 * u + 128, 255 * v + 128], -1)
    return np.stack([219 * y + 16, 224 * u + 128, 224 * v + 128], -1)


def tagged(
    path: Path, planes: np.ndarray, pix_fmt: str, *, matrix: int, full: bool, primaries: int = 1, transfer: int = 1
):
    """A file whose blocks hold exactly these Y, U, V values, with these tags."""
    deep = "10" in pix_fmt
    with av.open(str(path), "w") as output:
        stream = output.add_stream("ffv1", rate=24)
        stream.width, stream.height, stream.pix_fmt = 8 * BLOCK, 2 * BLOCK, pix_fmt
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, 2 if full else 1
        context.color_primaries, context.color_trc = primaries, transfer
        frame = av.VideoFrame(8 * BLOCK, 2 * BLOCK, pix_fmt)
        frame.colorspace, frame.color_range = matrix, 2 if full else 1
        for plane, values in zip(frame.planes, np.rint(planes).T, strict=True):
            sides = (BLOCK * plane.height // frame.height, BLOCK * plane.width // frame.width)
            block = np.kron(values.reshape(2, 8), np.ones(sides)).astype(np.uint16 if deep else np.uint8)
            rows = np.zeros((plane.height, plane.line_size), np.uint8)
            rows[:, : block.shape[1] * block.itemsize] = block.view(np.uint8)
            plane.update(rows.tobytes())
        frame.pts = 0
        output.mux([*stream.encode(frame), *stream.encode(None)])
    return VideoFrames(path)


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", MATRICES, ids=["601", "709", "2020"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p10le"])
def test_colours_are_read_by_their_tags(tmp_path: Path, pix_fmt: str, matrix: int, full: bool) -> None:
    planes = luma_chroma(matrix, full) * (4 if "10" in pix_fmt else 1)
    film = tagged(tmp_path / "bars.mkv", planes, pix_fmt, matrix=matrix, full=full)
    assert film.colour.matrix == matrix and film.colour.full_range == full
    assert np.abs(centres(film.frame(0)).astype(int) - BARS).max() <= 2


@pytest.mark.parametrize(
    ("scale", "matrix"), [(1, h273.BT601), (10, h273.BT709)], ids=["small is BT.601", "large is BT.709"]
)
def test_colours_without_tags_are_taken_as_players_take_them(clips, tmp_path: Path, scale: int, matrix: int) -> None:
    size = (128 * scale, 32 * scale)
    picture = np.kron(bars(), np.ones((scale, scale, 1), np.uint8))
    path = clips.make(tmp_path / "untagged.mp4", 1, size=size, picture=lambda _: picture, options={"crf": "1"})
    assert VideoFrames(path).colour.matrix == matrix


@pytest.mark.parametrize(
    ("name", "codec", "tolerance"),
    [
        pytest.param("film.mp4", None, 3, id="H.264"),
        pytest.param("film.mkv", "h264", 3, id="H.264 in Matroska"),
        pytest.param("film.mov", None, 2, id="ProRes 4444"),
        pytest.param("film.mkv", None, 0, id="FFV1"),
    ],
)
def test_colours_come_back_through_a_written_file(tmp_path: Path, name: str, codec: str | None, tolerance: int) -> None:
    film = VideoFrames(write_film(tmp_path / name, [bars()] * 3, encoding=Encoding(codec=codec), rate=24))
    for index in range(3):
        assert np.abs(centres(film.frame(index)).astype(int) - BARS).max() <= tolerance
    assert film.colour.primaries == film.colour.transfer == h273.BT709
    assert film.colour == h273.SDR or name == "film.mkv"


@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(("matrix", "primaries", "transfer"), [(6, 6, 6), (1, 1, 1), (9, 9, 14), (1, 12, 1)])
def test_tags_are_carried_over(tmp_path: Path, matrix: int, primaries: int, transfer: int, full: bool) -> None:
    planes = luma_chroma(matrix, full)
    tags = {"matrix": matrix, "primaries": primaries, "transfer": transfer, "full": full}
    clip = tagged(tmp_path / "clip.mkv", planes, "yuv420p", **tags)
    film = VideoFrames(write_film(tmp_path / "film.mp4", [clip.frame(0)], encoding=Encoding(crf=8), like=clip))
    assert clip.colour == (matrix, primaries, transfer, full)
    assert film.colour == clip.colour
    # Rounded to 8 bits on the way in and once more on the way out; blue weighs most, twice 1.88 in BT.2020.
    assert np.abs(centres(film.frame(0)).astype(int) - BARS).max() <= 4


def test_an_unreadable_matrix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must be BT.601, BT.709 or BT.2020, got YCgCo; export the clip as ordinary"):
        tagged(tmp_path / "odd.mkv", luma_chroma(h273.BT709, False), "yuv420p", matrix=8, full=False)


@pytest.mark.parametrize("transfer", ["HLG", "PQ"])
def test_hdr_greys_stay_grey_rise_and_never_clip_below_their_peak(transfer: str) -> None:
    signal = np.linspace(0, 65535, 256).astype(np.uint16)
    greys = sdr_from_hdr(np.repeat(signal[None, :, None], 3, axis=2), transfer)[0].astype(int)
    assert np.ptp(greys, axis=1).max() <= 1
    assert (np.diff(greys[:, 0]) >= 0).all() and greys[0, 0] == 0 and 250 <= greys[-1, 0] <= 255


def test_hdr_paper_white_and_grey_card_land_where_the_rule_says() -> None:
    # PQ codes of 203 and of 0.26 * 203 cd/m2 (SMPTE ST 2084): 0.5807 and 0.4441; 0.26 ** (1 / 2.4) is 0.570.
    white, card = (sdr_from_hdr(np.full((1, 1, 3), round(code * 65535), np.uint16), "PQ") for code in (0.5807, 0.4441))
    bent = 0.7 + 0.3 * (1 - np.exp(-1))
    assert abs(int(white[0, 0, 0]) - 255 * bent ** (1 / 2.4)) <= 1
    assert abs(int(card[0, 0, 0]) - 255 * 0.26 ** (1 / 2.4)) <= 2


def test_hdr_red_of_bt709_stays_red() -> None:
    # BT.709 red in BT.2020 light is (0.6274, 0.0691, 0.0164), ITU-R BT.2087; at 100 cd/m2 in PQ.
    light = np.array([0.6274, 0.0691, 0.0164]) * 100 / 10_000
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    code = ((c1 + c2 * light**m1) / (1 + c3 * light**m1)) ** m2
    red, green, blue = sdr_from_hdr(np.rint(code * 65535).astype(np.uint16)[None, None], "PQ")[0, 0].astype(int)
    assert abs(red - 255 * (100 / 203) ** (1 / 2.4)) <= 2 and max(green, blue) <= 20


def test_an_hdr_clip_is_read_as_bt709_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    planes = luma_chroma(h273.BT2020, False) * 4
    film = tagged(
        tmp_path / "phone.mkv", planes, "yuv420p10le", matrix=h273.BT2020, full=False, primaries=9, transfer=h273.HLG
    )
    assert film.colour == h273.SDR and "is HDR; it is read as ordinary BT.709" in caplog.text
    expected = sdr_from_hdr(BARS.astype(np.uint16)[None] * 257, "HLG")[0]
    assert np.abs(centres(film.frame(0)).astype(int) - expected).max() <= 3
