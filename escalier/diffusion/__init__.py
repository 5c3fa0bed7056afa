"""Diffusion: control maps, shared attention, and pipelines that run without ComfyUI."""

from .control_maps import draw_control_maps, draw_segmentation_maps
from .pipelines import Pipeline, load_pipeline, repaint
from .shared_attention import AttentionBank, attend_to_anchor, of_anchor

__all__ = [
    "AttentionBank",
    "Pipeline",
    "attend_to_anchor",
    "draw_control_maps",
    "draw_segmentation_maps",
    "load_pipeline",
    "of_anchor",
    "repaint",
]
