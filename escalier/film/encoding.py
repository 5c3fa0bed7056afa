"""How a film is laid down in a file: a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from escalier.arguments import checked
from escalier.dials import Dials, dial
from escalier.refusals import TypeRefusal


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
