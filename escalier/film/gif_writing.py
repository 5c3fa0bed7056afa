"""Films as .gif: a palette for every frame, at most 50 frames a second, for ever in a circle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av import VideoFormat
from av.filter import Graph

from escalier.log import log

from .clock import Clock
from .pictures import Size

TICK = Fraction(1, 100)  # seconds: the clock of GIF
SHORTEST = 2  # ticks; browsers show a frame of fewer for ten


class GifFile:
    """A .gif being written into an open file.

    Frames are shown at the hundredth of a second nearest to their time, so the film as a whole keeps its length. Frames
    that would be shown for less than two hundredths are left out (browsers would slow them down to a tenth), with a
    notice in the log. Colours are chosen for each frame alone and dithered in a fixed pattern, which stands still where
    the film stands still. `pixel_aspect` is the width of a pixel over its height; GIF keeps it to a 64th.
    """

    def __init__(self, file: Any, size: Size, clock: Clock, pixel_aspect: Fraction) -> None:
        self._clock = clock
        self._last_tick = -SHORTEST
        self._done = self._left_out = 0
        final = max(round(clock.last * clock.tick / TICK), SHORTEST)
        options = {"loop": "0", "final_delay": str(final), "fflags": "+bitexact"}
        self._output = av.open(file, "w", format="gif", options=options)
        self._stream: Any = self._output.add_stream("gif", rate=Fraction(100), options={"flags": "+bitexact"})
        self._stream.width, self._stream.height, self._stream.pix_fmt = *size, "pal8"
        self._stream.time_base = self._stream.codec_context.time_base = TICK
        self._stream.codec_context.sample_aspect_ratio = pixel_aspect
        self._graph = _palette_graph(size)

    def __enter__(self) -> GifFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._output.close()

    def add(self, picture: np.ndarray) -> None:
        """Encode the next picture, RGB uint8."""
        tick = round(self._clock.at(self._done) * self._clock.tick / TICK)
        self._done += 1
        if tick - self._last_tick < SHORTEST:
            self._left_out += 1
            return
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.pts, frame.time_base = tick, TICK
        self._last_tick = tick
        self._graph.push(frame)
        self._output.mux(self._stream.encode(self._graph.pull()))

    def finish(self) -> None:
        """Let out what the encoder still holds, and say what was left out."""
        self._output.mux(self._stream.encode(None))
        if self._left_out:
            log.warning(
                "A .gif shows at most 50 frames a second: %d of %d frames are left out", self._left_out, self._done
            )


def _palette_graph(size: Size) -> Any:
    """A filter that gives every frame 256 colours of its own."""
    graph = Graph()
    source = graph.add_buffer(width=size.width, height=size.height, format=VideoFormat("rgb24"), time_base=TICK)
    split = graph.add("split")
    palette = graph.add("palettegen", "stats_mode=single:reserve_transparent=0")
    painted = graph.add("paletteuse", "new=1:dither=bayer:bayer_scale=3")
    sink = graph.add("buffersink")
    graph.link_nodes(source, split, painted, sink)
    split.link_to(palette, 1, 0)
    palette.link_to(painted, 0, 1)
    graph.configure()
    return graph
