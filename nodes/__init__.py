"""Every node of the pack, in the order of the menu."""

from comfy_api.v0_0_2 import ComfyExtension, io
from typing_extensions import override

from . import boiling, coherence, composite, diffusion, mask, sam, tracking
from .film import EscalierCadence, EscalierMotion, EscalierMotionFromImages, EscalierPickFrames, EscalierRestoreCadence
from .keyframes import (
    EscalierChooseKeyframes,
    EscalierKeyframesFromImages,
    EscalierKeyframesToImages,
    EscalierLoadKeyframes,
    EscalierLockAnchorCells,
    EscalierPasteAnchorCells,
    EscalierPlanGrid,
    EscalierSaveKeyframes,
    EscalierSplitGrid,
    EscalierTileGrid,
    EscalierVaryKeyframes,
)
from .propagation import EscalierDraft, EscalierPropagate, EscalierStaircase

NODES: list[type[io.ComfyNode]] = [
    EscalierMotion,
    EscalierMotionFromImages,
    EscalierCadence,
    EscalierPickFrames,
    EscalierRestoreCadence,
    EscalierChooseKeyframes,
    EscalierSaveKeyframes,
    EscalierLoadKeyframes,
    EscalierKeyframesFromImages,
    EscalierKeyframesToImages,
    EscalierPlanGrid,
    EscalierTileGrid,
    EscalierLockAnchorCells,
    EscalierPasteAnchorCells,
    EscalierSplitGrid,
    EscalierVaryKeyframes,
    EscalierDraft,
    EscalierPropagate,
    EscalierStaircase,
    *sam.NODES,
    *mask.NODES,
    *tracking.NODES,
    *composite.NODES,
    *diffusion.NODES,
    *coherence.NODES,
    *boiling.NODES,
]


class EscalierExtension(ComfyExtension):
    @override
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> EscalierExtension:
    return EscalierExtension()
