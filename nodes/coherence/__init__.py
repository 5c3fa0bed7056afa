"""Menu escalier/coherence: how steady a film is, and how steady it should be."""

from comfy_api.v0_0_2 import io

NODES: list[type[io.ComfyNode]] = []
