"""One sound track decoded and encoded anew: gaps become silence, what is not to be heard is cut to the sample."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av import AudioResampler

BITS_A_CHANNEL = 128_000  # a second; where no listener hears a difference
RUN_UP = Fraction(1)  # seconds that are decoded before the first sample that counts
GAP = Fraction(1, 200)  # seconds; below, times are taken for rounded


class EncodedTrack:
    """A sound track that is decoded and encoded for another file.

    `output` (an OutputContainer) gets the stream; the packets of `source` (an AudioStream of an open file) are given to
    `carry`. `start` is the first moment that is to be heard, in seconds on the clock of the source; `encoder` is
    FFmpeg's name: "aac", "libopus" or "flac".
    """

    def __init__(self, output: Any, source: Any, start: Fraction, encoder: str) -> None:
        rate, layout = encoder_for(encoder, source.codec_context.sample_rate, source.codec_context.layout.name)
        self._rate, self._layout, self._start = rate, layout, start
        self._target = output.add_stream(encoder, rate=rate, layout=layout, options={"flags": "+bitexact"})
        channels = self._target.codec_context.channels
        if encoder != "flac":
            self._target.codec_context.bit_rate = min(BITS_A_CHANNEL, 4 * rate) * channels
        elif source.codec_context.format.name.startswith("s32"):
            self._target.codec_context.format = "s32"
        for key in ("language", "title"):
            if key in source.metadata:
                self._target.metadata[key] = source.metadata[key]
        self._source, self._channels = source, channels
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=rate)
        self._due: Fraction | None = None  # when the source's next sample should sound, on its clock
        self._held: list[np.ndarray] = []  # samples that are decoded but not yet encoded
        self._too_early = 0  # samples still to come that lie before the first that counts
        self._place = 0  # in the new file, of the first of them

    def carry(self, packet: av.Packet, origin: Fraction, until: Fraction | None) -> Iterator[av.Packet]:
        """What is ready for the new file after one more packet; nothing from the moment `until` on is given out yet."""
        if packet.pts is not None and packet.pts * packet.time_base < self._start - RUN_UP:
            return
        frames: list[Any] = []
        with contextlib.suppress(av.FFmpegError):  # what is damaged becomes silence
            frames = packet.decode()
        for frame in frames:
            self._hold(frame, origin)
        yield from self._given_out(until)

    def finish(self, origin: Fraction, end: Fraction | None) -> Iterator[av.Packet]:
        """What is left, cut at `end` of the new file."""
        for frame in self._source.codec_context.decode(None):
            self._hold(frame, origin)
        if self._due is not None:
            for part in self._resampler.resample(None):
                self._keep(part.to_ndarray())
        yield from self._given_out(end)
        yield from self._target.encode(None)

    def _hold(self, frame: av.AudioFrame, origin: Fraction) -> None:
        """Decode one frame to where it belongs: cut at the start, with silence for what is missing before it."""
        begin = self._due if frame.pts is None else Fraction(frame.pts) * Fraction(frame.time_base or 1)
        if begin is None:
            begin = self._start
        if self._due is None:
            self._place = round((self._start - origin) * self._rate)
            self._too_early = round((self._start - begin) * self._rate)
            self._due = min(begin, self._start)
        due, gap = self._due, begin - self._due
        if abs(gap) <= GAP:
            begin, gap = due, Fraction(0)
        self._due = max(begin + Fraction(frame.samples, frame.sample_rate), due)
        if gap > 0:
            self._keep(np.zeros((self._channels, round(gap * self._rate)), np.float32))
        parts = [part.to_ndarray() for part in self._resampler.resample(frame)]
        samples = np.concatenate([np.zeros((self._channels, 0), np.float32), *parts], axis=1)
        self._keep(samples[:, max(round(-gap * self._rate), 0) :])

    def _keep(self, samples: np.ndarray) -> None:
        """Hold samples, but for those that were only decoded to come to the first that counts."""
        cut = min(max(self._too_early, 0), samples.shape[1])
        self._too_early -= cut
        self._held.append(samples[:, cut:])

    def _given_out(self, until: Fraction | None) -> Iterator[av.Packet]:
        """Encode what is held, up to a moment of the new file."""
        if not self._held:
            return
        samples = np.concatenate(self._held, axis=1)
        count = samples.shape[1] if until is None else max(round(until * self._rate) - self._place, 0)
        ready, self._held = samples[:, :count], [samples[:, count:]]
        if not ready.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(ready), format="fltp", layout=self._layout)
        frame.sample_rate, frame.time_base, frame.pts = self._rate, Fraction(1, self._rate), self._place
        self._place += ready.shape[1]
        yield from self._target.encode(frame)


def encoder_for(encoder: str, rate: int, layout: str) -> tuple[int, str]:
    """The sample rate and the channels nearest to a track's own that an encoder takes."""
    codec = av.Codec(encoder, "w")
    rates, formats = codec.audio_rates, codec.audio_formats or []
    if rates and rate not in rates:
        rate = min((one for one in rates if one > rate), default=max(rates))
    for one in (layout, "stereo"):
        context: Any = av.CodecContext.create(encoder, "w")
        with contextlib.suppress(av.FFmpegError, ValueError):
            context.layout, context.sample_rate, context.format = one, rate, formats[0]
            context.time_base = Fraction(1, rate)
            context.open()
            return rate, one
    return rate, "mono"
