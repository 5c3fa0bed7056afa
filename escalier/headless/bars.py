"""A progress bar for the library's own long functions, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[..., None]]:
    """A callback `progress(done, total, picture=None)` that draws a bar with the time left.

    Where standard error is no terminal, a plain line now and then says the same.
    """
    if sys.stderr.isatty():
        layout = "{desc} {percentage:3.0f}% |{bar}| {elapsed} gone, {remaining} left"
        with tqdm(total=1, desc=title, bar_format=layout, smoothing=0.05, file=sys.stderr) as bar:

            def draw(done: float, total: float, picture: object = None) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield draw
        return
    began = written = time.monotonic()

    def write(done: float, total: float, picture: object = None) -> None:
        nonlocal written
        now = time.monotonic()
        if now - written < SECONDS_BETWEEN_LINES or not done:
            return
        written = now
        left = tqdm.format_interval((now - began) * (total - done) / done)
        sys.stderr.write(f"{done / total:4.0%}  {title}, about {left} left\n")
        sys.stderr.flush()

    yield write
