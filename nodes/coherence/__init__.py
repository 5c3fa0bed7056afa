"""Menu escalier/coherence: how steady a film is, and where one more keyframe would help."""

from comfy_api.v0_0_2 import io

from .advisor import EscalierAdviseKeyframes
from .meter import EscalierMeasureCoherence

NODES: list[type[io.ComfyNode]] = [EscalierMeasureCoherence, EscalierAdviseKeyframes]
