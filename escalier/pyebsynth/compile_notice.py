"""A line in the log while kernels for a new patch size and channel count compile, the first time on a machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import event

from escalier.log import log

COMPILING_S = 15.0
"""About, on two cores; who shows the time left finds it in the log record as `takes_seconds`."""

_announced: set[str] = set()  # for the life of the process, so that chains in parallel do not repeat the line


class _FirstCompile(event.Listener):
    """numba broadcasts `numba:compile` only when it really compiles, not when its on-disk cache answers."""

    def __init__(self, what: str) -> None:
        self._what = what

    def on_start(self, event: event.Event) -> None:
        function = getattr(event.data["dispatcher"], "py_func", None)
        if self._what not in _announced and getattr(function, "__module__", "").startswith("escalier.pyebsynth"):
            _announced.add(self._what)
            log.info(
                "preparing the brushes (%s), once for this machine; it takes some seconds",
                self._what,
                extra={"takes_seconds": COMPILING_S},
            )

    def on_end(self, event: event.Event) -> None:
        """Nothing to say."""


@contextmanager
def while_compiling(patch_size: int, channels: int) -> Iterator[None]:
    """Log one line if kernels of this room compile inside the block."""
    with event.install_listener("numba:compile", _FirstCompile(f"patch size {patch_size}, {channels} channels")):
        yield
