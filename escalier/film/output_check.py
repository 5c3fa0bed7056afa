"""Whether a film can be written where and as it is to be: refused before any work is spent on it."""

import importlib.util
import os
import tempfile
from fractions import Fraction
from pathlib import Path

import av

from escalier.arguments import checked
from escalier.refusals import MissingFile, NotAFile, NotAFolder, PackageRefusal, Refusal

from .carried_sound import plan_sound
from .clock import clock_like
from .film import Film
from .filmed_clip import FilmedClip
from .frames import FolderFrames
from .output_formats import CODECS, Encoding, OutputFormat, output_format
from .picture_sequence import SequenceName
from .pictures import Size


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
        plan_sound(like, chosen)  # refuses what can neither be copied nor decoded
    return chosen


def _check_size(size: Size, chosen: OutputFormat) -> None:
    shortest, longest = CODECS[chosen.codec].sides if chosen.kind == "video" else (1, 65535)
    if not shortest <= min(size) <= max(size) <= longest:
        rule = f"have sides of {shortest} to {longest} pixels"
        raise Refusal(f"a film in {chosen.codec}", rule, size, "write pictures (.png), or a film of another size")


def _check_encoder(encoder: str) -> None:
    """Refuse a codec that the installed FFmpeg was built without, as those of some Linux distributions are."""
    try:
        av.Codec(encoder, "w")
    except ValueError as error:
        rule = f"have the encoder {encoder}, but the one of the installed PyAV lacks it"
        raise Refusal("FFmpeg", rule, remedy="run pip install --force-reinstall av, or write another format") from error


def _check_place(target: Path | SequenceName) -> None:
    """Refuse what cannot be made where it is to stand."""
    if isinstance(target, Path) and target.is_dir():
        got = f"{target}, which is a folder"
        raise NotAFile("the output", "be a file", got, "choose another name, or add a slash for a folder of pictures")
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
