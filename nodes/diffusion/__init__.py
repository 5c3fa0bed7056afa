"""Menu escalier/diffusion: one look for every keyframe."""

from comfy_api.v0_0_2 import io

NODES: list[type[io.ComfyNode]] = []
