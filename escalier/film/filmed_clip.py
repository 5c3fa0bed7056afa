"""What a filmed clip gives to a film that was made from it: its sound, its time, its colours, its notes."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from escalier.arguments import checked

if TYPE_CHECKING:
    from .colour import Colour
    from .sound import AudioTrack


@checked
@runtime_checkable
class FilmedClip(Protocol):
    """A video file, or a part of one, as what a new film is to be like (`write_film(..., like=clip)`).

    All moments are in seconds. Those of the frames (`times`, `durations`, `duration`) count from the first frame shown;
    `start` and `sound_span` are on the clock of the file, on which FFmpeg stamps pictures and sound.
    """

    path: Path
    """The file, from which the sound is read."""
    start: Fraction
    """When the first frame of this film is shown."""
    sound_span: tuple[Fraction | None, Fraction | None]
    """From when to when the file's sound belongs to this film; None is as far as the file has any.

    A whole clip has (None, None): its sound may begin before its first frame and outlast the last one. A part of a clip
    has the moments at which it is cut.
    """
    times: tuple[Fraction, ...]
    """When each frame is shown, the first at 0."""
    durations: tuple[Fraction, ...]
    """How long each frame is shown."""
    duration: Fraction
    """From the first frame to the end of the last."""
    time_base: Fraction
    """The tick of the file's clock: all times are whole multiples of it."""
    rate: Fraction
    """Frames per second, on average."""
    audio: tuple[AudioTrack, ...]
    """The sound tracks that can be read."""
    colour: Colour
    """What the numbers of its frames mean."""
    pixel_aspect: Fraction
    """Width of a pixel over its height."""
    metadata: dict[str, str]
    """Its notes: title, date and so on."""

    def __len__(self) -> int: ...
