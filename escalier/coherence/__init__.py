"""Coherence: figures that say how steady a restyled film is."""

from .advisor import Advice, Suggestion, advise_keyframes
from .advisor_picture import draw_advice
from .boil import Boil
from .colour_steps import colour_drift, colour_step
from .curve import Curve, parse_curve
from .dial import Dial
from .double_exposure import double_exposure
from .fidelity import motion_error
from .ghosting import fade_weight, ghosting_kept, high_pass_contrast
from .heat_map import HeatMap
from .long_lag import long_lag
from .measure import measure_film
from .measurement import Measurement, RegionMeasurement
from .meter import FadeReport, measure_fades
from .plot import plot_curves
from .seam import followed_pixels, pop, step_ratios, visible_change
from .sharpness import sharpness, sharpness_kept
from .warp_error import warp_error

__all__ = [
    "Advice",
    "Boil",
    "Curve",
    "Dial",
    "FadeReport",
    "HeatMap",
    "Measurement",
    "RegionMeasurement",
    "Suggestion",
    "advise_keyframes",
    "colour_drift",
    "colour_step",
    "double_exposure",
    "draw_advice",
    "fade_weight",
    "followed_pixels",
    "ghosting_kept",
    "high_pass_contrast",
    "long_lag",
    "measure_fades",
    "measure_film",
    "motion_error",
    "parse_curve",
    "plot_curves",
    "pop",
    "sharpness",
    "sharpness_kept",
    "step_ratios",
    "visible_change",
    "warp_error",
]
