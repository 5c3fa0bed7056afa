"""The sound tracks of a video file."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer

from escalier.log import log

# How far into a file to look for the beginning of its sound, where FFmpeg's own five seconds were not enough.
PATIENCE = {"probesize": str(256 * 1024**2), "analyzeduration": str(3600 * 1_000_000)}


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


def open_for_sound(path: Path) -> InputContainer:
    """Open a file for its sound.

    MPEG and its like say what their sound is where it begins and nowhere else, which may be minutes after the pictures.
    """
    container = av.open(str(path), metadata_errors="replace")
    if all(knows_its_rate(stream) for stream in container.streams.audio):
        return container
    container.close()
    return av.open(str(path), metadata_errors="replace", options=PATIENCE)


def knows_its_rate(stream: Any) -> bool:
    """Whether FFmpeg has found out how a sound track is stored; without that it can be neither copied nor encoded."""
    return stream.codec_context is None or bool(stream.codec_context.sample_rate)
