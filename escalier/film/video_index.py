"""What a video file holds, frame by frame: from its packets, or from one straight decode where they may be wrong."""

from __future__ import annotations

import bisect
import itertools
from fractions import Fraction
from pathlib import Path
from statistics import median_low
from typing import NamedTuple

import av
from av.container import InputContainer

from escalier.log import log

from .frame_times import mend_times
from .matroska import is_cut_short
from .size_changes import SizeWatch, refuse_size_changes, size_refusal
from .video_file import PassedFrame, UnreadableVideo, decode_packet, open_video

# Containers that stamp and find every frame, with codecs whose decoders give no frame before they can: there a frame is
# known by its timestamp. Everything else is decoded once from its start, and every frame is held against that.
TRUSTED_CONTAINERS = ("mov", "matroska")
TRUSTED_CODECS = ("h264", "hevc", "av1", "vp9", "prores", "dnxhd", "mjpeg", "ffv1", "png")
FARTHEST = 16  # frames that a codec may move one out of the order in which they are stored
UNEVEN = (0.4, 1.9)  # of the usual step: outside it the order of frames is not taken from their timestamps alone


class VideoIndex(NamedTuple):
    """Every frame of a stream in the order in which it is shown.

    times and durations are in ticks of `time_base`; keys are the frames (with the tick to seek to) that can be decoded
    without any earlier one. stamps are the frames' timestamps as the decoder gives them. The first `loose` frames may
    lean on frames that are not in the file, since the film was cut there. digests tell what a straight decode gave,
    None where that was not needed. With `by_count` frames are told apart by counting from the start of the file.
    """

    times: list[int]
    durations: list[int]
    keys: list[int]
    seek_ticks: list[int]
    time_base: Fraction
    loose: int
    stamps: list[int | None]
    digests: list[int] | None = None
    by_count: bool = False
    interlaced: bool = False

    def key_before(self, frame: int) -> int:
        """The place in `keys` of the last key that is not after `frame`."""
        return max(bisect.bisect_right(self.keys, frame) - 1, 0)

    def without_first(self, lead: int) -> VideoIndex:
        """The index of what is left when the first frames cannot be shown."""
        kept = [(key - lead, tick) for key, tick in zip(self.keys, self.seek_ticks, strict=True) if key >= lead]
        keys, ticks = zip(*kept, strict=True) if kept else ((0,), (self.seek_ticks[0],))
        return self._replace(
            times=self.times[lead:],
            durations=self.durations[lead:],
            keys=list(keys),
            seek_ticks=list(ticks),
            stamps=self.stamps[lead:],
            loose=0,
        )

    def counted(self) -> VideoIndex:
        """The same frames, to be found by counting from the start."""
        return self._replace(by_count=True, keys=[0], seek_ticks=self.seek_ticks[:1])


def read_index(path: Path) -> VideoIndex:
    """Read every packet of the main picture stream and order the frames by the time at which they are shown."""
    container, stream = open_video(path)
    with container:
        kind, codec = container.format.name.split(",")[0], stream.codec_context.codec.canonical_name
        straight = kind not in TRUSTED_CONTAINERS or codec not in TRUSTED_CODECS
        film = _read_packets(container, stream, straight)
    if not film.packets:
        raise UnreadableVideo(path.name, "hold at least one frame", "none", "export the clip again")
    _refuse_broken_off(path, film)
    if not straight and not _in_order(film):
        container, stream = open_video(path)
        with container:
            film, straight = _read_packets(container, stream, True), True
    if straight:
        return _from_frames(path, film)
    refuse_size_changes(path, film.sizes, [packet.pts or 0 for packet in film.packets if packet.shown])
    return _from_packets(film)


class _Packet(NamedTuple):
    pts: int | None
    dts: int | None
    duration: int
    key: bool
    shown: bool


class _Film(NamedTuple):
    """What one walk through the file found."""

    packets: list[_Packet]
    frames: list[PassedFrame]
    sizes: SizeWatch
    whole: bool
    promised: int
    time_base: Fraction
    rate: Fraction
    reorders: bool
    end: int | None
    interlaced: bool


def _read_packets(container: InputContainer, stream: av.VideoStream, straight: bool) -> _Film:
    """Walk through the whole file once; decode it on the way where that is asked for."""
    packets: list[_Packet] = []
    frames: list[PassedFrame] = []
    sizes = SizeWatch(stream)
    end, picture_end, cut, interlaced = 0.0, 0.0, False, False
    try:
        for packet in container.demux():
            mine = packet.stream_index == stream.index
            if packet.size and packet.pts is not None:
                ends = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                end, picture_end = max(end, ends), max(picture_end, ends) if mine else picture_end
            if mine and straight:
                for frame in decode_packet(stream, packet):
                    frames.append(PassedFrame.of(frame))
                    interlaced = interlaced or bool(frame.interlaced_frame)
            if mine and packet.size:
                cut = packet.is_corrupt
                shown = not packet.is_discard
                packets.append(_Packet(packet.pts, packet.dts, packet.duration or 0, packet.is_keyframe, shown))
                if packet.is_keyframe and not straight:
                    sizes.see(packet)
    except av.FFmpegError as error:
        log.debug("%s: %s", container.name, error)
        cut = True
    kind = container.format.name
    expected = len(stream.index_entries) if "mov" in kind and hasattr(stream, "index_entries") else 0
    short = "matroska" in kind and (
        is_cut_short(Path(container.name)) or _too_short(container, stream, end, picture_end)
    )
    reached = len(packets) >= expected and not short
    stated = int(stream.frames) if "mov" not in kind else 0
    time_base = Fraction(stream.time_base or Fraction(1, 90_000))
    # With frames out of order, MP4 knows the end of the film better than the packet of the frame shown last.
    film_end = (stream.start_time or 0) + stream.duration if "mov" in kind and stream.duration else None
    whole, rate, reorders = reached and not cut, _rate(stream), bool(stream.codec_context.has_b_frames)
    return _Film(packets, frames, sizes, whole, stated, time_base, rate, reorders, film_end, interlaced)


def _too_short(container: InputContainer, stream: av.VideoStream, end: float, picture_end: float) -> bool:
    """Whether a Matroska file states a length that its packets do not reach; half a second of grace."""
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    start = (container.start_time or 0) / av.time_base
    try:
        stated = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:  # not every writer states the length of each track; that of the file may be a subtitle's
        return (container.duration or 0) / av.time_base > end - start + 0.5
    return stated > picture_end + 0.5


def _rate(stream: av.VideoStream) -> Fraction:
    """Frames per second as the file states them, if that is a rate of films at all."""
    bare = stream.start_time is None and stream.duration is None  # a bare stream, where only the codec knows it
    rates = (stream.codec_context.framerate if bare else None, stream.average_rate, stream.guessed_rate)
    stated = (Fraction(rate) for rate in rates if rate)
    return next((rate for rate in stated if Fraction(1, 100) <= rate <= 1000), Fraction(25))


def _refuse_broken_off(path: Path, film: _Film) -> None:
    if not film.whole:
        remedy = "copy it again from the camera or phone, or export what is left of it from an editor"
        raise UnreadableVideo(path.name, f"be whole, but it breaks off after {len(film.packets)} frames", remedy=remedy)
    if film.promised > len(film.packets):
        log.warning(
            "%s states %d frames, %d were found: it is cut short or was never finished",
            *(path.name, film.promised, len(film.packets)),
        )


def _in_order(film: _Film) -> bool:
    """Whether the timestamps alone tell the order in which the frames are shown."""
    stamps = [packet.pts for packet in film.packets if packet.shown]
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < len(stamps) or len(set(known)) < len(known):
        return False
    order = sorted(range(len(known)), key=known.__getitem__)
    farthest = max((abs(rank - place) for rank, place in enumerate(order)), default=0)
    steps = [known[b] - known[a] for a, b in itertools.pairwise(order)]
    if not steps or farthest == 0:
        return not steps or max(steps) * film.time_base <= 60
    usual = median_low(steps)
    even = UNEVEN[0] * usual - 2 <= min(steps) and max(steps) <= UNEVEN[1] * usual + 2
    return film.reorders and farthest <= FARTHEST and even


def _from_packets(film: _Film) -> VideoIndex:
    """The index where timestamps can be trusted: nothing is decoded."""
    shown = sorted((packet for packet in film.packets if packet.shown), key=lambda packet: packet.pts or 0)
    times = [packet.pts or 0 for packet in shown]
    first_key = next((i for i, packet in enumerate(shown) if packet.key), 0)
    keys, seek_ticks = [], []
    for i, packet in enumerate(shown):
        if packet.key or (i == 0 and first_key != 0):
            keys.append(i)
            seek_ticks.append(min(packet.dts if packet.dts is not None else times[i], times[i]))
    # Frames shown before a key frame but stored after it belong to what came before the cut, as in any broadcast.
    started = next((i for i, packet in enumerate(film.packets) if packet.key), 0)
    loose = first_key if started == 0 else 0
    durations = _durations(times, _last_step(film, times[-1]))
    return VideoIndex(times, durations, keys or [0], seek_ticks or [times[0]], film.time_base, loose, list(times))


def _from_frames(path: Path, film: _Film) -> VideoIndex:
    """The index from a straight decode: the frames in the order in which they came out, each with its digest."""
    lead = next((i for i, frame in enumerate(film.frames) if frame.whole), 0)
    frames = film.frames[lead:]
    if not frames:
        rule, got = "hold a frame that can be decoded", f"none in {len(film.packets)}"
        raise UnreadableVideo(path.name, rule, got, "export the clip again")
    changed = next((i for i, frame in enumerate(frames) if frame.size != frames[0].size), None)
    if changed is not None:
        raise size_refusal(path, frames[0].size, frames[changed].size, changed)
    _tell_missing(path, film, lead)
    step = max(round(1 / film.rate / film.time_base), 1)
    stamps = [frame.stamp for frame in frames]
    times, time_base, mended = mend_times(stamps, film.time_base, step)
    if 0 < mended < len(frames):
        log.warning(
            "%s: %d of %d times are missing, doubled or out of order; each is put between its neighbours",
            *(path.name, mended, len(frames)),
        )
    last = step if stamps[-1] is None else _last_step(film, stamps[-1])
    durations = _durations(times, last * int(film.time_base / time_base))
    keys = [i for i, frame in enumerate(frames) if frame.key]
    ticks = [packet.dts if packet.dts is not None else packet.pts for packet in film.packets if packet.key]
    told_apart = None not in stamps and len(keys) == len(ticks) and None not in ticks and keys[:1] == [0]
    digests, by_count = [frame.digest for frame in frames], lead > 0 or not told_apart
    keys, seek_ticks = (keys, [tick or 0 for tick in ticks]) if told_apart else ([0], [0])
    return VideoIndex(times, durations, keys, seek_ticks, time_base, 0, stamps, digests, by_count, film.interlaced)


def _tell_missing(path: Path, film: _Film, lead: int) -> None:
    """Say how many stored frames give no picture: before the first key frame, or damaged later."""
    stored = sum(packet.shown for packet in film.packets)
    first = film.frames[lead].stamp
    early = sum(packet.pts is not None and first is not None and packet.pts < first for packet in film.packets)
    if early:
        log.warning("%s: the first %d frames lack their key frame and are left out", path.name, early)
    lost = stored - early - (len(film.frames) - lead)
    if lost > 0 and stored > len(film.frames):
        log.debug("%s: %d of %d stored frames give no picture", path.name, lost, stored)


def _last_step(film: _Film, stamp: int) -> int:
    """How long the last frame is shown, in ticks, as its packet or the file says."""
    said = [packet.duration for packet in film.packets if packet.pts == stamp and packet.duration]
    last = said[-1] if said else max(round(1 / film.rate / film.time_base), 1)
    # MP4 counts from frame to frame as they are stored: of the one stored last it says how long that itself is shown.
    if said and film.packets[-1].pts == stamp and film.reorders:
        return last
    return film.end - stamp if film.end is not None and 0 < film.end - stamp < 4 * last else last


def _durations(times: list[int], last: int) -> list[int]:
    """How long each frame is shown, in ticks; the last one as long as the file says, within reason."""
    steps = [b - a for a, b in itertools.pairwise(times)]
    usual = median_low(steps) if steps else last
    return [*steps, last if 0 < last <= 10 * max(usual, 1) else max(usual, 1)]
