"""Video files as films: any frame in any order, upright, in its right colours, at its exact time."""

from __future__ import annotations

import threading
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, cast

import av
import numpy as np
from av.sidedata.sidedata import Type

from escalier.arguments import checked
from escalier.log import log
from escalier.refusals import MissingFile, Refusal

from .colour import SDR, chroma_siting, read_colour
from .decoded_rgb import RgbDecoder
from .film import Film, FilmBase
from .frames import PICTURES_PER_SECOND, FolderFrames
from .pictures import STILL_SUFFIXES, Size
from .size_changes import size_refusal
from .sound import audio_tracks
from .video_file import UnreadableVideo, picture_streams
from .video_index import read_index
from .video_reader import Reader

CACHE_BYTES = 256 * 1024**2  # of decoded frames, shared by the readers
READERS = 4  # positions in the file kept open, so that runs forward and backward do not chase one another


@checked
class VideoFrames(FilmBase):
    """A video file as a `Film`: RGB uint8 frames, upright, in their right colours.

    The file is read once at the start to find every frame and its time; frames are decoded when they are asked for.
    Reading forward or backward costs about one decode a frame (backward, a stretch between two key frames is decoded
    once and served from a bounded cache); several threads may read at once.

    What a phone writes is taken as it comes:

    - rotation and mirroring in the file are applied; any angle but a quarter turn is refused;
    - a variable frame rate keeps its times (`times`); `rate` is then the average;
    - BT.601, BT.709 and BT.2020, full and limited range are converted by the tags; without a tag, BT.709 from 1280x720
      on and BT.601 below, as players do;
    - HDR (HLG and PQ) is brought down to BT.709 by `escalier.film.hdr.sdr_from_hdr`, with a notice in the log;
    - pixels that are not square stay as they are stored; `pixel_aspect` says so and `write_film` carries it over;
    - frames hidden by an edit list do not count;
    - containers that stamp or find frames badly (AVI, MPEG, FLV, WMV and other old ones) are decoded once when they are
      opened, and every frame is held against that; where a file cannot be entered in the middle it is read from its
      start, with a notice;
    - a time that is doubled, missing or out of order is mended by itself, with a notice;
    - alpha that hides something and a size that changes on the way are refused; interlaced film is read as it is
      stored, with a notice.

    What it says of itself besides is told at `FilmedClip`.

    Parameters
    ----------
    path : str or Path

    Attributes
    ----------
    variable_rate : bool
        Whether frames are shown for different lengths of time, beyond the rounding to ticks.
    colour : Colour
        What the RGB numbers of the frames mean; BT.709 for HDR, which is converted.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    UnreadableVideo
        If it is not a video, breaks off, holds no frame, or a frame that is asked for is damaged.

    >>> import tempfile
    >>> from escalier.film import write_film
    >>> from escalier.film import make_clip
    >>> path = Path(tempfile.mkdtemp()) / "clip.mp4"
    >>> with VideoFrames(write_film(path, make_clip(Size(64, 36), length=5, rate=25))) as film:
    ...     len(film), str(film.size), film.rate, film.times[-1], film.frame(4).shape
    (5, '64x36', Fraction(25, 1), Fraction(4, 25), (36, 64, 3))
    """

    _OUTSIDE = "the clip ends there"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._index = read_index(self.path)
        self._lock = threading.Lock()
        self._decoders = threading.local()
        first = Reader(self.path, self._index, CACHE_BYTES // READERS)
        self._readers = [first]
        self._read_header(first)
        picture = self._decoded(0)
        self._flips = _orientation(picture, self.path.name)
        self.pixel_aspect = 1 / self._stored_aspect if self._flips.transposed else self._stored_aspect
        self._stored_size = Size(picture.width, picture.height)
        super().__init__(Size.of(self._frame(0)), self._exact_rate(), len(self._index.times))
        if picture.interlaced_frame or self._index.interlaced:
            log.warning(
                "%s is interlaced: each frame holds two moments, in odd and even rows. Frames are read as stored; "
                "deinterlace the clip first (FFmpeg's bwdif, HandBrake's Decomb) where something moves",
                self.path.name,
            )

    def _read_header(self, reader: Reader) -> None:
        """Take from the open file what is said once for all frames, and drop leading frames that nothing can show."""
        stream, container = reader.stream, reader.container
        context = stream.codec_context
        # Their alpha is a second stream inside each packet, which the decoder passes over.
        if context.codec.canonical_name in ("vp8", "vp9") and stream.metadata.get("alpha_mode") == "1":
            raise self._not_opaque("an alpha channel beside its pictures")
        others = len(picture_streams(container)) - 1
        if others > 0:
            log.warning("%s holds %d more picture tracks; track %d is read", self.path.name, others, stream.index)
        lead = reader.first_decodable()
        if lead:
            log.warning("%s: the first %d frames lack their key frame and are left out", self.path.name, lead)
            self._index = self._index.without_first(lead)
            reader.follow(self._index)
        self._stored_colour, self._siting = read_colour(context), chroma_siting(stream)
        self._stored_aspect = Fraction(stream.sample_aspect_ratio or 1)
        self.audio = tuple(audio_tracks(container, self.path.name))
        self.metadata = dict(container.metadata)
        first, self.time_base = self._index.times[0], self._index.time_base
        self.start = first * self.time_base
        self.times = tuple((time - first) * self.time_base for time in self._index.times)
        self.durations = tuple(ticks * self.time_base for ticks in self._index.durations)
        self.duration = self.times[-1] + self.durations[-1]
        self.sound_span: tuple[Fraction | None, Fraction | None] = None, None
        steps = self._index.durations[:-1] or [0]
        self.variable_rate = max(steps) - min(steps) > 2
        self.colour = SDR if self._stored_colour.hdr else self._stored_colour
        if self._stored_colour.hdr:
            log.warning("%s is HDR; it is read as ordinary BT.709 video (escalier.film.hdr)", self.path.name)
        if self._stored_aspect != 1:
            log.warning("%s has pixels of %s:1; frames are given as stored", self.path.name, self._stored_aspect)

    def _exact_rate(self) -> Fraction:
        """Frames per second: the exact rate where it is constant, else the average over the clip."""
        steps = self._index.durations[:-1]
        stated = Fraction(self._readers[0].stream.average_rate or 0)
        if not steps:
            return stated or 1 / self.durations[0]
        span = self.times[-1]
        measured = len(steps) / span
        if min(steps) == max(steps):
            return measured
        # Times are rounded to ticks: a stated rate within that rounding is the true one.
        slack = 2 * self.time_base / span
        if stated and abs(stated / measured - 1) <= slack:
            return stated
        return measured.limit_denominator(1001)

    def __repr__(self) -> str:
        return (
            f"VideoFrames({str(self.path)!r}): {len(self)} frames of {self.size} at {float(self.rate):.3f} per second"
        )

    def fingerprint_parts(self) -> tuple[str | Path, ...]:
        """What its frames depend on, for `film_fingerprint`: the file's bytes, and which of its pictures are shown."""
        return self.path, f"{self.times[0]} to {self.times[-1]} from {self.start}"

    def _frame(self, index: int) -> np.ndarray:
        picture, decoder = self._decoded(index), self._decoder()
        size = Size(picture.width, picture.height)
        if size != self._stored_size:
            raise size_refusal(self.path, self._stored_size, size, index)
        if decoder.transparent(picture):
            raise self._not_opaque(f"transparent pixels in frame {index}")
        return self._flips.apply(decoder.rgb(picture))

    def _not_opaque(self, got: str) -> UnreadableVideo:
        remedy = "lay it over a background in an editor and export it without alpha"
        return UnreadableVideo(self.path.name, "be opaque", got, remedy)

    def close(self) -> None:
        """Close the file. A frame that is asked for afterwards opens it again."""
        with self._lock:
            for reader in self._readers:
                reader.close()

    def __enter__(self) -> VideoFrames:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decoder(self) -> RgbDecoder:
        """The way to RGB of this thread; it keeps its tables from frame to frame."""
        if not hasattr(self._decoders, "one"):
            self._decoders.one = RgbDecoder(self._stored_colour, self._siting)
        return self._decoders.one

    def _decoded(self, index: int) -> av.VideoFrame:
        with self._lock:
            for reader in self._readers:
                if index in reader.recent:
                    return reader.recent[index]
            reader = self._reader_for(index)
            self._readers.remove(reader)
            self._readers.append(reader)  # the one used last stands last
            frame = reader.read(index)
            if frame is None and self._index.digests is not None and not self._index.by_count:
                frame = self._from_the_start().read(index)
        if frame is None:
            raise UnreadableVideo(
                f"frame {index} of {self.path.name} ({float(self.times[index]):.2f} s)",
                "be whole, but it is damaged in the file",
                remedy="cut the clip before it, or export the clip again from an editor",
            )
        return frame

    def _from_the_start(self) -> Reader:
        """Give up seeking: what came after a seek was not what a straight decode gives."""
        log.warning(
            "%s cannot be entered in the middle; it is read from its start each time, which is slow backward",
            self.path.name,
        )
        for reader in self._readers:
            reader.close()
        self._index = self._index.counted()
        self._readers = [Reader(self.path, self._index, CACHE_BYTES // READERS)]
        return self._readers[0]

    def _reader_for(self, index: int) -> Reader:
        """The reader that comes to this frame with the least decoding, opening or moving one where none is near."""
        key = self._index.keys[self._index.key_before(index)]
        near = [reader for reader in self._readers if key <= reader.next <= index]
        if near:
            return max(near, key=lambda reader: reader.next)
        # A reader that goes backward keeps its place in the file, and its cache, to itself.
        backward = [reader for reader in self._readers if index + 1 in reader.recent]
        if backward:
            return backward[-1]
        if len(self._readers) < READERS and self._readers[0].used:
            self._readers.append(Reader(self.path, self._index, CACHE_BYTES // READERS))
            return self._readers[-1]
        return self._readers[0]


class _Flips(NamedTuple):
    """How a stored picture becomes upright: rows and columns exchanged, then mirrored."""

    transposed: bool
    left_right: bool
    up_down: bool

    def apply(self, picture: np.ndarray) -> np.ndarray:
        if self.transposed:
            picture = picture.swapaxes(0, 1)
        picture = picture[:: -1 if self.up_down else 1, :: -1 if self.left_right else 1]
        return np.ascontiguousarray(picture)


def _orientation(frame: av.VideoFrame, name: str) -> _Flips:
    """What the display matrix of a frame asks for: x' = a x + c y, y' = b x + d y, in fixed point of 16 bits."""
    try:
        data = cast(Any, frame.side_data)[Type.DISPLAYMATRIX]
    except KeyError:
        return _Flips(False, False, False)
    a, b, _, c, d = (value / 65536 for value in np.frombuffer(bytes(data), np.int32)[:5].tolist())
    straight, turned = max(abs(b), abs(c)) < 1e-3 < abs(a * d), max(abs(a), abs(d)) < 1e-3 < abs(b * c)
    if not straight and not turned:
        got = f"{np.degrees(np.arctan2(b, a)):.1f} degrees"
        raise UnreadableVideo(name, "be turned by quarter turns", got, "export the clip upright first")
    return _Flips(False, a < 0, d < 0) if straight else _Flips(True, c < 0, b < 0)


@checked
def open_film(path: str | Path, rate: Fraction | float | None = None) -> Film:
    """Open a film: a video file, a folder of pictures, or one picture.

    Parameters
    ----------
    path : str or Path
    rate : Fraction or float, optional
        Frames per second of a folder of pictures; without it 24, with a notice in the log. A video knows its own.

    Raises
    ------
    FileNotFoundError
        If there is nothing there, or a folder holds no picture.
    ValueError
        If a folder is no film (`FolderFrames`), or a rate is given for a video.
    UnreadableVideo
        If the file is not a video.

    >>> open_film("no_such_film.mp4")
    Traceback (most recent call last):
    escalier.refusals.MissingFile: open_film: no film at no_such_film.mp4; check the path
    """
    path = Path(path)
    if path.is_dir():
        return FolderFrames(path, rate)
    if not path.exists():
        raise MissingFile(f"no film at {path}", remedy="check the path")
    if path.suffix.lower() in STILL_SUFFIXES:
        return FolderFrames([path], rate if rate is not None else PICTURES_PER_SECOND)
    if rate is not None:
        raise Refusal("rate", "be left out for a video file", rate, "the file knows its own")
    return VideoFrames(path)
