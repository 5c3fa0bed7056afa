"""Menu escalier/composite: put pictures together without a seam."""

from comfy_api.v0_0_2 import io

from .clean_plate import EscalierCleanPlate, EscalierCleanPlates
from .layers import EscalierBlendLayers
from .placing import EscalierPlaceSubject
from .poisson import EscalierPoissonBlend
from .soft_matte import EscalierSoftMatte
from .untouched import EscalierMeasureUntouched

NODES: list[type[io.ComfyNode]] = [
    EscalierPlaceSubject,
    EscalierSoftMatte,
    EscalierPoissonBlend,
    EscalierBlendLayers,
    EscalierCleanPlate,
    EscalierCleanPlates,
    EscalierMeasureUntouched,
]
