"""The one door by which films are written: as a video file, a .gif or a picture sequence."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from escalier.arguments import checked
from escalier.log import log
from escalier.progress import Progress
from escalier.refusals import FileRefusal, Refusal, TypeRefusal
from escalier.scratch import draft_of

from .clock import Clock, clock_from_times, clock_like, steady_clock
from .film import Film
from .filmed_clip import FilmedClip
from .frames import FolderFrames, frame_numbers
from .gif_writing import GifFile
from .output_check import check_output
from .output_formats import CODECS, Encoding, OutputFormat, output_format
from .picture_sequence import PictureFiles, SequenceName
from .pictures import Size, as_uint8
from .video_writing import DraftFile, VideoFile


@checked
def write_film(
    path: str | Path,
    film: Film | Iterable[np.ndarray],
    *,
    like: Film | None = None,
    rate: Fraction | float | None = None,
    times: Sequence[Fraction | float] | None = None,
    encoding: Encoding | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a film, one frame at a time; it is there whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where to; an older film is replaced, missing folders are made. The suffix chooses the kind (`OUTPUTS`): .mp4
        H.264, .mov ProRes 4444, .mkv lossless FFV1, .webm VP9, .gif, and picture sequences `shot/frame_####.png`,
        `shot/frame_%06d.exr` or .tif; a folder (no suffix, or a slash at its end) gets `frame_000000.png` and so on.
    film : Film or iterable of pictures
        RGB (H, W, 3), uint8 0..255 or float 0..1, all of one size. H.264 takes even sizes only: others are padded by
        their last row or column, with a notice in the log.
    like : FilmedClip, optional
        The clip that the film was made from. Its sound is taken over in sync, without encoding it again where the file
        can hold it as it is; its frame times (variable rate stays variable), its colour tags, pixel aspect, date and
        title are taken over. The film must then have as many frames as the clip, unless `rate` or `times` is given. Any
        other film gives its rate.
    rate : Fraction or float, optional
        Frames per second. By default that of `like`, else of the film.
    times : sequence of seconds, optional
        When each frame is shown, rising, starting at 0; in place of `rate`.
    encoding : Encoding, optional
        Codec, quality, sound, numbering and notes.
    progress : callable, optional
        progress(done, total, picture) after each frame. If it raises, nothing is left behind.

    Returns
    -------
    Path
        The file; of a picture sequence its folder.

    Raises
    ------
    ValueError
        For a suffix, codec, size, rate, number of frames or kind of sound that cannot be written.
    OSError
        If the folder cannot be written into or the disk is full.

    Notes
    -----
    The same film written twice on the same machine gives the same bytes.

    >>> import tempfile
    >>> black = np.zeros((3, 36, 64, 3), np.uint8)
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_film(folder / "black.mp4", black, rate=24).name
    'black.mp4'
    >>> sorted(file.name for file in write_film(folder / "black_###.png", black, rate=24).glob("*.png"))
    ['black_000.png', 'black_001.png', 'black_002.png']
    """
    pictures, size, count = _pictures_of(film)
    encoding = encoding or Encoding()
    chosen = check_output(path, size, like=like, encoding=encoding)
    target, _ = output_format(path, encoding.codec)
    encoding = replace(encoding, crf=_checked_crf(encoding.crf, chosen))
    clip = like if isinstance(like, FilmedClip) else None
    clock = _clock_of(film, like, clip, rate, times, count)
    if chosen.container in ("matroska", "webm"):
        clock.check_for(Fraction(1, 1000), chosen.suffix)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_folder_for(target))
        aspect = clip.pixel_aspect if clip is not None else Fraction(1)
        if chosen.kind != "video":
            _tell_what_is_lost(chosen, clip, encoding.sound, aspect)
        stack.enter_context(_encoding_told(Path(path)))
        output: PictureFiles | GifFile | VideoFile
        file: DraftFile | None = None
        if isinstance(target, SequenceName):
            plates = encoding.first is None and isinstance(like, FolderFrames) and count == len(like)
            number = frame_numbers(like)[0] if plates and like is not None else encoding.first or 0
            output = PictureFiles(target, number, clock.rate, aspect)
        else:
            file = stack.enter_context(DraftFile(stack.enter_context(draft_of(target))))
            if chosen.kind == "gif":
                output = GifFile(file, size, clock, aspect)
            else:
                output = VideoFile(file, chosen, size, clock, clip, encoding)
        with output:
            for done, picture in enumerate(pictures, start=1):
                _check_picture(picture, size, done - 1, clock)
                output.add(picture if chosen.codec == "exr" else as_uint8(picture))
                if file is not None:
                    file.check()
                if progress is not None:
                    progress(done, count or 0, picture)
            if clock.ticks is not None and done != len(clock.ticks):
                raise Refusal("film", f"have {len(clock.ticks)} frames", done, "make film and time match")
            output.finish()
    return target.folder if isinstance(target, SequenceName) else target


def _pictures_of(film: Film | Iterable[np.ndarray]) -> tuple[Iterator[np.ndarray], Size, int | None]:
    """The frames in order, their size, and how many there are where the film can say."""
    if isinstance(film, Film):
        return (film.frame(index) for index in range(len(film))), film.size, len(film)
    pictures = iter(film)
    count = len(film) if isinstance(film, Sized) else None
    first = next(pictures, None)
    if first is None:
        raise Refusal("film", "hold at least one frame", "0", "check what makes the frames")
    _check_shape(first, 0)
    return itertools.chain([first], pictures), Size.of(first), count


def _clock_of(
    film: Film | Iterable[np.ndarray],
    like: Film | None,
    clip: FilmedClip | None,
    rate: Fraction | float | None,
    times: Sequence[Fraction | float] | None,
    count: int | None,
) -> Clock:
    if times is not None and rate is not None:
        raise Refusal("give either times or rate", got=f"both (rate {rate})", remedy="leave one out")
    if times is not None:
        return clock_from_times(times, count)
    if rate is None and clip is not None:
        return clock_like(clip, count)
    return steady_clock(rate if rate is not None else getattr(like if like is not None else film, "rate", None))


def _checked_crf(crf: float | None, chosen: OutputFormat) -> float | None:
    """The quality dial, the codec's usual one where none is given; None for a codec that has no such dial."""
    limits = CODECS[chosen.codec].crf if chosen.kind == "video" else None
    if limits is None:
        if crf is not None:
            remedy = f"only {' and '.join((name for name, one in CODECS.items() if one.crf))} have this dial"
            raise Refusal("crf", f"be left out for {chosen.codec}", crf, remedy)
        return None
    usual, largest = limits
    if crf is not None and not 0 <= crf <= largest:
        raise Refusal("crf", f"be 0 to {largest} for {chosen.codec}", crf, f"{usual} is fine, {usual + 7} small")
    return usual if crf is None else crf


def _check_picture(picture: np.ndarray, size: Size, index: int, clock: Clock) -> None:
    _check_shape(picture, index)
    if Size.of(picture) != size:
        raise Refusal("every frame", f"be {size}", f"{Size.of(picture)} in frame {index}", "scale it to the first")
    if clock.ticks is not None and index >= len(clock.ticks):
        raise Refusal("film", f"have {len(clock.ticks)} frames", "more", "make film and time match")


def _check_shape(picture: np.ndarray, index: int) -> None:
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[2] != 3:
        got = getattr(picture, "shape", type(picture).__name__)
        raise Refusal("every frame", "be RGB (height, width, 3)", f"{got} in frame {index}", "convert it first")
    if picture.dtype != np.uint8 and picture.dtype.kind != "f":
        raise TypeRefusal(
            "every frame", "be uint8 or float 0..1", f"{picture.dtype} in frame {index}", "convert it first"
        )
    if picture.dtype.kind == "f" and not np.isfinite(picture).all():
        raise Refusal("every frame", "hold finite numbers", f"NaN or infinity in frame {index}", "mend what made it")


def _tell_what_is_lost(chosen: OutputFormat, clip: FilmedClip | None, sound: bool, aspect: Fraction) -> None:
    if clip is not None and clip.audio and sound:
        log.warning("The sound of %s is left out: %s holds none", clip.path.name, chosen.suffix)
    if aspect != 1 and chosen.codec in ("png", "tif"):
        log.warning("That pixels are %s:1 wide is lost: %s cannot say so", aspect, chosen.suffix)


@contextlib.contextmanager
def _folder_for(target: Path | SequenceName) -> Iterator[None]:
    """The folder of a target, made where it is missing, and taken away again if nothing comes of it."""
    folder = target.folder if isinstance(target, SequenceName) else target.parent
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # something else may have been put there meanwhile
            for one in missing:
                one.rmdir()
        raise


@contextlib.contextmanager
def _encoding_told(path: Path) -> Iterator[None]:
    """What FFmpeg says it could not do, in a sentence about the file."""
    try:
        yield
    except av.FFmpegError as error:
        raise FileRefusal(
            path.name, f"be encoded, but FFmpeg could not ({error.strerror})", remedy="choose another format"
        ) from error
