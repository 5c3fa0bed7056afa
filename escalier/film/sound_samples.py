"""The sound of a clip as numbers: every sample at its moment beside the pictures."""

from fractions import Fraction

import numpy as np
from av import AudioResampler

from escalier.arguments import checked

from .carried_sound import decoded, opened
from .encoded_sound import GAP
from .filmed_clip import FilmedClip


@checked
def read_sound_samples(clip: FilmedClip) -> tuple[np.ndarray, int] | None:
    """The first sound track of a clip, from its first frame to the end of its last.

    Parameters
    ----------
    clip : FilmedClip
        A video file or a part of one.

    Returns
    -------
    (np.ndarray, int) or None
        Samples (channels, N) float32 in -1..1 and how many there are a second; what is missing or damaged is silent.
        None where the clip has no sound or none of it can be decoded.

    Raises
    ------
    OSError
        If the file is gone.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from escalier.film import VideoFrames, write_film
    >>> silent = write_film(Path(tempfile.mkdtemp()) / "film.mp4", np.zeros((2, 36, 64, 3), np.uint8), rate=24)
    >>> read_sound_samples(VideoFrames(silent)) is None
    True
    """
    if not clip.audio:
        return None
    line, rate, due = None, 0, None
    with opened(clip, clip.start) as container:
        for frame in decoded(container, container.streams[clip.audio[0].stream]):
            if line is None:
                rate, resampler = frame.sample_rate, AudioResampler(format="fltp")
                line = np.zeros((len(frame.layout.channels), round(clip.duration * rate)), np.float32)
            begin = due or clip.start
            if frame.pts is not None:
                stamped = Fraction(frame.pts) * Fraction(frame.time_base or 1)
                begin = due if due is not None and abs(stamped - due) <= GAP else stamped  # times are rounded
            due = begin + Fraction(frame.samples, rate)
            if begin >= clip.start + clip.duration:
                break
            for part in resampler.resample(frame):
                _lay(line, part.to_ndarray(), round((begin - clip.start) * rate))
    return None if line is None else (line, rate)


def _lay(line: np.ndarray, samples: np.ndarray, place: int) -> None:
    """Write samples into a line from a place on, as far as they lie within it."""
    first, last = max(place, 0), min(place + samples.shape[1], line.shape[1])
    if first < last:
        line[:, first:last] = samples[:, first - place : last - place]
