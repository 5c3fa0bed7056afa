"""Diffusion: control maps, shared attention, and pipelines that run without ComfyUI."""

__all__: list[str] = []
