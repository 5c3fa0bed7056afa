"""Compositing: Poisson blending, layers, clean plates, and a report on what was left untouched."""

from .camera import camera_motion
from .clean_plate import CleanPlate, make_clean_plate, make_clean_plates
from .layers import BLEND_MODES, blend_layers, blend_layers_film
from .poisson import poisson_blend, poisson_blend_film
from .untouched import Untouched, UntouchedFilm, measure_untouched, measure_untouched_film

__all__ = [
    "BLEND_MODES",
    "CleanPlate",
    "Untouched",
    "UntouchedFilm",
    "blend_layers",
    "blend_layers_film",
    "camera_motion",
    "make_clean_plate",
    "make_clean_plates",
    "measure_untouched",
    "measure_untouched_film",
    "poisson_blend",
    "poisson_blend_film",
]
