"""Standard output and error that end no job: their reader may leave, their disk may fill, they may be closed."""

import errno
import logging
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from escalier.refusals import printable

GONE = {errno.EPIPE, errno.EBADF, errno.EINVAL, errno.EIO}
"""Nobody reads: the pipe is closed (Windows says EINVAL), the stream is, or its terminal is gone."""


class LastingStream:
    """A text stream of which a failure is remembered and not raised: a film is worth more than a line about it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def write(self, text: str) -> int:
        if self.failure is None:
            try:
                self._stream.write(_encodable(text, self._stream))
            except (OSError, ValueError) as error:  # a ValueError where the stream has been closed from within
                self._give_up(error)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if self.failure is None:
            try:
                self._stream.flush()
            except (OSError, ValueError) as error:
                self._give_up(error)

    @property
    def lost(self) -> OSError | None:
        """Why words did not arrive although somebody was there to read them: a full disk, mostly."""
        return None if self.failure is None or self.failure.errno in GONE else self.failure

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _give_up(self, error: OSError | ValueError) -> None:
        self.failure = error if isinstance(error, OSError) else OSError(errno.EBADF, str(error))
        # What is still in the buffer would fail once more when Python ends, and turn its exit code into 120.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextmanager
def lasting_streams() -> Iterator[LastingStream]:
    """Put lasting streams in the place of standard output, which is given, and of standard error."""
    _open_closed_ones()
    before = sys.stdout, sys.stderr
    output, errors = LastingStream(sys.stdout), LastingStream(sys.stderr)
    sys.stdout, sys.stderr = output, errors
    try:
        yield output
    finally:
        output.flush()
        errors.flush()
        sys.stdout, sys.stderr = before


class LogLines(logging.Handler):
    """Our log on whatever standard error is at the moment, each message without anything that a terminal obeys.

    A progress bar that is being drawn makes room for the line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        line = printable(self.format(record), lines=True)
        bars = sys.modules.get("tqdm")
        if bars is not None:
            bars.tqdm.write(line, file=sys.stderr)
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


def _open_closed_ones() -> None:
    """Give closed streams somewhere to go, or the next file that is opened gets their number and their words."""
    for number, (name, mode) in enumerate([("stdin", "r"), ("stdout", "w"), ("stderr", "w")]):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (as long as the process)


def _encodable(text: str, stream: TextIO) -> str:
    """The text as far as the stream's encoding knows it, the rest as escapes."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text
