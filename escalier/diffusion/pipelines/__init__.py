"""Diffusers' pipelines as painters of keyframes: from folders and files on this disk, with or without ComfyUI."""
