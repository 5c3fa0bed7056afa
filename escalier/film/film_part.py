"""A stretch of a video file as a film of its own: its frames, times, sound and tags, read from the whole file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from escalier.refusals import Refusal

from .film import Film
from .scaled import FrameRange

if TYPE_CHECKING:
    from .colour import Colour
    from .sound import AudioTrack
    from .video import VideoFrames


class FilmPart(FrameRange):
    """The frames of a clip that are shown from one moment to another, as a film and a `FilmedClip`.

    Nothing is encoded again: colours, size, pixel aspect and tags are those of the clip, the first frame is at 0, and
    the sound is cut where the pictures are.

    Parameters
    ----------
    clip : VideoFrames
    start : Fraction or float
        From when, in seconds on the clock of the file (on which the clip itself begins at `clip.start`).
    seconds : Fraction or float
        For how long; 0 is to the end.

    Raises
    ------
    ValueError
        If no frame is shown then.

    Examples
    --------
    >>> import tempfile
    >>> from escalier.film import Size, VideoFrames, make_clip, write_film
    >>> path = write_film(Path(tempfile.mkdtemp()) / "clip.mp4", make_clip(Size(64, 36), length=25, rate=25))
    >>> part = FilmPart(VideoFrames(path), 0.2, 0.4)
    >>> len(part), part.start, part.times[1], part.duration, part.sound_span
    (10, Fraction(1, 5), Fraction(1, 25), Fraction(2, 5), (Fraction(1, 5), Fraction(3, 5)))
    """

    _SHOWN = "part"

    def __init__(self, clip: VideoFrames, start: Fraction | float = 0, seconds: Fraction | float = 0) -> None:
        self._clip = clip
        tick = clip.time_base
        first, end = (Fraction(moment) // tick * tick for moment in (start, Fraction(start) + Fraction(seconds)))
        moments = [clip.start + time for time in clip.times]
        chosen = [i for i, moment in enumerate(moments) if moment >= first and (not seconds or moment < end)]
        if seconds < 0 or not chosen:
            raise Refusal(
                f"the part of {clip.path.name}",
                "hold at least one frame",
                f"none from {float(start):.3f} s for {float(seconds):.3f} s",
                f"the clip is shown from {float(clip.start):.3f} to {float(clip.start + clip.duration):.3f} s",
                who="FilmPart",
            )
        super().__init__(clip, chosen[0], chosen[-1] + 1)
        if clip.variable_rate and len(self) > 1:
            self.rate = ((len(self) - 1) / self.times[-1]).limit_denominator(1001)  # on average over the part

    @property
    def path(self) -> Path:
        return self._clip.path

    @property
    def start(self) -> Fraction:
        """When the first frame is shown, on the clock of the file."""
        return self._clip.start + self._clip.times[self._first]

    @property
    def sound_span(self) -> tuple[Fraction | None, Fraction | None]:
        """From when to when the file's sound belongs to the part; None where the clip itself begins or ends."""
        begins = self.start if self._first > 0 else None
        return begins, self.start + self.duration if self._end < len(self._clip) else None

    @property
    def times(self) -> tuple[Fraction, ...]:
        times = self._clip.times[self._first : self._end]
        return tuple(time - times[0] for time in times)

    @property
    def durations(self) -> tuple[Fraction, ...]:
        return self._clip.durations[self._first : self._end]

    @property
    def duration(self) -> Fraction:
        """From the first frame to the end of the last, in seconds."""
        return self.times[-1] + self.durations[-1]

    @property
    def variable_rate(self) -> bool:
        return self._clip.variable_rate

    @property
    def time_base(self) -> Fraction:
        return self._clip.time_base

    @property
    def colour(self) -> Colour:
        return self._clip.colour

    @property
    def pixel_aspect(self) -> Fraction:
        return self._clip.pixel_aspect

    @property
    def audio(self) -> tuple[AudioTrack, ...]:
        return self._clip.audio

    @property
    def metadata(self) -> dict[str, str]:
        return self._clip.metadata

    def fingerprint_parts(self) -> tuple[Film | str | Path, ...]:
        """What its frames depend on: the file, and which of its frames they are."""
        return f"frames {self._first} to {self._end}", self.path

    def close(self) -> None:
        self._clip.close()
