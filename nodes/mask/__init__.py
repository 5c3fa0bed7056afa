"""Menu escalier/mask: masks made, and their edges."""

from comfy_api.v0_0_2 import io

from .colour_id import EscalierColourIdMask
from .difference import EscalierDifferenceMatte
from .edge import EscalierMaskEdge
from .matte import EscalierLoadMatteModel, EscalierMatte

NODES: list[type[io.ComfyNode]] = [
    EscalierLoadMatteModel,
    EscalierMatte,
    EscalierMaskEdge,
    EscalierColourIdMask,
    EscalierDifferenceMatte,
]
