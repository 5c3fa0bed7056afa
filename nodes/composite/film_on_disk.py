"""A film that a node makes frame by frame, kept on disk: made once, however many nodes read it."""

import itertools
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from escalier.film import ArrayFrames
from escalier.scratch import ArrayFile

from ..scratch import remove_with, scratch_folder


def film_on_disk(frames: Iterator[np.ndarray], length: int, rate: Fraction) -> ArrayFrames:
    """The film of these frames, to the bit. It leaves the disk when ComfyUI's cache forgets it."""
    first = next(frames)
    with scratch_folder("composite") as folder:
        path = folder / "film.npy"
        with ArrayFile(path, (length, *first.shape), first.dtype) as file:
            for frame in itertools.chain([first], frames):
                file.append(frame)
        film = ArrayFrames(np.load(path, mmap_mode="r"), rate)
    remove_with(film, folder)
    return film
