"""Menu escalier/propagation: carry painted keyframes through the film, then fade the runs into one."""

from comfy_api.v0_0_2 import io

from .draft import EscalierDraft
from .propagate import EscalierPropagate
from .staircase import EscalierStaircase

NODES: list[type[io.ComfyNode]] = [EscalierDraft, EscalierPropagate, EscalierStaircase]
