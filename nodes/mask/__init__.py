"""Menu escalier/mask: who is in the picture, frame by frame."""

from comfy_api.v0_0_2 import io

NODES: list[type[io.ComfyNode]] = []
