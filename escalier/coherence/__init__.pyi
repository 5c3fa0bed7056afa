from .advisor import Advice as Advice, Suggestion as Suggestion, advise_keyframes as advise_keyframes
from .advisor_picture import draw_advice as draw_advice
from .colour_steps import colour_drift as colour_drift, colour_step as colour_step
from .double_exposure import measure_double_exposure as measure_double_exposure
from .fade_report import (
    FadeReport as FadeReport,
    MeasuredStaircase as MeasuredStaircase,
    measure_fades as measure_fades,
)
from .fidelity import motion_error as motion_error
from .ghosting import (
    fade_weight as fade_weight,
    ghosting_kept as ghosting_kept,
    high_pass_contrast as high_pass_contrast,
)
from .heat_map import HeatMap as HeatMap
from .measurement import Measurement as Measurement, RegionMeasurement as RegionMeasurement
from .meter import measure_film as measure_film
from .plot import plot_curves as plot_curves
from .seam import (
    followed_pixels as followed_pixels,
    pop as pop,
    step_ratios as step_ratios,
    visible_change as visible_change,
)
from .sharpness import measure_sharpness as measure_sharpness, sharpness_kept as sharpness_kept
from .warp_error import find_long_lag as find_long_lag, measure_warp_error as measure_warp_error
