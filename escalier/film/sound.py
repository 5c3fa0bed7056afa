"""The sound of a clip beside new pictures: its packets are copied as they are, none is decoded or encoded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

    from .video import VideoFrames

log = logging.getLogger("escalier")


class AudioTrack(NamedTuple):
    """A sound track that can be taken over as it is: its place in the file, its codec, its first moment in seconds."""

    stream: int
    codec: str
    start: Fraction


def audio_tracks(container: InputContainer, name: str) -> Iterator[AudioTrack]:
    """The sound tracks of an open file whose kind is known; phones add some that nothing else can read."""
    for stream in container.streams.audio:
        if stream.codec_context is None:
            log.warning("%s: sound track %d is of an unknown kind and is left out", name, stream.index)
            continue
        start = Fraction(stream.start_time or 0) * Fraction(stream.time_base or 1)
        yield AudioTrack(stream.index, stream.codec_context.codec.canonical_name, start)


class CarriedSound:
    """The sound tracks of a clip on their way into another file, packet by packet.

    origin is the moment of the clip, in seconds, at which the new pictures begin.
    """

    def __init__(self, output: Any, clip: VideoFrames | None, origin: Fraction) -> None:
        self._output, self._origin = output, origin
        self._container: Any = None
        self._waiting: av.Packet | None = None
        self._packets: Iterator[av.Packet] = iter(())
        if clip is None or not clip.audio:
            return
        import av

        self._container = av.open(str(clip.path))
        sources = [self._container.streams[track.stream] for track in clip.audio]
        for source, track in zip(sources, clip.audio, strict=True):
            # A decoder's name is not always its codec's: mp3float reads mp3.
            if not {track.codec, source.codec_context.name} & output.supported_codecs:
                self._container.close()
                raise ValueError(
                    f"write_video: the sound of {clip.path.name} must be of a kind that {output.format.name} files "
                    f"take, got {track.codec}; write .mkv, with codec='h264' if it is to be small"
                )
        self._targets = {source.index: output.add_stream_from_template(source) for source in sources}
        self._packets = self._container.demux(*sources)

    def lay_until(self, seconds: Fraction | None) -> None:
        """Copy the packets that sound before this moment of the new film; all that are left for None."""
        while True:
            packet = self._waiting if self._waiting is not None else next(self._packets, None)
            self._waiting = None
            if packet is None:
                return
            if packet.size == 0 or packet.pts is None:
                continue
            if seconds is not None and packet.pts * packet.time_base - self._origin >= seconds:
                self._waiting = packet
                return
            shift = round(self._origin / packet.time_base)
            packet.pts -= shift
            if packet.dts is not None:
                packet.dts -= shift
            packet.stream = self._targets[packet.stream_index]
            self._output.mux(packet)

    def close(self) -> None:
        if self._container is not None:
            self._container.close()
