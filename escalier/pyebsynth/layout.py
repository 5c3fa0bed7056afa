"""How pictures lie in memory during the search: style and guides interleaved, scaled by their weights, in 16 bits.

A weighted sum of squared differences is a plain one once every channel is multiplied by the root of its weight. One
common scale turns the values into integers so large that the sum over a whole patch just fits 32 bits: a float guide
keeps steps much finer than 8 bits. Channels that are the same everywhere on both sides cost nothing: they are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from escalier.kernel_cache import njit

from .problem import Problem
from .search_kernels import LANES

_LARGEST_SUM = 2.0e9


Shape = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


def patch_shape(patch_size: int, channels: int, style_channels: int) -> Shape:
    """The constants of the kernels, written as lengths of tuples: channels, rows of a patch, style channels.

    >>> [len(part) for part in patch_shape(5, 9, 3)]
    [9, 5, 3]
    """
    return (0,) * channels, (0,) * patch_size, (0,) * style_channels


class Channel(NamedTuple):
    """One channel that takes part in the search."""

    guide: int
    """Index of the guide; -1 for the style."""
    plane: int
    """Which of the guide's or style's channels."""
    weight: float
    low: float
    """Smallest value, in 8-bit levels."""
    extent: float
    """Largest minus smallest value, in 8-bit levels."""


class Layout(NamedTuple):
    """The chosen channels, style first, and the common scale."""

    channels: tuple[Channel, ...]
    style_channels: int
    scale: float

    @classmethod
    def of(cls, problem: Problem, patch_size: int) -> Layout:
        style = _channels(-1, problem.style_weight, problem.style)
        guides: list[Channel] = []
        for g, weight in enumerate(problem.guide_weights):
            guides += _channels(g, weight, problem.source_guides[g], problem.target_guides[g])
        # Voting needs a style channel to write, even where the style is one flat colour.
        varied = [channel for channel in style if channel.extent > 0] or [style[0]._replace(extent=1.0)]
        channels = varied + [channel for channel in guides if channel.extent > 0 and channel.weight > 0]
        most = sum(channel.weight * channel.extent**2 for channel in channels) * patch_size**2
        return cls(tuple(channels), len(varied), float(np.sqrt(_LARGEST_SUM / most)))

    @property
    def factors(self) -> np.ndarray:
        """Steps for each 8-bit level, one for each channel."""
        return np.array([np.sqrt(c.weight) * self.scale for c in self.channels], np.float32)

    def pack(self, style: np.ndarray | None, guides: tuple[np.ndarray, ...], margin: int) -> np.ndarray:
        """One side as a flat int16 array (H + 2 margin, W + 2 margin, channels), slack included."""
        height, width = guides[0].shape[:2]
        packed = new_plane(height, width, len(self.channels), margin)
        for picture, number in [(style, -1), *((guide, g) for g, guide in enumerate(guides))]:
            if picture is not None:
                self.pack_into(packed, picture, number, margin)
        return packed

    def pack_into(self, packed: np.ndarray, picture: np.ndarray, guide: int, margin: int) -> None:
        """Write the channels of one picture (guide -1: the style) into their places."""
        places = [k for k, channel in enumerate(self.channels) if channel.guide == guide]
        if not places:
            return
        chosen = [self.channels[k] for k in places]
        _pack(
            picture,
            np.float32(_unit(picture)),
            np.array([c.plane for c in chosen]),
            np.array([c.low for c in chosen], np.float32),
            self.factors[places],
            np.array(places),
            packed,
            len(self.channels),
            margin,
        )

    def pack_modulation(self, modulation: tuple[np.ndarray | None, ...], height: int, width: int) -> np.ndarray:
        """Modulation of every channel as float32 (H, W, channels); 1 for the style and where none is given."""
        packed = np.ones((height, width, len(self.channels)), np.float32)
        for k, channel in enumerate(self.channels):
            given = modulation[channel.guide] if channel.guide >= 0 else None
            if given is not None:
                packed[..., k] = given[..., channel.plane if given.shape[2] > 1 else 0]
        return packed


def new_plane(height: int, width: int, channels: int, margin: int) -> np.ndarray:
    """An empty interleaved plane, flat, with room for a whole vector past its end."""
    return np.zeros((height + 2 * margin) * (width + 2 * margin) * channels + LANES, np.int16)


def _channels(guide: int, weight: float, *sides: np.ndarray) -> list[Channel]:
    limits = [np.multiply(_limits(side), _unit(side)) for side in sides]
    low = np.min([lowest for lowest, _ in limits], axis=0)
    high = np.max([highest for _, highest in limits], axis=0)
    return [Channel(guide, c, weight, float(low[c]), float(high[c] - low[c])) for c in range(len(low))]


def _unit(picture: np.ndarray) -> float:
    return 1.0 if picture.dtype == np.uint8 else 255.0


def _limits(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of every channel. Down the columns first: those passes run in vectors."""
    columns = picture.reshape(len(picture), -1)
    lowest, highest = (rim.reshape(picture.shape[1:]) for rim in (columns.min(axis=0), columns.max(axis=0)))
    return lowest.min(axis=0), highest.max(axis=0)


@njit(cache=True, nogil=True)
def _pack(picture, unit, indices, lows, factors, places, packed, channels, margin):
    height, width = picture.shape[:2]
    for y in range(height):
        for q in range(len(places)):
            index, low, factor = indices[q], lows[q], factors[q]
            p = np.uint64(((y + margin) * (width + 2 * margin) + margin) * channels + places[q])
            for x in range(width):
                value = (np.float32(picture[y, x, index]) * unit - low) * factor
                packed[p] = np.int16(max(value, np.float32(0)) + np.float32(0.5))
                p += np.uint64(channels)
