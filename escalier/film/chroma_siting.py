"""Where in the picture a file's colour samples lie, when there are fewer of them than pixels."""

import io

import av

LEFT, CENTRE, TOP_LEFT, TOP = "left", "center", "topleft", "top"  # as FFmpeg's scaler spells them

# Where a standard puts them when the file says nothing: MPEG-1, JPEG and H.263 (with all that grew out of it) between
# the pixels, DV for 625 lines on the pixel, everything younger beside the left one (ITU-T H.262, H.264, H.265).
_UNSAID = dict.fromkeys(("mpeg1video", "mjpeg", "mjpegb", "theora", "vp3", "vp6", "vp6f", "h261", "h263"), CENTRE)
_UNSAID |= dict.fromkeys(("h263i", "h263p", "flv", "flv1", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3"), CENTRE)
_UNSAID |= dict.fromkeys(("wmv1", "wmv2", "svq1", "svq3", "cinepak"), CENTRE)
_DV = "dvvideo"

# Matroska: (horizontal, vertical), 1 on the first pixel, 2 half way to the next.
_HORIZONTAL, _VERTICAL = b"\x55\xb7\x81", b"\x55\xb8\x81"
_MATROSKA = {(1, 1): TOP_LEFT, (1, 2): LEFT, (2, 1): TOP, (2, 2): CENTRE}
_AV1 = {1: LEFT, 2: TOP_LEFT}


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
