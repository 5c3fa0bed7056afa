"""Menu escalier/boiling: how alive a film is, from one that holds still to one redrawn on every frame."""

from comfy_api.v0_0_2 import io

from .boil import EscalierLineBoil
from .dial import EscalierDial

NODES: list[type[io.ComfyNode]] = [EscalierLineBoil, EscalierDial]
