"""The sound tracks of a video file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from av.container import InputContainer

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
