"""Every node of the pack, in the order of the menu."""

from comfy_api.v0_0_2 import ComfyExtension, io
from typing_extensions import override

from . import coherence, composite, diffusion, mask
from .film import EscalierMotion
from .keyframes import (
    EscalierChooseKeyframes,
    EscalierKeyframesFromImages,
    EscalierKeyframesToImages,
    EscalierLoadKeyframes,
    EscalierPlanGrid,
    EscalierSaveKeyframes,
    EscalierSplitGrid,
    EscalierTileGrid,
)
from .propagation import EscalierPropagate, EscalierStaircase

NODES: list[type[io.ComfyNode]] = [
    EscalierMotion,
    EscalierChooseKeyframes,
    EscalierSaveKeyframes,
    EscalierLoadKeyframes,
    EscalierKeyframesFromImages,
    EscalierKeyframesToImages,
    EscalierPlanGrid,
    EscalierTileGrid,
    EscalierSplitGrid,
    EscalierPropagate,
    EscalierStaircase,
    *mask.NODES,
    *composite.NODES,
    *diffusion.NODES,
    *coherence.NODES,
]


class EscalierExtension(ComfyExtension):
    @override
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> EscalierExtension:
    return EscalierExtension()
