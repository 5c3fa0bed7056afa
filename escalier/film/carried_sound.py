"""The sound of a clip beside new pictures: copied packet by packet where that is exact, else encoded anew."""

from __future__ import annotations

import contextlib
import io
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np

from escalier.log import log
from escalier.refusals import Refusal

from .encoded_sound import GAP, EncodedTrack
from .filmed_clip import FilmedClip
from .output_formats import CODECS, OutputFormat
from .sound import AudioTrack, knows_its_rate, open_for_sound

PREROLL = Fraction(1, 10)  # seconds that a decoder may need to hear before the first sample that counts
LONGEST_PACKET = Fraction(1, 2)
SEEK_BACK = Fraction(1)  # seconds
SEEKABLE = ("mov", "matroska")
TRIAL_SECONDS = Fraction(1, 2)
EXACT = Fraction(1, 500)  # seconds; Matroska rounds to the thousandth
# Samples that encoders put in front: AAC of FFmpeg, of others and of Apple; MP3 of LAME; AC-3.
PRIMING = (1024, 2048, 2112, 1105, 1152, 256)
# What FFmpeg would put into an .mp4 although hardly any player looks for it there.
STRANGERS = {"mp4": ("pcm_", "vorbis", "adpcm_", "mp1", "wma"), "mov": ("vorbis", "wma")}


class PlannedTrack(NamedTuple):
    """How one sound track is carried: its first heard moment on the clip's clock, and its new codec if it gets one."""

    track: AudioTrack
    start: Fraction
    encoder: str | None


def plan_sound(clip: FilmedClip, chosen: OutputFormat) -> list[PlannedTrack]:
    """For every track whether it can be copied exactly; tried with its first half second, in memory."""
    planned = []
    starts = {track: first_heard(clip, track) for track in clip.audio}
    heard = [start for start in starts.values() if start is not None]
    origin = min([clip.start, *heard])
    for track, start in starts.items():
        if start is not None and _can_be_copied(clip, track, start, origin, chosen):
            planned.append(PlannedTrack(track, start, None))
        elif start is not None and chosen.sound is not None:
            planned.append(PlannedTrack(track, start, chosen.sound))
        elif _is_silent_here(clip, track):
            log.info("%s: sound track %d has no sound in this part", clip.path.name, track.stream)
        else:
            remedy = "leave the sound out (sound=False), or export the clip with AAC sound"
            raise Refusal(f"the sound of {clip.path.name}", "be of a kind that can be read", track.codec, remedy)
    return planned


def first_heard(clip: FilmedClip, track: AudioTrack) -> Fraction | None:
    """The first moment, on the clip's clock, at which a track sounds in this film; None where none can be decoded.

    What an edit list or the start of a codec hides, decoders leave out; what was cut off a part of a clip is not heard.
    """
    since, until = clip.sound_span
    with opened(clip, since) as container:
        for frame in decoded(container, container.streams[track.stream]):
            start, end = _span_of(frame)
            if until is not None and start >= until:
                return None
            if since is None or end > since:
                return start if since is None else max(start, since)
    return None


def decoded(container: Any, stream: Any) -> Iterator[av.AudioFrame]:
    """Every frame of a sound track that can be decoded."""
    with contextlib.suppress(av.FFmpegError):
        for packet in container.demux(stream):
            with contextlib.suppress(av.FFmpegError):
                yield from packet.decode()


class CarriedSound:
    """The sound tracks of a clip on their way into another file.

    `output` (an OutputContainer) gets the streams, before its header is written; `clip` is None for a film without
    sound. `start` is the first moment that is heard, on the clip's clock. Set `origin`, the moment of the clip at which
    the new file begins, before anything is laid.
    """

    def __init__(self, output: Any, clip: FilmedClip | None, chosen: OutputFormat) -> None:
        self._output = output
        self._waiting: av.Packet | None = None
        self._packets: Iterator[av.Packet] = iter(())
        self._carriers: dict[int, CopiedTrack | EncodedTrack] = {}
        self._open = contextlib.ExitStack()
        self._until = None if clip is None else clip.sound_span[1]
        self.origin = Fraction(0)
        plan = [] if clip is None else plan_sound(clip, chosen)
        self.start = min((one.start for one in plan), default=Fraction(0) if clip is None else clip.start)
        if clip is None or not plan:
            return
        container = self._open.enter_context(opened(clip, self.start))
        for track, start, encoder in plan:
            source = container.streams[track.stream]
            if encoder is None:
                self._carriers[track.stream] = CopiedTrack(output, source, start)
            else:
                log.warning(
                    "The sound of %s (%s) cannot be copied into %s as it is heard and is encoded as %s",
                    *(clip.path.name, track.codec, chosen.suffix, encoder.removeprefix("lib")),
                )
                self._carriers[track.stream] = EncodedTrack(output, source, start, encoder)
        self._packets = container.demux(*(container.streams[stream] for stream in self._carriers))

    def __enter__(self) -> CarriedSound:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def lay_until(self, seconds: Fraction) -> None:
        """Put in what sounds before this moment of the new film."""
        self._set_end(None)
        self._lay(seconds)

    def _lay(self, seconds: Fraction | None) -> None:
        for packet in self._due(seconds):
            for laid in self._carriers[packet.stream_index].carry(packet, self.origin, seconds):
                self._output.mux(laid)

    def finish(self, seconds: Fraction | None) -> None:
        """Put in the rest, up to this moment of the new film; all for None."""
        last = self._set_end(seconds)
        self._lay(seconds)
        for carrier in self._carriers.values():
            for laid in carrier.finish(self.origin, last):
                self._output.mux(laid)

    def _set_end(self, seconds: Fraction | None) -> Fraction | None:
        """Tell the tracks where sound ends in the new file: with a film of its own time, and with a part of a clip."""
        ends = [end for end in (seconds, None if self._until is None else self._until - self.origin) if end is not None]
        last = min(ends, default=None)
        for carrier in self._carriers.values():
            if isinstance(carrier, CopiedTrack):
                carrier.end = last
        return last

    def _due(self, seconds: Fraction | None) -> Iterator[av.Packet]:
        while True:
            packet = self._waiting if self._waiting is not None else next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if packet.size == 0 or packet.pts is None:
                continue
            moment = packet.pts * packet.time_base
            if seconds is not None and moment - self.origin >= seconds:
                self._waiting = packet
                return
            if self._until is None or moment < self._until:
                yield packet


class CopiedTrack:
    """A track whose packets go over as they are; what is not heard is left out, but for what its decoder needs."""

    def __init__(self, output: Any, source: Any, start: Fraction) -> None:
        self._target = output.add_stream_from_template(source)
        self._start = start
        self.end: Fraction | None = None  # of the sound in the new file, where raw samples are cut
        self._due: Fraction | None = None
        name = source.codec_context.codec.canonical_name
        # Raw samples in .mov carry no time of their own: what is missing among them must be there as silence.
        self._raw = name.startswith("pcm_")
        raw = output.format.name == "mov" and self._raw
        self._silence = {"pcm_mulaw": 0xFF, "pcm_alaw": 0xD5, "pcm_u8": 0x80}.get(name, 0) if raw else None
        bits = int("".join(filter(str.isdigit, name)) or 8)
        self._rate, self._sample_bytes = source.codec_context.sample_rate, source.codec_context.channels * bits // 8
        for key in ("language", "title"):
            if key in source.metadata:
                self._target.metadata[key] = source.metadata[key]

    def carry(self, packet: av.Packet, origin: Fraction, until: Fraction | None = None) -> Iterator[av.Packet]:
        """The packet at its moment in the new file, or nothing."""
        begin = (packet.pts or 0) * packet.time_base
        # Matroska does not say how long the first packet lasts.
        end = begin + (packet.duration * packet.time_base if packet.duration else LONGEST_PACKET)
        if end <= self._start - PREROLL or (packet.is_discard and begin >= self._start):
            return
        if self._silence is not None:
            if self._due is not None and begin - self._due > GAP:
                yield self._silent(begin - self._due, origin)
            self._due = begin + Fraction(packet.size // self._sample_bytes, self._rate)
        # AVI counts whole packets, too coarse for a film that begins within one.
        finer = math.ceil(packet.time_base * self._rate)
        shift = round(origin / packet.time_base * finer)
        packet.pts, packet.duration = (packet.pts or 0) * finer - shift, (packet.duration or 0) * finer
        if packet.dts is not None:
            packet.dts = packet.dts * finer - shift
        packet.time_base /= finer
        left = packet if self.end is None or not self._raw else self._until_end(packet, self.end)
        if left is not None:
            left.stream = self._target
            yield left

    def finish(self, origin: Fraction, end: Fraction | None) -> Iterator[av.Packet]:
        return iter(())

    def _until_end(self, packet: av.Packet, end: Fraction) -> av.Packet | None:
        """What of a packet of raw samples lies before a moment; None where nothing does."""
        count = round((end - (packet.pts or 0) * (packet.time_base or 1)) * self._rate)
        if count * self._sample_bytes >= packet.size:
            return packet
        if count <= 0:
            return None
        cut = av.Packet(bytes(packet)[: count * self._sample_bytes])
        cut.pts, cut.dts, cut.time_base = packet.pts, packet.dts, packet.time_base
        cut.duration = round(Fraction(count, self._rate) / (packet.time_base or 1))
        return cut

    def _silent(self, seconds: Fraction, origin: Fraction) -> av.Packet:
        """A packet of silence from where the last one ended."""
        count = round(seconds * self._rate)
        packet: Any = av.Packet(bytes([self._silence or 0]) * count * self._sample_bytes)
        packet.time_base, packet.duration = Fraction(1, self._rate), count
        packet.pts = packet.dts = round(((self._due or 0) - origin) * self._rate)
        packet.stream = self._target
        return packet


def opened(clip: FilmedClip, since: Fraction | None = None) -> Any:
    """The file, from well before a moment on where it can be trusted to go there; else from its beginning."""
    container = open_for_sound(clip.path)
    if since is not None and since > SEEK_BACK and container.format.name.startswith(SEEKABLE):
        container.seek(int((since - SEEK_BACK) * av.time_base))
    return container


def _span_of(frame: av.AudioFrame) -> tuple[Fraction, Fraction]:
    start = Fraction(frame.pts or 0) * Fraction(frame.time_base or 1)
    return start, start + Fraction(frame.samples, frame.sample_rate)


def _is_silent_here(clip: FilmedClip, track: AudioTrack) -> bool:
    """Whether a track that is not heard in this film is sound nevertheless: empty, or elsewhere in the file."""
    with opened(clip) as container:
        if next(decoded(container, container.streams[track.stream]), None) is not None:
            return True
    with opened(clip) as container:
        return not any(packet.size for packet in container.demux(container.streams[track.stream]))


def _can_be_copied(
    clip: FilmedClip, track: AudioTrack, start: Fraction, origin: Fraction, chosen: OutputFormat
) -> bool:
    """Whether a copy of the first packets, beside a picture, is heard from the same moment on as in the clip."""
    if track.codec.startswith(STRANGERS.get(chosen.container, ())):
        return False
    with opened(clip, start) as container:
        source = container.streams[track.stream]
        if _cut_inside(container, source):
            return False
        if not knows_its_rate(source):
            remedy = "leave the sound out (sound=False), or export the clip as .mp4"
            raise Refusal(f"the sound of {clip.path.name}", "have a sample rate", f"none ({track.codec})", remedy)
        # Which moment a decoder gives depends on nothing but the packets, so a short piece tells.
        packets = _first_packets(container, source, start)
        own_beginning = start != clip.sound_span[0] and _is_priming(container, source, packets, start)
        try:
            copy = _with_a_picture(source, packets, start, origin, chosen)
        except (av.FFmpegError, ValueError):
            return False
    with av.open(copy) as trial:
        heard = next(decoded(trial, trial.streams.audio[0]), None)
        if heard is None:
            return False
        picture = trial.streams.video[0]
        late = _span_of(heard)[0] - Fraction(picture.start_time or 0) * Fraction(picture.time_base or 1)
    late -= start - origin
    return abs(late) <= EXACT or (own_beginning and late < 0)


def _is_priming(container: Any, source: Any, packets: list[av.Packet], start: Fraction) -> bool:
    """Whether what is hidden before the first heard sample is what the codec begins with, and no recorded sound.

    Only an edit list can hide recorded sound; one that hides as much as encoders put in front hides that.
    """
    if "mov" not in container.format.name:
        return True
    hidden = (start - (packets[0].pts or 0) * packets[0].time_base) * source.codec_context.sample_rate
    return round(hidden) in PRIMING


def _first_packets(container: Any, source: Any, start: Fraction) -> list[av.Packet]:
    """The packets around the first heard moment."""
    found = []
    for packet in container.demux(source):
        if packet.size and packet.pts is not None:
            moment = packet.pts * packet.time_base
            if moment >= start + TRIAL_SECONDS:
                break
            if moment >= start - SEEK_BACK:
                found.append(packet)
    return found


def _with_a_picture(
    source: Any, packets: list[av.Packet], start: Fraction, origin: Fraction, chosen: OutputFormat
) -> io.BytesIO:
    """A small file of one black frame at 0 and the first packets of a sound track."""
    file = io.BytesIO()
    codec = CODECS[chosen.codec]
    with av.open(file, "w", format=chosen.container) as output:
        picture: Any = output.add_stream(codec.encoder, rate=24)
        picture.width, picture.height, picture.pix_fmt = 64, 64, codec.pix_fmt
        carrier = CopiedTrack(output, source, start)
        black = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        output.mux([*picture.encode(black), *picture.encode(None)])
        for packet in packets:
            output.mux(list(carrier.carry(packet, origin)))
    file.seek(0)
    return file


def _cut_inside(container: Any, source: Any) -> bool:
    """Whether an edit list leaves out some of a track between two parts of it: no copy can say so."""
    if "mov" not in container.format.name or not hasattr(source, "index_entries"):  # PyAV 16 has none
        return False
    left_out = [entry.is_discard for entry in source.index_entries]
    changes = sum(one != following for one, following in itertools.pairwise(left_out))
    return changes > 1 + (bool(left_out) and left_out[0])
