"""The colours of a video file: what its tags say the numbers mean, and where in the picture its colour samples lie."""

import io
from typing import NamedTuple

import av

from escalier.refusals import Refusal

# Code points of ITU-T H.273, as every container and codec writes them.
RGB, BT709, BT470BG, BT601, SMPTE240M, BT2020 = 0, 1, 5, 6, 7, 9
PQ, HLG = 16, 18
_KNOWN_MATRIX = (BT709, 4, BT470BG, BT601, SMPTE240M, BT2020)
# Grey without a word about its range: in films it is limited as their luma is, elsewhere it is that of a picture.
_LIMITED_GREY = ("h264", "hevc", "av1", "vp9")
_UNREADABLE_MATRIX = {8: "YCgCo", 10: "BT.2020 constant luminance", 14: "ICtCp (Dolby Vision profile 5)"}

LEFT, CENTRE, TOP_LEFT, TOP = "left", "center", "topleft", "top"  # sitings, as FFmpeg's scaler spells them

# Where standards put colour samples of which a file says nothing: MPEG-1, JPEG and H.263 (with all that grew out of
# it) between the pixels, DV for 625 lines on one, everything younger beside the left one (ITU-T H.262, H.264, H.265).
_UNSAID = dict.fromkeys(("mpeg1video", "mjpeg", "mjpegb", "theora", "vp3", "vp6", "vp6f", "h261", "h263"), CENTRE)
_UNSAID |= dict.fromkeys(("h263i", "h263p", "flv", "flv1", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3"), CENTRE)
_UNSAID |= dict.fromkeys(("wmv1", "wmv2", "svq1", "svq3", "cinepak"), CENTRE)
_DV = "dvvideo"

# Matroska: (horizontal, vertical), 1 on the first pixel, 2 half way to the next.
_HORIZONTAL, _VERTICAL = b"\x55\xb7\x81", b"\x55\xb8\x81"
_MATROSKA = {(1, 1): TOP_LEFT, (1, 2): LEFT, (2, 1): TOP, (2, 2): CENTRE}
_AV1 = {1: LEFT, 2: TOP_LEFT}


class Colour(NamedTuple):
    """What the numbers of a picture mean: ITU-T H.273 codes for matrix, primaries and transfer, and the range.

    >>> Colour(matrix=BT709, primaries=BT709, transfer=BT709, full_range=False) == SDR
    True
    """

    matrix: int
    primaries: int
    transfer: int
    full_range: bool

    @property
    def hdr(self) -> bool:
        return self.transfer in (PQ, HLG)


SDR = Colour(BT709, BT709, BT709, False)


def read_colour(context: av.VideoCodecContext) -> Colour:
    """The colour tags of an open stream; an unnamed matrix is guessed from the primaries, then from the size.

    The guess is the one players make: BT.709 from 1280x720 on, BT.601 below.
    """
    matrix = int(context.colorspace)
    if matrix in _UNREADABLE_MATRIX:
        rule, remedy = "be BT.601, BT.709 or BT.2020", "export the clip as ordinary (BT.709) H.264 first"
        raise Refusal("the colour matrix", rule, _UNREADABLE_MATRIX[matrix], remedy, who="read_colour")
    primaries, transfer = int(context.color_primaries), int(context.color_trc)
    if matrix not in _KNOWN_MATRIX and (matrix != RGB or str(context.pix_fmt).startswith("yuv")):
        large = context.width >= 1280 or context.height >= 720
        by_primaries = {BT709: BT709, BT2020: BT2020, BT470BG: BT601, BT601: BT601}
        matrix = by_primaries.get(primaries, BT709 if large else BT601)
    full_range = int(context.color_range) == 2 or str(context.pix_fmt).startswith("yuvj")
    if str(context.pix_fmt).startswith("gray") and int(context.color_range) == 0:
        full_range = context.codec.canonical_name not in _LIMITED_GREY
    return Colour(matrix, primaries, transfer, full_range)


def chroma_siting(stream: av.VideoStream) -> str:
    """Where the colour samples of an open stream lie, in FFmpeg's words: left, center, topleft or top.

    What the file or its codec says counts; else what the codec's standard says.
    """
    context = stream.codec_context
    if context.codec.canonical_name == "av1":
        header = context.extradata or b""  # av1C: the last two bits of the third byte
        return _AV1.get(header[2] & 3, LEFT) if len(header) > 2 else LEFT
    stated = _stated(stream)
    if stated is not None:
        return stated
    if context.codec.canonical_name == _DV:
        return TOP_LEFT if context.pix_fmt == "yuv420p" else LEFT
    return _UNSAID.get(context.codec.canonical_name, LEFT)


def _stated(stream: av.VideoStream) -> str | None:
    """The siting in the stream's parameters, which PyAV hands to nobody but another file: so one is begun in memory."""
    header = io.BytesIO()
    try:
        with av.open(header, "w", format="matroska") as output:
            output.add_stream_from_template(stream, opaque=True)
            output.start_encoding()
    except (av.FFmpegError, ValueError):  # Matroska does not take every codec
        return None
    data = header.getvalue()
    places = [data.find(name) for name in (_HORIZONTAL, _VERTICAL)]
    if min(places) < 0:
        return None
    horizontal, vertical = (data[place + 3] for place in places)
    return _MATROSKA.get((horizontal, vertical))
