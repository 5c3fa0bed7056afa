"""A film's motion that the test itself knows, where `escalier.film.Motion` would measure it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from escalier.film import Size


class KnownMotion:
    """`flow_of(i, j)` gives float32 (h, w, 2) at `working_size`."""

    def __init__(self, working_size: Size, flow_of: Callable[[int, int], np.ndarray]) -> None:
        self.working_size = working_size
        self.asked: list[tuple[int, int, Size]] = []
        self._flow_of = flow_of

    def flow(self, index: int, other: int, size: Size) -> np.ndarray:
        self.asked.append((index, other, size))
        return self._flow_of(index, other)
