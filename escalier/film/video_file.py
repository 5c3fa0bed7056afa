"""A video file opened: its main picture stream, or a sentence why there is none; and the walk through its frames."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from escalier.log import log
from escalier.refusals import MissingFile, Refusal

from .pictures import MAX_PIXELS, MAX_SIDE_PX, Size

# Formats that open text and single pictures as if they were films.
NOT_FILMS = ("tty", "image2", "lrc", "srt", "ass")
ROWS = 64  # of every plane, spread evenly, tell one frame from another


class UnreadableVideo(Refusal):
    """A file that is no film, holds no picture, or is damaged; the message names the file and the remedy."""


def open_video(path: Path) -> tuple[InputContainer, av.VideoStream]:
    """Open a video file and its main picture stream, or say in a sentence why it cannot be opened."""
    if path.is_dir():
        raise UnreadableVideo(f"{path}", "be a video file", "a folder", "use open_film for a folder")
    if not path.exists():
        raise MissingFile(f"no file at {path}", remedy="check the path")
    if not path.is_file():
        raise UnreadableVideo(f"{path}", "be an ordinary file", "a pipe or a device", "save the film to a file first")
    if path.stat().st_size == 0:
        raise UnreadableVideo(path.name, "be a video file", "0 bytes", "copy or export it again")
    try:
        # Notes in another alphabet than UTF-8 are no reason to refuse a film.
        container = av.open(str(path), metadata_errors="replace")
    except av.FFmpegError as error:
        raise UnreadableVideo(
            path.name,
            f"be a whole video file, but it cannot be opened ({error.strerror})",
            remedy="it is of another kind or its end is missing: copy it again from the camera, or export it as .mp4",
        ) from error
    if container.format.name.endswith("_pipe") or container.format.name in NOT_FILMS:
        kind = container.format.long_name or container.format.name
        container.close()
        raise UnreadableVideo(path.name, "be a video file", kind, "give a film or a folder")
    stream = _main_stream(container)
    if stream is None:
        container.close()
        raise UnreadableVideo(path.name, "have a picture track", "none", "choose another file or export it again")
    if cast("av.VideoCodecContext | None", stream.codec_context) is None:
        container.close()
        rule = "be of a known kind, but FFmpeg has no decoder for them"
        raise UnreadableVideo(f"the pictures of {path.name}", rule, remedy="export the film as H.264")
    _refuse_size(container, stream, path)
    # A picture that is larger than its header says is refused by the decoder.
    stream.codec_context.options = {**stream.codec_context.options, "max_pixels": str(MAX_PIXELS)}
    stream.thread_type = "SLICE"  # frame threads would report a damaged frame several frames late
    return container, stream


def _refuse_size(container: InputContainer, stream: av.VideoStream, path: Path) -> None:
    """Refuse pictures that no memory holds by what the header says, before one of them is made."""
    width, height = stream.codec_context.width, stream.codec_context.height
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        container.close()
        rule = f"have sides of at most {MAX_SIDE_PX} pixels and {MAX_PIXELS // 10**6} million pixels in all"
        raise UnreadableVideo(f"the pictures of {path.name}", rule, f"{width}x{height}", "scale the clip down first")


def picture_streams(container: InputContainer) -> list[av.VideoStream]:
    """The streams that are films: not the cover of a song, nor the thumbnails of chapters."""
    still = Disposition.attached_pic | Disposition.timed_thumbnails
    return [stream for stream in container.streams.video if not stream.disposition & still]


def _main_stream(container: InputContainer) -> av.VideoStream | None:
    films = picture_streams(container)
    best = cast("av.VideoStream | None", container.streams.best("video"))
    if best is None or not films:
        return None
    return next((stream for stream in films if stream.index == best.index), films[0])


def decode_onwards(container: InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
    """Every frame from where the container stands; a packet that cannot be decoded gives none."""
    try:
        for packet in container.demux(stream):
            yield from decode_packet(stream, packet)
            if not packet.size:
                return
    except av.FFmpegError as error:
        log.debug("%s: %s", container.name, error)


def decode_packet(stream: av.VideoStream, packet: av.Packet) -> Iterator[av.VideoFrame]:
    """The frames that a packet brings out of the decoder; the empty packet at the end brings out the rest."""
    try:
        yield from stream.decode(packet if packet.size else None)
    except av.FFmpegError as error:
        log.debug("packet at %s: %s", packet.pts, error)


class PassedFrame(NamedTuple):
    """What is kept of a frame that was come by when a film was decoded once from its start.

    That is done for files whose timestamps or seeks cannot be trusted: it says what each frame is.
    """

    stamp: int | None
    key: bool
    size: Size
    whole: bool
    digest: int

    @classmethod
    def of(cls, frame: av.VideoFrame) -> PassedFrame:
        size = Size(frame.width, frame.height)
        return cls(frame.pts, bool(frame.key_frame), size, not frame.is_corrupt, frame_digest(frame))


def frame_digest(frame: av.VideoFrame) -> int:
    """A number that changes with the picture: every frame that is read after a seek is held against it."""
    kind, digest = frame.format, 0
    for plane in frame.planes[: 1 if kind.has_palette else None]:
        # Never the padding at the end of a row: it holds whatever lay there.
        used = plane.width * (2 if kind.components[0].bits > 8 else 1)
        if not kind.is_planar:
            used = frame.width * kind.padded_bits_per_pixel // 8
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[: plane.height]
        digest = zlib.crc32(rows[:: max(plane.height // ROWS, 1), :used].tobytes(), digest)
    return digest
