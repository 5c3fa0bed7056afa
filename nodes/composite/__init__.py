"""Menu escalier/composite: put pictures together without a seam."""

from comfy_api.v0_0_2 import io

NODES: list[type[io.ComfyNode]] = []
