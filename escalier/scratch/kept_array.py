"""One array of a scratch folder: where it lies, what it is, and how it comes there once for all jobs."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .folder import open_or_make, touch
from .kept_files import array_bytes, open_array


class KeptArray(NamedTuple):
    """A .npy file that is made once, verified whenever it is opened, and made anew where it is damaged.

    Attributes
    ----------
    path, shape
        Of the file, which need not be there yet. Its pieces lie along the first axis; they are uint8.
    what
        What the array is, such as "film 83a2": another film's file under this name is no good.

    >>> import tempfile
    >>> from escalier.scratch import write_array
    >>> kept = KeptArray(Path(tempfile.mkdtemp()) / "masks.npy", (2, 4, 6), "masks 83a2")
    >>> array = kept.opened(lambda: write_array(kept.path, np.ones(kept.shape, np.uint8), kept.what), lambda: None)
    >>> int(array.sum()), kept.missing_bytes()
    (48, 0)
    """

    path: Path
    shape: tuple[int, ...]
    what: str

    def missing_bytes(self) -> int:
        """What is still to be written: nothing where a file of the right length lies, which costs nothing to know."""
        whole = array_bytes(self.shape, np.uint8)
        try:
            # A damaged one is removed before it is made anew.
            return 0 if self.path.lstat().st_size == whole else whole
        except OSError:
            return whole

    def opened(self, make: Callable[[], object], waiting: Callable[[], object]) -> np.ndarray:
        """The array as a read-only memory map; made first where it is missing or damaged, and by one job at a time.

        Parameters
        ----------
        make
            Writes the file, whole or not at all; see `ArrayFile`.
        waiting
            Called ten times a second while another job makes it. What it raises passes through.
        """
        array = open_or_make(self.path, lambda: open_array(self.path, self.shape, np.uint8, self.what), make, waiting)
        touch(self.path)
        return array
