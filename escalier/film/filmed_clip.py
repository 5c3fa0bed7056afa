"""What a filmed clip gives to a film that was made from it: its sound, its time, its colours, its notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from .colour import Colour
from .film import FilmBase
from .sound import AudioTrack


class FilmedClip(FilmBase):
    """A video file, or a part of one, as what a new film is to be like (`write_film(..., like=clip)`).

    All moments are in seconds. Those of the frames (`times`, `durations`, `duration`) count from the first frame shown;
    `start` and `sound_span` are on the clock of the file, on which FFmpeg stamps pictures and sound.

    Attributes
    ----------
    path
        The file, from which the sound is read.
    start
        When the first frame of this film is shown.
    sound_span
        From when to when the file's sound belongs to this film; None is as far as the file has any. A whole clip has
        (None, None): its sound may begin before its first frame and outlast the last one. A part of a clip has the
        moments at which it is cut.
    times, durations
        When each frame is shown, exactly, the first at 0; and for how long.
    time_base
        The tick of the file's clock: all times are whole multiples of it.
    variable_rate
        Whether frames are shown for different lengths of time, beyond the rounding to ticks; `rate` is then the
        average.
    audio
        The sound tracks that can be read.
    colour
        What the RGB numbers of its frames mean; BT.709 for HDR, which is converted.
    pixel_aspect
        Width of a pixel over its height, as the film is given (upright).
    metadata
        Its notes: title, date and so on.
    """

    path: Path
    start: Fraction
    sound_span: tuple[Fraction | None, Fraction | None] = (None, None)
    times: Sequence[Fraction]
    durations: Sequence[Fraction]
    time_base: Fraction
    variable_rate: bool
    audio: Sequence[AudioTrack]
    colour: Colour
    pixel_aspect: Fraction
    metadata: Mapping[str, str]

    @property
    def duration(self) -> Fraction:
        """From the first frame to the end of the last, in seconds."""
        return self.times[-1] + self.durations[-1]
