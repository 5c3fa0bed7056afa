"""Menu escalier/composite: put pictures together without a seam."""

from comfy_api.v0_0_2 import io

from .check import EscalierCheckComposite
from .clean_plate import EscalierCleanPlate, EscalierCleanPlates
from .layers import EscalierBlendLayers
from .moving_plate import EscalierCameraMotion, EscalierMovePlate, EscalierPlanPlate
from .placing import EscalierPlaceSubject
from .poisson import EscalierPoissonBlend
from .shadow import EscalierCastShadow
from .soft_matte import EscalierSoftMatte
from .untouched import EscalierMeasureUntouched

NODES: list[type[io.ComfyNode]] = [
    EscalierPlaceSubject,
    EscalierSoftMatte,
    EscalierCastShadow,
    EscalierPoissonBlend,
    EscalierBlendLayers,
    EscalierCleanPlate,
    EscalierCleanPlates,
    EscalierCheckComposite,
    EscalierCameraMotion,
    EscalierPlanPlate,
    EscalierMovePlate,
    EscalierMeasureUntouched,
]
