"""RGB pictures as the frames that an encoder takes: matrix, range, and colour halved where players expect it."""

from fractions import Fraction

import av
import numpy as np
from av import VideoFormat
from av.filter import Graph

from .colour import BT470BG, BT601, BT709, BT2020, SMPTE240M, Colour
from .pictures import Size

# swscale's names of the matrices; BT.470BG and BT.601 are one.
_MATRIX_NAME = {
    BT709: "bt709",
    4: "fcc",
    BT470BG: "bt470",
    BT601: "smpte170m",
    SMPTE240M: "smpte240m",
    BT2020: "bt2020",
}
# Without full chroma input swscale averages pairs of pixels before anything else, whatever siting is asked for.
_FLAGS = "bicubic+full_chroma_inp+full_chroma_int+accurate_rnd"


class RgbToVideo:
    """Turns RGB uint8 pictures of one size into frames of one pixel format.

    Where colour has half the width (4:2:0, 4:2:2), each colour sample stands on the left one of its two pixels, and in
    4:2:0 half-way between its two rows: the siting of MPEG-2, H.264 and VP9, which every player assumes (ITU-T H.273,
    chroma sample location type 0). swscale by itself would put it between the two pixels, and colour would move half a
    pixel to the left each time a film is written and read.

    `size` is that of the pictures, `pix_fmt` FFmpeg's name of the format; `colour` gives matrix and range of the
    frames, and the tags to put on them. With `even`, for codecs that take even sides only, pictures with an odd side
    are padded by their last row or column.

    >>> from escalier.film.colour import SDR
    >>> to_video = RgbToVideo(Size(5, 4), "yuv420p", SDR, even=True)
    >>> frame = to_video.frame(np.full((4, 5, 3), 255, np.uint8))
    >>> frame.width, frame.format.name, bytes(frame.planes[0])[0]
    (6, 'yuv420p', 235)
    """

    def __init__(self, size: Size, pix_fmt: str, colour: Colour, *, even: bool = False) -> None:
        self._padding = (size.height % 2, size.width % 2) if even else (0, 0)
        self.size = Size(size.width + self._padding[1], size.height + self._padding[0])
        self._graph = Graph()
        source = self._graph.add_buffer(
            width=self.size.width, height=self.size.height, format=VideoFormat("rgb24"), time_base=Fraction(1)
        )
        if pix_fmt.startswith("yuv"):
            halved = ":out_chroma_loc=left" if not pix_fmt.startswith("yuv444") else ""
            scale = self._graph.add(
                "scale",
                f"out_color_matrix={_MATRIX_NAME.get(colour.matrix, 'bt709')}:"
                f"out_range={'pc' if colour.full_range else 'tv'}:flags={_FLAGS}{halved}",
            )
            # ProRes takes its tags from the frames and not from the stream.
            tags = self._graph.add(
                "setparams",
                f"colorspace={colour.matrix}:color_primaries={colour.primaries}:color_trc={colour.transfer}",
            )
        else:
            scale, tags = self._graph.add("scale", f"flags={_FLAGS}"), self._graph.add("null")
        shaped, sink = self._graph.add("format", pix_fmt), self._graph.add("buffersink")
        self._graph.link_nodes(source, scale, shaped, tags, sink).configure()

    def frame(self, picture: np.ndarray) -> av.VideoFrame:
        """The frame of a picture (H, W, 3) uint8."""
        if any(self._padding):
            picture = np.pad(picture, ((0, self._padding[0]), (0, self._padding[1]), (0, 0)), mode="edge")
        self._graph.vpush(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24"))
        return self._graph.vpull()
