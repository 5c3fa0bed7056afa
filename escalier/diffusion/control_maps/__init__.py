"""Control maps: lines, people, depth and things of a keyframe, drawn for a ControlNet to respect."""

from .detectors import KINDS, draw_control_maps
from .options import POSE_PARTS, Options
from .segmentation import draw_segmentation_maps

__all__ = ["KINDS", "POSE_PARTS", "Options", "draw_control_maps", "draw_segmentation_maps"]
