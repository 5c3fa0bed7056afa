"""The keyframes made ready to copy from: once for both directions of a keyframe, for as long as either is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from escalier.film import as_uint8, scale_film

from .chains import Chain
from .film_matching import FilmMatching
from .guides import GuideFilm

if TYPE_CHECKING:
    from escalier.pyebsynth import SubPixelPainter


class Source:
    """A keyframe, what its frame shows, and what copies from between its pixels.

    It is made from the painted picture, (H, W, 3) uint8 or float32 0..1, one of its runs, and what the film shows. The
    result does not depend on `threads`.
    """

    def __init__(
        self, keyframe: np.ndarray, chain: Chain, guide_film: GuideFilm, matching: FilmMatching, threads: int
    ) -> None:
        self.guide_film, self.matching = guide_film, matching
        self.keyframe = as_uint8(keyframe)
        self.size = matching.size_for(guide_film.size)
        film = guide_film.at(self.size)
        self.picture = scale_film(self.keyframe, self.size)
        """The keyframe at the size of matching, uint8 (h, w, 3)."""
        self.guides = film.of_keyframe(chain.start, chain.order, self.picture)
        self.contrast = guide_contrast(self.guides, film.weights())
        self.painter: SubPixelPainter | None = None
        # The original program's pictures stay as it makes them.
        if matching.sub_pixel and matching.backend != "original":
            from escalier.pyebsynth import SubPixelPainter  # brings numba, which importing the pack must not

            filmed = film.frame(chain.start)
            self.painter = SubPixelPainter(self.picture, filmed, patch_size=matching.patch_size, threads=threads)


class Sources:
    """Each keyframe's source, as `make` makes it of a run, while any run of it is being made."""

    def __init__(self, make: Callable[[Chain], Source]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._shared: dict[int, _Shared] = {}

    @contextmanager
    def of(self, chain: Chain) -> Iterator[Source]:
        """The source of a run's keyframe, made by the first that asks for it."""
        with self._lock:
            shared = self._shared.setdefault(chain.start, _Shared())
            shared.users += 1
        try:
            with shared.lock:
                if shared.source is None:
                    shared.source = self._make(chain)
            yield shared.source
        finally:
            with self._lock:
                shared.users -= 1
                if not shared.users:
                    del self._shared[chain.start]


class _Shared:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.source: Source | None = None


def guide_contrast(guides: list[np.ndarray], weights: list[float]) -> float:
    """The guide error of a match that knows nothing: between two pixels of the keyframe taken at random.

    In the unit of `Run.guide_error`, a root mean square in 8-bit levels: the square root of twice the weighted
    variance of the guides.
    """
    variance = 0.0
    for picture, weight in zip(guides, weights, strict=True):
        levels = picture.reshape(-1, 1 if picture.ndim == 2 else picture.shape[2]).astype(np.float32)
        scale = 1.0 if picture.dtype == np.uint8 else 255.0
        variance += weight * float((levels * scale).var(axis=0).mean())
    return float(np.sqrt(2 * variance / sum(weights)))
