"""What an artist's script calls first: a film restyled, and a film measured, from files or from values."""

import weakref
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

from escalier.arguments import checked
from escalier.coherence import Measurement, measure_film
from escalier.film import Film, Footage, MaskSource, Motion, check_output, open_film, open_masks, write_film
from escalier.keyframes import Keyframes, read_keyframes
from escalier.progress import Progress
from escalier.propagation import Fade, FilmMatching, Guides, Staircase, propagate

WRITING_S = 0.1
"""Guessed seconds that a frame takes to be mixed and written."""


@checked
def stylise(
    clip: str | Path | Film,
    keyframes: str | Path | Sequence[str | Path] | Keyframes,
    output: str | Path | None = None,
    *,
    masks: str | Path | MaskSource | None = None,
    guides: Guides | None = None,
    matching: FilmMatching | None = None,
    fade: Fade | None = None,
    cuts: Sequence[int] | None = None,
    seed: int = 0,
    threads: int | None = None,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> Staircase:
    """Carry painted keyframes through a film: the whole way from the clip to the restyled film.

    Parameters
    ----------
    clip
        A video file, a folder of pictures, or any film.
    keyframes
        The painted frames: a folder, one picture or several, of which the number in the name is the frame, or values.
    output
        The film to write, with the clip's rate and sound: .mp4, .mov, a folder of pictures and the like, see
        `escalier.film.write_film`. None writes nothing; the result can be read, measured or written later.
    masks
        White where the subject is: a video, a folder or a picture, or the masks, one for each frame or one for all.
    guides, matching, fade
        What a match must respect, how it is looked for, and how neighbouring runs pass into one another.
    cuts
        The first frame of every shot but the first; nothing is carried across. None looks for them.
    seed
        Another seed, other brush strokes, 0 to 2**32 - 1.
    threads
        Processor cores to use; all by default.
    scratch
        A folder where finished work is kept: the same call again goes on where it was stopped, and after a corrected
        keyframe only its own part is made. None keeps it as long as the result is in use.
    progress
        Called as `progress(done, total, picture)` in seconds of work. What it raises passes through.

    Returns
    -------
    Staircase
        The restyled film, of the keyframes' size.

    Raises
    ------
    ValueError, TypeError, OSError
        In a sentence, where clip, keyframes, masks or output cannot be used or do not belong together.

    >>> from escalier.film import ArrayFrames, Size, make_clip
    >>> clip = make_clip(Size(64, 48), length=3)
    >>> film = stylise(clip, Keyframes([0], [255 - clip.frame(0)], length=3), cuts=(), threads=1)
    >>> len(film), str(film.size)
    (3, '64x48')
    """
    film = clip if isinstance(clip, Film) else open_film(clip)
    filmed = film.film if isinstance(film, Footage) else film  # whose plates have names, and whose file has sound
    painted = keyframes if isinstance(keyframes, Keyframes) else read_keyframes(keyframes, filmed)
    if output is not None:
        check_output(output, painted.size, like=filmed)
    told = _Told(progress, 0 if output is None else len(film))
    kept = ExitStack()
    runs = propagate(
        film,
        painted,
        folder=kept.enter_context(_folder(scratch)),
        masks=open_masks(masks, film) if isinstance(masks, (str, Path)) else masks,
        guides=guides,
        matching=matching,
        cuts=cuts,
        seed=seed,
        threads=threads,
        progress=told.painting,
    )
    staircase = Staircase(runs, fade)
    weakref.finalize(runs, kept.close)
    if output is not None:
        write_film(output, staircase, like=filmed, progress=told.writing)
    return staircase


@checked
def measure(
    source: str | Path | Film,
    restyled: str | Path | Film,
    *,
    keyframes: str | Path | Keyframes | Sequence[int] | None = None,
    masks: str | Path | MaskSource | None = None,
    lag: int | None = None,
    first: int | None = None,
    scratch: str | Path | None = None,
    progress: Progress | None = None,
) -> Measurement:
    """How steady a restyled film is, in the figures of the coherence meter; see `escalier.coherence.measure_film`.

    Parameters
    ----------
    source, restyled
        The filmed clip and the film made from it, frame for frame: video files, folders of pictures, or films. Of a
        `Staircase` the keyframes are known, and its fades are judged.
    keyframes
        The painted keyframes, by which sharpness is judged, or only their indices.
    masks
        White where the subject is: its two sides are measured apart.
    lag
        The long lag in frames; what suits the keyframes by default.
    first
        The number that people give to the source's first frame, for the report and for the numbers in file names.
    scratch
        A folder where the flow of the source is kept for other films made from it.
    progress
        Called as `progress(done, total, picture)`. What it raises passes through.

    Raises
    ------
    ValueError, TypeError, OSError
        In a sentence, where what is given cannot be used or does not belong together.

    >>> from escalier.film import Size, make_clip
    >>> clip = make_clip(Size(64, 48), length=3)
    >>> measure(clip, clip).figures["motion_error"]
    0.0
    """
    film = source if isinstance(source, Film) else open_film(source)
    made = (
        restyled if isinstance(restyled, Film) else open_film(restyled, film.rate if Path(restyled).is_dir() else None)
    )
    with _folder(scratch) as folder:
        filmed = Footage.of(film, folder)
        return measure_film(
            filmed,
            made,
            motion=Motion(filmed, folder),
            keyframes=read_keyframes(keyframes, film, first=first) if isinstance(keyframes, (str, Path)) else keyframes,
            masks=open_masks(masks, film, first) if isinstance(masks, (str, Path)) else masks,
            lag=lag,
            first=first,
            progress=progress,
        )


def _folder(scratch: str | Path | None) -> AbstractContextManager[str]:
    """The caller's own, which stays, or one that goes when it is left."""
    return TemporaryDirectory(prefix="escalier-") if scratch is None else nullcontext(str(scratch))


class _Told:
    """One progress, in seconds, over the painting and the writing of a film."""

    def __init__(self, progress: Progress | None, frames: int) -> None:
        self._progress, self._writing_s = progress, frames * WRITING_S
        self._painting_s = 0.0

    def painting(self, done: float, total: float, *picture: object) -> None:
        self._painting_s = total
        if self._progress is not None:
            self._progress(done, total + self._writing_s, *picture)

    def writing(self, done: float, total: float, *picture: object) -> None:
        if self._progress is not None:
            told = self._painting_s + done / total * self._writing_s
            self._progress(told, self._painting_s + self._writing_s, *picture)
