"""Decoded frames as RGB, exactly: matrix, range and the place of the colour samples are said, nothing is left to guess.

What swscale does when it is not told (measured with waves of pure chroma, PyAV 16 to 18): writing 4:2:0 it puts the
colour samples between the pixels (.5 px right of the left one, where H.264 and every player have them). Reading, it
takes them between the pixels in PyAV 16, and from 17 on where the decoder says, which is left for H.264. So a film
slipped half a pixel to the left at each save though each half looked right by itself. Here the place is always given.
"""

from fractions import Fraction

import av
import cv2
import numpy as np
from av import VideoFrame
from av.filter import Graph

from .colour import BT470BG, BT601, BT709, BT2020, PQ, SMPTE240M, Colour
from .hdr import sdr_from_hdr

_MATRIX_NAME = {BT709: "bt709", 4: "fcc", BT470BG: "bt601", BT601: "bt601", SMPTE240M: "smpte240m", BT2020: "bt2020"}
# Luma coefficients (red, blue), ITU-T H.273.
_LUMA = {BT709: (0.2126, 0.0722), 4: (0.30, 0.11), SMPTE240M: (0.212, 0.087), BT2020: (0.2627, 0.0593)}
_LUMA |= {BT470BG: (0.299, 0.114), BT601: (0.299, 0.114)}

# Bicubic chroma, chroma interpolated in full, accurate rounding: without them swscale rounds every colour down.
FLAGS = "bicubic+full_chroma_int+full_chroma_inp+accurate_rnd+bitexact"

SWING = 0.33  # of the difference between samples: how far a cubic both ways goes beyond them at most


class RgbDecoder:
    """Turns the decoded frames of one stream into RGB uint8 (H, W, 3); not for two threads at once.

    Alpha is not looked at (`transparent`). HDR is brought down to BT.709 by `sdr_from_hdr`.

    siting is a word of `chroma_siting`.
    """

    def __init__(self, colour: Colour, siting: str) -> None:
        self._colour, self._siting = colour, siting
        self._luma = _LUMA.get(colour.matrix, _LUMA[BT601])
        self._curve = "PQ" if colour.transfer == PQ else "HLG"
        self._graphs: dict[tuple[str, int, int, str], Graph] = {}

    def rgb(self, frame: av.VideoFrame) -> np.ndarray:
        if frame.format.name.startswith("gray"):
            return self._from_grey(frame)
        whole = _with_whole_samples(frame)
        return np.ascontiguousarray(self._rgb(whole)[: frame.height, : frame.width])

    def _rgb(self, frame: av.VideoFrame) -> np.ndarray:
        if self._colour.hdr:
            return sdr_from_hdr(self._converted(frame, "rgb48le"), self._curve)
        if _is_yuv(frame.format) and self._colour.full_range and _depth(frame.format) > 8:
            # swscale drops the lower bits before it converts, and takes 1023 of 10 bits for 255.75 of 8.
            deep = self._converted(frame, "rgb48le").astype(np.float32)
            return np.rint(np.minimum(deep * (255 / (65536 - (65536 >> _depth(frame.format)))), 255)).astype(np.uint8)
        picture = np.ascontiguousarray(self._converted(frame, "rgb24"))
        if _is_yuv(frame.format):
            self._mend_overflow(frame, picture)
        return picture

    def transparent(self, frame: av.VideoFrame) -> bool:
        """Whether any pixel of a frame lets the background through."""
        kind = frame.format
        if not (kind.has_palette or any(component.is_alpha for component in kind.components)):
            return False
        if kind.is_planar and len(frame.planes) == 4 and _depth(kind) <= 16:
            return bool((_plane(frame, 3) != (1 << _depth(kind)) - 1).any())
        return bool((self._converted(frame, "rgba")[..., 3] != 255).any())

    def _converted(self, frame: av.VideoFrame, wanted: str) -> np.ndarray:
        key = (frame.format.name, frame.width, frame.height, wanted)
        if key not in self._graphs:
            self._graphs[key] = self._graph(frame, wanted)
        self._graphs[key].vpush(frame)
        return self._graphs[key].vpull().to_ndarray()

    def _graph(self, frame: av.VideoFrame, wanted: str) -> Graph:
        """One picture in, one out."""
        said = f"flags={FLAGS}"
        if _is_yuv(frame.format):
            span = "full" if self._colour.full_range else "limited"
            matrix = _MATRIX_NAME.get(self._colour.matrix, "bt601")
            said += f":in_range={span}:in_color_matrix={matrix}:in_chroma_loc={self._siting}"
            said += ":out_range=full" if wanted != "yuv444p" else f":out_range={span}:out_color_matrix={matrix}"
        graph = Graph()
        entry = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 1000)
        )
        scale, shaped, sink = graph.add("scale", said), graph.add("format", wanted), graph.add("buffersink")
        graph.link_nodes(entry, scale, shaped, sink).configure()
        return graph

    def _mend_overflow(self, frame: av.VideoFrame, picture: np.ndarray) -> None:
        """Bright pixels of strong colour: swscale reckons up to twice white (511) and puts black for what is beyond.

        Such a pixel should be 255 and is 0, so a coarse colour is enough to tell it from one that is rightly black.
        """
        full = self._colour.full_range
        black, lift, gain = (0, 1.0, 1.0) if full else (16, 255 / 219, 255 / 224)
        if frame.format.is_planar and len(frame.planes) > 2:
            unit = 1 << (_depth(frame.format) - 8)
            luma, *differences = (_plane(frame, number) for number in range(3))
        else:
            unit, (luma, *differences) = 1, self._converted(frame, "yuv444p")
        brightest = (float(luma.max()) / unit - black) * lift
        for channel, chroma, weight in zip((2, 0), differences, (self._luma[1], self._luma[0]), strict=True):
            factor, highest, lowest = gain * 2 * (1 - weight), float(chroma.max()), float(chroma.min())
            if brightest + factor * ((highest + SWING * (highest - lowest)) / unit - 128) < 500:
                continue
            dark = np.flatnonzero(picture[..., channel] == 0)
            coarse = cv2.resize(chroma, (frame.width, frame.height), interpolation=cv2.INTER_LINEAR).reshape(-1)[dark]
            level = luma.reshape(-1)[dark] * np.float32(lift / unit) + coarse * np.float32(factor / unit)
            beyond = dark[level > 256 + black * lift + 128 * factor]
            picture.reshape(-1, 3)[beyond, channel] = 255

    def _from_grey(self, frame: av.VideoFrame) -> np.ndarray:
        """Luma alone; swscale takes it to be of full range whatever the tags say."""
        unit = 1 << (_depth(frame.format) - 8)
        black, span = (0, 256 * unit - 1) if self._colour.full_range else (16 * unit, 219 * unit)
        grey = np.clip((_plane(frame, 0).astype(np.float32) - black) / span, 0, 1)[..., None]
        if self._colour.hdr:
            return sdr_from_hdr(np.repeat(np.rint(grey * 65535).astype(np.uint16), 3, axis=2), self._curve)
        return np.repeat(np.rint(grey * 255).astype(np.uint8), 3, axis=2)


def _is_yuv(kind: av.VideoFormat) -> bool:
    """Whether a pixel format holds luma and colour differences."""
    return not kind.is_rgb and len(kind.components) >= 3


def _with_whole_samples(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame in sides of whole colour samples.

    The last sample of an odd side stands for fewer pixels than the others; swscale would stretch them all over the
    picture instead, and colours would slip by up to a pixel.
    """
    kind = frame.format
    across, down = 16 // kind.chroma_width(16), 16 // kind.chroma_height(16)
    if not _is_yuv(kind) or (frame.width % across == 0 and frame.height % down == 0):
        return frame
    even = VideoFrame(-(-frame.width // across) * across, -(-frame.height // down) * down, kind.name)
    for old, new in zip(frame.planes, even.planes, strict=True):
        rows = np.zeros((new.height, new.line_size), np.uint8)
        stored = np.frombuffer(memoryview(old), np.uint8)[: old.height * old.line_size].reshape(
            old.height, old.line_size
        )
        width = min(old.line_size, new.line_size)
        rows[: old.height, :width] = stored[:, :width]
        new.update(rows.tobytes())
    return even


def _depth(kind: av.VideoFormat) -> int:
    """Bits of a stored sample; P010 and its like keep theirs at the upper end of 16."""
    return 16 if kind.name[0] == "p" and kind.name[1].isdigit() else kind.components[0].bits


def _plane(frame: av.VideoFrame, number: int) -> np.ndarray:
    """The samples of one plane, without the padding of its rows."""
    plane, kind = frame.planes[number], frame.format
    order = ">" if kind.is_big_endian else "<"
    samples = np.frombuffer(memoryview(plane), np.uint8 if _depth(kind) == 8 else np.dtype(f"{order}u2"))
    stride = plane.line_size // samples.itemsize
    together = 2 if number == 1 and len(frame.planes) == 2 else 1  # NV12: both differences in one plane
    return samples[: stride * plane.height].reshape(plane.height, stride)[:, : plane.width * together]
