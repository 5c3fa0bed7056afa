"""One progress bar for a whole job of the library's own long functions, on standard error."""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tqdm import tqdm

from escalier.log import log
from escalier.progress import Progress

from .time_left import Job

SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWINGS = 0.1
LAYOUT = "{percentage:3.0f}% |{bar}| {desc}"


@contextmanager
def job_bar(parts: Mapping[str, float]) -> Iterator[Callable[..., Progress]]:
    """A bar for a job of several parts, with the time that is left of all of them.

    Where standard error is no terminal, a plain line now and then says the same. `parts` are the guessed seconds of
    each part, see `Job`.

    Yields `part(name, cores=1, before=None)`, which gives the callback `progress(done, total, picture=None)` of a part.
    A part that tells seconds of work which `cores` do together is so much faster. Until its first picture it is called
    `before`, where that is given.
    """
    job = Job(parts)
    show = _Shown(job)
    listener = _OnceListener(job)
    log.addHandler(listener)

    def part(name: str, cores: int = 1, before: str | None = None) -> Progress:
        title = before or name

        def progress(done: float, total: float, picture: object = None) -> None:
            nonlocal title
            title = title if picture is None else name
            job.tell(name, done / cores, total / cores, picture)
            show.draw(title)

        return progress

    try:
        yield part
    finally:
        log.removeHandler(listener)
        show.close()


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """The same for a job of one part: a callback `progress(done, total, picture=None)`."""
    with job_bar({title: 0.0}) as part:
        yield part(title)


def span(seconds: float) -> str:
    """A time as it is said, no finer than it can be known.

    >>> span(3), span(47), span(135), span(700), span(5000), span(9000)
    ('a few seconds', 'about 45 s', 'about 2 min 20 s', 'about 12 min', 'about 1 h 25 min', 'about 2 h 30 min')
    """
    if seconds < 7.5:
        return "a few seconds"
    if seconds < 57.5:
        return f"about {5 * round(seconds / 5)} s"
    if seconds < 595:
        minutes, rest = divmod(10 * round(seconds / 10), 60)
        return f"about {minutes} min {rest} s" if rest else f"about {minutes} min"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {minutes} min"
    hours, minutes = divmod(5 * round(minutes / 5), 60)
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"


class _Shown:
    """A bar that is drawn again and again on a terminal; a line now and then elsewhere, for logs and pipes."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._bar = None
        self._pause, self._last = SECONDS_BETWEEN_LINES, time.monotonic()
        if sys.stderr.isatty():
            self._bar = tqdm(total=1.0, desc=job.part, bar_format=LAYOUT, leave=False, file=sys.stderr)
            self._pause, self._last = SECONDS_BETWEEN_DRAWINGS, 0.0

    def draw(self, title: str) -> None:
        now, share = time.monotonic(), self._job.share()
        if now - self._last < self._pause or not (self._bar or share):
            return
        self._last = now
        told = f"{title}, {span(self._job.left())} left"
        if self._bar is None:
            sys.stderr.write(f"{share:4.0%}  {told}\n")
            sys.stderr.flush()
        else:
            self._bar.n = share
            self._bar.set_description_str(told, refresh=False)
            self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class _OnceListener(logging.Handler):
    """Hears from the log what happens once and how long it takes, such as compiling."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def emit(self, record: logging.LogRecord) -> None:
        seconds = getattr(record, "takes_seconds", None)
        if seconds is not None:
            self._job.once(float(seconds))
