"""Diffusers' pipelines as painters of keyframes: from folders and files on this disk, with or without ComfyUI."""

from .load import TASKS, Pipeline, load_pipeline
from .repaint import repaint

__all__ = ["TASKS", "Pipeline", "load_pipeline", "repaint"]
