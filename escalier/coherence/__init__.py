"""Coherence: figures that say how steady a restyled film is."""

from .meter import FadeReport, followed_pixels, ghosting_kept, high_pass_contrast, measure_fades, pop, warp_error

__all__ = [
    "FadeReport",
    "followed_pixels",
    "ghosting_kept",
    "high_pass_contrast",
    "measure_fades",
    "pop",
    "warp_error",
]
