"""Films into video files: streamed, whole or not at all, with the time, sound and colour tags of the filmed clip."""

from __future__ import annotations

import errno
import itertools
import math
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .clock import Clock, clock_from_times, clock_like, steady_clock
from .colour import RGB, SDR, from_rgb, writable_colour
from .frames import FrameSource, Size, as_uint8
from .sound import CarriedSound

if TYPE_CHECKING:
    import av

    from .video import VideoFrames

Progress = Callable[[int, int, np.ndarray | None], object]


class Codec(NamedTuple):
    """How one codec is used: FFmpeg's encoder, its pixel format and options, and the files that may hold it."""

    encoder: str
    pix_fmt: str
    options: dict[str, str]
    suffixes: tuple[str, ...]


CODECS = {
    "h264": Codec("libx264", "yuv420p", {"preset": "medium"}, (".mp4", ".mov", ".mkv")),
    "prores": Codec("prores_ks", "yuv444p10le", {"profile": "4444", "vendor": "apl0"}, (".mov", ".mkv")),
    "ffv1": Codec("ffv1", "bgr0", {"level": "3", "slices": "4", "slicecrc": "1"}, (".mkv",)),
}
"""h264 plays everywhere; prores (4444, 10 bits) is for editors; ffv1 is lossless, to the bit. Both take any size."""

DEFAULT_CODEC = {".mp4": "h264", ".mov": "prores", ".mkv": "ffv1"}
FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}

# Of the clip's own notes only these: not where it was filmed, since the film is made to be shown.
KEPT_METADATA = ("creation_time", "title", "artist", "comment", "copyright", "description", "date")
AUDIO_AHEAD = Fraction(1, 2)  # seconds that sound is laid ahead of the pictures, as players like to find it
FULL_DISK = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS") if hasattr(errno, name)}


def check_output(path: str | Path, size: Size, codec: str | None = None) -> str:
    """Refuse, before any work is done, a file that `write_video` could not write; returns the codec it would use.

    Examples
    --------
    >>> check_output("film.mkv", Size(271, 481))
    'ffv1'
    """
    path, size = Path(path), Size(*size)
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(
            f"write_video: path must end in {', '.join(FORMATS)}, got {path.name}; .mp4 is H.264, .mov ProRes 4444, "
            ".mkv lossless FFV1"
        )
    codec = codec or DEFAULT_CODEC[suffix]
    if codec not in CODECS:
        raise ValueError(f"write_video: codec must be one of {', '.join(CODECS)}, got {codec!r}; choose one of these")
    if suffix not in CODECS[codec].suffixes:
        raise ValueError(
            f"write_video: {codec} must go into {' or '.join(CODECS[codec].suffixes)}, got {path.name}; "
            "change the suffix"
        )
    if CODECS[codec].pix_fmt == "yuv420p" and (size.width % 2 or size.height % 2):
        raise ValueError(
            f"write_video: the size must be even both ways for H.264, got {size}; write .mov (ProRes) or .mkv (FFV1), "
            "which take any size, or crop the film by one pixel"
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"write_video: no folder at {path.parent}; make it first")
    return codec


def write_video(
    path: str | Path,
    film: FrameSource | Iterable[np.ndarray],
    *,
    like: FrameSource | None = None,
    rate: Fraction | float | None = None,
    times: Sequence[Fraction | float] | None = None,
    crf: float = 16,
    codec: str | None = None,
    metadata: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a film as a video file, one frame at a time; the file is there whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where to; an older file is replaced. The suffix chooses the codec: .mp4 H.264 in yuv420p (even sizes only), .mov
        ProRes 4444, .mkv lossless FFV1.
    film : FrameSource or iterable of pictures
        RGB (H, W, 3), uint8 0..255 or float32 0..1, all of one size.
    like : VideoFrames, optional
        The clip that the film was made from. Its sound is copied without encoding it again, in sync; its frame times
        (variable rate stays variable), its colour tags, pixel aspect, date and title are taken over. The film must then
        have as many frames as the clip, unless `rate` or `times` is given. Any other film gives its rate.
    rate : Fraction or float, optional
        Frames per second. By default that of `like`, else of the film.
    times : sequence of seconds, optional
        When each frame is shown, rising, starting at 0; in place of `rate`.
    crf : float
        H.264 quality, 0 to 51: smaller is finer and larger in bytes. At 16 losses can hardly be seen.
    codec : str, optional
        One of `CODECS` in place of the suffix's own: "h264" in .mov or .mkv, "prores" in .mkv.
    metadata : mapping of str, optional
        Notes to store in the file, such as a workflow.
    progress : callable, optional
        progress(done, total, picture) after each frame. If it raises, nothing is left behind.

    Returns
    -------
    Path

    Raises
    ------
    ValueError
        For a suffix, codec, size, rate, number of frames or kind of sound that cannot be written.
    OSError
        If the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> black = np.zeros((3, 36, 64, 3), np.uint8)
    >>> write_video(Path(tempfile.mkdtemp()) / "black.mp4", black, rate=24).name
    'black.mp4'
    """
    path = Path(path)
    pictures, size, count = _pictures_of(film)
    chosen = CODECS[check_output(path, size, codec)]
    clip = _as_clip(like, path)
    if not 0 <= crf <= 51:
        raise ValueError(f"write_video: crf must be 0 to 51, got {crf}; 16 is fine, 23 is small")
    clock = _clock_of(film, like, clip, rate, times, count)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        with _VideoFile(draft, path.suffix.lower(), chosen, size, clock, clip, crf, metadata or {}) as file:
            for done, picture in enumerate(pictures, start=1):
                file.add(as_uint8(picture))
                if progress is not None:
                    progress(done, count or 0, picture)
            file.finish()
        os.replace(draft, path)
    except OSError as error:
        if error.errno in FULL_DISK:
            raise OSError(
                error.errno,
                f"write_video: {path.name} must fit into {path.parent}, but it could not be written "
                f"({error.strerror}); free some space there or choose another folder",
            ) from error
        raise
    finally:
        draft.unlink(missing_ok=True)
    return path


def _pictures_of(film: FrameSource | Iterable[np.ndarray]) -> tuple[Iterator[np.ndarray], Size, int | None]:
    """The frames in order, their size, and how many there are where the film can say."""
    if isinstance(film, FrameSource):
        return (film.frame(index) for index in range(len(film))), film.size, len(film)
    pictures = iter(film)
    count = len(film) if isinstance(film, Sized) else None
    first = next(pictures, None)
    if first is None:
        raise ValueError("write_video: film must hold at least one frame, got 0; check what makes the frames")
    return itertools.chain([first], pictures), Size.of(first), count


def _as_clip(like: FrameSource | None, path: Path) -> VideoFrames | None:
    """`like` if it is a video file, which alone has sound, times and tags to give."""
    from .video import VideoFrames

    if not isinstance(like, VideoFrames):
        return None
    if path.exists() and path.samefile(like.path):
        raise ValueError(f"write_video: path must not be the clip itself, got {path}; choose another name")
    return like


def _clock_of(
    film: FrameSource | Iterable[np.ndarray],
    like: FrameSource | None,
    clip: VideoFrames | None,
    rate: Fraction | float | None,
    times: Sequence[Fraction | float] | None,
    count: int | None,
) -> Clock:
    if times is not None and rate is not None:
        raise ValueError(f"write_video: give either times or rate, got both (rate {rate}); leave one out")
    if times is not None:
        return clock_from_times(times, count)
    if rate is None and clip is not None:
        return clock_like(clip, count)
    return steady_clock(rate if rate is not None else getattr(like if like is not None else film, "rate", None))


def _notes(clip: VideoFrames | None, metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The notes to store: a few of the clip's, then those that were asked for."""
    kept = {} if clip is None else {key: clip.metadata[key] for key in KEPT_METADATA if key in clip.metadata}
    return {**kept, **(metadata or {})}


class _DraftFile:
    """A file for PyAV to write into that remembers why it could not be written: FFmpeg forgets."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "wb")  # noqa: SIM115 (closed in close)
        self.failure: OSError | None = None
        self.seek, self.tell = self._file.seek, self._file.tell

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failure = self.failure or error
            raise

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.failure = self.failure or error


class _VideoFile:
    """One video file being written: pictures are encoded as they come, the clip's sound is laid beside them."""

    def __init__(
        self,
        draft: Path,
        suffix: str,
        codec: Codec,
        size: Size,
        clock: Clock,
        clip: VideoFrames | None,
        crf: float,
        metadata: Mapping[str, str],
    ) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self._size, self._clock, self._clip, self._pix_fmt = size, clock, clip, codec.pix_fmt
        self._colour = writable_colour(clip.colour) if clip is not None and clip.colour.matrix != RGB else SDR
        self._reformatter = VideoReformatter()
        self._lengths: dict[int, int] = {}  # of the frames on their way through the encoder, by tick
        self._lead, sound_origin = _lead(clock, clip)
        self._done = 0
        with ExitStack() as stack:
            self._file = _DraftFile(draft)
            stack.callback(self._file.close)
            options = {} if suffix == ".mkv" else {"movflags": "use_metadata_tags"}
            self._output = stack.enter_context(av.open(self._file, "w", format=FORMATS[suffix], options=options))
            for key, value in _notes(clip, metadata).items():
                self._output.metadata[key] = value
            self._stream = self._add_stream(codec, crf)
            self._sound = CarriedSound(self._output, clip, sound_origin)
            stack.callback(self._sound.close)
            self._open = stack.pop_all()

    def __enter__(self) -> _VideoFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *failure: Any) -> None:
        import av

        try:
            self._open.__exit__(kind, *failure)
        except (av.FFmpegError, OSError):
            # While something else is being reported, that the end could not be written is no news.
            if kind is None and self._file.failure is None:
                raise
        if self._file.failure is not None and (kind is None or issubclass(kind, (av.FFmpegError, OSError))):
            raise self._file.failure

    def add(self, picture: np.ndarray) -> None:
        """Encode the next picture, RGB uint8."""
        index = self._done
        self._check(picture, index)
        tick = self._lead + self._clock.at(index)
        frame = from_rgb(picture, self._pix_fmt, self._colour, self._reformatter)
        frame.pts, frame.time_base = tick, self._clock.tick
        self._lengths[tick] = self._clock.length(index)
        # Sound that ends with the film must not run ahead of it, since nobody knows yet where the film ends.
        self._sound.lay_until(tick * self._clock.tick + (0 if self._clock.cut_sound else AUDIO_AHEAD))
        self._mux(self._stream.encode(frame))
        self._done += 1

    def finish(self) -> None:
        """Let out what the encoder still holds, and the rest of the sound."""
        expected = self._done if self._clock.ticks is None else len(self._clock.ticks)
        if self._done != expected:
            raise ValueError(
                f"write_video: film must have {expected} frames, got {self._done}; make film and time match"
            )
        packets = self._stream.encode(None)
        self._mux(packets, self._clock.length(self._done - 1))
        end = self._clock.end_of(self._done - 1) + self._lead * self._clock.tick
        self._sound.lay_until(end if self._clock.cut_sound else None)

    def _add_stream(self, codec: Codec, crf: float) -> Any:
        options = {**codec.options, "crf": str(crf)} if codec.encoder == "libx264" else codec.options
        stream = self._output.add_stream(codec.encoder, rate=self._clock.rate, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = *self._size, codec.pix_fmt
        stream.time_base = stream.codec_context.time_base = self._clock.tick
        context, in_rgb = stream.codec_context, not codec.pix_fmt.startswith("yuv")
        context.colorspace = RGB if in_rgb else self._colour.matrix
        context.color_range = 2 if in_rgb or self._colour.full_range else 1
        context.color_primaries, context.color_trc = self._colour.primaries, self._colour.transfer
        if self._clip is not None and self._clip.pixel_aspect != 1:
            context.sample_aspect_ratio = self._clip.pixel_aspect
        return stream

    def _check(self, picture: np.ndarray, index: int) -> None:
        if picture.ndim != 3 or picture.shape[2] != 3:
            raise ValueError(
                f"write_video: every frame must be RGB (height, width, 3), got {picture.shape} in frame {index}; "
                "convert it first"
            )
        if Size.of(picture) != self._size:
            raise ValueError(
                f"write_video: every frame must be {self._size}, got {Size.of(picture)} in frame {index}; "
                "scale it to the first"
            )
        if self._clock.ticks is not None and index >= len(self._clock.ticks):
            raise ValueError(
                f"write_video: film must have {len(self._clock.ticks)} frames, got more; make film and time match"
            )

    def _mux(self, packets: list[av.Packet], last: int | None = None) -> None:
        """Hand packets to the file; each says how long it is shown, or the last frame would be cut short.

        MP4 takes the length of the film from its last packet, which need not be the frame that is shown last: that one
        gets the length `last`.
        """
        for packet in packets:
            if packet.pts is not None and packet.time_base:
                length = self._lengths.pop(round(packet.pts * packet.time_base / self._clock.tick), 1)
                if last is not None and packet is packets[-1]:
                    length = last
                packet.duration = round(length * self._clock.tick / packet.time_base)
            self._output.mux(packet)


def _lead(clock: Clock, clip: VideoFrames | None) -> tuple[int, Fraction]:
    """How many ticks the sound begins before the first frame, and the clip's moment that becomes 0 in the new file."""
    if clip is None:
        return 0, Fraction(0)
    ahead = max([Fraction(0), *(clip.start - track.start for track in clip.audio)])
    lead = math.ceil(ahead / clock.tick)
    return lead, clip.start - lead * clock.tick
