"""Diffusion: control maps, shared attention, and pipelines that run without ComfyUI."""

from .control_maps import draw_control_maps, draw_segmentation_maps

__all__ = ["draw_control_maps", "draw_segmentation_maps"]
