"""Menu escalier/keyframes: choose keyframes, lay them on sheets for diffusion, cut the sheets back."""

from comfy_api.v0_0_2 import io

from .anchors import EscalierLockAnchorCells, EscalierPasteAnchorCells
from .choose import EscalierChooseKeyframes
from .files import EscalierKeyframesFromImages, EscalierKeyframesToImages, EscalierLoadKeyframes, EscalierSaveKeyframes
from .grid import EscalierPlanGrid, EscalierSplitGrid, EscalierTileGrid
from .vary import EscalierVaryKeyframes

NODES: list[type[io.ComfyNode]] = [
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
]
