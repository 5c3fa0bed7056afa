"""Which files a film can be written as, and how each is encoded."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import Refusal, TypeRefusal

from .picture_sequence import SequenceName


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


@checked
@dataclass(frozen=True)
class Encoding(Dials):
    """How a film is laid down in a file, or in the files of a picture sequence.

    Attributes
    ----------
    metadata
        Notes to store in a video file, such as a workflow.

    >>> Encoding(first=-1)
    Traceback (most recent call last):
    escalier.refusals.Refusal: Encoding: first must be 0 or more, got -1; 0 or 1001 are usual
    """

    codec: str | None = dial(
        None, "'h264' in .mov or .mkv, 'prores' or 'vp9' in .mkv. {none} takes the suffix's own codec."
    )
    crf: float | None = dial(
        None,
        "Quality of H.264 (0 to 51) and VP9 (0 to 63): smaller is finer and larger in bytes. {none} takes 12 and 20: "
        "losses can hardly be seen. Ordinary footage is then off by about one level of 255, and by less than one and a "
        "half after six saves in a row.",
        offered=(0, 63),
        remedy="leave it out for losses that can hardly be seen",
    )
    sound: bool = dial(True, "Whether to take the clip's sound over. A .gif and pictures hold none.")
    first: int | None = dial(
        None,
        "Number of the first picture of a sequence. {none} takes that of the clip's first plate where the clip is a "
        "folder of numbered pictures and the film has as many, else 0.",
        least=0,
        rule="be 0 or more",
        remedy="0 or 1001 are usual",
    )
    metadata: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, note in self.metadata.items():
            if not isinstance(note, str):
                raise TypeRefusal("metadata", "be text", f"{type(note).__name__} for {key}", "turn it into text")


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
        remedy = "change the suffix, or end the name in a slash for a folder of pictures"
        raise Refusal("the output", f"be {list_output_formats()}", file.name, remedy)
    else:
        chosen = OUTPUTS[suffix]
        target = SequenceName.of(path) if chosen.kind == "pictures" else file
    if codec is None:
        return target, chosen
    fitting = [name for name, one in CODECS.items() if suffix in one.suffixes] or [chosen.codec]
    if codec not in CODECS and codec != chosen.codec:
        raise Refusal("codec", f"be one of {', '.join(CODECS)}", f"{codec!r}", "choose one of these")
    if codec not in fitting:
        rule = f"go into {' or '.join(CODECS[codec].suffixes)}"
        raise Refusal(f"{codec}", rule, file.name, f"change the suffix, or take {' or '.join(fitting)}")
    return target, chosen._replace(codec=codec)


def _is_folder(path: str | Path) -> bool:
    """Whether a target is meant as a folder to fill: it ends in a slash, has no suffix, or is a folder."""
    separators = tuple({"/", os.sep, os.altsep or "/"})
    file = Path(path)
    if isinstance(path, str) and path.endswith(separators):
        return True
    return not file.suffix or (file.suffix.lower() not in OUTPUTS and file.is_dir())
