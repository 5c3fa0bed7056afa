"""Menu escalier/coherence: how steady a film is, and how steady it should be."""

from comfy_api.v0_0_2 import io

from .advisor import EscalierAdviseKeyframes
from .boil import EscalierLineBoil
from .dial import EscalierDial
from .meter import EscalierMeasureCoherence

NODES: list[type[io.ComfyNode]] = [EscalierMeasureCoherence, EscalierAdviseKeyframes, EscalierLineBoil, EscalierDial]
