"""Which files a film can be written as, and everything about a target that can be refused before the work."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from escalier.arguments import checked
from escalier.refusals import MissingFile, NotAFile, NotAFolder, PackageRefusal, Refusal

from .clock import clock_like
from .encoding import Encoding
from .film import Film
from .filmed_clip import FilmedClip
from .frames import FolderFrames
from .picture_sequence import SequenceName
from .pictures import Size


class Codec(NamedTuple):
    """How one codec is used: FFmpeg's encoder, its pixel format and options, the files that may hold it, its limits.

    `crf` is its usual quality and the largest one, None for a codec without that dial; `even` codecs take even sizes
    only; `sides` are the shortest and the longest side in pixels.
    """

    encoder: str
    pix_fmt: str
    options: dict[str, str]
    suffixes: tuple[str, ...]
    crf: tuple[int, int] | None
    even: bool
    sides: tuple[int, int]


CODECS = {
    "h264": Codec("libx264", "yuv420p", {"preset": "medium"}, (".mp4", ".mov", ".mkv"), (12, 51), True, (1, 16384)),
    "prores": Codec(
        "prores_ks", "yuv444p10le", {"profile": "4444", "vendor": "apl0"}, (".mov", ".mkv"), None, False, (1, 16384)
    ),
    "ffv1": Codec("ffv1", "bgr0", {"level": "3", "slices": "4", "slicecrc": "1"}, (".mkv",), None, False, (2, 32768)),
    "vp9": Codec(
        "libvpx-vp9",
        "yuv420p",
        {"deadline": "good", "cpu-used": "4", "row-mt": "1"},
        (".webm", ".mkv"),
        (20, 63),
        False,
        (1, 16384),
    ),
}
"""h264 plays everywhere; prores (4444, 10 bits) is for editors; ffv1 is lossless, to the bit; vp9 is for web pages."""


class OutputFormat(NamedTuple):
    """One kind of file that a film can be written as.

    `kind` is "video", "gif" or "pictures"; `codec` is the one used where none is asked for, a key of `CODECS` for a
    video; `container` is FFmpeg's name of it; `sound` says in which codec sound is put that the file cannot take as it
    is, None where it holds no sound.
    """

    suffix: str
    kind: str
    codec: str
    container: str
    sound: str | None
    words: str


OUTPUTS = {
    one.suffix: one
    for one in (
        OutputFormat(".mp4", "video", "h264", "mp4", "aac", "H.264, plays everywhere"),
        OutputFormat(".mov", "video", "prores", "mov", "aac", "ProRes 4444, for editors"),
        OutputFormat(".mkv", "video", "ffv1", "matroska", "flac", "lossless FFV1"),
        OutputFormat(".webm", "video", "vp9", "webm", "libopus", "VP9, for web pages"),
        OutputFormat(".gif", "gif", "gif", "gif", None, "256 colours a frame, no sound"),
        OutputFormat(".png", "pictures", "png", "", None, "a picture a frame, exact"),
        OutputFormat(".tif", "pictures", "tif", "", None, "a picture a frame, exact"),
        OutputFormat(".tiff", "pictures", "tif", "", None, "a picture a frame, exact"),
        OutputFormat(".exr", "pictures", "exr", "", None, "a picture a frame, linear light in half floats"),
    )
}
"""By suffix. Messages and `--help` are made from this table."""


def list_output_formats() -> str:
    """All kinds of output in one sentence, for `--help` and for messages.

    >>> list_output_formats()[:41]
    '.mp4 (H.264, plays everywhere), .mov (Pro'
    """
    listed = [f"{one.suffix} ({one.words})" for one in OUTPUTS.values() if one.suffix != ".tiff"]
    return (
        f"{', '.join(listed)}; pictures as shot/frame_####.png or shot/frame_%06d.exr, a folder as shot/ for "
        f"{SequenceName.in_folder('shot').example}"
    )


@checked
def check_output(
    path: str | Path, size: Size, *, like: Film | None = None, encoding: Encoding | None = None
) -> OutputFormat:
    """Refuse, before any work is done, a target that `write_film` could not write.

    The folder is tried by making a file in it that is gone at once; folders that are missing will be made by
    `write_film`.

    Parameters
    ----------
    path : str or Path
        The target. A name that ends in a slash, has no suffix or is a folder already stands for a picture sequence in
        that folder; text keeps the slash, a `Path` loses it.
    size : Size
        Of the frames.
    like : Film, optional
        The clip that gives sound and time; it is never written over, and its sound must be of a kind that can be read.
    encoding : Encoding, optional
        Its codec and whether the clip's sound is wanted.

    Returns
    -------
    OutputFormat
        What would be written; `codec` is the one that would be used.

    Raises
    ------
    ValueError
        For a suffix, name, codec, size or sound that cannot be written, and for the clip itself as the target.
    OSError
        Where the folder cannot be made or written into, or the target is a folder (IsADirectoryError).
    ModuleNotFoundError
        For .exr without the package OpenEXR.

    Examples
    --------
    >>> check_output("film.mkv", Size(271, 481)).codec
    'ffv1'
    """
    encoding = encoding or Encoding()
    target, chosen = output_format(path, encoding.codec)
    _check_size(Size(*size), chosen)
    _check_place(target)
    _check_not_the_clip(target, like)
    if chosen.codec == "exr" and importlib.util.find_spec("OpenEXR") is None:
        raise PackageRefusal(
            ".exr needs the package OpenEXR, which is not installed",
            remedy="run pip install OpenEXR, or write .png or .tif",
        )
    if chosen.kind == "video":
        _check_encoder(CODECS[chosen.codec].encoder)
    if chosen.container in ("matroska", "webm") and isinstance(like, FilmedClip):
        clock_like(like, None).check_for(Fraction(1, 1000), chosen.suffix)
    if encoding.sound and chosen.sound is not None and isinstance(like, FilmedClip) and like.audio:
        from .carried_sound import check_sound

        check_sound(like, chosen)
    return chosen


def output_format(path: str | Path, codec: str | None = None) -> tuple[Path | SequenceName, OutputFormat]:
    """What a target's name asks for: the file or the sequence, and its kind with the codec chosen.

    >>> [output_format(name)[1].codec for name in ("film.mp4", "film.gif", "frames/")]
    ['h264', 'gif', 'png']
    """
    file = Path(path)
    if not file.parts:
        raise Refusal("the output", "have a name", "none", "write film.mp4, or a folder as shot/")
    suffix = file.suffix.lower()
    if _is_folder(path):
        target: Path | SequenceName = SequenceName.in_folder(path)
        chosen = OUTPUTS[".png"]
    elif suffix not in OUTPUTS:
        raise Refusal(
            "the output",
            f"be {list_output_formats()}",
            file.name,
            "change the suffix, or end the name in a slash for a folder of pictures",
        )
    else:
        chosen = OUTPUTS[suffix]
        target = SequenceName.of(path) if chosen.kind == "pictures" else file
    if codec is None:
        return target, chosen
    fitting = [name for name, one in CODECS.items() if suffix in one.suffixes] or [chosen.codec]
    if codec not in CODECS and codec != chosen.codec:
        raise Refusal("codec", f"be one of {', '.join(CODECS)}", f"{codec!r}", "choose one of these")
    if codec not in fitting:
        raise Refusal(
            f"{codec}",
            f"go into {' or '.join(CODECS[codec].suffixes)}",
            file.name,
            f"change the suffix, or take {' or '.join(fitting)}",
        )
    return target, chosen._replace(codec=codec)


def _is_folder(path: str | Path) -> bool:
    """Whether a target is meant as a folder to fill: it ends in a slash, has no suffix, or is a folder."""
    separators = tuple({"/", os.sep, os.altsep or "/"})
    file = Path(path)
    if isinstance(path, str) and path.endswith(separators):
        return True
    return not file.suffix or (file.suffix.lower() not in OUTPUTS and file.is_dir())


def _check_size(size: Size, chosen: OutputFormat) -> None:
    shortest, longest = CODECS[chosen.codec].sides if chosen.kind == "video" else (1, 65535)
    if not shortest <= min(size) <= max(size) <= longest:
        raise Refusal(
            f"a film in {chosen.codec}",
            f"have sides of {shortest} to {longest} pixels",
            size,
            "write pictures (.png), or a film of another size",
        )


def _check_encoder(encoder: str) -> None:
    """Refuse a codec that the installed FFmpeg was built without, as those of some Linux distributions are."""
    import av

    try:
        av.Codec(encoder, "w")
    except ValueError as error:
        raise Refusal(
            "FFmpeg",
            f"have the encoder {encoder}, but the one of the installed PyAV lacks it",
            remedy="run pip install --force-reinstall av, or write another format",
        ) from error


def _check_place(target: Path | SequenceName) -> None:
    """Refuse what cannot be made where it is to stand."""
    if isinstance(target, Path) and target.is_dir():
        raise NotAFile(
            "the output",
            "be a file",
            f"{target}, which is a folder",
            "choose another name, or add a slash for a folder of pictures",
        )
    wanted = folder = target.folder if isinstance(target, SequenceName) else target.parent
    while not os.path.lexists(folder):
        if folder.parent == folder:
            raise MissingFile(f"no disk or folder at {folder}", remedy="choose another place")
        folder = folder.parent
    if not folder.is_dir():
        raise NotAFolder(f"{wanted}", "be a folder", f"{folder}, which is a file", "choose another place")
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".", suffix=".part"):
            pass
    except OSError as error:
        told = type(error)(
            f"check_output: {folder} must be a folder that can be written into, but a file cannot be made there "
            f"({error.strerror or error}); choose another folder, or free it"
        )
        told.errno = error.errno
        raise told from error


def _check_not_the_clip(target: Path | SequenceName, like: Film | None) -> None:
    if isinstance(like, FilmedClip) and isinstance(target, Path):
        own, kept = like.path, target
    elif isinstance(like, FolderFrames) and like.folder is not None and isinstance(target, SequenceName):
        own, kept = like.folder, target.folder
    else:
        return
    if not (own.exists() and kept.exists() and own.samefile(kept)):
        return
    what = (
        "pictures must not go into the clip's own folder" if kept.is_dir() else "the output must not be the clip itself"
    )
    raise Refusal(what, got=kept, remedy="choose another name")
