"""A stretch of a video file as a film of its own: its frames, times, sound and tags, read from the whole file."""

from fractions import Fraction
from pathlib import Path

from escalier.refusals import Refusal

from .film import Film
from .scaled import FrameRange
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

    >>> import tempfile
    >>> from escalier.film import Size, VideoFrames, make_clip, write_film
    >>> path = write_film(Path(tempfile.mkdtemp()) / "clip.mp4", make_clip(Size(64, 36), length=25, rate=25))
    >>> part = FilmPart(VideoFrames(path), 0.2, 0.4)
    >>> len(part), part.start, part.times[1], part.duration, part.sound_span
    (10, Fraction(1, 5), Fraction(1, 25), Fraction(2, 5), (Fraction(1, 5), Fraction(3, 5)))
    """

    _OUTSIDE = "the part ends there"

    def __init__(self, clip: VideoFrames, start: Fraction | float = 0, seconds: Fraction | float = 0) -> None:
        self._clip = clip
        tick = clip.time_base
        first, end = (Fraction(moment) // tick * tick for moment in (start, Fraction(start) + Fraction(seconds)))
        moments = [clip.start + time for time in clip.times]
        chosen = [i for i, moment in enumerate(moments) if moment >= first and (not seconds or moment < end)]
        if seconds < 0 or not chosen:
            got = f"none from {float(start):.3f} s for {float(seconds):.3f} s"
            remedy = f"the clip is shown from {float(clip.start):.3f} to {float(clip.start + clip.duration):.3f} s"
            raise Refusal(f"the part of {clip.path.name}", "hold at least one frame", got, remedy, who="FilmPart")
        super().__init__(clip, chosen[0], chosen[-1] + 1)
        self.path, self.time_base, self.variable_rate = clip.path, clip.time_base, clip.variable_rate
        self.audio, self.metadata = clip.audio, clip.metadata
        self.colour, self.pixel_aspect = clip.colour, clip.pixel_aspect
        begin = clip.times[self._first]
        self.start = clip.start + begin
        self.times = tuple(time - begin for time in clip.times[self._first : self._end])
        self.durations = clip.durations[self._first : self._end]
        self.duration = self.times[-1] + self.durations[-1]
        begins, ends = self._first > 0, self._end < len(clip)
        self.sound_span = self.start if begins else None, self.start + self.duration if ends else None
        if clip.variable_rate and len(self) > 1:
            self.rate = ((len(self) - 1) / self.times[-1]).limit_denominator(1001)  # on average over the part

    def fingerprint_parts(self) -> tuple[Film | str | Path, ...]:
        """What its frames depend on: the file, and which of its frames they are."""
        return f"frames {self._first} to {self._end}", self.path

    def close(self) -> None:
        self._clip.close()
