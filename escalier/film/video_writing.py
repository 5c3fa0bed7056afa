"""Video files: pictures encoded as they come, with the time, colour tags and pixel shape of the filmed clip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from escalier.log import log

from .carried_sound import CarriedSound
from .clock import Clock
from .colour import RGB, SDR
from .filmed_clip import FilmedClip
from .matroska import set_pixel_aspect
from .output_formats import CODECS, Codec, Encoding, OutputFormat
from .pictures import Size
from .rgb_to_video import RgbToVideo

# Of the clip's own notes only these: not where it was filmed, since the film is made to be shown.
KEPT_METADATA = ("creation_time", "title", "artist", "comment", "copyright", "description", "date")
AUDIO_AHEAD = Fraction(1, 2)  # seconds that sound is laid ahead of the pictures, as players like to find it


class DraftFile:
    """A file for PyAV to write into that remembers why it could not be written: FFmpeg forgets."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = open(path, "w+b")  # noqa: SIM115 (closed in close)
        self.failure: OSError | None = None
        self.seek, self.tell, self.read = self._file.seek, self._file.tell, self._file.read

    def __enter__(self) -> DraftFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if self.failure is not None and (kind is None or issubclass(kind, (av.FFmpegError, OSError))):
            raise self.failure

    def write(self, data: bytes) -> int:
        # What is raised in here PyAV prints as a traceback; `check` raises it where somebody can catch it.
        if self.failure is None:
            try:
                self._file.write(data)
            except OSError as error:
                self.failure = error
        return len(data)

    def check(self) -> None:
        """Raise what went wrong in writing."""
        if self.failure is not None:
            raise self.failure

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error


class VideoFile:
    """One video file being written: pictures are encoded as they come, the clip's sound is laid beside them.

    `clip` gives sound, colours, pixel aspect and notes; `encoding` its `crf` for codecs that have this dial, notes to
    store beside the clip's, and whether to take its sound over.
    """

    def __init__(
        self,
        file: DraftFile,
        chosen: OutputFormat,
        size: Size,
        clock: Clock,
        clip: FilmedClip | None,
        encoding: Encoding,
    ) -> None:
        codec = CODECS[chosen.codec]
        self._file, self._chosen, self._clock = file, chosen, clock
        self._aspect = Fraction(1) if clip is None else clip.pixel_aspect
        self._colour = clip.colour if clip is not None and clip.colour.matrix != RGB else SDR
        self._pictures = RgbToVideo(size, codec.pix_fmt, self._colour, even=codec.even)
        if self._pictures.size != size:
            log.warning(
                "%s takes even sizes only: the film is padded from %s to %s", *(chosen.codec, size, self._pictures.size)
            )
        self._lengths: dict[int, int] = {}  # of the frames on their way through the encoder, by tick
        self._done = 0
        with ExitStack() as stack:
            options = {"fflags": "+bitexact"}  # no clock, no random numbers: the same film is the same file
            if chosen.container in ("mp4", "mov"):
                options["movflags"] = "use_metadata_tags"
            self._output = stack.enter_context(av.open(file, "w", format=chosen.container, options=options))
            for key, value in _notes(clip, encoding.metadata).items():
                self._output.metadata[key] = value
            self._stream = self._add_stream(codec, encoding.crf)
            self._sound = stack.enter_context(CarriedSound(self._output, clip if encoding.sound else None, chosen))
            lead = Fraction(0) if clip is None else max(clip.start - self._sound.start, Fraction(0))
            self._lead = math.ceil(lead / clock.tick)
            self._sound.origin = (Fraction(0) if clip is None else clip.start) - self._lead * clock.tick
            self._open = stack.pop_all()

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *failure: Any) -> None:
        try:
            self._open.__exit__(kind, *failure)
        except (av.FFmpegError, OSError):
            # While something else is being reported, that the end could not be written is no news.
            if kind is None and self._file.failure is None:
                raise
        if kind is None and self._aspect != 1 and self._chosen.container in ("matroska", "webm"):
            set_pixel_aspect(self._file, self._aspect)

    def add(self, picture: np.ndarray) -> None:
        """Encode the next picture, RGB uint8."""
        index = self._done
        tick = self._lead + self._clock.at(index)
        frame = self._pictures.frame(picture)
        frame.pts, frame.time_base = tick, self._clock.tick
        if self._clock.ticks is not None and index == len(self._clock.ticks) - 2:
            # MP4 takes the length of the film from the frame stored last: let that be the one shown last.
            frame.pict_type = PictureType.P
        self._lengths[tick] = self._clock.length(index)
        # Sound that ends with the film must not run ahead of it, since nobody knows yet where the film ends.
        self._sound.lay_until(tick * self._clock.tick + (0 if self._clock.cut_sound else AUDIO_AHEAD))
        self._mux(self._stream.encode(frame))
        self._done += 1

    def finish(self) -> None:
        """Let out what the encoder still holds, and the rest of the sound."""
        self._mux(self._stream.encode(None))
        end = self._clock.end_of(self._done - 1) + self._lead * self._clock.tick
        self._sound.finish(end if self._clock.cut_sound else None)

    def _add_stream(self, codec: Codec, crf: float | None) -> Any:
        # Colour stands on the left pixel of two; some containers say so, in others it goes without saying.
        options = {**codec.options, "flags": "+bitexact", "chroma_sample_location": "left"}
        if crf is not None:
            options["crf"] = f"{crf:g}"
        stream: Any = self._output.add_stream(codec.encoder, rate=self._clock.rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *self._pictures.size, codec.pix_fmt
        stream.time_base = stream.codec_context.time_base = self._clock.tick
        context, in_rgb = stream.codec_context, not codec.pix_fmt.startswith("yuv")
        context.colorspace = RGB if in_rgb else self._colour.matrix
        context.color_range = 2 if in_rgb or self._colour.full_range else 1
        context.color_primaries, context.color_trc = self._colour.primaries, self._colour.transfer
        if self._aspect != 1:
            context.sample_aspect_ratio = self._aspect
        return stream

    def _mux(self, packets: list[av.Packet]) -> None:
        """Hand packets to the file; each says how long it is shown, or the last frame would be cut short."""
        for packet in packets:
            if packet.pts is not None and packet.time_base:
                length = self._lengths.pop(round(packet.pts * packet.time_base / self._clock.tick), 1)
                packet.duration = round(length * self._clock.tick / packet.time_base)
            self._output.mux(packet)


def _notes(clip: FilmedClip | None, metadata: Mapping[str, str]) -> dict[str, str]:
    """The notes to store: a few of the clip's, then those that were asked for."""
    kept = {} if clip is None else {key: clip.metadata[key] for key in KEPT_METADATA if key in clip.metadata}
    return {**kept, **metadata}
