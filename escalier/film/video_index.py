"""What a video file holds, frame by frame: built once by reading its packets, without decoding them."""

from __future__ import annotations

import bisect
import itertools
import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

log = logging.getLogger("escalier")

# Formats that open text and single pictures as if they were films.
NOT_FILMS = ("tty", "image2", "lrc", "srt", "ass")
# Codecs whose packets need not show a frame each: only decoding tells how many frames there are.
HIDDEN_FRAMES = ("vp8",)
# Recorded streams, which may begin in the middle of a group of frames.
CUT_ANYWHERE = ("mpegts", "mpeg")


class UnreadableVideo(ValueError):
    """A file that is no film, holds no picture, or is damaged; the message names the file and the remedy."""


class VideoIndex(NamedTuple):
    """Every frame of a stream in the order it is shown.

    times and durations are in ticks of `time_base`; keys are the frames (with the tick to seek to) that can be decoded
    without any earlier one. The first `loose` frames may lean on frames that are not in the file, since the film was
    cut there. A file without usable timestamps has `by_count` set: its frames are told apart by counting.
    """

    times: list[int]
    durations: list[int]
    keys: list[int]
    seek_ticks: list[int]
    time_base: Fraction
    loose: int
    by_count: bool

    def key_before(self, frame: int) -> int:
        """The place in `keys` of the last key that is not after `frame`."""
        return max(bisect.bisect_right(self.keys, frame) - 1, 0)

    def without_first(self, lead: int) -> VideoIndex:
        """The index of what is left when the first frames cannot be shown."""
        kept = [(key - lead, tick) for key, tick in zip(self.keys, self.seek_ticks, strict=True) if key >= lead]
        keys, ticks = zip(*kept, strict=True) if kept else ((0,), (self.times[lead],))
        return self._replace(
            times=self.times[lead:],
            durations=self.durations[lead:],
            keys=list(keys),
            seek_ticks=list(ticks),
            loose=0,
        )

    def frame_at(self, tick: int | None) -> int | None:
        """Which frame is shown at exactly this tick; None for a frame that is never shown."""
        if tick is None:
            return None
        place = bisect.bisect_left(self.times, tick)
        return place if place < len(self.times) and self.times[place] == tick else None


def open_video(path: Path) -> tuple[InputContainer, av.VideoStream]:
    """Open a video file and its main picture stream, or say in a sentence why it cannot be opened."""
    import av
    from av.stream import Disposition

    if path.is_dir():
        raise UnreadableVideo(f"VideoFrames: {path} must be a video file, got a folder; use open_film for a folder")
    if not path.exists():
        raise FileNotFoundError(f"VideoFrames: no file at {path}; check the path")
    if path.stat().st_size == 0:
        raise UnreadableVideo(f"VideoFrames: {path.name} must be a video file, got 0 bytes; copy or export it again")
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        raise UnreadableVideo(
            f"VideoFrames: {path.name} must be a whole video file, but it cannot be opened ({error.strerror}); "
            "it is of another kind or its end is missing: copy it again from the camera, or export it as .mp4"
        ) from error
    stream = cast("av.VideoStream | None", container.streams.best("video"))
    if container.format.name.endswith("_pipe") or container.format.name in NOT_FILMS:
        kind = container.format.long_name or container.format.name
        container.close()
        raise UnreadableVideo(f"VideoFrames: {path.name} must be a video file, got {kind}; give a film or a folder")
    if stream is None or stream.disposition & Disposition.attached_pic:  # the cover picture of a song
        container.close()
        raise UnreadableVideo(
            f"VideoFrames: {path.name} must have a picture track, got none; choose another file or export it again"
        )
    stream.thread_type = "SLICE"  # frame threads would report a damaged frame several frames late
    return container, stream


def read_index(path: Path) -> VideoIndex:
    """Read every packet of the main picture stream and order the frames by the time at which they are shown."""
    container, stream = open_video(path)
    with container:
        packets, whole = _read_packets(container, stream)
        times = [packet.pts for packet in packets if packet.shown]
        if not times and not any(packet.shown for packet in packets):
            raise UnreadableVideo(
                f"VideoFrames: {path.name} must hold at least one frame, got none; export the clip again"
            )
        if not whole:
            raise UnreadableVideo(
                f"VideoFrames: {path.name} must be whole, but it breaks off after {len(times)} frames; copy it again "
                "from the camera or phone, or export what is left of it from an editor"
            )
        time_base = Fraction(stream.time_base or Fraction(1, 90_000))
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        # With frames out of order, MP4 knows the end of the film better than the packet of the frame shown last.
        end = (stream.start_time or 0) + stream.duration if "mov" in container.format.name and stream.duration else None
        decode = stream.codec_context.name in HIDDEN_FRAMES
        cut_anywhere = container.format.name in CUT_ANYWHERE
    stamped = [time for time in times if time is not None]
    if len(stamped) < len(times) or len(set(stamped)) < len(stamped):
        count = len(list(decode_frames(path)))
        ticks = [round(i / rate / time_base) for i in range(count)]
        return VideoIndex(ticks, _durations(ticks, round(1 / rate / time_base)), [0], [0], time_base, 0, True)
    if decode:
        shown = {frame.pts for frame in decode_frames(path)}
        packets = [packet for packet in packets if packet.pts in shown]
    return _order(packets, time_base, rate, end, cut_anywhere)


def decode_frames(path: Path) -> Iterator[av.VideoFrame]:
    """Every frame from the first to the last, passing over what cannot be decoded."""
    container, stream = open_video(path)
    with container:
        yield from decode_onwards(container, stream)


def decode_onwards(container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Every frame from where the container stands; a packet that cannot be decoded gives none."""
    import av

    try:
        for packet in container.demux(stream):
            try:
                yield from stream.decode(packet if packet.size else None)
            except av.FFmpegError as error:
                log.debug("%s: packet at %s: %s", container.name, packet.pts, error)
            if not packet.size:
                return
    except av.FFmpegError as error:
        log.debug("%s: %s", container.name, error)


class _Packet(NamedTuple):
    pts: int | None
    dts: int | None
    duration: int
    key: bool
    shown: bool


def _read_packets(container: InputContainer, stream: av.VideoStream) -> tuple[list[_Packet], bool]:
    """The packets of the stream, and whether the file is whole as far as the file itself can tell."""
    import av

    packets: list[_Packet] = []
    end, cut = 0.0, False
    try:
        for packet in container.demux():
            if not packet.size:
                continue
            if packet.pts is not None and packet.stream.type in ("video", "audio"):
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream_index == stream.index:
                cut = packet.is_corrupt
                duration = packet.duration or 0
                packets.append(_Packet(packet.pts, packet.dts, duration, packet.is_keyframe, not packet.is_discard))
    except av.FFmpegError as error:
        log.debug("%s: %s", container.name, error)
        cut = True
    expected = len(stream.index_entries) if "mov" in container.format.name and hasattr(stream, "index_entries") else 0
    # A Matroska header states the length; half a second of grace, since it may count a subtitle.
    promised = (container.duration or 0) / av.time_base if "matroska" in container.format.name else 0.0
    start = (container.start_time or 0) / av.time_base
    return packets, not (cut or len(packets) < expected or promised > end - start + 0.5)


def _order(
    packets: list[_Packet], time_base: Fraction, rate: Fraction, end: int | None, cut_anywhere: bool
) -> VideoIndex:
    shown = sorted((packet for packet in packets if packet.shown), key=lambda packet: packet.pts or 0)
    times = [packet.pts or 0 for packet in shown]
    first_key = next((i for i, packet in enumerate(shown) if packet.key), 0)
    keys, seek_ticks = [], []
    for i, packet in enumerate(shown):
        if packet.key or (i == 0 and first_key != 0):
            keys.append(i)
            seek_ticks.append(min(packet.dts if packet.dts is not None else times[i], times[i]))
    # Frames shown before a key frame but stored after it belong to what came before the cut, as in any broadcast.
    started = next((i for i, packet in enumerate(packets) if packet.key), 0)
    loose = first_key if started == 0 or cut_anywhere else 0
    last = shown[-1].duration or round(1 / rate / time_base)
    if end is not None and 0 < end - times[-1] < 4 * last:
        last = end - times[-1]
    return VideoIndex(times, _durations(times, last), keys or [0], seek_ticks or [times[0]], time_base, loose, False)


def _durations(times: list[int], last: int) -> list[int]:
    """How long each frame is shown, in ticks; the last one as long as the file says, within reason."""
    steps = [b - a for a, b in itertools.pairwise(times)]
    usual = median_low(steps) if steps else last
    return [*steps, last if 0 < last <= 10 * max(usual, 1) else max(usual, 1)]
